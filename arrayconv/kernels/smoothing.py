"""Means, Gaussians and polynomials fitted to windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from arrayconv._kernels import taps
from arrayconv._kernels.stencils import Integers, Reals

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["box", "gaussian", "savgol"]


@overload
def box(
    size: Integers, ndim: int | None = None, *, xp: None = None, dtype: Any = None, device: Any = None
) -> NDArray[Any]: ...
@overload
def box(size: Integers, ndim: int | None = None, *, xp: Any, dtype: Any = None, device: Any = None) -> Any: ...
def box(size: Integers, ndim: int | None = None, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Any:
    """Return the mean over a box: every tap is 1 / prod(size).

    Parameters
    ----------
    size : int or tuple of int
        Taps along every axis, or along each one.
    ndim : int, optional
        Number of axes: the length of a tuple, else 2.
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    dtype : dtype or its name, optional
        None is float64, or float32 where library or device has no float64. An integer dtype must hold every tap
        exactly.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape `size`
        For odd sizes `scipy.ndimage.uniform_filter`'s impulse response.

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
    >>> kernels.box((1, 4))
    array([[0.25, 0.25, 0.25, 0.25]])
    """
    return taps.array_of("box", (size, ndim), xp, dtype, device)


@overload
def gaussian(
    sigma: Reals,
    *,
    truncate: float = 4.0,
    radius: Integers | None = None,
    ndim: int | None = None,
    order: Integers = 0,
    xp: None = None,
    dtype: Any = None,
    device: Any = None,
) -> NDArray[Any]: ...
@overload
def gaussian(
    sigma: Reals,
    *,
    truncate: float = 4.0,
    radius: Integers | None = None,
    ndim: int | None = None,
    order: Integers = 0,
    xp: Any,
    dtype: Any = None,
    device: Any = None,
) -> Any: ...
def gaussian(
    sigma: Reals,
    *,
    truncate: float = 4.0,
    radius: Integers | None = None,
    ndim: int | None = None,
    order: Integers = 0,
    xp: Any = None,
    dtype: Any = None,
    device: Any = None,
) -> Any:
    """Return a sampled Gaussian or one of its derivatives, a product of one factor per axis.

        g(n) = exp(-n**2 / (2 * sigma**2)) / sum_m exp(-m**2 / (2 * sigma**2)),   -radius <= n <= radius

    Parameters
    ----------
    sigma : float or tuple of float
        Standard deviation in samples, for every axis or for each one.
    truncate : float
        Where the tails are cut, in standard deviations: radius = floor(truncate * sigma + 1/2).
    radius : int or tuple of int, optional
        Taps on each side of the centre, instead of `truncate`. 0 does not filter an axis.
    ndim : int, optional
        Number of axes: the length of a tuple, else 2.
    order : int or tuple of int
        Order of the derivative. The samples are those of p(n) * g(n), p the derivative's polynomial.
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    dtype : dtype or its name, optional
        None is float64, or float32 where library or device has no float64. An integer dtype must hold every tap
        exactly.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape (2 * radius_1 + 1, ..., 2 * radius_d + 1)
        `scipy.ndimage.gaussian_filter`'s impulse response.

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
    >>> kernels.gaussian(1.0, ndim=1, radius=1).round(3)
    array([0.274, 0.452, 0.274])
    """
    return taps.array_of("gaussian", (sigma, truncate, radius, ndim, order), xp, dtype, device)


@overload
def savgol(
    window_length: int,
    polyorder: int,
    *,
    deriv: int = 0,
    delta: float = 1.0,
    pos: float | None = None,
    xp: None = None,
    dtype: Any = None,
    device: Any = None,
) -> NDArray[Any]: ...
@overload
def savgol(
    window_length: int,
    polyorder: int,
    *,
    deriv: int = 0,
    delta: float = 1.0,
    pos: float | None = None,
    xp: Any,
    dtype: Any = None,
    device: Any = None,
) -> Any: ...
def savgol(
    window_length: int,
    polyorder: int,
    *,
    deriv: int = 0,
    delta: float = 1.0,
    pos: float | None = None,
    xp: Any = None,
    dtype: Any = None,
    device: Any = None,
) -> Any:
    """Return a Savitzky-Golay filter: the value, or a derivative, of the polynomial fitted to each window.

    Parameters
    ----------
    window_length : int
        Samples in the window.
    polyorder : int
        Order of the polynomial, less than `window_length`.
    deriv : int
        Order of the derivative.
    delta : float
        Distance between samples, by which derivatives are divided.
    pos : float, optional
        Where in the window the polynomial is evaluated; the centre by default.
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    dtype : dtype or its name, optional
        None is float64, or float32 where library or device has no float64. An integer dtype must hold every tap
        exactly.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape (window_length,)
        `scipy.signal.savgol_coeffs`, each tap the exact fraction rounded once.

    Raises
    ------
    TypeError
        If an argument is of another type, `xp` is no namespace, or its library has no such dtype or it does not hold a
        tap.
    ValueError
        If an argument is out of range, or `device` is none of the library's.

    Notes
    -----
    Source: A. Savitzky and M. J. E. Golay, Analytical Chemistry 36, 1964.

    Examples
    --------
    >>> from arrayconv import kernels
    >>> kernels.savgol(5, 2) * 35
    array([-3., 12., 17., 12., -3.])
    """
    return taps.array_of("savgol", (window_length, polyorder, deriv, delta, pos), xp, dtype, device)
