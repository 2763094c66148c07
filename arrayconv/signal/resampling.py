"""Filters between samples that are inserted and samples that are left out: other rates of a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from arrayconv._signal import polyphase, resampling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayLike, ArrayT, NumPyLike

__all__ = ["decimate", "resample_poly", "upfirdn"]

Extension = Literal[
    "constant", "symmetric", "reflect", "edge", "wrap", "smooth", "line", "antisymmetric", "antireflect"
]
Background = Literal["mean", "median", "minimum", "maximum"]


@overload
def upfirdn(
    h: ArrayLike,
    x: NumPyLike,
    up: int = 1,
    down: int = 1,
    axis: int = -1,
    mode: Extension = "constant",
    cval: complex = 0,
) -> NDArray[Any]: ...
@overload
def upfirdn(
    h: ArrayLike, x: ArrayT, up: int = 1, down: int = 1, axis: int = -1, mode: Extension = "constant", cval: complex = 0
) -> ArrayT: ...
def upfirdn(
    h: ArrayLike, x: Any, up: int = 1, down: int = 1, axis: int = -1, mode: Extension = "constant", cval: complex = 0
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
        If arrays are of two libraries or devices, or of a dtype without a convolution (object, longdouble), or `cval`
        is complex and the result is not.

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


@overload
def resample_poly(
    x: NumPyLike,
    up: int,
    down: int,
    axis: int = 0,
    window: Any = ("kaiser", 5.0),
    padtype: Extension | Background = "constant",
    cval: complex | None = None,
) -> NDArray[Any]: ...
@overload
def resample_poly(
    x: ArrayT,
    up: int,
    down: int,
    axis: int = 0,
    window: Any = ("kaiser", 5.0),
    padtype: Extension | Background = "constant",
    cval: complex | None = None,
) -> ArrayT: ...
def resample_poly(
    x: Any,
    up: int,
    down: int,
    axis: int = 0,
    window: Any = ("kaiser", 5.0),
    padtype: Extension | Background = "constant",
    cval: complex | None = None,
) -> Any:
    """Resample a signal along one axis to up / down of its rate, by a polyphase FIR filter without delay.

    Parameters
    ----------
    x : array or nested list
        Signals.
    up, down : int
        Upsampling and downsampling factors; a common divisor is removed.
    axis : int
        The axis resampled; the others are a batch.
    window : str, tuple, float or array, optional
        Window of a low-pass filter with 20 * max(up, down) + 1 taps that is designed here, as `scipy.signal.firwin`
        names it: a name, (name, parameters...), or the beta of 'kaiser'. An array or list is the filter itself: it is
        multiplied by `up`, and its delay of (taps - 1) // 2 samples is removed.
    padtype : str
        How the signal is extended: any `mode` of `upfirdn`; 'mean', 'median', 'minimum' and 'maximum' subtract that
        of each line, filter the difference, and add it again.
    cval : number, optional
        The constant of 'constant', 0 by default.

    Returns
    -------
    array
        Like `x`, ``ceil(n * up / down)`` samples along `axis`. The filter that is designed here has the dtype of `x`,
        float64 beside integers; the result's dtype is that of `upfirdn`.

    Raises
    ------
    ValueError
        If `up` or `down` is below 1 or fractional, `window` or `padtype` is unknown, `window` is an array and not 1-D,
        or `cval` is passed with another `padtype` than 'constant'.
    IndexError
        If `x` has no such axis.
    TypeError
        If arrays are of two libraries or devices, or of a dtype without a convolution (object, longdouble), `cval` is
        complex and the result is not, or for a median, minimum or maximum of complex samples.

    Notes
    -----
    Computes the outputs alone, each from the taps that multiply a sample: about ``20 * max(up, down) / up``
    multiply-adds per output. Never by FFT. Equals `scipy.signal.resample_poly` up to rounding, except:

    * integers are cast to float64 before a background is subtracted, where SciPy's wrap;
    * windows that are no formula ('chebwin', 'dpss', 'taylor') are refused: pass the taps.

    Source: F. J. Harris, Multirate Signal Processing for Communication Systems, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv.signal import resample_poly
    >>> y = resample_poly(np.ones(6), 3, 2, padtype="edge")
    >>> y.shape, bool(abs(y - 1).max() < 1e-2)
    ((9,), True)
    """
    return polyphase.resampled("resample_poly", x, up, down, axis, window, padtype, cval)


@overload
def decimate(
    x: NumPyLike, q: int, n: int | None = None, ftype: Any = "iir", axis: int = -1, zero_phase: bool = True
) -> NDArray[Any]: ...
@overload
def decimate(
    x: ArrayT, q: int, n: int | None = None, ftype: Any = "iir", axis: int = -1, zero_phase: bool = True
) -> ArrayT: ...
def decimate(x: Any, q: int, n: int | None = None, ftype: Any = "iir", axis: int = -1, zero_phase: bool = True) -> Any:
    """Return every q-th sample of a signal along one axis, after a low-pass FIR filter.

    Parameters
    ----------
    x : array or nested list
        Signals.
    q : int
        The downsampling factor.
    n : int, optional
        Order of the filter: one less than its taps. ``20 * q`` by default.
    ftype : {'fir'} or system
        'fir' designs a low-pass filter under a Hamming window; a system without poles, such as `scipy.signal.dlti`,
        is used as it is. 'iir', SciPy's default, is refused.
    axis : int
        The axis decimated; the others are a batch.
    zero_phase : bool
        Whether the filter's delay of ``n // 2`` samples is removed.

    Returns
    -------
    array
        Like `x`, ``ceil(n / q)`` samples along `axis`; of integers float64.

    Raises
    ------
    NotImplementedError
        If `ftype` is 'iir' or a system with poles: a recursion is no convolution.
    ValueError
        If `q` is below 1, `n` below 0, or `ftype` is neither a name nor a system.
    IndexError
        If `x` has no such axis.
    TypeError
        If `x` is of a dtype without a convolution (object, longdouble), or the filter of another library or device.

    Notes
    -----
    Computes the outputs alone: ``20 * q + 1`` multiply-adds each. Equals ``scipy.signal.decimate(ftype="fir")`` up to
    rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv.signal import decimate
    >>> decimate(np.ones(100), 4, ftype="fir").shape
    (25,)
    """
    return polyphase.decimated("decimate", x, q, n, ftype, axis, zero_phase)
