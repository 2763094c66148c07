"""Quotients of data with gaps on NumPy arrays, samples and mask summed in one loop: the table of `src/gaps.h`.

Rows of samples and of the mask stay in cache while windows contain them: x is read once, and y is written once.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from arrayconv._accel.native import geometry, loader
from arrayconv._accel.native.in_place import Host, address, contiguous_steps, steps_of
from arrayconv._accel.native.tables import GAPS, TILED, GapsTable, Job, OuterAxis, double_bits
from arrayconv._costs.parallel import Threads
from arrayconv._problem.spec import Axis

_BLOCK_COLUMNS = 2048  # of all blocks but the last
_BLOCK_ROWS = 128  # at least; as many as make the rows that two blocks read few
_ROWS_PER_REACH = 8
_MAX_BYTES = 1 << 20  # of the rows of samples and of the mask


class Taps(NamedTuple):
    """A kernel as the loop reads it: correlated along rows and columns, in the dtype of x."""

    kernel: Host  # (rows, columns)
    down: Host  # (terms, rows): the factors of a sum of products, no terms where it is not read as such
    along: Host  # (terms, columns)

    @property
    def number(self) -> int:
        """Multiplications of an output's samples, those of the rows that neighbouring blocks repeat not counted."""
        return self.down.size + self.along.size if len(self.down) else self.kernel.size


class Gaps(NamedTuple):
    """The arrays of a call, but for the kernel."""

    x: Host
    where: Host | None  # in the shape of x
    y: Host  # contiguous
    weight: Host | None  # in the shape of y


class Rules(NamedTuple):
    """What a missing sample is, what is outside x, and the error of a weight."""

    omits: bool
    fill: float
    fill_is_there: bool
    error: float


def supports(x: Host, dtype: str) -> bool:
    """Whether the loop reads samples of x where they are, and sums in its dtype."""
    return dtype in TILED and x.dtype == dtype and steps_of(x) is not None


def fits(axes: tuple[Axis, Axis], terms: int, itemsize: int) -> bool:
    """Whether the rows of a window stay in cache; outputs along a row are adjacent windows."""
    rows, columns = axes
    width = min(_BLOCK_COLUMNS, columns.outputs) + columns.reach
    return columns.stride == 1 and 2 * (rows.reach + terms + 2) * width * itemsize <= _MAX_BYTES


def workspace(axes: tuple[Axis, Axis], taps: Taps, itemsize: int) -> int:
    """Return the bytes of the rows of a thread, roughly."""
    rows, columns = axes
    width = min(_BLOCK_COLUMNS, columns.outputs) + columns.reach
    return 2 * (rows.reach + len(taps.down) + 2) * width * itemsize


def run(arrays: Gaps, axes: tuple[Axis, Axis], taps: Taps, rules: Rules, threads: Threads) -> None:
    """Write the quotients, NaN without support, and the weights."""
    job = _job(arrays, axes, taps, rules)
    factors = np.concatenate([each.reshape(-1) for each in (taps.kernel, taps.down, taps.along, *_counted(taps))])
    factors = factors.astype(arrays.x.dtype, copy=False)
    at = loader.on_threads(job, arrays.x.dtype.name, rules.fill, threads)
    try:
        at(address(arrays.x), address(factors), address(arrays.y))
    except MemoryError:
        raise MemoryError(f"normalized_convolve: no memory for rows of samples of {arrays.x.dtype}.") from None


def _counted(taps: Taps) -> tuple[Host, Host]:
    """Return which rows and which columns of the kernel have a tap other than 0."""
    nonzero = taps.kernel != 0
    return np.any(nonzero, axis=1), np.any(nonzero, axis=0)


def is_product(kernel: Host) -> bool:
    """Whether a tap is other than 0 exactly if its row and its column have one."""
    nonzero = kernel != 0
    return bool(np.array_equal(nonzero, np.outer(np.any(nonzero, axis=1), np.any(nonzero, axis=0))))


def _job(arrays: Gaps, axes: tuple[Axis, Axis], taps: Taps, rules: Rules) -> Job:
    """Return the loop's table."""
    x_steps, y_steps = steps_of(arrays.x), contiguous_steps(arrays.y.shape)
    assert x_steps is not None
    steps = _last_two(x_steps), _last_two(y_steps)
    entries, border = geometry.axes(axes, [_margins(axis) for axis in axes], steps)
    where_steps = (0, 0) if arrays.where is None else (0, *arrays.where.strides)[-2:]
    outer = [
        OuterAxis(size, x_steps[axis], y_steps[axis], 0 if arrays.where is None else arrays.where.strides[axis])
        for axis, size in enumerate(arrays.x.shape[:-2])
    ]
    rows, columns = axes
    block_rows = max(_BLOCK_ROWS, _ROWS_PER_REACH * rows.reach)
    block_columns = min(_BLOCK_COLUMNS, columns.outputs)
    row_blocks, column_blocks = -(-rows.outputs // block_rows), -(-columns.outputs // block_columns)
    table = GapsTable(
        outer_axes=len(outer),
        row_blocks=row_blocks,
        block_rows=block_rows,
        column_blocks=column_blocks,
        block_columns=block_columns,
        terms=len(taps.down),
        is_product=is_product(taps.kernel),
        omits=rules.omits,
        where=0 if arrays.where is None else address(arrays.where),
        where_row=where_steps[0],
        where_column=where_steps[1],
        weight=0 if arrays.weight is None else address(arrays.weight),
        error=double_bits(rules.error),
        fill_mask=rules.fill_is_there,
    )
    units = row_blocks * column_blocks * prod(axis.size for axis in outer)
    return Job(GAPS, (table, entries, outer, border), units)


def _last_two(steps: tuple[int, ...]) -> tuple[int, int]:
    return (0, *steps)[-2], steps[-1]


def _margins(axis: Axis) -> tuple[int, int]:
    """Return how many positions before and after the samples are read."""
    first, stop = axis.span(0, axis.outputs)
    return max(-first, 0), max(stop - axis.size, 0)
