"""SciPy's sizes as `Axis` values: modes, the swap of 'valid', and which operand runs along the other.

SciPy's sizes are symmetric in a way the core's are not: 'valid' takes the larger operand as the data, wherever it
stands. Convolution commutes, so any problem can be run with the roles exchanged (`exchanged`): the operand with more
samples becomes x, the other the kernel. A correlation is exchanged as the convolution with the reversed conjugate.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, Literal, NamedTuple

from arrayconv._boundary import Boundary
from arrayconv._call import Problem
from arrayconv._layout import broadcast_layout
from arrayconv._shapes import MODES, mode_axis, padded_axis
from arrayconv._spec import Axis, Spec

Shape = tuple[int, ...]
Kind = Literal["convolve", "correlate", "correlate2d"]


class Request(NamedTuple):
    """A call of one of the functions, as hashable values."""

    function: str
    kind: Kind
    shapes: tuple[Shape, Shape]
    space: tuple[int, ...]  # the convolved axes, ascending; the others broadcast
    mode: str
    boundary: Boundary = "constant"
    may_swap: bool = True


class Translated(NamedTuple):
    """The problem, and whether `in2` is its x; a correlation then takes `in2` reversed and conjugated."""

    problem: Problem
    swapped: bool


@lru_cache(1024)
def translate(call: Request) -> Translated:
    """Lower a call whose flags and sizes were checked."""
    first, second = call.shapes
    sizes = [(first[label], second[label]) for label in call.space]
    axes = [_axis(call, *size) for size in sizes]
    swapped = call.may_swap and prod(n for n, _ in sizes) < prod(k for _, k in sizes)
    if swapped:
        first, second = second, first
        axes = [exchanged(axis) for axis in axes]
    outputs = dict(zip(call.space, (axis.outputs for axis in axes), strict=True))
    layout, shape = broadcast_layout(call.function, first, second, range(len(first)), outputs)
    counts = (layout.batch, layout.groups, layout.channels, layout.filters)
    correlates = call.kind != "convolve" and not swapped
    return Translated(Problem(layout, Spec(*counts, tuple(axes), flip=not correlates, conj=correlates), shape), swapped)


def _axis(call: Request, n: int, k: int) -> Axis:
    """Return the axis with `in1` as the data and `in2` as the kernel."""
    if call.mode == "valid" and n < k:
        return exchanged(mode_axis(call.function, Axis(k, n, 0), "valid"))
    axis = Axis(n, k, 0, boundary=call.boundary)
    if call.mode == "same" and call.kind == "correlate2d":
        return padded_axis(call.function, axis, "same")  # centred a sample later than `correlate` for even kernels
    return mode_axis(call.function, axis, call.mode)


def exchanged(axis: Axis) -> Axis:
    """Return the axis that gives the same outputs of a convolution with data and kernel exchanged."""
    return axis._replace(size=axis.taps, taps=axis.size, before=axis.before + axis.size - axis.taps)


def check_mode(function: str, mode: Any, wording: str = "Acceptable") -> None:
    """Raise ValueError unless `mode` is one of SciPy's."""
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"{function}: {wording} mode flags are 'valid', 'same', or 'full', not mode={mode}.")


def check_dimensions(function: str, shapes: tuple[Shape, Shape], names: str = "in1 and in2") -> None:
    """Raise ValueError unless both inputs have as many axes."""
    if len(shapes[0]) != len(shapes[1]):
        raise ValueError(
            f"{function}: {names} should have the same dimensionality. Got shapes {shapes[0]} and {shapes[1]}."
        )


def check_valid(function: str, shapes: tuple[Shape, Shape], mode: str, space: tuple[int, ...]) -> None:
    """Raise ValueError where mode 'valid' has no larger operand."""
    pairs = [(shapes[0][label], shapes[1][label]) for label in space]
    if mode == "valid" and not (all(n >= k for n, k in pairs) or all(k >= n for n, k in pairs)):
        raise ValueError(
            f"{function}: For 'valid' mode, one must be at least as large as the other in every dimension. "
            f"Got shapes {shapes[0]} and {shapes[1]}."
        )


def convolved_axes(function: str, axes: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes named by `axes`, non-negative and ascending; None names all."""
    if axes is None:
        return tuple(range(ndim))
    try:
        entries = tuple(axes) if hasattr(axes, "__iter__") else (axes,)
        numbers = [entry.__index__() for entry in entries]
    except (AttributeError, TypeError):
        raise ValueError(f"{function}: axes must be a scalar or iterable of integers. Got {axes!r}.") from None
    if not numbers:
        raise ValueError(f"{function}: when provided, axes cannot be empty. Leave out axes= to name all.")
    if any(not -ndim <= number < ndim for number in numbers):
        raise ValueError(f"{function}: axes exceeds dimensionality of input. Got {axes!r} for {ndim} dimensions.")
    normal = sorted(number % ndim for number in numbers)
    if len(set(normal)) != len(normal):
        raise ValueError(f"{function}: all axes must be unique. Got {axes!r} for {ndim} dimensions.")
    return tuple(normal)


def check_broadcast(function: str, shapes: tuple[Shape, Shape], axes: tuple[int, ...]) -> None:
    """Raise ValueError where axes that are not convolved don't broadcast."""
    pairs = [pair for label, pair in enumerate(zip(*shapes, strict=True)) if label not in axes]
    if any(n != k and 1 not in (n, k) for n, k in pairs):
        raise ValueError(
            f"{function}: incompatible shapes for in1 and in2: {shapes[0]} and {shapes[1]}. Axes that are not "
            f"convolved must be equal or 1. Got axes {axes}."
        )


def empty_shape(shapes: tuple[Shape, Shape], mode: str) -> Shape:
    """Return the shape of a convolution with an empty operand, by the modes' formulas."""
    pairs = list(zip(*shapes, strict=True))
    if mode == "full":
        return tuple(n + k - 1 for n, k in pairs)
    return shapes[0] if mode == "same" else tuple(abs(n - k) + 1 for n, k in pairs)
