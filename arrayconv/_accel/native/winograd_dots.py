"""Few outputs over many positions by Winograd's transforms: support, cost, blocks, the loop's table.

The loop itself is in `src/winograd_dots.h`.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from arrayconv._accel.native import geometry
from arrayconv._accel.native.in_place import Steps
from arrayconv._accel.native.rows import vector_bytes
from arrayconv._accel.native.tables import WINOGRAD_DOTS, Job, WinogradDotsTable
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
from arrayconv._costs.cost_table import LINE, MethodCost
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

_TILES = 64  # of a block, at most
_VECTORS = 4  # of filters that the loop of rows sums at a time
# So many products take as long as to transform a part of a tile of samples, of factors, and to add a sum of a block.
_SAMPLES, _FACTORS, _SUMS = 2, 14, 12
_ROW_PS = 8_000  # to start a row of samples of a block


def tiles_of(spec: Spec) -> Tiling | None:
    """Return the tiles of taps of a problem: of images for up to 3 x 3 outputs, of lines for up to 9, of more taps."""
    if len(spec.axes) > 1 and all(_is_long(axis) and axis.outputs <= TAPS < axis.taps for axis in spec.axes[-2:]):
        return tiling_of(spec, IMAGE)
    tile = line_of(max(spec.axes[-1].outputs, TAPS)) if spec.axes and _is_long(spec.axes[-1]) else None
    return None if tile is None else tiling_of(spec, tile)


def _is_long(axis: Axis) -> bool:
    return axis.stride == axis.dilation == 1 and axis.outputs < axis.taps


def cost(tiling: Tiling, traits: Traits, measured: MethodCost) -> int:
    """Return nanoseconds by measured costs."""
    spec, tile = tiling
    blocks, planes, fresh = _Blocks.of(tiling, traits), _planes(tiling), _fresh_planes(tiling)
    threads = min(threads_of(spec, traits).most, spec.groups * blocks.filter_blocks)
    rows, columns = (-(-axis.taps // taps) for axis, taps in tiling.last)
    of_tiles = rows * columns * (blocks.lanes * (planes + _FACTORS) + _SAMPLES * fresh)
    num_blocks = -(-rows // blocks.rows) * -(-columns // blocks.columns)
    of_blocks = num_blocks * _SUMS * planes * blocks.lanes
    repeated = spec.groups * spec.channels * prod(axis.taps for axis in tiling.lead) * blocks.filter_blocks
    work = repeated * tile.parts * (of_tiles + of_blocks) * vector_bytes(traits) * measured.cache_line_mac // LINE
    work += repeated * num_blocks * fresh * tile.samples(blocks.rows) * _ROW_PS
    return measured.call_ns + work // threads // 1000


def workspace(tiling: Tiling, traits: Traits) -> int:
    """Return the bytes of a copy of the kernel, of the buffers of all threads, and of the table."""
    spec, tile = tiling
    blocks, planes = _Blocks.of(tiling, traits), _planes(tiling)
    tiles = blocks.rows * blocks.columns
    buffers = copy_size(tile, blocks.rows, blocks.columns) + tile.parts * (
        planes * blocks.tile_row + (tiles + planes) * blocks.lanes
    )
    buffers += (6 + tile.rows * tile.columns * blocks.columns) * blocks.lanes + (2 * tile.parts + 8) * LINE
    ends = sum(sum(geometry.outside(axis)) for axis in _whole(tiling))
    return (
        (prod(spec.kernel_shape) + traits.threads * buffers) * traits.itemsize
        + traits.threads * 8 * (tiles + 2 * planes)
        + 8 * ends
        + 8192
    )


def _planes(tiling: Tiling) -> int:
    """Return the planes of samples of a channel: one per image and output of the axes before the last two."""
    return tiling.spec.batch * prod(axis.outputs for axis in tiling.lead)


def _fresh_planes(tiling: Tiling) -> int:
    """Return the planes that are transformed for a tap on average: others are those of the tap before."""
    if not tiling.lead or not tiling.spec.terms:
        return _planes(tiling)
    deep = tiling.lead[-1]
    return _planes(tiling) // deep.outputs * fresh_positions(deep.outputs, deep.stride, deep.taps, deep.dilation)


class _Blocks(NamedTuple):
    """How filters and tiles of taps are cut into blocks; sums of a block are added to those of the blocks before."""

    filter_blocks: int
    lanes: int
    rows: int  # of tiles in a block
    columns: int
    tile_row: int

    @classmethod
    def of(cls, tiling: Tiling, traits: Traits) -> _Blocks:
        lanes = LINE // traits.itemsize
        vectors = max(1, -(-tiling.spec.filters // lanes))
        threads = -(-threads_of(tiling.spec, traits).most // max(1, tiling.spec.groups))  # of a group
        block_vectors = -(-vectors // max(-(-vectors // _VECTORS), min(vectors, threads)))
        rows, columns = (-(-axis.taps // taps) for axis, taps in tiling.last)
        # The same for any number of threads, and so the order of sums.
        most = SAMPLES_BYTES // (tiling.tile.parts * max(1, _planes(tiling)) * traits.itemsize)
        most = max(1, min(_TILES, most))
        block_columns = max(1, -(-columns // -(-columns // most)))
        block_rows = max(1, min(rows, most // block_columns))
        tile_row = (-(-block_rows * block_columns // lanes) + 1) * lanes
        return cls(-(-vectors // block_vectors), block_vectors * lanes, block_rows, block_columns, tile_row)


def _whole(tiling: Tiling) -> list[Axis]:
    """Return the axes with the last two as they are computed: in whole tiles of taps, for all of their outputs."""
    computed = [
        axis._replace(taps=-(-axis.taps // taps) * taps, outputs=outputs) if axis.outputs else axis
        for (axis, taps), outputs in zip(tiling.last, tiling.tile.window, strict=True)
    ]
    return [*tiling.lead, *computed]


@planning()
def job(tiling: Tiling, traits: Traits, w_steps: Steps, x_steps: Steps, y_steps: Steps) -> Job:
    """Return the loop's table for a problem on arrays of one layout."""
    blocks = _Blocks.of(tiling, traits)
    head, entries, border = plane_parts(tiling, _whole(tiling), (x_steps, y_steps), (blocks.rows, blocks.columns))
    steps = tiling.steps(w_steps)
    table = WinogradDotsTable(
        filter_blocks=blocks.filter_blocks,
        lanes=blocks.lanes,
        block_rows=blocks.rows,
        block_columns=blocks.columns,
        tile_row=blocks.tile_row,
        w_group=steps[0],
        w_filter=steps[1],
        w_channel=steps[2],
        w_row=steps[-2],
        w_column=steps[-1],
        step=tiling.tile.step,
    )
    parts = head, table, entries, border, steps[LEADING:-2]
    return Job(WINOGRAD_DOTS, parts, tiling.spec.groups * blocks.filter_blocks, head.copy_size)
