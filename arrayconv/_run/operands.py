"""The reads of a step: its piece of x, extended where it leaves the data, and the kernel as that of a correlation.

Each is a function of arrays, created once for all calls of a plan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from arrayconv._algorithms import Context
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import axes_in_memory, scratch_like
from arrayconv._arrays.traits import Traits
from arrayconv._arrays.zero_padding import PaddedLayout, zero_padded_parts, zero_regions
from arrayconv._ops import pad
from arrayconv._ops.windows import LEADING, reversed_taps
from arrayconv._problem.boundary import FILL, Cycle, Run, Source, distinct_runs
from arrayconv._problem.spec import Spec
from arrayconv._problem.split import Piece
from arrayconv._run.pieces import is_pieces
from arrayconv._runtime.tracing import planning

_COMPARED = ("numpy", "torch")  # libraries where comparing dtypes is faster than a cast that does nothing


def orientation(spec: Spec, context: Context, *, casts: bool) -> Callable[[Array], Array]:
    """Return a function of the kernel (groups, filters, channels, *k): flipped, conjugated and cast as the spec says.

    Its result is the kernel of a correlation, in the accumulator's dtype if it `casts`.
    """
    xp, dtype = context.xp, getattr(context.xp, context.traits.accumulator)
    conj, native = spec.conj and context.traits.accumulator.startswith("complex"), context.traits.backend in _COMPARED
    # torch reverses no unsigned integers but bytes.
    casts = casts or conj or (spec.flip and context.traits.backend == "torch" and context.traits.exact)

    def orient(kernel: Array) -> Array:
        if casts and (not native or kernel.dtype != dtype):
            kernel = xp.astype(kernel, dtype, copy=False)
        if spec.flip:
            kernel = reversed_taps(kernel, xp)
        return xp.conj(kernel) if conj else kernel

    return orient


def reader(step: Piece, whole: Spec, context: Context, *, casts: bool) -> Callable[[Array], Array]:
    """Return a function of x: a step's piece, extended beyond the data, in the accumulator's dtype if it `casts`."""
    xp, dtype = context.xp, getattr(context.xp, context.traits.accumulator)
    index, runs, is_all = _index(step, whole)
    native = context.traits.backend in _COMPARED
    in_memory = _extension_in_memory(index, runs, context, casts=casts)
    extend = _extension(step, runs, context) if in_memory is None else None

    def read(x: Array) -> Array:
        if not is_all or is_pieces(x):
            x = x[index]
        if in_memory is not None:
            return in_memory(x)
        if casts and (not native or x.dtype != dtype):
            x = xp.astype(x, dtype, copy=False)
        return x if extend is None else extend(x)

    return read


def _extension_in_memory(
    index: tuple[slice, ...], runs: tuple[Source, ...], context: Context, *, casts: bool
) -> Callable[[Any], Array] | None:
    """Return a function that casts and extends NumPy samples in one new array; None unless `_places` knows where."""
    places = _places(index[LEADING:], runs) if context.traits.backend == "numpy" and any(runs) else None
    if places is None:
        return None
    xp, fill, lengths = context.xp, context.fill, [sum(run.length for run in along) for along in runs]
    like = np.empty(0, context.traits.accumulator)

    def extend(x: Any) -> Array:
        sizes = [length or n for length, n in zip(lengths, x.shape[LEADING:], strict=True)]
        shape, order = (*x.shape[:LEADING], *sizes), axes_in_memory(x)
        if order is not None:
            shape = tuple([shape[axis] for axis in order])
        y: Any = scratch_like(like if casts else x, shape, xp=xp, device=context.device)
        if order is not None:  # in the order of x, so that both are read and written along one axis
            y = y.transpose(np.argsort(order))
        return pad.write_extended(y, x, places, runs, fill, xp=xp)

    return extend


@planning()
def _places(samples: tuple[slice, ...], runs: tuple[Source, ...]) -> tuple[slice, ...] | None:
    """Return where the samples that are read are in each extended axis; None unless one run copies all of an axis."""
    places: list[slice] = []
    for cut, along in zip(samples, runs, strict=True):
        whole = Run(0, 1, cut.stop - cut.start)
        if along and (whole not in along or not whole.length):
            return None
        first = sum(run.length for run in along[: along.index(whole)]) if along else 0
        places.append(slice(first, first + whole.length))
    return tuple(places)


@planning()
def _index(step: Piece, whole: Spec) -> tuple[tuple[slice, ...], tuple[Source, ...], bool]:
    """Return the index of the samples that a step reads, their runs along each axis, and whether it is all of x."""
    reads = [_read(source) for source in step.source]
    index = (slice(*step.batch), slice(*step.groups), slice(None), *(samples for samples, _ in reads))
    shape = whole.batch, whole.groups, whole.channels, *whole.input_size
    is_all = all(range(n)[cut] == range(n) for n, cut in zip(shape, index, strict=True))
    return index, tuple([runs for _, runs in reads]), is_all


def _extension(step: Piece, runs: tuple[Source, ...], context: Context) -> Callable[[Array], Array] | None:
    """Return a function that extends the samples a step reads, axis by axis or by zero padding; None if none is."""
    if not any(runs):
        return None
    xp, device = context.xp, context.device
    place = _data_position(step.source) if context.fill == 0 and context.traits.writable else None
    if place is not None:  # each element written once, instead of a concatenation per axis
        layout, index = _padded_layout(step, place), (..., *place)
        return lambda x: zero_padded_parts(x, layout, ((index, x),), xp=xp, device=device, zeros_first=False)[0]

    def extend(x: Array) -> Array:
        for number, along in enumerate(runs):
            if along:
                x = pad.extend(x, LEADING + number, along, context.fill, xp=xp, device=device)
        return x

    return extend


@planning()
def _data_position(sources: tuple[Source, ...]) -> tuple[slice, ...] | None:
    """Return the position of the samples in the extended axes; None unless they are extended by constants alone."""
    position: list[slice] = []
    for source in sources:
        samples = [number for number, run in enumerate(source) if run.start != FILL]
        if len(samples) != 1 or source[samples[0]].step != 1:
            return None
        first = sum(run.length for run in source[: samples[0]])
        position.append(slice(first, first + source[samples[0]].length))
    return None if all(len(source) == 1 for source in sources) else tuple(position)


@planning()
def _padded_layout(step: Piece, place: tuple[slice, ...]) -> PaddedLayout:
    """Return the zero-padded layout for the samples of a step."""
    counts = step.batch[1] - step.batch[0], step.groups[1] - step.groups[0], step.spec.channels
    shape = *counts, *[sum(run.length for run in source) for source in step.source]
    return PaddedLayout(shape, zero_regions(shape, place))


@planning()
def _read(source: Source) -> tuple[slice, Source]:
    """Return the shortest slice of an axis with all samples that its runs copy, and the runs on that slice."""
    copied = [run for run in distinct_runs(source) if run.start != FILL]
    ends = [run.start + run.step * (run.length - 1) for run in copied]
    starts = [run.start for run in copied]
    first = min((*starts, *ends), default=0)
    samples = slice(first, max((*starts, *ends), default=-1) + 1)
    if pad.is_slice(source):
        return samples, ()
    return samples, tuple(_shift_run(run, first) for run in source)


def _shift_run(run: Run | Cycle, first: int) -> Run | Cycle:
    """Return a run with its start counted from sample `first`."""
    if isinstance(run, Cycle):  # copies all samples
        return run
    return run if run.start == FILL else run._replace(start=run.start - first)


def wrap_fill(fill: complex, traits: Traits) -> complex:
    """Return the fill as a number of the accumulator's dtype: integers modulo its width, signed."""
    if not traits.exact:
        return fill
    half = 1 << (8 * traits.itemsize - 1)
    return (int(fill.real) + half) % (2 * half) - half
