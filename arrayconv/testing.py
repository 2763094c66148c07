"""For testing convolutions, ours or others': a reference, the error bound it may be held to, and the adjoint check.

All work on the host in NumPy and share nothing with the algorithms: `reference` pads with `numpy.pad` and adds tap by
tap in extended precision (exact for integers), so it costs O(outputs * taps) and serves small problems.
"""

from __future__ import annotations

from math import log2, prod
from typing import Any, Literal, NamedTuple

import numpy as np

from arrayconv._arrays import dtypes
from arrayconv._arrays.dtype_names import requested_dtype_name
from arrayconv._calls import prepare
from arrayconv._errors import check_option, shown
from arrayconv._problem.axes import (
    MODES,
    boundary_per_axis,
    convolved_axes,
    lag_axis,
    lag_windows,
    mode_axis,
    positive_per_axis,
    real,
)
from arrayconv._problem.spec import Axis
from arrayconv._runtime.capacity import check_result

__all__ = ["check_adjoint", "error_bound", "reference"]

Host = Any  # a NumPy array of any dtype, longdouble and object included


class _Options(NamedTuple):
    """The options of both functions that a definition depends on, as given but for the fill, which is checked."""

    mode: str
    axes: Any
    boundary: Any
    fill_value: complex
    stride: Any
    dilation: Any
    lags: Any


class _Windows(NamedTuple):
    """Everything the definition sums over: the extended data, the kernel with x's axes, and the axes met."""

    x: Host
    kernel: Host
    axes: dict[int, Axis]
    convolves: bool


def reference(
    function: Literal["convolve", "correlate"],
    x: Any,
    kernel: Any,
    mode: str = "full",
    *,
    axes: Any = None,
    boundary: Any = "constant",
    fill_value: complex = 0,
    stride: Any = 1,
    dilation: Any = 1,
    lags: Any = None,
) -> Host:
    """Return what `arrayconv.convolve` or `correlate` should, from the definition, on the host.

    Parameters
    ----------
    function : {'convolve', 'correlate'}
        Which of the two.
    x, kernel : numpy arrays
        Operands; other options as in `arrayconv.correlate`.

    Returns
    -------
    numpy.ndarray
        Integers: exact Python ints (object dtype), not wrapped. Floats: longdouble or clongdouble.

    Raises
    ------
    ValueError
        As the functions themselves.

    Examples
    --------
    >>> from arrayconv.testing import reference
    >>> reference("correlate", [1, 2, 3], [1, 10], "same").tolist()
    [10, 21, 32]
    """
    check_option("reference", "function", function, ("convolve", "correlate"))
    check_option("reference", "mode", mode, MODES)
    x, kernel = _wide(_numbers("reference", "x", x)), _wide(_numbers("reference", "kernel", kernel))
    fill = prepare.options("reference", "auto", "normwise", None, fill_value).fill_value
    options = _Options(mode, axes, boundary, fill, stride, dilation, lags)
    return _swept(_windows("reference", function == "convolve", x, kernel, options))


def error_bound(
    function: Literal["convolve", "correlate"],
    x: Any,
    kernel: Any,
    mode: str = "full",
    *,
    accuracy: Literal["normwise", "componentwise"] = "normwise",
    dtype: str | None = None,
    axes: Any = None,
    boundary: Any = "constant",
    fill_value: complex = 0,
    stride: Any = 1,
    dilation: Any = 1,
    lags: Any = None,
) -> Host:
    """Return how far each output may be from the exact one.

    Parameters
    ----------
    function, x, kernel, mode, axes, boundary, fill_value, stride, dilation, lags
        As in `reference`.
    accuracy : {'normwise', 'componentwise'}
        'componentwise': ``c * (terms + 2) * eps * (|x| convolved with |kernel|)`` plus an underflow term, c = 1 for
        real and 4 for complex data. 'normwise': ``c * (terms + 12 * log2(samples) + 4) * eps * |X|_2 * |kernel|_2``,
        X the extended data; the transforms' share is Higham (2002), Theorem 24.2.
    dtype : str, optional
        Dtype of the result, by default the operands' common one. Integers are exact: the bound is 0.

    Returns
    -------
    numpy.ndarray of float64
        Absolute bound per output.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv.testing import error_bound
    >>> bool(error_bound("convolve", np.ones(4), np.ones(2)).max() < 1e-13)
    True
    """
    check_option("error_bound", "function", function, ("convolve", "correlate"))
    check_option("error_bound", "mode", mode, MODES)
    fill_value = prepare.options("error_bound", "auto", accuracy, None, fill_value).fill_value
    x, kernel = _numbers("error_bound", "x", x), _numbers("error_bound", "kernel", kernel)
    dtype = None if dtype is None else requested_dtype_name("error_bound", dtype)
    own = [_dtype_name(argument, value) for argument, value in (("x", x), ("kernel", kernel))]
    name = dtype or dtypes.promote(*own) or "float64"
    options = _Options(mode, axes, boundary, fill_value, stride, dilation, lags)
    called = "error_bound", function == "convolve"
    if dtypes.kind(name) == "integer":
        return np.zeros(_swept(_windows(*called, _wide(x), _wide(kernel), options)).shape)
    x, kernel, options = np.abs(_wide(x)), np.abs(_wide(kernel)), options._replace(fill_value=abs(fill_value))
    sizes = _windows(*called, _wide(x), _wide(kernel), options)
    products = _swept(sizes)
    terms = int(np.prod([axis.taps for axis in sizes.axes.values()]))
    factor = 4 if dtypes.kind(name) == "complex" else 1
    sums = dtypes.accumulator(name)
    last_rounding = dtypes.eps(name) * products if sums != name else 0
    underflow = (terms + 1) * dtypes.tiny(name)
    if accuracy == "normwise":
        norm = np.linalg.norm(sizes.x.astype(float)) * np.linalg.norm(sizes.kernel.astype(float))
        terms += int(12 * log2(max(2, sizes.x.size + sizes.kernel.size))) + 2
        products = np.full(products.shape, norm)
    return (factor * (terms + 2) * dtypes.eps(sums) * products + last_rounding + underflow).astype(float)


def check_adjoint(forward: Any, adjoint: Any, x: Any, y: Any, *, tolerance: float = 1e-12) -> None:
    """Raise AssertionError unless ``<forward(x), y> = <x, adjoint(y)>`` to a relative tolerance.

    Parameters
    ----------
    forward, adjoint : callables
        A linear map and what is claimed to be its adjoint; they take and return arrays numpy can read.
    x, y : arrays
        Points of the domain and of the range.
    tolerance : float
        Allowed difference, relative to the norms of both sides.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv.testing import check_adjoint
    >>> check_adjoint(lambda x: 2 * x, lambda y: 2 * y, np.ones(3), np.ones(3))
    """
    for name, value in (("forward", forward), ("adjoint", adjoint)):
        if not callable(value):
            raise TypeError(f"check_adjoint: `{name}` must be a function. Got {shown(value)}.")
    tolerance = real("check_adjoint", "tolerance", tolerance)
    if not tolerance >= 0:
        raise ValueError(f"check_adjoint: `tolerance` must be at least 0. Got {tolerance}.")
    x, y = _numbers("check_adjoint", "x", x), _numbers("check_adjoint", "y", y)
    image, back = np.asarray(forward(x)), np.asarray(adjoint(y))
    for claim, value, point in (("forward", image, y), ("adjoint", back, x)):
        if value.size != point.size:
            pair = "`forward(x)` and `y`" if claim == "forward" else "`adjoint(y)` and `x`"
            raise ValueError(f"check_adjoint: {pair} must have one shape. Got {value.shape} and {point.shape}.")
    left: Any = np.vdot(np.asarray(y), image)
    right: Any = np.vdot(back, np.asarray(x))
    scale = np.linalg.norm(image) * np.linalg.norm(np.asarray(y)) + np.linalg.norm(back) * np.linalg.norm(np.asarray(x))
    if not abs(left - right) <= tolerance * scale:
        raise AssertionError(
            f"check_adjoint: <A x, y> must equal <x, A* y>. Got {left} and {right}, which differ by "
            f"{abs(left - right):.3g}, more than {tolerance:.1g} of {scale:.3g}."
        )


def _wide(values: Any) -> Host:
    """Return an array in which sums are exact (Python ints) or nearly so (longdouble)."""
    array = np.asarray(values)
    if array.dtype.kind in "iuO":
        return array.astype(object)
    return array.astype(np.clongdouble if array.dtype.kind == "c" else np.longdouble)


def _numbers(function: str, argument: str, values: Any) -> Host:
    """Return an array of numbers, whatever NumPy reads them from."""
    found = values if isinstance(values, np.ndarray) else np.asarray(values)
    exact = function != "check_adjoint" and all(isinstance(value, int) for value in found.flat)  # of any size
    if found.dtype.kind not in "biufc" and not exact:
        raise TypeError(f"{function}: `{argument}` must hold numbers. Got dtype {found.dtype}: {shown(values)}.")
    return found


def _dtype_name(argument: str, values: Host) -> str:
    """Return the name of a dtype with a convolution; integers beyond 64 bits, which are exact here, count as int64."""
    return "int64" if values.dtype == object else dtypes.checked("error_bound", argument, values.dtype.name)


def _windows(function: str, convolves: bool, x: Host, kernel: Host, options: _Options) -> _Windows:
    space = convolved_axes(function, x.ndim, kernel.ndim, options.axes)
    if kernel.ndim != x.ndim:
        order = np.argsort(space)
        shape = [1] * x.ndim
        for axis in space:
            shape[axis] = kernel.shape[space.index(axis)]
        kernel = np.transpose(kernel, order).reshape(shape)
    if not convolves:
        kernel = np.conjugate(kernel)
    found = _met(function, x, kernel, space, options)
    if isinstance(options.fill_value, complex) and not (x.dtype.kind == "c"):
        raise TypeError(f"{function}: `fill_value` must be of a kind x holds. Got {options.fill_value} for real x.")
    extended = [max(n, found[i].span(0, found[i].outputs)[1]) if i in found else n for i, n in enumerate(x.shape)]
    read = prod(extended)
    check_result(function, tuple(extended), read, 16, "`lags`, `stride` and `dilation` say how much of x is read")
    for number, axis in found.items():
        lo, hi = axis.span(0, axis.outputs)
        pad = [(0, 0)] * x.ndim
        pad[number] = (max(0, -lo), max(0, hi - axis.size))
        # numpy.pad would store its own integers among Python's, and those wrap.
        filling: Any = np.asarray(options.fill_value, dtype=x.dtype)
        fill = {"constant_values": filling} if axis.boundary == "constant" else {}
        how: Any = axis.boundary
        x = np.pad(x, pad, mode=how, **fill) if any(pad[number]) else x
        x = x[(*(slice(None),) * number, slice(max(lo, 0), max(lo, 0) + hi - lo))]
    return _Windows(x, kernel, found, convolves)


def _met(function: str, x: Host, kernel: Host, space: tuple[int, ...], options: _Options) -> dict[int, Axis]:
    count = len(space)
    each = zip(
        space,
        positive_per_axis(function, "stride", options.stride, count),
        positive_per_axis(function, "dilation", options.dilation, count),
        boundary_per_axis(function, options.boundary, count),
        strict=True,
    )
    bare = [Axis(x.shape[n], kernel.shape[n], 0, stride=s, dilation=d, boundary=b) for n, s, d, b in each]
    if options.lags is None:
        return {n: mode_axis(function, axis, options.mode) for n, axis in zip(space, bare, strict=True)}
    windows = lag_windows(function, options.lags, count)
    return {n: lag_axis(function, axis, window) for n, axis, window in zip(space, bare, windows, strict=True)}


def _swept(w: _Windows) -> Host:
    """Add the products tap by tap."""
    total: Host = 0
    for tap in np.ndindex(*(axis.taps for axis in w.axes.values())):
        samples: list[Any] = [slice(None)] * w.x.ndim
        chosen: list[Any] = [slice(None)] * w.x.ndim
        for (number, axis), k in zip(w.axes.items(), tap, strict=True):
            first = axis.dilation * k
            samples[number] = slice(first, first + axis.stride * (axis.outputs - 1) + 1, axis.stride)
            place = axis.taps - 1 - k if w.convolves else k
            chosen[number] = slice(place, place + 1)
        total = total + w.x[tuple(samples)] * w.kernel[tuple(chosen)]
    return np.asarray(total, dtype=np.result_type(w.x, w.kernel))  # of no axes too
