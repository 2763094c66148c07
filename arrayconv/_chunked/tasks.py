"""What a task computes: it joins parts of chunks, extends them, and passes them to a function of arrays.

Tasks of strips copy a part of a chunk for others. All that a task holds is picklable: functions of modules, integers
and names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from arrayconv import config
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import buffer, set_at
from arrayconv._arrays.identify import device_of, library
from arrayconv._arrays.namespace import namespace_of, on_device
from arrayconv._ops import pad
from arrayconv._problem.boundary import FILL, Source
from arrayconv._problem.layout import Shape
from arrayconv._problem.split import Range

Box = tuple[Range, ...]


class Reads(NamedTuple):
    """How an operand of a task is made up of parts of chunks and strips."""

    strips: tuple[int | None, ...]  # which one, where a task passes strips of a chunk; None for a chunk
    cuts: tuple[Box, ...]  # of each chunk or strip
    places: tuple[Box, ...]  # where they are joined
    shape: Shape  # joined
    split: Shape  # on the axes that are convolved
    runs: tuple[tuple[int, Source], ...] = ()  # axis and extension


class Job(NamedTuple):
    """What all tasks of a graph share."""

    name: str  # of the public function
    compute: Callable[..., Any]  # (settings, geometry, x, kernel) -> the result's chunk
    settings: Any
    accumulator: str  # dtype of the extended samples
    fill: complex
    config: config.Settings  # of the context that built the graph


class Block(NamedTuple):
    """What differs between tasks."""

    x: Reads
    kernel: Reads | None  # None where `compute` has its own
    geometry: Any


def run(job: Job, block: Block, *chunks: Any) -> Any:
    """Return a chunk of the result, from the chunks and strips of x and then the chunks of the kernel that it reads."""
    count = len(block.x.cuts)
    settings = job.config
    with config.using(
        accelerators=settings.accelerators,
        threads=settings.threads,
        max_workspace=settings.max_workspace if settings.capped else None,
    ):
        x = read(job, block.x, chunks[:count])
        kernel = None if block.kernel is None else read(job, block.kernel, chunks[count:])
        return job.compute(job.settings, block.geometry, x, kernel)


def cut(chunk: Any, boxes: tuple[Box, ...]) -> tuple[Array, ...]:
    """Return parts of a chunk as arrays of their own: a view would hold the chunk in the worker's memory."""
    xp, device = namespace_of(library(type(chunk)), chunk), device_of(chunk)
    with on_device(xp, device):
        parts = [chunk[_index(box)] for box in boxes]
        return tuple([set_at(buffer(part, part.shape, zeros=False, xp=xp, device=device), ..., part) for part in parts])


def read(job: Job, reads: Reads, chunks: tuple[Any, ...]) -> Array:
    """Return an operand of a task: parts of chunks, joined and extended."""
    each = zip(chunks, reads.strips, strict=True)
    chunks = tuple([chunk if strip is None else chunk[strip] for chunk, strip in each])
    backend = library(type(chunks[0]))
    xp, device = namespace_of(backend, chunks[0]), device_of(chunks[0])
    with on_device(xp, device):
        x = _joined(reads, chunks, xp, device)
        if tuple(x.shape) != reads.split:
            x = xp.reshape(x, reads.split)
        if any(run.start == FILL for _, source in reads.runs for run in source):
            x = xp.astype(x, getattr(xp, job.accumulator), copy=False)
        for axis, source in reads.runs:
            x = pad.extend(x, axis, source, job.fill, xp=xp, device=device)
    return x


def _joined(reads: Reads, chunks: tuple[Any, ...], xp: Any, device: Any) -> Any:
    if len(chunks) == 1:
        return chunks[0][_index(reads.cuts[0])]
    x = buffer(chunks[0], reads.shape, zeros=False, xp=xp, device=device)
    for chunk, cut, place in zip(chunks, reads.cuts, reads.places, strict=True):
        x = set_at(x, _index(place), chunk[_index(cut)])
    return x


def _index(box: Box) -> tuple[slice, ...]:
    return tuple([slice(*along) for along in box])
