"""A step on the caller's contiguous arrays: steps of the canonical axes, and work before the loop.

Machine code may pad the samples with zeros, and reverse the kernel or gather its factors, before its loop.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import NamedTuple

import numpy as np

from arrayconv._accel.native.in_place import Host, Steps, contiguous_steps
from arrayconv._algorithms import Context, Memory
from arrayconv._ops.windows import LEADING
from arrayconv._problem.boundary import FILL, Source
from arrayconv._problem.layout import Permutation

Order = Callable[[Host], Host]  # of the indices (groups, filters, channels, *k) of a kernel's factors
_MAX_REORDERED = 1 << 14  # factors gathered one by one: a transposition of NumPy's takes less for more of them
_NO_INDICES = np.empty(0, np.int64)


class Samples(NamedTuple):
    """Where a loop reads its samples: the steps of the axes (batch, groups, channels, *n), in x or in a padded copy."""

    steps: Steps
    start: int  # in x; 0 in a copy
    padding: Padding


class Outputs(NamedTuple):
    """Where a loop writes its outputs: the steps of the axes (batch, groups, filters, *out) in y."""

    steps: Steps
    start: int


class Factors(NamedTuple):
    """The factors of a contiguous kernel that a loop reads: reversed in runs of `taps`, or gathered by `indices`."""

    number: int
    taps: int  # 0 to reverse none
    indices: Host  # empty to gather none


ALL_IN_PLACE = Factors(0, 0, _NO_INDICES)


class Padding(NamedTuple):
    """Samples of a contiguous x that are copied and padded with zeros."""

    start: int  # of the samples in x
    axes: tuple[tuple[int, int, int, int], ...]  # size, zeros before, samples, step in x; empty: no copy


def steps(move: Permutation) -> Steps | None:
    """Return the steps of a contiguous array's axes once they are moved; None where joining them would copy."""
    split_steps = contiguous_steps(move.split)
    remaining = [(move.split[axis], split_steps[axis]) for axis in move.order if move.split[axis] != 1]
    joined: list[int] = []
    for size in reversed(move.joined):
        step, length = 0, 1
        while length < size:
            n, axis_step = remaining.pop()
            if length == 1:
                step = axis_step
            elif axis_step != step * length:
                return None
            length *= n
        if length != size:
            return None
        joined.append(step)
    return tuple(joined[::-1])


def outputs(memory: Memory) -> Outputs | None:
    """Return where a loop writes (batch, groups, filters, *out) in a new array for the result, None as in `steps`."""
    problem, target = memory.problem, memory.piece.target
    y_steps = steps(problem.layout.y.inverse._replace(joined=problem.spec.output_shape))
    if y_steps is None:
        return None
    start = sum(part.start * step for part, step in zip(target, y_steps[LEADING:], strict=True))
    along = [part.step * step for part, step in zip(target, y_steps[LEADING:], strict=True)]
    return Outputs((*y_steps[:LEADING], *along), start)


def samples(context: Context, *, extended: bool) -> Samples | None:
    """Return where a loop reads the samples of a call, None where machine code can't.

    With `extended` they may be padded with zeros, for a loop that reads none beyond the ends.
    """
    memory = context.memory
    if memory is None or not _has_all_images(memory):
        return None
    x_steps, sources = steps(memory.problem.layout.x), memory.piece.source
    if x_steps is None:
        return None
    if all(len(runs) == 1 and runs[0].start != FILL and runs[0].step == 1 for runs in sources):
        start = sum(runs[0].start * step for runs, step in zip(sources, x_steps[LEADING:], strict=True))
        return Samples(x_steps, start, Padding(0, ()))
    cuts = [_cut(runs) for runs in sources]
    if not extended or not cuts or None in cuts or context.fill != 0 or x_steps[-1] > 1:
        return None
    shape = memory.piece.spec.input_shape
    copied, target = (tuple(part) for part in zip(*filter(None, cuts), strict=True))
    leading = tuple(slice(0, n) for n in shape[:LEADING])
    start = sum(part.start * step for part, step in zip((*leading, *copied), x_steps, strict=True))
    parts = zip(shape, (*leading, *target), x_steps, strict=True)
    axes = tuple((n, part.start, part.stop - part.start, step) for n, part, step in parts)
    return Samples(contiguous_steps(shape), 0, Padding(start, axes))


def _cut(runs: Source) -> tuple[slice, slice] | None:
    """Return the samples of an axis that are read, and their place among constants; None unless they are one slice."""
    copied = [number for number, run in enumerate(runs) if run.start != FILL]
    if len(copied) != 1 or runs[copied[0]].step != 1:
        return None
    run, before = runs[copied[0]], sum(run.length for run in runs[: copied[0]])
    return slice(run.start, run.start + run.length), slice(before, before + run.length)


def _has_all_images(memory: Memory) -> bool:
    spec = memory.problem.spec
    return memory.piece.batch == (0, spec.batch) and memory.piece.groups == (0, spec.groups)


def kernel_steps(context: Context) -> Steps | None:
    """Return the steps of the axes (groups, filters, channels, *k) in a contiguous kernel, for a loop that takes any.

    None where its factors are reversed or cut, or axes that are joined would be copied.
    """
    memory = context.memory
    if memory is None or memory.problem.spec.flip or memory.piece.spec.kernel_shape != memory.problem.spec.kernel_shape:
        return None
    return steps(memory.problem.layout.kernel)


def factors(context: Context, order: Order | None) -> Factors | None:
    """Return which factors of a contiguous kernel a loop reads; None with conj, and where many change their places."""
    memory = context.memory
    if memory is None or (memory.problem.spec.conj and context.traits.accumulator.startswith("complex")):
        return None
    spec, piece, move = memory.problem.spec, memory.piece, memory.problem.layout.kernel
    count = prod(piece.spec.kernel_shape)
    if move.reorders and count > _MAX_REORDERED:
        return None
    if order is None and not move.reorders and piece.spec.kernel_shape == spec.kernel_shape:
        return Factors(count, spec.taps if spec.flip else 0, _NO_INDICES)
    indices = np.arange(prod(move.split), dtype=np.int64).reshape(move.split)
    indices = indices.transpose(move.order).reshape(spec.kernel_shape)
    if spec.flip:
        indices = np.flip(indices, tuple(range(LEADING, indices.ndim)))
    indices = indices[(..., *piece.taps)]
    indices = indices.reshape(-1) if order is None else order(indices)
    size = indices.size
    if np.array_equal(indices, np.arange(indices.size)):  # they are read in place
        indices = _NO_INDICES
    return Factors(size, 0, np.ascontiguousarray(indices))
