"""The samples beyond the ends of an axis, as integers.

An extension is a list of runs. A run copies `length` samples of the axis from `start` in steps of +1, -1 or
0; `start = FILL` is the constant. Runs are slices, flips and broadcasts and need no index array, so the same
plan runs on a GPU and under a tracer. Many periods are stored as one, a cycle. Names are `numpy.pad`'s:

    constant  k k | a b c d | k k        symmetric  b a | a b c d | d c
    edge      a a | a b c d | d d        reflect    c b | a b c d | c b
    wrap      c d | a b c d | a b
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from arrayconv._runtime.tracing import planning

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
_MAX_LISTED_PERIODS = 16  # more are stored as a cycle


def boundary_names(library: Literal["ndimage", "signal", "torch"]) -> dict[str, Boundary]:
    """Return the boundaries that a library's functions have, by the names that they use there."""
    names: dict[Boundary, Any] = {boundary: getattr(rule, library) for boundary, rule in _RULES.items()}
    return {name: boundary for boundary in names for name in names[boundary]}


# What SciPy and torch call them, where that is none of our names: 'replicate', 'nearest', 'circular', ...
FOREIGN: dict[str, str] = {
    name: boundary
    for library in ("ndimage", "signal", "torch")
    for name, boundary in boundary_names(library).items()
    if name not in BOUNDARIES
}


class Run(NamedTuple):
    """`length` samples of an axis: start, start + step, ... with step in {1, 0, -1}; start FILL is the constant."""

    start: int
    step: int
    length: int

    @property
    def next_start(self) -> int:
        """The sample that would follow the run."""
        return self.start + self.step * self.length


class Cycle(NamedTuple):
    """The runs of a whole period, repeated `periods` times."""

    runs: tuple[Run, ...]
    periods: int

    @property
    def start(self) -> int:
        """0, which is not FILL: a cycle copies samples."""
        return 0

    @property
    def step(self) -> int:
        """2, which no run has: a cycle is no slice."""
        return 2

    @property
    def length(self) -> int:
        """Samples of all periods."""
        return self.periods * sum(run.length for run in self.runs)


Source = tuple[Run | Cycle, ...]  # the runs that make up a range of an extended axis


def reads_samples(boundary: Boundary) -> bool:
    """Whether positions beyond the ends copy samples, so that the axis needs at least one, rather than the constant."""
    return _RULES[boundary].reads_samples


def wraps(boundary: Boundary) -> bool:
    """Whether the first sample follows the last: the axis is circular."""
    return _RULES[boundary].period == (1, 0)


def period(size: int, boundary: Boundary) -> int | None:
    """Return the period of the extended axis; None where all positions beyond an end read the same.

    A mirror runs through the axis forwards, then backwards, with or without the end samples doubled. The axis has at
    least one sample.
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
        return list_runs(size, first, stop, boundary)
    start = -(-first // whole) * whole
    count = (stop - start) // whole
    if count <= _MAX_LISTED_PERIODS:
        return list_runs(size, first, stop, boundary)
    cycle = Cycle(list_runs(size, 0, whole, boundary), count)
    return *list_runs(size, first, start, boundary), cycle, *list_runs(size, start + count * whole, stop, boundary)


def list_runs(size: int, first: int, stop: int, boundary: Boundary) -> tuple[Run, ...]:
    """Return the positions `first <= i < stop` as runs alone, however many periods there are."""
    pieces: list[Run] = []
    at = first
    while at < stop:
        run = _run_at(size, at, stop - at, boundary)
        pieces.append(run)
        at += run.length
    return tuple(pieces)


def distinct_runs(source: Iterable[Run | Cycle]) -> Iterator[Run]:
    """Yield the runs of a source, and those of a cycle once."""
    for run in source:
        yield from run.runs if isinstance(run, Cycle) else (run,)


def _run_at(size: int, at: int, limit: int, boundary: Boundary) -> Run:
    """Return the longest run that begins at position `at` of the extended axis, at most `limit` samples."""
    if 0 <= at < size:
        return Run(at, 1, min(size - at, limit))
    rule = _RULES[boundary]
    if rule.period is None:
        count = min(-at, limit) if at < 0 else limit
        return Run((0 if at < 0 else size - 1) if rule.reads_samples else FILL, 0, count)
    per_sample, others = rule.period
    whole = per_sample * size + others
    if whole < 1:  # one sample, reflected
        return Run(0, 0, limit)
    phase = at % whole
    if phase < size:
        return Run(phase, 1, min(size - phase, limit))
    return Run(whole - phase - 1 - others // 2, -1, min(whole - phase, limit))


def period_shift(size: int, lo: int, hi: int, boundary: Boundary) -> int:
    """Return by how much positions [lo, hi) can be lowered, to be next to the data, and still read the same samples.

    The axis has at least one sample.
    """
    whole = period(size, boundary)
    if whole is None:
        return lo - size if lo > size else min(hi, 0)
    return 0 if -whole <= lo < whole else lo // whole * whole


def sample_range(size: int, lo: int, hi: int, boundary: Boundary) -> tuple[int, int]:
    """Return a range of samples whose extension equals that of the whole axis at [lo, hi), which leaves the axis.

    A mirror at the end of a range equals that of the axis only over the length of the range; beyond it the range
    reverses again, where the whole axis continues.
    """
    copied = [run for run in distinct_runs(runs(size, lo, hi, boundary)) if run.start != FILL]
    if wraps(boundary) or (lo < 0 and hi > size) or not copied:
        return 0, size
    ends = [place for run in copied for place in (run.start, run.start + run.step * (run.length - 1))]
    start, end = (0, max(ends) + 1) if lo < 0 else (min(ends), size)
    range_period = period(end - start, boundary)
    reverses = range_period is not None and max(-lo, hi - size) > range_period // 2
    return (0, size) if reverses else (start, end)


def merge_runs(pieces: Iterable[Run | Cycle]) -> Source:
    """Return runs with each run joined to its predecessor where it continues it."""
    joined: list[Run | Cycle] = []
    for run in pieces:
        last = joined[-1] if joined else None
        if isinstance(last, Run) and isinstance(run, Run) and run[:2] == (last.next_start, last.step):
            joined[-1] = last._replace(length=last.length + run.length)
        else:
            joined.append(run)
    return tuple(joined)
