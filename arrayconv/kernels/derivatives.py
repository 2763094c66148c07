"""First and second differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from arrayconv._kernels import taps

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["horizontal_edge", "laplacian", "prewitt", "scharr", "sobel", "vertical_edge"]


@overload
def sobel(axis: int = -1, ndim: int = 2, *, xp: None = None, dtype: Any = None, device: Any = None) -> NDArray[Any]: ...
@overload
def sobel(axis: int = -1, ndim: int = 2, *, xp: Any, dtype: Any = None, device: Any = None) -> Any: ...
def sobel(axis: int = -1, ndim: int = 2, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Any:
    """Return Sobel's first derivative: [1, 0, -1] along `axis`, [1, 2, 1] along the others.

    Parameters
    ----------
    axis : int
        Axis of the derivative. Along the last one it detects vertical edges.
    ndim : int
        Number of axes.
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    dtype : dtype or its name, optional
        None is float64, or float32 where library or device has no float64. An integer dtype must hold every tap
        exactly.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape (3,) * ndim
        ``[[1, 0, -1], [2, 0, -2], [1, 0, -1]]`` by default; the impulse response of scipy.ndimage's filter.

    Raises
    ------
    TypeError
        If an argument is of another type, `xp` is no namespace, or its library has no such dtype or it does not hold a
        tap.
    ValueError
        If an argument is out of range, or `device` is none of the library's.

    Notes
    -----
    Source: I. Sobel and G. Feldman, A 3 x 3 isotropic gradient operator for image processing, 1968.

    Examples
    --------
    >>> from arrayconv import kernels
    >>> kernels.sobel()
    array([[ 1.,  0., -1.],
           [ 2.,  0., -2.],
           [ 1.,  0., -1.]])
    """
    return taps.array_of("sobel", (axis, ndim), xp, dtype, device)


@overload
def prewitt(
    axis: int = -1, ndim: int = 2, *, xp: None = None, dtype: Any = None, device: Any = None
) -> NDArray[Any]: ...
@overload
def prewitt(axis: int = -1, ndim: int = 2, *, xp: Any, dtype: Any = None, device: Any = None) -> Any: ...
def prewitt(axis: int = -1, ndim: int = 2, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Any:
    """Return Prewitt's first derivative: [1, 0, -1] along `axis`, [1, 1, 1] along the others.

    Parameters
    ----------
    axis : int
        Axis of the derivative. Along the last one it detects vertical edges.
    ndim : int
        Number of axes.
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    dtype : dtype or its name, optional
        None is float64, or float32 where library or device has no float64. An integer dtype must hold every tap
        exactly.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape (3,) * ndim
        ``[[1, 0, -1], [1, 0, -1], [1, 0, -1]]`` by default; the impulse response of scipy.ndimage's filter.

    Raises
    ------
    TypeError
        If an argument is of another type, `xp` is no namespace, or its library has no such dtype or it does not hold a
        tap.
    ValueError
        If an argument is out of range, or `device` is none of the library's.

    Notes
    -----
    Source: J. M. S. Prewitt, Object enhancement and extraction, 1970.

    Examples
    --------
    >>> from arrayconv import kernels
    >>> kernels.prewitt(axis=0, dtype="int8")
    array([[ 1,  1,  1],
           [ 0,  0,  0],
           [-1, -1, -1]], dtype=int8)
    """
    return taps.array_of("prewitt", (axis, ndim), xp, dtype, device)


@overload
def scharr(
    axis: int = -1, ndim: int = 2, *, xp: None = None, dtype: Any = None, device: Any = None
) -> NDArray[Any]: ...
@overload
def scharr(axis: int = -1, ndim: int = 2, *, xp: Any, dtype: Any = None, device: Any = None) -> Any: ...
def scharr(axis: int = -1, ndim: int = 2, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Any:
    """Return Scharr's first derivative: [1, 0, -1] along `axis`, [3, 10, 3] along the others.

    Parameters
    ----------
    axis : int
        Axis of the derivative. Along the last one it detects vertical edges.
    ndim : int
        Number of axes.
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    dtype : dtype or its name, optional
        None is float64, or float32 where library or device has no float64. An integer dtype must hold every tap
        exactly.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape (3,) * ndim
        Integers: 16**(ndim-1) times `skimage.filters.scharr`'s impulse response along that axis.

    Raises
    ------
    TypeError
        If an argument is of another type, `xp` is no namespace, or its library has no such dtype or it does not hold a
        tap.
    ValueError
        If an argument is out of range, or `device` is none of the library's.

    Notes
    -----
    Source: H. Scharr, Optimale Operatoren in der digitalen Bildverarbeitung, 2000.

    Examples
    --------
    >>> from arrayconv import kernels
    >>> kernels.scharr()
    array([[  3.,   0.,  -3.],
           [ 10.,   0., -10.],
           [  3.,   0.,  -3.]])
    """
    return taps.array_of("scharr", (axis, ndim), xp, dtype, device)


@overload
def vertical_edge(*, xp: None = None, dtype: Any = None, device: Any = None) -> NDArray[Any]: ...
@overload
def vertical_edge(*, xp: Any, dtype: Any = None, device: Any = None) -> Any: ...
def vertical_edge(*, xp: Any = None, dtype: Any = None, device: Any = None) -> Any:
    """Return ``[[1, 0, -1]] * 3``, Prewitt's kernel: positive where an image gets brighter from left to right.

    Parameters
    ----------
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    dtype : dtype or its name, optional
        None is float64, or float32 where library or device has no float64. An integer dtype must hold every tap
        exactly.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape (3, 3)
        `prewitt` along the last axis.

    Raises
    ------
    TypeError
        If an argument is of another type, `xp` is no namespace, or its library has no such dtype or it does not hold a
        tap.
    ValueError
        If an argument is out of range, or `device` is none of the library's.

    Examples
    --------
    >>> from arrayconv import kernels
    >>> kernels.vertical_edge(dtype="int8")
    array([[ 1,  0, -1],
           [ 1,  0, -1],
           [ 1,  0, -1]], dtype=int8)
    """
    return taps.array_of("vertical_edge", (), xp, dtype, device)


@overload
def horizontal_edge(*, xp: None = None, dtype: Any = None, device: Any = None) -> NDArray[Any]: ...
@overload
def horizontal_edge(*, xp: Any, dtype: Any = None, device: Any = None) -> Any: ...
def horizontal_edge(*, xp: Any = None, dtype: Any = None, device: Any = None) -> Any:
    """Return ``[[1, 1, 1], [0, 0, 0], [-1, -1, -1]]``, Prewitt's kernel: positive where it gets brighter downwards.

    Parameters
    ----------
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    dtype : dtype or its name, optional
        None is float64, or float32 where library or device has no float64. An integer dtype must hold every tap
        exactly.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape (3, 3)
        `prewitt` along the first axis.

    Raises
    ------
    TypeError
        If an argument is of another type, `xp` is no namespace, or its library has no such dtype or it does not hold a
        tap.
    ValueError
        If an argument is out of range, or `device` is none of the library's.

    Examples
    --------
    >>> from arrayconv import kernels
    >>> kernels.horizontal_edge(dtype="int8")
    array([[ 1,  1,  1],
           [ 0,  0,  0],
           [-1, -1, -1]], dtype=int8)
    """
    return taps.array_of("horizontal_edge", (), xp, dtype, device)


@overload
def laplacian(
    ndim: int = 2, diagonal: bool = False, *, xp: None = None, dtype: Any = None, device: Any = None
) -> NDArray[Any]: ...
@overload
def laplacian(ndim: int = 2, diagonal: bool = False, *, xp: Any, dtype: Any = None, device: Any = None) -> Any: ...
def laplacian(ndim: int = 2, diagonal: bool = False, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Any:
    """Return the sum of second differences: 1 at each neighbour, minus their number at the centre.

    Parameters
    ----------
    ndim : int
        Number of axes.
    diagonal : bool
        Whether all 3**ndim - 1 neighbours count, corners included, or the 2 * ndim that share a face.
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    dtype : dtype or its name, optional
        None is float64, or float32 where library or device has no float64. An integer dtype must hold every tap
        exactly.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape (3,) * ndim
        `scipy.ndimage.laplace`'s impulse response, unless `diagonal`.

    Raises
    ------
    TypeError
        If an argument is of another type, `xp` is no namespace, or its library has no such dtype or it does not hold a
        tap.
    ValueError
        If an argument is out of range, or `device` is none of the library's.

    Examples
    --------
    >>> from arrayconv import kernels
    >>> kernels.laplacian()
    array([[ 0.,  1.,  0.],
           [ 1., -4.,  1.],
           [ 0.,  1.,  0.]])
    """
    return taps.array_of("laplacian", (ndim, diagonal), xp, dtype, device)
