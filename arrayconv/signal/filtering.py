"""FIR filters of signals and images: `lfilter` without a recursion, `sepfir2d`, and Savitzky-Golay's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from arrayconv._kernels import taps
from arrayconv._signal import fir, smoothing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayLike, ArrayT, NumPyLike

__all__ = ["lfilter", "savgol_coeffs", "savgol_filter", "sepfir2d"]


@overload
def lfilter(b: ArrayLike, a: ArrayLike, x: NumPyLike, axis: int = -1, zi: None = None) -> NDArray[Any]: ...
@overload
def lfilter(b: ArrayLike, a: ArrayLike, x: ArrayT, axis: int = -1, zi: None = None) -> ArrayT: ...
@overload
def lfilter(
    b: ArrayLike, a: ArrayLike, x: NumPyLike, axis: int = -1, *, zi: ArrayLike
) -> tuple[NDArray[Any], NDArray[Any]]: ...
@overload
def lfilter(b: ArrayLike, a: ArrayLike, x: ArrayT, axis: int = -1, *, zi: ArrayLike) -> tuple[ArrayT, ArrayT]: ...
def lfilter(b: ArrayLike, a: ArrayLike, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """Filter a signal along one axis with a causal FIR filter: ``y[n] = sum_k b[k] * x[n - k] / a[0]``.

    Parameters
    ----------
    b : array or list, 1-D
        Coefficients of the filter.
    a : number, list or array of 1 element
        What they are divided by. More than one coefficient is a recursion, which is refused.
    x : array or nested list
        Signals, of the library of `b`.
    axis : int
        The axis filtered; the others are a batch.
    zi : array, optional
        State of the filter's ``len(b) - 1`` delays before the first sample: of the shape of `x` with that many entries
        along `axis`, or 1 along other axes.

    Returns
    -------
    y : array
        Like `x`, in NumPy's result dtype of all arguments; a number `a` counts as int64 or float64, as in SciPy.
    zf : array
        State of the delays after the last sample; only with `zi`. It is the `zi` of the next block.

    Raises
    ------
    NotImplementedError
        If `a` has more than one coefficient, or the result's dtype is an integer or narrower than float32.
    ValueError
        If `b` is not 1-D or is empty, `a` is 0, or `zi` has another shape.
    IndexError
        If `x` has no such axis.
    TypeError
        If arrays are of two libraries or devices, or of a dtype without a convolution (object, longdouble).

    Notes
    -----
    ``len(b)`` multiply-adds per sample, never by FFT: the error is bounded element by element. Equals
    `scipy.signal.lfilter` up to rounding, except: an `a`
    of 0 is refused where it is a number.

    Examples
    --------
    >>> from arrayconv.signal import lfilter
    >>> lfilter([0.5, 0.5], 1, [2.0, 4.0, 6.0])
    array([1., 3., 5.])
    >>> lfilter([0.5, 0.5], 1, [2.0, 4.0, 6.0], zi=[3.0])
    (array([4., 3., 5.]), array([3.]))
    """
    return fir.filtered("lfilter", b, a, x, axis, zi)


@overload
def sepfir2d(input: NumPyLike, hrow: ArrayLike, hcol: ArrayLike) -> NDArray[Any]: ...
@overload
def sepfir2d(input: ArrayT, hrow: ArrayLike, hcol: ArrayLike) -> ArrayT: ...
def sepfir2d(input: Any, hrow: ArrayLike, hcol: ArrayLike) -> Any:
    """Convolve an image with a filter along its rows and one along its columns, both centred.

    Parameters
    ----------
    input : array or nested list, 2-D
        The image, extended beyond its edges by mirroring, edge samples doubled ('symm' of `convolve2d`).
    hrow, hcol : array or list, 1-D
        Odd numbers of taps along the rows (the last axis) and along the columns.

    Returns
    -------
    array
        Of the shape of `input`, in NumPy's result dtype of it and float32.

    Raises
    ------
    ValueError
        If `input` is not 2-D or has no samples, or a filter has an even number of taps.
    TypeError
        If the taps' dtype is wider than the result's, or arrays are of two libraries or devices, or of a dtype without
        a convolution (object, longdouble).

    Notes
    -----
    ``len(hrow) + len(hcol)`` multiply-adds per pixel, never by FFT. Equals `scipy.signal.sepfir2d` up to rounding.

    Examples
    --------
    >>> from arrayconv.signal import sepfir2d
    >>> sepfir2d([[1.0, 2.0], [3.0, 4.0]], [1, 1, 1], [1])
    array([[ 4.,  5.],
           [10., 11.]])
    """
    return fir.separable("sepfir2d", input, hrow, hcol)


@overload
def savgol_coeffs(
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    pos: float | None = None,
    use: Literal["conv", "dot"] = "conv",
    *,
    xp: None = None,
    device: Any = None,
) -> NDArray[Any]: ...
@overload
def savgol_coeffs(
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    pos: float | None = None,
    use: Literal["conv", "dot"] = "conv",
    *,
    xp: Any,
    device: Any = None,
) -> Any: ...
def savgol_coeffs(
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    pos: float | None = None,
    use: Literal["conv", "dot"] = "conv",
    *,
    xp: Any = None,
    device: Any = None,
) -> Any:
    """Return the weights of a Savitzky-Golay filter, each the exact fraction rounded once.

    Parameters
    ----------
    window_length : int
        Samples in the window, odd or even.
    polyorder : int
        Order of the polynomial fitted by least squares, less than `window_length`.
    deriv : int
        Which derivative of it is evaluated, 0 for its value.
    delta : float
        Distance between samples, by which derivatives are divided.
    pos : float, optional
        Where in the window, from 0 to `window_length` - 1; the centre by default.
    use : {'conv', 'dot'}
        Whether the weights are reversed, for a convolution, or in the order of the samples.
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape (window_length,)
        Of float64, or float32 where the device has no float64.

    Raises
    ------
    ValueError
        If an argument is out of range, or `use` is unknown.
    TypeError
        If `xp` is no namespace.

    See Also
    --------
    arrayconv.kernels.savgol : the same kernel with a dtype.

    Notes
    -----
    Source: A. Savitzky, M. J. E. Golay, Analytical Chemistry 36 (1964). `scipy.signal.savgol_coeffs` solves the same
    problem in floating point: its weights of order 12 on 21 samples are wrong by 2e-5 of the largest.

    Examples
    --------
    >>> from arrayconv.signal import savgol_coeffs
    >>> savgol_coeffs(5, 2) * 35
    array([-3., 12., 17., 12., -3.])
    """
    weights = smoothing.coefficients("savgol_coeffs", window_length, polyorder, deriv, delta, pos, use)
    return taps.array("savgol_coeffs", weights, xp, device)


@overload
def savgol_filter(
    x: NumPyLike,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    axis: int = -1,
    mode: Literal["interp", "mirror", "constant", "nearest", "wrap"] = "interp",
    cval: float = 0.0,
) -> NDArray[Any]: ...
@overload
def savgol_filter(
    x: ArrayT,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    axis: int = -1,
    mode: Literal["interp", "mirror", "constant", "nearest", "wrap"] = "interp",
    cval: float = 0.0,
) -> ArrayT: ...
def savgol_filter(
    x: Any,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    axis: int = -1,
    mode: Literal["interp", "mirror", "constant", "nearest", "wrap"] = "interp",
    cval: float = 0.0,
) -> Any:
    """Smooth or differentiate a signal along one axis by polynomials fitted to windows (Savitzky-Golay).

    Parameters
    ----------
    x : array or nested list
        Signals.
    window_length : int
        Samples in the window, odd or even.
    polyorder : int
        Order of the polynomial fitted by least squares, less than `window_length`.
    deriv : int
        Which derivative of it is evaluated, 0 for its value.
    delta : float
        Distance between samples, by which derivatives are divided.
    axis : int
        The axis filtered; the others are a batch.
    mode : {'interp', 'mirror', 'constant', 'nearest', 'wrap'}
        How the ends are computed: 'interp' by the polynomials of the first and the last window; the others from an
        extended signal: 'mirror' (d c b | a b c d | c b a), 'constant' (`cval`), 'nearest' (a a | a b c d | d d),
        'wrap' (c d | a b c d | a b).
    cval : number
        The constant of 'constant'.

    Returns
    -------
    array
        Like `x`: float32, float64 and complex dtypes stay, others become float64.

    Raises
    ------
    ValueError
        If `mode` is unknown, an argument is out of range, or mode 'interp' has a window longer than the signal.
    IndexError
        If `x` has no such axis.
    TypeError
        If `x` is of a dtype without a convolution.

    Notes
    -----
    `window_length` multiply-adds per sample, and ``2 * (polyorder + 1) * window_length`` per line for the ends of
    'interp'; never by FFT. Equals `scipy.signal.savgol_filter` up to rounding, except:

    * the weights are exact (`savgol_coeffs`), also at the ends;
    * sums of float32 data are in float32;
    * complex signals are filtered, where SciPy drops the imaginary part.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv.signal import savgol_filter
    >>> cubes = np.arange(8.0) ** 3
    >>> bool(abs(savgol_filter(cubes, 5, 3, deriv=1) - 3 * np.arange(8.0) ** 2).max() < 1e-9)
    True
    """
    return smoothing.smoothed("savgol_filter", x, window_length, polyorder, deriv, delta, axis, mode, cval)
