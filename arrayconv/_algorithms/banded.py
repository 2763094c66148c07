"""Banded: one matrix product with the kernel's band (Toeplitz) matrix, which computes many outputs of a row at once.

Samples are laid out as rows of S; `height` rows are what P outputs next to each other read:

    y[r, :] = rows[r : r + height] @ T,   T (height * S, P),   T[(i, a), j] = w[i, (a - stride*j) / dilation]

and those of r = p, p + height, ... are plain reshapes of the rows, so `height` products give all outputs without
im2col. In one dimension the rows are x itself, cut every S samples. In more they are strips of the last axis, copied
once; axes before the last two are summed tap by tap.

Wins      single channels and short kernels, wherever matrix products are fast.
Cost      height * S multiply-adds per output at matrix-product speed, most of them by zeros; a copy of x as strips.
Memory    the strips and the products.
Accuracy  componentwise. Zeros multiply neighbours, so a NaN would spoil those too: contained as for an FFT.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any, NamedTuple

from arrayconv._algorithms._base import OBJECT_BYTES, Algorithm, Context
from arrayconv._cost_table import rates
from arrayconv._memory import buffer, put
from arrayconv._ops.windows import LEADING
from arrayconv._spec import Axis, Spec
from arrayconv._tracing import planning, record
from arrayconv._xp import Array, Traits

_WIDTHS = (16, 32, 64)  # outputs of one product row that are tried
_STACK = 128  # rows of one product, where one axis is cut into many


@record
class Bands(NamedTuple):
    """How the last two axes are cut into rows of samples and outputs."""

    width: int  # outputs of one product row, P
    step: int  # samples from one row, or strip, to the next
    span: int  # samples of one row, S: `step` in one dimension, a strip's width in more
    strips: int  # strips side by side; 1 in one dimension
    height: int  # rows that one product reads
    phases: int  # products that give all rows
    rows: int  # rows of outputs


@planning()
def _bands(spec: Spec) -> Bands:
    """Return the cut with the fewest multiply-adds, where narrow products count for more."""
    options = [_cut(spec.axes, width) for width in _WIDTHS]
    return min(options, key=lambda bands: bands.height * bands.span * (bands.width + 8) / bands.width)


def _cut(axes: tuple[Axis, ...], width: int) -> Bands:
    last = axes[-1]
    width = max(1, min(width, last.outputs))
    step, strip = width * last.stride, last.stride * (width - 1) + last.reach
    strips = -(-last.outputs // width)
    if len(axes) == 1:
        height = -(-strip // step)
        return Bands(width, step, step, 1, height, height, strips)
    row = axes[-2]
    phases = -(-row.reach // row.stride)
    return Bands(width, step, strip, strips, phases * row.stride, phases, row.outputs)


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if not spec.axes:
        return "there is no convolved axis to band"
    if traits.exact and not traits.integer_matmul:
        return f"{traits.backend} on {traits.device} has no integer matrix product"
    return None


def _strip_elements(spec: Spec, bands: Bands) -> int:
    """Count the samples of all strips, or of x itself in one dimension."""
    rows = _groups(bands) * bands.height
    lead = [axis.size for axis in spec.axes[:-2]]
    return prod((spec.batch, spec.groups, spec.channels, *lead, bands.strips, rows, bands.span))


def _band_elements(spec: Spec, bands: Bands) -> int:
    lead = [axis.taps for axis in spec.axes[:-2]]
    return prod((spec.groups, spec.channels, *lead, bands.height, bands.span, spec.filters, bands.width))


def _sums(spec: Spec) -> int:
    """Count the products that are added into one output: channels, and taps of the axes before the last two."""
    return spec.channels * prod(axis.taps for axis in spec.axes[:-2])


def _cost(spec: Spec, traits: Traits) -> int:
    rate, bands = rates(traits.row), _bands(spec)
    mac = rate.integer_mac if traits.exact else rate.gemm_mac * traits.itemsize // 4
    sums = _sums(spec)
    macs = spec.outputs * sums * bands.height * bands.span
    moved = _strip_elements(spec, bands) * rate.copy_byte * (len(spec.axes) > 1)
    moved += spec.outputs * (2 * rate.copy_byte + (sums - 1) * rate.pass_byte)
    calls = bands.phases * (sums * 12 + 24) + 120
    return rate.call_ns * calls + (2 * macs * mac + moved * traits.itemsize) // 1000  # small products: half the rate


def _workspace(spec: Spec, traits: Traits) -> int:
    bands = _bands(spec)
    outputs = spec.outputs // max(1, _last(spec).outputs) * _columns(bands, spec)
    elements = _strip_elements(spec, bands) + 3 * outputs + 2 * _band_elements(spec, bands)
    return traits.itemsize * elements + OBJECT_BYTES * bands.phases * _sums(spec)


def _columns(bands: Bands, spec: Spec) -> int:
    """Count the outputs along the last axis that are computed, whole rows of them."""
    return bands.width * (bands.rows if len(spec.axes) == 1 else bands.strips)


def _prepare(kernel: Array, spec: Spec, context: Context) -> list[Array]:
    """Return the band matrix (groups, height * span, filters * width) of every channel and leading tap."""
    xp, bands = context.xp, _bands(spec)
    row = spec.axes[-2] if len(spec.axes) > 1 else None
    last = _last(spec)
    if row is None:  # one row of taps that runs on through `height` rows of samples
        band = _band(kernel, bands.width, bands.height * bands.span, last, context)
    else:
        band = _band(kernel, bands.width, bands.span, last, context)
    lead = [axis.taps for axis in spec.axes[:-2]]
    found: list[Array] = []
    for c, tap in product(range(spec.channels), product(*map(range, lead))):
        part = band[(slice(None), slice(None), c, *tap, ...)]  # (G, O, [k_r,] span, P)
        if row is not None:
            part = _rows_apart(part, row, bands.height, context)
        part = xp.permute_dims(part, (0, 2, 1, 3) if row is None else (0, 2, 3, 1, 4))
        found.append(xp.reshape(part, (spec.groups, bands.height * bands.span, spec.filters * bands.width)))
    return found


def _band(kernel: Array, width: int, span: int, axis: Axis, context: Context) -> Array:
    """Return (..., span, width) with tap t of output j at sample stride*j + dilation*t, zero elsewhere."""
    xp = context.xp
    band = buffer(kernel, (*kernel.shape[:-1], span, width), zeros=True, xp=xp, device=context.device)
    for j in range(width):
        first = axis.stride * j
        samples = slice(first, first + axis.reach, axis.dilation)
        band = put(band, (..., samples, j), kernel)
    return band


def _rows_apart(part: Array, row: Axis, height: int, context: Context) -> Array:
    """Return (G, O, k_r, span, P) with its rows `dilation` apart in `height` rows."""
    if height == row.taps:
        return part
    shape = (*part.shape[:2], height, *part.shape[3:])
    apart = buffer(part, shape, zeros=True, xp=context.xp, device=context.device)
    return put(apart, (slice(None), slice(None), slice(0, row.reach, row.dilation), ...), part)


def _run(x: Array, matrices: list[Array], spec: Spec, context: Context) -> Array:
    """Return the products of rows and bands, joined."""
    bands = _bands(spec)
    if len(spec.axes) == 1:
        y = _line(x, matrices, spec, bands, context)
    else:
        y = _summed(_strips(x, spec, bands, context), matrices, spec, bands, context)
    columns = prod(y.shape[-2:]) if len(spec.axes) > 1 else prod(y.shape[-3:])
    kept = y.shape[: LEADING + len(spec.axes) - 1]
    return context.xp.reshape(y, (*kept, columns))[..., : _last(spec).outputs]


def _line(x: Array, matrices: list[Array], spec: Spec, bands: Bands, context: Context) -> Array:
    """Return the rows of outputs of one axis: most of them from x as it is, the last ones from a copy with zeros."""
    xp, (most, rest) = context.xp, _parted(spec, x.shape[-1])
    parts: list[Array] = []
    if most.rows:
        shape = (*x.shape[:-1], 1, _groups(most) * most.height, most.span)
        parts.append(_summed(xp.reshape(x[..., : prod(shape[-2:])], shape), matrices, spec, most, context))
    if rest.rows:
        parts.append(_summed(_rows(x[..., most.rows * most.span :], rest, context), matrices, spec, rest, context))
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=-3)


@planning()
def _parted(spec: Spec, size: int) -> tuple[Bands, Bands]:
    """Return the rows that one axis of `size` samples holds all of, and those that read zeros beyond its end."""
    bands = _bands(spec)
    groups = max(0, size // (bands.height * bands.span) - 1)
    groups -= groups % _STACK if groups > 4 * _STACK else 0
    most = min(groups * bands.phases, bands.rows)
    return bands._replace(rows=most), bands._replace(rows=bands.rows - most)


def _summed(rows: Array, matrices: list[Array], spec: Spec, bands: Bands, context: Context) -> Array:
    """Sum the products over channels and leading taps: (B, G, O, *lead, rows, strips, P)."""
    xp, lead = context.xp, spec.axes[:-2]
    shape = (spec.batch, spec.groups, spec.filters, *(axis.outputs for axis in lead), bands.rows, bands.strips)
    y = buffer(rows, (*shape, bands.width), zeros=False, xp=xp, device=context.device)
    taps = list(product(range(spec.channels), product(*[range(axis.taps) for axis in lead])))
    for phase in range(min(bands.phases, bands.rows)):
        total: Any = None
        for (c, tap), matrix in zip(taps, matrices, strict=True):
            seen = rows[(slice(None), slice(None), c, *_met(lead, tap), ...)]  # (B, G, *lead, strips, rows, span)
            term = _product(seen, matrix, phase, spec, bands, xp)
            total = term if total is None else total + term
        y = _placed(y, total, phase, spec, bands, xp)
    return y


def _last(spec: Spec) -> Axis:
    return spec.axes[len(spec.axes) - 1]


def _met(lead: tuple[Axis, ...], tap: tuple[int, ...]) -> list[slice]:
    found: list[slice] = []
    for axis, t in zip(lead, tap, strict=True):
        first = axis.dilation * t
        found.append(slice(first, first + axis.stride * (axis.outputs - 1) + 1, axis.stride))
    return found


def _product(rows: Array, matrix: Array, phase: int, spec: Spec, bands: Bands, xp: Any) -> Array:
    """Return the products of one phase, (B, G, *lead, strips, groups of rows, O * P), a matrix product per strip.

    A group is `height` rows of a strip one after the other, so the groups that begin at a phase are a reshape of it.
    Many small products suit pieces that run side by side: no library starts threads of its own for them.
    """
    *outer, strips, count, span = rows.shape
    length = bands.height * span
    flat = xp.reshape(rows, (*outer, strips, count * span))
    first = phase * (bands.height // bands.phases) * span
    groups = _rows_of(phase, bands)
    stacks = groups // _STACK if strips == 1 and groups % _STACK == 0 else 1  # of products, where there is one strip
    shape = (*outer, stacks, groups // stacks, length) if stacks > 1 else (*outer, strips, groups, length)
    flat = xp.reshape(flat[..., first : first + groups * length], shape)
    found = xp.matmul(flat, xp.reshape(matrix, (spec.groups, *(1,) * (len(outer) - 1), *matrix.shape[1:])))
    return xp.reshape(found, (*outer, strips, groups, matrix.shape[-1])) if stacks > 1 else found


def _rows_of(phase: int, bands: Bands) -> int:
    """Count the rows of outputs of a phase."""
    return -(-(bands.rows - phase) // bands.phases)


def _placed(y: Array, terms: Array, phase: int, spec: Spec, bands: Bands, xp: Any) -> Array:
    """Return y (B, G, O, *lead, rows, strips, P) with the products of one phase in their rows."""
    *outer, strips, count, _ = terms.shape
    n = len(outer)
    part = xp.reshape(terms, (*outer, strips, count, spec.filters, bands.width))
    part = xp.permute_dims(part, (0, 1, n + 2, *range(2, n), n + 1, n, n + 3))
    return put(y, (..., slice(phase, None, bands.phases), slice(None), slice(None)), part)


def _groups(bands: Bands) -> int:
    """Count the groups of `height` rows that hold all rows of every phase of a strip."""
    return -(-bands.rows // bands.phases) + (bands.phases > 1)


def _rows(x: Array, bands: Bands, context: Context) -> Array:
    """Return x cut every `step` samples, (B, G, C, strips=1, rows, span), zeros beyond its end."""
    xp, rows = context.xp, _groups(bands) * bands.height
    shape = (*x.shape[:-1], rows * bands.span - x.shape[-1])
    x = xp.concat([x, xp.zeros(shape, dtype=x.dtype, device=context.device)], axis=-1)
    return xp.reshape(x, (*x.shape[:-1], 1, rows, bands.span))


def _strips(x: Array, spec: Spec, bands: Bands, context: Context) -> Array:
    """Return copies of strips of the last axis, (B, G, C, *lead, strips, rows, span), zeros beyond x."""
    xp = context.xp
    *outer, rows, columns = x.shape
    shape = (*outer, bands.strips, _groups(bands) * bands.height, bands.span)
    z = buffer(x, shape, zeros=False, xp=xp, device=context.device)
    z = put(z, (..., slice(rows, None), slice(None)), 0)
    if (bands.strips - 1) * bands.step + bands.span > columns:
        z = put(z, (..., bands.strips - 1, slice(None), slice(None)), 0)
    swap = (*range(len(outer)), len(outer) + 1, len(outer), len(outer) + 2)
    for first in range(0, bands.span, bands.step):
        width = min(bands.step, bands.span - first)
        whole = min(bands.strips, (columns - first) // bands.step)
        if whole > 0:
            cut = xp.reshape(x[..., first : first + whole * bands.step], (*outer, rows, whole, bands.step))
            place = (..., slice(0, whole), slice(0, rows), slice(first, first + width))
            z = put(z, place, xp.permute_dims(cut[..., :width], swap))
        for strip in range(max(whole, 0), bands.strips):
            start = strip * bands.step + first
            held = min(width, columns - start)
            if held > 0:
                part = x[..., start : start + held]
                z = put(z, (..., strip, slice(0, rows), slice(first, first + held)), part)
    return z


banded = Algorithm(
    "banded",
    _why_not,
    _cost,
    _workspace,
    _prepare,
    _run,
    accuracy="componentwise",
    smears=True,
    tile_bytes=10 << 20,
    shares=True,
)
