"""banded on NumPy arrays as a single call: a strided view fills the band and the strips, products are written in place.

It forms the products that `banded` does, for calls made before, where finding one's way there takes as long as they.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrayconv import _scratch
from arrayconv._accel._base import Bypass, Laid, unavailable
from arrayconv._accel._borrowed import on_memory
from arrayconv._accel._threads import share
from arrayconv._algorithms.banded import Bands, bands_of, chunks
from arrayconv._float_errors import float_errors_ignored
from arrayconv._memory import product_of_rows
from arrayconv._ops.pad import is_slice
from arrayconv._spec import Spec
from arrayconv._split import Piece


def bypass(laid: Laid) -> Bypass | None:
    """Return the products on one channel of one or two axes, zeros beyond their ends."""
    traits, layout, steps = laid.traits, laid.problem.layout, laid.steps
    specs = [step.spec for step in steps]
    still = not (layout.x.moves or layout.kernel.moves or layout.y.moves)
    if unavailable("numpy", "numpy", traits) or traits.exact or not still or not all(map(_is_plain, steps)):
        return None
    first, shape, x_sizes = specs[0], laid.problem.shape, laid.problem.spec.input_size
    bands, dtype = bands_of(first), np.dtype(traits.accumulator)
    turned = (slice(None, None, -1 if laid.problem.spec.flip else 1),) * len(first.axes)
    conjugate = laid.problem.spec.conj and dtype.kind == "c"
    held = [tuple(slice(run.start, run.start + run.length) for (run,) in step.source) for step in steps]

    @float_errors_ignored
    def run(x: Any, kernel: Any, bias: Any = None) -> Any:
        if bias is not None:  # added by the long way
            return None
        taps = kernel.reshape(first.kernel_size)[turned]
        data = np.ascontiguousarray(x).reshape(x_sizes)
        matrix = _band(taps.conj() if conjugate else taps, bands, dtype)
        if laid.together == 1:
            y = _whole(data[held[0]], matrix, first, bands)
            finite = np.isfinite(np.vdot(y, y))
        else:
            y = np.empty(laid.problem.spec.output_size, dtype)
            finite = _side_by_side([data[place] for place in held], matrix, laid, y)
        return y.reshape(shape) if finite else None  # computed again, by the long way

    return on_memory(run) if traits.home else run


def _whole(x: Any, matrix: Any, spec: Spec, bands: Bands) -> Any:
    """Return the outputs of the only piece."""
    if len(spec.axes) == 1:
        return _line(x, matrix, spec, bands)
    y = np.empty(spec.output_size, x.dtype)
    _plane(x, matrix, spec, bands, y, alone=True)
    return y


def _side_by_side(pieces: list[Any], matrix: Any, laid: Laid, y: Any) -> bool:
    """Write the outputs of pieces of two axes, on some threads; return whether all are finite."""
    sums = np.zeros(len(pieces), y.dtype)

    def part(first: int, stop: int) -> None:
        for number in range(first, stop):
            step, target = laid.steps[number], y[laid.steps[number].target]
            _plane(pieces[number], matrix, step.spec, bands_of(step.spec), target, alone=False)
            sums[number] = np.sum(target)  # of a scalar product BLAS would share the work

    share(part, len(pieces), laid.together)
    return bool(np.isfinite(sums).all())


def _is_plain(step: Piece) -> bool:
    """Whether a step is one channel of one or two axes, all taps and samples next to each other."""
    spec, axes = step.spec, step.spec.axes
    near = all((axis.stride, axis.dilation) == (1, 1) for axis in axes)
    one = spec.batch * spec.groups * spec.channels * spec.filters == 1
    copied = all(len(runs) == 1 and is_slice(runs) for runs in step.source)
    return 1 <= len(axes) <= 2 and near and one and copied


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


def _plane(x: Any, matrix: Any, spec: Spec, bands: Bands, y: Any, alone: bool) -> None:
    """Write the outputs of two axes."""
    phases, per = bands.phases, -(-bands.rows // bands.phases) + (bands.phases > 1)
    length, count = bands.height * bands.span, bands.strips * per
    memory = _scratch.empty((count * length + length,), x.dtype)
    memory[count * length :] = 0
    _fill(memory[: count * length].reshape(bands.strips, per * bands.height, bands.span), x, spec, bands)
    whole, rest = divmod(spec.axes[1].outputs, bands.width)
    strips = y[:, : whole * bands.width].reshape(bands.rows, whole, bands.width)
    products = _scratch.empty((count, bands.width), x.dtype)
    found = products.reshape(bands.strips, per, bands.width).transpose(1, 0, 2)
    for phase in range(min(phases, bands.rows)):
        first = phase * bands.span
        rows = memory[first : first + count * length].reshape(count, length)
        if alone:
            np.matmul(rows, matrix, out=products)
        else:
            product_of_rows(rows, matrix, products)
        held = -(-(bands.rows - phase) // phases)
        strips[phase::phases] = found[:held, :whole]
        if rest:
            y[phase::phases, whole * bands.width :] = found[:held, whole, :rest]


def _fill(strips: Any, x: Any, spec: Spec, bands: Bands) -> None:
    """Write x as strips, with zeros beyond its ends."""
    row, column = spec.axes
    strips[:, : row.before] = 0
    strips[:, row.before + row.size :] = 0
    inner = strips[:, row.before : row.before + row.size]
    low = min(-(-column.before // bands.step), bands.strips)
    high = max(low, min((column.size + column.before - bands.span) // bands.step + 1, bands.strips))
    if high > low:
        shape, first = (high - low, row.size, bands.span), low * bands.step - column.before
        steps = bands.step * x.itemsize, x.strides[0], x.itemsize
        if x.flags.c_contiguous:  # the same view in a tenth of the time
            inner[low:high] = np.ndarray(shape, x.dtype, x, first * x.itemsize, steps)
        else:
            inner[low:high] = np.lib.stride_tricks.as_strided(x[:, first:], shape, steps, writeable=False)
    for strip in (*range(low), *range(high, bands.strips)):
        start = strip * bands.step - column.before
        held = x[:, max(start, 0) : max(start + bands.span, 0)]
        at = max(-start, 0)
        inner[strip] = 0
        inner[strip][:, at : at + held.shape[1]] = held
