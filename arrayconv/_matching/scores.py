"""The scores from the template's correlation and the sums over windows.

With I the image less its mean c, T the template less its own mean, N samples in a window, and sums over the window,

    zncc = sum I T / sqrt(D sum T**2),      N D = N sum I**2 - (sum I)**2

The difference cancels where a window varies little around a mean far from c. Its error is at most
``4 (n + 2) eps sum I**2``, n the additions behind a sum, so D below that is not known: such a window is flat, and its
score is 0. Sums of integers whose squares fit float64 are exact, and so is D. By an FFT sum I T is wrong by up to
``(N + 12 log2 size + 4) eps norm(I) norm(T)``; a window whose D is below the square of that over norm(T) is flat too.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import is_numpy
from arrayconv._arrays.chunks import is_graph
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import Namespace, on_device
from arrayconv._calls.binding import BoundCall
from arrayconv._calls.prepare import Options
from arrayconv._matching.geometry import SHIFTED, Geometry, Sizes
from arrayconv._matching.sums import Correlations
from arrayconv._ops import pad


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
    energy: Any  # of the template as it was passed: the sum of its squares


def scored(match: Match, image: Array, template: Array) -> Array:
    """Return the scores, as one program on JAX."""
    return score(match, image, template)[0]


@float_errors_ignored
def score(match: Match, image: Array, template: Array, bound: tuple[BoundCall, ...] = ()) -> tuple[Array, Any]:
    """Return the scores and the bound convolutions of a match."""
    xp, device = match.xp, device_of(image)
    with on_device(xp, device):
        parts = _prepared(match, image, template, device)
        sums = Correlations(match.geometry.function, bound)
        y = _SCORES[match.geometry.score](match, parts, sums)
        if match.geometry.channel is not None:
            y = xp.squeeze(y, axis=match.geometry.channel)
        return xp.astype(y, getattr(xp, match.sizes.output), copy=False), tuple(sums.bound)


def _prepared(match: Match, image: Array, template: Array, device: Any) -> _Parts:
    """Cast, extend and reshape the operands; for most scores subtract the image's mean."""
    geometry, sizes, xp = match
    dtype = getattr(xp, sizes.working)
    x = xp.astype(image, dtype, copy=False)
    for axis, source in sizes.pads:
        x = pad.extend(x, axis, source, geometry.fill, xp=xp, device=device)
    t = xp.astype(template, dtype, copy=False)
    if sizes.order is not None:
        t = xp.permute_dims(t, sizes.order)
    t = xp.reshape(t, sizes.template)
    energy = _energy(match, t)
    if geometry.score not in SHIFTED:
        return _Parts(x, t, 0 * _one(x, xp), energy)
    level = _mean_of_finite(match, x)
    if geometry.score in ("zncc", "zcc"):
        t = t - xp.mean(t, axis=geometry.windows, keepdims=True)
        t = t - xp.mean(t, axis=geometry.windows, keepdims=True)  # the rounding error of the first mean
    return _Parts(x - level, t, level, energy)


def _mean_of_finite(match: Match, x: Any) -> Any:
    """Return a mean that no NaN reaches; a whole number for integers, whose differences are then exact."""
    (geometry, sizes, xp), count = match, max(match.sizes.points, 1)
    if sizes.is_whole:
        return xp.floor(xp.sum(x / count, axis=geometry.windows, keepdims=True))
    if is_numpy(x):  # whose values may be read: one pass instead of three
        mean = xp.sum(x, axis=geometry.windows, keepdims=True) / count
        if xp.all(xp.isfinite(mean)):
            return mean
    finite = xp.where(xp.isfinite(x), x, 0 * _one(x, xp))
    return xp.sum(finite / count, axis=geometry.windows, keepdims=True)


def _one(x: Any, xp: Namespace) -> Any:
    """Return 1 in the dtype of x; beside a lazy array ones like it, of its own values: Dask creates NumPy chunks."""
    if is_graph(x):
        return xp.astype(xp.isfinite(x) | True, x.dtype)
    return xp.ones((), dtype=x.dtype, device=device_of(x))


def numerator(match: Match, x: Array, t: Array, sums: Correlations) -> Any:
    """Return the correlation with the template."""
    options = Options(accuracy=match.geometry.accuracy)  # pyright: ignore[reportArgumentType]
    return sums.correlate(x, t, match.geometry.windows, options)


def _energy(match: Match, t: Array) -> Any:
    return match.xp.sum(t * t, axis=match.geometry.windows, keepdims=True)


def _spectral_error(match: Match, squares: Array) -> Any:
    """Return the square of an FFT's error over norm(T), from the squares of x; 0 where no FFT may run."""
    sizes, xp = match.sizes, match.xp
    if not sizes.spectral:
        return 0 * _one(squares, xp)
    total = xp.sum(squares, axis=match.geometry.windows, keepdims=True)
    if not is_numpy(squares) or not xp.all(xp.isfinite(total)):
        finite = xp.where(xp.isfinite(squares), squares, 0 * _one(squares, xp))
        total = xp.sum(finite, axis=match.geometry.windows, keepdims=True)
    return sizes.spectral * total


def _normalised(match: Match, t: Array, own: Any, scale: float) -> tuple[Array, Any]:
    """Return a template divided by its norm over `scale`, and whether it has none; `own` are its own squares."""
    xp, energy = match.xp, _energy(match, t)
    flat = energy <= match.sizes.rounding * own
    one = _one(t, xp)
    return t * (scale / xp.sqrt(xp.where(flat, one, energy))), flat


def _quotient(match: Match, products: Array, squares: Array, flat: Array) -> Array:
    """Return products / sqrt(squares), 0 where it is flat and from -1 to 1 elsewhere, with a finite gradient."""
    xp = match.xp
    one = _one(products, xp)
    ratio = xp.where(flat, one * 0, products) / xp.sqrt(xp.where(flat, one, squares))
    return xp.maximum(xp.minimum(ratio, one), -one)


def _zncc(match: Match, parts: _Parts, sums: Correlations) -> Any:
    (_, sizes, xp), (x, t, _, own) = match, parts
    t, is_flat = _normalised(match, t, own, sqrt(sizes.terms))
    products, squares = numerator(match, x, t, sums), x * x
    error, totals = _spectral_error(match, squares), sums.over(x, sizes.taps)
    squares = sizes.terms * sums.over(squares, sizes.taps)
    deviation = squares - totals * totals  # N D
    flat = deviation <= xp.maximum(sizes.unknown * squares, sizes.terms * error)
    return _quotient(match, products, deviation, flat | is_flat)


def _ncc(match: Match, parts: _Parts, sums: Correlations) -> Any:
    x, t, _, own = parts
    t, is_flat = _normalised(match, t, own, 1.0)
    products, squares = numerator(match, x, t, sums), x * x
    error, squares = _spectral_error(match, squares), sums.over(squares, match.sizes.taps)
    return _quotient(match, products, squares, (squares <= error) | is_flat)


def _products(match: Match, parts: _Parts, sums: Correlations) -> Any:
    return numerator(match, parts.image, parts.template, sums)


def _ssd(match: Match, parts: _Parts, sums: Correlations) -> Any:
    x, t, level, _ = parts
    t = t - level
    products = numerator(match, x, t, sums)
    distance = sums.over(x * x, match.sizes.taps) + _energy(match, t) - 2 * products
    return match.xp.where(distance < 0, distance * 0, distance)


def _nssd(match: Match, parts: _Parts, sums: Correlations) -> Any:
    xp, (x, _, level, energy) = match.xp, parts
    distance = _ssd(match, parts, sums)
    own = x + level
    scale = sums.over(own * own, match.sizes.taps) * energy
    one = _one(distance, xp)
    ratio = distance / xp.sqrt(xp.where(scale <= 0, one, scale))
    return xp.where(scale <= 0, xp.where(distance > 0, one, one * 0), ratio)


# Arrays of the image's size and of the result's that a score computes beside its convolutions; `where` counts as four.
ARRAYS = {"zncc": (3, 18), "ncc": (2, 12), "zcc": (2, 1), "cc": (1, 1), "ssd": (3, 8), "nssd": (5, 20)}
CALLS = 40  # of array functions, on small arrays too
WINDOW_SUMS = {"zncc": 2, "ncc": 1, "zcc": 0, "cc": 0, "ssd": 1, "nssd": 2}
_SCORES = {"zncc": _zncc, "ncc": _ncc, "zcc": _products, "cc": _products, "ssd": _ssd, "nssd": _nssd}
