"""The scores from the template's correlation and the sums over windows.

With I the image less its mean c, T the template less its own mean, N samples in a window, and sums over the window,

    zncc = sum I T / sqrt(D sum T**2),      N D = N sum I**2 - (sum I)**2

The difference cancels where a window varies little around a mean far from c. Its error is at most
``4 (n + 2) eps sum I**2``, n the additions behind a sum, so D below that is not known: such a window is flat, and its
score is 0. Sums of integers whose squares fit float64 are exact, and so is D. By an FFT sum I T is wrong by up to
``(N + 12 log2 size + 4) eps norm(I) norm(T)``; a window whose D is below the square of that over norm(T) is flat too.
"""

from __future__ import annotations

from math import log2, prod
from typing import Any, NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._arrays.dtypes import eps
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import Namespace, on_device
from arrayconv._calls.binding import BoundCall
from arrayconv._calls.prepare import Options
from arrayconv._matching.geometry import SHIFTED, Geometry, Sizes
from arrayconv._matching.sums import Correlations
from arrayconv._ops import pad
from arrayconv._problem.boundary import runs


class Match(NamedTuple):
    """A match without its arrays; hashable, the cache key of its program."""

    geometry: Geometry
    sizes: Sizes
    xp: Namespace


class _Parts(NamedTuple):
    """The operands in the dtype of sums."""

    image: Array  # extended
    template: Array  # with an axis for each of the image's
    level: Array  # of the image, per batch entry
    energy: Array  # of the template as it was passed: the sum of its squares


def scored(match: Match, image: Array, template: Array) -> Array:
    """Return the scores, as one program on JAX."""
    return score(match, image, template)[0]


@float_errors_ignored
def score(match: Match, image: Array, template: Array, bound: tuple[BoundCall, ...] = ()) -> tuple[Array, Any]:
    """Return the scores and the bound convolutions of a match."""
    xp, device = match.xp, device_of(image)
    with on_device(xp, device):
        parts = _prepared(match, image, template, device)
        sums = Correlations(match.geometry.function, xp, device, bound)
        y = _SCORES[match.geometry.score](match, parts, sums)
        if match.geometry.channel is not None:
            y = xp.squeeze(y, axis=match.geometry.channel)
        return xp.astype(y, getattr(xp, match.sizes.output), copy=False), tuple(sums.bound)


def _prepared(match: Match, image: Array, template: Array, device: Any) -> _Parts:
    """Cast, extend and reshape the operands; for most scores subtract the image's mean."""
    geometry, sizes, xp = match
    dtype = getattr(xp, sizes.working)
    x = xp.astype(image, dtype, copy=False)
    if geometry.pad:
        for axis in geometry.windows:
            k = sizes.template[axis]
            if axis != geometry.channel:
                source = runs(x.shape[axis], -(k // 2), x.shape[axis] + (k - 1) // 2, geometry.boundary)
                x = pad.extend(x, axis, source, geometry.fill, xp=xp, device=device)
    t = xp.astype(template, dtype, copy=False)
    if sizes.order != tuple(range(len(sizes.order))):
        t = xp.permute_dims(t, sizes.order)
    t = xp.reshape(t, sizes.template)
    energy = _energy(match, t)
    if geometry.score not in SHIFTED:
        return _Parts(x, t, xp.zeros((), dtype=dtype, device=device), energy)
    level = _mean_of_finite(x, geometry.windows, sizes.is_whole, xp, device)
    if geometry.score in ("zncc", "zcc"):
        t = t - xp.mean(t, axis=geometry.windows, keepdims=True)
        t = t - xp.mean(t, axis=geometry.windows, keepdims=True)  # the rounding error of the first mean
    return _Parts(x - level, t, level, energy)


def _mean_of_finite(x: Array, axes: tuple[int, ...], whole: bool, xp: Namespace, device: Any) -> Any:
    """Return a mean that no NaN reaches; a whole number for integers, whose differences are then exact."""
    count = max(prod(x.shape[axis] for axis in axes), 1)
    if whole:
        return xp.floor(xp.sum(x / count, axis=axes, keepdims=True))
    finite = xp.where(xp.isfinite(x), x, xp.zeros((), dtype=x.dtype, device=device))
    return xp.sum(finite / count, axis=axes, keepdims=True)


def _numerator(match: Match, x: Array, t: Array, sums: Correlations) -> Array:
    options = Options(accuracy=match.geometry.accuracy)  # pyright: ignore[reportArgumentType]
    return sums.correlate(x, t, match.geometry.windows, options)


def _over(match: Match, x: Array, sums: Correlations) -> Array:
    return sums.over(x, tuple([(axis, match.sizes.template[axis]) for axis in match.geometry.windows]))


def _energy(match: Match, t: Array) -> Any:
    return match.xp.sum(t * t, axis=match.geometry.windows, keepdims=True)


def _spectral_error(match: Match, x: Array) -> Any:
    """Return the square of a spectral numerator's error over norm(T): 0 where the error is bounded by element."""
    if match.geometry.accuracy == "componentwise":
        return 0.0
    sizes, xp = match.sizes, match.xp
    points = prod(x.shape[axis] for axis in match.geometry.windows) + sizes.terms
    unit = (sizes.terms + 12 * log2(max(points, 2)) + 4) * eps(sizes.working)
    finite = xp.where(xp.isfinite(x), x, xp.zeros((), dtype=x.dtype, device=device_of(x)))
    return unit * unit * xp.sum(finite * finite, axis=match.geometry.windows, keepdims=True)


def _quotient(match: Match, numerator: Array, squares: Array, flat: Array) -> Array:
    """Return numerator / sqrt(squares), 0 where it is flat and between -1 and 1 elsewhere, with a finite gradient."""
    xp = match.xp
    one = xp.ones((), dtype=numerator.dtype, device=device_of(numerator))
    ratio = xp.where(flat, one * 0, numerator) / xp.sqrt(xp.where(flat, one, squares))
    return xp.where(ratio > 1, one, xp.where(ratio < -1, -one, ratio))


def _zncc(match: Match, parts: _Parts, sums: Correlations) -> Array:
    sizes, (x, t, _, own) = match.sizes, parts
    products = _numerator(match, x, t, sums)
    squares, totals = _over(match, x * x, sums), _over(match, x, sums)
    deviation = (sizes.terms * squares - totals * totals) / sizes.terms
    unknown = 0.0 if sizes.is_exact else 4 * (sizes.depth + 2) * eps(sizes.working)
    energy, rounding = _energy(match, t), 4 * eps(sizes.working)
    flat = (deviation <= unknown * squares) | (deviation <= _spectral_error(match, x))
    return _quotient(match, products, deviation * energy, flat | (energy <= rounding * rounding * own))


def _ncc(match: Match, parts: _Parts, sums: Correlations) -> Array:
    x, t, _, energy = parts
    products = _numerator(match, x, t, sums)
    squares = _over(match, x * x, sums)
    flat = (squares <= _spectral_error(match, x)) | (energy <= 0)
    return _quotient(match, products, squares * energy, flat)


def _products(match: Match, parts: _Parts, sums: Correlations) -> Array:
    return _numerator(match, parts.image, parts.template, sums)


def _ssd(match: Match, parts: _Parts, sums: Correlations) -> Array:
    x, t, level, _ = parts
    t = t - level
    distance = _over(match, x * x, sums) + _energy(match, t) - 2 * _numerator(match, x, t, sums)
    return match.xp.where(distance < 0, distance * 0, distance)


def _nssd(match: Match, parts: _Parts, sums: Correlations) -> Array:
    xp, (x, _, level, energy) = match.xp, parts
    distance = _ssd(match, parts, sums)
    own = x + level
    scale = _over(match, own * own, sums) * energy
    one = xp.ones((), dtype=distance.dtype, device=device_of(distance))
    ratio = distance / xp.sqrt(xp.where(scale <= 0, one, scale))
    return xp.where(scale <= 0, xp.where(distance > 0, one, one * 0), ratio)


_SCORES = {"zncc": _zncc, "ncc": _ncc, "zcc": _products, "cc": _products, "ssd": _ssd, "nssd": _nssd}
