"""Time the functions of the doors on one library's arrays, against what they imitate and what users take instead.

    python -m benchmarks.doors --library numpy --json benchmarks/results/doors-numpy.json
    python -m benchmarks.doors --library torch --door ndimage --quick
    python -m benchmarks.doors --predict benchmarks/results/doors-numpy.json

All contenders of a row take turns in one process, and the shortest time of each counts. Every result is compared with
ours before. Exit status 1 if a result differs, or if a time of ours is not within a factor of 2 of what `explain`
predicts (--lenient: 0 for the latter).
"""

import argparse
import json
import os
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import files, provenance
from benchmarks.doors import report
from benchmarks.doors.rows import LIBRARIES, MODULES
from benchmarks.doors.table import select

SECONDS, QUICK_SECONDS = 0.25, 0.0  # of rounds per row; there are three rounds at least
WARM_NS, QUICK_WARM_NS = 2 * 10**7, 0  # of calls before each turn
TIMES_AGAIN = 2  # that a row whose prediction is off is timed later: a machine has slow minutes


def main(argv=None):
    options = parse(argv)
    console = Console(width=None if Console().is_terminal else 160)
    if options.predict:
        return predicted(json.loads(options.predict.read_text()), console, options.lenient)
    result = measure(options, partial(console.print, style="dim", highlight=False))
    for shown in tables(result):
        console.print(shown)
    if options.json:
        files.write(options.json, result)
    count = len(report.off(result["rows"]))
    console.print(f"{result['seconds']:.0f} s; {count} of {report.predictions(result['rows'])} predictions are off")
    wrong = [message for row in result["rows"] for message in row["wrong"].values()]
    for message in wrong:
        console.print(f"WRONG  {message}", highlight=False)
    return 1 if wrong or (count and not options.lenient) else 0


def predicted(result, console, is_lenient):
    """Print today's predictions for the times of a result that are off; return the exit status."""
    from benchmarks.doors.predict import predictions

    today = predictions(result)
    *_, shown = tables(result | {"rows": today.rows})
    console.print(shown)
    for line in today.changed:
        console.print(f"another method: {line}", highlight=False)
    count = len(report.off(today.rows))
    console.print(f"{count} of {report.predictions(today.rows)} predictions are off")
    return 1 if count and not is_lenient else 0


def parse(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doors", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--library", choices=LIBRARIES, default="numpy", help="whose arrays (default: %(default)s)")
    add("--door", choices=tuple(MODULES), default="", help="only the functions of one door")
    add("--filter", default="", help="only the rows whose label contains this text")
    parts = parser.add_mutually_exclusive_group()
    quick = "the smallest row of each function, a few rounds: no times to quote"
    parts.add_argument("--quick", dest="part", action="store_const", const="quick", default="", help=quick)
    full = "every size with every dtype: hours"
    parts.add_argument("--full", dest="part", action="store_const", const="full", help=full)
    add("--lenient", action="store_true", help="exit with status 0 where predictions are off too")
    add("--json", type=Path, help="where to write the times")
    add("--predict", type=Path, metavar="FILE", help="time nothing: compare the times of FILE with today's predictions")
    options = parser.parse_args(argv)
    options.rows = select(options.library, options.door, options.part, options.filter)
    if not options.rows:
        parser.error(f"--door and --filter must leave rows on {options.library} arrays. Got {options.filter!r}.")
    return options


def measure(options, say=print):
    """Return the result of a run: see `report`."""
    if options.library != "numpy":
        os.environ["SCIPY_ARRAY_API"] = "1"  # read when SciPy is imported
    from benchmarks.doors import peers

    packages = ("arrayconv", "numpy", *dict.fromkeys(peer.package for peer in peers.of(options.library)))
    run = provenance.Run(packages)
    rows = []
    for number, row in enumerate(options.rows, 1):
        rows.append(timed(row, options.library, is_quick=options.part == "quick"))
        say(f"{number:>3}/{len(options.rows)}  {row.label}: {rows[-1]['ours'] / 1000:.1f} us")
    for _ in range(TIMES_AGAIN if options.part != "quick" else 0):
        again(rows, options, say)
    return run.result(library=options.library, part=options.part, rows=rows)


def again(rows, options, say):
    """Time the rows whose prediction is off once more; each contender's shortest time counts."""
    doubtful = {one.label for one in report.off(rows)}
    for number, row in enumerate(options.rows):
        if row.label in doubtful:
            rows[number] = report.shortest(rows[number], timed(row, options.library))
            say(f"again  {row.label}: {rows[number]['ours'] / 1000:.1f} us")


def timed(row, library, is_quick=False):
    """Return the times of a row as the JSON has them."""
    from benchmarks.doors.field import field, wait_if_array
    from benchmarks.timing import interleaved

    contenders = field(row, library)
    everyone = {"": contenders.ours, **contenders.peers}
    seconds, warm = (QUICK_SECONDS, QUICK_WARM_NS) if is_quick else (SECONDS, WARM_NS)
    best = interleaved(everyone, seconds, wait_if_array if library == "jax" else None, warm)
    return {
        "door": row.door,
        "function": row.function,
        "label": row.label,
        "dtype": row.dtype,
        "gradients": row.gradients,
        "method": contenders.method,
        "cost_ns": contenders.cost_ns,
        "ours": round(best.pop(""), 1),
        "peers": {name: round(took, 1) for name, took in best.items()},
        "left_out": contenders.left_out,
        "wrong": contenders.wrong,
    }


def tables(result):
    """Yield the rich tables of a result: where peers are ahead, the doors, and the predictions that are off."""
    yield _table("Where peers are ahead", ("row", "peer", "ratio"), [
        (one.label, one.peer, f"{one.ratio:.2f}") for one in report.ahead(result["rows"])
    ])  # fmt: skip
    yield _table("The fastest peer's time over ours", ("door", "rows", "mean", "least", "where", "below 0.95"), [
        (one.door, str(one.count), f"{one.mean:.2f}", f"{one.least:.2f}", one.where, str(one.behind))
        for one in report.standings(result["rows"])
    ])  # fmt: skip
    yield _table("Measured over predicted", ("row", "method", "factor"), [
        (one.label, one.method, f"{one.factor:.2f}") for one in report.off(result["rows"])
    ])  # fmt: skip


def _table(title, headings, rows):
    shown = Table(title=title, title_justify="left")
    for heading in headings:
        shown.add_column(heading)
    for row in rows:
        shown.add_row(*row)
    return shown
