"""The filters of `scipy.ndimage` in exact arithmetic: sums of chains of passes, each pass one correlation.

A pass extends what the pass before it returned, so that a constant beyond the ends is the same for every pass. Passes
on integers cut toward zero and wrap. Taps of Gaussians are computed in extended precision; the roundings of a target's
own taps are counted as further products, relative to `Taps.magnitude`.
"""

from functools import reduce
from math import ceil
from typing import NamedTuple

import numpy as np

from . import bounds, reference
from .reference import Axis, Exact, Problem

BOUNDARIES = {
    "reflect": "symmetric",
    "grid-mirror": "symmetric",
    "mirror": "reflect",
    "nearest": "edge",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "constant": "constant",
    "grid-constant": "constant",
}


class Taps(NamedTuple):
    """The taps of a correlation, and what bounds the error of computed ones."""

    values: np.ndarray
    magnitude: np.ndarray
    roundings: int = 0


class Pass(NamedTuple):
    """One correlation along some axes; `origin` moves the window as in SciPy."""

    axes: tuple
    taps: Taps
    origins: tuple
    conj: bool = False


def exact(name, arrays, options):
    """The exact result of a filter; of a gradient's magnitude, the squares summed and the root rounded."""
    x = arrays["input"]
    if name in ("gaussian_gradient_magnitude", "generic_gradient_magnitude"):
        return _magnitude([_chain(x, chain, options) for chain in _chains(name, arrays, options)])
    results = [_chain(x, chain, options) for chain in _chains(name, arrays, options)]
    return reduce(_sum, results)


def _chains(name, arrays, options):
    """The chains of passes whose results are added, or squared and added."""
    x = arrays["input"]
    axes = _axes(options.get("axes"), x.ndim)
    if name.startswith(("correlate", "convolve")):
        return [[_weights(name, arrays, options, axes)]]
    if name.startswith("uniform"):
        return [[_window(*row) for row in _sizes(name, options, axes, x.ndim)]]
    if name in ("sobel", "prewitt"):
        return [_derivative(name, options.get("axis", -1) % x.ndim, x.ndim)]
    if name in ("laplace", "generic_laplace"):
        return [[Pass((axis,), _integer_taps([1, -2, 1]), (0,))] for axis in axes]
    if name == "generic_gradient_magnitude":
        return [_derivative("sobel", axis, x.ndim) for axis in axes]
    if name.startswith("gaussian_filter"):
        return [_gaussians(name, options, axes, x.ndim)]
    order = 2 if name == "gaussian_laplace" else 1
    return [
        _gaussians(name, {**options, "order": tuple(order * (a == axis) for a in axes)}, axes, x.ndim) for axis in axes
    ]


def _axes(axes, ndim):
    if axes is None:
        return tuple(range(ndim))
    return tuple(axis % ndim for axis in (axes if isinstance(axes, tuple) else (axes,)))


def _each(value, count):
    return value if isinstance(value, tuple) else (value,) * count


def _integer_taps(numbers):
    numbers = np.array(numbers)
    return Taps(numbers, np.abs(numbers))


def _weights(name, arrays, options, axes):
    weights = arrays["weights"]
    if name.endswith("1d"):
        axes = (options.get("axis", -1) % arrays["input"].ndim,)
    origins = _each(options.get("origin", 0), len(axes))
    convolves = name.startswith("convolve")
    if convolves:  # the window of an even convolution has its larger half after the output
        weights = np.flip(weights)
        origins = tuple(-origin - (size % 2 == 0) for origin, size in zip(origins, weights.shape, strict=True))
    return Pass(axes, Taps(weights, np.abs(weights)), origins, not convolves)


def _sizes(name, options, axes, ndim):
    if name == "uniform_filter1d":
        axes = (options.get("axis", -1) % ndim,)
    rows = (_each(options.get("size", 3), len(axes)), _each(options.get("origin", 0), len(axes)))
    return list(zip(axes, *rows, strict=True))


def _window(axis, size, origin):
    taps = np.full(size, np.longdouble(1) / size)
    return Pass((axis,), Taps(taps, taps, 2), (origin,))


def _derivative(name, axis, ndim):
    smooth = [1, 2, 1] if name == "sobel" else [1, 1, 1]
    others = [Pass((other,), _integer_taps(smooth), (0,)) for other in range(ndim) if other != axis]
    return [Pass((axis,), _integer_taps([-1, 0, 1]), (0,)), *others]


def _gaussians(name, options, axes, ndim):
    if name == "gaussian_filter1d":
        axes = (options.get("axis", -1) % ndim,)
    rows = (
        _each(options.get(key, default), len(axes)) for key, default in (("sigma", 1), ("order", 0), ("radius", None))
    )
    truncate = options.get("truncate", 4.0)
    return [
        Pass((axis,), gaussian(sigma, order, truncate, radius), (0,))
        for axis, sigma, order, radius in zip(axes, *rows, strict=True)
    ]


def gaussian(sigma, order, truncate, radius):
    """The taps of the Gaussian's derivative, in extended precision, as a correlation multiplies them."""
    radius = int(truncate * sigma + 0.5) if radius is None else radius
    places = np.arange(-radius, radius + 1).astype(np.longdouble)
    sigma = np.longdouble(sigma)
    phi = np.exp(-(places**2) / (2 * sigma**2))
    phi = phi / phi.sum()
    u = -places / sigma**2  # the first derivative's factor, at the sample that a tap of a convolution multiplies
    parts = [[1], [u], [u**2, -1 / sigma**2], [u**3, -3 * u / sigma**2]][order]
    taps = sum(parts) * phi * (-1) ** order
    roundings = ceil(float(places[-1] ** 2 / (2 * sigma**2))) + len(places) + 8
    return Taps(taps, sum(np.abs(part) for part in parts) * phi, roundings)


def _chain(x, passes, options):
    """The exact result of passes one after the other."""
    cval, axes = options.get("cval", 0), _axes(options.get("axes"), x.ndim)
    modes = dict(zip(axes, _each(options.get("mode", "reflect"), len(axes)), strict=True))
    if len(passes) == 1:
        return _single(x, passes[0], modes, cval)
    real = _real_chain(np.real(x), passes, modes, np.real(cval))
    if not np.iscomplexobj(x):
        return real
    imag = _real_chain(np.imag(x), passes, modes, np.imag(cval))
    real, imag = _over(real, imag.shift), _over(imag, real.shift)
    return real._replace(
        imag=imag.real,
        magnitude=np.hypot(real.magnitude, imag.magnitude),
        contaminated=real.contaminated | imag.contaminated,
    )


def _problem(shape, step, modes):
    labels = tuple(range(len(shape)))
    space = {}
    for axis, taps, origin in zip(step.axes, step.taps.values.shape, step.origins, strict=True):
        boundary = BOUNDARIES[modes.get(axis, "reflect")]
        space[axis] = Axis(shape[axis], taps, shape[axis], taps // 2 + origin, boundary=boundary)
    return Problem(labels, step.axes, labels, space, conj=step.conj)


def _single(x, step, modes, cval):
    result = reference.evaluate(_problem(x.shape, step, modes), x, step.taps.values, cval)
    return _cut(_rounded(result, x, step, modes, cval), x)


def _rounded(result, x, step, modes, cval):
    """The result with the roundings of computed taps in its bound."""
    if not step.taps.roundings:
        return result
    wide = np.abs(np.where(np.isfinite(x), x, 0)).astype(np.longdouble)
    fill = np.longdouble(abs(cval)) if np.isfinite(cval) else np.longdouble(0)
    magnitude = reference.bilinear(_problem(x.shape, step, modes), wide, step.taps.magnitude, fill)
    return result._replace(magnitude=magnitude, terms=result.terms + step.taps.roundings)


def _cut(result, x):
    """Of integers what is left after cutting toward zero and wrapping."""
    if x.dtype.kind not in "iu":
        return result
    whole = np.array(
        [abs(value) // 2**result.shift * (1 if value >= 0 else -1) for value in result.real.ravel()], object
    )
    result = result._replace(real=whole.reshape(result.shape), shift=0)
    return result._replace(real=bounds.wrapped(result, x.dtype.name).astype(object))


def _real_chain(x, passes, modes, cval):
    result, value = None, x
    bad = ~np.isfinite(x)
    bad_fill = not np.isfinite(cval)
    (numbers, fill), shift = reference.integers(np.where(bad, 0, x), np.asarray(0 if bad_fill else cval))
    magnitude, wide_fill = (
        np.abs(np.where(bad, 0, x)).astype(np.longdouble),
        np.longdouble(0 if bad_fill else abs(cval)),
    )
    mask, total, fill = bad.astype(int), 0, fill.item()
    for step in passes:
        problem = _problem(x.shape, step, modes)
        (taps,), more = reference.integers(step.taps.values)
        numbers = reference.bilinear(problem, numbers, taps, fill)
        magnitude = reference.bilinear(problem, magnitude, step.taps.magnitude.astype(np.longdouble), wide_fill)
        ones = np.ones(step.taps.values.shape, int)
        mask = (reference.bilinear(problem, mask, ones, int(bad_fill)) > 0).astype(int)
        total += step.taps.values.size + step.taps.roundings + 2
        shift, fill = shift + more, fill << more
        result = Exact(numbers, np.zeros(x.shape, object), shift, magnitude, mask > 0, total, 1, 0.0, 0.0)
        if x.dtype.kind in "iu":
            result = _cut(result, value)
            numbers, shift, fill = result.real, 0, int(cval)
    return result


def _over(result, shift):
    """The same numbers over a larger power of two."""
    more = max(shift - result.shift, 0)
    return result._replace(real=result.real * 2**more, imag=result.imag * 2**more, shift=result.shift + more)


def _sum(first, second):
    first, second = _over(first, second.shift), _over(second, first.shift)
    return first._replace(
        real=first.real + second.real,
        imag=first.imag + second.imag,
        magnitude=first.magnitude + second.magnitude,
        contaminated=first.contaminated | second.contaminated,
        terms=max(first.terms, second.terms) + 1,
    )


def _magnitude(results):
    """The root of the sum of squares: its error is at most the norm of the results' errors, and its own rounding."""
    squares = sum(result.values**2 for result in results)
    root = np.sqrt(squares.astype(np.longdouble))
    (real,), shift = reference.integers(root)
    return results[0]._replace(
        real=real,
        imag=np.zeros(root.shape, object),
        shift=shift,
        magnitude=np.sqrt(sum(result.magnitude**2 for result in results)),
        contaminated=np.logical_or.reduce([result.contaminated for result in results]),
        terms=max(result.terms for result in results) + 4 + len(results),
    )
