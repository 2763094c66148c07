"""The launches of a filter: which passes each one computes, in which tiles, and of which arrays.

Two passes along two axes are one launch where their windows fit a tile in shared memory, of all chains together. Any
other pass is a launch of its own, and writes an array of the dtype of y for the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

from arrayconv._accel.cuda import filter_job
from arrayconv._accel.cuda.filter_job import Kind, Stage, Taps
from arrayconv._accel.cuda.job import MAX_AXES, Steps
from arrayconv._accel.cuda.kernels import MAX_BLOCKS
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._arrays import dtypes
from arrayconv._problem.chain import Chains, Window
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import planning

_SHARED, _SHARED_UNIT = 48 << 10, 8 << 10  # bytes of a block: at most, and in steps, since each size is compiled
_COLUMNS, _ROWS, _LANES = 128, (32, 16, 8), 4  # of a tile, and outputs of a thread at a time
_THREADS, _MAX_ROW_BLOCKS = 256, 1 << 16  # of windows; more work is done by the same threads
_MAX_INT = (1 << 31) - 1  # of positions along an axis


class Launch(NamedTuple):
    """One launch on arrays of one layout, without addresses."""

    stage: Stage
    kernel: Kernel
    grid: Grid
    job: Any


@planning()
def splits(chains: Chains) -> tuple[int, ...]:
    """Return how many passes of a chain each of its launches computes."""
    windows = chains.chains[0]
    if len(windows) > 1 and _is_planar(windows[-2], windows[-1], dtypes.itemsize(chains.y)):
        return (*[1] * (len(windows) - 2), 2)
    return (1,) * len(windows)


@planning()
def fits(chains: Chains) -> bool:
    """Whether the struct has the axes, and an int every position along them."""
    num_axes = sum(n > 1 or axis in chains.filtered for axis, n in enumerate(chains.shape))
    return num_axes <= MAX_AXES and not any(_is_too_long(along) for _, along in chains.filtered.values())


def _is_too_long(axis: Axis) -> bool:
    lo, hi = axis.span(0, axis.outputs)
    return max(-lo, hi, 2 * axis.size, axis.outputs) + _COLUMNS > _MAX_INT


def _is_planar(first: Window, second: Window, itemsize: int) -> bool:
    """Whether two passes run in one launch, whichever axis is that of the rows."""
    if any(len(window.axes) > 1 or window.sparse or window.windows[0].dilation != 1 for window in (first, second)):
        return False
    if max(window.windows[0].outputs for window in (first, second)) > MAX_BLOCKS * _ROWS[-1]:
        return False
    taps = second.windows[0].taps
    return first.axes != second.axes and all(_tile(taps, itemsize, is_down_first=flag) for flag in (True, False))


def _tile(taps: int, itemsize: int, *, is_down_first: bool) -> tuple[int, int] | None:
    """Return the rows of a tile and the numbers of its memory, where windows of the second pass fit; else None."""
    for rows in _ROWS:
        last = _COLUMNS - 1 + (taps - 1 if is_down_first else 0)
        height = rows if is_down_first else rows + taps - 1
        size = height * (last + (last >> 5) + 1) * itemsize
        if size <= _SHARED:
            return rows, -(-size // _SHARED_UNIT) * _SHARED_UNIT // itemsize
    return None


def stages(chains: Chains, taps: Sequence[Sequence[Taps]]) -> Iterator[Stage]:
    """Yield the launches of a filter in order; `taps` are those of every pass of every chain."""
    counts = splits(chains)
    if counts == (2,) and 2 * len(chains.chains) <= filter_job.MAX_PASSES:
        rows = tuple(map(tuple, taps))
        yield Stage(chains.chains, rows, chains.shape, chains.output_shape)
        return
    for number, (windows, places) in enumerate(zip(chains.chains, taps, strict=True)):
        shape, start = chains.shape, 0
        for count in counts:
            stop = start + count
            own, outputs = windows[start:stop], list(shape)
            for window in own:
                for axis, along in zip(window.axes, window.windows, strict=True):
                    outputs[axis] = along.outputs
            ends = start == 0, stop == len(windows)
            yield Stage((own,), (tuple(places[start:stop]),), shape, tuple(outputs), number, *ends)
            shape, start = tuple(outputs), stop


def launch_of(chains: Chains, stage: Stage, x: Steps, y: Steps, fill: complex, kind: Kind) -> Launch:
    """Return a stage on arrays whose neighbours are so many elements from each other."""
    filtered = {axis: number for number, window in enumerate(stage.windows[0]) for axis in window.axes}
    axes = [axis for axis, n in enumerate(stage.shape) if n > 1 or axis in filtered]
    axes.sort(key=lambda axis: -max(abs(x[axis]), abs(y[axis])))
    is_planar = len(stage.windows[0]) == 2
    if is_planar:
        axes.sort(key=filtered.__contains__)  # stable: rows and columns are the last two
    job = filter_job.pack(chains, stage, axes, x, y, fill)
    outputs = [stage.output_shape[axis] for axis in axes]
    if not is_planar:
        kernel = Kernel("filter_windows", filter_job.options(chains, stage, kind, NAXES=len(axes)))
        threads = prod(outputs[:-1]) * -(-outputs[-1] // _LANES)
        blocks = min(-(-threads // _THREADS), _MAX_ROW_BLOCKS)
        return Launch(stage, kernel, Grid((blocks, 1, 1), (_THREADS, 1, 1)), job)
    is_down_first = filtered[axes[-2]] == 0
    taps = stage.windows[0][1].windows[0].taps
    tile = _tile(taps, dtypes.itemsize(chains.y), is_down_first=is_down_first)
    assert tile is not None
    rows, numbers = tile
    macros = {"NAXES": len(axes), "IS_DOWN_FIRST": int(is_down_first), "TILE_Y": rows, "NUMBERS": numbers}
    kernel = Kernel("filter_planes", filter_job.options(chains, stage, kind, **macros))
    blocks = -(-outputs[-1] // _COLUMNS), -(-outputs[-2] // rows), min(prod(outputs[:-2]), MAX_BLOCKS)
    return Launch(stage, kernel, Grid(blocks, (32, rows // _LANES, 1)), job)
