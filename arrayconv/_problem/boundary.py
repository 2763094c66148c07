"""Samples beyond the ends of an axis, as integers.

An extension is a list of runs. A run copies `length` samples of the axis from `start` in steps of +1, -1 or
0; `start = FILL` is the constant. Slices, flips and broadcasts of runs need no index array, so the same plan
works on a GPU and in a traced program. Many periods are one cycle. Names are `numpy.pad`'s:

    constant  k k | a b c d | k k        symmetric  b a | a b c d | d c
    edge      a a | a b c d | d d        reflect    c b | a b c d | c b
    wrap      c d | a b c d | a b
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from arrayconv._runtime.tracing import planning, record

Boundary = Literal["constant", "edge", "symmetric", "reflect", "wrap"]


class _Rule(NamedTuple):
    """How an axis is continued, and what functions of other libraries call that: each name is accepted there."""

    period: (
        tuple[int, int] | None
    )  # (n, m) if n * size + m positions repeat; n is 2 for mirrors, m -2 without end samples
    ndimage: tuple[str, ...] = ()  # `mode` of scipy.ndimage
    signal: tuple[str, ...] = ()  # `boundary` of scipy.signal.convolve2d
    torch: tuple[str, ...] = ()  # `padding_mode` of torch.nn
    reads_samples: bool = True  # not a constant


_RULES: dict[Boundary, _Rule] = {
    "constant": _Rule(None, ("constant", "grid-constant"), ("fill", "pad"), ("zeros",), reads_samples=False),
    "edge": _Rule(None, ("nearest",), (), ("replicate",)),
    "symmetric": _Rule((2, 0), ("reflect", "grid-mirror"), ("symm", "symmetric"), ("symmetric",)),  # torch lacks it
    "reflect": _Rule((2, -2), ("mirror",), (), ("reflect",)),
    "wrap": _Rule((1, 0), ("wrap", "grid-wrap"), ("wrap", "circular"), ("circular",)),
}
BOUNDARIES: tuple[Boundary, ...] = tuple(_RULES)
FILL = -1
_FEW = 16  # periods that are listed one by one


def boundary_names(library: Literal["ndimage", "signal", "torch"]) -> dict[str, Boundary]:
    """Return the boundaries that a library's functions have, by the names that they use there."""
    names: dict[Boundary, Any] = {boundary: getattr(rule, library) for boundary, rule in _RULES.items()}
    return {name: boundary for boundary in names for name in names[boundary]}


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


def reads_samples(boundary: Boundary) -> bool:
    """Whether the axis is continued by its own samples, so that it must have one; else by a constant."""
    return _RULES[boundary].reads_samples


def ends_meet(boundary: Boundary) -> bool:
    """Whether the last sample is followed by the first: the axis is a circle."""
    return _RULES[boundary].period == (1, 0)


def period(size: int, boundary: Boundary) -> int | None:
    """Return after how many positions an axis of at least one sample repeats; None if it never does.

    A mirror goes up through the axis, then down again, with or without the end samples doubled.
    """
    rule = _RULES[boundary].period
    return None if rule is None else max(rule[0] * size + rule[1], 1)


@planning(0)
def runs(size: int, first: int, stop: int, boundary: Boundary) -> Source:
    """Return the positions `first <= i < stop` of an extended axis of `size` samples, as runs and at most one cycle.

    Raises
    ------
    ValueError
        If the axis is empty and `boundary` needs a sample to extend from.
    """
    if size == 0 and reads_samples(boundary) and stop > first:
        raise ValueError(f"boundary {boundary!r} extends the data, but the axis has 0 samples; use 'constant'")
    whole = period(size, boundary)
    if whole is None or stop <= first:
        return each_run(size, first, stop, boundary)
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
    rule = _RULES[boundary]
    if rule.period is None:
        count = min(-at, room) if at < 0 else room
        return Run((0 if at < 0 else size - 1) if rule.reads_samples else FILL, 0, count)
    per_sample, others = rule.period
    whole = per_sample * size + others
    if whole < 1:  # one sample mirrored without itself
        return Run(0, 0, room)
    phase = at % whole
    if phase < size:
        return Run(phase, 1, min(size - phase, room))
    return Run(whole - phase - 1 - others // 2, -1, min(whole - phase, room))


def shift(size: int, lo: int, hi: int, boundary: Boundary) -> int:
    """Return by how much positions [lo, hi) are lowered to lie next to the data, not none, and read the same."""
    whole = period(size, boundary)
    if whole is None:
        return lo - size if lo > size else min(hi, 0)
    return 0 if -whole <= lo < whole else lo // whole * whole


def sample_range(size: int, lo: int, hi: int, boundary: Boundary) -> tuple[int, int]:
    """Return a range of samples whose own extension is that of all at the positions [lo, hi), which leave the axis.

    A mirror at the end of a cut is one at the end of the axis only as far as the cut is long; from there on it turns
    back, where the whole axis goes on.
    """
    copied = [run for run in singly(runs(size, lo, hi, boundary)) if run.start != FILL]
    if ends_meet(boundary) or (lo < 0 and hi > size) or not copied:
        return 0, size
    ends = [place for run in copied for place in (run.start, run.start + run.step * (run.length - 1))]
    start, end = (0, max(ends) + 1) if lo < 0 else (min(ends), size)
    there_and_back = period(end - start, boundary)
    turns = there_and_back is not None and max(-lo, hi - size) > there_and_back // 2
    return (0, size) if turns else (start, end)


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
