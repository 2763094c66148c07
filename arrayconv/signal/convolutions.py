"""Convolutions and correlations: over all axes, or over some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from arrayconv._errors import flag
from arrayconv._problem.axes import Mode
from arrayconv._signal import convolution, shapes, timing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayLike, ArrayT, NumPyLike

__all__ = [
    "choose_conv_method",
    "convolve",
    "correlate",
    "correlation_lags",
    "fftconvolve",
    "oaconvolve",
]

Method = Literal["auto", "direct", "fft"]


@overload
def convolve(in1: NumPyLike, in2: ArrayLike, mode: Mode = "full", method: Method = "auto") -> NDArray[Any]: ...
@overload
def convolve(in1: ArrayT, in2: ArrayLike, mode: Mode = "full", method: Method = "auto") -> ArrayT: ...
def convolve(in1: Any, in2: ArrayLike, mode: Mode = "full", method: Method = "auto") -> Any:
    """Convolve two N-dimensional arrays over all their axes.

    Parameters
    ----------
    in1, in2 : array or nested list
        Inputs with as many axes as each other, of one library and device.
    mode : {'full', 'valid', 'same'}
        Sizes per axis: n + k - 1; abs(n - k) + 1, where one input must cover the other on every axis, in either order;
        or n, the part of 'full' that starts at (k - 1) // 2.
    method : {'auto', 'direct', 'fft'}
        'auto' runs the fastest by the cost model, 'direct' a method whose error is bounded element by element,
        'fft' a spectral one.

    Returns
    -------
    array
        Of the inputs' library, device and NumPy result dtype, or the nearest the device has. Of bool: the logical or.

    Raises
    ------
    ValueError
        If a flag is unknown, dimensionalities differ, 'valid' has no larger input, or an input is empty.
    TypeError
        If the inputs are of two libraries or devices, or of a dtype without a convolution (object, longdouble).

    Notes
    -----
    O(n k) operations directly, O(n log n) by FFT. Equals `scipy.signal.convolve` up to rounding, except:

    * integers are exact (modulo their width) by 'fft' too, and bool is logical by 'fft' too;
    * bool and float16 work in any number of dimensions;
    * NaN gives no warning, and 'fft' does not spread it.

    Examples
    --------
    >>> from arrayconv.signal import convolve
    >>> convolve([1, 2, 3], [0, 1, 10], mode="same")
    array([ 1, 12, 23])
    """
    return convolution.everywhere("convolve", "convolve", in1, in2, mode, method)


@overload
def correlate(in1: NumPyLike, in2: ArrayLike, mode: Mode = "full", method: Method = "auto") -> NDArray[Any]: ...
@overload
def correlate(in1: ArrayT, in2: ArrayLike, mode: Mode = "full", method: Method = "auto") -> ArrayT: ...
def correlate(in1: Any, in2: ArrayLike, mode: Mode = "full", method: Method = "auto") -> Any:
    """Cross-correlate two N-dimensional arrays over all their axes; `in2` is conjugated.

    Parameters
    ----------
    in1, in2 : array or nested list
        Inputs with as many axes as each other, of one library and device.
    mode : {'full', 'valid', 'same'}
        Sizes per axis: n + k - 1; abs(n - k) + 1, where one input must cover the other on every axis, in either order;
        or n, the part of 'full' that starts at lag ``-(k // 2)``.
    method : {'auto', 'direct', 'fft'}
        'auto' runs the fastest by the cost model, 'direct' a method whose error is bounded element by element,
        'fft' a spectral one.

    Returns
    -------
    array
        Of the inputs' library, device and NumPy result dtype, or the nearest the device has. Of bool: the logical or.
        `correlation_lags` gives the lag of every output. Exchanging the inputs reverses and conjugates it.

    Raises
    ------
    ValueError
        If a flag is unknown, dimensionalities differ, 'valid' has no larger input, or an input is empty.
    TypeError
        If the inputs are of two libraries or devices, or of a dtype without a convolution (object, longdouble).

    Notes
    -----
    O(n k) operations directly, O(n log n) by FFT. Equals `scipy.signal.correlate` up to rounding, except:

    * integers are exact (modulo their width) by 'fft' too, and bool is logical by 'fft' too;
    * bool and float16 work in any number of dimensions;
    * NaN gives no warning, and 'fft' does not spread it.

    Examples
    --------
    >>> from arrayconv.signal import correlate
    >>> correlate([1, 2, 3], [0, 1, 10], mode="same")
    array([21, 32,  3])
    """
    return convolution.everywhere("correlate", "correlate", in1, in2, mode, method)


@overload
def fftconvolve(
    in1: NumPyLike, in2: ArrayLike, mode: Mode = "full", axes: int | Sequence[int] | None = None
) -> NDArray[Any]: ...
@overload
def fftconvolve(
    in1: ArrayT, in2: ArrayLike, mode: Mode = "full", axes: int | Sequence[int] | None = None
) -> ArrayT: ...
def fftconvolve(in1: Any, in2: ArrayLike, mode: Mode = "full", axes: int | Sequence[int] | None = None) -> Any:
    """Convolve two N-dimensional arrays, with the FFT's error bound, over all axes or those named.

    Parameters
    ----------
    in1, in2 : array or nested list
        Inputs with as many axes as each other; axes not in `axes` must be equal or 1 and broadcast.
    mode : {'full', 'valid', 'same'}
        Sizes per convolved axis: n + k - 1; abs(n - k) + 1, where one input must cover the other; or n, the part of
        'full' that starts at (k - 1) // 2. For 'valid', axes of length 1 in either input count for neither.
    axes : int or sequence of int, optional
        The convolved axes; all by default.

    Returns
    -------
    array
        Of the inputs' library and device. Integers and bool are transformed as float64 and float16 as float32, which
        sets the dtype; where no axis is longer than 1 in both inputs nothing is, and NumPy's result dtype stays. Empty
        inputs give shape (0,).

    Raises
    ------
    ValueError
        If `mode` or `axes` is not valid, or shapes don't match.
    TypeError
        If the inputs are of two libraries or devices, or of a dtype without a convolution (object, longdouble).

    Notes
    -----
    Computed by FFT where the cost model predicts that it is fastest; few taps are summed directly, which is never less
    exact. ``convolve(method="fft")`` always transforms. Equals `scipy.signal.fftconvolve` up to rounding, except:

    * 'same' with `axes` keeps every batch row where `in2` has more of them than `in1`;
    * NaN stays within its window, and huge finite data does not overflow on its way.

    Examples
    --------
    >>> from arrayconv.signal import fftconvolve
    >>> fftconvolve([[1.0, 2.0, 3.0]], [[1.0, 1.0], [0.0, 2.0]], mode="same", axes=1).shape
    (2, 3)
    """
    return convolution.broadcast("fftconvolve", in1, in2, mode, axes)


@overload
def oaconvolve(
    in1: NumPyLike, in2: ArrayLike, mode: Mode = "full", axes: int | Sequence[int] | None = None
) -> NDArray[Any]: ...
@overload
def oaconvolve(in1: ArrayT, in2: ArrayLike, mode: Mode = "full", axes: int | Sequence[int] | None = None) -> ArrayT: ...
def oaconvolve(in1: Any, in2: ArrayLike, mode: Mode = "full", axes: int | Sequence[int] | None = None) -> Any:
    """Convolve two N-dimensional arrays over all axes or those named; `fftconvolve` by another name.

    Parameters
    ----------
    in1, in2 : array or nested list
        Inputs with as many axes as each other; axes not in `axes` must be equal or 1 and broadcast.
    mode : {'full', 'valid', 'same'}
        Sizes per convolved axis: n + k - 1; abs(n - k) + 1, where one input must cover the other; or n, the part of
        'full' that starts at (k - 1) // 2. For 'valid', axes of length 1 in either input count for neither.
    axes : int or sequence of int, optional
        The convolved axes; all by default.

    Returns
    -------
    array
        Of the inputs' library and device. Integers and bool are transformed as float64 and float16 as float32, which
        sets the dtype; where no axis is longer than 1 in both inputs nothing is, and NumPy's result dtype stays. Empty
        inputs give shape (0,).

    Raises
    ------
    ValueError
        If `mode` or `axes` is not valid, or shapes don't match.
    TypeError
        If the inputs are of two libraries or devices, or of a dtype without a convolution (object, longdouble).

    Notes
    -----
    The same as `fftconvolve`: the cost model chooses tiles, by overlap-save, where one input is much longer than the
    other: O(n log k) operations. Equals `scipy.signal.oaconvolve` up to rounding, except:

    * 'same' with `axes` keeps every batch row where `in2` has more of them than `in1`;
    * NaN stays within its window, and huge finite data does not overflow on its way.

    Examples
    --------
    >>> from arrayconv.signal import oaconvolve
    >>> oaconvolve([1.0, 0.0, 0.0, 2.0], [1.0, 1.0]).shape
    (5,)
    """
    return convolution.broadcast("oaconvolve", in1, in2, mode, axes)


@overload
def choose_conv_method(
    in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", measure: Literal[False] = False
) -> Literal["direct", "fft"]: ...
@overload
def choose_conv_method(
    in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", *, measure: Literal[True]
) -> tuple[Literal["direct", "fft"], dict[str, float]]: ...
def choose_conv_method(in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", measure: bool = False) -> Any:
    """Return which method `convolve` and `correlate` would run: 'direct' or 'fft'.

    Parameters
    ----------
    in1, in2 : array or nested list
        Inputs with as many axes as each other, of one library and device.
    mode : {'full', 'valid', 'same'}
        Sizes per axis: n + k - 1; abs(n - k) + 1, where one input must cover the other on every axis; or n.
    measure : bool
        Time both methods instead of using the cost model.

    Returns
    -------
    method : str
        'direct' or 'fft', of the same exactness for integers.
    times : dict of str to float
        Seconds of each; only with `measure`.

    Raises
    ------
    ValueError
        If `mode` is unknown, dimensionalities differ, or 'valid' has no larger input.
    TypeError
        If the inputs are of two libraries or devices, or of a dtype without a convolution (object, longdouble).
    NotImplementedError
        If `measure` is set under a trace, where arrays have no values.

    Notes
    -----
    The result is for this package on this array library and device, so it may differ from SciPy's for the same shapes.
    It depends on shapes and dtypes alone, never on values.

    Examples
    --------
    >>> from arrayconv.signal import choose_conv_method
    >>> choose_conv_method([1.0, 2.0, 3.0], [1.0, 1.0])
    'direct'
    """
    if flag("choose_conv_method", "measure", measure):
        times = timing.seconds("choose_conv_method", in1, in2, mode)
        return min(times, key=lambda method: times[method]), times
    return convolution.choice("choose_conv_method", in1, in2, mode)


def correlation_lags(in1_len: int, in2_len: int, mode: Mode = "full") -> NDArray[np.int64]:
    """Return the lag of every output of a one-dimensional `correlate`.

    Parameters
    ----------
    in1_len, in2_len : int
        Sizes of the inputs.
    mode : {'full', 'valid', 'same'}
        Which outputs `correlate` returns: n + k - 1, abs(n - k) + 1 or n of them.

    Returns
    -------
    numpy.ndarray of int64
        ``lags[i]`` is the l of ``sum_n in1[n + l] * conj(in2[n])`` at output i.

    Raises
    ------
    ValueError
        If the mode is unknown.
    TypeError
        If a size is no integer.

    Notes
    -----
    Equals `scipy.signal.correlation_lags`, except for 'same' of an odd `in1_len` with an even `in2_len`, where SciPy's
    lags are one more than those of its own `correlate`.

    Examples
    --------
    >>> from arrayconv.signal import correlation_lags
    >>> correlation_lags(5, 2, mode="same")
    array([-1,  0,  1,  2,  3])
    """
    return shapes.lags("correlation_lags", in1_len, in2_len, mode)
