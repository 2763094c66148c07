"""A problem cut at the chunks of its operands: what each block of outputs reads, as integers.

Every axis is cut by itself. A block of outputs of a convolved axis reads one window of samples (`window`): the parts of
x that are joined, and the runs that extend them beyond the ends of the whole axis. So a boundary is applied at the ends
of the array and nowhere else, and the problem of a block needs none: its windows are all inside what it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from math import prod
from typing import NamedTuple

from arrayconv._problem.boundary import FILL, Run, Source, distinct_runs, merge_runs, runs
from arrayconv._problem.gather import shift_to_data
from arrayconv._problem.layout import Layout, Permutation, Shape
from arrayconv._problem.problem import Problem
from arrayconv._problem.spec import Axis, Spec
from arrayconv._problem.split import Range, cut, extended

_NO_EXTENSION: frozenset[str] = frozenset()


class Window(NamedTuple):
    """What a block of outputs of one axis reads."""

    axis: Axis  # of the block, on the samples that it reads
    parts: tuple[Range, ...]  # samples of the whole axis, joined
    runs: Source  # of the joined samples, that extend them; () where they are read as they are


class Roles(NamedTuple):
    """The axes of one operand, by role: numbers of the axes that its permutation splits it into, those of 1 left out.

    The middle two are groups and channels of x, groups and filters of the result; of a kernel they are filters and
    channels after its groups.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    third: tuple[int, ...]
    space: tuple[int, ...]


def roles(permutation: Permutation, count: int) -> Roles:
    """Return the roles of the axes of an operand with `count` convolved axes."""
    remaining = [axis for axis in permutation.order[: len(permutation.order) - count] if permutation.split[axis] != 1]
    each: list[tuple[int, ...]] = []
    for size in permutation.joined[:3]:
        number = 0
        while prod(permutation.split[axis] for axis in remaining[:number]) < size:
            number += 1
        each.append(tuple(remaining[:number]))
        del remaining[:number]
    first, second, third = each
    return Roles(first, second, third, permutation.order[len(permutation.order) - count :])


def result_roles(layout: Layout, count: int) -> Roles:
    """Return the roles of the result's axes, numbered in canonical order."""
    split = layout.y.split
    order = tuple(range(len(split)))
    joined = layout.batch, layout.groups, layout.filters
    return roles(Permutation(split, order, (*joined, *split[len(split) - count :])), count)


def window(axis: Axis, first: int, stop: int, *, gathers: bool = True) -> Window:
    """Return what outputs [first, stop) of an axis read; all samples between them too unless it `gathers`."""
    if axis.upsample == 1 and not gathers:
        part = shift_to_data(axis._replace(outputs=stop - first, before=axis.before - axis.stride * first))
        inner, source = extended(part, _NO_EXTENSION)
    elif axis.upsample == 1:
        inner, source = cut(axis, first, stop, _NO_EXTENSION)
    else:
        inner, source = _upsampled_window(axis, first, stop)
    parts, extension = _parts(axis.size, source)
    return Window(inner._replace(boundary="constant"), parts, extension)


def _upsampled_window(axis: Axis, first: int, stop: int) -> tuple[Axis, Source]:
    """Return the axis of some outputs on the samples under their windows, and the runs that make up those samples."""
    lo, hi = axis.span(first, stop)
    start = -(-lo // axis.upsample)
    end = max((hi - 1) // axis.upsample + 1, start + 1)  # one sample at least, which no tap multiplies
    inner = axis._replace(size=end - start, outputs=stop - first, before=axis.upsample * start - lo)
    return inner, runs(axis.size, start, end, axis.boundary)


def _parts(size: int, source: Source) -> tuple[tuple[Range, ...], Source]:
    """Return the samples that runs copy as ascending ranges, and the runs of these ranges joined."""
    parts = _union(_copied(run) for run in distinct_runs(source) if run.start != FILL)
    if not parts:  # constants alone, which need an array to be like
        parts = [(0, min(size, 1))]
    starts = dict(zip(parts, accumulate((stop - first for first, stop in parts), initial=0), strict=False))

    def joined(run: Run) -> Run:
        inside = next(part for part in parts if part[0] <= run.start < part[1])
        return run._replace(start=starts[inside] + run.start - inside[0])

    extension = merge_runs(
        joined(run) if isinstance(run, Run) and run.start != FILL else run for run in source
    )  # a cycle copies all samples
    whole = sum(stop - first for first, stop in parts)
    return tuple(parts), () if extension == (Run(0, 1, whole),) else extension


def _copied(run: Run) -> Range:
    end = run.start + run.step * (run.length - 1)
    return min(run.start, end), max(run.start, end) + 1


def _union(ranges: Iterable[Range]) -> list[Range]:
    """Return ranges sorted, those that touch or overlap as one."""
    joined: list[Range] = []
    for first, stop in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], stop)
        else:
            joined.append((first, stop))
    return joined


def output_chunks(axis: Axis, chunks: Sequence[int]) -> tuple[int, ...]:
    """Return the chunks of an axis' outputs, for x in `chunks`: the same where the size is, else of nearest windows.

    An output is in the chunk of the sample in the middle of its window; those of windows beyond the ends are in the
    first and the last one, unless these become much larger than any chunk of x.
    """
    chunks = tuple(size for size in chunks if size) or (0,)
    if axis.outputs == axis.size and axis.stride == axis.upsample:
        return chunks
    if not axis.size:
        return (axis.outputs,)
    middle = axis.before - (axis.reach - 1) // 2
    ends = [-(-(axis.upsample * stop + middle) // axis.stride) for stop in accumulate(chunks[:-1])]
    cuts = sorted({0, axis.outputs, *(min(max(end, 0), axis.outputs) for end in ends)})
    largest = max(-(-max(chunks) * axis.upsample // axis.stride), 1)
    return tuple(size for first, stop in pairwise(cuts) for size in _halves(stop - first, largest))


def _halves(length: int, largest: int) -> Iterator[int]:
    """Yield a length in equal parts of at most `largest`, or at once up to twice as much."""
    count = 1 if length < 2 * largest else -(-length // largest)
    whole, more = divmod(length, count)
    yield from (whole + (number < more) for number in range(count))


def ranges(chunks: Sequence[int]) -> tuple[Range, ...]:
    """Return the range of each chunk."""
    return tuple(pairwise(accumulate(chunks, initial=0)))


def block_problem(
    problem: Problem, shapes: tuple[Shape, Shape, Shape], axes: tuple[Axis, ...], shape: Shape
) -> Problem:
    """Return the problem of one block: the same layout for smaller operands.

    Parameters
    ----------
    problem : Problem
        The whole.
    shapes : three shapes
        Of the block's x and kernel on the axes that their permutations split, and of its result in canonical order.
    axes : tuple of Axis
        Its convolved axes.
    shape : tuple of int
        Of its result.
    """
    layout, count = problem.layout, len(axes)
    x, kernel = (_resized(old, new, count) for old, new in ((layout.x, shapes[0]), (layout.kernel, shapes[1])))
    batch, groups, filters = (prod(shapes[2][axis] for axis in role) for role in result_roles(layout, count)[:3])
    y = Permutation(shapes[2], layout.y.order, shape)
    spec = Spec(batch, groups, problem.spec.channels, filters, axes, problem.spec.flip, problem.spec.conj)
    return Problem(Layout(x, kernel, y, batch, groups, spec.channels, filters), spec, shape)


def _resized(permutation: Permutation, shape: Shape, count: int) -> Permutation:
    each = roles(permutation, count)
    counts = [prod(shape[axis] for axis in role) for role in each[:3]]
    return Permutation(shape, permutation.order, (*counts, *(shape[axis] for axis in each.space)))


def block_shape(problem: Problem, space: Sequence[int]) -> Shape:
    """Return the shape of x of a block on the axes of its result, of which `space` are convolved."""
    sizes = dict(zip(space, problem.spec.input_size, strict=True))
    return tuple(sizes.get(axis, size) for axis, size in enumerate(problem.shape))
