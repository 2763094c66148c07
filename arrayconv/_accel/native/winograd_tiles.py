"""The tiles of Winograd's transforms: which problems have which, and what the loops over outputs and over taps share.

The transforms are in `src/winograd_tiles.h`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from arrayconv._accel.native import geometry
from arrayconv._accel.native.in_place import Host, Steps
from arrayconv._accel.native.tables import Axis as AxisEntry
from arrayconv._accel.native.tables import PlanesHead
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE
from arrayconv._costs.parallel import Threads
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Axis, Spec

TAPS = 3  # blocks of taps of a tile along an axis, or of outputs
SAMPLES_BYTES = 3 << 17  # of a block, transformed: they stay in the L2 cache beside as many factors
_STEPS = 3
_DUMMY = Axis(1, 1, 1)  # of the rows of lines


class Tile(NamedTuple):
    """A tile of outputs, or of taps; `step` is that of a line, 0 of an image."""

    rows: int
    columns: int
    parts: int
    step: int

    @property
    def window(self) -> tuple[int, int]:
        """The taps along both axes, or the outputs, that share a tile's products."""
        return (1, TAPS * self.step) if self.step else (TAPS, TAPS)

    def samples(self, rows: int) -> int:
        """Return the rows of samples of so many rows of tiles."""
        return rows if self.step else self.rows * rows + TAPS - 1


IMAGE = Tile(2, 2, 16, 0)
LINES = {step: Tile(1, 2 * step, 2 * step * (step + 1), step) for step in range(1, _STEPS + 1)}


def line_of(length: int) -> Tile | None:
    """Return the tile of a line for so many taps, or outputs; None where it would not save products."""
    return LINES.get(-(-length // TAPS)) if length >= TAPS else None


class Tiling(NamedTuple):
    """A problem whose last two axes are the rows and the columns of its tiles; lines have a dummy axis for rows."""

    spec: Spec
    tile: Tile

    @property
    def lead(self) -> tuple[Axis, ...]:
        """The axes before."""
        return self.spec.axes[:-2]

    @property
    def last(self) -> tuple[tuple[Axis, int], tuple[Axis, int]]:
        """The rows and the columns, and how many outputs, or taps, a tile has along each."""
        rows, columns = self.spec.axes[-2:]
        return (rows, self.tile.rows), (columns, self.tile.columns)

    def steps(self, steps: Steps) -> Steps:
        """Return the steps of these axes from those of the problem's own."""
        return (*steps[:-1], 0, steps[-1]) if self.tile.step else steps


def tiling_of(spec: Spec, tile: Tile) -> Tiling:
    """Return a problem with the axes of its tiles."""
    return Tiling(spec._replace(axes=(*spec.axes[:-1], _DUMMY, spec.axes[-1])) if tile.step else spec, tile)


def copy_row(columns: int) -> int:
    """Return the samples of a row of a copy, for one column of so many tiles, and a vector that is read beyond."""
    return columns + 2 + LINE // 4


def copy_size(tile: Tile, rows: int, columns: int) -> int:
    """Return the samples of a copy of so many tiles, those of each column of a tile apart, and of two buffers."""
    return 3 * tile.columns * tile.samples(rows) * copy_row(columns)


def plane_parts(
    tiling: Tiling, computed: Sequence[Axis], arrays: tuple[Steps, Steps], block: tuple[int, int]
) -> tuple[PlanesHead, list[AxisEntry], Host]:
    """Return the head, the axes and the border of a table for x and y of these steps.

    `computed` are the axes in whole tiles, `block` the rows and columns of those in a block.
    """
    spec, steps = tiling.spec, (tiling.steps(arrays[0]), tiling.steps(arrays[1]))
    margins = [geometry.outside(axis) for axis in computed]
    entries, border = geometry.axes(spec.axes, margins, (steps[0][LEADING:], steps[1][LEADING:]))
    sizes = {"border": border.size, "copy_row": copy_row(block[1]), "copy_size": copy_size(tiling.tile, *block)}
    return geometry.head(spec, steps, (0, 0), lead_axes=len(entries) - 2, **sizes), entries, border


def threads_of(spec: Spec, traits: Traits) -> Threads:
    """Return the threads that may share a problem of this size."""
    return parallel.threads("images", spec.macs * traits.itemsize // 2, traits.threads, by_xla=traits.backend == "jax")


def fresh_positions(slots: int, step: int, times: int, advance: int) -> int:
    """Return how many of `slots` positions, `step` apart, are transformed each time, rounded up, as they advance."""
    return -(-(slots + (times - 1) * min(advance, slots)) // times) if step == 1 else slots
