"""Register tiles for arrays of any library: which problems they serve, what those cost, and what the loop is told.

The loop itself is in `native/tiles.h`; NumPy arrays meet it in `native_tiles`, JAX arrays in `xla_loops`.
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
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

_ROWS = 6  # of outputs at a time
_BAND = 96  # rows of a block
_BLOCK_BYTES = 4096  # of outputs in a row of a block: six rows, and the samples they meet, stay in the first cache
_PASS_PS = 20_000  # what starting a pass takes, for each of its rows
_WAY = 4096  # bytes of a way of the first cache: rows so far apart, or times that, meet in the same places of it
_CONFLICT = 4  # rows of taps from which such rows push each other out, where there are eight ways
_FEW_LINES = 16  # of a row, that meets with few others
_COPIED, _COPIED_PER_TAP = 1 << 14, 1 << 10  # outputs of a plane up to which a block copies all that it meets


def refusal(spec: Spec, traits: Traits) -> str | None:
    """Return why the tiles can't serve a problem, whatever its library, or None."""
    if traits.accumulator not in TILED:
        return f"it sums in {' or '.join(TILED)}. Got {traits.accumulator}"
    if len(spec.axes) < 2:
        return f"it takes two convolved axes or more. Got {len(spec.axes)}"
    dilation = spec.axes[-2].dilation
    if dilation != 1:
        return f"it takes adjacent rows of taps. Got dilation {dilation} on the last axis but one"
    return None


@planning()
def dense(spec: Spec) -> Spec:
    """Return the problem with every output along the last two axes, those that a stride leaves out too."""
    last = [
        axis._replace(outputs=axis.stride * (axis.outputs - 1) + 1, stride=1) if axis.outputs else axis
        for axis in spec.axes[-2:]
    ]
    return spec._replace(axes=(*spec.axes[:-2], *last))


def cost(spec: Spec, traits: Traits, measured: MethodCost) -> int:
    """Return nanoseconds at a measured pace."""
    spec = dense(spec)
    row, column = spec.axes[-2:]
    planes = spec.terms // (row.taps * column.taps)
    passes = planes * -(-row.taps // 5) * -(-column.taps // 3)  # over the sums in the first cache
    work = (spec.macs * measured.cache_line_mac + spec.outputs * passes * measured.output) * traits.itemsize // LINE
    work += spec.outputs // max(1, min(column.outputs, 512)) * passes * _PASS_PS
    memory = (spec.outputs + prod(spec.input_shape)) * traits.itemsize * primitive_costs(traits.row).copy_byte // 2
    threads = num_threads(spec, traits)
    return measured.call_ns + (work // threads + memory) // 1000


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of what is left out, the kernel, the room of all threads and the tables."""
    every = dense(spec)
    if every != spec:
        return every.outputs * traits.itemsize + workspace(every, traits)
    ends = sum(sum(_outside(axis)) for axis in spec.axes)
    kernel = prod(spec.kernel_shape) * traits.itemsize
    return kernel + traits.threads * _room(spec, traits.itemsize) * traits.itemsize + 8 * ends + 8192


def _room(spec: Spec, itemsize: int) -> int:
    """Count the samples that the outputs of a block meet."""
    row, column = spec.axes[-2:]
    rows, columns = min(row.outputs, _BAND), min(column.outputs, _BLOCK_BYTES // itemsize)
    return (rows + row.reach - 1) * _spaced(columns + column.reach - 1, itemsize)


def _spaced(columns: int, itemsize: int) -> int:
    """Return a step between rows of so many samples that do not meet in the first cache: an odd number of lines."""
    lines = -(-columns * itemsize // LINE)
    return columns if lines < _FEW_LINES else (lines | 1) * LINE // itemsize


def num_threads(spec: Spec, traits: Traits) -> int:
    """Return how many threads compute a problem of this size."""
    return parallel.num_threads("tiles", spec.macs * traits.itemsize, traits.threads)


@planning()
def job(spec: Spec, x_steps: Steps, y_steps: Steps, start: int, origin: int, itemsize: int) -> Job:
    """Return the loop's table for a problem on arrays of some layout."""
    row, column = spec.axes[-2:]
    few = row.outputs * column.outputs <= min(_COPIED, _COPIED_PER_TAP * row.taps * column.taps)
    meet = row.taps >= _CONFLICT and x_steps[-2] != 0 and x_steps[-2] * itemsize % _WAY == 0
    direct = x_steps[-1] == 1 and not few and not meet  # whose ends are sooner copied with the rest than told apart
    row_cuts = _cuts(row, _BAND, _ROWS, ends=direct)
    col_cuts = _cuts(column, _BLOCK_BYTES // itemsize, 1, ends=direct)
    copy_row = _spaced(int(max(np.diff(col_cuts))) + column.reach - 1, itemsize)
    steps = x_steps[LEADING:], y_steps[LEADING:]
    axes, border = geometry.axes(spec.axes, [_outside(axis) for axis in spec.axes], steps)
    head = geometry.head(
        spec,
        (x_steps, y_steps),
        (start, origin),
        lead_axes=len(axes) - 2,
        border=border.size,
        copy_row=copy_row,
        room=(int(max(np.diff(row_cuts))) + row.reach - 1) * copy_row,
    )
    units = prod((spec.batch, spec.groups, *spec.output_size[:-2], row_cuts.size - 1, col_cuts.size - 1))
    table = TilesTable(row_cuts.size, col_cuts.size, copies=meet)
    return Job(TILES, (head, table, axes, border, row_cuts, col_cuts), units, head.room)


def _outside(axis: Axis) -> tuple[int, int]:
    """Return how many positions before the first sample, and after the last, are read."""
    lo, hi = axis.span(0, axis.outputs)
    return max(-lo, 0), max(hi - axis.size, 0)


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
