"""For testing convolutions, ours or others': a reference, an error bound, and the adjoint check.

All work on the host in NumPy and share nothing with the algorithms: `reference` pads with `numpy.pad` and adds tap by
tap in extended precision (exact for integers), so it costs O(outputs * taps) and is for small problems.
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
    """The options of both functions that the definition depends on, unchecked except for the fill."""

    mode: str
    axes: Any
    boundary: Any
    fill_value: complex
    stride: Any
    dilation: Any
    lags: Any


class _Windows(NamedTuple):
    """Everything the definition sums over: the extended data, the kernel with x's axes, and the convolved axes."""

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
    """Return the result of `arrayconv.convolve` or `correlate`, computed from the definition on the host.

    Parameters
    ----------
    function : {'convolve', 'correlate'}
        Which of the two.
    x, kernel : numpy arrays
        Operands.
    mode : {'full', 'same', 'valid'}
        Which outputs: n + k_eff - 1, n or n - k_eff + 1 per axis, k_eff = dilation*(k - 1) + 1.
    axes : int or sequence of int, optional
        The convolved axes; None names all.
    boundary : str or one per axis
        How x is extended: 'constant', 'edge', 'symmetric', 'reflect', 'wrap'.
    fill_value : number
        The constant of 'constant'.
    stride, dilation : int or one per axis
        Step between outputs; distance between taps, in samples.
    lags : int, (first, last) or one of these per axis, optional
        Compute only these lags, ends included; of 'correlate' alone.

    Returns
    -------
    numpy.ndarray
        Integers: exact Python ints (object dtype), not wrapped. Floats: longdouble or clongdouble.

    Raises
    ------
    ValueError
        If an option is unknown, or sizes contradict each other.

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
    return _sum_taps(_windows("reference", function == "convolve", x, kernel, options))


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
    """Return a bound on the error of each output.

    Parameters
    ----------
    function : {'convolve', 'correlate'}
        Which of the two is bounded.
    x, kernel : numpy arrays
        Operands.
    mode, axes, boundary, fill_value, stride, dilation, lags
        The options of the call: which outputs, along which axes, how x is extended and by which constant, steps between
        outputs and between taps, selected lags.
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

    Raises
    ------
    ValueError
        If an option is unknown, or sizes contradict each other.

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
    names = [_dtype_name(argument, value) for argument, value in (("x", x), ("kernel", kernel))]
    name = dtype or dtypes.promote(*names) or "float64"
    options = _Options(mode, axes, boundary, fill_value, stride, dilation, lags)
    caller = "error_bound", function == "convolve"
    if dtypes.kind(name) == "integer":
        return np.zeros(_sum_taps(_windows(*caller, _wide(x), _wide(kernel), options)).shape)
    x, kernel, options = np.abs(_wide(x)), np.abs(_wide(kernel)), options._replace(fill_value=abs(fill_value))
    magnitudes = _windows(*caller, _wide(x), _wide(kernel), options)
    products = _sum_taps(magnitudes)
    terms = int(np.prod([axis.taps for axis in magnitudes.axes.values()]))
    factor = 4 if dtypes.kind(name) == "complex" else 1
    sums = dtypes.accumulator(name)
    last_rounding = dtypes.eps(name) * products if sums != name else 0
    underflow = (terms + 1) * dtypes.tiny(name)
    if accuracy == "normwise":
        norm = np.linalg.norm(magnitudes.x.astype(float)) * np.linalg.norm(magnitudes.kernel.astype(float))
        terms += int(12 * log2(max(2, magnitudes.x.size + magnitudes.kernel.size))) + 2
        products = np.full(products.shape, norm)
    return (factor * (terms + 2) * dtypes.eps(sums) * products + last_rounding + underflow).astype(float)


def check_adjoint(forward: Any, adjoint: Any, x: Any, y: Any, *, tolerance: float = 1e-12) -> None:
    """Raise AssertionError unless ``<forward(x), y> = <x, adjoint(y)>`` to a relative tolerance.

    Parameters
    ----------
    forward, adjoint : callables
        A linear map and its supposed adjoint; they take and return arrays that NumPy can read.
    x, y : arrays
        Points of the domain and of the range.
    tolerance : float
        Allowed difference, relative to the norms of both sides.

    Raises
    ------
    AssertionError
        If the two products differ by more, with both values.

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
    for name, value, point in (("forward", image, y), ("adjoint", back, x)):
        if value.size != point.size:
            pair = "`forward(x)` and `y`" if name == "forward" else "`adjoint(y)` and `x`"
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
    """Return an array whose sums are exact (Python ints) or almost exact (longdouble)."""
    array = np.asarray(values)
    if array.dtype.kind in "iuO":
        return array.astype(object)
    return array.astype(np.clongdouble if array.dtype.kind == "c" else np.longdouble)


def _numbers(function: str, argument: str, values: Any) -> Host:
    """Return a NumPy array of numbers; raises TypeError for anything else."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    exact = function != "check_adjoint" and all(isinstance(value, int) for value in array.flat)  # of any size
    if array.dtype.kind not in "biufc" and not exact:
        raise TypeError(f"{function}: `{argument}` must contain numbers. Got dtype {array.dtype}: {shown(values)}.")
    return array


def _dtype_name(argument: str, values: Host) -> str:
    """Return the name of a supported dtype; integers beyond 64 bits, which are exact here, count as int64."""
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
    convolved = _axes(function, x, kernel, space, options)
    if isinstance(options.fill_value, complex) and not (x.dtype.kind == "c"):
        raise TypeError(
            f"{function}: `fill_value` must be of a kind that x can represent. Got {options.fill_value} for real x."
        )
    extended = [
        max(n, convolved[i].span(0, convolved[i].outputs)[1]) if i in convolved else n for i, n in enumerate(x.shape)
    ]
    check_result(
        function, tuple(extended), prod(extended), 16, "`lags`, `stride` and `dilation` determine how much of x is read"
    )
    for number, axis in convolved.items():
        lo, hi = axis.span(0, axis.outputs)
        pad = [(0, 0)] * x.ndim
        pad[number] = (max(0, -lo), max(0, hi - axis.size))
        # numpy.pad would store NumPy integers among Python's, and those overflow.
        fill_value: Any = np.asarray(options.fill_value, dtype=x.dtype)
        fill = {"constant_values": fill_value} if axis.boundary == "constant" else {}
        pad_mode: Any = axis.boundary
        x = np.pad(x, pad, mode=pad_mode, **fill) if any(pad[number]) else x
        x = x[(*(slice(None),) * number, slice(max(lo, 0), max(lo, 0) + hi - lo))]
    return _Windows(x, kernel, convolved, convolves)


def _axes(function: str, x: Host, kernel: Host, space: tuple[int, ...], options: _Options) -> dict[int, Axis]:
    count = len(space)
    options_per_axis = zip(
        space,
        positive_per_axis(function, "stride", options.stride, count),
        positive_per_axis(function, "dilation", options.dilation, count),
        boundary_per_axis(function, options.boundary, count),
        strict=True,
    )
    bare = [Axis(x.shape[n], kernel.shape[n], 0, stride=s, dilation=d, boundary=b) for n, s, d, b in options_per_axis]
    if options.lags is None:
        return {n: mode_axis(function, axis, options.mode) for n, axis in zip(space, bare, strict=True)}
    windows = lag_windows(function, options.lags, count)
    return {n: lag_axis(function, axis, window) for n, axis, window in zip(space, bare, windows, strict=True)}


def _sum_taps(w: _Windows) -> Host:
    """Return the sum of the products, one tap at a time."""
    total: Host = 0
    for tap in np.ndindex(*(axis.taps for axis in w.axes.values())):
        samples: list[Any] = [slice(None)] * w.x.ndim
        taps: list[Any] = [slice(None)] * w.x.ndim
        for (number, axis), k in zip(w.axes.items(), tap, strict=True):
            first = axis.dilation * k
            samples[number] = slice(first, first + axis.stride * (axis.outputs - 1) + 1, axis.stride)
            place = axis.taps - 1 - k if w.convolves else k
            taps[number] = slice(place, place + 1)
        total = total + w.x[tuple(samples)] * w.kernel[tuple(taps)]
    return np.asarray(total, dtype=np.result_type(w.x, w.kernel))  # also an array if there are no axes
