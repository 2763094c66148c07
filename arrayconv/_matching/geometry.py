"""The arguments of a match in integers: which axes windows run along, how the image is padded, sizes and dtypes."""

from __future__ import annotations

from math import log2, prod
from typing import Any, NamedTuple

from arrayconv._arrays import dtypes
from arrayconv._errors import check_option
from arrayconv._problem.axes import integer, is_sequence
from arrayconv._problem.boundary import BOUNDARIES, Boundary, Source, reads_samples, runs
from arrayconv._runtime.capacity import check_result
from arrayconv._runtime.tracing import planning

Shape = tuple[int, ...]

SCORES = ("zncc", "ncc", "zcc", "cc", "ssd", "nssd")
SHIFTED = ("zncc", "zcc", "ssd", "nssd")  # scores that the same constant added to both operands does not change
_MAX_EXACT = 2**53  # integers up to here are exact in float64


class Geometry(NamedTuple):
    """A match in hashable values."""

    function: str
    score: str
    windows: Shape  # axes of the image that windows run along, the channel axis last if there is one
    channel: int | None
    pad: bool
    boundary: Boundary
    fill: Any
    accuracy: str


class Sizes(NamedTuple):
    """What shapes and dtypes add."""

    template: Shape  # with as many axes as the image
    order: Shape | None  # of the template's own axes, before it is reshaped; None if they stay
    shape: Shape  # of the result
    padded: Shape  # of the image
    pads: tuple[tuple[int, Source], ...]  # axes that are extended, and the samples that they then have
    taps: tuple[tuple[int, int], ...]  # window axes and the samples of a window along them
    terms: int  # samples in a window
    points: int  # samples of the image along the window axes
    working: str  # dtype of sums
    output: str
    is_whole: bool  # whether the operands are integers
    unknown: float  # share of a window's squares up to which a variance is rounding errors
    spectral: float  # share of the image's squares up to which a window's norm is below the error of an FFT
    rounding: float  # share of a template's squares up to which its variance is rounding errors


def geometry(function: str, shapes: tuple[Shape, Shape], options: tuple[Any, ...], accuracy: str) -> Geometry:
    """Check the options of a match: (pad_input, mode, constant_values, score, axes, channel_axis)."""
    pad, mode, fill, score, axes, channel = options
    check_option(function, "mode", mode, BOUNDARIES)
    check_option(function, "score", score, SCORES)
    ndim = len(shapes[0])
    channel = None if channel is None else _axis(function, "channel_axis", channel, ndim)
    windows = _window_axes(function, axes, ndim, len(shapes[1]), channel)
    return Geometry(function, score, windows, channel, pad, mode, fill, accuracy)


def _axis(function: str, argument: str, value: Any, ndim: int) -> int:
    number = integer(function, argument, value)
    if not -ndim <= number < ndim:
        raise ValueError(f"{function}: `{argument}` must be in [{-ndim}, {ndim}) for the image's axes. Got {number}.")
    return number % ndim


def _window_axes(function: str, axes: Any, ndim: int, template_ndim: int, channel: int | None) -> Shape:
    """Return the axes of the image that windows run along, in the order in which the template's pair with them."""
    own = template_ndim - (channel is not None)
    if axes is None and template_ndim not in (ndim, own + (channel is not None)):
        raise ValueError(f"{function}: `template` has {template_ndim} axes. Pass axes= to say which of the image's.")
    if axes is None:
        if template_ndim != ndim:
            raise ValueError(
                f"{function}: `template` must have the image's {ndim} axes. Got {template_ndim}. Pass axes= with those "
                f"that windows run along."
            )
        numbers = [number for number in range(ndim) if number != channel]
    else:
        entries = axes if is_sequence(axes) else (axes,)
        numbers = [_axis(function, "axes", entry, ndim) for entry in entries]
    if len(set(numbers)) != len(numbers) or channel in numbers:
        raise ValueError(f"{function}: `axes` must differ from each other and from `channel_axis`. Got {axes}.")
    if not numbers:
        raise ValueError(f"{function}: `axes` must name an axis at least. Got {axes}, for {ndim} axes of the image.")
    if template_ndim not in (ndim, len(numbers) + (channel is not None)):
        raise ValueError(
            f"{function}: `template` must have the image's {ndim} axes, or one for each of `axes` and `channel_axis`. "
            f"Got {template_ndim} axes, axes={axes}, channel_axis={channel}."
        )
    return (*numbers, *(() if channel is None else (channel,)))


@planning()
def sizes(geometry: Geometry, shapes: tuple[Shape, Shape], names: tuple[str, str], float64: bool) -> Sizes:
    """Return sizes and dtypes of a match; raises where a window does not fit."""
    image, own = shapes
    template, order = _template_shape(geometry, image, own)
    padded, shape = list(image), []
    for axis, (n, k) in enumerate(zip(image, template, strict=True)):
        if axis not in geometry.windows:
            shape.append(_broadcast(geometry, axis, n, k))
            continue
        _check_axis(geometry, axis, n, k)
        extends = geometry.pad and axis != geometry.channel
        padded[axis] = n + k - 1 if extends else n
        if axis != geometry.channel:
            shape.append(n if extends else n - k + 1)
    for result in (tuple(shape), tuple(padded)):
        check_result(geometry.function, result, prod(result), 8, "Match a smaller image")
    taps = tuple([(axis, template[axis]) for axis in geometry.windows])
    extended = [axis for axis in geometry.windows if geometry.pad and axis != geometry.channel]
    pads = tuple([(axis, _source(geometry, image[axis], template[axis])) for axis in extended])
    terms, points = prod([count for _, count in taps]), prod([padded[axis] for axis in geometry.windows])
    working = "float64" if float64 else "float32"
    whole = all(dtypes.kind(name) == "integer" for name in names)
    return Sizes(
        template,
        None if order == tuple(sorted(order)) else order,
        tuple(shape),
        tuple(padded),
        pads,
        taps,
        terms,
        points,
        working,
        _output(names, working),
        whole,
        *_thresholds(geometry, names, taps, points, working),
    )


def _source(geometry: Geometry, n: int, k: int) -> Source:
    return runs(n, -(k // 2), n + (k - 1) // 2, geometry.boundary)


def _thresholds(
    geometry: Geometry, names: tuple[str, str], taps: tuple[tuple[int, int], ...], points: int, working: str
) -> tuple[float, float, float]:
    """Return `unknown`, `spectral` and `rounding` of Sizes."""
    unit, terms = dtypes.eps(working), prod([count for _, count in taps])
    depth = sum([additions(count) for _, count in taps])
    whole = working == "float64" and all(dtypes.kind(name) == "integer" for name in names)
    exact = whole and 4 * terms * terms * max(_largest(name) for name in names) ** 2 < _MAX_EXACT
    spectral = (terms + 12 * log2(max(points + terms, 2)) + 4) * unit
    return (
        0.0 if exact else 4 * (depth + 2) * unit,
        0.0 if geometry.accuracy == "componentwise" else spectral**2,
        (4 * unit) ** 2,
    )


def _template_shape(geometry: Geometry, image: Shape, own: Shape) -> tuple[Shape, Shape]:
    """Return the template's shape with an axis for each of the image's, and the order of its axes before that."""
    if len(own) == len(image):
        return own, tuple(range(len(own)))
    by_axis = dict(zip(_pairing(geometry), own, strict=True))
    order = sorted(range(len(own)), key=lambda number: _pairing(geometry)[number])
    return tuple(by_axis.get(axis, 1) for axis in range(len(image))), tuple(order)


def _pairing(geometry: Geometry) -> Shape:
    """Return the image's axis of each axis of a template that has fewer."""
    return geometry.windows if geometry.channel is None else tuple(sorted(geometry.windows))


def _broadcast(geometry: Geometry, axis: int, n: int, k: int) -> int:
    if n != k and 1 not in (n, k):
        raise ValueError(
            f"{geometry.function}: axis {axis} is not among `axes`, so image and template must be equal there, or one "
            f"of them 1. Got {n} and {k}."
        )
    return max(n, k) if n and k else 0


def _check_axis(geometry: Geometry, axis: int, n: int, k: int) -> None:
    if k < 1:
        raise ValueError(f"{geometry.function}: `template` must have samples. Got none along axis {axis}.")
    if axis == geometry.channel and n != k:
        raise ValueError(
            f"{geometry.function}: image and template must have as many channels along `channel_axis`. Got {n} and {k}."
        )
    if n < k and not geometry.pad:
        raise ValueError(
            f"{geometry.function}: image must be larger than template: `template` fits nowhere along axis {axis}. Got "
            f"{n} samples and {k}. Pass pad_input=True, or a smaller template."
        )
    if geometry.pad and not n and reads_samples(geometry.boundary):
        raise ValueError(
            f"{geometry.function}: mode {geometry.boundary!r} extends the image. Got none along axis {axis}."
        )


def _largest(name: str) -> int:
    """Return the largest magnitude of the difference of two integers of a dtype."""
    return 2 ** dtypes.DTYPES[name].bits


def _output(names: tuple[str, str], working: str) -> str:
    floats = [name for name in names if dtypes.kind(name) == "real"]
    narrow = bool(floats) and all(name != "float64" for name in floats)
    return "float32" if narrow else working


BLOCK = 32  # taps that are added at a time


def additions(taps: int) -> int:
    """Return the additions behind one sum over `taps` samples, as `sums.over` computes it."""
    if taps <= BLOCK:
        return taps
    blocks, rest = divmod(taps, BLOCK)
    return BLOCK + additions(blocks) + (rest + 1 if rest else 0)
