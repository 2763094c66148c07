"""Named stencils for any array library, meant for `convolve`, which flips its kernel.

An impulse convolved with a kernel gives the kernel back, and a first derivative is positive where x rises along
its axis: the orientation of scipy.ndimage's filters. Every function takes, by keyword,

* `xp`: an array namespace or its name; None is NumPy;
* `dtype`: None is float64, or float32 where library or device has no float64 (complex for complex taps);
  an integer dtype holds every tap exactly, or TypeError is raised;
* `device`: None is the library's default.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from arrayconv._arrays import dtypes, host
from arrayconv._arrays.array import Array
from arrayconv._arrays.dtype_names import checked_dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.libraries import is_known
from arrayconv._arrays.namespace import namespace_of
from arrayconv._kernels import separable, taps
from arrayconv._kernels.stencils import Integers, Reals
from arrayconv._problem.axes import integer, real
from arrayconv._runtime.tracing import is_traced, shape_of

__all__ = [
    "box",
    "dog",
    "gabor",
    "gaussian",
    "horizontal_edge",
    "laplacian",
    "log",
    "prewitt",
    "savgol",
    "scharr",
    "separate",
    "sobel",
    "vertical_edge",
]

Part = Literal["complex", "real", "imag"]


def sobel(axis: int = -1, ndim: int = 2, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return Sobel's first derivative: [1, 0, -1] along `axis`, [1, 2, 1] along the others.

    Parameters
    ----------
    axis : int
        Axis of the derivative. Along the last one it detects vertical edges.
    ndim : int
        Number of axes.

    Returns
    -------
    array, shape (3,) * ndim
        ``[[1, 0, -1], [2, 0, -2], [1, 0, -1]]`` by default; the impulse response of scipy.ndimage's filter.
    """
    return taps.array_of("sobel", (axis, ndim), xp, dtype, device)


def prewitt(axis: int = -1, ndim: int = 2, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return Prewitt's first derivative: [1, 0, -1] along `axis`, [1, 1, 1] along the others; else as `sobel`."""
    return taps.array_of("prewitt", (axis, ndim), xp, dtype, device)


def scharr(axis: int = -1, ndim: int = 2, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return Scharr's first derivative: [1, 0, -1] along `axis`, [3, 10, 3] along the others; else as `sobel`.

    Its taps are integers, 16**(ndim-1) times `skimage.filters.scharr`'s impulse response along that axis.
    """
    return taps.array_of("scharr", (axis, ndim), xp, dtype, device)


def vertical_edge(*, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return ``[[1, 0, -1]] * 3``, Prewitt's kernel: positive where an image gets brighter from left to right."""
    return taps.array_of("vertical_edge", (), xp, dtype, device)


def horizontal_edge(*, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return ``[[1, 1, 1], [0, 0, 0], [-1, -1, -1]]``, Prewitt's kernel: positive where it gets brighter downwards."""
    return taps.array_of("horizontal_edge", (), xp, dtype, device)


def laplacian(ndim: int = 2, diagonal: bool = False, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return the sum of second differences: 1 at each neighbour, minus their number at the centre.

    Parameters
    ----------
    ndim : int
        Number of axes.
    diagonal : bool
        Whether all 3**ndim - 1 neighbours count, corners included, or the 2 * ndim that share a face.

    Returns
    -------
    array, shape (3,) * ndim
        `scipy.ndimage.laplace`'s impulse response, unless `diagonal`.
    """
    return taps.array_of("laplacian", (ndim, diagonal), xp, dtype, device)


def box(size: Integers, ndim: int | None = None, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return the mean over a box: every tap is 1 / prod(size).

    Parameters
    ----------
    size : int or tuple of int
        Taps along every axis, or along each one.
    ndim : int, optional
        Number of axes: the length of a tuple, else 2.

    Returns
    -------
    array, shape `size`
        For odd sizes `scipy.ndimage.uniform_filter`'s impulse response.
    """
    return taps.array_of("box", (size, ndim), xp, dtype, device)


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
) -> Array:
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

    Returns
    -------
    array, shape (2 * radius_1 + 1, ..., 2 * radius_d + 1)
        `scipy.ndimage.gaussian_filter`'s impulse response.
    """
    return taps.array_of("gaussian", (sigma, truncate, radius, ndim, order), xp, dtype, device)


def log(
    sigma: Reals,
    *,
    truncate: float = 4.0,
    radius: Integers | None = None,
    ndim: int | None = None,
    xp: Any = None,
    dtype: Any = None,
    device: Any = None,
) -> Array:
    """Return the Laplacian of a Gaussian: the sum over axes of its second derivatives.

    Parameters
    ----------
    sigma, truncate, radius, ndim
        As in `gaussian`.

    Returns
    -------
    array, shape (2 * radius_1 + 1, ..., 2 * radius_d + 1)
        Negative at the centre; `scipy.ndimage.gaussian_laplace`'s impulse response.
    """
    return taps.array_of("log", (sigma, truncate, radius, ndim), xp, dtype, device)


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
) -> Array:
    """Return a difference of Gaussians, the one of `sigma1` minus the one of `sigma2`.

    Parameters
    ----------
    sigma1, sigma2 : float or tuple of float
        Standard deviations. With `sigma1` the smaller one, the centre is positive: a band-pass filter.
    truncate, radius, ndim
        As in `gaussian`; each Gaussian is cut at its own radius and the narrower one extended by zeros.

    Returns
    -------
    array, shape (2 * radius_1 + 1, ..., 2 * radius_d + 1)
        The impulse response of `skimage.filters.difference_of_gaussians`.
    """
    return taps.array_of("dog", (sigma1, sigma2, truncate, radius, ndim), xp, dtype, device)


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
) -> Array:
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

    Returns
    -------
    array, shape (2 * radius_r + 1, 2 * radius_c + 1)
        The kernel of `skimage.filters.gabor_kernel` with sigma_x = s_u and sigma_y = s_v.
    """
    return taps.array_of("gabor", (frequency, theta, sigma, bandwidth, n_stds, offset, part), xp, dtype, device)


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
) -> Array:
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

    Returns
    -------
    array, shape (window_length,)
        `scipy.signal.savgol_coeffs`, each tap the exact fraction rounded once.
    """
    return taps.array_of("savgol", (window_length, polyorder, deriv, delta, pos), xp, dtype, device)


@float_errors_ignored
def separate(kernel: Any, *, tolerance: float | None = None, max_rank: int | None = None) -> list[tuple[Array, ...]]:
    """Return a kernel as a sum of products of one factor per axis, the shortest sum within `tolerance`.

    ``kernel[i, j] = sum_r factors[r][0][i] * factors[r][1][j]``; `Convolver.from_factors` takes the result.

    Parameters
    ----------
    kernel : array, shape (k_1, ..., k_d)
        Of any library, or nested lists. Its values are read, from whatever device they are on.
    tolerance : float, optional
        Largest difference allowed, relative to the largest tap; by default 2 eps of the dtype that the kernel's sums
        are formed in, for each axis longer than one tap. Integers are exact.
    max_rank : int, optional
        Most terms; any number by default. More than one is considered where two axes are longer than one tap.

    Returns
    -------
    list of tuples of arrays, shapes (k_1,), ..., (k_d,)
        For each term one factor per axis, of the kernel's library, dtype and device. All but the last are scaled by a
        power of two so that their magnitudes add up to at most 1; those of integer kernels are integers.

    Raises
    ------
    ValueError
        If no sum of at most `max_rank` products is within `tolerance`, with the difference of the nearest product.
    TypeError
        If the kernel is traced, so that it has no values, or of a dtype without a convolution.

    Examples
    --------
    >>> import arrayconv
    >>> [(down, across)] = arrayconv.kernels.separate([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    >>> down, across
    (array([1, 2, 1]), array([ 1,  0, -1]))
    """
    library = identify("separate", "kernel", kernel)
    if not library:
        kernel, library = host.array("separate", "kernel", kernel), "numpy"
    name = checked_dtype_name("separate", "kernel", kernel.dtype)
    if is_traced(library, kernel):
        raise TypeError("separate: `kernel` must have values. Got one that is being traced. Separate it outside.")
    if not is_known(type(kernel)) and not host.readable(library, kernel):
        raise TypeError(f"separate: `kernel` must have values. Got a {library} array without. Pass a list of numbers.")
    if tolerance is not None:
        tolerance = real("separate", "tolerance", tolerance)
        if not 0 <= tolerance < math.inf:
            raise ValueError(f"separate: `tolerance` must be finite and at least 0. Got {tolerance}.")
    if max_rank is not None:
        max_rank = integer("separate", "max_rank", max_rank)
    terms = _terms(host.copied(library, kernel), name, tolerance, max_rank)
    xp, device = namespace_of(library, kernel), device_of(kernel)
    return [tuple(xp.asarray(list(factor), dtype=kernel.dtype, device=device) for factor in term) for term in terms]


def _terms(
    values: Any, name: str, tolerance: float | None, max_rank: int | None
) -> Sequence[tuple[Sequence[complex], ...]]:
    """Return the factors of a kernel on the host, or raise ValueError where there are none."""
    shape = shape_of(values)
    if not shape or 0 in shape:
        raise ValueError(f"separate: `kernel` must have an axis, and a tap on every one. Got shape {shape}.")
    most = max(shape) if max_rank is None else max_rank
    if most < 1:
        raise ValueError(f"separate: `max_rank` must be at least 1. Got {max_rank}.")
    sums, exact = dtypes.accumulator(name), dtypes.kind(name) == "integer"
    axes = max(len(separable.long_axes(shape)), 1)
    eps = dtypes.eps(sums) if tolerance is None else tolerance / (2 * axes)
    separation = separable.separated(values, eps, most)
    if separation.exact if exact else separation.normwise <= 2 * axes * eps:
        scaled = [separable.balanced(term, range(len(shape)), sums) for term in separation.terms]
        if None not in scaled:
            return [term for term in scaled if term is not None]
        raise ValueError(
            f"separate: the factors of `kernel` leave the range of {name}. Scale it, or use a wider dtype."
        )
    raise ValueError(
        f"separate: `kernel` must be a sum of at most {most} products of one factor per axis"
        f"{', of integers a single one' * exact}. Got shape {shape}, whose nearest product is off by "
        f"{separation.normwise:.2g} of the largest tap; allowed are {0 if exact else 2 * axes * eps:.2g}. "
        f"{'Cast it to a float' if exact else 'Pass a larger tolerance= or max_rank='}."
    )
