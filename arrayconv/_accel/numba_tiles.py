"""Compiled register tiles on NumPy arrays: six rows of outputs at a time, each sample loaded once for all of them.

    y[b, g, o, p, q] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k_1, q + k_2]

Wins      two axes and more, from 3 x 3 taps to where a transform takes over, around 31 x 31.
Cost      macs multiply-adds at half the processor's peak and more; all threads.
Memory    the samples of a block of outputs whose windows leave x, or whose samples are not adjacent in memory.
Accuracy  componentwise. Every boundary is followed inside: x is neither padded nor cut.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel import _jit, _threads
from arrayconv._accel._base import unavailable
from arrayconv._accel._flat import Host, addressable, flat
from arrayconv._algorithms import Algorithm, Context, Shortcut
from arrayconv._boundary import FILL, Run, runs
from arrayconv._cost_table import pace, rates
from arrayconv._ops.windows import LEADING
from arrayconv._spec import Axis, Spec
from arrayconv._tracing import planning
from arrayconv._xp import Traits

SMALL = 1 << 16  # multiply-adds below which no call ever repays compiling, or even importing the compiler
COMPILE_NS = 9_000_000_000
_ROWS = 6  # of outputs at a time
_BAND = 96  # rows of a block
_BLOCK_BYTES = 4096  # of outputs in a row of a block: six rows, and the samples they meet, stay in the first cache
_PASS_PS = 20_000  # what starting a pass takes, for each of its rows
_SHARE = 1 << 25  # bytes times multiply-adds that are worth a thread of their own


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = unavailable(_jit.LIBRARY, "numpy", traits)
    if reason is not None:
        return reason
    if traits.accumulator not in ("float32", "float64"):
        return f"it sums in float32 or float64. Got {traits.accumulator}"
    if len(spec.axes) < 2:
        return f"it takes two convolved axes or more. Got {len(spec.axes)}"
    dilation = spec.axes[-2].dilation
    if dilation != 1:
        return f"it takes adjacent rows of taps. Got dilation {dilation} on the last axis but one"
    return None


@planning()
def _dense(spec: Spec) -> Spec:
    """Return the problem with every output along the last two axes, those that a stride leaves out too."""
    last = [
        axis._replace(outputs=axis.stride * (axis.outputs - 1) + 1, stride=1) if axis.outputs else axis
        for axis in spec.axes[-2:]
    ]
    return spec._replace(axes=(*spec.axes[:-2], *last))


def _cost(spec: Spec, traits: Traits) -> int:
    measured, spec = pace("numba_tiles"), _dense(spec)
    row, column = spec.axes[-2:]
    planes = spec.terms // (row.taps * column.taps)
    passes = planes * -(-row.taps // 5) * -(-column.taps // 3)  # over the sums in the first cache
    work = spec.macs * traits.itemsize * measured.mac_byte + spec.outputs * passes * traits.itemsize * measured.output
    work += spec.outputs // max(1, min(column.outputs, 512)) * passes * _PASS_PS
    memory = (spec.outputs + prod(spec.input_shape)) * traits.itemsize * rates(traits.row).copy_byte // 2
    threads = _worth(spec, traits.itemsize, traits.threads)
    return measured.call_ns + (work // threads + memory) // 1000 + COMPILE_NS * (spec.macs < SMALL)


def _workspace(spec: Spec, traits: Traits) -> int:
    dense = _dense(spec)
    if dense != spec:
        return dense.outputs * traits.itemsize + _workspace(dense, traits)
    beyond = sum(sum(_outside(axis)) for axis in spec.axes)
    kernel = prod(spec.kernel_shape) * traits.itemsize
    return kernel + traits.threads * _room(spec, traits.itemsize) * traits.itemsize + 8 * beyond + 8192


def _room(spec: Spec, itemsize: int) -> int:
    """Count the samples that the outputs of a block meet."""
    row, column = spec.axes[-2:]
    rows, columns = min(row.outputs, _BAND), min(column.outputs, _BLOCK_BYTES // itemsize)
    return (rows + row.reach - 1) * (columns + column.reach - 1)


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    return np.ascontiguousarray(kernel).reshape(-1)


def _run(x: Any, factors: Any, spec: Spec, context: Context) -> Any:
    dense = _dense(spec)
    if dense != spec:
        every = _run(x, factors, dense, context._replace(out=None))
        y = every[(..., *(slice(None, None, axis.stride) for axis in spec.axes[-2:]))]
        if context.out is None:
            return y.copy()  # a view would keep what is left out
        context.out[...] = y
        return context.out
    loop = _jit.loop("tile_kernels", context.traits.accumulator)
    data, steps, start = flat(np.asarray(x))
    out = context.out
    y = out if out is not None and _takes_rows(out) else np.empty(spec.output_shape, data.dtype)
    target, y_steps, origin = flat(y)
    tables = _tables(spec, steps, y_steps, start, origin, x.itemsize)
    _loop(loop, data, factors, target, tables, context.fill, _worth(spec, x.itemsize, context.traits.threads))
    if out is None or y is out:
        return y
    out[...] = y
    return out


def _takes_rows(out: Host) -> bool:
    return addressable(out) and (out.strides[-1] == out.itemsize or out.shape[-1] == 1)


def _worth(spec: Spec, itemsize: int, threads: int) -> int:
    """Return how many threads the work is worth."""
    return min(threads, 1 + spec.macs * itemsize // _SHARE)


class _Tables(NamedTuple):
    """What the loop is told besides the arrays: see `tile_kernels`."""

    counts: Host
    lead: Host
    axes: Host
    beyond: Host
    bands: Host
    blocks: Host
    units: int  # blocks of outputs
    room: int  # samples to make room for


def _loop(loop: Any, x: Host, w: Host, y: Host, tables: _Tables, fill: complex, threads: int) -> None:
    """Run the compiled loop over all blocks."""

    def part(first: int, stop: int) -> None:
        copy = np.empty(tables.room, x.dtype)
        copied = copy.view()
        copied.flags.writeable = False
        loop(x, w, y, *tables[:6], fill, copy, copied, first, stop)

    _threads.share(part, tables.units, threads)


@planning()
def _tables(
    spec: Spec, x_steps: tuple[int, ...], y_steps: tuple[int, ...], start: int, origin: int, itemsize: int
) -> _Tables:
    """Return the tables of a problem on arrays of some layout."""
    batch, groups, channels = x_steps[:LEADING]
    counts = [
        (spec.batch, batch, y_steps[0]),
        (spec.groups, groups, y_steps[1]),
        (spec.channels, channels, 0),
        (spec.filters, 0, y_steps[2]),
        (0, start, origin),
    ]
    rows: list[tuple[int, ...]] = []
    beyond: list[int] = []
    for axis, x_step, y_step in zip(spec.axes, x_steps[LEADING:], y_steps[LEADING:], strict=True):
        low, _ = _outside(axis)
        sizes = axis.size, len(beyond), low, axis.before, axis.outputs, axis.taps, axis.stride, axis.dilation
        rows.append((*sizes, x_step, y_step))
        beyond += _beyond(axis)
    table = np.array(rows, np.int64)
    row, column = spec.axes[-2:]
    direct = x_steps[-1] == 1
    bands = _cuts(row, _BAND, _ROWS, ends=direct)
    blocks = _cuts(column, _BLOCK_BYTES // itemsize, 1, ends=direct)
    units = prod((spec.batch, spec.groups, *spec.output_size[:-2], len(bands) - 1, len(blocks) - 1))
    room = (max(np.diff(bands)) + row.reach - 1) * (max(np.diff(blocks)) + column.reach - 1)
    return _Tables(
        np.array(counts, np.int64), table[:-2].copy(), table[-2:].copy(), np.array(beyond or [0], np.int64),
        bands, blocks, units, int(room),
    )  # fmt: skip


def _outside(axis: Axis) -> tuple[int, int]:
    """Return how many positions before the first sample, and after the last, are read."""
    lo, hi = axis.span(0, axis.outputs)
    return max(-lo, 0), max(hi - axis.size, 0)


def _beyond(axis: Axis) -> list[int]:
    """Return the samples that stand beyond the ends: those before from the first sample back, then those after."""
    low, high = _outside(axis)
    return [*_samples(axis, -low, 0)[::-1], *_samples(axis, axis.size, axis.size + high)]


def _samples(axis: Axis, first: int, stop: int) -> list[int]:
    found: list[int] = []
    for run in runs(axis.size, first, stop, axis.boundary):
        found += [-1 if run.start == FILL else run.start + run.step * i for i in range(run.length)]
    return found


def _cuts(axis: Axis, most: int, unit: int, ends: bool) -> Host:
    """Return where blocks of at most `most` outputs, whole units of them, begin and end.

    With `ends` the outputs whose windows leave x stand apart, so that all others read x itself.
    """
    first, stop = 0, axis.outputs
    if ends:
        first = min(max(axis.before, 0), stop)
        stop = max(min(axis.size - axis.reach + axis.before + 1, stop), first)
    count = max(1, -(-(stop - first) // most))
    step = max(unit, -(-(stop - first) // (count * unit)) * unit)
    return np.array(sorted({0, *range(first, stop, step), stop, axis.outputs}), np.int64)


def _shortcut(
    spec: Spec, step: Spec, source: tuple[tuple[Run, ...], ...], traits: Traits, fill: complex
) -> Shortcut | None:
    """Return the loop on arrays that lie in memory as they are numbered, tables made beforehand."""
    if source != tuple((Run(0, 1, axis.size),) for axis in spec.axes) or _dense(step) != step:
        return None
    dtype, size = np.dtype(traits.accumulator), traits.itemsize
    x_steps, y_steps = (_adjacent(shape) for shape in (step.input_shape, step.output_shape))
    tables = _tables(step, x_steps, y_steps, 0, 0, size)
    threads = _worth(step, size, traits.threads)
    shape = step.output_size
    turned = (slice(None, None, -1 if spec.flip else 1),) * len(spec.axes)

    def run(x: Any, kernel: Any) -> Any:
        if not (x.flags.c_contiguous and x.flags.aligned):
            return None
        y = np.empty(shape, dtype)
        factors = np.ascontiguousarray(kernel[turned]).reshape(-1)
        _loop(
            _jit.loop("tile_kernels", traits.accumulator), x.reshape(-1), factors, y.reshape(-1), tables, fill, threads
        )
        return y

    return run


def _adjacent(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the steps of an array whose elements stand one after the other."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


numba_tiles = Algorithm(
    "numba_tiles",
    _why_not,
    _cost,
    _workspace,
    _prepare,
    _run,
    accuracy="componentwise",
    extends=frozenset({"all"}),
    writes=True,
    shortcut=_shortcut,
)
