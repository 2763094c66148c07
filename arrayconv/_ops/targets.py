"""Where the outputs of products go: rows of equal width along the last axis, the last of which may be cut short."""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._memory import buffer, put
from arrayconv._spec import Spec
from arrayconv._xp import Array


class Target(NamedTuple):
    """Where outputs go: the piece's result as rows of a product."""

    y: Any  # None where arrays have one name only, and the result is made of `rows`
    rows: Array  # (..., rows, width): views of whole rows of y; without it, all rows
    rest: Any  # what is left of the last row, None if nothing


def target(x: Array, spec: Spec, width: int, context: Any) -> Target:
    """Return a target for all outputs, rows of `width` along the last axis."""
    columns = spec.axes[len(spec.axes) - 1].outputs
    lead = (spec.batch, spec.groups, spec.filters, *(axis.outputs for axis in spec.axes[:-1]))
    if not context.traits.writable or context.traits.traced:
        rows = (*lead, -(-columns // width), width)
        return Target(None, buffer(x, rows, zeros=False, xp=context.xp, device=context.device), None)
    y = context.out
    if y is None:
        y = buffer(x, (*lead, columns), zeros=False, xp=context.xp, device=context.device)
    whole = columns // width
    rows = context.xp.reshape(y[..., : whole * width], (*lead, whole, width))
    return Target(y, rows, y[..., whole * width :] if whole * width < columns else None)


def placed(to: Target, place: tuple[Any, ...], first: int, values: Array) -> Target:
    """Return the target with rows of outputs from row `first` on, at `place` of the axes before."""
    held = min(values.shape[-2], to.rows.shape[-2] - first)
    rows = put(to.rows, (*place, slice(first, first + held), slice(None)), values[..., :held, :])
    if to.rest is not None and held < values.shape[-2]:
        put(to.rest, (*place, slice(None)), values[..., held, : to.rest.shape[-1]])
    return to._replace(rows=rows)


def outputs(to: Target, spec: Spec, xp: Any) -> Array:
    """Return the result (B, G, O, *out)."""
    if to.y is not None:
        return to.y
    *lead, rows, width = to.rows.shape
    return xp.reshape(to.rows, (*lead, rows * width))[..., : spec.axes[len(spec.axes) - 1].outputs]
