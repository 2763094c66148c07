"""What a step reads of the operands: its piece of x, extended where it leaves the data; the kernel as a correlation's.

Each is a function of arrays, made once for all calls of a plan.
"""

from __future__ import annotations

from collections.abc import Callable

from arrayconv._algorithms import Context
from arrayconv._arrays.array import Array
from arrayconv._arrays.memory import Frame, zero_padded_parts, zero_regions
from arrayconv._arrays.traits import Traits
from arrayconv._ops import pad
from arrayconv._ops.windows import LEADING, reversed_taps
from arrayconv._problem.boundary import FILL, Cycle, Run, Source, singly
from arrayconv._problem.spec import Spec
from arrayconv._problem.split import Piece
from arrayconv._runtime.tracing import planning

_COMPARED = ("numpy", "torch")  # libraries whose dtypes are compared sooner than cast


def orientation(spec: Spec, context: Context) -> Callable[[Array], Array]:
    """Return what makes a correlation's of a kernel (groups, filters, channels, *k), of the accumulator's dtype."""
    xp, dtype = context.xp, getattr(context.xp, context.traits.accumulator)
    conj, native = spec.conj and context.traits.accumulator.startswith("complex"), context.traits.backend in _COMPARED

    def oriented(kernel: Array) -> Array:
        if not native or kernel.dtype != dtype:
            kernel = xp.astype(kernel, dtype, copy=False)
        if spec.flip:
            kernel = reversed_taps(kernel, xp)
        return xp.conj(kernel) if conj else kernel

    return oriented


def reader(step: Piece, whole: Spec, context: Context) -> Callable[[Array], Array]:
    """Return what cuts a step's piece of x, extended where it leaves the data, of the accumulator's dtype."""
    xp, dtype = context.xp, getattr(context.xp, context.traits.accumulator)
    index, runs, is_all = _index(step, whole)
    extend, native = _extension(step, runs, context), context.traits.backend in _COMPARED

    def read(x: Array) -> Array:
        if not is_all:
            x = x[index]
        if not native or x.dtype != dtype:
            x = xp.astype(x, dtype, copy=False)
        return x if extend is None else extend(x)

    return read


@planning()
def _index(step: Piece, whole: Spec) -> tuple[tuple[slice, ...], tuple[Source, ...], bool]:
    """Return the samples that a step reads, the runs on those along each axis, and whether they are all of x."""
    reads = [_read(source) for source in step.source]
    index = (slice(*step.batch), slice(*step.groups), slice(None), *(samples for samples, _ in reads))
    shape = whole.batch, whole.groups, whole.channels, *whole.input_size
    is_all = all(range(n)[cut] == range(n) for n, cut in zip(shape, index, strict=True))
    return index, tuple([runs for _, runs in reads]), is_all


def _extension(step: Piece, runs: tuple[Source, ...], context: Context) -> Callable[[Array], Array] | None:
    """Return what extends the samples that a step reads, axis by axis or all among zeros; None where nothing is."""
    if not any(runs):
        return None
    xp, device = context.xp, context.device
    place = _place(step.source) if context.fill == 0 and context.traits.writable else None
    if place is not None:  # written once, instead of joined axis by axis
        frame, index = _frame(step, place), (..., *place)
        return lambda x: zero_padded_parts(x, frame, ((index, x),), xp=xp, device=device, zeros_first=False)[0]

    def extend(x: Array) -> Array:
        for number, along in enumerate(runs):
            if along:
                x = pad.extend(x, LEADING + number, along, context.fill, xp=xp, device=device)
        return x

    return extend


@planning()
def _place(sources: tuple[Source, ...]) -> tuple[slice, ...] | None:
    """Return where the samples stand among constants, or None unless there are some and nothing else."""
    found: list[slice] = []
    for source in sources:
        samples = [number for number, run in enumerate(source) if run.start != FILL]
        if len(samples) != 1 or source[samples[0]].step != 1:
            return None
        first = sum(run.length for run in source[: samples[0]])
        found.append(slice(first, first + source[samples[0]].length))
    return None if all(len(source) == 1 for source in sources) else tuple(found)


@planning()
def _frame(step: Piece, place: tuple[slice, ...]) -> Frame:
    """Return the zeros that the samples of a step are put into."""
    counts = step.batch[1] - step.batch[0], step.groups[1] - step.groups[0], step.spec.channels
    shape = *counts, *[sum(run.length for run in source) for source in step.source]
    return Frame(shape, zero_regions(shape, place))


@planning()
def _read(source: Source) -> tuple[slice, Source]:
    """Return the shortest slice of an axis that holds every sample its runs copy, and the runs on that slice."""
    copied = [run for run in singly(source) if run.start != FILL]
    ends = [run.start + run.step * (run.length - 1) for run in copied]
    starts = [run.start for run in copied]
    first = min((*starts, *ends), default=0)
    held = slice(first, max((*starts, *ends), default=-1) + 1)
    if pad.is_slice(source):
        return held, ()
    return held, tuple(_moved(run, first) for run in source)


def _moved(run: Run | Cycle, first: int) -> Run | Cycle:
    """Return a run on the samples from `first` on."""
    if isinstance(run, Cycle):  # of all samples
        return run
    return run if run.start == FILL else run._replace(start=run.start - first)


def wrapped(fill: complex, traits: Traits) -> complex:
    """Return the fill as a number the accumulator holds: integers modulo its width, signed."""
    if not traits.exact:
        return fill
    half = 1 << (8 * traits.itemsize - 1)
    return (int(fill.real) + half) % (2 * half) - half
