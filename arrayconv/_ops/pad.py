"""Extension of an axis beyond its ends, and the adjoint of that.

`extend` concatenates a list of runs (see `_problem.boundary`), by slices, flips and broadcasts without index arrays,
and costs one copy of its result. `fold` is its transpose: it adds every extended sample to the sample that it is a copy
of, so that <extend x, y> = <x, fold y> for a fill of zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import Namespace
from arrayconv._problem.boundary import FILL, Cycle, Run


def along(axis: int, part: slice) -> tuple[Any, ...]:
    """Return the index that applies `part` to a non-negative `axis` and selects all of the others."""
    return (*(slice(None),) * axis, part, ...)


def is_slice(pieces: Sequence[Run | Cycle]) -> bool:
    """Whether the runs are a single ascending slice of the axis, which needs no copy."""
    return len(pieces) == 1 and pieces[0].step == 1 and pieces[0].start != FILL


def extend(x: Array, axis: int, pieces: Sequence[Run | Cycle], fill: complex, *, xp: Namespace, device: Any) -> Array:
    """Return x with `axis` replaced by the concatenation of the runs `pieces`; a view for a single slice."""
    parts = [_part(x, axis, run, fill, xp, device) for run in pieces]
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=axis)


def write_extended(
    y: Any, x: Any, places: Sequence[slice], runs: Sequence[Sequence[Run | Cycle]], fill: complex, *, xp: Namespace
) -> Any:
    """Return y, a NumPy array of any dtype, with x at `places` of its last axes, and extended along each by its `runs`.

    Each element is written once: axis by axis from the samples that are there, where `extend` copies all for each axis.
    """
    first = y.ndim - len(places)
    lead = (slice(None),) * first
    y[(*lead, *places)] = x
    for number, along_axis in enumerate(runs):
        before, after = (*lead, *(slice(None),) * number), tuple(places[number + 1 :])
        samples, at = y[(*before, places[number], *after)], 0
        for run in along_axis:
            part = slice(at, at + run.length)
            at += run.length
            if part != places[number]:
                is_fill = isinstance(run, Run) and run.start == FILL
                y[(*before, part, *after)] = fill if is_fill else _part(samples, first + number, run, fill, xp, None)
    return y


def _part(x: Array, axis: int, run: Run | Cycle, fill: complex, xp: Namespace, device: Any) -> Array:
    lead, trail = x.shape[:axis], x.shape[axis + 1 :]
    shape = (*lead, run.length, *trail)
    if isinstance(run, Cycle):
        period = xp.expand_dims(extend(x, axis, run.runs, fill, xp=xp, device=device), axis=axis)
        return xp.reshape(xp.broadcast_to(period, (*lead, run.periods, *period.shape[axis + 1 :])), shape)
    if run.start == FILL and fill is False:  # torch.jit has no `full` of a bool
        return xp.zeros(shape, dtype=x.dtype, device=device)
    if run.start == FILL:
        return xp.full(shape, fill, dtype=x.dtype, device=device)
    if run.step == 0:
        return xp.broadcast_to(x[along(axis, slice(run.start, run.start + 1))], shape)
    samples = x[along(axis, _samples(run))]
    return xp.flip(samples, axis=axis) if run.step < 0 else samples


def _samples(run: Run) -> slice:
    """Return the ascending slice of the samples that a run copies."""
    first = run.start - run.length + 1 if run.step < 0 else run.start
    return slice(first, first + (run.length if run.step else 1))


def fold(y: Array, axis: int, pieces: Sequence[Run | Cycle], size: int, *, xp: Namespace, device: Any) -> Array:
    """Return the adjoint of `extend`: the runs `pieces` along `axis` of y, each added to its samples of `size`.

    The samples are cut where a run begins or ends, so that only those of several runs are added, and all copied once.
    """
    shares = list(_shares(y, axis, pieces, size, xp, device))
    ends = sorted({0, size, *(end for samples, _ in shares for end in (samples.start, samples.stop))})
    parts = [_part_sum(y, axis, shares, first, stop, xp, device) for first, stop in pairwise(ends)]
    if not parts:
        return xp.zeros((*y.shape[:axis], size, *y.shape[axis + 1 :]), dtype=y.dtype, device=device)
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=axis)


def _shares(
    y: Array, axis: int, pieces: Sequence[Run | Cycle], size: int, xp: Namespace, device: Any
) -> Iterator[tuple[slice, Any]]:
    """Yield what each run adds, and to which samples."""
    at = 0
    for run in pieces:
        part: Any = y[along(axis, slice(at, at + run.length))]
        at += run.length
        if isinstance(run, Cycle):
            periods = xp.reshape(part, (*y.shape[:axis], run.periods, -1, *y.shape[axis + 1 :]))
            period_sum = xp.sum(periods, axis=axis, dtype=y.dtype)
            yield slice(0, size), fold(period_sum, axis, run.runs, size, xp=xp, device=device)
        elif run.start != FILL:
            if run.step == 0:
                part = xp.sum(part, axis=axis, keepdims=True, dtype=y.dtype)
            yield _samples(run), xp.flip(part, axis=axis) if run.step < 0 else part


def _part_sum(
    y: Array, axis: int, shares: Sequence[tuple[slice, Any]], first: int, stop: int, xp: Namespace, device: Any
) -> Any:
    """Return the sum of what runs add to the samples [first, stop), which each of them covers or misses."""
    covering = [
        part[along(axis, slice(first - samples.start, stop - samples.start))]
        for samples, part in shares
        if samples.start <= first and stop <= samples.stop
    ]
    if not covering:
        return xp.zeros((*y.shape[:axis], stop - first, *y.shape[axis + 1 :]), dtype=y.dtype, device=device)
    return sum(covering[1:], start=covering[0])
