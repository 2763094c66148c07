"""Dot products of few outputs over many positions: their costs, and the table of the loop in `src/dots.h`."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from arrayconv._accel.native.in_place import Host, Steps, contiguous_steps, steps_of
from arrayconv._accel.native.tables import DOTS, TILED, DotsTable, Job, OuterAxis
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, MethodCost, primitive_costs
from arrayconv._costs.parallel import Threads
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Spec
from arrayconv._runtime.threads import parallel_for
from arrayconv._runtime.tracing import planning

_PHASED_BYTE = 350  # picoseconds to copy a byte to its phase, on one thread
_CACHED_BYTES, _STREAMED_BYTE = 8 << 20, 60  # of samples; picoseconds of any other, which every unit reads
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
    copy_byte = (
        _PHASED_BYTE // threads_of(spec, traits).most if is_strided(spec) else primitive_costs(traits.row).copy_byte
    )
    copied = prod(spec.input_shape) * traits.itemsize * copy_byte
    work = lines * measured.cache_line_mac * slow + spec.outputs * measured.output
    blocks = -(-spec.filters // _FILTERS)
    units = max(1, min(threads_of(spec, traits).most, spec.groups * blocks))
    streamed = max(prod(spec.input_shape) * traits.itemsize - _CACHED_BYTES, 0) * blocks * _STREAMED_BYTE
    return measured.call_ns + (work // units + copied + streamed) // 1000


def threads_of(spec: Spec, traits: Traits) -> Threads:
    """Return the threads that may share a problem of this size."""
    return parallel.threads("rows", spec.macs * traits.itemsize, traits.threads, by_xla=traits.backend == "jax")


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of the kernel, of x by phases of its last axis, and of the sums."""
    kernel, x = prod(spec.kernel_shape), prod(spec.input_shape) + prod(spec.input_shape[:-1]) * spec.axes[-1].dilation
    columns = spec.batch * prod(spec.output_size)
    return (kernel + x + spec.outputs) * traits.itemsize + columns * (16 + 64 * _FILTERS * traits.threads) + 8192


def joins(spec: Spec) -> bool:
    """Whether runs may join taps of several axes: then the order of sums would depend on the order of memory."""
    return spec.axes[-1].size == spec.axes[-1].taps


def is_strided(spec: Spec) -> bool:
    """Whether the samples of a run are apart in x, so that it is copied by phases."""
    return spec.axes[-1].taps > 1 and spec.axes[-1].dilation > 1


def reads_in_place(spec: Spec, steps: Steps | None) -> bool:
    """Whether the samples of a run are adjacent."""
    if steps is None or (joins(spec) and steps[2:] != contiguous_steps(spec.input_shape)[2:]):
        return False
    return spec.axes[-1].taps == 1 or spec.axes[-1].dilation * steps[-1] == 1


def factors(spec: Spec, kernel: Host) -> Host:
    """Return the kernel with the factors of a run adjacent: itself where they are, and are aligned."""
    return adjacent(kernel) if kernel.flags.c_contiguous or not joins(spec) else _contiguous(kernel)


def adjacent(kernel: Host) -> Host:
    """Return the kernel with the factors of a row adjacent: itself where they are, and are aligned."""
    steps = steps_of(kernel)
    is_adjacent = steps is not None and (steps[-1] == 1 or kernel.shape[-1] == 1)
    return kernel if is_adjacent else _contiguous(kernel)


def _contiguous(kernel: Host) -> Host:
    return np.array(kernel, kernel.dtype.newbyteorder("="), order="C")


def deinterleaved(x: Host, dilations: tuple[int, ...], threads: int, *, on_torchs: bool) -> Host:
    """Return x with the samples of each phase of its last axes adjacent: (..., phases, samples, phases, samples).

    Threads divide the images.
    """
    lead = x.shape[: x.ndim - len(dilations)]
    copy = np.empty((*lead, *_phases_shape(x.shape[len(lead) :], dilations)), x.dtype)

    def part(first: int, stop: int) -> None:
        for phases in product(*map(range, dilations)):
            source = x[(slice(first, stop), ..., *(slice(p, None, d) for p, d in zip(phases, dilations, strict=True)))]
            sizes = source.shape[len(lead) :]
            place = [at for phase, n in zip(phases, sizes, strict=True) for at in (phase, slice(0, n))]
            copy[(slice(first, stop), ..., *place)] = source  # the rest is not read

    parallel_for(part, x.shape[0], threads, on_torchs=on_torchs)
    return copy


def _phases_shape(sizes: tuple[int, ...], dilations: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for size, d in zip(sizes, dilations, strict=True) for n in (d, -(-size // d)))


@planning()
def job(
    spec: Spec, steps: Steps | None, w_steps: Steps, out: Steps, itemsize: int, start: int = 0, origin: int = 0
) -> Job:
    """Return the loop's table for x of these steps, or for its copy by `deinterleaved` where they are None.

    `start` and `origin` are the first elements of x and y.
    """
    last = spec.axes[-1]
    x_steps, along = _phased(spec) if steps is None else (steps, _unphased(spec, steps))
    outer = [OuterAxis(spec.channels, x_steps[2], 0, w_steps[2])]
    for axis, each, w_step in zip(spec.axes[:-1], along, w_steps[LEADING:], strict=False):
        outer.append(OuterAxis(axis.taps, each.tap, 0, w_step))
    run, positions = last.taps, prod(spec.kernel_size)
    may_join = joins(spec)  # else steps that fit by chance would change the order of sums
    while len(outer) > 1 and (outer[-1].size == 1 or (may_join and outer[-1].x_step == outer[-1].w_step == run)):
        run *= outer.pop().size
    x_columns, y_columns = np.arange(spec.batch) * x_steps[0], np.arange(spec.batch) * out[0]
    for axis, each, y_step in zip(spec.axes, along, out[LEADING:], strict=True):
        starts = np.arange(axis.outputs) * axis.stride
        starts = starts % each.phases * each.phase + starts // each.phases * each.sample
        x_columns, y_columns = _sums(x_columns, starts), _sums(y_columns, np.arange(axis.outputs) * y_step)
    table = DotsTable(
        groups=spec.groups,
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
        x_start=start,
        y_start=origin,
    )
    units = spec.groups * -(-spec.filters // _FILTERS)
    return Job(DOTS, (table, outer, x_columns, y_columns), units, x_columns.size * _FILTERS)


class _Along(NamedTuple):
    """Steps along an axis of x."""

    tap: int  # from tap to tap
    phase: int  # from phase to phase
    phases: int
    sample: int  # from sample to sample of a phase


def _unphased(spec: Spec, steps: Steps) -> list[_Along]:
    return [_Along(axis.dilation * step, 0, 1, step) for axis, step in zip(spec.axes, steps[LEADING:], strict=True)]


def _phased(spec: Spec) -> tuple[Steps, list[_Along]]:
    """Return the steps of x deinterleaved: of its leading axes, and along the others."""
    shape = *spec.input_shape[:LEADING], *_phases_shape(spec.input_size, phases(spec))
    steps = contiguous_steps(shape)
    pairs = zip(phases(spec), steps[LEADING::2], steps[LEADING + 1 :: 2], strict=True)
    return steps[:LEADING], [_Along(sample, phase, count, sample) for count, phase, sample in pairs]


def phases(spec: Spec) -> tuple[int, ...]:
    """Return how many phases the copy of x has along each axis: adjacent taps multiply adjacent samples of one."""
    return tuple(axis.dilation if axis.taps > 1 else 1 for axis in spec.axes)


def _sums(first: Host, second: Host) -> Host:
    """Return the sums of all pairs, ordered by the first number."""
    return (first[:, None] + second).reshape(-1)
