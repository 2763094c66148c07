"""The arguments of torch's convolution functions, as integers, and the functions themselves.

torch pads both ends equally: where fewer zeros are needed before than after, whole strides are added before, and the
extra outputs are dropped. A problem with upsampled axes is torch's transposed convolution of the reversed kernel:

    y[p] = sum_k w[k] * X[p + d*k - before],  X[u*i] = x[i],  is  sum_j w[taps-1-j] * x[i]  over  u*i + d*j - crop = p

with u for the upsampling, d for the dilation, and crop = d*(taps - 1) - before outputs cropped at both ends.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning


class Call(NamedTuple):
    """The arguments of torch's function, and the part of its result that is used."""

    transposed: bool
    samples: tuple[slice, ...]  # of x that are read
    zeros: tuple[int, ...]  # padded around x first, in torch's order: last axis first, before and after
    x_shape: tuple[int, ...]
    w_shape: tuple[int, ...]
    arguments: tuple[Any, ...]  # after the bias
    reaches: bool  # whether windows contain zeros beyond the ends
    outputs: tuple[slice, ...]
    crops: bool  # whether `outputs` is less than the result


def applied(call: Call, x: Any, weights: Any, bias: Any) -> Any:
    """Return torch's result (batch, groups * filters, *out) for x and weights of the call's shapes."""
    if call.zeros:
        from torch.nn import functional

        x = functional.pad(x, call.zeros)
    y = function(call)(x, weights, bias, *call.arguments)
    return y[(..., *call.outputs)].clone() if call.crops else y  # a view would keep the rest in memory


def function(call: Call) -> Any:
    """Return torch's function for a call."""
    from torch.nn import functional  # the caller has imported torch; compilers can't follow sys.modules

    axes = len(call.samples)
    if call.transposed:
        return (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)[axes - 1]
    return (functional.conv1d, functional.conv2d, functional.conv3d)[axes - 1]


@planning()
def call(spec: Spec) -> Call:
    """Return the call for a problem whose axes are all upsampled by 1, or that `is_transposed`."""
    return _transposed(spec, ()) if any(axis.upsample != 1 for axis in spec.axes) else _plain(spec)


@planning()
def transposed_call(spec: Spec) -> Call | None:
    """Return the transposed call for a problem of any upsampling, 1 included; None where torch has none."""
    return _transposed(spec, ()) if all(map(_is_transposed, spec.axes)) else None


def _plain(spec: Spec) -> Call:
    padding, samples = [_padding(axis) for axis in spec.axes], tuple(_samples(axis) for axis in spec.axes)
    widths = tuple(width for width, _, _ in padding)
    strides, dilations = tuple(axis.stride for axis in spec.axes), tuple(axis.dilation for axis in spec.axes)
    return Call(
        transposed=False,
        samples=samples,
        zeros=(),
        x_shape=(spec.batch, spec.groups * spec.channels, *(cut.stop - cut.start for cut in samples)),
        w_shape=(spec.groups * spec.filters, spec.channels, *spec.kernel_size),
        arguments=(strides, widths, dilations, spec.groups),
        reaches=any(widths),
        outputs=tuple(
            slice(extra, extra + axis.outputs) for (_, extra, _), axis in zip(padding, spec.axes, strict=True)
        ),
        crops=any(count != axis.outputs for (_, _, count), axis in zip(padding, spec.axes, strict=True)),
    )


def _padding(axis: Axis) -> tuple[int, int, int]:
    """Return the padding of both ends, the extra outputs before the first, and the number of all outputs."""
    lo, hi = axis.span(0, axis.outputs)
    before, after = max(-lo, 0), max(hi - axis.size, 0)
    extra = -(-max(after - before, 0) // axis.stride)
    width = before + extra * axis.stride
    size = _samples(axis).stop - _samples(axis).start
    return width, extra, (size + 2 * width - axis.reach) // axis.stride + 1


def _samples(axis: Axis) -> slice:
    """Return the samples that are read."""
    lo, hi = axis.span(0, axis.outputs)
    first = min(max(lo, 0), axis.size)
    return slice(first, max(min(hi, axis.size), first))


def uncropped_size(spec: Spec) -> tuple[int, ...]:
    """Return the number of outputs of torch's function per axis, before cropping."""
    if is_transposed(spec):
        return tuple(axis.outputs + max(0, -_crop(axis)[1]) for axis in spec.axes)
    return tuple(_padding(axis)[2] for axis in spec.axes)


def is_transposed(spec: Spec) -> bool:
    """Whether torch's transposed convolution supports a problem: zeros beyond the ends, no outputs that it lacks."""
    return any(axis.upsample != 1 for axis in spec.axes) and all(map(_is_transposed, spec.axes))


def _is_transposed(axis: Axis) -> bool:
    if axis.stride != 1 or axis.boundary != "constant" or not axis.size or not axis.outputs:
        return False
    width, extra = _crop(axis)
    return width >= 0 and extra < max(axis.upsample, axis.dilation)


def _crop(axis: Axis) -> tuple[int, int]:
    """Return the outputs that torch crops at both ends, and how many outputs are needed beyond the remaining ones."""
    width = axis.reach - 1 - axis.before
    return width, axis.outputs - (axis.upsampled_size - 2 * width + axis.reach - 1)


@planning()
def zero_padded_call(spec: Spec) -> Call:
    """Return the transposed call on padded x, so that non-finite taps multiply the zeros beyond the ends."""
    zeros: list[int] = []
    axes: list[Axis] = []
    for axis in spec.axes:
        before, after = _zeros_read(axis)
        longer = axis.size + before + after
        axes.append(axis._replace(size=longer, before=axis.before - axis.upsample * before))
        zeros = [before, after, *zeros]
    return _transposed(spec._replace(axes=tuple(axes)), tuple(zeros))


def _zeros_read(axis: Axis) -> tuple[int, int]:
    """Return how many zeros windows contain before and after the samples; at least as many after, for `_crop`."""
    lo, hi = axis.span(0, axis.outputs)
    before = max(0, -lo // axis.upsample)
    return before, max(before, (hi - 1) // axis.upsample + 1 - axis.size)


def _transposed(spec: Spec, zeros: tuple[int, ...]) -> Call:
    widths, extras = zip(*map(_crop, spec.axes), strict=True)
    strides, dilations = tuple(axis.upsample for axis in spec.axes), tuple(axis.dilation for axis in spec.axes)
    zeros_read = sum(map(sum, map(_zeros_read, spec.axes)))
    sizes = [axis.size for axis in spec.axes]
    if zeros:
        sizes = [n - before - after for n, before, after in zip(sizes, zeros[-2::-2], zeros[::-2], strict=True)]
    return Call(
        transposed=True,
        samples=tuple(slice(0, n) for n in sizes),
        zeros=zeros,
        x_shape=(spec.batch, spec.groups * spec.channels, *sizes),
        w_shape=(spec.groups * spec.channels, spec.filters, *spec.kernel_size),
        arguments=(strides, widths, tuple(max(0, count) for count in extras), spec.groups, dilations),
        reaches=zeros_read > 0,
        outputs=tuple(slice(0, axis.outputs) for axis in spec.axes),
        crops=any(count < 0 for count in extras),
    )
