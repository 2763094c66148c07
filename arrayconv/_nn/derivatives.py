"""The gradients of a convolution as calls of their own: the maps of `_problem.gradient`, with axes in order.

The convolution itself is specified first, which checks its shapes and says what `grad_output` must look like. For
complex data the gradients are the adjoints, which take the conjugate of the other operand.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from arrayconv._arrays.operands import Operands, operands
from arrayconv._calls import cache, prepare, tape
from arrayconv._calls.binding import BoundCall, bind
from arrayconv._nn.arguments import Window, size, window
from arrayconv._nn.convolution import convolution_problem
from arrayconv._nn.shapes import batched, reshape_move, result_shape, spatial_axes, specified, transpose_move
from arrayconv._problem.gradient import input_gradient, kernel_gradient
from arrayconv._problem.layout import Layout, Shape
from arrayconv._problem.problem import Problem
from arrayconv._problem.spec import Spec
from arrayconv._runtime.tracing import planning, shape_of


def of_input(function: str, input_size: Any, weight: Any, grad_output: Any, geometry: tuple[Any, ...]) -> Any:
    """Return the gradient with respect to an input of shape `input_size`.

    `geometry` is the number of spatial axes, stride, padding, dilation and groups of the convolution.
    """
    cache_key = cache.key(function, (grad_output, weight), (input_size, *geometry))
    call = cache.lookup(cache_key)
    if call is None:
        shape, (count, *rest) = size(function, "input_size", input_size), geometry
        validated = operands(function, grad_output, weight, None, ("grad_output", "weight"))
        grad_output, weight = validated.x, validated.kernel
        options = window(function, count, *rest)
        problem = _input_problem(function, count, shape, shape_of(weight), shape_of(grad_output), options)
        call = bind(function, validated, problem, prepare.Options())
        call = cache.store(
            cache_key, _quicker(call, validated, function, (shape, shape_of(weight)), options, of_x=True)
        )
    return call(grad_output, weight)


def of_weight(function: str, input: Any, weight_size: Any, grad_output: Any, geometry: tuple[Any, ...]) -> Any:
    """Return the gradient with respect to a weight of shape `weight_size`; `geometry` as in `of_input`."""
    cache_key = cache.key(function, (input, grad_output), (weight_size, *geometry))
    call = cache.lookup(cache_key)
    if call is None:
        shape, (count, *rest) = size(function, "weight_size", weight_size), geometry
        validated = operands(function, input, grad_output, None, ("input", "grad_output"))
        _check_not_lazy(function, validated)
        input, grad_output = validated.x, validated.kernel
        options = window(function, count, *rest)
        problem = _weight_problem(function, count, shape_of(input), shape, shape_of(grad_output), options)
        postprocess = _conjugated if validated.traits.output.startswith("complex") else None
        call = bind(function, validated, problem, prepare.Options(), postprocess=postprocess)
        call = cache.store(
            cache_key, _quicker(call, validated, function, (shape_of(input), shape), options, of_x=False)
        )
    return call(input, grad_output)


def _quicker(
    call: BoundCall, validated: Operands, function: str, shapes: tuple[Shape, Shape], options: Window, *, of_x: bool
) -> Any:
    """Return a bound call, or torch's own gradient in its place: see `_calls.gradients`."""
    traits = validated.traits
    if traits.library != "torch" or traits.device != "cpu" or traits.traced or call.postprocess is not None:
        return call
    forward = convolution_problem(function, *shapes, options)
    dtypes = validated.x.dtype, validated.kernel.dtype
    return import_module("arrayconv._calls.gradients").torchs_gradient(call, forward, dtypes, shapes, of_x=of_x)


def _check_not_lazy(function: str, validated: Operands) -> None:
    """Refuse Dask arrays: each gradient of a weight sums over all samples, and no task may hold them all."""
    if validated.traits.chunk_backend:
        raise NotImplementedError(
            f"{function}: the gradient of a weight sums over all chunks of a Dask array, which would all be in one "
            f"task. Call it on the chunks of input and grad_output with their halos and add up the results."
        )


def _conjugated(gradient: Any, _bias: Any, operands: Operands) -> Any:
    """Return the gradient of complex data from what the spec asks for."""
    conj = operands.xp.conj  # conj(x) with dy is the conjugate of x with conj(dy)
    tape.note((), lambda: lambda dy, _needs: (conj(dy), ()))
    return conj(gradient)


@planning()
def _input_problem(
    function: str, count: int, input_shape: Shape, weight_shape: Shape, grad_shape: Shape, options: Window
) -> Problem:
    spec = _forward(function, count, input_shape, weight_shape, grad_shape, options)
    gradient = input_gradient(spec).spec._replace(conj=True)
    layout = Layout(
        reshape_move(gradient.input_shape),
        transpose_move(spec.kernel_shape, (0, 2, 1)),
        reshape_move(gradient.output_shape, input_shape),
        *(gradient.batch, gradient.groups, gradient.channels, gradient.filters),
    )
    return Problem(layout, gradient, input_shape)


@planning()
def _weight_problem(
    function: str, count: int, input_shape: Shape, weight_shape: Shape, grad_shape: Shape, options: Window
) -> Problem:
    spec = _forward(function, count, input_shape, weight_shape, grad_shape, options)
    gradient = kernel_gradient(spec)._replace(conj=True)
    layout = Layout(
        transpose_move(spec.input_shape, (2, 1, 0)),
        transpose_move(spec.output_shape, (1, 2, 0)),
        transpose_move(gradient.output_shape, (1, 2, 0), weight_shape),  # from (channels, groups, filters, *k)
        *(gradient.batch, gradient.groups, gradient.channels, gradient.filters),
    )
    return Problem(layout, gradient, weight_shape)


def _forward(
    function: str, count: int, input_shape: Shape, weight_shape: Shape, grad_shape: Shape, options: Window
) -> Spec:
    """Return the convolution whose output has the gradient `grad_output`."""
    spatial_axes(function, weight_shape, count)
    spec = specified(function, batched(function, "input", input_shape, count), weight_shape, options)
    shape = result_shape(spec, len(input_shape) == count + 1)
    if grad_shape != shape:
        raise ValueError(
            f"{function}: `grad_output` must have the shape of the convolution's output. Got {grad_shape}, but input "
            f"{input_shape} and weight {weight_shape} with stride={options.stride}, padding={options.padding}, "
            f"dilation={options.dilation}, groups={options.groups} give {shape}."
        )
    return spec
