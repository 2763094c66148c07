"""Where the outputs of products go: rows of equal width along the last axis, the last of which may be cut short."""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._algorithms._base import Context
from arrayconv._arrays.array import Array
from arrayconv._arrays.memory import buffer, reshape, set_at
from arrayconv._problem.spec import Spec

Shape = tuple[int, ...]
Index = tuple[Any, ...]


class TargetLayout(NamedTuple):
    """The outputs of a problem as rows; written in place these are views of the whole rows of y, else all of them."""

    outputs: Shape  # (B, G, O, *out)
    rows: Shape  # (B, G, O, *out but the last axis, rows, width)
    columns: int  # outputs of the last axis that are in `rows`
    rest: int  # outputs of the row that is cut short, where y is written in place; 0 if none is
    flat: Shape  # `rows` with the last two axes joined


class Place(NamedTuple):
    """Where some rows of outputs go, and which of their values."""

    rows: Index
    whole: Index | None  # of the values, those of whole rows; None for all
    rest: Index | None  # of the row that is cut short, None where it is not among them
    last: Index | None  # of the values, those that go there


class Target(NamedTuple):
    """The arrays to write to."""

    y: Any  # None where arrays have one name only, and the result is made of `rows`
    rows: Array
    rest: Any  # what is left of the last row, None if nothing


def layout_of(spec: Spec, width: int, in_place: bool) -> TargetLayout:
    """Return the outputs as rows of `width` along the last axis."""
    *lead, columns = spec.output_shape
    whole = columns // width if in_place else -(-columns // width)
    inside = whole * width if in_place else columns
    return TargetLayout((*lead, columns), (*lead, whole, width), inside, columns - inside, (*lead, whole * width))


def target(part: Array, layout: TargetLayout, context: Context) -> Target:
    """Return a target for all outputs, like `part` in dtype."""
    xp, device = context.xp, context.device
    if not context.in_place:
        return Target(None, buffer(part, layout.rows, zeros=False, xp=xp, device=device), None)
    y = context.out
    if y is None:
        y = buffer(part, layout.outputs, zeros=False, xp=xp, device=device)
    if not layout.rest:
        return Target(y, reshape(y, layout.rows, xp=xp), None)
    return Target(y, reshape(y[..., : layout.columns], layout.rows, xp=xp), y[..., layout.columns :])


def place_of(layout: TargetLayout, place: Index, first: int, count: int) -> Place:
    """Return the place of `count` rows of outputs from row `first` on, at `place` of the axes before."""
    whole = min(count, layout.rows[-2] - first)
    rows = (*place, slice(first, first + whole), slice(None))
    if whole == count:
        return Place(rows, None, None, None)
    last = ((*place, slice(None)), (..., whole, slice(0, layout.rest))) if layout.rest else (None, None)
    return Place(rows, (..., slice(0, whole), slice(None)), *last)


def put_rows(to: Target, place: Place, values: Array) -> Target:
    """Return the target with rows of outputs (..., rows, width) in their place."""
    if place.rest is not None:
        set_at(to.rest, place.rest, values[place.last])
    rows = set_at(to.rows, place.rows, values if place.whole is None else values[place.whole])
    return to if rows is to.rows else Target(to.y, rows, to.rest)


def outputs(to: Target, layout: TargetLayout, context: Context) -> Array:
    """Return the result (B, G, O, *out)."""
    if to.y is not None:
        return to.y
    return reshape(to.rows, layout.flat, xp=context.xp)[..., : layout.columns]
