"""Images of many channels: the cost of a problem, its blocks and phases, and the table of the loop.

The loop itself is in `src/images.h`; `native_images` runs it on NumPy arrays, `xla_loops` on JAX arrays.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from arrayconv._accel.native import geometry
from arrayconv._accel.native.in_place import Host, Steps
from arrayconv._accel.native.phases import AxisPhases, along_axes
from arrayconv._accel.native.rows import MIN_SHARED_FILTERS, vector_bytes
from arrayconv._accel.native.tables import IMAGE_DTYPES, IMAGES, TILED, ImagesTable, Job, LeadPhase
from arrayconv._accel.native.tables import Axis as AxisEntry
from arrayconv._accel.native.tables import Phase as PhaseEntry
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, MethodCost, primitive_costs
from arrayconv._costs.parallel import Threads
from arrayconv._ops.windows import LEADING
from arrayconv._problem.gather import needs_gather, shift_to_data
from arrayconv._problem.spec import Spec
from arrayconv._problem.split import phase_count, phases
from arrayconv._runtime.tracing import planning

_BLOCK_BYTES = 1 << 18  # of samples: they, the factors and the outputs stay in the L2 cache
_MIN_COLUMNS, _MIN_ROW = 1024, 8  # of a block: outputs, and of these for each sample that the next block copies too
_MAX_PHASES = 64
_SUMS_BYTES = 512 * 6  # of outputs that src/images.h sums at a time, for six filters, per phase of columns
_SECOND_BYTE, _STRIDED_BYTE = 50, 100  # picoseconds per byte to copy every second sample, or fewer
_WORDS = 2048  # of tables


def refusal(spec: Spec, traits: Traits) -> str | None:
    """Return why the loop does not support a problem, or None."""
    if traits.accumulator not in IMAGE_DTYPES:
        return f"it sums in integers, {' or '.join(TILED)}. Got {traits.accumulator}"
    return None if spec.axes else "it supports one convolved axis or more. Got 0"


def upsamples(spec: Spec) -> bool:
    """Whether the loop runs an upsampled problem as one, rather than phase by phase."""
    if not spec.outputs or not spec.terms or all(axis.upsample == 1 for axis in spec.axes):
        return False
    if prod(map(phase_count, spec.axes)) > _MAX_PHASES:
        return False
    parts = [part.axis for axis in spec.axes for part in phases(axis)]
    return all(shift_to_data(part) == part and not needs_gather(part) for part in parts)  # else it is gathered by phase


def row(traits: Traits) -> str:
    """Return the row of `METHOD_COSTS` for a dtype."""
    return "native_images-integer" if traits.exact else "native_images"


def cost(spec: Spec, traits: Traits, measured: MethodCost) -> int:
    """Return nanoseconds by measured costs, the discarded outputs at row ends and of the last vector included."""
    along = along_axes(spec)
    products = prod(sum(part.axis.outputs * part.axis.taps for part in phases(axis)) for axis in spec.axes)
    macs = spec.batch * spec.groups * spec.filters * spec.channels * products
    rows, columns = along[-2:]
    outputs = rows.max_outputs * columns.max_outputs
    lanes = LINE // traits.itemsize
    computed = -(-((rows.max_outputs - 1) * columns.positions + columns.max_outputs) // lanes) * lanes
    # Where a loaded sample is used for one sum only, sums wait for it, those of integers less.
    halves = 2 if spec.filters >= MIN_SHARED_FILTERS else 3 if traits.exact else 4
    work = macs * computed // max(1, outputs) * vector_bytes(traits) * measured.cache_line_mac * halves // (2 * LINE)
    copied = prod(spec.input_shape) * prod(axis.taps for axis in spec.axes[:-2])
    strided_byte = _SECOND_BYTE if columns.step == 2 else _STRIDED_BYTE
    copy_byte = strided_byte if columns.step > 1 else primitive_costs(traits.row).copy_byte
    work += copied * traits.itemsize * copy_byte + spec.outputs * measured.output
    return measured.call_ns + work // min(threads_of(spec, traits).most, _units(spec, along, traits)) // 1000


def _units(spec: Spec, along: list[AxisPhases], traits: Traits) -> int:
    """Return the number of blocks that threads divide among them, at least one."""
    places = prod(axis.axis.outputs for axis in along[:-2])
    blocks = _Blocks.of(spec, traits)
    return max(1, spec.batch * spec.groups * places * blocks.row_blocks * blocks.column_blocks)


def threads_of(spec: Spec, traits: Traits) -> Threads:
    """Return the threads that may share a problem of this size."""
    return parallel.threads("images", spec.macs * traits.itemsize, traits.threads, by_xla=traits.backend == "jax")


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of the kernel by phases, of the blocks of all threads, and of the tables."""
    blocks = _Blocks.of(spec, traits)
    along = along_axes(spec)
    sums = _SUMS_BYTES * len(along[-1].parts)
    numbers = 8 * (4 * spec.terms + 8 * sum(axis.read_before + axis.read_after for axis in along))
    kernel = prod(spec.kernel_shape) * traits.itemsize
    return 2 * kernel + traits.threads * (blocks.copy_size * traits.itemsize + sums) + numbers + 8 * _WORDS


class _Blocks(NamedTuple):
    """How outputs are cut along the rows, a single row along the columns, and the copy of a block's samples."""

    row_blocks: int
    rows: int  # of a phase, in a block
    column_blocks: int
    columns: int  # of a phase, in a block
    copy_rows: int
    copy_row: int  # samples from one row of a copy to the next
    copy_size: int  # samples

    @classmethod
    def of(cls, spec: Spec, traits: Traits) -> _Blocks:
        along = along_axes(spec)
        rows, columns = along[-2:]
        planes = spec.channels * prod(axis.taps for axis in along[:-2])
        places = prod((spec.batch, spec.groups, *(axis.axis.outputs for axis in along[:-2])))
        threads = threads_of(spec, traits).most
        min_units = 2 * threads if threads > 1 else 1  # two per thread, so that threads finish about together
        min_blocks = -(-min_units // max(1, places))
        column_size = max(1, planes * rows.step * columns.step)  # 0 without channels
        max_columns = max(1, columns.max_outputs)
        if rows.max_outputs == 1 and (columns.step > 1 or len(columns.parts) > 1):  # others are quick by `native_loops`
            fitting = _BLOCK_BYTES // (column_size * rows.positions * traits.itemsize) - columns.extra
            least = max(_MIN_COLUMNS, _MIN_ROW * columns.extra)
            max_columns = max(least, min(fitting, -(-columns.max_outputs // min_blocks)))
        column_blocks = max(1, -(-columns.max_outputs // max_columns))
        block_columns = max(1, -(-columns.max_outputs // column_blocks))
        copy_row = block_columns + columns.extra
        row_size = column_size * copy_row
        max_rows = max(_BLOCK_BYTES // (row_size * traits.itemsize) - rows.extra, rows.extra // 2 + 1)
        row_blocks = max(-(-rows.max_outputs // max_rows), min(min_blocks, rows.max_outputs))
        block_rows = -(-rows.max_outputs // row_blocks)
        copy_rows = block_rows + rows.extra
        return cls(
            -(-rows.max_outputs // block_rows),
            block_rows,
            -(-columns.max_outputs // block_columns),
            block_columns,
            copy_rows,
            copy_row,
            row_size * copy_rows,
        )


@planning()
def job(spec: Spec, x_steps: Steps, y_steps: Steps, start: int, origin: int, traits: Traits) -> Job:
    """Return the loop's table for a problem on arrays of one layout."""
    blocks, along = _Blocks.of(spec, traits), along_axes(spec)
    axes, border = _axes(along, x_steps[LEADING:], y_steps[LEADING:])
    leads = [LeadPhase(-part.axis.before, part.axis.taps) for axis in along[:-2] for part in axis.parts]
    phases, offsets = _phases(spec, along, blocks)
    head = geometry.head(
        spec,
        (x_steps, y_steps),
        (start, origin),
        lead_axes=len(along) - 2,
        border=border.size,
        copy_row=blocks.copy_row,
        copy_size=blocks.copy_size,
    )
    table = ImagesTable(
        len(leads),
        len(phases),
        row_blocks=blocks.row_blocks,
        block_rows=blocks.rows,
        column_blocks=blocks.column_blocks,
        block_columns=blocks.columns,
        copy_rows=blocks.copy_rows,
    )
    parts = head, table, axes, border, leads, phases, *offsets
    return Job(IMAGES, parts, _units(spec, along, traits), blocks.copy_size)


def _axes(along: list[AxisPhases], x_steps: Steps, y_steps: Steps) -> tuple[list[AxisEntry], Host]:
    """Return the axes, and the samples beyond the ends of all of them."""
    zeros = (0,) * (len(along) - len(x_steps))  # of an axis that `along_axes` added
    steps = (*zeros, *x_steps), (*zeros, *y_steps)
    margins = [(each.read_before, each.read_after) for each in along]
    entries, border = geometry.axes([each.axis for each in along], margins, steps)
    by_phase = [
        entry._replace(
            before=each.before,
            taps=each.taps,
            stride=each.step,
            dilation=each.parts[0].axis.dilation,
            period=each.parts[0].output_step,
        )
        for entry, each in zip(entries, along, strict=True)
    ]
    return by_phase, border


def _phases(spec: Spec, along: list[AxisPhases], blocks: _Blocks) -> tuple[list[PhaseEntry], list[Host]]:
    """Return the combinations of one phase of each axis, and the offsets of their terms in a copy."""
    entries: list[PhaseEntry] = []
    offsets: list[Host] = []
    rows, columns = along[-2:]
    plane_size = blocks.copy_rows * blocks.copy_row
    before = 0  # terms of the phases so far
    for parts in product(*(axis.parts for axis in along)):
        planes = np.arange(spec.channels * prod(lead.axis.taps for lead in parts[:-2]), dtype=np.int64)
        by_row = [columns.step * plane_size * part + blocks.copy_row * row for row, part in rows.places(parts[-2])]
        by_column = [plane_size * part + column for column, part in columns.places(parts[-1])]
        offsets.append(_outer_sum(_outer_sum(rows.step * columns.step * plane_size * planes, by_row), by_column))
        entries.append(PhaseEntry(offsets[-1].size, before, before * spec.groups * spec.filters))
        before += offsets[-1].size
    return entries, offsets


def _outer_sum(first: Host, second: list[int]) -> Host:
    """Return the sums of all pairs, ordered by the first number."""
    return (first[:, None] + np.array(second, np.int64)).reshape(-1)
