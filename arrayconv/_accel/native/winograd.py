"""Images of many channels under 3 x 3 taps by Winograd's transform: support, cost, blocks, kernel, the loop's table.

The loop itself is in `src/winograd.h`.
"""

from __future__ import annotations

from math import prod
from operator import attrgetter
from typing import NamedTuple

from arrayconv._accel.native import geometry, winograd_dots
from arrayconv._accel.native.in_place import Steps
from arrayconv._accel.native.rows import vector_bytes
from arrayconv._accel.native.tables import TILED, WINOGRAD, WINOGRAD_KERNELS, Job, WinogradKernelsTable, WinogradTable
from arrayconv._accel.native.winograd_dots import (
    PARTS,
    SAMPLES_BYTES,
    TILE,
    Copied,
    copied,
    fresh_positions,
    plane_parts,
    threads_of,
)
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, MethodCost
from arrayconv._costs.parallel import Threads
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

_TAPS = 3
_DOUBLE = 8  # bytes
_VECTORS = 8  # of tiles in a block, at most
_FILTERS = 6  # that the loop of rows sums at a time
_ADDITIONS = 4  # to transform a part of a tile of samples or of outputs takes as long as so many products
_ROW_PS = 6_000  # to start a row of samples of a block
_KERNEL_BYTE = 300  # picoseconds to transform a byte of the kernel


def refusal(spec: Spec, traits: Traits) -> str | None:
    """Return why the loop does not support a problem, or None."""
    if traits.accumulator not in TILED:
        return f"it sums in {' or '.join(TILED)}. Got {traits.accumulator}"
    if len(spec.axes) < 2:
        return f"it supports two convolved axes or more. Got {len(spec.axes)}"
    if supports(spec) or winograd_dots.supports(spec):
        return None
    (rows, columns), last = spec.kernel_size[-2:], spec.axes[-2:]
    got = (
        f"{rows} x {columns} taps, {last[0].outputs} x {last[1].outputs} outputs, strides {last[0].stride} and "
        f"{last[1].stride}, dilations {last[0].dilation} and {last[1].dilation}"
    )
    return f"it supports 3 x 3 taps, or outputs, of stride 1 and dilation 1 along the last two axes. Got {got}"


def supports(spec: Spec) -> bool:
    """Whether the taps are 3 x 3 along the last two axes."""
    return len(spec.axes) >= TILE and all(
        (axis.taps, axis.stride, axis.dilation) == (_TAPS, 1, 1) for axis in spec.axes[-2:]
    )


def cost(spec: Spec, traits: Traits, measured: MethodCost) -> int:
    """Return nanoseconds by measured costs."""
    blocks = _Blocks.of(spec, traits)
    tiles = spec.batch * spec.groups * prod(axis.outputs for axis in spec.axes[:-2]) * blocks.tiles
    planes = _planes(spec)
    filters = -(-spec.filters // _FILTERS) * _FILTERS if spec.filters > _FILTERS else spec.filters
    fresh = _fresh_planes(spec)
    macs = tiles * PARTS * (planes * filters + _ADDITIONS * (fresh + filters))
    work = macs * vector_bytes(traits) * measured.cache_line_mac // LINE
    work += spec.outputs * traits.itemsize * measured.output // _DOUBLE
    work += blocks.units(spec) * fresh * blocks.copied.rows * _ROW_PS
    kernel = prod(spec.kernel_shape) * traits.itemsize * _KERNEL_BYTE // kernel_threads(spec, traits).most
    return measured.call_ns + (work // min(threads_of(spec, traits).most, blocks.units(spec)) + kernel) // 1000


def kernel_threads(spec: Spec, traits: Traits) -> Threads:
    """Return the threads that may transform a kernel of this size."""
    return parallel.threads("images", 9 * PARTS * prod(spec.kernel_shape) * traits.itemsize, traits.threads)


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of the transformed kernel, of the buffers of all threads, and of the table."""
    blocks, planes = _Blocks.of(spec, traits), _planes(spec)
    kernel = PARTS * spec.groups * spec.filters * planes
    buffers = blocks.copied.size + (PARTS * (planes + _FILTERS) + 4) * blocks.tile_row
    buffers += (PARTS + 5) * LINE
    ends = sum(sum(geometry.outside(axis)) for axis in _whole(spec))
    return (2 * kernel + traits.threads * buffers) * traits.itemsize + traits.threads * 8 * planes + 8 * ends + 8192


def _planes(spec: Spec) -> int:
    """Return the planes of samples of a place: one per channel and tap of the axes before the last two."""
    return spec.channels * prod(axis.taps for axis in spec.axes[:-2])


def _fresh_planes(spec: Spec) -> int:
    """Return the planes that a block transforms on average: others it shares with that of the output before."""
    if len(spec.axes) == TILE or not spec.outputs:
        return _planes(spec)
    deep = spec.axes[-TILE - 1]
    return _planes(spec) // deep.taps * fresh_positions(deep.taps, deep.dilation, deep.outputs, deep.stride)


class _Blocks(NamedTuple):
    """How the tiles of outputs are cut into blocks."""

    row_blocks: int
    rows: int  # of tiles in a block
    column_blocks: int
    columns: int
    tile_row: int
    tiles: int  # computed of a plane of outputs, the discarded ones included

    @classmethod
    def of(cls, spec: Spec, traits: Traits) -> _Blocks:
        rows, columns = (-(-axis.outputs // TILE) for axis in spec.axes[-2:])
        lanes = LINE // traits.itemsize
        most = SAMPLES_BYTES // (PARTS * max(1, _planes(spec)) * traits.itemsize)
        most = max(lanes, min(_VECTORS * lanes, most // lanes * lanes))
        column_blocks = max(1, -(-columns // most))
        block_columns = max(1, -(-columns // column_blocks))
        choices = []
        for block_rows in range(1, max(1, min(rows, most // block_columns)) + 1):
            row_blocks, filled = -(-rows // block_rows), -(-block_rows * block_columns // lanes) * lanes
            tiles = row_blocks * column_blocks * filled
            choices.append(cls(row_blocks, block_rows, column_blocks, block_columns, filled + lanes, tiles))
        return min(choices, key=attrgetter("tiles", "rows"))

    @property
    def copied(self) -> Copied:
        """The copy of the samples of a block."""
        return copied(self.rows, self.columns)

    def units(self, spec: Spec) -> int:
        """Return the number of blocks that threads divide among them, at least one."""
        places = prod((spec.batch, spec.groups, *spec.output_size[:-2]))
        return max(1, places * self.row_blocks * self.column_blocks)


def _whole(spec: Spec) -> list[Axis]:
    """Return the axes with the last two as they are computed: in whole tiles of outputs."""
    return [*spec.axes[:-2], *(axis._replace(outputs=axis.outputs + axis.outputs % TILE) for axis in spec.axes[-2:])]


def kernels_job(spec: Spec) -> Job:
    """Return the table of the loop that transforms the kernels of a contiguous w."""
    kernels = spec.groups * spec.filters * _planes(spec)
    return Job(WINOGRAD_KERNELS, (WinogradKernelsTable(kernels),), kernels)


def kernels_shape(spec: Spec) -> tuple[int, ...]:
    """Return the shape of the transformed kernel, (parts of a tile, groups, filters, planes)."""
    return PARTS, spec.groups, spec.filters, _planes(spec)


@planning()
def job(spec: Spec, x_steps: Steps, y_steps: Steps, traits: Traits, checks: bool) -> Job:
    """Return the loop's table for a problem on arrays of one layout; it `checks` whether outputs are finite."""
    blocks = _Blocks.of(spec, traits)
    head, entries, border = plane_parts(spec, _whole(spec), (x_steps, y_steps), blocks.copied)
    entries[-2:] = [entry._replace(period=TILE) for entry in entries[-2:]]
    table = WinogradTable(blocks.row_blocks, blocks.rows, blocks.column_blocks, blocks.columns, blocks.tile_row, checks)
    return Job(WINOGRAD, (head, table, entries, border), blocks.units(spec), head.copy_size)
