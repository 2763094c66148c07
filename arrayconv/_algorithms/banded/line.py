"""Bands of one axis: rows of samples are x itself, cut every `span` samples, a chunk of rows at a time."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from arrayconv._algorithms._base import Context
from arrayconv._algorithms.banded import batch, target
from arrayconv._algorithms.banded.bands import CHUNK_BYTES, Bands, bands_of
from arrayconv._algorithms.banded.matrix import add_product
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import permute_dims, reshape
from arrayconv._arrays.dtypes import itemsize
from arrayconv._arrays.zero_padding import zero_padded
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

_COPY_BYTES = 1 << 18  # of outputs up to which a padded copy of x takes less time than more products


class Chunk(NamedTuple):
    """Rows of outputs, and the samples that they read."""

    outputs: int  # rows
    start: int  # of the samples that are read
    stop: int
    rows: int  # of samples, zeros beyond the ends included
    zeros: int  # before the first sample
    place: target.Place  # of the outputs


class Steps(NamedTuple):
    """The sizes, indices and orders of axes of a problem of one axis."""

    bands: Bands
    target: target.TargetLayout
    chunks: tuple[Chunk, ...]
    is_single: bool  # whether x is a single line, so that products are of matrices without batch axes
    order: tuple[int, ...] | None  # of the axes (B, G, rows, O, P) of products as outputs; None for one filter
    batch: tuple[batch.Lines, ...]  # lines per product; () for products line by line


@planning()
def steps_of(spec: Spec, dtype: str, in_place: bool, on_gpu: bool) -> Steps:
    """Return the steps; chunks fit a CPU's cache where memory is written in place: otherwise a compiler tiles."""
    bands, axis, size = bands_of(spec), spec.axes[0], itemsize(dtype) if in_place and not on_gpu else 0
    cuts, layout = chunks(spec, bands, size), target.layout_of(spec, bands.width, in_place)
    return Steps(
        bands=bands,
        target=layout,
        chunks=tuple(_chunk(first, stop - first, axis, bands, layout) for first, stop in cuts),
        is_single=in_place and spec.batch * spec.groups * spec.channels == 1,
        order=(0, 1, 3, 2, 4) if spec.filters > 1 else None,
        batch=batch.lines_of(spec, bands, layout, size) if in_place else (),
    )


@planning()
def chunks(spec: Spec, bands: Bands, element_bytes: int) -> tuple[tuple[int, int], ...]:
    """Cut the rows into those at the border and those whose windows are inside x, these into chunks that fit the cache.

    With `element_bytes` of 0 there are no chunks for the cache.
    """
    axis = spec.axes[0]
    if bands.rows * bands.width * element_bytes <= _COPY_BYTES:
        return ((0, bands.rows),)
    first = min(-(-axis.before // bands.span), bands.rows)
    stop = max(first, min((axis.size + axis.before) // bands.span - bands.height + 1, bands.rows))
    row_bytes = spec.batch * spec.groups * spec.filters * bands.width * element_bytes
    max_rows = max(1, CHUNK_BYTES // row_bytes) if row_bytes else max(1, stop - first)
    cuts = sorted({0, *range(first, stop, max_rows), stop, bands.rows})
    return tuple(pairwise(cuts))


def _chunk(first: int, count: int, axis: Axis, bands: Bands, layout: target.TargetLayout) -> Chunk:
    rows, read = count + bands.height - 1, first * bands.span - axis.before
    start, stop = (min(max(sample, 0), axis.size) for sample in (read, read + rows * bands.span))
    zeros = min(max(-read, 0), rows * bands.span)
    return Chunk(count, start, stop, rows, zeros, target.place_of(layout, (...,), first, count))


def run(x: Array, matrices: list[Array], spec: Spec, context: Context) -> Array:
    """Return the outputs; `matrices` are those of every channel and row of samples."""
    steps = steps_of(spec, context.traits.accumulator, context.in_place, context.traits.on_gpu)
    to = target.target(x, steps.target, context)
    if steps.batch:
        to = batch.run(x, matrices, steps.batch, to, context)
    else:
        x = x[0, 0, 0, ...] if steps.is_single else x
        matrices = [matrix[0, ...] for matrix in matrices] if steps.is_single else matrices
        for chunk in steps.chunks:
            total = _products(_rows(x, chunk, steps.bands, context), matrices, chunk.outputs, steps, context)
            to = target.put_rows(to, chunk.place, _in_order(total, spec, chunk.outputs, steps, context))
    return target.outputs(to, steps.target, context)


def _rows(x: Array, chunk: Chunk, bands: Bands, context: Context) -> Array:
    """Return the samples that a chunk reads, cut every `span`: (..., rows, span)."""
    xp = context.xp
    part = x[..., chunk.start : chunk.stop]
    lead, samples, size = x.shape[:-1], chunk.stop - chunk.start, chunk.rows * bands.span
    if samples < size:
        place = (slice(chunk.zeros, chunk.zeros + samples),)
        part = zero_padded(part, (*lead, size), place, xp=xp, device=context.device, zeros_first=not context.in_place)
    return reshape(part, (*lead, chunk.rows, bands.span), xp=xp)


def _products(rows: Array, matrices: list[Array], count: int, steps: Steps, context: Context) -> Array:
    """Return the sum of the products of `count` rows of outputs, (B, G, rows, O * P), or (rows, O * P) of one line."""
    total = None
    for number, matrix in enumerate(matrices):
        channel, first = divmod(number, steps.bands.height)
        read = slice(first, first + count)
        part = rows[read, :] if steps.is_single else rows[:, :, channel, read, :]
        total = add_product(total, part, matrix, context)
    assert total is not None
    return total


def _in_order(total: Array, spec: Spec, count: int, steps: Steps, context: Context) -> Array:
    """Return products of `count` rows of each line as outputs, (B, G, O, rows, P)."""
    xp, width = context.xp, steps.bands.width
    if steps.order is None:
        return reshape(total, (spec.batch, spec.groups, 1, count, width), xp=xp)
    return permute_dims(
        reshape(total, (spec.batch, spec.groups, count, spec.filters, width), xp=xp), steps.order, xp=xp
    )
