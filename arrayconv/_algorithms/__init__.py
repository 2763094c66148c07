"""The table of algorithms that work on arrays of any library.

`explain` prints algorithms of equal cost in this order. An entry here is a `method=` string, a row of `explain` and a
case of every property test.
"""

from __future__ import annotations

from arrayconv._algorithms._base import (
    UNPREPARED,
    Accuracy,
    Algorithm,
    Bound,
    Context,
    Cuts,
    Extends,
    Memory,
    Preparation,
    per_call,
    per_piece,
)
from arrayconv._algorithms.banded import banded
from arrayconv._algorithms.direct import direct
from arrayconv._algorithms.dot import dot
from arrayconv._algorithms.fft import fft
from arrayconv._algorithms.im2col import im2col
from arrayconv._algorithms.overlap_save import overlap_save

ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm for algorithm in (direct, im2col, banded, dot, fft, overlap_save)
}

__all__ = [
    "ALGORITHMS",
    "UNPREPARED",
    "Accuracy",
    "Algorithm",
    "Bound",
    "Context",
    "Cuts",
    "Extends",
    "Memory",
    "Preparation",
    "per_call",
    "per_piece",
]
