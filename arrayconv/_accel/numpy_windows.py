"""im2col on NumPy arrays as a single call: all windows are one view of the samples, copied once, then one product.

It forms the very product that `im2col` does, for calls made before, where finding one's way there takes the longest.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from arrayconv._accel._base import Bypass, Laid, unavailable
from arrayconv._accel._borrowed import on_memory
from arrayconv._accel._laid import cut, factors
from arrayconv._float_errors import float_errors_ignored
from arrayconv._ops.windows import LEADING
from arrayconv._spec import Spec


def bypass(laid: Laid) -> Bypass | None:
    """Return the product on real arrays whose axes are in order, with nothing but zeros beyond their ends."""
    step, layout, dtype = laid.step.spec, laid.problem.layout, np.dtype(laid.traits.accumulator)
    cuts = [cut(runs) for runs in laid.step.source]
    if unavailable("numpy", "numpy", laid.traits) or dtype.kind not in "fiu" or laid.fill != 0 or None in cuts:
        return None
    if not cuts or layout.x.moves or layout.kernel.moves or layout.y.moves:
        return None
    held, place = ((..., *part) for part in zip(*filter(None, cuts), strict=True))
    extended = any(len(runs) > 1 for runs in laid.step.source)
    x_shape, shape, answer = layout.x.joined, step.input_shape, laid.problem.shape
    by_output = prod(step.output_size) < step.taps  # as in `im2col`, for sums in the same order
    windows, strides = _windows(step, dtype.itemsize, by_output)
    rows_first = (prod(step.output_size), step.terms) if by_output else (step.terms, prod(step.output_size))
    columns = step.batch, step.groups, *rows_first
    weights, rows = factors(laid), (step.groups, step.filters, step.terms)
    added = step.groups, step.filters, 1

    @float_errors_ignored
    def run(x: Any, kernel: Any, bias: Any = None) -> Any:
        data = x.reshape(x_shape)[held]
        if extended:
            data, samples = np.zeros(shape, dtype), data
            data[place] = samples
        elif not data.flags.c_contiguous:
            data = data.copy()
        seen = np.ndarray(windows, dtype, data, 0, strides).reshape(columns)
        y = np.matmul(weights(kernel).reshape(rows), seen.mT if by_output else seen)
        if bias is not None:
            y += bias.reshape(added)
        return y.reshape(answer)

    return on_memory(run) if laid.traits.home else run


def _windows(spec: Spec, itemsize: int, by_output: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shape of all windows of adjacent samples, and steps in bytes.

    The axes are (batch, groups, channels, *k, *out), or (batch, groups, *out, channels, *k) `by_output`.
    """
    steps = [itemsize * prod(spec.input_shape[number + 1 :]) for number in range(len(spec.input_shape))]
    leading, spatial = steps[:LEADING], steps[LEADING:]
    taps = [axis.dilation * step for axis, step in zip(spec.axes, spatial, strict=True)]
    outputs = [axis.stride * step for axis, step in zip(spec.axes, spatial, strict=True)]
    batch, group, channel = leading
    if by_output:
        shape = spec.batch, spec.groups, *spec.output_size, spec.channels, *spec.kernel_size
        return shape, (batch, group, *outputs, channel, *taps)
    shape = spec.batch, spec.groups, spec.channels, *spec.kernel_size, *spec.output_size
    return shape, (batch, group, channel, *taps, *outputs)
