"""Dot products of few outputs over many positions: their costs, and the table of the loop in `src/dots.h`."""

from __future__ import annotations

from math import prod

import numpy as np

from arrayconv._accel.native.in_place import Host, Steps, contiguous_steps, steps_of
from arrayconv._accel.native.tables import DOTS, TILED, DotsTable, Job, OuterAxis
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, MethodCost, primitive_costs
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Spec
from arrayconv._runtime.tracing import planning

_FILTERS = 4  # DOT_FILTERS of src/loops.c
_CHUNK_BYTES = 1 << 14  # of the factors of a unit: they stay in the L1 cache beside the samples
_MAX_OUTPUTS = 1 << 10  # of an image: above that the sums of a column exceed what other methods need


def refusal(spec: Spec, traits: Traits) -> str | None:
    """Return why the loop does not support a problem, or None."""
    if traits.accumulator not in TILED:
        return f"it sums in {' or '.join(TILED)}. Got {traits.accumulator}"
    if not spec.axes:
        return "it supports one convolved axis or more. Got 0"
    if prod(spec.output_size) > _MAX_OUTPUTS:
        return f"it supports {_MAX_OUTPUTS} outputs of an image at most. Got {prod(spec.output_size)}"
    return None


def cost(spec: Spec, traits: Traits, measured: MethodCost) -> int:
    """Return nanoseconds by measured costs: of runs in whole vectors, and of the columns' sums."""
    run = spec.axes[-1].taps * traits.itemsize
    lines = spec.macs // max(1, spec.axes[-1].taps) * -(-run // LINE)
    slow = 2 if spec.filters == 1 else 1  # a loaded sample is used for one sum only
    copied = prod(spec.input_shape) * traits.itemsize * primitive_costs(traits.row).copy_byte
    work = lines * measured.cache_line_mac * slow + spec.outputs * measured.output
    units = max(1, min(num_threads(spec, traits), spec.groups * -(-spec.filters // _FILTERS)))
    return measured.call_ns + (work // units + copied) // 1000


def num_threads(spec: Spec, traits: Traits) -> int:
    """Return the number of threads for a problem of this size."""
    return parallel.num_threads("rows", spec.macs * traits.itemsize, traits.threads)


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of the kernel, of x by phases of its last axis, and of the sums."""
    kernel, x = prod(spec.kernel_shape), prod(spec.input_shape) + prod(spec.input_shape[:-1]) * spec.axes[-1].dilation
    columns = spec.batch * prod(spec.output_size)
    return (kernel + x + spec.outputs) * traits.itemsize + columns * (16 + 64 * _FILTERS * traits.threads) + 8192


def _joins(spec: Spec) -> bool:
    """Whether runs may join taps of several axes: then the order of sums would depend on the order of memory."""
    return spec.axes[-1].size == spec.axes[-1].taps


def reads_in_place(spec: Spec, steps: Steps | None) -> bool:
    """Whether the samples of a run are adjacent."""
    if steps is None or (_joins(spec) and steps[2:] != contiguous_steps(spec.input_shape)[2:]):
        return False
    return spec.axes[-1].taps == 1 or spec.axes[-1].dilation * steps[-1] == 1


def factors(spec: Spec, kernel: Host) -> Host:
    """Return the kernel with the factors of a run adjacent: itself where they are, and are aligned."""
    steps = steps_of(kernel)
    is_adjacent = steps is not None and (steps[-1] == 1 or kernel.shape[-1] == 1)
    if is_adjacent and (kernel.flags.c_contiguous or not _joins(spec)):
        return kernel
    return np.array(kernel, kernel.dtype.newbyteorder("="), order="C")


def deinterleaved(x: Host, dilation: int) -> Host:
    """Return x with the samples of each phase of its last axis adjacent: (..., phases, samples)."""
    size = x.shape[-1]
    if dilation == 1:
        return np.ascontiguousarray(x)
    copy = np.empty((*x.shape[:-1], dilation, -(-size // dilation)), x.dtype)
    for phase in range(dilation):
        part = x[..., phase::dilation]
        copy[..., phase, : part.shape[-1]] = part  # the rest is not read
    return copy


@planning()
def job(spec: Spec, steps: Steps | None, w_steps: Steps, out: Steps, itemsize: int) -> Job:
    """Return the loop's table for x of these steps, or for its copy by `deinterleaved` where they are None."""
    last, phase_step, x_steps = spec.axes[-1], 0, steps
    if x_steps is None:
        length = -(-last.size // last.dilation)
        phase_step = length if last.dilation > 1 else 0
        split = (*spec.input_shape[:-1], last.dilation, length)
        x_steps = (*[prod(split[axis + 1 :]) for axis in range(len(split) - 2)], 1)
    outer = [OuterAxis(spec.channels, x_steps[2], 0, w_steps[2])]
    for axis, x_step, w_step in zip(spec.axes[:-1], x_steps[LEADING:], w_steps[LEADING:], strict=False):
        outer.append(OuterAxis(axis.taps, axis.dilation * x_step, 0, w_step))
    run, positions = last.taps, prod(spec.kernel_size)
    while len(outer) > 1 and (outer[-1].size == 1 or (outer[-1].x_step == run and outer[-1].w_step == run)):
        run *= outer.pop().size
    x_columns, y_columns = np.arange(spec.batch) * x_steps[0], np.arange(spec.batch) * out[0]
    for axis, x_step, y_step in zip(spec.axes[:-1], x_steps[LEADING:-1], out[LEADING:-1], strict=True):
        places = np.arange(axis.outputs)
        x_columns, y_columns = _sums(x_columns, places * (axis.stride * x_step)), _sums(y_columns, places * y_step)
    starts = np.arange(last.outputs) * last.stride
    phases = last.dilation if phase_step else 1
    starts = starts % phases * phase_step + starts // phases * x_steps[-1]
    x_columns, y_columns = _sums(x_columns, starts), _sums(y_columns, np.arange(last.outputs) * out[-1])
    table = DotsTable(
        filters=spec.filters,
        columns=x_columns.size,
        outer_axes=len(outer),
        run=run,
        chunk=max(1, _CHUNK_BYTES // (_FILTERS * positions * itemsize)),
        x_group=x_steps[1],
        w_group=w_steps[0],
        w_filter=w_steps[1],
        y_group=out[1],
        y_filter=out[2],
        x_start=0,
        y_start=0,
    )
    units = spec.groups * -(-spec.filters // _FILTERS)
    return Job(DOTS, (table, outer, x_columns, y_columns), units, x_columns.size * _FILTERS)


def _sums(first: Host, second: Host) -> Host:
    """Return the sums of all pairs, ordered by the first number."""
    return (first[:, None] + second).reshape(-1)
