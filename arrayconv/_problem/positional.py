"""Translation of calls whose axes pair by number, shared by `convolve` and `Convolver`.

The axes that the kernel runs along become the spatial axes; the others broadcast, and become batch, groups or filters
according to which operand has them longer than 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arrayconv._errors import check_option
from arrayconv._problem.axes import (
    MODES,
    boundary_per_axis,
    convolved_axes,
    integer,
    is_sequence,
    lag_axis,
    lag_windows,
    mode_axis,
    positive_per_axis,
)
from arrayconv._problem.problem import Problem, paired
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import planning


class Geometry(NamedTuple):
    """The options that determine shapes, as hashable values."""

    mode: Any
    axes: Any
    boundary: Any
    stride: Any
    dilation: Any
    lags: Any = None
    correlates: bool = False  # the kernel is conjugated and not flipped


def _is_strided(stride: Any) -> bool:
    return any(entry != 1 for entry in (stride if is_sequence(stride) else (stride,)))


def correlated(function: str, mode: Any, axes: Any, boundary: Any, stride: Any, dilation: Any, lags: Any) -> Geometry:
    """Return the geometry of a call that takes a mode or lags, but not both."""
    if lags is not None and (mode is not None or _is_strided(stride)):
        raise ValueError(
            f"{function}: `lags` says which outputs to compute, so it excludes `mode` and `stride`. "
            f"Got lags={lags!r}, mode={mode!r}, stride={stride!r}. Leave them out."
        )
    return geometry(function, "full" if mode is None else mode, axes, boundary, stride, dilation, lags)


def geometry(
    function: str, mode: Any, axes: Any, boundary: Any, stride: Any, dilation: Any, lags: Any = None
) -> Geometry:
    """Return the options that position windows, checked and hashable."""
    numbers = {"axes": axes, "stride": stride, "dilation": dilation, "lags": lags}
    frozen = {name: _frozen(function, name, value) for name, value in numbers.items()}
    boundary = tuple(boundary) if is_sequence(boundary) else boundary
    return Geometry(mode, boundary=boundary, correlates=lags is not None, **frozen)


def _frozen(function: str, argument: str, value: Any) -> Any:
    """Return integers as ints and sequences of them as tuples: a cache key in which 2.0 and 2 differ."""
    if isinstance(value, (list, tuple, range)) or (isinstance(value, np.ndarray) and value.ndim):
        entries = value.tolist() if isinstance(value, np.ndarray) else value
        return tuple(_frozen(function, argument, entry) for entry in entries)
    return None if value is None else integer(function, argument, value)


def check_taps(function: str, kernel_shape: tuple[int, ...]) -> None:
    """Raise ValueError for a kernel without taps."""
    if 0 in kernel_shape:
        raise ValueError(f"{function}: `kernel` must have at least one tap on every axis. Got shape {kernel_shape}.")


@planning()
def problem(
    function: str,
    x_shape: tuple[int, ...],
    kernel_shape: tuple[int, ...],
    geometry: Geometry,
    piece: tuple[int, Axis] | None = None,
) -> Problem:
    """Translate shapes and options into the one operation; raises for shapes that contradict them.

    `piece` is an axis of x and, in place of what the mode says, its outputs and where they begin: of a part of x.
    """
    space, kernel_labels, bare = _bare_axes(function, x_shape, kernel_shape, geometry)
    parts = {} if piece is None else dict([piece])
    windows = [None] * len(space) if geometry.lags is None else lag_windows(function, geometry.lags, len(space))
    pairs = {
        label: parts[label] if label in parts else _placed(function, bare[label], geometry.mode, window)
        for label, window in zip(space, windows, strict=True)
    }
    conj = geometry.correlates
    return paired(function, x_shape, kernel_shape, kernel_labels, pairs, flip=not conj, conj=conj)


@planning()
def axis_of(
    function: str, x_shape: tuple[int, ...], kernel_shape: tuple[int, ...], geometry: Geometry, label: int
) -> Axis | None:
    """Return one axis of x without outputs; None if the kernel does not run along it."""
    return _bare_axes(function, x_shape, kernel_shape, geometry)[2].get(label)


def _placed(function: str, axis: Axis, mode: Any, window: tuple[int, int] | None) -> Axis:
    return mode_axis(function, axis, mode) if window is None else lag_axis(function, axis, window)


def _bare_axes(
    function: str, x_shape: tuple[int, ...], kernel_shape: tuple[int, ...], geometry: Geometry
) -> tuple[tuple[int, ...], tuple[int, ...], dict[int, Axis]]:
    """Return the convolved axes of x, the axis of x of each kernel axis, and the former without outputs."""
    check_option(function, "mode", geometry.mode, MODES)
    space = convolved_axes(function, len(x_shape), len(kernel_shape), geometry.axes)
    check_taps(function, kernel_shape)
    kernel_labels = tuple(range(len(x_shape))) if len(kernel_shape) == len(x_shape) else space
    taps = dict(zip(kernel_labels, kernel_shape, strict=True))
    count = len(space)
    strides = positive_per_axis(function, "stride", geometry.stride, count)
    dilations = positive_per_axis(function, "dilation", geometry.dilation, count)
    boundaries = boundary_per_axis(function, geometry.boundary, count)
    bare = {
        label: Axis(x_shape[label], taps[label], 0, stride=s, dilation=d, boundary=b)
        for label, s, d, b in zip(space, strides, dilations, boundaries, strict=True)
    }
    return space, kernel_labels, bare
