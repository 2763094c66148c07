"""Strips of the last axis, each copied to memory of its own, so that rows of a strip lie one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

from arrayconv._algorithms._base import Context
from arrayconv._algorithms.banded.bands import Bands
from arrayconv._memory import buffer, passing, permute_dims, put, reshape
from arrayconv._ops.windows import LEADING
from arrayconv._spec import Axis, Spec
from arrayconv._xp import Array

Index = tuple[Any, ...]


class Copy(NamedTuple):
    """Samples that are copied to one strip, or to the same part of several."""

    place: Index
    samples: slice  # of the last axis
    width: int  # of these, in each strip; those up to the next strip are left out
    split: tuple[int, ...] | None  # x with its last axis as (strips, samples per strip); None for one strip
    order: tuple[int, ...]  # of its axes among strips


class StripLayout(NamedTuple):
    """How x becomes strips, zeros beyond its ends as far as the axes' windows read."""

    shape: tuple[int, ...]  # (B, G, C, *lead, strips, rows, span)
    size: int
    slack: int  # elements of memory behind the last strip, zeros
    zeros: tuple[Index, ...]
    copies: tuple[Copy, ...]


class Strips(NamedTuple):
    """Data as strips."""

    rows: Array
    memory: Any  # the same elements as one axis, and the slack; None where arrays have one name only


def layout_of(spec: Spec, bands: Bands) -> StripLayout:
    """Return how the samples of a problem become strips."""
    *lead, row, column = spec.axes
    sizes = [axis.stride * (axis.outputs - 1) + axis.reach for axis in lead]
    rows = bands.groups * bands.height
    place: Index = (slice(None),) * LEADING
    zeros: list[Index] = []
    for axis, size in zip((*lead, row), (*sizes, rows), strict=True):
        place = place if axis is not row else (*place, slice(None))
        zeros += _ends(place, axis, size)
        place = (*place, slice(axis.before, axis.before + axis.size))
    low, high = _inner(column, bands)
    outer = [strip for strip in range(bands.strips) if not low <= strip < high]
    for strip in outer:
        zeros += [_at(place, strip, part) for part in _missing(column, bands, strip)]
    shape = (spec.batch, spec.groups, spec.channels, *sizes, bands.strips, rows, bands.span)
    copies = (*_of_inner(spec, bands, place, low, high), *(_of_outer(column, bands, place, strip) for strip in outer))
    return StripLayout(shape, prod(shape), bands.height * bands.span, tuple(zeros), copies)


def _ends(place: Index, axis: Axis, size: int) -> Iterator[Index]:
    """Yield where there is no data on the axis after `place`, of `size` samples."""
    if axis.before:
        yield (*place, slice(0, axis.before), ...)
    if axis.before + axis.size < size:
        yield (*place, slice(axis.before + axis.size, None), ...)


def _inner(column: Axis, bands: Bands) -> tuple[int, int]:
    """Return the first strip, and the one after the last, whose samples and those up to the next strip lie in x."""
    low = min(-(-column.before // bands.step), bands.strips)
    read = -(-bands.span // bands.step) * bands.step
    return low, max(low, min((column.size + column.before - read) // bands.step + 1, bands.strips))


def _of_inner(spec: Spec, bands: Bands, place: Index, low: int, high: int) -> Iterator[Copy]:
    """Yield the copies to inner strips, which overlap: the samples up to the next strip's, and so on."""
    n, start = LEADING + len(spec.axes), low * bands.step - spec.axes[-1].before
    split = (*spec.input_shape[:-1], high - low, bands.step)
    order = (*range(n - 2), n - 1, n - 2, n)
    for first in range(0, bands.span if high > low else 0, bands.step):
        width = min(bands.step, bands.span - first)
        samples = slice(start + first, start + first + (high - low) * bands.step)
        yield Copy(_at(place, slice(low, high), slice(first, first + width)), samples, width, split, order)


def _of_outer(column: Axis, bands: Bands, place: Index, strip: int) -> Copy:
    held, start = _held(column, bands, strip), strip * bands.step - column.before
    samples = slice(held.start + start, held.stop + start)
    return Copy(_at(place, strip, held), samples, held.stop - held.start, None, ())


def _held(column: Axis, bands: Bands, strip: int) -> slice:
    """Return the part of a strip that holds samples."""
    start = strip * bands.step - column.before
    first = min(max(-start, 0), bands.span)
    return slice(first, max(min(column.size - start, bands.span), first))


def _missing(column: Axis, bands: Bands, strip: int) -> Iterator[slice]:
    """Yield the parts of a strip that lie beyond the ends of x."""
    held = _held(column, bands, strip)
    if held.start:
        yield slice(0, held.start)
    if held.stop < bands.span:
        yield slice(held.stop, bands.span)


def _at(place: Index, strips: int | slice, part: slice) -> Index:
    """Return the index of a part of strips, for the rows that hold samples."""
    *lead, _, rows = place
    return (*lead, strips, rows, part)


def strips(x: Array, layout: StripLayout, context: Context) -> Strips:
    """Return x (B, G, C, *n) as strips."""
    xp, device = context.xp, context.device
    memory: Any = None
    if context.in_place:
        memory = passing(x, (layout.size + layout.slack,), xp=xp, device=device)
        memory[layout.size :] = 0
        rows = reshape(memory[: layout.size], layout.shape, xp=xp)
    else:
        rows = buffer(x, layout.shape, zeros=False, xp=xp, device=device)
    for place in layout.zeros:
        rows = put(rows, place, 0)
    for copy in layout.copies:
        part = x[..., copy.samples]
        if copy.split is not None:
            part = permute_dims(reshape(part, copy.split, xp=xp)[..., : copy.width], copy.order, xp=xp)
        rows = put(rows, copy.place, part)
    return Strips(rows, memory)
