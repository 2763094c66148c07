"""What a run prints: the table of both packages' outcomes by function, and what is not as listed."""

import importlib.util
import itertools
from collections import Counter, defaultdict

from parity.scope import NAMES

SHOWN = 100  # reasons printed
HEAD = ("function", "tests", "ids", "passed", "failed", "skipped", "own: tests", "passed", "failed", "skipped")


def show_table(suite, backend, ours, theirs):
    mine, other = summary(ours), summary(theirs)
    rows = [row(name, mine[name], other.get(name)) for name in (*NAMES, "all") if name in mine]
    title = f"{backend}: arrayconv, and {suite}'s own functions on the same tests (tests: all ids passed / all)"
    if importlib.util.find_spec("rich"):
        show_rich(title, rows)
    else:
        print(title, *("  ".join(f"{cell:>12}" for cell in cells) for cells in (HEAD, *rows)), sep="\n")


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
