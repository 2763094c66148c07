"""Up to 3 x 3 outputs over many positions by Winograd's transform: support, cost, blocks, the loop's table.

The loop itself is in `src/winograd_dots.h`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from arrayconv._accel.native import geometry
from arrayconv._accel.native.in_place import Host, Steps
from arrayconv._accel.native.rows import vector_bytes
from arrayconv._accel.native.tables import WINOGRAD_DOTS, Job, PlanesHead, WinogradDotsTable
from arrayconv._accel.native.tables import Axis as AxisEntry
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, MethodCost
from arrayconv._costs.parallel import Threads
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

TILE, PARTS = 2, 16  # outputs or taps along each axis of a tile; parts of a transformed one
SAMPLES_BYTES = 3 << 17  # of a block, transformed: they stay in the L2 cache beside as many factors
_OUTPUTS = 3
_TILES = 64  # of a block, at most
_VECTORS = 4  # of filters that the loop of rows sums at a time
# So many products take as long as to transform a part of a tile of samples, of factors, and to add a sum of a block.
_SAMPLES, _FACTORS, _SUMS = 2, 14, 12
_ROW_PS = 8_000  # to start a row of samples of a block


def supports(spec: Spec) -> bool:
    """Whether the outputs are up to 3 x 3 along the last two axes, and the taps adjacent and more."""
    return len(spec.axes) >= TILE and all(
        axis.outputs <= _OUTPUTS < axis.taps and axis.stride == axis.dilation == 1 for axis in spec.axes[-2:]
    )


def cost(spec: Spec, traits: Traits, measured: MethodCost) -> int:
    """Return nanoseconds by measured costs."""
    blocks, planes = _Blocks.of(spec, traits), _planes(spec)
    threads = min(threads_of(spec, traits).most, spec.groups * blocks.filter_blocks)
    rows, columns = (-(-axis.taps // TILE) for axis in spec.axes[-2:])
    fresh = _fresh_planes(spec)
    of_tiles = rows * columns * (blocks.lanes * (planes + _FACTORS) + _SAMPLES * fresh)
    num_blocks = -(-rows // blocks.rows) * -(-columns // blocks.columns)
    of_blocks = num_blocks * _SUMS * planes * blocks.lanes
    repeated = spec.groups * spec.channels * prod(axis.taps for axis in spec.axes[:-2]) * blocks.filter_blocks
    work = repeated * PARTS * (of_tiles + of_blocks) * vector_bytes(traits) * measured.cache_line_mac // LINE
    work += repeated * num_blocks * fresh * blocks.copied.rows * _ROW_PS
    return measured.call_ns + work // threads // 1000


def threads_of(spec: Spec, traits: Traits) -> Threads:
    """Return the threads that may share a problem of this size."""
    return parallel.threads("images", spec.macs * traits.itemsize // 2, traits.threads, by_xla=traits.backend == "jax")


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of a copy of the kernel, of the buffers of all threads, and of the table."""
    blocks, planes = _Blocks.of(spec, traits), _planes(spec)
    tiles = blocks.rows * blocks.columns
    buffers = blocks.copied.size + PARTS * (planes * blocks.tile_row + (tiles + planes) * blocks.lanes)
    buffers += (6 + 4 * blocks.columns) * blocks.lanes + (2 * PARTS + 8) * LINE
    ends = sum(sum(geometry.outside(axis)) for axis in _whole(spec))
    return (
        (prod(spec.kernel_shape) + traits.threads * buffers) * traits.itemsize
        + traits.threads * 8 * tiles
        + 8 * ends
        + 8192
    )


def _planes(spec: Spec) -> int:
    """Return the planes of samples of a channel: one per image and output of the axes before the last two."""
    return spec.batch * prod(axis.outputs for axis in spec.axes[:-2])


def _fresh_planes(spec: Spec) -> int:
    """Return the planes that are transformed for a tap on average: others are those of the tap before."""
    if len(spec.axes) == TILE or not spec.terms:
        return _planes(spec)
    deep = spec.axes[-TILE - 1]
    return _planes(spec) // deep.outputs * fresh_positions(deep.outputs, deep.stride, deep.taps, deep.dilation)


def fresh_positions(slots: int, step: int, times: int, advance: int) -> int:
    """Return how many of `slots` positions, `step` apart, are transformed each time, rounded up, as they advance."""
    return -(-(slots + (times - 1) * min(advance, slots)) // times) if step == 1 else slots


class Copied(NamedTuple):
    """A copy of the samples of a block of tiles, and the same with even and odd columns apart."""

    rows: int
    row: int  # samples of even or of odd columns, and a vector that is read beyond
    size: int  # samples of both


def copied(rows: int, columns: int) -> Copied:
    """Return the copy of the samples of so many tiles of 2 x 2."""
    copy_rows, copy_row = TILE * rows + _OUTPUTS - 1, columns + 1 + LINE // 4
    return Copied(copy_rows, copy_row, 2 * TILE * copy_rows * copy_row)


def plane_parts(
    spec: Spec, computed: Sequence[Axis], steps: tuple[Steps, Steps], copy: Copied
) -> tuple[PlanesHead, list[AxisEntry], Host]:
    """Return the head, the axes and the border of a table for x and y of these steps; `computed` are whole tiles."""
    margins = [geometry.outside(axis) for axis in computed]
    entries, border = geometry.axes(spec.axes, margins, (steps[0][LEADING:], steps[1][LEADING:]))
    sizes = {"border": border.size, "copy_row": copy.row, "copy_size": copy.size}
    return geometry.head(spec, steps, (0, 0), lead_axes=len(entries) - 2, **sizes), entries, border


class _Blocks(NamedTuple):
    """How filters and tiles of taps are cut into blocks; sums of a block are added to those of the blocks before."""

    filter_blocks: int
    lanes: int
    rows: int  # of tiles in a block
    columns: int
    tile_row: int

    @classmethod
    def of(cls, spec: Spec, traits: Traits) -> _Blocks:
        lanes = LINE // traits.itemsize
        vectors = max(1, -(-spec.filters // lanes))
        threads = -(-threads_of(spec, traits).most // max(1, spec.groups))  # of a group
        block_vectors = -(-vectors // max(-(-vectors // _VECTORS), min(vectors, threads)))
        rows, columns = (-(-axis.taps // TILE) for axis in spec.axes[-2:])
        # The same for any number of threads, and so the order of sums.
        most = max(1, min(_TILES, SAMPLES_BYTES // (PARTS * max(1, _planes(spec)) * traits.itemsize)))
        block_columns = max(1, -(-columns // -(-columns // most)))
        block_rows = max(1, min(rows, most // block_columns))
        tile_row = (-(-block_rows * block_columns // lanes) + 1) * lanes
        return cls(-(-vectors // block_vectors), block_vectors * lanes, block_rows, block_columns, tile_row)

    @property
    def copied(self) -> Copied:
        """The copy of the samples of a block."""
        return copied(self.rows, self.columns)


def _whole(spec: Spec) -> list[Axis]:
    """Return the axes with the last two as they are computed: in whole tiles of taps, for three outputs."""
    last = [
        axis._replace(taps=axis.taps + axis.taps % TILE, outputs=_OUTPUTS) if axis.outputs else axis
        for axis in spec.axes[-2:]
    ]
    return [*spec.axes[:-2], *last]


@planning()
def job(spec: Spec, traits: Traits, w_steps: Steps, x_steps: Steps, y_steps: Steps) -> Job:
    """Return the loop's table for a problem on arrays of one layout."""
    blocks = _Blocks.of(spec, traits)
    head, entries, border = plane_parts(spec, _whole(spec), (x_steps, y_steps), blocks.copied)
    table = WinogradDotsTable(
        filter_blocks=blocks.filter_blocks,
        lanes=blocks.lanes,
        block_rows=blocks.rows,
        block_columns=blocks.columns,
        tile_row=blocks.tile_row,
        w_group=w_steps[0],
        w_filter=w_steps[1],
        w_channel=w_steps[2],
        w_row=w_steps[-2],
        w_column=w_steps[-1],
    )
    parts = head, table, entries, border, w_steps[LEADING:-2]
    return Job(WINOGRAD_DOTS, parts, spec.groups * blocks.filter_blocks, head.copy_size)
