"""Run SciPy's and astropy's own tests on arrayconv's functions, and their functions on the same tests beside them.

    python tools/parity.py [--suite scipy] [--backend numpy] [--function convolve] [--fast] [-n 2]

The tests are the installed wheel's, unchanged. Each run is a pytest process in which `tools/parity/plugin.py` has put
the functions of `tools/parity/scope.py` in the place of the package's. Known failures are listed with their reasons in
tests/parity/expected/<backend>.txt, those of astropy's tests in astropy.txt.

Exit status: 0 as listed, 1 something failed that is not listed, or is listed and does not fail, 2 pytest did not run.
"""

import argparse
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path

from parity.expected import judge, read
from parity.scope import FAST, NAMES, SCOPES, SUITES

TOOLS = Path(__file__).parent
# Library -> ids of one test function, None for all: one test has 9730, and JAX compiles for each.
BACKENDS = {"numpy": None, "torch": 60, "jax.numpy": 6, "array_api_strict": 60}
RUNS = {"scipy": tuple(BACKENDS), "astropy": ("numpy",)}  # astropy's tests are of NumPy arrays
FAST_MOST = 3  # ids of one test function in a fast run
SHOWN = 100  # reasons printed
INI = "[pytest]\nxfail_strict = false\n"


def main(argv=None):
    options = parse(argv)
    outcomes = [
        compare(suite, backend, options)
        for suite in options.suite or filter(partial(has_functions, functions=options.function), RUNS)
        for backend in RUNS[suite]
        if backend in (options.backend or BACKENDS)
    ]
    return 0 if all(outcomes) else 1


def has_functions(suite, functions):
    """Whether a suite has one of the functions, by their names with or without their module; any for None."""
    own = {f"{module}.{name}": name for module, names in SUITES[suite].functions.items() for name in names}
    return functions is None or not {*own, *own.values()}.isdisjoint(functions)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", action="append", choices=RUNS, help="package whose tests run; may be repeated")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="array library; may be repeated")
    parser.add_argument("--function", action="append", help="only the tests of this function; may be repeated")
    parser.add_argument("--fast", action="store_true", help="a thin selection, of a few seconds")
    parser.add_argument("--most", type=int, help="ids of one test function (default: all on NumPy, some elsewhere)")
    parser.add_argument("--alone", action="store_true", help="do not run the package's own functions beside ours")
    parser.add_argument("--target", default="arrayconv", help="package under test (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="folder that gets the outcome of every test as JSON")
    parser.add_argument("-n", type=int, default=2, help="processes (default: %(default)s)")
    options = parser.parse_args(argv)
    known = {*NAMES, *(name.split(".")[1] for name in NAMES)}
    for name in options.function or ():
        if name not in known:
            parser.error(f"--function must be one of {', '.join(sorted(known))}. Got {name!r}.")
    return options


def compare(suite, backend, options):
    """Run both, print the table, and return whether ours did what is expected."""
    ours = run(suite, options.target, backend, options)
    theirs = {} if options.alone else run(suite, suite, backend, options)
    show_table(suite, backend, ours, theirs)
    expected = read(backend if suite == "scipy" else suite)
    complete = not (options.fast or options.function or most(backend, options))
    verdict = judge(ours, expected, complete=complete)
    show_verdict(verdict, ours, expected)
    return verdict.ok


def run(suite, target, backend, options):
    """Return {test: row} of one pytest process: outcome, functions it is about, functions it called."""
    with tempfile.TemporaryDirectory() as folder:
        ini, results = Path(folder, "pytest.ini"), Path(folder, "results.json")
        ini.write_text(INI)
        command = [sys.executable, "-m", "pytest", "-c", str(ini), "--rootdir", str(site_packages(suite))]
        command += ["-p", "parity.plugin", "-p", "no:cacheprovider", "-q", "--tb=line", "--disable-warnings"]
        command += ["--parity-suite", suite, "--parity-target", target, "--parity-results", str(results)]
        command += selection(suite, backend, options)
        command += ["-n", str(options.n)] if options.n > 1 and importlib.util.find_spec("xdist") else []
        process = subprocess.run(
            [*command, *files(suite, options)], env=environment(backend), text=True, capture_output=True
        )
        if process.returncode not in (0, 1) or not results.exists():
            print(process.stdout[-5000:], process.stderr[-5000:], sep="\n", file=sys.stderr)
            sys.exit(2)
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            options.keep.joinpath(f"{suite}-{target}-{backend}.json").write_text(results.read_text())
        return json.loads(results.read_text())


def selection(suite, backend, options):
    yield from (f"--parity-function={name}" for name in options.function or ())
    if most(backend, options):
        yield f"--parity-thin={most(backend, options)}"
    if suite == "scipy" and backend != "numpy":
        yield "--parity-arrays"


def most(backend, options):
    """Return how many ids of one test function run, None for all."""
    if options.most or options.fast:
        return options.most or FAST_MOST
    return BACKENDS[backend]


def files(suite, options):
    """Return the files of the tests, or the classes of a fast run."""
    root = site_packages(suite) / suite
    if options.fast:
        return [f"{root / file}::{test}" for file, tests in FAST[suite].items() for test in tests]
    return [str(root / file) for file in SCOPES[suite]]


def site_packages(suite):
    return Path(importlib.util.find_spec(suite).origin).parents[1]


def environment(backend):
    """Return the variables that SciPy's tests read; without SCIPY_ARRAY_API they run on NumPy, as most users do.

    The shipped constants choose the methods: ARRAYCONV_CACHE_DIR is empty.
    """
    path = os.pathsep.join(filter(None, [str(TOOLS), str(TOOLS.parent), os.environ.get("PYTHONPATH")]))
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SCIPY_", "PYTEST_"))}
    arrays = {} if backend == "numpy" else {"SCIPY_ARRAY_API": json.dumps([backend])}
    own = {"PYTHONPATH": path, "ARRAYCONV_CACHE_DIR": os.devnull}
    return {**inherited, **own, "SCIPY_DEVICE": "cpu", "JAX_ENABLE_X64": "1", **arrays}


def summary(results):
    """Return {function: (test functions that passed, test functions, outcomes of the ids)}, and of all together."""
    tests, ids = defaultdict(lambda: defaultdict(set)), defaultdict(Counter)
    for test, row in results.items():
        for function in (*row["functions"], "all"):
            tests[function][test.split("[")[0]].add(row["outcome"])
            ids[function][row["outcome"]] += 1
    passed = {
        name: sum("passed" in outcomes and "failed" not in outcomes for outcomes in tests[name].values())
        for name in tests
    }
    return {name: (passed[name], len(tests[name]), ids[name]) for name in tests}


HEAD = ("function", "tests", "ids", "passed", "failed", "skipped", "own: tests", "passed", "failed", "skipped")


def show_table(suite, backend, ours, theirs):
    mine, other = summary(ours), summary(theirs)
    rows = [row(name, mine[name], other.get(name)) for name in (*NAMES, "all") if name in mine]
    title = f"{backend}: arrayconv, and {suite}'s own functions on the same tests (tests: all ids passed / all)"
    if importlib.util.find_spec("rich"):
        show_rich(title, rows)
    else:
        print(title, *("  ".join(f"{cell:>12}" for cell in cells) for cells in (HEAD, *rows)), sep="\n")


def row(name, mine, other):
    passed, tests, ids = mine
    cells = [name, f"{passed}/{tests}", sum(ids.values()), *counts(ids)]
    cells += [f"{other[0]}/{other[1]}", *counts(other[2])] if other else [""] * 4
    return [str(cell) for cell in cells]


def counts(ids):
    return [ids["passed"], ids["failed"], ids["skipped"]]


def show_rich(title, rows):
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for n, name in enumerate(HEAD):
        table.add_column(name, justify="right" if n else "left", no_wrap=True)
    for cells in rows[:-1]:
        table.add_row(*cells)
    table.add_section()
    table.add_row(*rows[-1])
    console = Console()
    Console(width=max(console.width, 130)).print(table)


def show_verdict(verdict, ours, expected):
    print(f"{sum(row['outcome'] == 'failed' for row in ours.values())} failed, {len(expected)} lines of known failures")
    groups = {
        "failed, not listed": verdict.failed,
        "listed, but passed": verdict.passed,
        "listed, but no such test": verdict.unknown,
        "passed without calling the function": verdict.idle,
    }
    for title, tests in groups.items():
        if tests:
            print(f"\n{title}: {len(tests)}")
        for line in itertools.islice(grouped(tests, ours), SHOWN):
            print(f"  {line}")


def grouped(tests, ours):
    """Return a line or two for each reason: how many ids of how many test functions, the first of them, the reason."""
    groups = defaultdict(list)
    for test in tests:
        groups[" ".join(ours.get(test, {}).get("why", "").split())[:200]].append(test)
    for why, ids in sorted(groups.items(), key=lambda group: -len(group[1])):
        functions = len({test.split("[")[0] for test in ids})
        yield f"{len(ids)} ids of {functions} test functions: {ids[0]}" + (f"\n      {why}" if why else "")


if __name__ == "__main__":
    sys.exit(main())
