"""The page of the figures: how many ids pass for each function and library, and why the others fail."""

from collections import defaultdict

from parity.expected import matches, read
from parity.figures import ALL
from parity.scope import NAMES

TITLES = {"numpy": "NumPy", "torch": "torch", "jax.numpy": "JAX", "array_api_strict": "array-api-strict"}
PACKAGES = {"scipy": "SciPy", "astropy": "astropy", "skimage": "scikit-image"}
UNLISTED = "not listed"
HEAD = """# SciPy's own tests on our functions

SciPy's, astropy's and scikit-image's own tests run on the functions here, unchanged: `make parity` puts ours in the
place of theirs, runs the tests of their wheels, and writes this page. A cell is *passed / ran*; what a test leaves out
on a library does not count, and a dash is a function whose tests are of NumPy arrays alone. A star: of a test with many
sets of parameters only some ran, since JAX compiles for each. An empty cell is a function whose tests have not run.
"""


def text(figures):
    """Return the page of a file's figures, {suite: {backend: {function: row}}}."""
    figures = {suite: figures[suite] for suite in PACKAGES if suite in figures}
    libraries = "".join(f" {title} |" for title in TITLES.values())
    parts = [HEAD, f"| function |{libraries}", "| --- |" + " ---: |" * len(TITLES)]
    parts += [
        f"| `{name}` |" + "".join(f" {cell(backends.get(backend, {}).get(name))} |" for backend in TITLES)
        for name in NAMES
        for backends in figures.values()
        if any(name in rows for rows in backends.values())
    ]
    parts += [
        f"| all of {PACKAGES[suite]}'s |" + "".join(f" {cell(backends.get(one, {}).get(ALL))} |" for one in TITLES)
        for suite, backends in figures.items()
        if any(ALL in rows for rows in backends.values())
    ]
    parts += ["", *sentences(figures), "", "## What does not pass", ""]
    parts += [f"| reason |{libraries}", "| --- |" + " ---: |" * len(TITLES)]
    parts += [
        f"| {reason} |" + "".join(f" {len(ids[backend]) or ''} |" for backend in TITLES)
        for reason, ids in reasons(figures).items()
    ]
    return "\n".join(parts) + "\n"


def cell(row):
    if row is None:
        return ""
    ran = row["passed"] + len(row["failed"])
    star = "\\*" if row["thinned"] else ""
    return f"{row['passed']} / {ran}{star}" if ran else "-"


def sentences(figures):
    """Return a line on each package: its version, those of the libraries, and the days of the runs."""
    for suite, backends in figures.items():
        rows = [row for functions in backends.values() for row in functions.values()]
        libraries = ", ".join(
            f"{title} {joined(row[backend] for row in backends[backend].values())}"
            for backend, title in TITLES.items()
            if backend in backends
        )
        days = joined(row["date"] for row in rows)
        yield f"{PACKAGES[suite]} {joined(row[suite] for row in rows)} on {libraries}; {days}."


def joined(values):
    return " and ".join(sorted(set(values)))


def reasons(figures):
    """Return {reason: {backend: ids that failed}}, in the order of the lists of known failures."""
    table = defaultdict(lambda: defaultdict(set))
    for suite, backends in figures.items():
        for backend, functions in backends.items():
            expected = read(backend if suite == "scipy" else suite)
            failed = {test for row in functions.values() for test in row["failed"]}
            for reason in expected.values():
                table[reason]  # a row where nothing failed is left out below
            for test in sorted(failed):
                reason = next((why for line, why in expected.items() if matches(line, test)), UNLISTED)
                table[reason][backend].add(test)
    return {reason: ids for reason, ids in table.items() if ids}
