"""scipy.signal's convolutions under their own names: change the import and keep the call, on any array library.

Signatures, defaults, sizes, swap rules, dtypes and exception types are SciPy's; each docstring lists what differs on
purpose. For all of them: arrays stay on their library and device, nothing passes through NumPy, and gradients, `jit`
and `vmap` work where the library has them. NaN and infinities contaminate only the outputs whose window contains them,
by every method, and one in the operand with fewer samples contaminates every output. Object and longdouble arrays are
refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from arrayconv._errors import flag
from arrayconv._problem.axes import Mode
from arrayconv._signal import convolution, resampling, shapes, timing

__all__ = [
    "choose_conv_method",
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "correlation_lags",
    "fftconvolve",
    "oaconvolve",
    "upfirdn",
]

Method = Literal["auto", "direct", "fft"]


def convolve(in1: Any, in2: Any, mode: Mode = "full", method: Method = "auto") -> Any:
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
    Equals `scipy.signal.convolve` up to rounding, except:

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


def correlate(in1: Any, in2: Any, mode: Mode = "full", method: Method = "auto") -> Any:
    """Cross-correlate two N-dimensional arrays over all their axes; `in2` is conjugated.

    Parameters
    ----------
    in1, in2, mode, method
        As in `convolve`; 'same' starts at lag ``-(k // 2)``.

    Returns
    -------
    array
        As in `convolve`; `correlation_lags` gives the lag of every output. Exchanging the inputs reverses and
        conjugates it.

    Raises
    ------
    ValueError, TypeError
        As in `convolve`.

    Notes
    -----
    Differs from `scipy.signal.correlate` as `convolve` does from its namesake.

    Examples
    --------
    >>> from arrayconv.signal import correlate
    >>> correlate([1, 2, 3], [0, 1, 10], mode="same")
    array([21, 32,  3])
    """
    return convolution.everywhere("correlate", "correlate", in1, in2, mode, method)


def fftconvolve(in1: Any, in2: Any, mode: Mode = "full", axes: int | Sequence[int] | None = None) -> Any:
    """Convolve two N-dimensional arrays, with the FFT's error bound, over all axes or those named.

    Parameters
    ----------
    in1, in2 : array or nested list
        Inputs with as many axes as each other; axes not in `axes` must be equal or 1 and broadcast.
    mode : {'full', 'valid', 'same'}
        As in `convolve`, on the convolved axes. For 'valid', axes of length 1 in either input count for neither.
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
        As in `convolve`.

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


def oaconvolve(in1: Any, in2: Any, mode: Mode = "full", axes: int | Sequence[int] | None = None) -> Any:
    """Convolve two N-dimensional arrays over all axes or those named; `fftconvolve` by another name.

    Parameters
    ----------
    in1, in2, mode, axes
        As in `fftconvolve`.

    Returns
    -------
    array
        As `fftconvolve` gives.

    Raises
    ------
    ValueError, TypeError
        As in `fftconvolve`.

    Notes
    -----
    The same as `fftconvolve`: the cost model chooses tiles, by overlap-save, where one input is much longer than the
    other. Differs from `scipy.signal.oaconvolve` as `fftconvolve` does from its namesake.

    Examples
    --------
    >>> from arrayconv.signal import oaconvolve
    >>> oaconvolve([1.0, 0.0, 0.0, 2.0], [1.0, 1.0]).shape
    (5,)
    """
    return convolution.broadcast("oaconvolve", in1, in2, mode, axes)


def convolve2d(in1: Any, in2: Any, mode: Mode = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    """Convolve two 2-dimensional arrays, `in1` extended beyond its edges by a boundary.

    Parameters
    ----------
    in1, in2 : array or nested list, 2-D
        Image and kernel, of one library and device.
    mode : {'full', 'valid', 'same'}
        As in `convolve`.
    boundary : {'fill', 'wrap', 'symm'}
        `fillvalue`, the opposite edge ('circular' is the same), or the image mirrored with its edge samples doubled
        ('symmetric' is the same). The image is extended as often as the kernel needs.
    fillvalue : number
        The constant of 'fill'.

    Returns
    -------
    array
        Of the inputs' library, device and NumPy result dtype, or the nearest the device has.

    Raises
    ------
    ValueError
        If a flag is unknown, inputs are not 2-D, 'valid' has no larger input, `fillvalue` is no number the result's
        dtype holds, or an empty image would have to be extended.
    TypeError
        As in `convolve`.

    Notes
    -----
    Never by FFT: the error is bounded element by element, as SciPy's is. `convolve` is quicker for large kernels
    without a boundary. Equals `scipy.signal.convolve2d` up to rounding, except:

    * bool (the logical or) and float16 work;
    * a fractional `fillvalue` of an integer result is refused instead of truncated.

    Examples
    --------
    >>> from arrayconv.signal import convolve2d
    >>> convolve2d([[1, 2], [3, 4]], [[1, 1]], mode="same", boundary="symm")
    array([[2, 3],
           [6, 7]])
    """
    return convolution.planar("convolve2d", "convolve", in1, in2, mode, boundary, fillvalue)


def correlate2d(in1: Any, in2: Any, mode: Mode = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    """Cross-correlate two 2-dimensional arrays, `in1` extended beyond its edges by a boundary.

    Parameters
    ----------
    in1, in2, mode, boundary, fillvalue
        As in `convolve2d`; `in2` is conjugated. 'same' starts at lag ``-((k - 1) // 2)``: for even kernels one sample
        later than `correlate`, as in SciPy.

    Returns
    -------
    array
        As in `convolve2d`.

    Raises
    ------
    ValueError, TypeError
        As in `convolve2d`.

    Notes
    -----
    Differs from `scipy.signal.correlate2d` as `convolve2d` does from its namesake.

    Examples
    --------
    >>> from arrayconv.signal import correlate2d
    >>> correlate2d([[1, 2], [3, 4]], [[1, 1]], mode="same", boundary="wrap")
    array([[3, 3],
           [7, 7]])
    """
    return convolution.planar("correlate2d", "correlate2d", in1, in2, mode, boundary, fillvalue)


def choose_conv_method(in1: Any, in2: Any, mode: Mode = "full", measure: bool = False) -> Any:
    """Return which method `convolve` and `correlate` would run: 'direct' or 'fft'.

    Parameters
    ----------
    in1, in2, mode
        As in `convolve`.
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
    ValueError, TypeError
        As `convolve` would.
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


def correlation_lags(in1_len: int, in2_len: int, mode: Mode = "full") -> Any:
    """Return the lag of every output of a one-dimensional `correlate`.

    Parameters
    ----------
    in1_len, in2_len : int
        Sizes of the inputs.
    mode : {'full', 'valid', 'same'}
        As in `correlate`.

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


def upfirdn(
    h: Any, x: Any, up: int = 1, down: int = 1, axis: int = -1, mode: str = "constant", cval: complex = 0
) -> Any:
    """Upsample by zeros, filter and downsample along one axis.

    Parameters
    ----------
    h : array or list, 1-D
        Coefficients of the filter.
    x : array or nested list
        Signals, of the same library and device.
    up, down : int
        Upsampling and downsampling factors: ``up - 1`` zeros are inserted between samples before the filter, and every
        `down`-th output is returned. Zeros are never multiplied.
    axis : int
        The axis filtered; the others are a batch.
    mode : str
        How the signal is extended beyond its ends, before it is upsampled: 'constant' (`cval`), 'symmetric', 'reflect',
        'edge' or 'wrap' as in `numpy.pad`; 'smooth' by the slope of the two outermost samples, 'line' by the slope
        between the first and the last, 'antisymmetric' and 'antireflect' by point reflection.
    cval : number
        The constant of 'constant'.

    Returns
    -------
    array
        Like `x`, ``((n - 1) * up + len(h) - 1) // down + 1`` samples along `axis`, in NumPy's result dtype of `h`, `x`
        and float32, or the nearest the device has.

    Raises
    ------
    ValueError
        If `h` is not 1-D or is empty, `up` or `down` is below 1 or fractional, or the mode is unknown.
    IndexError
        If `x` has no such axis.
    TypeError
        As in `convolve`, or if `cval` is complex and the result is not.

    Notes
    -----
    Never by FFT: the error is bounded element by element. Equals `scipy.signal.upfirdn` up to rounding, except:

    * a fractional `up` or `down` is refused instead of truncated;
    * a single sample is continued as a constant by 'reflect', 'antireflect', 'smooth' and 'line', and an empty signal
      only by 'constant': SciPy divides by zero or reads outside of the array.

    Examples
    --------
    >>> from arrayconv.signal import upfirdn
    >>> upfirdn([1, 1, 1], [1.0, 2.0, 3.0], up=3)
    array([1., 1., 1., 2., 2., 2., 3., 3., 3.])
    """
    return resampling.filtered("upfirdn", h, x, (up, down), axis, mode, cval)
