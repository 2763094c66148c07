"""First and second derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from arrayconv._ndimage import combined, filters
from arrayconv._ndimage.filters import Request

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayT, FilterModes, NumPyLike, PerAxis

__all__ = ["gaussian_gradient_magnitude", "gaussian_laplace", "laplace", "prewitt", "sobel"]


@overload
def sobel(
    input: NumPyLike, axis: int = -1, output: Any = None, mode: FilterModes = "reflect", cval: complex = 0.0
) -> NDArray[Any]: ...
@overload
def sobel(
    input: ArrayT, axis: int = -1, output: Any = None, mode: FilterModes = "reflect", cval: complex = 0.0
) -> ArrayT: ...
def sobel(input: Any, axis: int = -1, output: Any = None, mode: FilterModes = "reflect", cval: complex = 0.0) -> Any:
    """Return Sobel's derivative: [-1, 0, 1] along `axis`, then [1, 2, 1] along every other axis.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    axis : int
        The axis of the derivative.
    output : dtype, its name, or array, optional
        Dtype of the result, or an array of the input's shape to write to, which may overlap the input and is returned.
        None is the input's dtype. Integers are cut toward zero and wrap, once per one-dimensional pass. For a complex
        result a real dtype is refused, and a real array is refused.
    mode : str or one per filtered axis
        How the input is extended: 'reflect' or 'grid-mirror' (d c b a | a b c d | d c b a), 'constant' or
        'grid-constant' (`cval`), 'nearest' (a a | a b c d | d d), 'mirror' (d c b | a b c d | c b a), 'wrap' or
        'grid-wrap' (c d | a b c d | a b).
    cval : number
        The constant of 'constant'.

    Returns
    -------
    array
        Of the input's shape, library and device; `output` itself where that was an array.

    Raises
    ------
    RuntimeError
        If a dtype or `mode` is not supported, an `output` array has another shape, or a sequence has another length.
    ValueError
        If an axis is out of range.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One pass of three taps per axis. Sums are formed in float64 (float32 where the device has none) and rounded once per
    pass, never by a transform. Source: `scipy.ndimage.sobel`; what differs on purpose is described in
    `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.sobel([[1, 1, 5, 5], [1, 1, 5, 5]])
    array([[ 0, 16, 16,  0],
           [ 0, 16, 16,  0]])
    """
    return filters.gradient(Request("sobel", input, output, mode, cval), axis, (1, 2, 1))


@overload
def prewitt(
    input: NumPyLike, axis: int = -1, output: Any = None, mode: FilterModes = "reflect", cval: complex = 0.0
) -> NDArray[Any]: ...
@overload
def prewitt(
    input: ArrayT, axis: int = -1, output: Any = None, mode: FilterModes = "reflect", cval: complex = 0.0
) -> ArrayT: ...
def prewitt(input: Any, axis: int = -1, output: Any = None, mode: FilterModes = "reflect", cval: complex = 0.0) -> Any:
    """Return Prewitt's derivative: [-1, 0, 1] along `axis`, then [1, 1, 1] along every other axis.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    axis : int
        The axis of the derivative.
    output : dtype, its name, or array, optional
        Dtype of the result, or an array of the input's shape to write to, which may overlap the input and is returned.
        None is the input's dtype. Integers are cut toward zero and wrap, once per one-dimensional pass. For a complex
        result a real dtype is refused, and a real array is refused.
    mode : str or one per filtered axis
        How the input is extended: 'reflect' or 'grid-mirror' (d c b a | a b c d | d c b a), 'constant' or
        'grid-constant' (`cval`), 'nearest' (a a | a b c d | d d), 'mirror' (d c b | a b c d | c b a), 'wrap' or
        'grid-wrap' (c d | a b c d | a b).
    cval : number
        The constant of 'constant'.

    Returns
    -------
    array
        Of the input's shape, library and device; `output` itself where that was an array.

    Raises
    ------
    RuntimeError
        If a dtype or `mode` is not supported, an `output` array has another shape, or a sequence has another length.
    ValueError
        If an axis is out of range.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One pass of three taps per axis. Sums are formed in float64 (float32 where the device has none) and rounded once per
    pass, never by a transform. Source: `scipy.ndimage.prewitt`; what differs on purpose is described in
    `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.prewitt([[1, 1, 5, 5], [1, 1, 5, 5]])
    array([[ 0, 12, 12,  0],
           [ 0, 12, 12,  0]])
    """
    return filters.gradient(Request("prewitt", input, output, mode, cval), axis, (1, 1, 1))


@overload
def laplace(
    input: NumPyLike,
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    *,
    axes: PerAxis | None = None,
) -> NDArray[Any]: ...
@overload
def laplace(
    input: ArrayT,
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    *,
    axes: PerAxis | None = None,
) -> ArrayT: ...
def laplace(
    input: Any, output: Any = None, mode: FilterModes = "reflect", cval: complex = 0.0, *, axes: PerAxis | None = None
) -> Any:
    """Return the sum of second differences, [1, -2, 1], along all axes.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    output : dtype, its name, or array, optional
        Dtype of the result, or an array of the input's shape to write to, which may overlap the input and is returned.
        None is the input's dtype. Integers are cut toward zero and wrap, once per one-dimensional pass. For a complex
        result a real dtype is refused, and a real array is refused.
    mode : str or one per filtered axis
        How the input is extended: 'reflect' or 'grid-mirror' (d c b a | a b c d | d c b a), 'constant' or
        'grid-constant' (`cval`), 'nearest' (a a | a b c d | d d), 'mirror' (d c b | a b c d | c b a), 'wrap' or
        'grid-wrap' (c d | a b c d | a b).
    cval : number
        The constant of 'constant'.
    axes : int or sequence of int, optional
        The axes to filter, None for all; sequences per axis follow their order.

    Returns
    -------
    array
        Of the input's shape, library and device; `output` itself where that was an array.

    Raises
    ------
    RuntimeError
        If a dtype or `mode` is not supported, an `output` array has another shape, or a sequence has another length.
    ValueError
        If an axis is out of range.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One pass of three taps per axis, and their sum. Sums are formed in float64 (float32 where the device has none) and
    rounded once per pass, never by a transform. Source: `scipy.ndimage.laplace`; what differs on purpose is described
    in `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.laplace([0, 0, 1, 0, 0])
    array([ 0,  1, -2,  1,  0])
    """
    return combined.laplace(Request("laplace", input, output, mode, cval), axes)


@overload
def gaussian_laplace(
    input: NumPyLike,
    sigma: float | Sequence[float],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    *,
    axes: PerAxis | None = None,
    **kwargs: Any,
) -> NDArray[Any]: ...
@overload
def gaussian_laplace(
    input: ArrayT,
    sigma: float | Sequence[float],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    *,
    axes: PerAxis | None = None,
    **kwargs: Any,
) -> ArrayT: ...
def gaussian_laplace(
    input: Any,
    sigma: float | Sequence[float],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    *,
    axes: PerAxis | None = None,
    **kwargs: Any,
) -> Any:
    """Return the sum of a Gaussian's second derivatives along all axes.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    sigma : float or one per axis
        Standard deviation in samples. A sequence follows the order of `axes` only where some axes are left out, as in
        SciPy.
    output : dtype, its name, or array, optional
        Dtype of the result, or an array of the input's shape to write to, which may overlap the input and is returned.
        None is the input's dtype. Integers are cut toward zero and wrap, once per one-dimensional pass. For a complex
        result a real dtype is refused, and a real array is refused.
    mode : str or one per filtered axis
        How the input is extended: 'reflect' or 'grid-mirror' (d c b a | a b c d | d c b a), 'constant' or
        'grid-constant' (`cval`), 'nearest' (a a | a b c d | d d), 'mirror' (d c b | a b c d | c b a), 'wrap' or
        'grid-wrap' (c d | a b c d | a b).
    cval : number
        The constant of 'constant'.
    axes : int or sequence of int, optional
        The axes to filter, None for all; sequences per axis follow their order.
    **kwargs
        `truncate`, where the tails are cut in standard deviations (4.0), and `radius`, taps on each side of the centre
        (int or one per axis) in its place.

    Returns
    -------
    array
        Of the input's shape, library and device; `output` itself where that was an array.

    Raises
    ------
    RuntimeError
        If a dtype or `mode` is not supported, an `output` array has another shape, or a sequence has another length.
    ValueError
        If an axis is out of range, the radius is negative, or `sigma` is not finite.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One Gaussian filter per axis, and their sum. Sums are formed in float64 (float32 where the device has none) and
    rounded once per pass, never by a transform. Source: `scipy.ndimage.gaussian_laplace`; what differs on purpose is
    described in `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.gaussian_laplace([0.0, 0.0, 1.0, 0.0, 0.0], 1.0).shape
    (5,)
    """
    return combined.gaussian_laplace(Request("gaussian_laplace", input, output, mode, cval), sigma, axes, kwargs)


@overload
def gaussian_gradient_magnitude(
    input: NumPyLike,
    sigma: float | Sequence[float],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    *,
    axes: PerAxis | None = None,
    **kwargs: Any,
) -> NDArray[Any]: ...
@overload
def gaussian_gradient_magnitude(
    input: ArrayT,
    sigma: float | Sequence[float],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    *,
    axes: PerAxis | None = None,
    **kwargs: Any,
) -> ArrayT: ...
def gaussian_gradient_magnitude(
    input: Any,
    sigma: float | Sequence[float],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    *,
    axes: PerAxis | None = None,
    **kwargs: Any,
) -> Any:
    """Return the length of the gradient, by a Gaussian's first derivatives.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    sigma : float or one per axis
        Standard deviation in samples, for all axes of `input`: those that `axes` leaves out are smoothed.
    output : dtype, its name, or array, optional
        Dtype of the result, or an array of the input's shape to write to, which may overlap the input and is returned.
        None is the input's dtype. Integers are cut toward zero and wrap, once per one-dimensional pass. For a complex
        result a real dtype is refused, and a real array is refused.
    mode : str or one per filtered axis
        How the input is extended: 'reflect' or 'grid-mirror' (d c b a | a b c d | d c b a), 'constant' or
        'grid-constant' (`cval`), 'nearest' (a a | a b c d | d d), 'mirror' (d c b | a b c d | c b a), 'wrap' or
        'grid-wrap' (c d | a b c d | a b).
    cval : number
        The constant of 'constant'.
    axes : int or sequence of int, optional
        The axes to filter, None for all; sequences per axis follow their order.
    **kwargs
        `truncate`, where the tails are cut in standard deviations (4.0), and `radius`, taps on each side of the centre
        (int or one per axis) in its place.

    Returns
    -------
    array
        Of the input's shape, library and device; `output` itself where that was an array.

    Raises
    ------
    RuntimeError
        If a dtype or `mode` is not supported, an `output` array has another shape, or a sequence has another length.
    ValueError
        If an axis is out of range, the radius is negative, or `sigma` is not finite.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One Gaussian filter per axis, and the root of the summed squares. Sums are formed in float64 (float32 where the
    device has none) and rounded once per pass, never by a transform. Source:
    `scipy.ndimage.gaussian_gradient_magnitude`; what differs on purpose is described in `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.gaussian_gradient_magnitude([[0.0, 0.0, 9.0, 9.0]], 1.0).shape
    (1, 4)
    """
    request = Request("gaussian_gradient_magnitude", input, output, mode, cval)
    return combined.gaussian_gradient_magnitude(request, sigma, axes, kwargs)
