"""Dot: one matrix product per output position, over all samples of its window.

    y[b, g, o, p] = sum_t  W[g, o, t] * window_p[b, g, t],   t over channels * taps

On one axis and one channel all outputs are sums of a few products. With the taps as rows of B, W (M, B), and the
samples as rows of B, X,

    C_q = W^T X[q : q + M],   C_q[i, j] = sum_m w[m*B + i] * x[(m + q)*B + j],   y[p] = sum_i C[i, i + p],

where C is C_0, C_1, ... concatenated. Taps that do not fill a row are summed separately.

Wins      few outputs and long kernels: lags, and the gradient of a kernel, whose outputs are the taps and whose taps
          are y.
Cost      a strided copy of every window, then macs = outputs * channels * taps at matrix-product speed; on one axis
          and one channel (outputs + 2 * B) * taps multiply-adds, and no copies.
Memory    a chunk of one window: long windows are summed in chunks that stay in cache.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import NamedTuple

from arrayconv._algorithms._base import (
    OBJECT_BYTES,
    Algorithm,
    Context,
    Cuts,
    Preparation,
    per_call,
    per_piece,
    product_ps,
)
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import permute_dims, reshape
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import primitive_costs
from arrayconv._costs.gpu import BATCHED_LAUNCHES, Work
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

_BLOCK = 64  # taps of a row, where one axis is summed by blocks
_CHUNK = 1 << 18  # elements of a window copied at a time, on a CPU
_PRODUCT_NS = 7_000  # of one of a compiled program's products, beside its operations, which are compiled together
_DILATED = 8  # times as long as a copy of adjacent samples takes one of every second
_MAX_TRACED = 1 << 8  # products: a compiler takes far longer to compile one than to run it


class Chunk(NamedTuple):
    """The channels and the rows of taps, along the first convolved axis, of one product."""

    channels: tuple[int, int]
    rows: tuple[int, int]


@planning()
def _chunks(spec: Spec, on_gpu: bool) -> tuple[Chunk, ...]:
    """Return the chunks of every window: whole channels while several fit, rows of one channel's taps otherwise."""
    rows = spec.kernel_size[0] if spec.axes else 1
    if on_gpu:
        return (Chunk((0, spec.channels), (0, rows)),)
    batch = spec.batch * spec.groups
    per_row = batch * prod(spec.kernel_size[1:])
    height = min(rows, max(1, _CHUNK // max(per_row, 1)))
    depth = max(1, _CHUNK // (per_row * rows)) if height == rows else 1
    return tuple(
        Chunk((c, min(c + depth, spec.channels)), (r, min(r + height, rows)))
        for c in range(0, max(spec.channels, 1), depth)
        for r in range(0, rows, height)
    )


def _chunk_elements(spec: Spec, on_gpu: bool) -> int:
    """Count the elements of the largest chunk."""
    chunk = _chunks(spec, on_gpu)[0]
    counts = (chunk.channels[1] - chunk.channels[0], chunk.rows[1] - chunk.rows[0])
    return prod((spec.batch, spec.groups, *counts, *spec.kernel_size[1:]))


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if traits.exact and not traits.integer_matmul:
        return f"{traits.backend} on {traits.device} has no integer matrix product"
    products = _columns(spec) // _BLOCK if _is_line(spec) else prod(spec.output_size)
    if traits.traced and products > _MAX_TRACED:
        return f"a compiler would have to compile {products} products, above {_MAX_TRACED}"
    return None


def _cost(spec: Spec, traits: Traits) -> int:
    rate = primitive_costs(traits.row)
    if _is_line(spec):
        macs = spec.taps * _columns(spec)
        moved = (spec.taps + spec.outputs + _BLOCK * _columns(spec)) * traits.itemsize
        mac = product_ps(traits)
        return rate.call_ns * (40 + 2 * _columns(spec) // _BLOCK) + (2 * macs * mac + moved * rate.copy_byte) // 1000
    mac = product_ps(traits)
    read = prod((spec.batch, spec.groups, *spec.output_size)) * spec.terms * traits.itemsize
    # A product with few rows or columns runs at the speed of reading the window, not at that of multiplying.
    work = max(spec.macs * mac, read * rate.pass_byte)
    work += work // 2  # with more than one filter or image the windows are copied in short runs
    products = prod(spec.output_size) * len(_chunks(spec, traits.on_gpu))
    calls = 5 * rate.call_ns + (_PRODUCT_NS if traits.traced else 0)
    is_dilated = spec.axes[-1].dilation > 1 and spec.axes[-1].taps > 1 if spec.axes else False
    copy_byte = rate.copy_byte * (_DILATED if is_dilated else 1)
    return calls * products + (work + read * copy_byte) // 1000


def _work(spec: Spec, traits: Traits) -> Work:
    if _is_line(spec):
        columns = _columns(spec)
        moved = 2 * (spec.taps + spec.outputs + 3 * _BLOCK * columns)
        return Work(12 + 2 * columns // _BLOCK, traits.itemsize * moved, spec.taps * columns)
    windows = spec.outputs // max(1, spec.filters)
    launches = 3 + BATCHED_LAUNCHES * (spec.batch * spec.groups > 1)
    return Work(1 + launches * prod(spec.output_size), 6 * traits.itemsize * windows * spec.terms, spec.macs)


def _is_line(spec: Spec) -> bool:
    """Whether the problem is one axis and one channel, whose outputs' windows share most of their samples."""
    if len(spec.axes) != 1 or spec.batch * spec.groups * spec.channels * spec.filters != 1:
        return False
    (axis,) = spec.axes
    return axis.stride == axis.dilation == 1 and axis.outputs > 1 and axis.taps >= _BLOCK


def _columns(spec: Spec) -> int:
    """Count the columns of all products."""
    return -(-(spec.axes[0].outputs + _BLOCK - 1) // _BLOCK) * _BLOCK


def _workspace(spec: Spec, traits: Traits) -> int:
    if _is_line(spec):
        columns = _columns(spec)
        return traits.itemsize * (spec.taps + (4 * _BLOCK + 1) * columns + _BLOCK * spec.outputs)
    elements = 2 * _chunk_elements(spec, traits.on_gpu) + 2 * spec.outputs + prod(spec.kernel_shape)
    return traits.itemsize * elements + OBJECT_BYTES * (2 * prod(spec.output_size) + len(_chunks(spec, traits.on_gpu)))


def _prepare(kernel: Array, spec: Spec, context: Context) -> list[Array]:
    """Return the weights of every chunk, (groups, channels * taps, filters); of a line the full rows and other taps."""
    xp = context.xp
    if _is_line(spec):
        kernel = reshape(kernel, (spec.taps,), xp=xp)
        rows = spec.taps // _BLOCK
        return [reshape(kernel[: rows * _BLOCK], (rows, _BLOCK), xp=xp), kernel[rows * _BLOCK :]]
    parts: list[Array] = []
    for chunk in _chunks(spec, context.traits.on_gpu):
        part = kernel[(slice(None), slice(None), slice(*chunk.channels), *_rows(spec, chunk))]
        terms = prod(part.shape[2:])
        parts.append(permute_dims(reshape(part, (spec.groups, spec.filters, terms), xp=xp), (0, 2, 1), xp=xp))
    return parts


def _rows(spec: Spec, chunk: Chunk) -> list[slice]:
    return [slice(*chunk.rows), *(slice(None),) * (len(spec.axes) - 1)] if spec.axes else []


class Steps(NamedTuple):
    """The windows of all outputs, chunk by chunk."""

    order: tuple[int, ...]  # axes (G, B, C, *n) of x
    channels: tuple[slice, ...]  # of every chunk
    samples: tuple[tuple[tuple[slice, ...], ...], ...]  # of every chunk along every axis, one slice per output
    window: tuple[tuple[int, ...], ...]  # the shape of every chunk as matrices, (G, B, terms)
    outputs: tuple[int, ...]


@planning()
def _steps(spec: Spec, on_gpu: bool) -> Steps:
    chunks = _chunks(spec, on_gpu)
    others = tuple(_samples(axis, 0, axis.taps) for axis in spec.axes[1:])
    first = spec.axes[:1]
    terms = [prod((c[1] - c[0], r[1] - r[0], *spec.kernel_size[1:])) for c, r in chunks]
    return Steps(
        order=(1, 0, *range(2, 3 + len(spec.axes))),
        channels=tuple(slice(*chunk.channels) for chunk in chunks),
        samples=tuple((*(_samples(axis, *chunk.rows) for axis in first), *others) for chunk in chunks),
        window=tuple((spec.groups, spec.batch, n) for n in terms),
        outputs=spec.output_shape,
    )


def _samples(axis: Axis, first: int, stop: int) -> tuple[slice, ...]:
    """Return for every output the samples along one axis that the taps [first, stop) multiply."""
    starts = [axis.stride * p + axis.dilation * first for p in range(axis.outputs)]
    span = axis.dilation * (stop - 1 - first) + 1
    return tuple(slice(start, start + span, axis.dilation) for start in starts)


def _run(x: Array, weights: list[Array], spec: Spec, context: Context) -> Array:
    if _is_line(spec):
        return _line(x, weights, spec, context)
    xp, steps = context.xp, _steps(spec, context.traits.on_gpu)
    x = permute_dims(x, steps.order, xp=xp)
    outputs: list[Array] = []
    for places in zip(*(product(*samples) for samples in steps.samples), strict=True):
        total = None
        for channels, place, shape, part in zip(steps.channels, places, steps.window, weights, strict=True):
            window = x[(slice(None), slice(None), channels, *place)]
            term = xp.matmul(reshape(window, shape, xp=xp), part)  # (G, B, O)
            total = term if total is None else total + term
        assert total is not None
        outputs.append(total)
    y = xp.stack(outputs, axis=-1)  # (G, B, O, outputs)
    return reshape(permute_dims(y, (1, 0, 2, 3), xp=xp), steps.outputs, xp=xp)


class LineSteps(NamedTuple):
    """The sizes of the products of one axis."""

    outputs: int
    columns: int  # of all products
    blocks: int  # rows of taps
    remainder: int  # taps that do not fill a row
    read: int  # samples that the products read, in whole rows
    missing: int  # of these beyond the end: fewer than a row


@planning()
def _line_steps(spec: Spec) -> LineSteps:
    axis, columns = spec.axes[0], _columns(spec)
    blocks, remainder = divmod(axis.taps, _BLOCK)
    read = columns + (blocks - 1) * _BLOCK
    return LineSteps(axis.outputs, columns, blocks, remainder, read, max(0, read - axis.size))


def _line(x: Array, weights: list[Array], spec: Spec, context: Context) -> Array:
    """Return the outputs of one axis, from products of blocks."""
    xp, (rows, last_taps), steps = context.xp, weights, _line_steps(spec)
    x = reshape(x, (-1,), xp=xp)
    # Only discarded sums read the samples that fill the last row, so any will do.
    full = xp.concat([x, x[: steps.missing]]) if steps.missing else x[: steps.read]
    samples = reshape(full, (steps.read // _BLOCK, _BLOCK), xp=xp)
    columns = permute_dims(rows, (1, 0), xp=xp)
    products = [xp.matmul(columns, samples[q : q + steps.blocks, :]) for q in range(steps.columns // _BLOCK)]
    y = _diagonals(xp.concat(products, axis=1), steps, xp)
    if steps.remainder:
        first = steps.blocks * _BLOCK
        windows = xp.stack([x[first + t : first + t + steps.outputs] for t in range(steps.remainder)])
        y = y + xp.matmul(last_taps, windows)
    return reshape(y, spec.output_shape, xp=xp)


def _diagonals(products: Array, steps: LineSteps, xp: Namespace) -> Array:
    """Return the sums of all diagonals: with rows longer by one element the diagonals are columns."""
    flat = reshape(products, (_BLOCK * steps.columns,), xp=xp)
    flat = xp.concat([flat, flat[:_BLOCK]])  # fills the last row: any values, which are cut off
    sheared = reshape(flat, (_BLOCK, steps.columns + 1), xp=xp)[:, : steps.outputs]
    return xp.sum(sheared, axis=0, dtype=flat.dtype)


dot = Algorithm(
    "dot",
    _why_not,
    _cost,
    _workspace,
    Preparation(per_call(_prepare)),
    per_piece(_run),
    accuracy="componentwise",
    cuts=Cuts(slabs=True),
    work=_work,
)
