"""The taps of named stencils, as Python numbers: the part of `arrayconv.kernels` that needs no array.

One function per stencil checks its arguments and returns the taps, last axis fastest, and their shape. `numbers` calls
them by name; compilers trace only its result.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from itertools import product
from typing import Any

from arrayconv._arrays import dtypes
from arrayconv._arrays.host import Numbers
from arrayconv._errors import check_option, flag, shown
from arrayconv._kernels.gaussian import check_cost
from arrayconv._kernels.gaussian import gaussian as _gaussian_taps
from arrayconv._problem.axes import integer, real
from arrayconv._runtime.capacity import check_numbers
from arrayconv._runtime.tracing import planning

Reals = float | Sequence[float]  # one for every axis, or one for each
Integers = int | Sequence[int]
Taps = tuple[Sequence[complex], tuple[int, ...]]

_MAX_RADIUS = 2.0**62
_SMALLEST = 1e-150  # product of two standard deviations whose reciprocal and squares stay finite
_MAX_AXES = 64  # of an array, in NumPy; other libraries support fewer


@planning(0)
def numbers(function: str, arguments: tuple[Any, ...], dtype: str | None, float64: bool) -> Numbers:
    """Return the taps of a stencil and the name of their dtype: `dtype`, or the widest that the device supports.

    Raises
    ------
    ValueError
        If an argument of the stencil is out of range.
    TypeError
        If `dtype` can't represent a tap.
    """
    taps, size = _STENCILS[function](*arguments)
    if dtype is None:
        dtype = "float64" if float64 else "float32"
        dtype = dtypes.complexified(dtype) if isinstance(taps[0], complex) else dtype
    else:
        _check_dtype(function, dtype, taps)
    whole = dtypes.kind(dtype) == "integer"
    return Numbers(tuple(int(tap.real) if whole else tap for tap in taps), size, dtype)


def _check_dtype(function: str, name: str, taps: Sequence[complex]) -> None:
    kind, bits, signed, *_ = dtypes.DTYPES[name]
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


def _derivative(function: str, smoothing: tuple[int, ...], axis: int, ndim: int) -> Taps:
    ndim, axis = _rank(function, ndim), integer(function, "axis", axis)
    _check_count(function, "`ndim`", (3,) * ndim)
    if not -ndim <= axis < ndim:
        raise ValueError(
            f"{function}: `axis` must be in [{-ndim}, {ndim}). Got axis={axis}, ndim={ndim}. "
            f"Pass ndim={max(axis + 1, -axis)} or more for that axis."
        )
    factors = [(1, 0, -1) if i == axis % ndim else smoothing for i in range(ndim)]
    return _outer(factors), (3,) * ndim


def _laplacian(ndim: int, diagonal: bool) -> Taps:
    ndim, diagonal = _rank("laplacian", ndim), flag("laplacian", "diagonal", diagonal)
    _check_count("laplacian", "`ndim`", (3,) * ndim)
    steps = [sum(map(abs, offset)) for offset in product((-1, 0, 1), repeat=ndim)]
    taps = [int(step > 0 if diagonal else step == 1) for step in steps]
    taps[len(taps) // 2] = -sum(taps)
    return taps, (3,) * ndim


def _box(size: Integers, ndim: int | None) -> Taps:
    sizes = _integers("box", "size", size, _rank("box", ndim, size), least=1)
    _check_count("box", "`size`", sizes)
    count = math.prod(sizes)
    return [1 / count] * count, sizes


def _gaussian(sigma: Reals, truncate: float, radius: Integers | None, ndim: int | None, order: Integers) -> Taps:
    rank = _rank("gaussian", ndim, sigma, order, radius)
    orders = _integers("gaussian", "order", order, rank, least=0)
    sigmas = _positive("gaussian", "sigma", sigma, rank)
    radii = _radii("gaussian", sigmas, truncate, radius, orders)
    return _outer(map(_gaussian_taps, sigmas, radii, orders)), _odd(radii)


def _log(sigma: Reals, truncate: float, radius: Integers | None, ndim: int | None) -> Taps:
    sigmas = _positive("log", "sigma", sigma, _rank("log", ndim, sigma, radius))
    radii = _radii("log", sigmas, truncate, radius)
    axes = range(len(sigmas))
    terms = [_outer(map(_gaussian_taps, sigmas, radii, [2 * (i == j) for j in axes])) for i in axes]
    return [math.fsum(term) for term in zip(*terms, strict=True)], _odd(radii)


def _dog(sigma1: Reals, sigma2: Reals, truncate: float, radius: Integers | None, ndim: int | None) -> Taps:
    rank = _rank("dog", ndim, sigma1, sigma2, radius)
    sigmas = [_positive("dog", f"sigma{i}", value, rank) for i, value in enumerate((sigma1, sigma2), 1)]
    radii = [_radii("dog", each, truncate, radius, sigma_name=f"`sigma{i}`") for i, each in enumerate(sigmas, 1)]
    widest = tuple(map(max, *radii))
    first, second = (
        _outer(map(_widened, map(_gaussian_taps, sigma, cut), widest)) for sigma, cut in zip(sigmas, radii, strict=True)
    )
    return [a - b for a, b in zip(first, second, strict=True)], _odd(widest)


def _gabor(
    frequency: float,
    theta: float,
    sigma: Reals | None,
    bandwidth: float,
    n_stds: float,
    offset: float,
    part: str,
) -> Taps:
    check_option("gabor", "part", part, ("complex", "real", "imag"))
    scales = (("frequency", frequency), ("bandwidth", bandwidth), ("n_stds", n_stds))
    frequency, bandwidth, n_stds = (_positive("gabor", argument, value, 1)[0] for argument, value in scales)
    theta, offset = (_finite("gabor", argument, value) for argument, value in (("theta", theta), ("offset", offset)))
    if sigma is None:
        octaves = 1 / math.tanh(bandwidth * math.log(2) / 2)  # (2**bandwidth + 1) / (2**bandwidth - 1)
        sigma = math.sqrt(math.log(2) / 2) / math.pi * octaves / frequency
    s_u, s_v = _positive("gabor", "sigma", sigma, 2)
    cos, sin = math.cos(theta), math.sin(theta)
    arguments = "`frequency`, `sigma`, `bandwidth` and `n_stds`"
    rows, columns = (
        _integer_radius("gabor", arguments, max(abs(n_stds * first), abs(n_stds * second), 1), math.ceil)
        for first, second in ((s_v * cos, s_u * sin), (s_u * cos, s_v * sin))
    )
    _check_count("gabor", arguments, _odd((rows, columns)))
    if s_u * s_v < _SMALLEST:
        raise ValueError(f"gabor: {arguments} must give deviations whose taps are finite. Got {s_u} and {s_v}.")

    def wave(r: int, c: int) -> complex:
        u, v = c * cos + r * sin, r * cos - c * sin
        envelope = math.exp(-((u / s_u) ** 2 + (v / s_v) ** 2) / 2) / (2 * math.pi * s_u * s_v)
        return envelope * cmath.exp(1j * (2 * math.pi * frequency * u + offset))

    taps = [wave(r, c) for r in range(-rows, rows + 1) for c in range(-columns, columns + 1)]
    return taps if part == "complex" else [getattr(tap, part) for tap in taps], _odd((rows, columns))


def _savgol(window_length: int, polyorder: int, deriv: int, delta: float, pos: float | None) -> Taps:
    savgol = import_module("arrayconv._kernels.savgol")  # imports fractions, which takes milliseconds
    fit = savgol.checked("savgol", window_length, polyorder, deriv, delta)
    taps = savgol.weights(fit, savgol.position_of("savgol", fit, pos))
    return taps[::-1], (len(taps),)


_STENCILS: dict[str, Callable[..., Taps]] = {
    "sobel": partial(_derivative, "sobel", (1, 2, 1)),
    "prewitt": partial(_derivative, "prewitt", (1, 1, 1)),
    "scharr": partial(_derivative, "scharr", (3, 10, 3)),
    "vertical_edge": partial(_derivative, "vertical_edge", (1, 1, 1), -1, 2),
    "horizontal_edge": partial(_derivative, "horizontal_edge", (1, 1, 1), -2, 2),
    "laplacian": _laplacian,
    "box": _box,
    "gaussian": _gaussian,
    "log": _log,
    "dog": _dog,
    "gabor": _gabor,
    "savgol": _savgol,
}


def _widened(taps: list[float], radius: int) -> list[float]:
    zeros = [0.0] * (radius - len(taps) // 2)
    return [*zeros, *taps, *zeros]


def _outer(factors: Iterable[Sequence[float]]) -> list[float]:
    """Return the taps of a product of one factor per axis, last axis fastest."""
    return [math.prod(taps) for taps in product(*factors)]


def _odd(radii: Sequence[int]) -> tuple[int, ...]:
    return tuple(2 * radius + 1 for radius in radii)


def _rank(function: str, ndim: int | None, *values: object) -> int:
    """Return the number of axes: `ndim`, else the length of the first tuple among `values`, else 2."""
    if ndim is None:
        ndim = next((len(value) for value in values if isinstance(value, (list, tuple))), 2)
    ndim = integer(function, "ndim", ndim)
    if ndim < 1:
        raise ValueError(f"{function}: `ndim` must be at least 1. Got {ndim}.")
    if ndim > _MAX_AXES:
        raise ValueError(f"{function}: `ndim` must be at most {_MAX_AXES}. Got {ndim}.")
    return ndim


def _per_axis(function: str, argument: str, value: Reals, ndim: int) -> tuple[float, ...]:
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,) * ndim
    if len(values) != ndim:
        raise ValueError(f"{function}: `{argument}` must be one number, or one per axis. Got {value}, ndim={ndim}.")
    return tuple(real(function, argument, each) for each in values)


def _positive(function: str, argument: str, value: Reals, ndim: int) -> tuple[float, ...]:
    values = _per_axis(function, argument, value, ndim)
    if not all(0 < v < math.inf for v in values):
        raise ValueError(f"{function}: `{argument}` must be positive and finite. Got {shown(value)}.")
    return values


def _finite(function: str, argument: str, value: float) -> float:
    number = real(function, argument, value)
    if not math.isfinite(number):
        raise ValueError(f"{function}: `{argument}` must be finite. Got {number}.")
    return number


def _integers(function: str, argument: str, value: Reals, ndim: int, *, least: int) -> tuple[int, ...]:
    values = _per_axis(function, argument, value, ndim)
    if not all(v >= least and v % 1 == 0 for v in values):
        raise ValueError(f"{function}: `{argument}` must be whole numbers of at least {least}. Got {shown(value)}.")
    return tuple(integer(function, argument, int(v)) for v in values)


def _radii(
    function: str,
    sigmas: tuple[float, ...],
    truncate: float,
    radius: Integers | None,
    orders: tuple[int, ...] | None = None,
    sigma_name: str = "`sigma`",
) -> tuple[int, ...]:
    arguments = f"{sigma_name}, `truncate` and `radius`"
    if radius is not None:
        radii = _integers(function, "radius", radius, len(sigmas), least=0)
    else:
        cut = _positive(function, "truncate", truncate, 1)[0]
        radii = tuple(_integer_radius(function, arguments, cut * sigma + 0.5, int) for sigma in sigmas)
    for half_width, order in zip(radii, orders or (2,) * len(radii), strict=True):
        check_cost(function, sigma_name, half_width, order)
    _check_count(function, arguments, _odd(radii))
    return radii


def _integer_radius(function: str, arguments: str, radius: float, rounded: Callable[[float], int]) -> int:
    """Return a computed radius as an int, after checking its range: the arguments may be huge."""
    if not radius < _MAX_RADIUS:
        raise OverflowError(f"{function}: {arguments} must give a radius that fits 64 bits. Got a radius of {radius}.")
    return rounded(radius)


def _check_count(function: str, arguments: str, sizes: Sequence[int]) -> None:
    check_numbers(function, arguments, math.prod(sizes), f"shape {tuple(sizes)}")
