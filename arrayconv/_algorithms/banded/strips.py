"""Strips of the last axis, each copied to memory of its own, so that rows of a strip are contiguous."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from arrayconv._algorithms._base import Context
from arrayconv._algorithms.banded.bands import Bands
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import is_numpy, overlapping, permute_dims, reshape
from arrayconv._arrays.zero_padding import PaddedLayout, outside, zero_padded_parts, zero_regions
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Axis, Spec

Index = tuple[Any, ...]


class Copy(NamedTuple):
    """Samples that are copied to one strip, or to the same part of several."""

    place: Index
    samples: slice  # of the last axis
    width: int  # samples copied to each strip; those up to the next strip's are skipped
    split: tuple[int, ...] | None  # shape of x with its last axis as (strips, samples per strip); None for one strip
    order: tuple[int, ...]  # of the axes of `split` in the strips


class Views(NamedTuple):
    """Inner strips as overlapping views of x."""

    place: Index
    first: int  # sample of the last axis
    strips: int
    step: int  # samples from one to the next
    span: int


class StripLayout(NamedTuple):
    """The copies that make strips of x, padded with zeros as far as windows read."""

    frame: PaddedLayout  # (B, G, C, *lead, strips, rows, span), and zeros after it where it is written in place
    inner: tuple[Copy, ...]  # to strips whose samples are all in x
    outer: tuple[Copy, ...]
    views: Views | None  # the inner strips of a NumPy array in one copy, None without any


class Strips(NamedTuple):
    """Data as strips."""

    rows: Array
    memory: Any  # the same elements and the slack as one axis, where written in place


def layout_of(spec: Spec, bands: Bands, in_place: bool) -> StripLayout:
    """Return how the samples of a problem become strips."""
    *lead, row, column = spec.axes
    sizes = [axis.stride * (axis.outputs - 1) + axis.reach for axis in lead]
    shape = (spec.batch, spec.groups, spec.channels, *sizes, bands.strips, bands.groups * bands.height, bands.span)
    place = (*map(_samples, lead), slice(None), _samples(row))
    zeros = zero_regions(shape, (*place, slice(None)))
    low, high = _inner(column, bands)
    outer = [strip for strip in range(bands.strips) if not low <= strip < high]
    missing = [
        _at(place, strip, part)
        for strip in outer
        for part in outside(_samples_in_strip(column, bands, strip), bands.span)
    ]
    slack = bands.height * bands.span if in_place else 0
    views = None
    if high > low:
        at = _at(place, slice(low, high), slice(None))
        views = Views(at, low * bands.step - column.before, high - low, bands.step, bands.span)
    return StripLayout(
        frame=PaddedLayout(shape, (*zeros, *missing), slack),
        inner=tuple(_of_inner(spec, bands, place, low, high)),
        outer=tuple([_of_outer(column, bands, place, strip) for strip in outer]),
        views=views,
    )


def _samples(axis: Axis) -> slice:
    """Return the slice of the samples in a padded axis."""
    return slice(axis.before, axis.before + axis.size)


def _inner(column: Axis, bands: Bands) -> tuple[int, int]:
    """Return the range of the strips whose samples, and those up to the next strip, are all in x."""
    low = min(-(-column.before // bands.step), bands.strips)
    read = -(-bands.span // bands.step) * bands.step
    return low, max(low, min((column.size + column.before - read) // bands.step + 1, bands.strips))


def _of_inner(spec: Spec, bands: Bands, place: Index, low: int, high: int) -> Iterator[Copy]:
    """Yield the copies to inner strips, `step` samples of each at a time, since strips overlap."""
    n, start = LEADING + len(spec.axes), low * bands.step - spec.axes[-1].before
    split = (*spec.input_shape[:-1], high - low, bands.step)
    order = (*range(n - 2), n - 1, n - 2, n)
    for first in range(0, bands.span if high > low else 0, bands.step):
        width = min(bands.step, bands.span - first)
        samples = slice(start + first, start + first + (high - low) * bands.step)
        yield Copy(_at(place, slice(low, high), slice(first, first + width)), samples, width, split, order)


def _of_outer(column: Axis, bands: Bands, place: Index, strip: int) -> Copy:
    part, start = _samples_in_strip(column, bands, strip), strip * bands.step - column.before
    samples = slice(part.start + start, part.stop + start)
    return Copy(_at(place, strip, part), samples, part.stop - part.start, None, ())


def _samples_in_strip(column: Axis, bands: Bands, strip: int) -> slice:
    """Return the part of a strip that contains samples."""
    start = strip * bands.step - column.before
    first = min(max(-start, 0), bands.span)
    return slice(first, max(min(column.size - start, bands.span), first))


def _at(place: Index, strips: int | slice, part: slice) -> Index:
    """Return the index of a part of strips, for the rows that contain samples."""
    *lead, _, rows = place
    return (..., *lead, strips, rows, part)


def strips(x: Array, layout: StripLayout, context: Context) -> Strips:
    """Return x (B, G, C, *n) as strips."""
    if layout.views is not None and is_numpy(x):
        parts = [(layout.views.place, _overlapping(x, layout.views))]
    else:
        parts = [(copy.place, _copied(x, copy, context)) for copy in layout.inner]
    parts += [(copy.place, _copied(x, copy, context)) for copy in layout.outer]
    zeros_first = not context.in_place
    return Strips(
        *zero_padded_parts(x, layout.frame, parts, xp=context.xp, device=context.device, zeros_first=zeros_first)
    )


def _overlapping(x: Any, views: Views) -> Any:
    """Return the inner strips (..., strips, rows, span) as a view of x (..., rows, columns)."""
    *lead, row, column = x.strides
    shape = (*x.shape[:-2], views.strips, x.shape[-2], views.span)
    return overlapping(x, views.first, shape, (*lead, views.step * column, row, column))


def _copied(x: Array, copy: Copy, context: Context) -> Array:
    """Return the samples of a copy in the order of strips: a view, if the library has views."""
    part, xp = x[..., copy.samples], context.xp
    if copy.split is None:
        return part
    return permute_dims(reshape(part, copy.split, xp=xp)[..., : copy.width], copy.order, xp=xp)
