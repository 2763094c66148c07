"""Bands of two axes and more: strips of the last one, a product for every phase of rows, channel and leading tap."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any, NamedTuple

from arrayconv._algorithms._base import Context
from arrayconv._algorithms.banded import strips, target
from arrayconv._algorithms.banded.bands import Bands, bands_of
from arrayconv._algorithms.banded.matrix import add_product
from arrayconv._algorithms.banded.strips import Strips
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import permute_dims, reshape
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

Shape = tuple[int, ...]


class Phase(NamedTuple):
    """The rows of outputs p, p + phases, ...: groups of rows of a strip that begin at one row."""

    first: int  # element of a strip
    groups: int
    place: target.Place  # of their outputs


class Steps(NamedTuple):
    """The sizes, indices and orders of axes of a problem."""

    strips: strips.StripLayout
    target: target.TargetLayout
    phases: tuple[Phase, ...]
    length: int  # elements of a group of rows
    terms: tuple[tuple[Any, ...], ...]  # for every channel and leading tap the index of its rows in the strips
    offsets: tuple[int, ...]  # the same as elements of memory, where a product reads one block; () elsewhere
    block: Shape  # rows of such a product, and their length
    products: Shape  # (B, G, *lead, strips, groups, O, P), all groups of a block
    order: Shape  # of the axes of `products` as outputs, (B, G, O, *lead, groups, strips, P)


@planning()
def steps_of(spec: Spec, in_place: bool) -> Steps:
    """Return the steps."""
    bands, lead = bands_of(spec), spec.axes[:-2]
    length = bands.height * bands.span
    outs = tuple(axis.outputs for axis in lead)
    taps = list(product(*(range(axis.taps) for axis in lead)))
    layout, n = target.layout_of(spec, bands.width, in_place), 2 + len(lead)
    return Steps(
        strips=strips.layout_of(spec, bands, in_place),
        target=layout,
        phases=tuple(_phase(phase, bands, layout) for phase in range(min(bands.phases, bands.rows))),
        length=length,
        terms=tuple(
            (slice(None), slice(None), c, *_rows_at(lead, tap), ...) for c in range(spec.channels) for tap in taps
        ),
        offsets=tuple(_offset(lead, tap, bands) for tap in taps) if in_place and _is_one_block(spec) else (),
        block=(spec.batch * prod(outs) * bands.strips * bands.groups, length),
        products=(spec.batch, spec.groups, *outs, bands.strips, bands.groups, spec.filters, bands.width),
        order=(0, 1, n + 2, *range(2, n), n + 1, n, n + 3),
    )


def _phase(phase: int, bands: Bands, layout: target.TargetLayout) -> Phase:
    first = phase * (bands.height // bands.phases) * bands.span
    rows = (..., slice(phase, None, bands.phases))
    return Phase(first, bands.rows_of(phase), target.place_of(layout, rows, 0, bands.strips))


def _rows_at(lead: tuple[Axis, ...], tap: tuple[int, ...]) -> list[slice]:
    """Return the index along the leading axes of the samples that one tap of them multiplies."""
    starts = [axis.dilation * t for axis, t in zip(lead, tap, strict=True)]
    return [
        slice(first, first + axis.stride * (axis.outputs - 1) + 1, axis.stride)
        for axis, first in zip(lead, starts, strict=True)
    ]


def _is_one_block(spec: Spec) -> bool:
    """Whether the strips that one tap of the leading axes multiplies are contiguous in memory."""
    lead = spec.axes[:-2]
    if spec.groups * spec.channels != 1 or len(lead) > 1:
        return False
    return not lead or (spec.batch == 1 and lead[0].stride == 1)


def _offset(lead: tuple[Axis, ...], tap: tuple[int, ...], bands: Bands) -> int:
    plane = bands.strips * bands.groups * bands.height * bands.span
    return sum(axis.dilation * t * plane for axis, t in zip(lead, tap, strict=True))


def run(x: Array, matrices: list[Array], spec: Spec, context: Context) -> Array:
    """Return the outputs; `matrices` are those of every channel and tap of the leading axes."""
    steps = steps_of(spec, context.in_place)
    data = strips.strips(x, steps.strips, context)
    to = target.target(data.rows, steps.target, context)
    products = _of_block if steps.offsets else _strip_by_strip
    for phase in steps.phases:
        total = products(data, matrices, phase, steps, context)
        to = target.put_rows(to, phase.place, _in_order(total, phase, steps, context))
    return target.outputs(to, steps.target, context)


def _of_block(data: Strips, matrices: list[Array], phase: Phase, steps: Steps, context: Context) -> Array:
    """Return the products of all groups of rows in memory from a phase's first on, (groups of all strips, O * P).

    The last group of each strip continues into the next strip and is discarded later; zeros follow the last strip.
    """
    count, length = steps.block
    total: Any = None
    for offset, matrix in zip(steps.offsets, matrices, strict=True):
        first = offset + phase.first
        rows = reshape(data.memory[first : first + count * length], steps.block, xp=context.xp)
        total = add_product(total, rows, matrix[0, ...], context)
    return total


def _strip_by_strip(data: Strips, matrices: list[Array], phase: Phase, steps: Steps, context: Context) -> Array:
    """Return the products of one phase, (B, G, *lead, strips, groups, O * P), a matrix product per strip.

    A group is `height` consecutive rows of a strip, so the groups that begin at a phase are a reshape of it.
    """
    xp, outer = context.xp, steps.products[:-3]
    total: Any = None
    for place, matrix in zip(steps.terms, matrices, strict=True):
        part = reshape(data.rows[place], (*outer, -1), xp=xp)
        part = part[..., phase.first : phase.first + phase.groups * steps.length]
        part = reshape(part, (*outer, phase.groups, steps.length), xp=xp)
        stacked = reshape(matrix, (outer[1], *(1,) * (len(outer) - 2), *matrix.shape[1:]), xp=xp)
        total = add_product(total, part, stacked, context)
    return total


def _in_order(total: Array, phase: Phase, steps: Steps, context: Context) -> Array:
    """Return the products of one phase as outputs, (B, G, O, *lead, rows, strips, P)."""
    *outer, groups, filters, width = steps.products
    num_groups = groups if steps.offsets else phase.groups
    part = reshape(total, (*outer, num_groups, filters, width), xp=context.xp)
    if num_groups > phase.groups:
        part = part[..., : phase.groups, :, :]
    return permute_dims(part, steps.order, xp=context.xp)
