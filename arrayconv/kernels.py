"""Named stencils for any array library, meant for `convolve`, which flips its kernel.

An impulse convolved with a kernel gives the kernel back, and a first derivative is positive where x rises along
its axis: the orientation of scipy.ndimage's filters. Every function takes, by keyword,

* `xp`: an array namespace or its name; None is NumPy;
* `dtype`: None is float64, or float32 where library or device has no float64 (complex for complex taps);
  an integer dtype holds every tap exactly, or TypeError is raised;
* `device`: None is the library's default.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, Literal

from arrayconv import _dtypes
from arrayconv._errors import check_option
from arrayconv._xp import Array, checked_dtype_name, compat_namespace, has_dtype

__all__ = [
    "box",
    "dog",
    "gabor",
    "gaussian",
    "horizontal_edge",
    "laplacian",
    "log",
    "prewitt",
    "scharr",
    "sobel",
    "vertical_edge",
]

Part = Literal["complex", "real", "imag"]
Reals = float | Sequence[float]  # one for every axis, or one for each
Wholes = int | Sequence[int]


def sobel(axis: int = -1, ndim: int = 2, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return Sobel's first derivative: [1, 0, -1] along `axis`, [1, 2, 1] along the others.

    Parameters
    ----------
    axis : int
        Axis of the derivative. The last one answers to vertical edges.
    ndim : int
        Number of axes.

    Returns
    -------
    array, shape (3,) * ndim
        ``[[1, 0, -1], [2, 0, -2], [1, 0, -1]]`` by default; the impulse response of scipy.ndimage's filter.
    """
    return _derivative("sobel", (1, 2, 1), axis, ndim, xp=xp, dtype=dtype, device=device)


def prewitt(axis: int = -1, ndim: int = 2, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return Prewitt's first derivative: [1, 0, -1] along `axis`, [1, 1, 1] along the others; else as `sobel`."""
    return _derivative("prewitt", (1, 1, 1), axis, ndim, xp=xp, dtype=dtype, device=device)


def scharr(axis: int = -1, ndim: int = 2, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return Scharr's first derivative: [1, 0, -1] along `axis`, [3, 10, 3] along the others; else as `sobel`.

    Its taps are integers, 16**(ndim-1) times `skimage.filters.scharr`'s impulse response along that axis.
    """
    return _derivative("scharr", (3, 10, 3), axis, ndim, xp=xp, dtype=dtype, device=device)


def vertical_edge(*, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return ``[[1, 0, -1]] * 3``, Prewitt's kernel: positive where an image gets brighter from left to right."""
    return _derivative("vertical_edge", (1, 1, 1), -1, 2, xp=xp, dtype=dtype, device=device)


def horizontal_edge(*, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return ``[[1, 1, 1], [0, 0, 0], [-1, -1, -1]]``, Prewitt's kernel: positive where it gets brighter downwards."""
    return _derivative("horizontal_edge", (1, 1, 1), -2, 2, xp=xp, dtype=dtype, device=device)


def laplacian(ndim: int = 2, diagonal: bool = False, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
    """Return the sum of second differences: 1 at each neighbour, minus their number at the centre.

    Parameters
    ----------
    ndim : int
        Number of axes.
    diagonal : bool
        Whether the 3**ndim - 1 neighbours count that touch at a corner, or the 2 * ndim that share a face.

    Returns
    -------
    array, shape (3,) * ndim
        `scipy.ndimage.laplace`'s impulse response, unless `diagonal`.
    """
    _rank("laplacian", ndim)
    steps = [sum(map(abs, offset)) for offset in product((-1, 0, 1), repeat=ndim)]
    taps = [int(step > 0 if diagonal else step == 1) for step in steps]
    taps[len(taps) // 2] = -sum(taps)
    return _array("laplacian", taps, (3,) * ndim, xp=xp, dtype=dtype, device=device)


def box(size: Wholes, ndim: int | None = None, *, xp: Any = None, dtype: Any = None, device: Any = None) -> Array:
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
    sizes = _wholes("box", "size", size, _rank("box", ndim, size), least=1)
    count = math.prod(sizes)
    return _array("box", [1 / count] * count, sizes, xp=xp, dtype=dtype, device=device)


def gaussian(
    sigma: Reals,
    *,
    truncate: float = 4.0,
    radius: Wholes | None = None,
    ndim: int | None = None,
    order: Wholes = 0,
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
        Taps on each side of the centre, instead of `truncate`. 0 leaves an axis alone.
    ndim : int, optional
        Number of axes: the length of a tuple, else 2.
    order : int or tuple of int
        Order of the derivative. The samples are those of p(n) * g(n), p the derivative's polynomial.

    Returns
    -------
    array, shape (2 * radius_1 + 1, ..., 2 * radius_d + 1)
        `scipy.ndimage.gaussian_filter`'s impulse response.
    """
    rank = _rank("gaussian", ndim, sigma, order, radius)
    orders = _wholes("gaussian", "order", order, rank, least=0)
    sigmas = _positive("gaussian", "sigma", sigma, rank)
    radii = _radii("gaussian", sigmas, truncate, radius)
    factors = map(_gaussian_taps, sigmas, radii, orders)
    return _array("gaussian", _outer(factors), _odd(radii), xp=xp, dtype=dtype, device=device)


def log(
    sigma: Reals,
    *,
    truncate: float = 4.0,
    radius: Wholes | None = None,
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
    sigmas = _positive("log", "sigma", sigma, _rank("log", ndim, sigma, radius))
    radii = _radii("log", sigmas, truncate, radius)
    axes = range(len(sigmas))
    terms = [_outer(map(_gaussian_taps, sigmas, radii, [2 * (i == j) for j in axes])) for i in axes]
    taps = [math.fsum(term) for term in zip(*terms, strict=True)]
    return _array("log", taps, _odd(radii), xp=xp, dtype=dtype, device=device)


def dog(
    sigma1: Reals,
    sigma2: Reals,
    *,
    truncate: float = 4.0,
    radius: Wholes | None = None,
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
    rank = _rank("dog", ndim, sigma1, sigma2, radius)
    sigmas = [_positive("dog", f"sigma{i}", value, rank) for i, value in enumerate((sigma1, sigma2), 1)]
    radii = [_radii("dog", each, truncate, radius) for each in sigmas]
    widest = tuple(map(max, *radii))
    first, second = (
        _outer(map(_widened, map(_gaussian_taps, sigma, cut), widest)) for sigma, cut in zip(sigmas, radii, strict=True)
    )
    taps = [a - b for a, b in zip(first, second, strict=True)]
    return _array("dog", taps, _odd(widest), xp=xp, dtype=dtype, device=device)


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
        Standard deviations along and across the wave; made from `bandwidth` if not given.
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
    check_option("gabor", "part", part, ("complex", "real", "imag"))
    for argument, value in (("frequency", frequency), ("bandwidth", bandwidth), ("n_stds", n_stds)):
        _positive("gabor", argument, value, 1)
    if sigma is None:
        octaves = (2**bandwidth + 1) / (2**bandwidth - 1)
        sigma = math.sqrt(math.log(2) / 2) / math.pi * octaves / frequency
    s_u, s_v = _positive("gabor", "sigma", sigma, 2)
    cos, sin = math.cos(theta), math.sin(theta)
    rows = math.ceil(max(abs(n_stds * s_v * cos), abs(n_stds * s_u * sin), 1))
    columns = math.ceil(max(abs(n_stds * s_u * cos), abs(n_stds * s_v * sin), 1))

    def wave(r: int, c: int) -> complex:
        u, v = c * cos + r * sin, r * cos - c * sin
        envelope = math.exp(-((u / s_u) ** 2 + (v / s_v) ** 2) / 2) / (2 * math.pi * s_u * s_v)
        return envelope * cmath.exp(1j * (2 * math.pi * frequency * u + offset))

    taps = [wave(r, c) for r in range(-rows, rows + 1) for c in range(-columns, columns + 1)]
    chosen = taps if part == "complex" else [getattr(tap, part) for tap in taps]
    return _array("gabor", chosen, _odd((rows, columns)), xp=xp, dtype=dtype, device=device)


def _derivative(
    function: str, smoothing: tuple[int, ...], axis: int, ndim: int, *, xp: Any, dtype: Any, device: Any
) -> Array:
    _rank(function, ndim)
    if not -ndim <= axis < ndim:
        raise ValueError(
            f"{function}: `axis` must be in [{-ndim}, {ndim}). Got axis={axis}, ndim={ndim}. "
            f"Pass ndim={max(axis + 1, -axis)} or more for that axis."
        )
    factors = [(1, 0, -1) if i == axis % ndim else smoothing for i in range(ndim)]
    return _array(function, _outer(factors), (3,) * ndim, xp=xp, dtype=dtype, device=device)


def _array(function: str, taps: Sequence[complex], size: tuple[int, ...], *, xp: Any, dtype: Any, device: Any) -> Array:
    """Return the taps as an array of shape `size`: the only place where a library is touched."""
    namespace = compat_namespace(xp)
    if dtype is None:
        name = "float64" if has_dtype(namespace, device, "float64") else "float32"
        name = _dtypes.complexified(name) if isinstance(taps[0], complex) else name
    else:
        name = checked_dtype_name(function, "dtype", dtype)
        _check_holds(function, name, taps)
    if not hasattr(namespace, name):
        raise TypeError(f"{function}: `dtype` must exist in the array library. Got {name}, {namespace.__name__}.")
    values = [int(tap.real) for tap in taps] if _dtypes.kind(name) == "integer" else list(taps)
    return namespace.reshape(namespace.asarray(values, dtype=getattr(namespace, name), device=device), size)


def _check_holds(function: str, name: str, taps: Sequence[complex]) -> None:
    kind, bits, signed = _dtypes.DTYPES[name]
    if isinstance(taps[0], complex) and kind != "complex":
        raise TypeError(
            f"{function}: complex taps need a complex `dtype`. Got {name}. "
            f"Pass complex64 or complex128, or take one part with part='real' or part='imag'."
        )
    if kind != "integer":
        return
    lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    misfit = next((tap.real for tap in taps if tap.real % 1 or not lowest <= tap.real <= highest), None)
    if misfit is not None:
        raise TypeError(
            f"{function}: an integer `dtype` must hold every tap exactly. Got {name} [{lowest}, {highest}] and a tap "
            f"of {misfit:.4g}. Pass a {'floating' if misfit % 1 else 'wider, signed or floating'} dtype."
        )


def _gaussian_taps(sigma: float, radius: int, order: int = 0) -> list[float]:
    """Return samples of g's derivative, by g_(k+1) = -(n * g_k + k * g_(k-1)) / sigma**2."""
    positions = range(-radius, radius + 1)
    weights = [math.exp(-0.5 * (n / sigma) * (n / sigma)) for n in positions]
    total = math.fsum(weights)
    before, now = weights, [weight / total for weight in weights]
    for k in range(order):
        before, now = now, [-(n * g + k * b) / sigma**2 for n, g, b in zip(positions, now, before, strict=True)]
    return now


def _widened(taps: list[float], radius: int) -> list[float]:
    zeros = [0.0] * (radius - len(taps) // 2)
    return [*zeros, *taps, *zeros]


def _outer(factors: Iterable[Sequence[float]]) -> list[float]:
    """Return the taps of a separable kernel, last axis fastest."""
    return [math.prod(taps) for taps in product(*factors)]


def _odd(radii: Sequence[int]) -> tuple[int, ...]:
    return tuple(2 * radius + 1 for radius in radii)


def _rank(function: str, ndim: int | None, *values: object) -> int:
    """Return the number of axes: `ndim`, else the length of the first tuple among `values`, else 2."""
    if ndim is None:
        ndim = next((len(value) for value in values if isinstance(value, Sequence)), 2)
    if ndim < 1:
        raise ValueError(f"{function}: `ndim` must be at least 1. Got {ndim}.")
    return ndim


def _per_axis(function: str, argument: str, value: Reals, ndim: int) -> tuple[float, ...]:
    values = tuple(value) if isinstance(value, Sequence) else (value,) * ndim
    if len(values) != ndim:
        raise ValueError(f"{function}: `{argument}` must be one number, or one per axis. Got {value}, ndim={ndim}.")
    return values


def _positive(function: str, argument: str, value: Reals, ndim: int) -> tuple[float, ...]:
    values = _per_axis(function, argument, value, ndim)
    if not all(0 < v < math.inf for v in values):
        raise ValueError(f"{function}: `{argument}` must be positive and finite. Got {value}.")
    return values


def _wholes(function: str, argument: str, value: Reals, ndim: int, *, least: int) -> tuple[int, ...]:
    values = _per_axis(function, argument, value, ndim)
    if not all(v >= least and v % 1 == 0 for v in values):
        raise ValueError(f"{function}: `{argument}` must be whole numbers of at least {least}. Got {value}.")
    return tuple(int(v) for v in values)


def _radii(function: str, sigmas: tuple[float, ...], truncate: float, radius: Wholes | None) -> tuple[int, ...]:
    if radius is not None:
        return _wholes(function, "radius", radius, len(sigmas), least=0)
    _positive(function, "truncate", truncate, 1)
    return tuple(int(truncate * sigma + 0.5) for sigma in sigmas)
