"""The gradients of a convolution as calls of their own: the maps of `_gradient`, with the axes brought to their places.

The convolution itself is specified first, which checks its shapes and says what `grad_output` must look like. For
complex data the gradients are the adjoints, which take the conjugate of the other operand.
"""

from __future__ import annotations

from typing import Any

from arrayconv import _call, _tape, _warm
from arrayconv._gradient import input_gradient, kernel_gradient
from arrayconv._layout import Layout, Shape
from arrayconv._nn.arguments import Window, size, window
from arrayconv._nn.shapes import answer, batched, kept, reordered, spatial_axes, specified
from arrayconv._problem import Problem
from arrayconv._spec import Spec
from arrayconv._tracing import planning, shape_of
from arrayconv._xp import Operands, operands


def of_input(function: str, input_size: Any, weight: Any, grad_output: Any, geometry: tuple[Any, ...]) -> Any:
    """Return the gradient with respect to an input of shape `input_size`.

    `geometry` is the number of spatial axes, stride, padding, dilation and groups of the convolution.
    """
    return _warm.call(function, grad_output, weight, (input_size, *geometry), _input_prepared)


def _input_prepared(
    function: str, grad_output: Any, weight: Any, options: tuple[Any, ...], _bias: Any
) -> _warm.Prepared:
    input_size, count, *geometry = options
    shape = size(function, "input_size", input_size)
    found = operands(function, grad_output, weight, None, ("grad_output", "weight"))
    chosen = window(function, count, *geometry)
    problem = _input_problem(function, count, shape, shape_of(found.kernel), shape_of(found.x), chosen)
    return _warm.Prepared(found, problem, _call.Options())


def of_weight(function: str, input: Any, weight_size: Any, grad_output: Any, geometry: tuple[Any, ...]) -> Any:
    """Return the gradient with respect to a weight of shape `weight_size`; `geometry` as in `of_input`."""
    return _warm.call(function, input, grad_output, (weight_size, *geometry), _weight_prepared)


def _weight_prepared(
    function: str, input: Any, grad_output: Any, options: tuple[Any, ...], _bias: Any
) -> _warm.Prepared:
    weight_size, count, *geometry = options
    shape = size(function, "weight_size", weight_size)
    found = operands(function, input, grad_output, None, ("input", "grad_output"))
    chosen = window(function, count, *geometry)
    problem = _weight_problem(function, count, shape_of(found.x), shape, shape_of(found.kernel), chosen)
    finish = _conjugated if found.traits.output.startswith("complex") else None
    return _warm.Prepared(found, problem, _call.Options(), finish)


def _conjugated(back: Any, _bias: Any, _given: Any, found: Operands) -> Any:
    """Return the gradient of complex data from what the spec asks for."""
    conj = found.xp.conj  # conj(x) with dy is the conjugate of x with conj(dy)
    _tape.note((), lambda: lambda dy, wanted: (conj(dy), ()))
    return conj(back)


@planning()
def _input_problem(
    function: str, count: int, input_shape: Shape, weight_shape: Shape, grad_shape: Shape, options: Window
) -> Problem:
    spec = _forward(function, count, input_shape, weight_shape, grad_shape, options)
    gradient = input_gradient(spec).spec._replace(conj=True)
    layout = Layout(
        kept(gradient.input_shape),
        reordered(spec.kernel_shape, (0, 2, 1)),
        kept(gradient.output_shape, input_shape),
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
        reordered(spec.input_shape, (2, 1, 0)),
        reordered(spec.output_shape, (1, 2, 0)),
        reordered(gradient.output_shape, (1, 2, 0), weight_shape),  # from (channels, groups, filters, *k)
        *(gradient.batch, gradient.groups, gradient.channels, gradient.filters),
    )
    return Problem(layout, gradient, weight_shape)


def _forward(
    function: str, count: int, input_shape: Shape, weight_shape: Shape, grad_shape: Shape, options: Window
) -> Spec:
    """Return the convolution whose output has the gradient `grad_output`."""
    spatial_axes(function, weight_shape, count)
    spec = specified(function, batched(function, "input", input_shape, count), weight_shape, options)
    shape = answer(spec, len(input_shape) == count + 1)
    if grad_shape != shape:
        raise ValueError(
            f"{function}: `grad_output` must have the shape of the convolution's output. Got {grad_shape}, but input "
            f"{input_shape} and weight {weight_shape} with stride={options.stride}, padding={options.padding}, "
            f"dilation={options.dilation}, groups={options.groups} give {shape}."
        )
    return spec
