"""Strips of the last axis, each copied to memory of its own, so that rows of a strip lie one after the other."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from arrayconv._memory import buffer, passing, put
from arrayconv._ops.windows import LEADING
from arrayconv._spec import Axis
from arrayconv._xp import Array


class Cut(NamedTuple):
    """How the last axis is cut."""

    strips: int
    step: int  # samples from one strip to the next
    span: int  # samples of a strip
    rows: int  # of a strip, from the first that is read
    slack: int  # elements of memory behind the last strip, zeros


class Place(NamedTuple):
    """Where data lie among the strips."""

    lead: tuple[Any, ...]  # the index of the axes before the strips
    rows: slice


class Strips(NamedTuple):
    """Data as strips."""

    rows: Array  # (B, G, C, *lead, strips, rows, span), zeros where there is no data
    memory: Any  # the same elements as one axis, and the slack; None where arrays have one name only


def laid(x: Array, axes: tuple[Axis, ...], cut: Cut, context: Any) -> Strips:
    """Return x (B, G, C, *n) as strips, with zeros beyond its ends as far as the axes' windows read."""
    *lead, row, column = axes
    sizes = [axis.stride * (axis.outputs - 1) + axis.reach for axis in lead]
    shape = (*x.shape[:LEADING], *sizes, cut.strips, cut.rows, cut.span)
    z, memory = _room(x, shape, cut, context)
    place: tuple[Any, ...] = (slice(None),) * LEADING
    for axis, size in zip(lead, sizes, strict=True):
        z = _blank(z, place, axis, size)
        place = (*place, slice(axis.before, axis.before + axis.size))
    z = _blank(z, (*place, slice(None)), row, cut.rows)
    data = Place(place, slice(row.before, row.before + row.size))
    for first in range(0, cut.span, cut.step):
        z = _filled(z, x, data, first, column, cut, context.xp)
    return Strips(z, memory)


def _room(x: Array, shape: tuple[int, ...], cut: Cut, context: Any) -> tuple[Array, Any]:
    """Return an array to fill, and all of its memory."""
    xp, device = context.xp, context.device
    if not context.traits.writable or context.traits.traced:
        return buffer(x, shape, zeros=False, xp=xp, device=device), None
    size = prod(shape)
    memory: Any = passing(x, (size + cut.slack,), xp=xp, device=device)
    memory[size:] = 0
    return xp.reshape(memory[:size], shape), memory


def _blank(z: Array, place: tuple[Any, ...], axis: Axis, size: int) -> Array:
    """Return z with zeros on the axis after `place` where there is no data."""
    stop = axis.before + axis.size
    z = put(z, (*place, slice(0, axis.before), ...), 0) if axis.before else z
    return put(z, (*place, slice(stop, None), ...), 0) if stop < size else z


def _filled(z: Array, x: Array, place: Place, first: int, column: Axis, cut: Cut, xp: Any) -> Array:
    """Return z with the samples from `first` of every strip on, as many as there are up to the next strip's."""
    lead, rows = place
    width = min(cut.step, cut.span - first)
    low = min(-(-max(column.before - first, 0) // cut.step), cut.strips)
    high = max(low, min((column.size + column.before - first) // cut.step, cut.strips))
    if high > low:  # strips whose samples, up to the next strip's, lie in x
        start = low * cut.step + first - column.before
        seen = xp.reshape(x[..., start : start + (high - low) * cut.step], (*x.shape[:-1], high - low, cut.step))
        n = x.ndim
        seen = xp.permute_dims(seen[..., :width], (*range(n - 2), n - 1, n - 2, n))
        z = put(z, (*lead, slice(low, high), rows, slice(first, first + width)), seen)
    for strip in (*range(low), *range(high, cut.strips)):
        start = strip * cut.step + first - column.before
        held = slice(max(start, 0), max(min(start + width, column.size), 0))
        z = put(z, (*lead, strip, rows, slice(first, first + width)), 0)
        if held.start < held.stop:
            inside = slice(first + held.start - start, first + held.stop - start)
            z = put(z, (*lead, strip, rows, inside), x[..., held])
    return z
