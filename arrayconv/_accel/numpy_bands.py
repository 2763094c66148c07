"""banded on NumPy arrays as a single call: a strided view fills the band and the strips, products are written in place.

It forms the products that `banded` does, for calls made before, where finding one's way there takes as long as they.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrayconv import _scratch
from arrayconv._accel._base import Bypass, Laid, unavailable
from arrayconv._accel._borrowed import on_memory
from arrayconv._algorithms.banded import Bands, bands_of, chunks
from arrayconv._boundary import Run
from arrayconv._spec import Spec


def bypass(laid: Laid) -> Bypass | None:
    """Return the products on one channel of one or two axes, all of whose samples are read, zeros beyond their ends."""
    step, traits, layout = laid.step.spec, laid.traits, laid.problem.layout
    axes = step.axes
    plain = all((axis.stride, axis.dilation) == (1, 1) for axis in axes)
    whole = laid.step.source == tuple((Run(0, 1, axis.size),) for axis in axes)
    one = step.batch * step.groups * step.channels * step.filters == 1
    still = not (layout.x.moves or layout.kernel.moves or layout.y.moves)
    if (
        unavailable("numpy", "numpy", traits)
        or traits.exact
        or not (1 <= len(axes) <= 2 and plain and whole and one and still)
    ):
        return None
    bands, dtype, shape = bands_of(step), np.dtype(traits.accumulator), laid.problem.shape
    make, sizes = (_line, step.input_size) if len(axes) == 1 else (_plane, step.input_size)
    turned = (slice(None, None, -1 if laid.problem.spec.flip else 1),) * len(axes)
    conjugate = laid.problem.spec.conj and dtype.kind == "c"

    def run(x: Any, kernel: Any) -> Any:
        taps = kernel.reshape(step.kernel_size)[turned]
        with np.errstate(all="ignore"):  # what is not finite is computed again, by the long way
            matrix = _band(taps.conj() if conjugate else taps, bands, dtype)
            y = make(np.ascontiguousarray(x).reshape(sizes), matrix, step, bands)
            finite = np.isfinite(np.vdot(y, y) if y.flags.c_contiguous else np.sum(y))
        return np.ascontiguousarray(y).reshape(shape) if finite else None

    return on_memory(run) if traits.home else run


def _band(taps: Any, bands: Bands, dtype: Any) -> Any:
    """Return the band matrix (height * span, width) of taps (k,) or (k_r, k)."""
    rows, columns = (1, taps.shape[0]) if taps.ndim == 1 else taps.shape
    span = bands.height * bands.span // rows
    matrix = np.zeros((rows, span, bands.width), dtype)
    row, sample, output = matrix.strides
    steps = row, sample + output, sample
    np.ndarray((rows, bands.width, columns), dtype, matrix, 0, steps)[...] = taps.reshape(rows, 1, -1)
    return matrix.reshape(bands.height * bands.span, bands.width)


def _line(x: Any, matrix: Any, spec: Spec, bands: Bands) -> Any:
    """Return the outputs of one axis."""
    span, axis = bands.span, spec.axes[0]
    y = np.empty((bands.rows, bands.width), x.dtype)
    for first, stop in chunks(spec, bands, x.itemsize):
        rows = stop - first + bands.height - 1
        lo = first * span - axis.before
        part = x[max(lo, 0) : lo + rows * span]
        if part.size < rows * span:
            wide = _scratch.empty((rows * span,), x.dtype)
            at = max(-lo, 0)
            wide[:at], wide[at : at + part.size], wide[at + part.size :] = 0, part, 0
            part = wide
        part = part.reshape(rows, span)
        sums = y[first:stop]
        np.matmul(part[: stop - first], matrix[:span], out=sums)
        for h in range(1, bands.height):
            term = _scratch.empty(sums.shape, x.dtype)
            np.matmul(part[h : h + stop - first], matrix[h * span : (h + 1) * span], out=term)
            sums += term
    return y.reshape(-1)[: axis.outputs]


def _plane(x: Any, matrix: Any, spec: Spec, bands: Bands) -> Any:
    """Return the outputs of two axes."""
    phases, per = bands.phases, -(-bands.rows // bands.phases) + (bands.phases > 1)
    length, count = bands.height * bands.span, bands.strips * per
    memory = _scratch.empty((count * length + length,), x.dtype)
    memory[count * length :] = 0
    _fill(memory[: count * length].reshape(bands.strips, per * bands.height, bands.span), x, spec, bands)
    y = np.empty((bands.rows, bands.strips, bands.width), x.dtype)
    products = _scratch.empty((count, bands.width), x.dtype)
    found = products.reshape(bands.strips, per, bands.width).transpose(1, 0, 2)
    for phase in range(min(phases, bands.rows)):
        first = phase * bands.span
        np.matmul(memory[first : first + count * length].reshape(count, length), matrix, out=products)
        y[phase::phases] = found[: -(-(bands.rows - phase) // phases)]
    return y.reshape(bands.rows, -1)[:, : spec.axes[1].outputs]


def _fill(strips: Any, x: Any, spec: Spec, bands: Bands) -> None:
    """Write x as strips, with zeros beyond its ends."""
    row, column = spec.axes
    strips[:, : row.before] = 0
    strips[:, row.before + row.size :] = 0
    inner = strips[:, row.before : row.before + row.size]
    low = min(-(-column.before // bands.step), bands.strips)
    high = max(low, min((column.size + column.before - bands.span) // bands.step + 1, bands.strips))
    if high > low:
        steps, first = (bands.step * x.itemsize, x.strides[0], x.itemsize), low * bands.step - column.before
        inner[low:high] = np.ndarray((high - low, row.size, bands.span), x.dtype, x, first * x.itemsize, steps)
    for strip in (*range(low), *range(high, bands.strips)):
        start = strip * bands.step - column.before
        held = x[:, max(start, 0) : max(start + bands.span, 0)]
        at = max(-start, 0)
        inner[strip] = 0
        inner[strip][:, at : at + held.shape[1]] = held
