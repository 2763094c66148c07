"""Banded: one matrix product with the kernel's band (Toeplitz) matrix, which computes many outputs of a row at once.

Samples are rows of S; P neighbouring outputs read `height` of them:

    y[r, :] = rows[r : r + height] @ T,   T (height * S, P),   T[(i, a), j] = w[i, (a - stride*j) / dilation]

The groups of rows of r = p, p + height, ... are a plain reshape, so `height` products compute all outputs without
im2col. In one dimension the rows are x itself, cut every S samples (`line`). In more they are strips of the last axis,
copied once; axes before the last two are summed tap by tap (`plane`).

Wins      single channels and short kernels, wherever matrix products are fast.
Cost      height * S multiply-adds per output at matrix-product speed, most of them by zeros; a copy of x as strips.
Memory    the strips and the products.
Accuracy  componentwise. Zeros of T multiply samples outside the window, so a NaN is contained as for an FFT.
"""

from __future__ import annotations

from math import prod
from typing import Any

from arrayconv._algorithms._base import OBJECT_BYTES, Algorithm, Bound, Context, Cuts, Preparation, per_call
from arrayconv._algorithms.banded import line, matrix, plane
from arrayconv._algorithms.banded.bands import CHUNK_BYTES, Bands, bands_of
from arrayconv._algorithms.banded.line import chunks
from arrayconv._arrays.array import Array
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import primitive_costs, threads
from arrayconv._costs.gpu import BATCHED_LAUNCHES, Work
from arrayconv._problem.spec import Spec

__all__ = ["Bands", "banded", "bands_of", "chunks"]


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if not spec.axes:
        return "there is no convolved axis to band"
    if traits.exact and not traits.integer_matmul:
        return f"{traits.backend} on {traits.device} has no integer matrix product"
    return None


def _strip_elements(spec: Spec, bands: Bands) -> int:
    """Count the samples of all strips, or of x itself in one dimension."""
    lead = [axis.size for axis in spec.axes[:-2]]
    return prod((spec.batch, spec.groups, spec.channels, *lead, bands.strips, bands.groups * bands.height, bands.span))


def _num_terms(spec: Spec) -> int:
    """Count the products that are added into one output: channels, and taps of the axes before the last two."""
    return spec.channels * prod(axis.taps for axis in spec.axes[:-2])


def _cost(spec: Spec, traits: Traits) -> int:
    rate, bands = primitive_costs(traits.row), bands_of(spec)
    mac = rate.integer_mac if traits.exact else rate.gemm_mac * traits.itemsize // 4
    mac = mac if traits.exact else mac * max(1, threads() // traits.threads)
    terms = _num_terms(spec)
    macs = spec.outputs * terms * bands.height * bands.span
    moved = _strip_elements(spec, bands) * rate.copy_byte * (len(spec.axes) > 1)
    moved += spec.outputs * (2 * rate.copy_byte + (terms - 1) * rate.pass_byte)
    work = macs * mac * (8 + traits.itemsize) // 8  # narrow products are slower, more so for wide elements
    return rate.call_ns * _calls(spec, bands, traits) + (work + moved * traits.itemsize) // 1000


def _work(spec: Spec, traits: Traits) -> Work:
    bands, terms = bands_of(spec), _num_terms(spec)
    products, strips = min(bands.phases, bands.rows) * terms, _strip_elements(spec, bands)
    if len(spec.axes) == 1:
        products = terms * bands.height
    launches = 2 * products + 14 + BATCHED_LAUNCHES * products * (spec.groups > 1)
    sums = (3 * terms + 3) * spec.outputs
    read = (products + 2) * strips + 4 * matrix.elements(spec)
    macs = spec.outputs * terms * bands.height * bands.span
    return Work(launches, traits.itemsize * (read + sums), macs)


def _calls(spec: Spec, bands: Bands, traits: Traits) -> int:
    """Count the calls of array functions, in units of the fastest; a dense channel of NumPy arrays takes few."""
    terms, axes = _num_terms(spec), spec.axes
    is_single = len(axes) < 3 and terms * spec.batch * spec.groups * spec.filters == 1
    is_dense = is_single and all((axis.stride, axis.dilation) == (1, 1) for axis in axes)
    if traits.backend == "numpy" and is_dense and not traits.exact:
        if len(axes) == 2:
            return 25 + 18 * bands.phases
        return 25 + 5 * bands.phases * len(chunks(spec, bands, traits.itemsize))
    return bands.phases * (terms * 12 + 24) + 120


def _workspace(spec: Spec, traits: Traits) -> int:
    bands, band = bands_of(spec), matrix.elements(spec)
    if len(spec.axes) == 1:  # padded ends of x, and the sum of the products of a chunk
        rows = spec.batch * spec.groups * max(spec.filters * bands.width, spec.channels * bands.span)
        chunk = bands.rows + bands.height
        if not traits.on_gpu:
            chunk = min(chunk, max(1, CHUNK_BYTES // max(1, rows * traits.itemsize)) + 2 * bands.height)
        return traits.itemsize * (band + 4 * rows * chunk) + OBJECT_BYTES * bands.height * spec.channels
    outputs = spec.outputs // max(1, spec.axes[-1].outputs) * bands.width * bands.strips
    elements = _strip_elements(spec, bands) + 3 * outputs + band
    return traits.itemsize * elements + OBJECT_BYTES * bands.phases * _num_terms(spec)


def _prepared_by(spec: Spec) -> tuple[Any, ...]:
    bands = bands_of(spec)
    return bands.width, bands.span, bands.height, *((axis.stride, axis.dilation) for axis in spec.axes)


def _shares(spec: Spec, traits: Traits) -> bool:
    return traits.backend == "numpy" and len(spec.axes) > 1 and not traits.exact


def _bind(spec: Spec, context: Context) -> Bound:
    run_piece = line.run if len(spec.axes) == 1 else plane.run

    def run(x: Array, matrices: Any, out: Any) -> Array:
        return run_piece(x, matrices, spec, context._replace(out=out))

    return Bound(run)


banded = Algorithm(
    "banded",
    _why_not,
    _cost,
    _workspace,
    Preparation(per_call(matrix.band_matrices), _prepared_by),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"zero"}), slabs=True, shares=_shares, tile_bytes=10 << 20),
    spreads="nonfinite",
    work=_work,
)
