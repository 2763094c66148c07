"""Gaussians and means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from arrayconv._ndimage import filters
from arrayconv._ndimage.filters import Request

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayT, FilterMode, FilterModes, NumPyLike, PerAxis

__all__ = ["gaussian_filter", "gaussian_filter1d", "uniform_filter", "uniform_filter1d"]


@overload
def gaussian_filter(
    input: NumPyLike,
    sigma: float | Sequence[float],
    order: PerAxis = 0,
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    truncate: float = 4.0,
    *,
    radius: PerAxis | None = None,
    axes: PerAxis | None = None,
) -> NDArray[Any]: ...
@overload
def gaussian_filter(
    input: ArrayT,
    sigma: float | Sequence[float],
    order: PerAxis = 0,
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    truncate: float = 4.0,
    *,
    radius: PerAxis | None = None,
    axes: PerAxis | None = None,
) -> ArrayT: ...
def gaussian_filter(
    input: Any,
    sigma: float | Sequence[float],
    order: PerAxis = 0,
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    truncate: float = 4.0,
    *,
    radius: PerAxis | None = None,
    axes: PerAxis | None = None,
) -> Any:
    """Return an array filtered with a Gaussian or its derivatives, one pass per axis.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    sigma : float or one per axis
        Standard deviation in samples. A sigma up to 1e-15 leaves its axis unfiltered.
    order : int or one per axis
        Order of the derivative, 0 for the Gaussian itself.
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
    truncate : float
        Where the tails are cut, in standard deviations: radius = floor(truncate * sigma + 1/2).
    radius : int or one per axis, optional
        Taps on each side of the centre, instead of `truncate`.
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
        If an axis is out of range, `order` or the radius is negative, or `sigma` is not finite.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One pass per axis, one multiply-add per tap and output in each. Sums are formed in float64 (float32 where the
    device has none) and rounded once per pass, never by a transform. Source: `scipy.ndimage.gaussian_filter`; what
    differs on purpose is described in `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.gaussian_filter([[0, 0, 0], [0, 90, 0], [0, 0, 0]], sigma=1, radius=1)
    array([[ 6, 10,  6],
           [10, 18, 10],
           [ 6, 10,  6]])
    """
    request = Request("gaussian_filter", input, output, mode, cval)
    return filters.gaussian(request, sigma, order, truncate, radius, axes)


@overload
def gaussian_filter1d(
    input: NumPyLike,
    sigma: float,
    axis: int = -1,
    order: int = 0,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | None = None,
) -> NDArray[Any]: ...
@overload
def gaussian_filter1d(
    input: ArrayT,
    sigma: float,
    axis: int = -1,
    order: int = 0,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | None = None,
) -> ArrayT: ...
def gaussian_filter1d(
    input: Any,
    sigma: float,
    axis: int = -1,
    order: int = 0,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | None = None,
) -> Any:
    """Return the lines along one axis, filtered with a Gaussian or one of its derivatives.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    sigma : float
        Standard deviation in samples.
    axis : int
        The axis to filter along.
    order : int
        Order of the derivative, 0 for the Gaussian itself.
    output : dtype, its name, or array, optional
        Dtype of the result, or an array of the input's shape to write to, which may overlap the input and is returned.
        None is the input's dtype. Integers are cut toward zero and wrap, once per one-dimensional pass. For a complex
        result a real dtype is promoted with a warning, and a real array is refused.
    mode : str
        How the input is extended: 'reflect' or 'grid-mirror' (d c b a | a b c d | d c b a), 'constant' or
        'grid-constant' (`cval`), 'nearest' (a a | a b c d | d d), 'mirror' (d c b | a b c d | c b a), 'wrap' or
        'grid-wrap' (c d | a b c d | a b).
    cval : number
        The constant of 'constant'.
    truncate : float
        Where the tails are cut, in standard deviations: radius = floor(truncate * sigma + 1/2).
    radius : int, optional
        Taps on each side of the centre, instead of `truncate`.

    Returns
    -------
    array
        Of the input's shape, library and device; `output` itself where that was an array.

    Raises
    ------
    RuntimeError
        If a dtype or `mode` is not supported, an `output` array has another shape, or `mode` is a sequence.
    ValueError
        If `axis` is out of range, `order` or the radius is negative, or `sigma` is 0 or not finite.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One multiply-add per tap and output. Sums are formed in float64 (float32 where the device has none) and rounded
    once per pass, never by a transform. Source: `scipy.ndimage.gaussian_filter1d`; what differs on purpose is
    described in `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.gaussian_filter1d([0.0, 0.0, 1.0, 0.0, 0.0], 1.0, radius=1).round(3)
    array([0.   , 0.274, 0.452, 0.274, 0.   ])
    """
    request = Request("gaussian_filter1d", input, output, mode, cval)
    return filters.gaussian1d(request, sigma, axis, order, truncate, radius)


@overload
def uniform_filter(
    input: NumPyLike,
    size: PerAxis = 3,
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    origin: PerAxis = 0,
    *,
    axes: PerAxis | None = None,
) -> NDArray[Any]: ...
@overload
def uniform_filter(
    input: ArrayT,
    size: PerAxis = 3,
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    origin: PerAxis = 0,
    *,
    axes: PerAxis | None = None,
) -> ArrayT: ...
def uniform_filter(
    input: Any,
    size: PerAxis = 3,
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    origin: PerAxis = 0,
    *,
    axes: PerAxis | None = None,
) -> Any:
    """Return the mean of a box, one pass per axis.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    size : int or one per axis
        Samples in the window. An axis with a size up to 1 is not filtered.
    output : dtype, its name, or array, optional
        Dtype of the result, or an array of the input's shape to write to, which may overlap the input and is returned.
        None is the input's dtype. Integers are cut toward zero and wrap, once per one-dimensional pass. For a complex
        result a real dtype is promoted with a warning, and a real array is refused.
    mode : str or one per filtered axis
        How the input is extended: 'reflect' or 'grid-mirror' (d c b a | a b c d | d c b a), 'constant' or
        'grid-constant' (`cval`), 'nearest' (a a | a b c d | d d), 'mirror' (d c b | a b c d | c b a), 'wrap' or
        'grid-wrap' (c d | a b c d | a b).
    cval : number
        The constant of 'constant'.
    origin : int or one per axis
        Moves the window, by -(n // 2) to (n - 1) // 2 for n taps. 0 centres it: an even window has its larger half
        before the output.
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
        If an axis or `origin` is out of range.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One pass per axis, one addition per tap and output in each. Sums are formed in float64 (float32 where the device
    has none) and rounded once per pass, never by a transform. Source: `scipy.ndimage.uniform_filter`; what differs
    on purpose is described in `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.uniform_filter([[0, 0, 0], [0, 90, 0], [0, 0, 0]], 3)
    array([[10, 10, 10],
           [10, 10, 10],
           [10, 10, 10]])
    """
    return filters.mean(Request("uniform_filter", input, output, mode, cval), size, origin, axes)


@overload
def uniform_filter1d(
    input: NumPyLike,
    size: int,
    axis: int = -1,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> NDArray[Any]: ...
@overload
def uniform_filter1d(
    input: ArrayT,
    size: int,
    axis: int = -1,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> ArrayT: ...
def uniform_filter1d(
    input: Any,
    size: int,
    axis: int = -1,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> Any:
    """Return the mean of a window along one axis: its sum divided by its size.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    size : int
        Samples in the window.
    axis : int
        The axis to filter along.
    output : dtype, its name, or array, optional
        Dtype of the result, or an array of the input's shape to write to, which may overlap the input and is returned.
        None is the input's dtype. Integers are cut toward zero and wrap, once per one-dimensional pass. For a complex
        result a real dtype is promoted with a warning, and a real array is refused.
    mode : str
        How the input is extended: 'reflect' or 'grid-mirror' (d c b a | a b c d | d c b a), 'constant' or
        'grid-constant' (`cval`), 'nearest' (a a | a b c d | d d), 'mirror' (d c b | a b c d | c b a), 'wrap' or
        'grid-wrap' (c d | a b c d | a b).
    cval : number
        The constant of 'constant'.
    origin : int
        Moves the window, by -(n // 2) to (n - 1) // 2 for n taps. 0 centres it: an even window has its larger half
        before the output.

    Returns
    -------
    array
        Of the input's shape, library and device; `output` itself where that was an array.

    Raises
    ------
    RuntimeError
        If a dtype or `mode` is not supported, an `output` array has another shape, or `size` is less than 1.
    ValueError
        If `axis` or `origin` is out of range.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One addition per tap and output. Sums are formed in float64 (float32 where the device has none) and rounded once
    per pass, never by a transform. Source: `scipy.ndimage.uniform_filter1d`; what differs on purpose is described
    in `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.uniform_filter1d([1, 4, 7, 1, 1], 3)
    array([2, 4, 4, 3, 1])
    """
    return filters.mean1d(Request("uniform_filter1d", input, output, mode, cval), size, axis, origin)
