"""What lies beyond the ends of an axis, as integers.

An extension is a list of runs. A run copies `length` samples of the axis from `start` in steps of +1, -1 or
0; `start = FILL` stands for the constant. Slices, flips and broadcasts of runs need no index array, so the
same plan serves a GPU and a tracer. Of many periods one stands for all, as a cycle. Names are `numpy.pad`'s:

    constant  k k | a b c d | k k        symmetric  b a | a b c d | d c
    edge      a a | a b c d | d d        reflect    c b | a b c d | c b
    wrap      c d | a b c d | a b
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, get_args

from arrayconv._tracing import planning, record

Boundary = Literal["constant", "edge", "symmetric", "reflect", "wrap"]
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)
FILL = -1
_FEW = 16  # periods that stand one by one


@record
class Run(NamedTuple):
    """`length` samples of an axis: start, start + step, ... with step in {1, 0, -1}; start FILL is the constant."""

    start: int
    step: int
    length: int

    @property
    def behind(self) -> int:
        """The sample that would come next."""
        return self.start + self.step * self.length


@record
class Cycle(NamedTuple):
    """The runs of a whole period, `periods` times one after the other."""

    runs: tuple[Run, ...]
    periods: int

    @property
    def start(self) -> int:
        """The first sample: no slice begins there."""
        return 0

    @property
    def step(self) -> int:
        """No step that a slice has."""
        return 2

    @property
    def length(self) -> int:
        """Samples of all periods."""
        return self.periods * sum(run.length for run in self.runs)


Source = tuple[Run | Cycle, ...]  # where the samples of an axis come from


@planning(0)
def runs(size: int, first: int, stop: int, boundary: Boundary) -> Source:
    """Return the positions `first <= i < stop` of an extended axis of `size` samples, as runs and at most one cycle.

    Raises
    ------
    ValueError
        If the axis is empty and `boundary` needs a sample to extend from.
    """
    if size == 0 and boundary != "constant" and stop > first:
        raise ValueError(f"boundary {boundary!r} extends the data, but the axis has 0 samples; use 'constant'")
    if boundary in ("constant", "edge") or stop <= first:
        return each_run(size, first, stop, boundary)
    whole = period(size, boundary)
    start = -(-first // whole) * whole
    count = (stop - start) // whole
    if count <= _FEW:
        return each_run(size, first, stop, boundary)
    cycle = Cycle(each_run(size, 0, whole, boundary), count)
    return *each_run(size, first, start, boundary), cycle, *each_run(size, start + count * whole, stop, boundary)


def each_run(size: int, first: int, stop: int, boundary: Boundary) -> tuple[Run, ...]:
    """Return the positions `first <= i < stop` one run after the other, however many periods there are."""
    pieces: list[Run] = []
    at = first
    while at < stop:
        run = _run_at(size, at, stop - at, boundary)
        pieces.append(run)
        at += run.length
    return tuple(pieces)


def singly(source: Iterable[Run | Cycle]) -> Iterator[Run]:
    """Yield the runs of a source, those of a cycle once."""
    for run in source:
        yield from run.runs if isinstance(run, Cycle) else (run,)


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
    whole = period(size, boundary)
    phase = at % whole
    if phase < size:
        return Run(phase, 1, min(size - phase, room))
    mirrored = whole - phase - (boundary == "symmetric")
    return Run(mirrored, -1, min(whole - phase, room))


def period(size: int, boundary: Boundary) -> int:
    """Return after how many positions an axis of at least one sample repeats itself, for the boundaries that do.

    A mirror goes up through the axis, then down again, with or without the end samples doubled.
    """
    return {"wrap": size, "symmetric": 2 * size, "reflect": max(2 * size - 2, 1)}[boundary]


def merged(pieces: Iterable[Run | Cycle]) -> Source:
    """Return runs, one after the other, with those as one that go on where the one before ends."""
    joined: list[Run | Cycle] = []
    for run in pieces:
        last = joined[-1] if joined else None
        if isinstance(last, Run) and isinstance(run, Run) and run[:2] == (last.behind, last.step):
            joined[-1] = last._replace(length=last.length + run.length)
        else:
            joined.append(run)
    return tuple(joined)
