"""Correlations and convolutions with weights of the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from arrayconv._ndimage import filters
from arrayconv._ndimage.filters import Request

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayLike, ArrayT, FilterMode, NumPyLike, PerAxis

__all__ = ["convolve", "convolve1d", "correlate", "correlate1d"]


@overload
def correlate(
    input: NumPyLike,
    weights: ArrayLike,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: PerAxis = 0,
    *,
    axes: PerAxis | None = None,
) -> NDArray[Any]: ...
@overload
def correlate(
    input: ArrayT,
    weights: ArrayLike,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: PerAxis = 0,
    *,
    axes: PerAxis | None = None,
) -> ArrayT: ...
def correlate(
    input: Any,
    weights: ArrayLike,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: PerAxis = 0,
    *,
    axes: PerAxis | None = None,
) -> Any:
    """Return a correlation: each output is the sum of its window times the (conjugated) weights.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    weights : array or nested lists
        Kernel with one axis per filtered axis; they run along the filtered axes in ascending order.
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
    origin : int or one per axis
        Moves the window, by -(n // 2) to (n - 1) // 2 for n taps. 0 centres it: an even window has its larger half
        before the output. A sequence follows the order of `axes` only where some axes are left out, as in SciPy.
    axes : int or sequence of int, optional
        The axes to filter, None for all; sequences per axis follow their order.

    Returns
    -------
    array
        Of the input's shape, library and device; `output` itself where that was an array.

    Raises
    ------
    RuntimeError
        If a dtype or `mode` is not supported, an `output` array has another shape, a sequence has another length,
        `weights` has another number of axes or no elements, or `mode` is a sequence.
    ValueError
        If an axis or `origin` is out of range.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One multiply-add per tap and output. Sums are formed in float64 (float32 where the device has none) and rounded once
    per pass, never by a transform. Source: `scipy.ndimage.correlate`; what differs on purpose is described in
    `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.correlate([1, 2, 3, 4, 5], [1, 10])
    array([11, 21, 32, 43, 54])
    """
    return filters.windowed(Request("correlate", input, output, mode, cval), weights, origin, axes, flip=False)


@overload
def convolve(
    input: NumPyLike,
    weights: ArrayLike,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: PerAxis = 0,
    *,
    axes: PerAxis | None = None,
) -> NDArray[Any]: ...
@overload
def convolve(
    input: ArrayT,
    weights: ArrayLike,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: PerAxis = 0,
    *,
    axes: PerAxis | None = None,
) -> ArrayT: ...
def convolve(
    input: Any,
    weights: ArrayLike,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: PerAxis = 0,
    *,
    axes: PerAxis | None = None,
) -> Any:
    """Return a convolution: a correlation with the weights reversed and not conjugated.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    weights : array or nested lists
        Kernel with one axis per filtered axis; they run along the filtered axes in ascending order.
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
    origin : int or one per axis
        Moves the window, by -(n // 2) to (n - 1) // 2 for n taps. 0 centres it: an even window has its larger half
        after the output. A sequence follows the order of `axes` only where some axes are left out, as in SciPy.
    axes : int or sequence of int, optional
        The axes to filter, None for all; sequences per axis follow their order.

    Returns
    -------
    array
        Of the input's shape, library and device; `output` itself where that was an array.

    Raises
    ------
    RuntimeError
        If a dtype or `mode` is not supported, an `output` array has another shape, a sequence has another length,
        `weights` has another number of axes or no elements, or `mode` is a sequence.
    ValueError
        If an axis or `origin` is out of range.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One multiply-add per tap and output. Sums are formed in float64 (float32 where the device has none) and rounded once
    per pass, never by a transform. Source: `scipy.ndimage.convolve`; what differs on purpose is described in
    `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.convolve([1, 2, 3, 4, 5], [1, 10])
    array([12, 23, 34, 45, 55])
    """
    return filters.windowed(Request("convolve", input, output, mode, cval), weights, origin, axes, flip=True)


@overload
def correlate1d(
    input: NumPyLike,
    weights: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> NDArray[Any]: ...
@overload
def correlate1d(
    input: ArrayT,
    weights: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> ArrayT: ...
def correlate1d(
    input: Any,
    weights: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> Any:
    """Return the correlation of the lines along one axis with weights.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    weights : array or list, one-dimensional
        Kernel, conjugated where it is complex.
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
        If a dtype or `mode` is not supported, an `output` array has another shape, `weights` is empty or not
        one-dimensional.
    ValueError
        If `axis` or `origin` is out of range.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One multiply-add per tap and output. Sums are formed in float64 (float32 where the device has none) and rounded once
    per pass, never by a transform. Source: `scipy.ndimage.correlate1d`; what differs on purpose is described in
    `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.correlate1d([1, 2, 3, 4, 5], [1, 10])
    array([11, 21, 32, 43, 54])
    """
    return filters.line(Request("correlate1d", input, output, mode, cval), weights, axis, origin, flip=False)


@overload
def convolve1d(
    input: NumPyLike,
    weights: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> NDArray[Any]: ...
@overload
def convolve1d(
    input: ArrayT,
    weights: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> ArrayT: ...
def convolve1d(
    input: Any,
    weights: ArrayLike,
    axis: int = -1,
    output: Any = None,
    mode: FilterMode = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> Any:
    """Return the convolution of the lines along one axis with weights, reversed and not conjugated.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    weights : array or list, one-dimensional
        Kernel, reversed and not conjugated.
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
        after the output.

    Returns
    -------
    array
        Of the input's shape, library and device; `output` itself where that was an array.

    Raises
    ------
    RuntimeError
        If a dtype or `mode` is not supported, an `output` array has another shape, `weights` is empty or not
        one-dimensional.
    ValueError
        If `axis` or `origin` is out of range.
    TypeError
        If operands are of two libraries or devices, or for an `output` array where arrays can't be written or the input
        requires a gradient.

    Notes
    -----
    One multiply-add per tap and output. Sums are formed in float64 (float32 where the device has none) and rounded once
    per pass, never by a transform. Source: `scipy.ndimage.convolve1d`; what differs on purpose is described in
    `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.convolve1d([1, 2, 3, 4, 5], [1, 10])
    array([12, 23, 34, 45, 55])
    """
    return filters.line(Request("convolve1d", input, output, mode, cval), weights, axis, origin, flip=True)
