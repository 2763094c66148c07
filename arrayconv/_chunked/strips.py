"""Strips: ends of chunks that windows of other chunks reach, copied by tasks of their own.

A task that takes a whole chunk receives all of it on a cluster, and keeps it in memory until it has run. Where windows
reach a small part of a large chunk, a task copies that part and the others take the copy. A strip is an end of a chunk
along one convolved axis and whole along the others, so a chunk has at most two per axis, and all tasks that read that
end share it. A corner is read from the strip of a side. Strips of a chunk that are small are cut by one task, and
travel together; large ones by one task each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

from dask._task_spec import Task, TaskRef
from dask.base import tokenize

from arrayconv._chunked.tasks import Box, cut
from arrayconv._problem.split import Range

# A task costs the scheduler 0.2 to 1 ms; a worker receives 1 MB in about 1 ms. So one task more per chunk pays where a
# chunk of 1 MiB need not be sent once, and three more tasks per chunk of an image where strips of 1 MiB need not.
LEAST_CHUNK = 1 << 20  # bytes of a chunk that strips are cut from
MOST_TOGETHER = 1 << 20  # bytes of all strips of a chunk, up to which they are one task's
# Strips are in memory beside their chunk. Filters of images on threads, where nothing moves, took a tenth less memory
# with strips of an eighth than with whole chunks, and a sixth more with strips of a quarter.
LARGEST_SHARE = 8  # a strip is at most one part of so many of its chunk

Key = tuple[Any, ...]
_Ends = tuple[Range, ...]  # of a chunk along an axis: those that are cut


class Source(NamedTuple):
    """Where a task takes a part of a chunk from."""

    key: Key  # of the chunk, or of a task that cuts strips from it
    strip: int | None  # among those of that task
    box: Box  # in the chunk or the strip


class Strips:
    """The strips of a Dask array's chunks.

    Parameters
    ----------
    array : dask.array.Array
    ends : mapping
        For each convolved axis the ends of each of its chunks, as of `ends_read`.
    """

    def __init__(self, array: Any, ends: Mapping[int, Sequence[_Ends]]) -> None:
        self._array, self._ends = array, ends
        self._least, self._most = (limit / array.dtype.itemsize for limit in (LEAST_CHUNK, MOST_TOGETHER))  # samples
        self.name = f"strips-{tokenize(array.name, sorted(ends.items()), LEAST_CHUNK, MOST_TOGETHER)}"

    def covering(self, chunk: tuple[int, ...], box: Box) -> Source | None:
        """Return the smallest strip of a chunk that contains a part of it; None if there is none."""
        sizes = self._sizes(chunk)
        if prod(sizes) < self._least:
            return None
        ends = self._of(chunk)
        shares = [
            ((stop - first) / sizes[axis], number)
            for number, (axis, (first, stop)) in enumerate(ends)
            if first <= box[axis][0] and box[axis][1] <= stop
        ]
        if not shares:
            return None
        _, number = min(shares)
        axis, (first, _) = ends[number]
        task, strip = (0, number) if self._are_together(sizes, ends) else (number, 0)
        low, high = box[axis]
        return Source((self.name, *chunk, task), strip, (*box[:axis], (low - first, high - first), *box[axis + 1 :]))

    def tasks(self) -> dict[Key, Task]:
        """Return the tasks that cut all strips."""
        return {
            (self.name, *chunk, number): Task(
                (self.name, *chunk, number), cut, TaskRef((self._array.name, *chunk)), boxes
            )
            for chunk, each in self._each()
            for number, boxes in enumerate(each)
        }

    def __len__(self) -> int:
        """Return the number of tasks."""
        return sum(len(each) for _, each in self._each())

    def _each(self) -> Iterator[tuple[tuple[int, ...], list[tuple[Box, ...]]]]:
        """Yield each chunk that is cut, and the parts of it that each of its tasks copies."""
        for chunk in product(*map(range, self._array.numblocks)):
            sizes, ends = self._sizes(chunk), self._of(chunk)
            if ends and prod(sizes) >= self._least:
                whole = tuple((0, size) for size in sizes)
                boxes = tuple((*whole[:axis], end, *whole[axis + 1 :]) for axis, end in ends)
                yield chunk, [boxes] if self._are_together(sizes, ends) else [(box,) for box in boxes]

    def _sizes(self, chunk: tuple[int, ...]) -> list[int]:
        return [along[number] for along, number in zip(self._array.chunks, chunk, strict=True)]

    def _of(self, chunk: tuple[int, ...]) -> list[tuple[int, Range]]:
        """Return axis and range of the strips of a chunk."""
        return [(axis, end) for axis, each in self._ends.items() for end in each[chunk[axis]]]

    def _are_together(self, sizes: list[int], ends: list[tuple[int, Range]]) -> bool:
        volume = prod(sizes)
        return sum(volume // sizes[axis] * (stop - first) for axis, (first, stop) in ends) <= self._most


def may_pay(array: Any) -> bool:
    """Whether any chunk of an array is large enough."""
    return prod(map(max, array.chunks)) * array.dtype.itemsize >= LEAST_CHUNK


def ends_read(sizes: Sequence[int], parts: Iterator[tuple[int, Range]]) -> list[_Ends]:
    """Return the ends of an axis' chunks that are strips: of each end the longest part that a block reads of it.

    Parameters
    ----------
    sizes : sequence of int
        Of the chunks.
    parts : iterator of (number, range)
        All parts of chunks that blocks read.
    """
    heads, tails = [0] * len(sizes), [0] * len(sizes)
    for number, (first, stop) in parts:
        if LARGEST_SHARE * (stop - first) <= sizes[number]:
            if first == 0:
                heads[number] = max(heads[number], stop)
            elif stop == sizes[number]:
                tails[number] = max(tails[number], stop - first)
    return [
        tuple(end for end in ((0, head), (size - tail, size)) if end[0] < end[1])
        for size, head, tail in zip(sizes, heads, tails, strict=True)
    ]
