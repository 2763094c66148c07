"""Rows of outputs for arrays of any library: the cost of a problem, the axis of its rows, and the offsets of its terms.

The loop itself is in `src/rows.h`; `native_loops` runs it on NumPy arrays, `xla_loops` on JAX arrays.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from arrayconv._accel.native.in_place import Host, Steps
from arrayconv._accel.native.tables import ROWS, Job, OuterAxis, RowsTable
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, MethodCost, primitive_costs
from arrayconv._costs.parallel import Threads
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Spec
from arrayconv._runtime.tracing import planning

MIN_SHARED_FILTERS = 4  # from which src/rows.h loads a sample once for several
_MIN_BYTES = 32  # shorter rows leave so much of a vector unused
_SHARED_FILTERS = 6  # of a pass over a row
_PASS_PS = 15_000  # picoseconds to begin a pass
_GATHER_MACS = 1 << 14  # multiply-adds of a problem above which copying strided samples pays off
_STRIDED_SLOWER = 4  # thirds of the time of short rows
_STRIDED_GAIN, _SIGNAL_GAIN = 0.45, 0.8  # of a thread after the first; new memory for a long y takes time too
_NEAR_BYTES = 1 << 15  # of samples that stay in the L1 cache
_ROW_BYTES = 8192  # of outputs in a block: they and the samples of their windows stay in the L1 cache


def cost(spec: Spec, traits: Traits, measured: MethodCost, *, shared: bool = False) -> int:
    """Return nanoseconds by measured costs.

    Samples of many channels are loaded from a farther cache, once for each filter unless several filters share a load.
    """
    last = spec.axes[-1] if spec.axes else None
    row = last.outputs if last is not None else spec.batch
    # Where they are not vectorised, all dtypes take the same, but bytes twice as long.
    width = 1 + (traits.itemsize == 1) if _is_strided(spec) else vector_bytes(traits)
    is_far = prod(spec.input_shape) * traits.itemsize > _NEAR_BYTES
    width *= 1 + (spec.channels > 1 and is_far and not shared)
    macs = spec.macs // max(row, 1) * max(row, _MIN_BYTES) if traits.itemsize == 1 else spec.macs
    sums = macs * width * measured.cache_line_mac // LINE + spec.macs // max(row, 1) * measured.output
    sums += spec.outputs // max(row, 1) // (_SHARED_FILTERS if shared else 1) * _PASS_PS
    written = spec.outputs + prod(spec.input_shape) * (spec.channels > 1)  # x may have to be made contiguous
    memory = written * traits.itemsize * primitive_costs(traits.row).copy_byte
    parts = max(spec.outputs // max(row, 1), 1) * _blocks(row, traits.itemsize)  # that threads can divide among them
    threads = min(threads_of(spec, traits).most, parts)
    if _is_strided(spec):
        sums = sums * _STRIDED_SLOWER // 3
    gain = _STRIDED_GAIN if _is_strided(spec) else _SIGNAL_GAIN if len(spec.axes) == spec.channels == 1 else 1
    work = int(sums / parallel.speedup(threads, gain))
    return measured.call_ns + (work + memory) // 1000


def vector_bytes(traits: Traits) -> int:
    """Return the bytes that a sum takes in a vector: bytes are summed as numbers of two."""
    return max(traits.itemsize, 2)


def kind(spec: Spec, traits: Traits) -> str:
    """Return the row of `METHOD_COSTS` for a problem, without the name of the method."""
    is_complex = traits.accumulator.startswith("complex")
    if _is_strided(spec):
        return "strided-complex" if is_complex else "strided"
    return "integer" if traits.exact else "complex" if is_complex else "float"


def _is_strided(spec: Spec) -> bool:
    return bool(spec.axes) and spec.axes[-1].stride > 1


def threads_of(spec: Spec, traits: Traits) -> Threads:
    """Return the threads that may share a problem of this size."""
    return parallel.threads("rows", spec.macs * traits.itemsize, traits.threads, by_xla=traits.backend == "jax")


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of the kernel and of the terms' offsets."""
    kernel = spec.groups * spec.filters * spec.terms * traits.itemsize
    return kernel + 8 * spec.terms * (3 + traits.threads) + 4096


def gathered(spec: Spec, traits: Traits) -> int:
    """Return the bytes of x and y where they may be copied: see `gathers`."""
    return (prod(spec.input_shape) + spec.outputs) * traits.itemsize if _may_gather(spec) else 0


def _may_gather(spec: Spec) -> bool:
    stride = spec.axes[-1].stride if spec.axes else 0
    return spec.channels * spec.filters > 1 and stride == 1 and spec.macs > _GATHER_MACS


class Rows(NamedTuple):
    """The outputs as rows along one axis, and the axes outside them."""

    order: list[int]  # of y's axes in memory
    outputs: int  # of a row
    x_step: int
    y_step: int
    number: int  # of rows
    outer: Host  # (axes, 4): see OuterAxis


@planning()
def rows(spec: Spec, steps: Steps, out: Steps | None) -> Rows:
    """Choose the axis of the rows, batch or space: one of contiguous samples, or else the longest."""
    shape = spec.output_shape
    terms = spec.terms
    x_steps = [steps[0], steps[1], 0, *(s * axis.stride for s, axis in zip(steps[LEADING:], spec.axes, strict=True))]
    w_steps = [0, spec.filters * terms, terms] + [0] * len(spec.axes)
    usable = [axis for axis in range(len(shape)) if axis not in (1, 2)]
    row = max(usable, key=lambda axis: (min(shape[axis], 16) * (1 + 15 * (abs(x_steps[axis]) == 1)), shape[axis], axis))
    order = list(range(len(shape)))
    if out is None and x_steps[row] == 1 and row != order[-1]:  # y in x's order of axes, so that both are contiguous
        order.sort(key=lambda axis: (axis == row, -abs(x_steps[axis]) if axis != 2 else -(1 << 62)))
    y_steps = [0] * len(shape) if out is None else list(out)
    if out is None:
        step = 1
        for axis in reversed(order):
            y_steps[axis] = step
            step *= shape[axis]
    outside = sorted((axis for axis in order if axis != row), key=(2).__eq__)  # filters last: they use the same samples
    outer = [OuterAxis(shape[axis], x_steps[axis], y_steps[axis], w_steps[axis]) for axis in outside]
    table = np.array(outer, np.int64).reshape(-1, len(OuterAxis._fields))
    return Rows(order, shape[row], x_steps[row], y_steps[row], spec.outputs // shape[row], table)


def gathers(spec: Spec, layout: Rows) -> bool:
    """Whether copying x and y pays off: every sample is used with many factors, and rows are not contiguous."""
    return _may_gather(spec) and layout.outputs > 1 and (layout.x_step != 1 or layout.y_step != 1)


@planning()
def job(spec: Spec, steps: Steps, out: Steps | None, start: int, origin: int, itemsize: int) -> Job:
    """Return the loop's table for a problem's `rows`; x and y start at the elements `start` and `origin`."""
    layout = rows(spec, steps, out)
    blocks = _blocks(layout.outputs, itemsize)
    offsets = _offsets(spec, steps)
    table = RowsTable(
        terms=offsets.size,
        outer_axes=len(layout.outer),
        outputs=layout.outputs,
        blocks=blocks,
        block_outputs=-(-layout.outputs // blocks),
        x_step=layout.x_step,
        y_step=layout.y_step,
        x_start=start,
        y_start=origin,
    )
    return Job(ROWS, (table, offsets, layout.outer), layout.number * blocks)


def _blocks(outputs: int, itemsize: int) -> int:
    """Return how many blocks a row is cut into."""
    return max(1, -(-outputs // max(1, _ROW_BYTES // itemsize)))


def _offsets(spec: Spec, steps: Steps) -> Host:
    """Return the offset of every term's sample from the first term's, ordered by channels, then taps."""
    offsets = np.arange(spec.channels, dtype=np.int64) * steps[2]
    for step, axis in zip(steps[LEADING:], spec.axes, strict=True):
        offsets = (offsets[:, None] + np.arange(axis.taps, dtype=np.int64) * (axis.dilation * step)).reshape(-1)
    return offsets
