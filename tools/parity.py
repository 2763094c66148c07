"""Run SciPy's, astropy's and skimage's own tests on arrayconv's functions, and theirs on the same tests beside them.

    python tools/parity.py [--suite scipy] [--backend numpy] [--function convolve] [--fast] [--json FILE] [-n 2]

The tests are those of the package's wheel, unchanged. Each run is a pytest process in which `tools/parity/plugin.py`
has put the functions of `tools/parity/scope.py` in the place of the package's. Known failures are listed with their
reasons in tests/parity/expected/<backend>.txt, those of other tests than SciPy's in <suite>.txt. `make parity` keeps
the figures in tests/parity/figures.json, and writes docs/parity.md from them.

Exit status: 0 as listed, 1 something failed that is not listed, or is listed and does not fail, 2 pytest did not run.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from parity import page
from parity.expected import judge, read
from parity.figures import record
from parity.report import show_table, show_verdict
from parity.scope import FAST, NAMES, SCOPES, SUITES
from parity.suites import root_of, version_of

TOOLS = Path(__file__).parent
# Library -> ids of one test function, None for all: one test has 9730, and JAX compiles for each.
BACKENDS = {"numpy": None, "torch": 60, "jax.numpy": 6, "array_api_strict": 60}
RUNS = {"scipy": tuple(BACKENDS), "astropy": ("numpy",), "skimage": ("numpy",)}  # the others' are of NumPy arrays
FAST_MOST = 3  # ids of one test function in a fast run
INI = "[pytest]\nxfail_strict = false\n"


def main(argv=None):
    options = parse(argv)
    outcomes = [
        compare(suite, backend, options)
        for suite in options.suite or filter(partial(has_functions, functions=options.function), RUNS)
        for backend in RUNS[suite]
        if backend in (options.backend or BACKENDS)
    ]
    if options.page:
        options.page.write_text(page.text(json.loads(options.json.read_text())))
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
    parser.add_argument(
        "--most", type=int, help="ids of one test function, 0 for all (default: all on NumPy, some elsewhere)"
    )
    parser.add_argument("--alone", action="store_true", help="do not run the package's own functions beside ours")
    parser.add_argument("--target", default="arrayconv", help="package under test (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="folder that gets the outcome of every test as JSON")
    parser.add_argument("--json", type=Path, help="file in which the figures of the functions are replaced")
    parser.add_argument("--page", type=Path, help="page that is written from the figures of --json")
    parser.add_argument("-n", type=int, default=2, help="processes (default: %(default)s)")
    options = parser.parse_args(argv)
    known = {*NAMES, *(name.split(".")[1] for name in NAMES)}
    for name in options.function or ():
        if name not in known:
            parser.error(f"--function must be one of {', '.join(sorted(known))}. Got {name!r}.")
    if options.json and options.fast:
        parser.error("--json must not be combined with --fast: its figures are of complete runs.")
    if options.page and not options.json:
        parser.error("--page needs --json FILE, whose figures it shows.")
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
    if options.json:
        record(options.json, suite, version_of(suite), backend, ours, options.function)
    return verdict.ok


def run(suite, target, backend, options):
    """Return {test: row} of one pytest process: outcome, functions it is about, functions it called."""
    with tempfile.TemporaryDirectory() as folder:
        ini, results = Path(folder, "pytest.ini"), Path(folder, "results.json")
        ini.write_text(INI)
        command = [sys.executable, "-m", "pytest", "-c", str(ini), "--rootdir", str(root_of(suite))]
        command += ["-p", "parity.plugin", "-p", "no:cacheprovider", "-q", "--tb=line", "--disable-warnings"]
        command += ["--parity-suite", suite, "--parity-root", str(root_of(suite) / suite)]
        command += ["--parity-target", target, "--parity-results", str(results)]
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
    if options.most is not None:
        return options.most or None
    return FAST_MOST if options.fast else BACKENDS[backend]


def files(suite, options):
    """Return the files of the tests, or the classes of a fast run."""
    root = root_of(suite) / suite
    if options.fast:
        return [f"{root / file}::{test}" for file, tests in FAST[suite].items() for test in tests]
    return [str(root / file) for file in SCOPES[suite]]


def environment(backend):
    """Return the variables that SciPy's tests read; without SCIPY_ARRAY_API they run on NumPy, as most users do.

    The shipped constants choose the methods: ARRAYCONV_CACHE_DIR is empty.
    """
    path = os.pathsep.join(filter(None, [str(TOOLS), str(TOOLS.parent), os.environ.get("PYTHONPATH")]))
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SCIPY_", "PYTEST_"))}
    arrays = {} if backend == "numpy" else {"SCIPY_ARRAY_API": json.dumps([backend])}
    own = {"PYTHONPATH": path, "ARRAYCONV_CACHE_DIR": os.devnull}
    return {**inherited, **own, "SCIPY_DEVICE": "cpu", "JAX_ENABLE_X64": "1", **arrays}


if __name__ == "__main__":
    sys.exit(main())
