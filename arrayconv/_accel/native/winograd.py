"""Images and lines of many channels by Winograd's transforms: support, cost, blocks, kernel, the loop's table.

The loop itself is in `src/winograd.h`.
"""

from __future__ import annotations

from math import prod
from operator import attrgetter
from typing import NamedTuple

from arrayconv._accel.native import geometry
from arrayconv._accel.native.in_place import Steps
from arrayconv._accel.native.rows import vector_bytes
from arrayconv._accel.native.tables import WINOGRAD, WINOGRAD_KERNELS, Job, WinogradKernelsTable, WinogradTable
from arrayconv._accel.native.winograd_tiles import (
    IMAGE,
    SAMPLES_BYTES,
    TAPS,
    Tiling,
    copy_size,
    fresh_positions,
    line_of,
    plane_parts,
    threads_of,
    tiling_of,
)
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, MethodCost
from arrayconv._costs.parallel import Threads
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

_DOUBLE = 8  # bytes
_VECTORS = 8  # of tiles in a block, at most
_FILTERS = 6  # that the loop of rows sums at a time
_ADDITIONS = 4  # to transform a part of a tile of samples or of outputs takes as long as so many products
_ROW_PS = 6_000  # to start a row of samples of a block
_KERNEL_BYTE = 300  # picoseconds to transform a byte of the kernel


def tiles_of(spec: Spec) -> Tiling | None:
    """Return the tiles of outputs of a problem: of images for 3 x 3 taps, of lines for up to nine; None for others."""
    if len(spec.axes) > 1 and all(_is_adjacent(axis) and axis.taps == TAPS for axis in spec.axes[-2:]):
        return tiling_of(spec, IMAGE)
    tile = line_of(spec.axes[-1].taps) if spec.axes and _is_adjacent(spec.axes[-1]) else None
    return None if tile is None else tiling_of(spec, tile)


def _is_adjacent(axis: Axis) -> bool:
    return axis.stride == axis.dilation == 1


def cost(tiling: Tiling, traits: Traits, measured: MethodCost) -> int:
    """Return nanoseconds by measured costs."""
    spec, tile = tiling
    blocks = _Blocks.of(tiling, traits)
    tiles = spec.batch * spec.groups * prod(axis.outputs for axis in tiling.lead) * blocks.tiles
    planes = _planes(tiling)
    filters = -(-spec.filters // _FILTERS) * _FILTERS if spec.filters > _FILTERS else spec.filters
    fresh = _fresh_planes(tiling)
    macs = tiles * tile.parts * (planes * filters + _ADDITIONS * (fresh + filters))
    work = macs * vector_bytes(traits) * measured.cache_line_mac // LINE
    work += spec.outputs * traits.itemsize * measured.output // _DOUBLE
    work += blocks.units(tiling) * fresh * tile.samples(blocks.rows) * _ROW_PS
    kernel = prod(spec.kernel_shape) * traits.itemsize * _KERNEL_BYTE // kernel_threads(tiling, traits).most
    return measured.call_ns + (work // min(threads_of(spec, traits).most, blocks.units(tiling)) + kernel) // 1000


def kernel_threads(tiling: Tiling, traits: Traits) -> Threads:
    """Return the threads that may transform a kernel of this size."""
    work = 9 * tiling.tile.parts * prod(tiling.spec.kernel_shape) * traits.itemsize
    return parallel.threads("images", work, traits.threads)


def workspace(tiling: Tiling, traits: Traits) -> int:
    """Return the bytes of the transformed kernel, of the buffers of all threads, and of the table."""
    blocks, planes, tile = _Blocks.of(tiling, traits), _planes(tiling), tiling.tile
    kernel = prod(kernels_shape(tiling))
    buffers = (
        copy_size(tile, blocks.rows, blocks.columns)
        + (tile.parts * (planes + _FILTERS) + (tile.rows + 1) * tile.columns) * blocks.tile_row
    )
    buffers += (tile.parts + 5) * LINE
    ends = sum(sum(geometry.outside(axis)) for axis in _whole(tiling))
    return (2 * kernel + traits.threads * buffers) * traits.itemsize + traits.threads * 16 * planes + 8 * ends + 8192


def _planes(tiling: Tiling) -> int:
    """Return the planes of samples of a place: one per channel and tap of the axes before the last two."""
    return tiling.spec.channels * prod(axis.taps for axis in tiling.lead)


def _fresh_planes(tiling: Tiling) -> int:
    """Return the planes that a block transforms on average: others it shares with that of the output before."""
    if not tiling.lead or not tiling.spec.outputs:
        return _planes(tiling)
    deep = tiling.lead[-1]
    return _planes(tiling) // deep.taps * fresh_positions(deep.taps, deep.dilation, deep.outputs, deep.stride)


class _Blocks(NamedTuple):
    """How the tiles of outputs are cut into blocks."""

    row_blocks: int
    rows: int  # of tiles in a block
    column_blocks: int
    columns: int
    tile_row: int
    tiles: int  # computed of a plane of outputs, the discarded ones included

    @classmethod
    def of(cls, tiling: Tiling, traits: Traits) -> _Blocks:
        rows, columns = (-(-axis.outputs // outputs) for axis, outputs in tiling.last)
        lanes = LINE // traits.itemsize
        most = SAMPLES_BYTES // (tiling.tile.parts * max(1, _planes(tiling)) * traits.itemsize)
        most = max(lanes, min(_VECTORS * lanes, most // lanes * lanes))
        column_blocks = max(1, -(-columns // most))
        block_columns = max(1, -(-columns // column_blocks))
        choices = []
        for block_rows in range(1, max(1, min(rows, most // block_columns)) + 1):
            row_blocks, filled = -(-rows // block_rows), -(-block_rows * block_columns // lanes) * lanes
            tiles = row_blocks * column_blocks * filled
            choices.append(cls(row_blocks, block_rows, column_blocks, block_columns, filled + lanes, tiles))
        return min(choices, key=attrgetter("tiles", "rows"))

    def units(self, tiling: Tiling) -> int:
        """Return the number of blocks that threads divide among them, at least one."""
        places = prod((tiling.spec.batch, tiling.spec.groups, *tiling.spec.output_size[:-2]))
        return max(1, places * self.row_blocks * self.column_blocks)


def _whole(tiling: Tiling) -> list[Axis]:
    """Return the axes with the last two as they are computed: in whole tiles of outputs, with all of their taps."""
    computed = [
        axis._replace(outputs=-(-axis.outputs // outputs) * outputs, taps=taps)
        for (axis, outputs), taps in zip(tiling.last, tiling.tile.window, strict=True)
    ]
    return [*tiling.lead, *computed]


def kernels_job(tiling: Tiling) -> Job:
    """Return the table of the loop that transforms the kernels of a contiguous w."""
    kernels, taps = prod(kernels_shape(tiling)[1:]), prod(axis.taps for axis, _ in tiling.last)
    return Job(WINOGRAD_KERNELS, (WinogradKernelsTable(kernels, taps, tiling.tile.step),), kernels)


def kernels_shape(tiling: Tiling) -> tuple[int, ...]:
    """Return the shape of the transformed kernel, (parts of a tile, groups, filters, planes)."""
    return tiling.tile.parts, tiling.spec.groups, tiling.spec.filters, _planes(tiling)


@planning()
def job(tiling: Tiling, x_steps: Steps, y_steps: Steps, traits: Traits, checks: bool) -> Job:
    """Return the loop's table for a problem on arrays of one layout; it `checks` whether outputs are finite."""
    blocks = _Blocks.of(tiling, traits)
    head, entries, border = plane_parts(tiling, _whole(tiling), (x_steps, y_steps), (blocks.rows, blocks.columns))
    entries[-2:] = [entry._replace(period=n) for entry, (_, n) in zip(entries[-2:], tiling.last, strict=True)]
    table = WinogradTable(
        row_blocks=blocks.row_blocks,
        block_rows=blocks.rows,
        column_blocks=blocks.column_blocks,
        block_columns=blocks.columns,
        tile_row=blocks.tile_row,
        checks=checks,
        step=tiling.tile.step,
    )
    return Job(WINOGRAD, (head, table, entries, border), blocks.units(tiling), head.copy_size)
