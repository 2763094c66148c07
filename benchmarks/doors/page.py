"""The sections of docs/benchmarks.md on the doors, from the JSON files that `run` wrote."""

from benchmarks import provenance
from benchmarks.doors import report
from benchmarks.doors.field import CUT, ROUNDED, TOLERANCES
from benchmarks.doors.rows import MODULES

TITLES = {"core": "convolve, correlate, einconv, Convolver, normalized_convolve, vjp"}
RULES = f"""
    Each row is one public function on one library's arrays, against the function that it imitates and what its users
    would call instead. All contenders of a row take turns in one process, and the shortest time of each counts; a row
    whose prediction is off is timed again at the end, with all of its contenders. JAX is compiled where it can be.
    Before, each result is compared with ours: within {TOLERANCES["float32"]} of the largest value in float32 and
    complex64, {TOLERANCES["float64"]} in float64, exactly for integers, but within {CUT} in filters, whose sums may
    fall just below a whole number. OpenCV rounds integers to nearest, where SciPy and this package cut them toward zero
    in every pass: within {ROUNDED} there. Filters have the boundary 'reflect' on NumPy and JAX arrays, and on tensors
    'mirror', which torch and kornia have too. OpenCV and the peers of tensors and JAX arrays sum float32 in float32,
    filters of SciPy and of this package in float64. Kernels are reversed before timing. With gradients, the time is
    that of the result and of the gradients of all operands (of a filter or a Convolver: of the input, of a layer: of
    the input and its parameters), by the library's own derivatives, on NumPy arrays by `vjp`."""
PREDICTED = f"""
    Rows whose time is more than {report.OFF:g} times what `explain` predicts for the call, or less than its inverse: of
    its convolutions by the methods that it names, of their gradients, and of the Python around them."""


def sections(results, filled):
    """Return the texts of the page, [] without results; `filled` wraps a paragraph."""
    if not results:
        return []
    parts = ["## Every public function", filled(_measured(results)), filled(RULES)]
    for door in MODULES:
        parts += _door(door, results, filled)
    return parts + _predictions(results, filled)


def _measured(results):
    machine = results[0]["machine"]
    dates = " and ".join(sorted({result["date"] for result in results}))
    commits = " and ".join(sorted({str(result["commit"]) for result in results}))
    versions = {name: v for result in results for name, v in result["versions"].items() if name != "arrayconv"}
    known = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"""From `python -m benchmarks.doors` on {dates}, commit {commits}: {machine["cpu"]}, {machine["cores"]}
        cores; {known}.{provenance.disturbance(results)} A ratio is a peer's time over ours: above 1, ours is faster."""


def _door(door, results, filled):
    """Return the section of a door: first where peers are ahead, then the statistics."""
    rows = {result["library"]: [row for row in result["rows"] if row["door"] == door] for result in results}
    standings = [(library, one) for library, some in rows.items() for one in report.standings(some)]
    if not standings:
        return []
    faster = [(one.ratio, library, one) for library, some in rows.items() for one in report.ahead(some)]
    lines = [
        f"* {one.label} on {library} arrays: {one.peer}, {one.ratio:.2f}"
        for _, library, one in sorted(faster, key=lambda item: item[0])
    ]
    return [
        f"### {TITLES.get(door, door)}",
        "\n".join(["Where peers are ahead:", "", *lines]) if lines else "No peer is ahead.",
        _table(
            ("arrays", "rows", "geometric mean", "least", "where", f"below {report.BEHIND}"),
            [
                (library, one.count, f"{one.mean:.2f}", f"{one.least:.2f}", one.where, one.behind)
                for library, one in standings
            ],
        ),
        *(filled(text) for text in _wrong(rows)),
    ]


def _wrong(rows):
    return [f"Not timed: {message}." for some in rows.values() for row in some for message in row["wrong"].values()]


def _predictions(results, filled):
    lines = []
    for result in results:
        off, count = report.off(result["rows"]), report.predictions(result["rows"])
        lines.append(f"* {result['library']}: {len(off)} of {count}")
        lines += [f"  * {one.label}, {one.method}: {one.factor:.2f} times the predicted time" for one in off]
    return ["### Predicted times that are off", filled(PREDICTED), "\n".join(lines)]


def _table(headings, rows):
    left = {"arrays", "where"}
    lines = [
        f"| {' | '.join(headings)} |",
        "|" + "|".join("---" if name in left else "---:" for name in headings) + "|",
    ]
    return "\n".join(lines + [f"| {' | '.join(map(str, row))} |" for row in rows])
