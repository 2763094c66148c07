"""Convolutions and correlations of two-dimensional arrays with a boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from arrayconv._problem.axes import Mode
from arrayconv._signal import convolution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayLike, ArrayT, NumPyLike

__all__ = ["convolve2d", "correlate2d"]

Boundary = Literal["fill", "pad", "wrap", "circular", "symm", "symmetric"]


@overload
def convolve2d(
    in1: NumPyLike,
    in2: ArrayLike,
    mode: Mode = "full",
    boundary: Boundary = "fill",
    fillvalue: Any = 0,
) -> NDArray[Any]: ...
@overload
def convolve2d(
    in1: ArrayT,
    in2: ArrayLike,
    mode: Mode = "full",
    boundary: Boundary = "fill",
    fillvalue: Any = 0,
) -> ArrayT: ...
def convolve2d(
    in1: Any,
    in2: ArrayLike,
    mode: Mode = "full",
    boundary: Boundary = "fill",
    fillvalue: Any = 0,
) -> Any:
    """Convolve two 2-dimensional arrays, `in1` extended beyond its edges by a boundary.

    Parameters
    ----------
    in1, in2 : array or nested list, 2-D
        Image and kernel, of one library and device.
    mode : {'full', 'valid', 'same'}
        Sizes per axis: n + k - 1; abs(n - k) + 1, where one input must cover the other on every axis, in either order;
        or n, the part of 'full' that starts at (k - 1) // 2.
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
        If the inputs are of two libraries or devices, or of a dtype without a convolution (object, longdouble).

    Notes
    -----
    One multiply-add per tap and output, never by FFT: the error is bounded element by element, as SciPy's is.
    `convolve` is quicker for large kernels without a boundary. Equals `scipy.signal.convolve2d` up to rounding, except:

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


@overload
def correlate2d(
    in1: NumPyLike,
    in2: ArrayLike,
    mode: Mode = "full",
    boundary: Boundary = "fill",
    fillvalue: Any = 0,
) -> NDArray[Any]: ...
@overload
def correlate2d(
    in1: ArrayT,
    in2: ArrayLike,
    mode: Mode = "full",
    boundary: Boundary = "fill",
    fillvalue: Any = 0,
) -> ArrayT: ...
def correlate2d(
    in1: Any,
    in2: ArrayLike,
    mode: Mode = "full",
    boundary: Boundary = "fill",
    fillvalue: Any = 0,
) -> Any:
    """Cross-correlate two 2-dimensional arrays, `in1` extended beyond its edges by a boundary.

    Parameters
    ----------
    in1, in2 : array or nested list, 2-D
        Image and kernel, of one library and device; the kernel is conjugated.
    mode : {'full', 'valid', 'same'}
        Sizes per axis: n + k - 1; abs(n - k) + 1, where one input must cover the other on every axis, in either order;
        or n, the part of 'full' that starts at lag ``-((k - 1) // 2)``: for even kernels one sample
        later than `correlate`, as in SciPy.
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
        If the inputs are of two libraries or devices, or of a dtype without a convolution (object, longdouble).

    Notes
    -----
    One multiply-add per tap and output, never by FFT: the error is bounded element by element. Equals
    `scipy.signal.correlate2d` up to rounding, except:

    * bool (the logical or) and float16 work;
    * a fractional `fillvalue` of an integer result is refused instead of truncated.

    Examples
    --------
    >>> from arrayconv.signal import correlate2d
    >>> correlate2d([[1, 2], [3, 4]], [[1, 1]], mode="same", boundary="wrap")
    array([[3, 3],
           [7, 7]])
    """
    return convolution.planar("correlate2d", "correlate2d", in1, in2, mode, boundary, fillvalue)
