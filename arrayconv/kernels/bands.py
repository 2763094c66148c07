"""Band-pass filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from arrayconv._kernels import taps
from arrayconv._kernels.stencils import Integers, Reals

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["dog", "gabor", "log"]

Part = Literal["complex", "real", "imag"]


@overload
def log(
    sigma: Reals,
    *,
    truncate: float = 4.0,
    radius: Integers | None = None,
    ndim: int | None = None,
    xp: None = None,
    dtype: Any = None,
    device: Any = None,
) -> NDArray[Any]: ...
@overload
def log(
    sigma: Reals,
    *,
    truncate: float = 4.0,
    radius: Integers | None = None,
    ndim: int | None = None,
    xp: Any,
    dtype: Any = None,
    device: Any = None,
) -> Any: ...
def log(
    sigma: Reals,
    *,
    truncate: float = 4.0,
    radius: Integers | None = None,
    ndim: int | None = None,
    xp: Any = None,
    dtype: Any = None,
    device: Any = None,
) -> Any:
    """Return the Laplacian of a Gaussian: the sum over axes of its second derivatives.

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
        Negative at the centre; `scipy.ndimage.gaussian_laplace`'s impulse response.

    Raises
    ------
    TypeError
        If an argument is of another type, `xp` is no namespace, or its library has no such dtype or it does not hold a
        tap.
    ValueError
        If an argument is out of range, or `device` is none of the library's.

    Notes
    -----
    Source: D. Marr and E. Hildreth, Theory of edge detection, 1980.

    Examples
    --------
    >>> from arrayconv import kernels
    >>> kernels.log(1.0).shape
    (9, 9)
    """
    return taps.array_of("log", (sigma, truncate, radius, ndim), xp, dtype, device)


@overload
def dog(
    sigma1: Reals,
    sigma2: Reals,
    *,
    truncate: float = 4.0,
    radius: Integers | None = None,
    ndim: int | None = None,
    xp: None = None,
    dtype: Any = None,
    device: Any = None,
) -> NDArray[Any]: ...
@overload
def dog(
    sigma1: Reals,
    sigma2: Reals,
    *,
    truncate: float = 4.0,
    radius: Integers | None = None,
    ndim: int | None = None,
    xp: Any,
    dtype: Any = None,
    device: Any = None,
) -> Any: ...
def dog(
    sigma1: Reals,
    sigma2: Reals,
    *,
    truncate: float = 4.0,
    radius: Integers | None = None,
    ndim: int | None = None,
    xp: Any = None,
    dtype: Any = None,
    device: Any = None,
) -> Any:
    """Return a difference of Gaussians, the one of `sigma1` minus the one of `sigma2`.

    Parameters
    ----------
    sigma1, sigma2 : float or tuple of float
        Standard deviations in samples, for every axis or for each one. With `sigma1` the smaller one, the centre is
        positive: a band-pass filter.
    truncate : float
        Where the tails are cut, in standard deviations: each Gaussian at its own radius = floor(truncate * sigma +
        1/2), and the narrower one is extended by zeros.
    radius : int or tuple of int, optional
        Taps on each side of the centre, instead of `truncate`. 0 does not filter an axis.
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
    array, shape (2 * radius_1 + 1, ..., 2 * radius_d + 1)
        The impulse response of `skimage.filters.difference_of_gaussians`.

    Raises
    ------
    TypeError
        If an argument is of another type, `xp` is no namespace, or its library has no such dtype or it does not hold a
        tap.
    ValueError
        If an argument is out of range, or `device` is none of the library's.

    Notes
    -----
    Source: D. Marr and E. Hildreth, Theory of edge detection, 1980.

    Examples
    --------
    >>> from arrayconv import kernels
    >>> kernels.dog(1.0, 1.6).shape
    (13, 13)
    """
    return taps.array_of("dog", (sigma1, sigma2, truncate, radius, ndim), xp, dtype, device)


@overload
def gabor(
    frequency: float,
    theta: float = 0.0,
    sigma: Reals | None = None,
    *,
    bandwidth: float = 1.0,
    n_stds: float = 3.0,
    offset: float = 0.0,
    part: Part = "complex",
    xp: None = None,
    dtype: Any = None,
    device: Any = None,
) -> NDArray[Any]: ...
@overload
def gabor(
    frequency: float,
    theta: float = 0.0,
    sigma: Reals | None = None,
    *,
    bandwidth: float = 1.0,
    n_stds: float = 3.0,
    offset: float = 0.0,
    part: Part = "complex",
    xp: Any,
    dtype: Any = None,
    device: Any = None,
) -> Any: ...
def gabor(
    frequency: float,
    theta: float = 0.0,
    sigma: Reals | None = None,
    *,
    bandwidth: float = 1.0,
    n_stds: float = 3.0,
    offset: float = 0.0,
    part: Part = "complex",
    xp: Any = None,
    dtype: Any = None,
    device: Any = None,
) -> Any:
    """Return a plane wave under a Gaussian, two-dimensional.

        g(r, c) = exp(-(u/s_u)**2 / 2 - (v/s_v)**2 / 2) / (2 pi s_u s_v) * exp(i (2 pi frequency u + offset))
        u = c cos(theta) + r sin(theta),   v = r cos(theta) - c sin(theta),   row r and column c from the centre

    Parameters
    ----------
    frequency : float
        Cycles per sample along u.
    theta : float
        Direction of the wave in radians: 0 along the columns' index c, pi/2 along the rows' index r.
    sigma : float or tuple (s_u, s_v), optional
        Standard deviations along and across the wave; derived from `bandwidth` by default.
    bandwidth : float
        Octaves between the half-response frequencies.
    n_stds : float
        Where the Gaussian is cut, in standard deviations.
    offset : float
        Phase of the wave at the centre, in radians.
    part : {'complex', 'real', 'imag'}
        Which part is returned.
    xp : array namespace or its name, optional
        Library of the result; None is NumPy.
    dtype : dtype or its name, optional
        None is float64, or float32 where library or device has no float64; complex for complex taps. An integer dtype
        must hold every tap exactly.
    device : device, optional
        None is the library's default.

    Returns
    -------
    array, shape (2 * radius_r + 1, 2 * radius_c + 1)
        The kernel of `skimage.filters.gabor_kernel` with sigma_x = s_u and sigma_y = s_v.

    Raises
    ------
    TypeError
        If an argument is of another type, `xp` is no namespace, or its library has no such dtype or it does not hold a
        tap.
    ValueError
        If an argument is out of range, or `device` is none of the library's.

    Notes
    -----
    Source: D. Gabor, Theory of communication, 1946; in two dimensions J. G. Daugman, 1985.

    Examples
    --------
    >>> from arrayconv import kernels
    >>> kernels.gabor(0.25, part="real").dtype
    dtype('float64')
    """
    return taps.array_of("gabor", (frequency, theta, sigma, bandwidth, n_stds, offset, part), xp, dtype, device)
