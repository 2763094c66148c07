"""The array that products are written to: rows of equal width along the last axis, of which the last may be shorter."""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._algorithms._base import Context
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import buffer, reshape, set_at
from arrayconv._problem.spec import Spec

Shape = tuple[int, ...]
Index = tuple[Any, ...]


class TargetLayout(NamedTuple):
    """The outputs of a problem as rows: of full width, views of y, where y is written in place; else all of them."""

    outputs: Shape  # (B, G, O, *out)
    rows: Shape  # (B, G, O, *out but the last axis, rows, width)
    columns: int  # outputs of the last axis that are in `rows`
    tail: int  # outputs of a shorter last row, where y is written in place; 0 without one
    flat: Shape  # `rows` with the last two axes joined


class Place(NamedTuple):
    """The place of rows of outputs in a target, and the values that are written there."""

    rows: Index
    row_values: Index | None  # the values of full rows; None for all
    tail: Index | None  # in the shorter last row, None where that is not among the rows
    tail_values: Index | None


class Target(NamedTuple):
    """The arrays to write to."""

    y: Any  # None while a compiler traces: the result is made of `rows`
    rows: Array
    tail: Any  # the shorter last row, None without one


def layout_of(spec: Spec, width: int, in_place: bool) -> TargetLayout:
    """Return the outputs as rows of `width` along the last axis."""
    *lead, columns = spec.output_shape
    rows = columns // width if in_place else -(-columns // width)
    in_rows = rows * width if in_place else columns
    return TargetLayout((*lead, columns), (*lead, rows, width), in_rows, columns - in_rows, (*lead, rows * width))


def target(part: Array, layout: TargetLayout, context: Context) -> Target:
    """Return a target for all outputs, like `part` in dtype."""
    xp, device = context.xp, context.device
    if not context.in_place:
        return Target(None, buffer(part, layout.rows, zeros=False, xp=xp, device=device), None)
    y = context.out
    if y is None:
        y = buffer(part, layout.outputs, zeros=False, xp=xp, device=device)
    if not layout.tail:
        return Target(y, reshape(y, layout.rows, xp=xp), None)
    return Target(y, reshape(y[..., : layout.columns], layout.rows, xp=xp), y[..., layout.columns :])


def place_of(layout: TargetLayout, place: Index, first: int, count: int) -> Place:
    """Return the place of `count` rows of outputs from row `first` on, at `place` of the axes before."""
    full = min(count, layout.rows[-2] - first)
    rows = (*place, slice(first, first + full), slice(None))
    if full == count:
        return Place(rows, None, None, None)
    tail = ((*place, slice(None)), (..., full, slice(0, layout.tail))) if layout.tail else (None, None)
    return Place(rows, (..., slice(0, full), slice(None)), *tail)


def put_rows(to: Target, place: Place, values: Array) -> Target:
    """Return the target with rows of outputs (..., rows, width) in their place."""
    if place.tail is not None:
        set_at(to.tail, place.tail, values[place.tail_values])
    rows = set_at(to.rows, place.rows, values if place.row_values is None else values[place.row_values])
    return to if rows is to.rows else Target(to.y, rows, to.tail)


def outputs(to: Target, layout: TargetLayout, context: Context) -> Array:
    """Return the result (B, G, O, *out)."""
    if to.y is not None:
        return to.y
    return reshape(to.rows, layout.flat, xp=context.xp)[..., : layout.columns]
