"""An operand of a graph: which parts of which chunks, or of their strips, a block reads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, product
from typing import Any, NamedTuple

import dask.array as da
from dask._task_spec import TaskRef

from arrayconv._chunked.strips import Source, Strips, ends_read, may_pay
from arrayconv._chunked.tasks import Box, Reads
from arrayconv._problem import boundary
from arrayconv._problem.layout import Shape
from arrayconv._problem.split import Range

Parts = tuple[Range, ...]  # of an axis


class AxisRead(NamedTuple):
    """The parts of an axis' chunks that a block reads."""

    numbers: tuple[int, ...]  # of the chunks
    cuts: Box
    places: Box
    length: int  # joined


class Operand:
    """A Dask array on the axes that a permutation splits, without its axes of length 1."""

    def __init__(self, array: Any, split: Shape) -> None:
        self.array, self.split = _on_axes(array, split), split
        numbers = iter(number for number, size in enumerate(self.array.shape) if size != 1)
        self._axes = [next(numbers) if size != 1 else None for size in split]  # of the array, for each axis
        self._stops = [tuple(accumulate(chunks)) for chunks in self.array.chunks]
        self._reads: dict[tuple[int, Parts], AxisRead] = {}
        self.strips: Strips | None = None

    def chunks(self, axis: int) -> tuple[int, ...]:
        """Return the chunks along an axis, those without samples left out."""
        number = self._axes[axis]
        chunks = (1,) if number is None else tuple(size for size in self.array.chunks[number] if size)
        return chunks or (0,)

    def cut_strips(self, windows: Mapping[int, Sequence[Parts]]) -> None:
        """Read strips in place of chunks where that pays, for all windows of all blocks along each convolved axis."""
        if not may_pay(self.array):
            return
        ends = {}
        for axis, along in windows.items():
            number = self._axes[axis]
            if number is not None:
                reads = [self._axis_read(number, parts) for parts in along]
                each = (part for read in reads for part in zip(read.numbers, read.cuts, strict=True))
                ends[number] = ends_read(self.array.chunks[number], each)
        self.strips = Strips(self.array, ends) if any(map(any, ends.values())) else None

    def reads(
        self, parts: Sequence[Parts], runs: tuple[tuple[int, boundary.Source], ...]
    ) -> tuple[Reads, list[TaskRef]]:
        """Return how parts of every axis are read, and the chunks and strips that contain them."""
        each = [self._axis_read(number, ((0, min(size, 1)),)) for number, size in enumerate(self.array.shape)]
        for axis, along in zip(self._axes, parts, strict=True):
            if axis is not None:
                each[axis] = self._axis_read(axis, along)
        sources = self._sources(
            list(product(*[along.numbers for along in each])), list(product(*[along.cuts for along in each]))
        )
        reads = Reads(
            tuple([one.strip for one in sources]),
            tuple([one.box for one in sources]),
            tuple(product(*[along.places for along in each])),
            tuple(along.length for along in each),
            lengths(parts),
            runs,
        )
        return reads, [TaskRef(one.key) for one in sources]

    def _sources(self, chunks: Sequence[tuple[int, ...]], cuts: Sequence[Box]) -> list[Source]:
        """Return the chunk or the strip that each part is cut from.

        A block that needs a chunk whole takes all parts of it from there.
        """
        each = list(zip(chunks, cuts, strict=True))
        whole = [Source((self.array.name, *chunk), None, box) for chunk, box in each]
        if self.strips is None:
            return whole
        strips = [self.strips.covering(chunk, box) for chunk, box in each]
        read_whole = {chunk for chunk, strip in zip(chunks, strips, strict=True) if strip is None}
        return [
            source if strip is None or chunk in read_whole else strip
            for source, strip, chunk in zip(whole, strips, chunks, strict=True)
        ]

    def _axis_read(self, axis: int, parts: Parts) -> AxisRead:
        cached = self._reads.get((axis, parts))
        if cached is None:
            cached = self._reads[axis, parts] = _axis_read(self._stops[axis], parts)
        return cached


def lengths(parts: Sequence[Parts]) -> Shape:
    """Return the samples of the parts of each axis."""
    return tuple([sum(stop - first for first, stop in along) for along in parts])


def _axis_read(stops: Sequence[int], parts: Parts) -> AxisRead:
    """Return the parts of the chunks with these cumulative sizes that contain samples."""
    pieces: list[tuple[int, int, int, int]] = []
    for first, stop in parts:
        number = bisect_right(stops, first)
        while first < stop:
            low = stops[number - 1] if number else 0
            if low < stops[number]:
                pieces.append((number, first, min(stop, stops[number]), low))
                first = stops[number]
            number += 1
    return _as_read(pieces) if pieces else AxisRead((0,), ((0, 0),), ((0, 0),), 0)


def _as_read(parts: Sequence[tuple[int, int, int, int]]) -> AxisRead:
    sizes = [stop - first for _, first, stop, _ in parts]
    starts = list(accumulate(sizes, initial=0))
    return AxisRead(
        tuple(number for number, *_ in parts),
        tuple((first - lo, stop - lo) for _, first, stop, lo in parts),
        tuple((at, at + length) for at, length in zip(starts, sizes, strict=False)),
        starts[-1],
    )


def _on_axes(array: Any, split: Shape) -> Any:
    """Return an array on the axes of `split`, up to axes of length 1."""
    same = [size for size in array.shape if size != 1] == [size for size in split if size != 1]
    return array if same else da.reshape(array, split)
