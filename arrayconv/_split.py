"""How a problem is cut into pieces an algorithm can run: phases, borders, blocks. Integers only.

1. Phases. With upsample u, output p meets tap k only where stride*p + dilation*k - before is a multiple of u.
   Outputs p = r (mod u / gcd(stride, u)) share every such tap, so each class is an ordinary problem on a slice of the
   kernel, without the zeros (polyphase: Crochiere and Rabiner, Multirate Digital Signal Processing, 1983).
   An algorithm that takes upsampled axes as they are is given the whole problem instead.
2. Borders. Outputs whose window leaves x are cut off as slabs, two per axis, so that only O(taps) slabs are
   copied and extended, never the whole of x. Small problems are extended whole: fewer steps cost less.
3. Blocks. What is left is cut until a piece's bytes fit a budget, or its outputs a cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from itertools import product
from math import gcd, prod
from typing import NamedTuple

from arrayconv._boundary import FILL, Run, runs
from arrayconv._lengths import fast_length
from arrayconv._spec import Axis, Spec
from arrayconv._tracing import record

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
    source: tuple[tuple[Run, ...], ...]  # per spatial axis of x
    taps: tuple[slice, ...]  # per spatial axis of the kernel
    target: tuple[slice, ...]  # per spatial axis of y


def phases(axis: Axis) -> tuple[Phase, ...]:
    """Cut an upsampled axis into axes without upsampling."""
    u = axis.upsample
    period = u // gcd(axis.stride, u)
    return tuple(_phase(axis, first, period) for first in range(min(period, axis.outputs)))


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
    """Return the outputs whose window lies inside the data: first, stop (first >= stop for none)."""
    first = max(0, -(-axis.before // axis.stride))
    stop = min(axis.outputs, (axis.size - axis.reach + axis.before) // axis.stride + 1)
    return first, stop


def onion(axes: Sequence[Axis]) -> Iterator[tuple[Range, ...]]:
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


def pieces(
    spec: Spec,
    block: Sequence[int],
    *,
    extends: Set[str],
    slabs: bool,
) -> Iterator[Piece]:
    """Yield the pieces of a problem with blocks of at most `block` (batch, groups, *outputs of a phase).

    Parameters
    ----------
    extends : set of {'zero', 'wrap', 'all'}
        Which boundaries the algorithm handles itself, beyond the ends of a piece of x.
    slabs : bool
        Handle borders as slabs where the problem is large.
    """
    together = min(block[0], spec.batch) * min(block[1], spec.groups)  # images of all channels
    large = slabs and together * spec.channels * prod(spec.input_size) > SMALL
    for phase in product(*(phases(axis) for axis in spec.axes)):
        axes = [part.axis for part in phase]
        if not all(axis.taps for axis in axes):
            continue
        for box in onion(axes) if large else [tuple((0, axis.outputs) for axis in axes)]:
            for ranges in product(*_grid(((0, spec.batch), (0, spec.groups), *box), block)):
                yield _piece(spec, phase, ranges, extends)


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


def _grid(box: Sequence[Range], block: Sequence[int]) -> list[list[Range]]:
    """Cut each side of a box into ranges of at most `block`, as equal as they come."""
    return [
        [(at, min(at + size, stop)) for at in range(first, stop, size)]
        for (first, stop), size in zip(box, block, strict=True)
    ]


def _piece(spec: Spec, phase: Sequence[Phase], ranges: Sequence[Range], extends: Set[str]) -> Piece:
    batch, groups, *box = ranges
    cuts = [_cut(part.axis, *outputs, extends) for part, outputs in zip(phase, box, strict=True)]
    inner = spec._replace(
        batch=batch[1] - batch[0],
        groups=groups[1] - groups[0],
        axes=tuple(axis for axis, _ in cuts),
        flip=False,
        conj=False,
    )
    targets = tuple(
        slice(p.first_output + first * p.output_step, p.first_output + (stop - 1) * p.output_step + 1, p.output_step)
        for p, (first, stop) in zip(phase, box, strict=True)
    )
    taps = tuple(slice(p.first_tap, None, p.tap_step) for p in phase)
    return Piece(inner, batch, groups, tuple(source for _, source in cuts), taps, targets)


def _cut(axis: Axis, first: int, stop: int, extends: Set[str]) -> tuple[Axis, tuple[Run, ...]]:
    """Return the axis of outputs [first, stop) on a piece of x of its own, and the runs that make the piece."""
    lo, hi = axis.span(first, stop)
    if "wrap" in extends and (first, stop) == (0, axis.outputs) and is_circle(axis):
        return axis, (Run(0, 1, axis.size),)
    if "all" in extends and (lo < 0 or hi > axis.size):
        start, end = _sample_range(axis, lo, hi)
        cut = axis._replace(size=end - start, outputs=stop - first, before=start - lo)
        return cut, (Run(start, 1, end - start),) if end > start else ()
    if "zero" in extends and axis.boundary == "constant":
        inside, end = max(lo, 0), min(hi, axis.size)
        # Windows that lie wholly outside x are zeros a transform need not see, but its offsets assume overlap.
        if end > inside and inside - lo < axis.reach and hi - end < axis.reach:
            cut = axis._replace(size=end - inside, outputs=stop - first, before=inside - lo)
            return cut, (Run(inside, 1, end - inside),)
    cut = axis._replace(size=hi - lo, outputs=stop - first, before=0)
    return cut, runs(axis.size, lo, hi, axis.boundary)


def is_circle(axis: Axis) -> bool:
    """Whether an axis without upsampling is a circle that a transform of its own length goes round but once.

    That is so where kernel and outputs are no longer than the circle; and lengths have to be quick to transform.
    """
    lo, hi = axis.span(0, axis.outputs)
    leaves = axis.boundary == "wrap" and (lo < 0 or hi > axis.size)
    once = axis.reach <= axis.size and axis.stride * (axis.outputs - 1) < axis.size
    return leaves and once and fast_length(axis.size) == axis.size


def _sample_range(axis: Axis, lo: int, hi: int) -> Range:
    """Return samples of an axis whose extension is the same, at positions [lo, hi), as that of all of it.

    A mirror at the end of a cut is one at the end of the axis only as far as the cut is long; from there on it turns
    back, where the whole axis goes on.
    """
    whole = (0, axis.size)
    copied = [run for run in runs(axis.size, lo, hi, axis.boundary) if run.start != FILL]
    if axis.boundary == "wrap" or (lo < 0 and hi > axis.size) or not copied:
        return whole
    ends = [place for run in copied for place in (run.start, run.start + run.step * (run.length - 1))]
    start, end = (0, max(ends) + 1) if lo < 0 else (min(ends), axis.size)
    beyond = max(-lo, hi - axis.size)
    period = {"symmetric": end - start, "reflect": end - start - 1}
    return whole if beyond > period.get(axis.boundary, beyond) else (start, end)
