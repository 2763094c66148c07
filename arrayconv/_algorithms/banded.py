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

from itertools import pairwise, product
from math import prod
from typing import Any, NamedTuple

from arrayconv._algorithms._base import OBJECT_BYTES, Algorithm, Bound, Context, Cuts, Preparation, per_call
from arrayconv._cost_table import rates, threads
from arrayconv._memory import buffer, passing, put
from arrayconv._memory import product as matrix_product
from arrayconv._ops import strips, targets
from arrayconv._ops.strips import Strips
from arrayconv._spec import Axis, Spec
from arrayconv._tracing import planning, record
from arrayconv._xp import Array, Traits

_WIDTHS = (16, 32, 64)  # outputs of one product row that are tried
_SUM = 14  # multiply-adds that take as long as adding a product of one axis to an output
_CHUNK_BYTES = 1 << 19  # of outputs at a time along one axis: they, their terms and samples stay in the second cache

_COPY_BYTES = 1 << 18  # of outputs of one axis for which a copy of x among zeros takes less than more products


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
def bands_of(spec: Spec) -> Bands:
    """Return the cut with the fewest multiply-adds; narrow products, and on one axis many sums, count for more."""
    options = [_cut(spec.axes, width) for width in _WIDTHS]
    sums = _SUM if len(spec.axes) == 1 else 0
    return min(options, key=lambda bands: bands.height * (bands.span * (bands.width + 8) / bands.width + sums))


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
    rate, bands = rates(traits.row), bands_of(spec)
    mac = rate.integer_mac if traits.exact else rate.gemm_mac * traits.itemsize // 4
    mac = mac if traits.exact else mac * max(1, threads() // traits.threads)
    sums = _sums(spec)
    macs = spec.outputs * sums * bands.height * bands.span
    moved = _strip_elements(spec, bands) * rate.copy_byte * (len(spec.axes) > 1)
    moved += spec.outputs * (2 * rate.copy_byte + (sums - 1) * rate.pass_byte)
    work = macs * mac * (8 + traits.itemsize) // 8  # narrow products are slower, the more so for wide elements
    return rate.call_ns * _calls(spec, bands, traits) + (work + moved * traits.itemsize) // 1000


def _calls(spec: Spec, bands: Bands, traits: Traits) -> int:
    """Count the calls of array functions, in units of the quickest; one plain channel of NumPy arrays takes few."""
    sums, axes = _sums(spec), spec.axes
    one = len(axes) < 3 and sums * spec.batch * spec.groups * spec.filters == 1
    plain = one and all((axis.stride, axis.dilation) == (1, 1) for axis in axes)
    if traits.backend == "numpy" and plain and not traits.exact:
        return 25 + 5 * bands.phases * (1 if len(axes) == 2 else len(chunks(spec, bands, traits.itemsize)))
    return bands.phases * (sums * 12 + 24) + 120


def _workspace(spec: Spec, traits: Traits) -> int:
    bands = bands_of(spec)
    band = 2 * _band_elements(spec, bands)
    if len(spec.axes) == 1:  # ends of x with zeros, and what the products of a chunk are added up in
        rows = spec.batch * spec.groups * max(spec.filters * bands.width, spec.channels * bands.span)
        chunk = max(1, _CHUNK_BYTES // max(1, rows * traits.itemsize)) + 2 * bands.height
        chunk = min(bands.rows + bands.height, chunk)
        return traits.itemsize * (band + 4 * rows * chunk) + OBJECT_BYTES * bands.height * spec.channels
    outputs = spec.outputs // max(1, _last(spec).outputs) * bands.width * bands.strips
    elements = _strip_elements(spec, bands) + 3 * outputs + band
    return traits.itemsize * elements + OBJECT_BYTES * bands.phases * _sums(spec)


def _prepared_by(spec: Spec) -> tuple[Any, ...]:
    bands = bands_of(spec)
    return bands.width, bands.span, bands.height, *((axis.stride, axis.dilation) for axis in spec.axes)


def _prepare(kernel: Array, spec: Spec, context: Context) -> list[Array]:
    """Return the band matrix (groups, height * span, filters * width) of every channel and leading tap."""
    xp, bands = context.xp, bands_of(spec)
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
    bands = bands_of(spec)
    if len(spec.axes) == 1:
        return _line(x, matrices, spec, bands, context)
    cut = strips.Cut(bands.strips, bands.step, bands.span, _groups(bands) * bands.height, bands.height * bands.span)
    return _summed(strips.laid(x, spec.axes, cut, context), matrices, spec, bands, context)


def _line(x: Array, matrices: list[Array], spec: Spec, bands: Bands, context: Context) -> Array:
    """Return the outputs of one axis, a chunk of rows at a time: most read x as it is."""
    xp, traits = context.xp, context.traits
    target = targets.target(x, spec, bands.width, context)
    together = _lines_at_once(spec, bands, traits)
    if together:
        return _lines(x, matrices[0], spec, bands, target, together, context)
    for first, stop in chunks(spec, bands, traits.itemsize if traits.writable and not traits.traced else 0):
        rows = _rows(x, first, stop - first, spec, bands, context)  # (B, G, C, rows + height - 1, span)
        total: Any = None
        for c, matrix in enumerate(matrices):
            for h in range(bands.height):
                part = matrix[:, h * bands.span : (h + 1) * bands.span, :]
                seen = rows[:, :, c, h : h + stop - first, :]
                term = matrix_product(seen, part, xp=xp, alone=context.alone)  # (B, G, rows, O * P)
                total = term if total is None else _plus(total, term, context)
        total = xp.reshape(total, (spec.batch, spec.groups, stop - first, spec.filters, bands.width))
        target = targets.placed(target, (...,), first, xp.permute_dims(total, (0, 1, 3, 2, 4)))
    return targets.outputs(target, spec, xp)


def _lines_at_once(spec: Spec, bands: Bands, traits: Traits) -> int:
    """Count the lines of a batch that are one product and stay in the cache; 0 where there are no such."""
    if spec.batch == 1 or spec.groups * spec.channels != 1 or not traits.writable or traits.traced:
        return 0
    line = (bands.rows + bands.height - 1) * max(bands.span, spec.filters * bands.width) * traits.itemsize
    return min(spec.batch, _CHUNK_BYTES // line)


def _lines(
    x: Array, matrix: Array, spec: Spec, bands: Bands, target: targets.Target, together: int, context: Context
) -> Array:
    """Return the outputs of one axis and channel of a batch, some lines at a time, one product for all of them.

    Each line is copied among zeros, and its last rows run on into the next: those outputs are left out.
    """
    xp, span, slack = context.xp, bands.span, bands.height - 1
    axis, per = spec.axes[0], bands.rows + slack
    for first in range(0, spec.batch, together):
        lines = x[first : min(first + together, spec.batch), 0, 0, :]
        count = lines.shape[0] * per
        memory: Any = passing(x, ((count + slack) * span,), xp=xp, device=context.device)
        laid = xp.reshape(memory[: count * span], (lines.shape[0], per * span))
        laid[:, : axis.before] = 0
        laid[:, axis.before : axis.before + axis.size] = lines
        laid[:, axis.before + axis.size :] = 0
        memory[count * span :] = 0
        total: Any = None
        for h in range(bands.height):
            rows = xp.reshape(memory[h * span : (h + count) * span], (count, span))
            term = matrix_product(rows, matrix[0, h * span : (h + 1) * span, :], xp=xp, alone=context.alone)
            total = term if total is None else _plus(total, term, context)
        total = xp.reshape(total, (lines.shape[0], 1, per, spec.filters, bands.width))[:, :, : bands.rows, ...]
        place = (slice(first, first + lines.shape[0]), ...)
        target = targets.placed(target, place, 0, xp.permute_dims(total, (0, 1, 3, 2, 4)))
    return targets.outputs(target, spec, xp)


def _plus(total: Array, term: Array, context: Context) -> Array:
    """Return the sum, in the memory of the first where nobody may look back at it."""
    if not context.traits.writable or context.traits.traced:
        return total + term
    total += term
    return total


@planning()
def chunks(spec: Spec, bands: Bands, itemsize: int) -> tuple[tuple[int, int], ...]:
    """Cut the rows of one axis where windows begin and cease to lie inside x, and between into chunks for the cache.

    Not for the cache with an itemsize of 0: a compiler sees to that itself.
    """
    axis = spec.axes[0]
    if bands.rows * bands.width * itemsize <= _COPY_BYTES:
        return ((0, bands.rows),)
    first = min(-(-axis.before // bands.span), bands.rows)
    stop = max(first, min((axis.size + axis.before) // bands.span - bands.height + 1, bands.rows))
    row_bytes = spec.batch * spec.groups * spec.filters * bands.width * itemsize
    most = max(1, _CHUNK_BYTES // row_bytes) if row_bytes else max(1, stop - first)
    cuts = sorted({0, *range(first, stop, most), stop, bands.rows})
    return tuple(pairwise(cuts))


def _rows(x: Array, first: int, count: int, spec: Spec, bands: Bands, context: Context) -> Array:
    """Return x cut every `span` samples from what row `first` of outputs reads on: (B, G, C, rows, span)."""
    xp, rows = context.xp, count + bands.height - 1
    lo = first * bands.span - spec.axes[0].before
    held = slice(max(lo, 0), min(lo + rows * bands.span, x.shape[-1]))
    part = x[..., held]
    if part.shape[-1] < rows * bands.span:
        shape = (*x.shape[:-1], rows * bands.span)
        wide = buffer(x, shape, zeros=True, xp=xp, device=context.device)
        part = put(wide, (..., slice(held.start - lo, held.stop - lo)), part)
    return xp.reshape(part, (*x.shape[:-1], rows, bands.span))


def _summed(laid: Strips, matrices: list[Array], spec: Spec, bands: Bands, context: Context) -> Array:
    """Return the products, summed over channels and leading taps."""
    xp, lead, rows = context.xp, spec.axes[:-2], laid.rows
    target = targets.target(rows, spec, bands.width, context)
    taps = list(product(range(spec.channels), product(*[range(axis.taps) for axis in lead])))
    whole = laid.memory is not None and _is_one_block(spec)
    for phase in range(min(bands.phases, bands.rows)):
        total: Any = None
        for (c, tap), matrix in zip(taps, matrices, strict=True):
            if whole:
                term = _whole_product(laid, tap, matrix, phase, spec, bands, context)
            else:
                seen = rows[(slice(None), slice(None), c, *_met(lead, tap), ...)]  # (B, G, *lead, strips, rows, span)
                term = _product(seen, matrix, phase, spec, bands, context)
            total = term if total is None else _plus(total, term, context)
        place = (..., slice(phase, None, bands.phases))
        target = targets.placed(target, place, 0, _in_order(total, spec, bands, xp))
    return targets.outputs(target, spec, xp)


def _is_one_block(spec: Spec) -> bool:
    """Whether the strips that one tap of the leading axes meets lie in memory one after the other."""
    lead = spec.axes[:-2]
    if spec.groups * spec.channels != 1 or len(lead) > 1:
        return False
    return not lead or (spec.batch == 1 and lead[0].stride == 1)


def _whole_product(
    laid: Strips, tap: tuple[int, ...], matrix: Array, phase: int, spec: Spec, bands: Bands, context: Context
) -> Array:
    """Return what `_product` does, as one product over all strips in memory.

    The last group of each strip runs on into the next, and is left out; behind the last strip there are zeros.
    """
    xp, lead = context.xp, spec.axes[:-2]
    per, length = _groups(bands), bands.height * bands.span
    planes = spec.batch * prod(axis.outputs for axis in lead)
    first = phase * (bands.height // bands.phases) * bands.span
    for axis, t in zip(lead, tap, strict=True):
        first += axis.dilation * t * bands.strips * per * length
    count = planes * bands.strips * per
    rows = xp.reshape(laid.memory[first : first + count * length], (count, length))
    found = matrix_product(rows, matrix[0, ...], xp=xp, alone=context.alone)
    shape = (spec.batch, 1, *(axis.outputs for axis in lead), bands.strips, per, matrix.shape[-1])
    return xp.reshape(found, shape)[..., : _rows_of(phase, bands), :]


def _last(spec: Spec) -> Axis:
    return spec.axes[len(spec.axes) - 1]


def _met(lead: tuple[Axis, ...], tap: tuple[int, ...]) -> list[slice]:
    found: list[slice] = []
    for axis, t in zip(lead, tap, strict=True):
        first = axis.dilation * t
        found.append(slice(first, first + axis.stride * (axis.outputs - 1) + 1, axis.stride))
    return found


def _product(rows: Array, matrix: Array, phase: int, spec: Spec, bands: Bands, context: Context) -> Array:
    """Return the products of one phase, (B, G, *lead, strips, groups of rows, O * P), a matrix product per strip.

    A group is `height` rows of a strip one after the other, so the groups that begin at a phase are a reshape of it.
    """
    *outer, strips, count, span = rows.shape
    xp, length = context.xp, bands.height * span
    flat = xp.reshape(rows, (*outer, strips, count * span))
    first = phase * (bands.height // bands.phases) * span
    groups = _rows_of(phase, bands)
    flat = xp.reshape(flat[..., first : first + groups * length], (*outer, strips, groups, length))
    stacked = xp.reshape(matrix, (spec.groups, *(1,) * (len(outer) - 1), *matrix.shape[1:]))
    return matrix_product(flat, stacked, xp=xp, alone=context.alone)


def _rows_of(phase: int, bands: Bands) -> int:
    """Count the rows of outputs of a phase."""
    return -(-(bands.rows - phase) // bands.phases)


def _in_order(terms: Array, spec: Spec, bands: Bands, xp: Any) -> Array:
    """Return the products of one phase as outputs, (B, G, O, *lead, rows, strips, P)."""
    *outer, strips, count, _ = terms.shape
    n = len(outer)
    part = xp.reshape(terms, (*outer, strips, count, spec.filters, bands.width))
    return xp.permute_dims(part, (0, 1, n + 2, *range(2, n), n + 1, n, n + 3))


def _groups(bands: Bands) -> int:
    """Count the groups of `height` rows that hold all rows of every phase of a strip."""
    return -(-bands.rows // bands.phases) + (bands.phases > 1)


def _bind(spec: Spec, context: Context) -> Bound:
    return Bound(lambda x, prepared, out: _run(x, prepared, spec, context._replace(out=out)))


def _shares(spec: Spec, traits: Traits) -> bool:
    return traits.backend == "numpy" and len(spec.axes) > 1 and not traits.exact


banded = Algorithm(
    "banded",
    _why_not,
    _cost,
    _workspace,
    Preparation(per_call(_prepare), _prepared_by),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"zero"}), slabs=True, shares=_shares, tile_bytes=10 << 20),
    spreads="nonfinite",
)
