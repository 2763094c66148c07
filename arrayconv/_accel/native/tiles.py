"""Register tiles for arrays of any library: the problems they support, their costs, and the table of the loop.

The loop itself is in `src/tiles.h`; `native_tiles` runs it on NumPy arrays, `xla_loops` on JAX arrays.
"""

from __future__ import annotations

from math import prod

import numpy as np

from arrayconv._accel.native import geometry
from arrayconv._accel.native.in_place import Host, Steps
from arrayconv._accel.native.tables import TILED, TILES, Job, TilesTable
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, MethodCost, primitive_costs
from arrayconv._costs.parallel import Threads
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

_TILE_ROWS = 6  # of outputs
_BLOCK_ROWS = 96  # of outputs
_BLOCK_BYTES = 4096  # of outputs in a row of a block: six rows and the samples of their windows stay in the L1 cache
_CACHED_BYTES = 8 << 20  # of samples and outputs, which threads read and write side by side
_PASS_PS = 5_000  # to start a pass, per row
_WAY = 4096  # bytes of a way of the L1 cache: rows at multiples of it map to the same sets
_CONFLICT_TAPS = 4  # rows of taps from which such rows evict each other from eight ways
_FEW_LINES = 16  # of a row that conflicts with few others
# Outputs of a plane up to which every block copies its samples.
_COPY_OUTPUTS, _COPY_OUTPUTS_PER_TAP = 1 << 14, 1 << 10


def refusal(spec: Spec, traits: Traits) -> str | None:
    """Return why the tiles do not support a problem, for any library, or None."""
    if traits.accumulator not in TILED:
        return f"it sums in {' or '.join(TILED)}. Got {traits.accumulator}"
    if len(spec.axes) < 2:
        return f"it supports two convolved axes or more. Got {len(spec.axes)}"
    dilation = spec.axes[-2].dilation
    if dilation != 1:
        return f"it supports dilation 1 on the last axis but one. Got dilation {dilation}"
    return None


@planning()
def dense(spec: Spec) -> Spec:
    """Return the problem with a stride of 1 along the last two axes."""
    last = [
        axis._replace(outputs=axis.stride * (axis.outputs - 1) + 1, stride=1) if axis.outputs else axis
        for axis in spec.axes[-2:]
    ]
    return spec._replace(axes=(*spec.axes[:-2], *last))


def cost(spec: Spec, traits: Traits, measured: MethodCost) -> int:
    """Return nanoseconds by measured costs."""
    spec = dense(spec)
    row, column = spec.axes[-2:]
    planes = spec.terms // (row.taps * column.taps)
    passes = planes * -(-row.taps // 5) * -(-column.taps // 3)  # over the sums in the L1 cache
    lanes = LINE // traits.itemsize
    filled = -(-column.outputs // lanes) * lanes  # the last vector of a row is computed as a whole
    macs = spec.macs * filled // max(1, column.outputs)
    work = (macs * measured.cache_line_mac + spec.outputs * passes * measured.output) * traits.itemsize // LINE
    work += spec.outputs // max(1, min(column.outputs, 512)) * passes * _PASS_PS
    nbytes = (spec.outputs + prod(spec.input_shape)) * traits.itemsize
    threads = threads_of(spec, traits).most
    memory = nbytes * primitive_costs(traits.row).copy_byte // (threads if nbytes <= _CACHED_BYTES else 1)
    return measured.call_ns + (work // threads + memory) // 1000


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of the dense outputs under a stride, the kernel, the copies of all threads and the tables."""
    dense_spec = dense(spec)
    if dense_spec != spec:
        return dense_spec.outputs * traits.itemsize + workspace(dense_spec, traits)
    ends = sum(sum(geometry.outside(axis)) for axis in spec.axes)
    kernel = prod(spec.kernel_shape) * traits.itemsize
    return kernel + traits.threads * _copy_size(spec, traits.itemsize) * traits.itemsize + 8 * ends + 8192


def _copy_size(spec: Spec, itemsize: int) -> int:
    """Count the samples that a block of outputs reads."""
    row, column = spec.axes[-2:]
    rows, columns = min(row.outputs, _BLOCK_ROWS), min(column.outputs, _BLOCK_BYTES // itemsize)
    return (rows + row.reach - 1) * _row_step(columns + column.reach - 1, itemsize)


def _row_step(columns: int, itemsize: int) -> int:
    """Return a step between rows that do not conflict in the L1 cache: an odd number of lines."""
    lines = -(-columns * itemsize // LINE)
    return columns if lines < _FEW_LINES else (lines | 1) * LINE // itemsize


def threads_of(spec: Spec, traits: Traits) -> Threads:
    """Return the threads that may share a problem of this size."""
    return parallel.threads("tiles", spec.macs * traits.itemsize, traits.threads, by_xla=traits.backend == "jax")


@planning()
def job(spec: Spec, x_steps: Steps, y_steps: Steps, start: int, origin: int, itemsize: int) -> Job:
    """Return the loop's table for a problem on arrays of one layout."""
    row, column = spec.axes[-2:]
    is_small = row.outputs * column.outputs <= min(_COPY_OUTPUTS, _COPY_OUTPUTS_PER_TAP * row.taps * column.taps)
    conflicts = row.taps >= _CONFLICT_TAPS and x_steps[-2] != 0 and x_steps[-2] * itemsize % _WAY == 0
    in_place = x_steps[-1] == 1 and not is_small and not conflicts  # else copying all costs less than cutting the ends
    row_cuts = _cuts(row, _BLOCK_ROWS, _TILE_ROWS, ends=in_place)
    col_cuts = _cuts(column, _BLOCK_BYTES // itemsize, 1, ends=in_place)
    copy_row = _row_step(int(max(np.diff(col_cuts))) + column.reach - 1, itemsize)
    steps = x_steps[LEADING:], y_steps[LEADING:]
    axes, border = geometry.axes(spec.axes, [geometry.outside(axis) for axis in spec.axes], steps)
    head = geometry.head(
        spec,
        (x_steps, y_steps),
        (start, origin),
        lead_axes=len(axes) - 2,
        border=border.size,
        copy_row=copy_row,
        copy_size=(int(max(np.diff(row_cuts))) + row.reach - 1) * copy_row,
    )
    units = prod((spec.batch, spec.groups, *spec.output_size[:-2], row_cuts.size - 1, col_cuts.size - 1))
    table = TilesTable(row_cuts.size, col_cuts.size, copies=conflicts)
    return Job(TILES, (head, table, axes, border, row_cuts, col_cuts), units, head.copy_size)


def _cuts(axis: Axis, max_outputs: int, unit: int, ends: bool) -> Host:
    """Return the starts of blocks of at most `max_outputs` outputs, in multiples of `unit`, and the end of the last.

    With `ends` the border's outputs are blocks of their own, so that all others read x in place.
    """
    first, stop = 0, axis.outputs
    if ends:
        first = min(max(axis.before, 0), stop)
        stop = max(min(axis.size - axis.reach + axis.before + 1, stop), first)
    count = max(1, -(-(stop - first) // max_outputs))
    step = max(unit, -(-(stop - first) // (count * unit)) * unit)
    return np.array(sorted({0, *range(first, stop, step), stop, axis.outputs}), np.int64)
