"""SciPy's sizes as `Axis` values: modes, the swap of 'valid', and which operand runs along the other.

SciPy's sizes are symmetric in a way the core's are not: 'valid' takes the larger operand as the data, whichever
it is. Convolution commutes, so any problem can be run with the roles exchanged (`exchanged`): the operand with more
samples becomes x, the other the kernel. A correlation is exchanged as the convolution with the reversed conjugate.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, Literal, NamedTuple

import numpy as np

from arrayconv._errors import listed, shown
from arrayconv._problem.axes import MODES, integer, is_iterable, mode_axis
from arrayconv._problem.boundary import Boundary
from arrayconv._problem.problem import Problem, paired
from arrayconv._problem.spec import Axis
from arrayconv._runtime.capacity import check_result
from arrayconv._runtime.tracing import planning

_INT64 = np.dtype(np.int64)
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
    """The problem, and which input is its x."""

    problem: Problem
    swapped: bool  # x is `in2`
    reverses: bool  # and then reversed and conjugated


@planning()
def translate(call: Request) -> Translated:
    """Lower a call whose flags and sizes were checked."""
    first, second = call.shapes
    sizes = [(first[label], second[label]) for label in call.space]
    axes = [axis_of(call.function, call.kind, n, k, call.mode, call.boundary) for n, k in sizes]
    swapped = call.may_swap and prod(n for n, _ in sizes) < prod(k for _, k in sizes)
    if swapped:
        first, second = second, first
        axes = [exchanged(axis) for axis in axes]
    correlates = call.kind != "convolve"
    unswapped = correlates and not swapped
    space = dict(zip(call.space, axes, strict=True))
    problem = paired(call.function, first, second, range(len(first)), space, flip=not unswapped, conj=unswapped)
    return Translated(problem, swapped, swapped and correlates)


def axis_of(function: str, kind: Kind, n: int, k: int, mode: str, boundary: Boundary = "constant") -> Axis:
    """Return the axis with `in1`, of n samples, as the data and `in2`, of k, as the kernel."""
    if mode == "valid" and n < k:
        return exchanged(mode_axis(function, Axis(k, n, 0), "valid"))
    axis = mode_axis(function, Axis(n, k, 0, boundary=boundary), mode)
    if mode == "same" and kind == "correlate2d":
        return axis._replace(before=(k - 1) // 2)  # a lag later than `correlate` for even kernels
    return axis


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
            f"{function}: {names} should have the same dimensionality. Got in1 of shape {shapes[0]} and in2 of "
            f"{shapes[1]}."
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
        entries = tuple(axes) if is_iterable(axes) else (axes,)
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


def lags(function: str, n: Any, k: Any, mode: Any) -> Any:
    """Return the lag of every output of a correlation of n samples with k."""
    try:
        first, stop = _lag_range(function, n, k, mode)
    except TypeError:  # an argument without a hash; the function itself raises the error
        first, stop = _lag_range.__wrapped__(function, n, k, mode)
    return np.arange(first, stop, dtype=_INT64)


@lru_cache(maxsize=1024, typed=True)
def _lag_range(function: str, n: Any, k: Any, mode: Any) -> tuple[int, int]:
    """Return the first lag, and the one after the last."""
    if not isinstance(mode, str) or mode not in MODES:
        word = mode if isinstance(mode, str) else shown(mode)
        raise ValueError(f"{function}: Mode {word} is invalid: `mode` must be one of {listed(MODES)}.")
    axis = axis_of(function, "correlate", integer(function, "in1_len", n), integer(function, "in2_len", k), mode)
    check_result(function, (axis.outputs,), axis.outputs, 8, "Ask for the lags of shorter `in1_len` or `in2_len`")
    return -axis.before, max(axis.outputs, 0) - axis.before


def check_filled(function: str, shapes: tuple[Shape, Shape], mode: str) -> None:
    """Raise ValueError for empty inputs where SciPy does; its 'same' of an empty `in1` is empty."""
    first, second = (0 in shape for shape in shapes)
    refused = second if mode == "same" else (first or second) and (mode == "full" or len(shapes[0]) == 1)
    if refused:
        raise ValueError(
            f"{function}: inputs cannot be empty in mode {mode!r}. Got shapes {shapes[0]} and {shapes[1]}."
        )


def empty_shape(function: str, shapes: tuple[Shape, Shape], mode: str) -> Shape:
    """Return the shape of a convolution with an empty `in2`, by the modes' formulas."""
    pairs = list(zip(*shapes, strict=True))
    if mode == "full" and any(n + k < 1 for n, k in pairs):
        raise ValueError(f"{function}: negative dimensions are not allowed. Got shapes {shapes[0]} and {shapes[1]}.")
    if mode == "full":
        return tuple(n + k - 1 for n, k in pairs)
    return shapes[0] if mode == "same" else tuple(abs(n - k) + 1 for n, k in pairs)
