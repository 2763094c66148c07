"""The predictions of the present code for the times of an earlier run; nothing is timed.

    python -m benchmarks.doors --predict benchmarks/results/doors-numpy.json

Compare on a machine like that of the run: with as many cores, and loops of the same level. A row whose method is now
another one is listed apart, as its time says nothing about that.
"""

from typing import Any, NamedTuple

from arrayconv import config
from benchmarks.doors import ours as own
from benchmarks.doors.rows import draw
from benchmarks.doors.table import select

MAX_VALUES = 1 << 14  # of an operand whose values may decide: those of a kernel and its factors


class Predictions(NamedTuple):
    """The rows of a result with their predictions of today, and those for which another method is chosen."""

    rows: list[dict[str, Any]]
    changed: list[str]  # label: method then -> method now


def predictions(result):
    """Return the Predictions for a result of `run`."""
    from benchmarks.doors.field import prepare

    library = result["library"]
    prepare(library)
    measured = {row["label"]: row for row in result["rows"]}
    rows, changed = [], []
    with config.using(threads=result["machine"]["cores"]):
        for row in select(library, part=result["part"]):
            then = measured.get(row.label)
            if then is None or not own.is_explained(row, library):
                continue
            method, cost = own.explained(row, library, own.contender(row, library, _arrays(row, library)))
            if method != then["method"]:
                changed.append(f"{row.label}: {then['method']} -> {method}")
            else:
                rows.append(then | {"cost_ns": cost})
    return Predictions(rows, changed)


def _arrays(row, library):
    return own.to_library(library, draw(row, MAX_VALUES))
