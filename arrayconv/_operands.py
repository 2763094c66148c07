"""What a step reads of the operands: its piece of x, extended where it leaves the data; the kernel as it is met."""

from __future__ import annotations

from arrayconv._algorithms import Context
from arrayconv._boundary import FILL, Cycle, Run, Source, singly
from arrayconv._memory import framed
from arrayconv._ops import pad
from arrayconv._ops.windows import LEADING
from arrayconv._spec import Spec
from arrayconv._split import Piece
from arrayconv._tracing import planning
from arrayconv._xp import Array, Traits


def oriented(kernel: Array, spec: Spec, context: Context) -> Array:
    """Return the kernel as a correlation's, of the accumulator's dtype."""
    xp = context.xp
    kernel = xp.astype(kernel, getattr(xp, context.traits.accumulator), copy=False)
    if spec.flip and spec.axes:
        kernel = xp.flip(kernel, axis=tuple(range(LEADING, LEADING + len(spec.axes))))
    if spec.conj and context.traits.accumulator.startswith("complex"):
        kernel = xp.conj(kernel)
    return kernel


def cut(x: Array, step: Piece, context: Context) -> Array:
    """Return the piece of x a step reads, extended where it leaves the data, of the accumulator's dtype."""
    xp = context.xp
    reads = [_read(source) for source in step.source]
    x = x[(slice(*step.batch), slice(*step.groups), slice(None), *(held for held, _ in reads))]
    x = xp.astype(x, getattr(xp, context.traits.accumulator), copy=False)
    if context.fill == 0 and context.traits.writable:
        place = _place(step.source)
        if place is not None:  # x among zeros: written once, instead of joined axis by axis
            shape = (*x.shape[:LEADING], *(sum(run.length for run in source) for source in step.source))
            return framed(x, shape, place, xp=xp, device=context.device)
    for number, (_, moved) in enumerate(reads):
        if moved:
            x = pad.extend(x, LEADING + number, moved, context.fill, xp=xp, device=context.device)
    return x


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
