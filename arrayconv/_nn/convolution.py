"""Convolutions and transposed ones: from torch's arguments to one planned call, then the bias.

A transposed convolution is the same operation with its input upsampled by `stride`, the kernel flipped, and an output
size of its own:

    (n - 1) * stride - 2 * padding + dilation * (k - 1) + output_padding + 1
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from arrayconv._accel.native import loader
from arrayconv._arrays.operands import Operands, operands
from arrayconv._arrays.traits import Traits
from arrayconv._calls import cache, prepare
from arrayconv._calls.binding import bind
from arrayconv._nn.arguments import Window, not_negative, positive, positive_number, window
from arrayconv._nn.bias import biased, rounded, unrounded, validate_bias
from arrayconv._nn.shapes import batched, reshape_move, result_shape, spatial_axes, specified, transpose_move
from arrayconv._problem.axes import check_positions
from arrayconv._problem.layout import Layout, Shape
from arrayconv._problem.problem import Problem
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning, shape_of

NAMES = ("input", "weight")


class ConvOptions(NamedTuple):
    """The options of a convolution, unchecked."""

    axes: int | None  # spatial axes in the function's name, None for as many as the weight has
    stride: Any
    padding: Any
    dilation: Any
    groups: Any
    boundary: Any
    fill_value: Any
    method: Any
    accuracy: Any
    dtype: Any
    max_workspace: Any


class TransposedOptions(NamedTuple):
    """The options of a transposed convolution, unchecked."""

    axes: int | None  # as in `ConvOptions`
    stride: Any
    padding: Any
    output_padding: Any
    groups: Any
    dilation: Any
    method: Any
    accuracy: Any
    dtype: Any
    max_workspace: Any


class Transposed(NamedTuple):
    """The options of a transposed convolution that decide shapes, one integer per axis."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    groups: int
    dilation: tuple[int, ...]


def convolve(function: str, input: Any, weight: Any, bias: Any, options: tuple[Any, ...]) -> Any:
    """Convolve; `options` has the fields of `ConvOptions`, in a plain tuple since that is made faster."""
    cache_key = cache.key(function, (input, weight) if bias is None else (input, weight, bias), options)
    call = cache.lookup(cache_key)
    if call is None:
        arguments = ConvOptions(*options)
        choice = prepare.options(
            function, arguments.method, arguments.accuracy, arguments.max_workspace, arguments.fill_value
        )
        validated = operands(function, input, weight, arguments.dtype, NAMES)
        input, weight = validated.x, validated.kernel
        count = spatial_axes(function, shape_of(weight), arguments.axes)
        geometry = window(
            function,
            count,
            arguments.stride,
            arguments.padding,
            arguments.dilation,
            arguments.groups,
            arguments.boundary,
        )
        problem = convolution_problem(function, shape_of(input), shape_of(weight), geometry)
        bias = validate_bias(function, bias, validated, shape_of(weight)[0])
        call = cache.store(cache_key, _bound(function, validated, problem, choice, bias, count))
    return call(input, weight, bias)


def _bound(
    function: str, validated: Operands, problem: Problem, options: prepare.Options, bias: Any, count: int
) -> Callable[..., Any]:
    """Return the convolution as a bound call, with the addition of a bias if there is one."""
    if bias is None:
        return bind(function, validated, problem, options)
    call = bind(function, unrounded(validated), problem, options, postprocess=_Addition(count))
    return rounded(call, validated)


class _Addition(NamedTuple):
    """The addition of a bias over a number of axes: a hashable value, part of a program's cache key."""

    axes: int

    def __call__(self, y: Any, bias: Any, operands: Operands) -> Any:
        return biased(self.axes, y, bias, operands)

    def at_addresses(self, shape: Shape, traits: Traits) -> Callable[[int, int], None] | None:
        """Return the addition at addresses of a result of this shape and of a bias of its dtype, None without one."""
        channels = len(shape) - 1 - self.axes
        geometry = prod(shape[:channels]), shape[channels], prod(shape[channels + 1 :])
        return loader.adder(geometry, traits.output, traits.accelerators)

    def gradient(self, dy: Any, bias: Any) -> Any:
        """Return the gradient of a bias that is a tensor."""
        channels = dy.ndim - 1 - self.axes
        others = [axis for axis in range(dy.ndim) if axis != channels]
        return (dy.sum(others) if others else dy).to(bias.dtype)


@planning()
def convolution_problem(function: str, input_shape: Shape, weight_shape: Shape, options: Window) -> Problem:
    """Return the problem of a convolution, not transposed."""
    count = len(weight_shape) - 2
    spec = specified(function, batched(function, "input", input_shape, count), weight_shape, options)
    shape = result_shape(spec, len(input_shape) == count + 1)
    layout = _layout(spec, shape)
    return Problem(layout._replace(kernel=reshape_move(spec.kernel_shape)), spec, shape)


def transpose(function: str, input: Any, weight: Any, bias: Any, options: tuple[Any, ...]) -> Any:
    """Convolve transposed; `options` has the fields of `TransposedOptions`, in a plain tuple."""
    cache_key = cache.key(function, (input, weight) if bias is None else (input, weight, bias), options)
    call = cache.lookup(cache_key)
    if call is None:
        arguments = TransposedOptions(*options)
        choice = prepare.options(function, arguments.method, arguments.accuracy, arguments.max_workspace, 0)
        validated = operands(function, input, weight, arguments.dtype, NAMES)
        input, weight = validated.x, validated.kernel
        count = spatial_axes(function, shape_of(weight), arguments.axes, "in_channels, out_channels")
        geometry = _geometry(function, arguments, count)
        problem = _transposed(function, shape_of(input), shape_of(weight), geometry)
        bias = validate_bias(function, bias, validated, shape_of(weight)[1] * geometry.groups)
        call = cache.store(cache_key, _bound(function, validated, problem, choice, bias, count))
    return call(input, weight, bias)


def _geometry(function: str, arguments: TransposedOptions, count: int) -> Transposed:
    return Transposed(
        positive(function, "stride", arguments.stride, count),
        not_negative(function, "padding", arguments.padding, count),
        not_negative(function, "output_padding", arguments.output_padding, count),
        positive_number(function, "groups", arguments.groups),
        positive(function, "dilation", arguments.dilation, count),
    )


@planning()
def _transposed(function: str, input_shape: Shape, weight_shape: Shape, options: Transposed) -> Problem:
    batch, rows, *sizes = batched(function, "input", input_shape, len(weight_shape) - 2)
    _check_weight(function, (batch, rows, *sizes), weight_shape, options.groups)
    outputs = _output_size(function, tuple(sizes), weight_shape[2:], options)
    axes = [
        Axis(n, k, out, dilation=d, upsample=s, before=d * (k - 1) - p)
        for n, k, out, s, p, d in zip(
            sizes, weight_shape[2:], outputs, options.stride, options.padding, options.dilation, strict=True
        )
    ]
    for axis in axes:
        check_positions(function, axis)
    groups, filters = options.groups, weight_shape[1]
    spec = Spec(batch, groups, rows // groups, filters, tuple(axes), flip=True)
    shape = result_shape(spec, len(input_shape) == len(weight_shape) - 1)
    split = (groups, spec.channels, filters, *weight_shape[2:])
    return Problem(_layout(spec, shape)._replace(kernel=transpose_move(split, (0, 2, 1))), spec, shape)


def _check_weight(function: str, input_shape: Shape, weight_shape: Shape, groups: int) -> None:
    rows = weight_shape[0]
    if 0 in weight_shape[1:]:
        raise ValueError(
            f"{function}: `weight` must have at least one filter and one tap on every axis. Got shape {weight_shape}."
        )
    if rows != input_shape[1]:
        raise ValueError(
            f"{function}: `weight.shape[0]` must equal the input channels. Got weight {weight_shape}, "
            f"input {input_shape}: {rows} != {input_shape[1]}."
        )
    if rows % groups:
        raise ValueError(
            f"{function}: `weight.shape[0]`, the input channels, must be a multiple of `groups`. "
            f"Got weight {weight_shape}, groups={groups}: {rows} % {groups} = {rows % groups}."
        )


def _output_size(function: str, sizes: Shape, kernel: Shape, options: Transposed) -> Shape:
    for extra, s, d in zip(options.output_padding, options.stride, options.dilation, strict=True):
        if extra >= max(s, d):
            raise ValueError(
                f"{function}: `output_padding` must be smaller than `stride` or `dilation` on every axis. "
                f"Got output_padding={options.output_padding}, stride={options.stride}, dilation={options.dilation}."
            )
    outputs = [
        (n - 1) * s - 2 * p + d * (k - 1) + extra + 1
        for n, k, s, p, extra, d in zip(
            sizes, kernel, options.stride, options.padding, options.output_padding, options.dilation, strict=True
        )
    ]
    if min(outputs, default=1) < 1:
        raise ValueError(
            f"{function}: the output must have at least one sample on every axis. Got {tuple(outputs)} = "
            f"(n - 1) * stride - 2 * padding + dilation * (k - 1) + output_padding + 1 for n={sizes}, k={kernel}, "
            f"stride={options.stride}, padding={options.padding}, output_padding={options.output_padding}, "
            f"dilation={options.dilation}. Pad less."
        )
    return tuple(outputs)


def _layout(spec: Spec, shape: Shape) -> Layout:
    """Return the layout of input and output; the caller replaces the weight's."""
    counts = (spec.batch, spec.groups, spec.channels, spec.filters)
    return Layout(
        reshape_move(spec.input_shape), reshape_move(spec.kernel_shape), reshape_move(spec.output_shape, shape), *counts
    )
