"""The arguments of a match in integers: which axes windows run along, how the image is padded, sizes and dtypes."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from arrayconv._arrays import dtypes
from arrayconv._errors import check_option
from arrayconv._problem.axes import integer, is_sequence
from arrayconv._problem.boundary import BOUNDARIES, Boundary, reads_samples
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
    order: Shape  # of the template's own axes, before it is reshaped
    shape: Shape  # of the result
    padded: Shape  # of the image
    terms: int  # samples in a window
    depth: int  # additions behind a sum over a window
    working: str  # dtype of sums
    output: str
    is_whole: bool  # whether the operands are integers
    is_exact: bool  # and sums of their squares are exact in the working dtype


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
    terms = prod(template[axis] for axis in geometry.windows)
    depth = sum(additions(template[axis]) for axis in geometry.windows)
    whole = all(dtypes.kind(name) == "integer" for name in names)
    working = "float64" if float64 else "float32"
    exact = whole and float64 and 4 * terms * terms * max(_largest(name) for name in names) ** 2 < _MAX_EXACT
    return Sizes(
        template, order, tuple(shape), tuple(padded), terms, depth, working, _output(names, working), whole, exact
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
            f"{geometry.function}: axis {axis} is no window axis, so image and template must be equal there, or one of "
            f"them 1. Got {n} and {k}."
        )
    return max(n, k) if n and k else 0


def _check_axis(geometry: Geometry, axis: int, n: int, k: int) -> None:
    if k < 1:
        raise ValueError(f"{geometry.function}: `template` must have samples. Got none along axis {axis}.")
    if axis == geometry.channel and n != k:
        raise ValueError(f"{geometry.function}: image and template must have as many channels. Got {n} and {k}.")
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
