"""Bands of one axis in a batch: lines one after the other in memory are one product for as many as fit the cache."""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._algorithms._base import Context
from arrayconv._algorithms.banded import target
from arrayconv._algorithms.banded.bands import CHUNK_BYTES, Bands
from arrayconv._algorithms.banded.matrix import add_product
from arrayconv._arrays.array import Array
from arrayconv._arrays.memory import Frame, permute_dims, reshape, zero_padded_parts, zero_regions
from arrayconv._problem.spec import Spec

Index = tuple[Any, ...]


class Lines(NamedTuple):
    """Some lines of a batch that are one product.

    Each is copied among zeros, and its last rows run on into the next: those outputs are left out.
    """

    lines: Index  # of x
    frame: Frame  # (lines, rows * span), and zeros behind the last
    samples: Index  # where these stand in it
    memory: tuple[int, int]  # of it as rows
    rows: int  # of products
    products: tuple[int, ...]  # (lines, 1, rows of one, O, P)
    kept: Index
    place: target.Place  # of the outputs


def lines_of(spec: Spec, bands: Bands, layout: target.TargetLayout, itemsize: int) -> tuple[Lines, ...]:
    """Return the lines of a batch, as many together as stay in the cache; none where lines are no such products."""
    if spec.batch == 1 or spec.groups * spec.channels != 1:
        return ()
    line = (bands.rows + bands.height - 1) * max(bands.span, spec.filters * bands.width) * itemsize
    most = min(spec.batch, CHUNK_BYTES // line)
    firsts = range(0, spec.batch, most) if most else ()
    return tuple(_lines(spec, bands, layout, first, min(most, spec.batch - first)) for first in firsts)


def _lines(spec: Spec, bands: Bands, layout: target.TargetLayout, first: int, count: int) -> Lines:
    (axis,), per, slack = spec.axes, bands.rows + bands.height - 1, bands.height - 1
    shape, samples = (count, per * bands.span), (slice(None), slice(axis.before, axis.before + axis.size))
    lines = slice(first, first + count)
    return Lines(
        lines=(lines, 0, 0, slice(None)),
        frame=Frame(shape, zero_regions(shape, samples), slack * bands.span),
        samples=samples,
        memory=(count * per + slack, bands.span),
        rows=count * per,
        products=(count, 1, per, spec.filters, bands.width),
        kept=(slice(None), slice(None), slice(0, bands.rows), ...),
        place=target.place_of(layout, (lines, ...), 0, bands.rows),
    )


def run(
    x: Array, matrices: list[Array], batch: tuple[Lines, ...], to: target.Target, context: Context
) -> target.Target:
    """Return the target with the outputs of a batch, one product for some lines at a time."""
    xp, device = context.xp, context.device
    for part in batch:
        samples = ((part.samples, x[part.lines]),)
        _, memory = zero_padded_parts(x, part.frame, samples, xp=xp, device=device, zeros_first=False)
        rows = reshape(memory, part.memory, xp=xp)
        total: Any = None
        for h, matrix in enumerate(matrices):
            total = add_product(total, rows[h : h + part.rows, :], matrix[0, ...], context)
        total = reshape(total, part.products, xp=xp)[part.kept]
        to = target.put_rows(to, part.place, permute_dims(total, (0, 1, 3, 2, 4), xp=xp))
    return to
