"""Bands of one axis in a batch: one product for as many lines, contiguous in memory, as fit the cache."""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._algorithms._base import Context
from arrayconv._algorithms.banded import target
from arrayconv._algorithms.banded.bands import CHUNK_BYTES, Bands
from arrayconv._algorithms.banded.matrix import add_product
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import permute_dims, reshape
from arrayconv._arrays.zero_padding import PaddedLayout, zero_padded_parts, zero_regions
from arrayconv._problem.spec import Spec

Index = tuple[Any, ...]


class Lines(NamedTuple):
    """The lines of a batch that one product computes.

    Each is padded with zeros. Its last groups of rows continue into the next line: their outputs are discarded.
    """

    lines: Index  # of x
    frame: PaddedLayout  # (lines, rows * span), and zeros after the last
    samples: Index  # in the frame
    memory: tuple[int, int]  # shape of the frame as rows
    rows: int  # of products
    products: tuple[int, ...]  # (lines, 1, rows of one, O, P)
    outputs: Index  # of the products
    place: target.Place  # of the outputs


def lines_of(spec: Spec, bands: Bands, layout: target.TargetLayout, itemsize: int) -> tuple[Lines, ...]:
    """Return the lines of a batch, as many at a time as stay in cache; () where a product can't span lines.

    With `itemsize` of 0 all are one product.
    """
    if spec.batch == 1 or spec.groups * spec.channels != 1:
        return ()
    line = (bands.rows + bands.height - 1) * max(bands.span, spec.filters * bands.width) * itemsize
    count = min(spec.batch, CHUNK_BYTES // line) if line else spec.batch
    firsts = range(0, spec.batch, count) if count else ()
    return tuple(_lines(spec, bands, layout, first, min(count, spec.batch - first)) for first in firsts)


def _lines(spec: Spec, bands: Bands, layout: target.TargetLayout, first: int, count: int) -> Lines:
    (axis,), per, slack = spec.axes, bands.rows + bands.height - 1, bands.height - 1
    shape, samples = (count, per * bands.span), (slice(None), slice(axis.before, axis.before + axis.size))
    lines = slice(first, first + count)
    return Lines(
        lines=(lines, 0, 0, slice(None)),
        frame=PaddedLayout(shape, zero_regions(shape, samples), slack * bands.span),
        samples=samples,
        memory=(count * per + slack, bands.span),
        rows=count * per,
        products=(count, 1, per, spec.filters, bands.width),
        outputs=(slice(None), slice(None), slice(0, bands.rows), ...),
        place=target.place_of(layout, (lines, ...), 0, bands.rows),
    )


def run(
    x: Array, matrices: list[Array], batch: tuple[Lines, ...], to: target.Target, context: Context
) -> target.Target:
    """Return the target with the outputs of a batch, one product for several lines at a time."""
    xp, device = context.xp, context.device
    for part in batch:
        samples = ((part.samples, x[part.lines]),)
        _, memory = zero_padded_parts(x, part.frame, samples, xp=xp, device=device, zeros_first=False)
        rows = reshape(memory, part.memory, xp=xp)
        total: Any = None
        for h, matrix in enumerate(matrices):
            total = add_product(total, rows[h : h + part.rows, :], matrix[0, ...], context)
        total = reshape(total, part.products, xp=xp)[part.outputs]
        to = target.put_rows(to, part.place, permute_dims(total, (0, 1, 3, 2, 4), xp=xp))
    return to
