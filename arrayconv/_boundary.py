"""What lies beyond the ends of an axis, as integers.

An extension is a list of runs. A run copies `length` samples of the axis from `start` in steps of +1, -1 or
0; `start = FILL` stands for the constant. Slices, flips and broadcasts of runs need no index array, so the
same plan serves a GPU and a tracer. Names are `numpy.pad`'s:

    constant  k k | a b c d | k k        symmetric  b a | a b c d | d c
    edge      a a | a b c d | d d        reflect    c b | a b c d | c b
    wrap      c d | a b c d | a b
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from arrayconv._tracing import planning, record

Boundary = Literal["constant", "edge", "symmetric", "reflect", "wrap"]
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)
FILL = -1


@record
class Run(NamedTuple):
    """`length` samples of an axis: start, start + step, ... with step in {1, 0, -1}; start FILL is the constant."""

    start: int
    step: int
    length: int


@planning()
def runs(size: int, first: int, stop: int, boundary: Boundary) -> tuple[Run, ...]:
    """Return the positions `first <= i < stop` of an extended axis of `size` samples, as runs.

    Raises
    ------
    ValueError
        If the axis is empty and `boundary` needs a sample to extend from.
    """
    if size == 0 and boundary != "constant" and stop > first:
        raise ValueError(f"boundary {boundary!r} extends the data, but the axis has 0 samples; use 'constant'")
    pieces: list[Run] = []
    at = first
    while at < stop:
        run = _run_at(size, at, stop - at, boundary)
        pieces.append(run)
        at += run.length
    return tuple(pieces)


def _run_at(size: int, at: int, room: int, boundary: Boundary) -> Run:
    """Return the longest run that begins at position `at` of the extended axis, at most `room` samples."""
    if 0 <= at < size:
        return Run(at, 1, min(size - at, room))
    if boundary in ("constant", "edge"):
        count = min(-at, room) if at < 0 else room
        if boundary == "constant":
            return Run(FILL, 0, count)
        return Run(0 if at < 0 else size - 1, 0, count)
    if boundary == "wrap":
        return Run(at % size, 1, min(size - at % size, room))
    if boundary == "reflect" and size == 1:
        return Run(0, 0, room)
    # A mirror repeats: up through the axis, then down again, with or without the end samples doubled.
    period = 2 * size if boundary == "symmetric" else 2 * size - 2
    phase = at % period
    if phase < size:
        return Run(phase, 1, min(size - phase, room))
    mirrored = period - phase - (boundary == "symmetric")
    return Run(mirrored, -1, min(period - phase, room))
