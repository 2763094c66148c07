"""Sums over axes of a derivative of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from arrayconv._ndimage import combined
from arrayconv._ndimage.filters import Request

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayT, FilterModes, NumPyLike, PerAxis

__all__ = ["generic_gradient_magnitude", "generic_laplace"]


@overload
def generic_laplace(
    input: NumPyLike,
    derivative2: Callable[..., Any],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: Mapping[str, Any] | None = None,
    *,
    axes: PerAxis | None = None,
) -> NDArray[Any]: ...
@overload
def generic_laplace(
    input: ArrayT,
    derivative2: Callable[..., Any],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: Mapping[str, Any] | None = None,
    *,
    axes: PerAxis | None = None,
) -> ArrayT: ...
def generic_laplace(
    input: Any,
    derivative2: Callable[..., Any],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: Mapping[str, Any] | None = None,
    *,
    axes: PerAxis | None = None,
) -> Any:
    """Return the sum of the results of a second derivative along all axes.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    derivative2 : callable
        ``derivative2(input, axis, output, mode, cval, *extra_arguments, **extra_keywords)``. Its `output` is always a
        dtype, where SciPy first passes an array to write to, which not every library has. It returns its result.
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
    extra_arguments : sequence
        Further positional arguments of the derivative.
    extra_keywords : mapping, optional
        Further keyword arguments of the derivative.
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
    One call of the derivative per axis, and the sum of the results. Sums are formed in float64 (float32 where the
    device has none) and rounded once per pass, never by a transform. Source: `scipy.ndimage.generic_laplace`; what
    differs on purpose is described in `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> def second(input, axis, output, mode, cval):
    ...     return ndimage.correlate1d(input, [1, -2, 1], axis, output, mode, cval)
    >>> ndimage.generic_laplace([0, 0, 1, 0, 0], second)
    array([ 0,  1, -2,  1,  0])
    """
    derivative = combined.with_extras("generic_laplace", "derivative2", derivative2, extra_arguments, extra_keywords)
    return combined.generic(Request("generic_laplace", input, output, mode, cval), derivative, axes, "sum")


@overload
def generic_gradient_magnitude(
    input: NumPyLike,
    derivative: Callable[..., Any],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: Mapping[str, Any] | None = None,
    *,
    axes: PerAxis | None = None,
) -> NDArray[Any]: ...
@overload
def generic_gradient_magnitude(
    input: ArrayT,
    derivative: Callable[..., Any],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: Mapping[str, Any] | None = None,
    *,
    axes: PerAxis | None = None,
) -> ArrayT: ...
def generic_gradient_magnitude(
    input: Any,
    derivative: Callable[..., Any],
    output: Any = None,
    mode: FilterModes = "reflect",
    cval: complex = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: Mapping[str, Any] | None = None,
    *,
    axes: PerAxis | None = None,
) -> Any:
    """Return the root of the summed squares of a derivative's results along all axes.

    Parameters
    ----------
    input : array
        Any shape, of a bool, integer, real or complex dtype (no half precision); nested lists become a NumPy array.
    derivative : callable
        ``derivative(input, axis, output, mode, cval, *extra_arguments, **extra_keywords)``. Its `output` is always a
        dtype, where SciPy first passes an array to write to, which not every library has. It returns its result.
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
    extra_arguments : sequence
        Further positional arguments of the derivative.
    extra_keywords : mapping, optional
        Further keyword arguments of the derivative.
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
    One call of the derivative per axis, and the root of the summed squares. Sums are formed in float64 (float32 where
    the device has none) and rounded once per pass, never by a transform. Source:
    `scipy.ndimage.generic_gradient_magnitude`; what differs on purpose is described in `arrayconv.ndimage`.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.generic_gradient_magnitude([[0.0, 3.0, 0.0]], ndimage.sobel).shape
    (1, 3)
    """
    first = combined.with_extras(
        "generic_gradient_magnitude", "derivative", derivative, extra_arguments, extra_keywords
    )
    request = Request("generic_gradient_magnitude", input, output, mode, cval)
    return combined.generic(request, first, axes, "length")
