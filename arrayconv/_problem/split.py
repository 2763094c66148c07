"""How a problem is cut into pieces an algorithm can run: phases, borders, blocks. Integers only.

1. Phases. With upsample u, tap k multiplies a sample in output p only if stride*p + dilation*k - before is a multiple
   of u. Outputs p = r (mod u / gcd(stride, u)) use the same taps, so each phase is an ordinary problem on a slice of
   the kernel, without the zeros (polyphase: Crochiere and Rabiner, Multirate Digital Signal Processing, 1983).
   An algorithm that supports upsampled axes gets the whole problem instead.
2. Borders. Outputs whose window leaves x are cut off as slabs, two per axis, so that only O(taps) slabs are
   copied and extended, never the whole of x. Small problems are extended whole: fewer steps cost less.
3. Blocks. The remaining outputs are cut until the bytes of a piece fit a budget or a cache (see `_problem.partition`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from math import gcd
from typing import NamedTuple

from arrayconv._problem.boundary import Run, Source, reads_samples, runs, sample_range
from arrayconv._problem.fast_lengths import fast_length
from arrayconv._problem.gather import gather, needs_gather, shift_to_data, simplify
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

Range = tuple[int, int]
SMALL = 1 << 19  # samples: up to so many, extending all of x costs less than computing slabs


class Phase(NamedTuple):
    """Outputs `first_output + i * output_step` of one axis, which use the taps `first_tap + j * tap_step`."""

    axis: Axis  # upsample 1; 0 taps where no tap multiplies a sample
    first_tap: int
    tap_step: int
    first_output: int
    output_step: int


class Piece(NamedTuple):
    """One run of an algorithm: its spec, the parts of the operands that it reads, and the part of y that it writes."""

    spec: Spec
    batch: Range
    groups: Range
    source: tuple[Source, ...]  # per spatial axis of x
    taps: tuple[slice, ...]  # per spatial axis of the kernel
    target: tuple[slice, ...]  # per spatial axis of y


def phases(axis: Axis) -> tuple[Phase, ...]:
    """Return all phases of an upsampled axis, axes without upsampling."""
    return tuple(_phase(axis, first, _period(axis)) for first in range(phase_count(axis)))


def phase_count(axis: Axis) -> int:
    """Return the number of phases of an axis."""
    return min(_period(axis), axis.outputs)


@planning(64)
def live_phases(axis: Axis) -> tuple[Phase, ...]:
    """Return the phases that have taps, each read next to the data (see `gather.simplify`)."""
    candidates = [_phase(axis, first, _period(axis)) for first in _candidate_phases(axis)]
    return tuple(phase._replace(axis=simplify(phase.axis)) for phase in candidates if phase.axis.taps)


def _candidate_phases(axis: Axis) -> Iterable[int]:
    """Return the phases that may have taps: all, or, if there are fewer taps than phases, those of the taps."""
    count, common = phase_count(axis), gcd(axis.stride, axis.upsample)
    if count <= axis.taps or _period(axis) == 1:
        return range(count)
    inverse = pow(axis.stride // common, -1, _period(axis))
    offsets = [axis.before - axis.dilation * tap for tap in range(axis.taps)]
    phases_of_taps = {offset // common * inverse % _period(axis) for offset in offsets if offset % common == 0}
    return sorted(first for first in phases_of_taps if first < count)


def _period(axis: Axis) -> int:
    return axis.upsample // gcd(axis.stride, axis.upsample)


def _phase(axis: Axis, first: int, period: int) -> Phase:
    u, common = axis.upsample, gcd(axis.dilation, axis.upsample)
    offset = axis.before - axis.stride * first  # taps k with dilation*k = offset (mod u) multiply samples
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
    """Return the range of outputs whose windows are inside the data: first, stop (first >= stop if there are none).

    For an axis that is gathered it is all outputs: every piece is gathered anyway, so separate borders gain nothing.
    """
    if needs_gather(axis):
        return 0, axis.outputs
    first = max(0, -(-axis.before // axis.stride))
    stop = min(axis.outputs, (axis.size - axis.reach + axis.before) // axis.stride + 1)
    return first, stop


def interior_and_borders(axes: Sequence[Axis]) -> Iterator[tuple[Range, ...]]:
    """Yield boxes of outputs: the interior, and for each axis a slab before and after it."""
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
    """Shrink a block (batch, groups, *outputs) until ``cost(block) <= limit``; None if even one output exceeds it.

    The batch and the groups are cut first, which repeats no work. Then, with `rows`, leading axes, so that pieces stay
    contiguous; otherwise the axis longest in units of its reach, so that the halo shared by blocks stays small. `least`
    is the minimum of outputs per axis; with it the smallest block so allowed is returned even if it exceeds the limit.
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
    """Yield boxes that cover the outputs of a phase: a single one, or with `slabs` the interior and its borders."""
    axes = [part.axis for part in phase]
    if not slabs:
        yield tuple((0, axis.outputs) for axis in axes)
        return
    yield from interior_and_borders(axes)


def undivided_piece(spec: Spec) -> Piece:
    """Return a whole problem as one piece, for an algorithm that supports upsampled axes."""
    return Piece(
        spec._replace(flip=False, conj=False),
        (0, spec.batch),
        (0, spec.groups),
        tuple((Run(0, 1, axis.size),) for axis in spec.axes),
        tuple(slice(0, None, 1) for _ in spec.axes),
        tuple(slice(0, axis.outputs, 1) for axis in spec.axes),
    )


def cut(axis: Axis, first: int, stop: int, extends: Set[str]) -> tuple[Axis, Source]:
    """Return the axis of outputs [first, stop) on its own piece of x, and the runs that make up that piece."""
    if needs_gather(axis):
        return gather(axis, first, stop)
    if (first, stop) == (0, axis.outputs) and handles_wrap(axis, extends):
        return axis, (Run(0, 1, axis.size),)
    part = shift_to_data(axis._replace(outputs=stop - first, before=axis.before - axis.stride * first))
    lo, hi = part.span(0, part.outputs)
    if "all" in extends and part.leaves_data:
        start, end = sample_range(axis.size, lo, hi, axis.boundary)
        return part._replace(size=end - start, before=start - lo), (Run(start, 1, end - start),) if end > start else ()
    return extended(part, extends)


def extended(axis: Axis, extends: Set[str]) -> tuple[Axis, Source]:
    """Return the axis on its own piece of x, extended by what a method with these `extends` does not, and its runs."""
    lo, hi = axis.span(0, axis.outputs)
    if handles_zeros(axis, extends):
        inside, end = max(lo, 0), min(hi, axis.size)
        # Windows wholly outside x read zeros only. A transform could skip them, but its offsets assume an overlap.
        if end > inside and inside - lo < axis.reach and hi - end < axis.reach:
            return axis._replace(size=end - inside, before=inside - lo), (Run(inside, 1, end - inside),)
    return axis._replace(size=hi - lo, before=0), runs(axis.size, lo, hi, axis.boundary)


def handles_zeros(axis: Axis, extends: Set[str]) -> bool:
    """Whether a method with these `extends` pads the axis with zeros itself."""
    return "zero" in extends and not reads_samples(axis.boundary)


def handles_wrap(axis: Axis, extends: Set[str]) -> bool:
    """Whether a method with these `extends` wraps around the axis itself, by a circular transform of its length.

    That requires a kernel and outputs no longer than the axis, and a length with a fast transform. The axis is not
    upsampled.
    """
    fits = axis.reach <= axis.size and axis.stride * (axis.outputs - 1) < axis.size
    return "wrap" in extends and axis.wraps_around and fits and fast_length(axis.size) == axis.size
