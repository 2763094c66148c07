"""A whole call on contiguous memory of the caller's: how canonical axes step in it, and what machine code does first.

Before its loop it may copy samples among zeros, and reverse the kernel.
"""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._accel.native.in_place import Steps, contiguous_steps
from arrayconv._algorithms import Context, Memory
from arrayconv._ops.windows import LEADING
from arrayconv._problem.boundary import FILL, Source
from arrayconv._problem.layout import Permutation


class Samples(NamedTuple):
    """Where a loop reads its samples: what axes (batch, groups, channels, *n) step, in x or in a copy among zeros."""

    steps: Steps
    start: int  # of x, or 0 of a copy
    frame: Frame


class Frame(NamedTuple):
    """Samples of a contiguous x that are copied among zeros."""

    start: int  # the first of them
    axes: tuple[tuple[int, int, int, int], ...]  # size, where the samples begin, how many, one step in x; none: no copy


def steps(move: Permutation) -> Steps | None:
    """Return what the axes of a contiguous array step once they are moved; None where joining them would copy."""
    whole = contiguous_steps(move.split)
    left = [(move.split[axis], whole[axis]) for axis in move.order if move.split[axis] != 1]
    joined: list[int] = []
    for size in reversed(move.joined):
        step, length = 0, 1
        while length < size:
            n, own = left.pop()
            if length == 1:
                step = own
            elif own != step * length:
                return None
            length *= n
        if length != size:
            return None
        joined.append(step)
    return tuple(joined[::-1])


def outputs(memory: Memory) -> Steps | None:
    """Return what the axes (batch, groups, filters, *out) step in a new array for the answer, None as in `steps`."""
    problem = memory.problem
    return steps(problem.layout.y.inverse._replace(joined=problem.spec.output_shape))


def samples(context: Context, *, extended: bool) -> Samples | None:
    """Return where a call's samples stand, None where that takes more than machine code does.

    With `extended` they may be copied among zeros, for a loop that reads none beyond the ends.
    """
    memory = context.memory
    if memory is None or memory.piece.spec.kernel_shape != memory.problem.spec.kernel_shape:
        return None  # of an upsampled axis one phase
    own, sources = steps(memory.problem.layout.x), memory.piece.source
    if own is None:
        return None
    if all(len(runs) == 1 and runs[0].start != FILL and runs[0].step == 1 for runs in sources):
        start = sum(runs[0].start * step for runs, step in zip(sources, own[LEADING:], strict=True))
        return Samples(own, start, Frame(0, ()))
    cuts = [_cut(runs) for runs in sources]
    if not extended or not cuts or None in cuts or context.fill != 0 or own[-1] > 1:
        return None
    shape = memory.piece.spec.input_shape
    kept, place = (tuple(part) for part in zip(*filter(None, cuts), strict=True))
    whole = tuple(slice(0, n) for n in shape[:LEADING])
    start = sum(part.start * step for part, step in zip((*whole, *kept), own, strict=True))
    parts = zip(shape, (*whole, *place), own, strict=True)
    axes = tuple((n, part.start, part.stop - part.start, step) for n, part, step in parts)
    return Samples(contiguous_steps(shape), 0, Frame(start, axes))


def _cut(runs: Source) -> tuple[slice, slice] | None:
    """Return which samples of an axis are read, and where they stand among constants; None without such a place."""
    copied = [number for number, run in enumerate(runs) if run.start != FILL]
    if len(copied) != 1 or runs[copied[0]].step != 1:
        return None
    run, before = runs[copied[0]], sum(run.length for run in runs[: copied[0]])
    return slice(run.start, run.start + run.length), slice(before, before + run.length)


def reversed_taps(context: Context) -> int | None:
    """Return of how many factors each run of the kernel is reversed, 0 for none; None where its axes move, or conj."""
    memory = context.memory
    if memory is None:
        return None
    spec = memory.problem.spec
    if memory.problem.layout.kernel.reorders or (spec.conj and context.traits.accumulator.startswith("complex")):
        return None
    return spec.taps if spec.flip else 0
