"""Compiled loops on NumPy arrays: every output is written once or a few times, near the speed of memory.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k]

Outputs next to each other form a row; a row meets nine terms at a time, with their factors in registers.

Wins      few taps on arrays of some size, all integers, strides, depthwise groups.
Cost      macs multiply-adds, vectorised over outputs where they and their samples are adjacent, over `threads`.
Memory    the kernel, and where the sample of each term stands; x is read in place, whatever its strides.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel import _jit, _threads
from arrayconv._accel._base import unavailable
from arrayconv._accel._flat import Host, addressable, flat, steps_of
from arrayconv._algorithms import Algorithm, Context, Shortcut
from arrayconv._boundary import FILL, Run
from arrayconv._cost_table import pace, rates
from arrayconv._ops.windows import LEADING
from arrayconv._spec import Spec
from arrayconv._tracing import planning
from arrayconv._xp import Traits

SMALL = 1 << 16  # multiply-adds below which no call ever repays compiling, or even importing the compiler
COMPILE_NS = 3_000_000_000
_ROW_BYTES = 8192  # of outputs in a block: they and the samples they meet stay in the first cache
_ROW_TERM_PS = 6000  # what starting a row takes on one thread, for each of its terms
_TABLES_NS = 40_000  # what several axes take besides
_SHARE = 1 << 23  # bytes times multiply-adds that are worth a thread of their own


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return unavailable(_jit.LIBRARY, "numpy", traits)


def _cost(spec: Spec, traits: Traits) -> int:
    last = spec.axes[-1] if spec.axes else None
    row = last.outputs if last is not None else spec.batch
    kind = "integer" if traits.exact else "complex" if traits.accumulator.startswith("complex") else "float"
    apart = last is not None and last.stride > 1
    found = pace(f"numba-{'strided' if apart else kind}")
    width = 1 if apart else traits.itemsize  # one at a time: all dtypes take the same
    width *= 1 + (spec.channels > 1)  # channels may well be what is adjacent
    sums = (spec.macs * width * found.mac_byte + spec.macs // max(row, 1) * _ROW_TERM_PS) // _threads_for(spec, traits)
    memory = spec.outputs * traits.itemsize * rates(traits.row).copy_byte
    call_ns = found.call_ns if len(spec.axes) == 1 else found.call_ns + _TABLES_NS
    return call_ns + (sums + memory) // 1000 + COMPILE_NS * (spec.macs < SMALL)


def _threads_for(spec: Spec, traits: Traits) -> int:
    """Return how many threads a problem of this size is shared by."""
    return max(1, min(traits.threads, spec.macs * traits.itemsize // _SHARE))


def _workspace(spec: Spec, traits: Traits) -> int:
    kernel = spec.groups * spec.filters * spec.terms * traits.itemsize
    return kernel + 8 * spec.terms * (3 + traits.threads) + 4096


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    """Return the factors of all terms, one filter after the other."""
    return np.ascontiguousarray(kernel).reshape(-1)


def _run(x: Any, factors: Any, spec: Spec, context: Context) -> Any:
    loop = _jit.loop("numba_kernels", context.traits.accumulator)
    out = context.out if context.out is not None and addressable(context.out) else None
    data, steps, start = flat(np.asarray(x))
    rows = _rows(spec, steps, None if out is None else steps_of(out))
    y = np.empty([spec.output_shape[axis] for axis in rows.order], data.dtype) if out is None else out
    target, _, origin = flat(y)
    blocks = -(-rows.outputs // max(1, _ROW_BYTES // x.itemsize))
    inner = (rows.outputs, blocks, -(-rows.outputs // blocks), rows.x_step, rows.y_step, start, origin)
    offsets = _offsets(spec, steps)

    def part(first: int, stop: int) -> None:
        loop(data, factors, offsets, target, rows.sizes, rows.steps, inner, first, stop)

    _threads.share(part, rows.number * blocks, _threads_for(spec, context.traits))
    if out is not None:
        return out
    y = y.transpose(np.argsort(rows.order))
    if context.out is not None:
        context.out[...] = y
    return y


class _Rows(NamedTuple):
    """The outputs as rows along one axis, and the axes around them."""

    order: list[int]  # of y's axes in memory
    outputs: int  # of a row
    x_step: int
    y_step: int
    number: int  # of rows
    sizes: Host
    steps: Host  # (axes, 3): in x, y and the factors


@planning()
def _rows(spec: Spec, steps: tuple[int, ...], out: tuple[int, ...] | None) -> _Rows:
    """Choose the axis of the rows, batch or space: where samples are adjacent, or else the longest."""
    shape = spec.output_shape
    terms = spec.terms
    x_steps = [steps[0], steps[1], 0, *(s * axis.stride for s, axis in zip(steps[LEADING:], spec.axes, strict=True))]
    w_steps = [0, spec.filters * terms, terms] + [0] * len(spec.axes)
    usable = [axis for axis in range(len(shape)) if axis not in (1, 2)]
    row = max(usable, key=lambda axis: (min(shape[axis], 16) * (1 + 15 * (abs(x_steps[axis]) == 1)), shape[axis], axis))
    order = list(range(len(shape)))
    if out is None and x_steps[row] == 1 and row != order[-1]:  # y as x lies in memory, so that both are adjacent
        order.sort(key=lambda axis: (axis == row, -abs(x_steps[axis]) if axis != 2 else -(1 << 62)))
    y_steps = [0] * len(shape) if out is None else list(out)
    if out is None:
        step = 1
        for axis in reversed(order):
            y_steps[axis] = step
            step *= shape[axis]
    around = [axis for axis in order if axis != row]
    table = np.array([(x_steps[axis], y_steps[axis], w_steps[axis]) for axis in around], np.int64).reshape(-1, 3)
    sizes = np.array([shape[axis] for axis in around], np.int64)
    return _Rows(order, shape[row], x_steps[row], y_steps[row], spec.outputs // shape[row], sizes, table)


def _offsets(spec: Spec, steps: tuple[int, ...]) -> Host:
    """Return where the sample of every term stands, counted from the first, channels before taps."""
    offsets = np.arange(spec.channels, dtype=np.int64) * steps[2]
    for step, axis in zip(steps[LEADING:], spec.axes, strict=True):
        offsets = (offsets[:, None] + np.arange(axis.taps, dtype=np.int64) * (axis.dilation * step)).reshape(-1)
    return offsets


def _shortcut(
    spec: Spec, step: Spec, source: tuple[tuple[Run, ...], ...], traits: Traits, fill: complex
) -> Shortcut | None:
    """Return the loop on one axis of adjacent samples, among constants where x is extended by those."""
    if len(spec.axes) != 1 or spec.conj or spec.axes[0].boundary != "constant":
        return None
    runs, axis = source[0], step.axes[0]
    held = [run for run in runs if run.start != FILL]
    if len(held) != 1 or held[0] != Run(0, 1, spec.axes[0].size):
        return None
    before = sum(run.length for run in runs[: runs.index(held[0])])
    place = slice(before, before + held[0].length)
    dtype, shape = np.dtype(traits.accumulator), step.output_size
    rows = _rows(step, (0, 0, 0, 1), None)
    blocks = -(-rows.outputs // max(1, _ROW_BYTES // traits.itemsize))
    inner = (rows.outputs, blocks, -(-rows.outputs // blocks), rows.x_step, rows.y_step, 0, 0)
    offsets = _offsets(step, (0, 0, 0, 1))
    threads = min(traits.threads, step.macs * traits.itemsize // _SHARE)

    def run(x: Any, kernel: Any) -> Any:
        if not (x.flags.c_contiguous and x.flags.aligned):
            return None
        loop, y = _jit.loop("numba_kernels", traits.accumulator), np.empty(shape, dtype)
        data = x
        if len(runs) > 1:
            data = np.empty(axis.size, dtype)
            data[:before], data[place], data[place.stop :] = fill, x, fill
        factors = np.ascontiguousarray(kernel[::-1] if spec.flip else kernel)

        def part(first: int, stop: int) -> None:
            loop(data, factors, offsets, y, rows.sizes, rows.steps, inner, first, stop)

        _threads.share(part, rows.number * blocks, threads)
        return y

    return run


numba = Algorithm(
    "numba",
    _why_not,
    _cost,
    _workspace,
    _prepare,
    _run,
    accuracy="componentwise",
    slabs=True,
    writes=True,
    shortcut=_shortcut,
)
