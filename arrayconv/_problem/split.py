"""How a problem is cut into pieces an algorithm can run: phases, borders, blocks. Integers only.

1. Phases. With upsample u, output p meets tap k only where stride*p + dilation*k - before is a multiple of u.
   Outputs p = r (mod u / gcd(stride, u)) share every such tap, so each class is an ordinary problem on a slice of the
   kernel, without the zeros (polyphase: Crochiere and Rabiner, Multirate Digital Signal Processing, 1983).
   An algorithm that takes upsampled axes as they are is given the whole problem instead.
2. Borders. Outputs whose window leaves x are cut off as slabs, two per axis, so that only O(taps) slabs are
   copied and extended, never the whole of x. Small problems are extended whole: fewer steps cost less.
3. Blocks. What is left is cut until a piece's bytes fit a budget, or its outputs a cache (see `_problem.partition`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from math import gcd
from typing import NamedTuple

from arrayconv._problem.boundary import Run, Source, reads_samples, runs, sample_range
from arrayconv._problem.fast_lengths import fast_length
from arrayconv._problem.gather import compact, gathered, near, needs_gather
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning, record

Range = tuple[int, int]
SMALL = 1 << 19  # samples below which extending the whole costs less than handling slabs


@record
class Phase(NamedTuple):
    """Outputs `first_output + i * output_step` of one axis, which meet taps `first_tap + j * tap_step`."""

    axis: Axis  # upsample 1; 0 taps or 0 outputs where nothing meets
    first_tap: int
    tap_step: int
    first_output: int
    output_step: int


@record
class Piece(NamedTuple):
    """One run of an algorithm: what it computes, where its operands come from, where its result goes."""

    spec: Spec
    batch: Range
    groups: Range
    source: tuple[Source, ...]  # per spatial axis of x
    taps: tuple[slice, ...]  # per spatial axis of the kernel
    target: tuple[slice, ...]  # per spatial axis of y


def phases(axis: Axis) -> tuple[Phase, ...]:
    """Cut an upsampled axis into axes without upsampling."""
    return tuple(_phase(axis, first, _period(axis)) for first in range(phase_count(axis)))


def phase_count(axis: Axis) -> int:
    """Return how many phases there are."""
    return min(_period(axis), axis.outputs)


@planning(64)
def live_phases(axis: Axis) -> tuple[Phase, ...]:
    """Return the phases in which taps meet samples, or zeros beyond the ends, read as near the data as they can be."""
    found = [_phase(axis, first, _period(axis)) for first in _candidate_phases(axis)]
    return tuple(phase._replace(axis=compact(phase.axis)) for phase in found if phase.axis.taps)


def _candidate_phases(axis: Axis) -> Iterable[int]:
    """Return the phases that may meet a tap: all, or those of the taps where there are fewer taps."""
    count, common = phase_count(axis), gcd(axis.stride, axis.upsample)
    if count <= axis.taps or _period(axis) == 1:
        return range(count)
    inverse = pow(axis.stride // common, -1, _period(axis))
    offsets = [axis.before - axis.dilation * tap for tap in range(axis.taps)]
    met = {offset // common * inverse % _period(axis) for offset in offsets if offset % common == 0}
    return sorted(first for first in met if first < count)


def _period(axis: Axis) -> int:
    return axis.upsample // gcd(axis.stride, axis.upsample)


def _phase(axis: Axis, first: int, period: int) -> Phase:
    u, common = axis.upsample, gcd(axis.dilation, axis.upsample)
    offset = axis.before - axis.stride * first  # taps k with dilation*k = offset (mod u) meet samples
    tap_step, first_tap, taps = u // common, 0, 0
    if offset % common == 0:
        inverse = pow(axis.dilation // common, -1, tap_step)
        first_tap = offset // common * inverse % tap_step
        taps = max(0, -(-(axis.taps - first_tap) // tap_step))
    inner = Axis(
        size=axis.size,
        taps=taps,
        outputs=-(-(axis.outputs - first) // period),
        stride=axis.stride * period // u,
        dilation=axis.dilation * tap_step // u,
        before=(offset - axis.dilation * first_tap) // u,
        boundary=axis.boundary,
    )
    return Phase(inner, first_tap, tap_step, first, period)


def inner_range(axis: Axis) -> Range:
    """Return the outputs whose window lies inside the data: first, stop (first >= stop for none).

    Of a scattered axis every piece is gathered, so that nothing is won by telling its ends apart.
    """
    if needs_gather(axis):
        return 0, axis.outputs
    first = max(0, -(-axis.before // axis.stride))
    stop = min(axis.outputs, (axis.size - axis.reach + axis.before) // axis.stride + 1)
    return first, stop


def interior_and_borders(axes: Sequence[Axis]) -> Iterator[tuple[Range, ...]]:
    """Yield boxes of outputs: the inside, and for each axis a slab before and after it."""
    whole = [(0, axis.outputs) for axis in axes]
    inside = [inner_range(axis) for axis in axes]
    if any(first >= stop for first, stop in inside):
        yield tuple(whole)
        return
    yield tuple(inside)
    for number, axis in enumerate(axes):
        first, stop = inside[number]
        for slab in ((0, first), (stop, axis.outputs)):
            if slab[0] < slab[1]:
                yield (*inside[:number], slab, *whole[number + 1 :])


def block_shape(
    sizes: Sequence[int],
    reaches: Sequence[int],
    cost: Callable[[tuple[int, ...]], int],
    limit: int,
    *,
    rows: bool,
    least: Sequence[int] | None = None,
) -> tuple[int, ...] | None:
    """Shrink a block (batch, groups, *outputs) until ``cost(block) <= limit``; None where even one output is too much.

    The batch and the groups are cut first, which repeats no work. Then, with `rows`, leading axes, so that pieces stay
    contiguous; otherwise the axis longest in units of its reach, so that the halo shared by blocks stays small. With
    `least`, outputs per axis that a cut has to leave, it is shrunk as far as that goes.
    """
    shape = tuple(max(size, 1) for size in sizes)
    floor = (1, 1, *(least or [1] * len(reaches)))
    while cost(shape) > limit:
        cuttable = [number for number, size in enumerate(shape) if size > 1 and -(-size // 2) >= floor[number]]
        if not cuttable:
            return None if least is None else shape
        number = cuttable[0]
        if number >= 2 and not rows:
            number = max(cuttable, key=lambda axis: shape[axis] / reaches[axis - 2])
        shape = (*shape[:number], -(-shape[number] // 2), *shape[number + 1 :])
    return shape


def boxes(phase: Sequence[Phase], *, slabs: bool) -> Iterator[tuple[Range, ...]]:
    """Yield boxes of the outputs of a phase: all of them, or the inside and `slabs` around it."""
    axes = [part.axis for part in phase]
    if not slabs:
        yield tuple((0, axis.outputs) for axis in axes)
        return
    yield from interior_and_borders(axes)


def undivided(spec: Spec) -> Piece:
    """Return a whole problem as one piece, for an algorithm that takes upsampled axes as they are."""
    return Piece(
        spec._replace(flip=False, conj=False),
        (0, spec.batch),
        (0, spec.groups),
        tuple((Run(0, 1, axis.size),) for axis in spec.axes),
        tuple(slice(0, None, 1) for _ in spec.axes),
        tuple(slice(0, axis.outputs, 1) for axis in spec.axes),
    )


def cut(axis: Axis, first: int, stop: int, extends: Set[str]) -> tuple[Axis, Source]:
    """Return the axis of outputs [first, stop) on a piece of x of its own, and the runs that make the piece."""
    if needs_gather(axis):
        return gathered(axis, first, stop)
    if (first, stop) == (0, axis.outputs) and is_circular(axis, extends):
        return axis, (Run(0, 1, axis.size),)
    part = near(axis._replace(outputs=stop - first, before=axis.before - axis.stride * first))
    lo, hi = part.span(0, part.outputs)
    if "all" in extends and part.leaves_data:
        start, end = sample_range(axis.size, lo, hi, axis.boundary)
        return part._replace(size=end - start, before=start - lo), (Run(start, 1, end - start),) if end > start else ()
    if among_zeros(axis, extends):
        inside, end = max(lo, 0), min(hi, axis.size)
        # Windows that lie wholly outside x are zeros a transform need not see, but its offsets assume overlap.
        if end > inside and inside - lo < axis.reach and hi - end < axis.reach:
            return part._replace(size=end - inside, before=inside - lo), (Run(inside, 1, end - inside),)
    return part._replace(size=hi - lo, before=0), runs(axis.size, lo, hi, axis.boundary)


def among_zeros(axis: Axis, extends: Set[str]) -> bool:
    """Whether a method that `extends` so goes on with zeros beyond an axis by itself."""
    return "zero" in extends and not reads_samples(axis.boundary)


def is_circular(axis: Axis, extends: Set[str]) -> bool:
    """Whether a method that `extends` so goes round an axis by itself, but once, in a transform of its length.

    That is so where kernel and outputs are no longer than the circle; and lengths have to be quick to transform. The
    axis is not upsampled.
    """
    once = axis.reach <= axis.size and axis.stride * (axis.outputs - 1) < axis.size
    return "wrap" in extends and axis.wraps_around and once and fast_length(axis.size) == axis.size
