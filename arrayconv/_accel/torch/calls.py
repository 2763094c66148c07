"""What torch's convolution functions are told, as integers, and the functions themselves.

torch pads both ends alike: where fewer zeros are needed before than after, whole strides are added before, and the
outputs that brings are dropped. A problem with upsampled axes is torch's transposed convolution of the reversed kernel:

    y[p] = sum_k w[k] * X[p + d*k - before],  X[u*i] = x[i],  is  sum_j w[taps-1-j] * x[i]  over  u*i + d*j - left = p

with u for the upsampling, d for the dilation, and left = d*(taps - 1) - before outputs left out at both ends.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning, record


@record
class Call(NamedTuple):
    """What torch's function is told, and what is kept of its result."""

    transposed: bool
    held: tuple[slice, ...]  # of x
    zeros: tuple[int, ...]  # put around x first, as torch counts them: last axis first, before and after
    x_shape: tuple[int, ...]
    w_shape: tuple[int, ...]
    rest: tuple[Any, ...]  # the arguments after the bias
    reaches: bool  # whether taps meet zeros beyond the ends
    kept: tuple[slice, ...]
    y_shape: tuple[int, ...]
    cuts: bool  # whether less than the result is kept


def applied(call: Call, x: Any, weights: Any, bias: Any) -> Any:
    """Return torch's result (batch, groups * filters, *out) for x and weights of the call's shapes."""
    if call.zeros:
        from torch.nn import functional

        x = functional.pad(x, call.zeros)
    y = function(call)(x, weights, bias, *call.rest)
    return y[(..., *call.kept)].clone() if call.cuts else y  # a view would keep what is cut off


def function(call: Call) -> Any:
    """Return torch's function for a call."""
    from torch.nn import functional  # imported by whoever made the arrays; no compiler follows sys.modules

    axes = len(call.held)
    if call.transposed:
        return (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)[axes - 1]
    return (functional.conv1d, functional.conv2d, functional.conv3d)[axes - 1]


@planning()
def call(spec: Spec) -> Call:
    """Return the call for a problem whose axes are all upsampled by 1, or all as `is_transposed` wants them."""
    return _transposed(spec, ()) if any(axis.upsample != 1 for axis in spec.axes) else _plain(spec)


def _plain(spec: Spec) -> Call:
    places, held = [_padding(axis) for axis in spec.axes], tuple(_held(axis) for axis in spec.axes)
    widths = tuple(width for width, _, _ in places)
    rest = tuple(axis.stride for axis in spec.axes), widths, tuple(axis.dilation for axis in spec.axes), spec.groups
    return Call(
        transposed=False,
        held=held,
        zeros=(),
        x_shape=(spec.batch, spec.groups * spec.channels, *(cut.stop - cut.start for cut in held)),
        w_shape=(spec.groups * spec.filters, spec.channels, *spec.kernel_size),
        rest=rest,
        reaches=any(widths),
        kept=tuple(slice(early, early + axis.outputs) for (_, early, _), axis in zip(places, spec.axes, strict=True)),
        y_shape=spec.output_shape,
        cuts=any(count != axis.outputs for (_, _, count), axis in zip(places, spec.axes, strict=True)),
    )


def _padding(axis: Axis) -> tuple[int, int, int]:
    """Return the padding of both ends, the outputs it adds before the first, and how many come out of it."""
    lo, hi = axis.span(0, axis.outputs)
    before, after = max(-lo, 0), max(hi - axis.size, 0)
    early = -(-max(after - before, 0) // axis.stride)
    width = before + early * axis.stride
    size = _held(axis).stop - _held(axis).start
    return width, early, (size + 2 * width - axis.reach) // axis.stride + 1


def _held(axis: Axis) -> slice:
    """Return the samples that are read."""
    lo, hi = axis.span(0, axis.outputs)
    first = min(max(lo, 0), axis.size)
    return slice(first, max(min(hi, axis.size), first))


def produced(spec: Spec) -> tuple[int, ...]:
    """Return how many outputs come out of torch's function per axis, before any are cut off."""
    if is_transposed(spec):
        return tuple(axis.outputs + max(0, -_margins(axis)[1]) for axis in spec.axes)
    return tuple(_padding(axis)[2] for axis in spec.axes)


def is_transposed(spec: Spec) -> bool:
    """Whether torch has a transposed convolution for a problem: zeros beyond the ends, outputs where it has them."""
    return any(axis.upsample != 1 for axis in spec.axes) and all(map(_is_transposed, spec.axes))


def _is_transposed(axis: Axis) -> bool:
    if axis.stride != 1 or axis.boundary != "constant" or not axis.size or not axis.outputs:
        return False
    width, more = _margins(axis)
    return width >= 0 and more < max(axis.upsample, axis.dilation)


def _margins(axis: Axis) -> tuple[int, int]:
    """Return the outputs that are left out at both ends, and how many more than what is left are wanted."""
    width = axis.reach - 1 - axis.before
    return width, axis.outputs - (axis.upsampled_size - 2 * width + axis.reach - 1)


@planning()
def surrounded(spec: Spec) -> Call:
    """Return the transposed call for kernels with bad taps, which must meet zeros beyond the ends: these put there."""
    zeros: list[int] = []
    axes: list[Axis] = []
    for axis in spec.axes:
        before, after = _unmet(axis)
        longer = axis.size + before + after
        axes.append(axis._replace(size=longer, before=axis.before - axis.upsample * before))
        zeros = [before, after, *zeros]
    return _transposed(spec._replace(axes=tuple(axes)), tuple(zeros))


def _unmet(axis: Axis) -> tuple[int, int]:
    """Return how many zeros taps meet before the first sample and behind the last; no fewer behind, for `_margins`."""
    lo, hi = axis.span(0, axis.outputs)
    before = max(0, -lo // axis.upsample)
    return before, max(before, (hi - 1) // axis.upsample + 1 - axis.size)


def _transposed(spec: Spec, zeros: tuple[int, ...]) -> Call:
    widths, more = zip(*map(_margins, spec.axes), strict=True)
    strides, dilations = tuple(axis.upsample for axis in spec.axes), tuple(axis.dilation for axis in spec.axes)
    around = sum(map(sum, map(_unmet, spec.axes)))
    sizes = [axis.size for axis in spec.axes]
    if zeros:
        sizes = [n - before - after for n, before, after in zip(sizes, zeros[-2::-2], zeros[::-2], strict=True)]
    return Call(
        transposed=True,
        held=tuple(slice(0, n) for n in sizes),
        zeros=zeros,
        x_shape=(spec.batch, spec.groups * spec.channels, *sizes),
        w_shape=(spec.groups * spec.channels, spec.filters, *spec.kernel_size),
        rest=(strides, widths, tuple(max(0, count) for count in more), spec.groups, dilations),
        reaches=around > 0,
        kept=tuple(slice(0, axis.outputs) for axis in spec.axes),
        y_shape=spec.output_shape,
        cuts=any(count < 0 for count in more),
    )
