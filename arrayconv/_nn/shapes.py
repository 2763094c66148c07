"""Which shapes fit each other: axes are counted, channels and groups compared, and a convolution becomes a `Spec`.

    input (batch, groups * channels, *n), weight (groups * filters, channels, *k) -> (batch, groups * filters, *out)

An input without its batch axis is a batch of one, and so is what comes out.
"""

from __future__ import annotations

from arrayconv._nn.arguments import Window
from arrayconv._problem.axes import padded_axis
from arrayconv._problem.layout import Permutation, Shape
from arrayconv._problem.spec import Axis, Spec


def spatial_axes(
    function: str, weight_shape: Shape, required: int | None, rows: str = "out_channels, in_channels"
) -> int:
    """Return how many spatial axes a weight has; `wanted` is what the function's name promises."""
    count = len(weight_shape) - 2
    if count < 0 or required not in (None, count):
        number = "at least 2" if required is None else required + 2
        first, second = rows.split(", ")
        raise ValueError(
            f"{function}: `weight` must have {number} axes: ({first}, {second} / groups, *kernel_size). "
            f"Got shape {weight_shape}."
        )
    return count


def batched(function: str, argument: str, shape: Shape, count: int) -> Shape:
    """Return a shape with its batch axis, of 1 where there is none."""
    if len(shape) not in (count + 1, count + 2):
        raise ValueError(
            f"{function}: `{argument}` must have {count + 2} axes (batch, channels, *size), or {count + 1} without the "
            f"batch. Got shape {shape}."
        )
    return shape if len(shape) == count + 2 else (1, *shape)


def specified(function: str, input_shape: Shape, weight_shape: Shape, window: Window) -> Spec:
    """Return the one operation of a convolution; `input_shape` has its batch axis."""
    rows, channels, *kernel = weight_shape
    groups = window.groups
    if rows == 0 or 0 in kernel:
        raise ValueError(
            f"{function}: `weight` must have at least one filter and one tap on every axis. Got shape {weight_shape}."
        )
    if rows % groups:
        raise ValueError(
            f"{function}: `weight.shape[0]`, the output channels, must be a multiple of `groups`. "
            f"Got weight {weight_shape}, groups={groups}: {rows} % {groups} = {rows % groups}."
        )
    if channels * groups != input_shape[1]:
        raise ValueError(
            f"{function}: `weight.shape[1] * groups` must equal the input channels. Got weight {weight_shape}, "
            f"groups={groups}, input {input_shape}: {channels} * {groups} != {input_shape[1]}."
        )
    axes = [
        padded_axis(function, Axis(n, k, 0, stride=s, dilation=d, boundary=b), p)
        for n, k, s, d, b, p in zip(
            input_shape[2:], kernel, window.stride, window.dilation, window.boundary, window.padding, strict=True
        )
    ]
    return Spec(input_shape[0], groups, channels, rows // groups, tuple(axes))


def reshape_move(split: Shape, joined: Shape | None = None) -> Permutation:
    """Return the move that splits, leaves the axes where they are, and joins."""
    return transpose_move(split, (0, 1, 2), joined)


def transpose_move(split: Shape, leading: tuple[int, int, int], joined: Shape | None = None) -> Permutation:
    """Return the move that splits, brings the three leading axes into another order, and joins."""
    order = (*leading, *range(3, len(split)))
    return Permutation(split, order, tuple([split[axis] for axis in order]) if joined is None else joined)


def result_shape(spec: Spec, unbatched: bool) -> Shape:
    """Return the shape of (batch, groups, filters, *out) as the caller sees it."""
    batch = () if unbatched else (spec.batch,)
    return (*batch, spec.groups * spec.filters, *spec.output_size)
