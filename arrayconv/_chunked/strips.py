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

# A task costs the scheduler 0.2 to 1 ms, and a thread 0.2 ms; a worker receives 1 MB in about 1 ms. So one task more
# pays where a chunk of 2 MiB is not sent once, and three more per chunk of an image where 1 MiB of strips is not.
LEAST_CHUNK = 2 << 20  # bytes of a chunk that strips are cut from
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


_Kind = tuple[tuple[int, _Ends], ...]  # of a chunk: its size and its ends along each axis


class Strips:
    """The strips of a Dask array's chunks.

    Parameters
    ----------
    array : dask.array.Array
    ends : mapping
        For each convolved axis the ends of each of its chunks, as of `ends_read`.
    """

    def __init__(self, array: Any, ends: Mapping[int, Sequence[_Ends]]) -> None:
        self._array = array
        self._least, self._most = (limit / array.dtype.itemsize for limit in (LEAST_CHUNK, MOST_TOGETHER))  # samples
        self.name = f"strips-{tokenize(array.name, sorted(ends.items()), LEAST_CHUNK, MOST_TOGETHER)}"
        self._along = [
            list(zip(sizes, ends.get(axis, [()] * len(sizes)), strict=True)) for axis, sizes in enumerate(array.chunks)
        ]
        self._parts: dict[tuple[_Kind, Box], tuple[int, int, Box] | None] = {}

    def covering(self, chunk: tuple[int, ...], box: Box) -> Source | None:
        """Return the smallest strip of a chunk that contains a part of it; None if there is none."""
        cache_key = kind, _ = self._kind(chunk), box
        if cache_key not in self._parts:  # few differ
            self._parts[cache_key] = self._covering(kind, box)
        part = self._parts[cache_key]
        if part is None:
            return None
        task, strip, box = part
        return Source((self.name, *chunk, task), strip, box)

    def _covering(self, kind: _Kind, box: Box) -> tuple[int, int, Box] | None:
        """Return the number of a task, of a strip among those that it cuts, and the part in it."""
        shares = [
            ((stop - first) / kind[axis][0], task, strip)
            for task, each in enumerate(self._cuts(kind))
            for strip, (axis, (first, stop)) in enumerate(each)
            if first <= box[axis][0] and box[axis][1] <= stop
        ]
        if not shares:
            return None
        _, task, strip = min(shares)
        axis, (first, _) = self._cuts(kind)[task][strip]
        low, high = box[axis]
        return task, strip, (*box[:axis], (low - first, high - first), *box[axis + 1 :])

    def tasks(self) -> dict[Key, Task]:
        """Return the tasks that cut all strips."""
        tasks: dict[Key, Task] = {}
        for chunk, kind in self._chunks():
            whole = tuple([(0, size) for size, _ in kind])
            for number, each in enumerate(self._cuts(kind)):
                key = (self.name, *chunk, number)
                boxes = tuple([(*whole[:axis], end, *whole[axis + 1 :]) for axis, end in each])
                tasks[key] = Task(key, cut, TaskRef((self._array.name, *chunk)), boxes)
        return tasks

    def __len__(self) -> int:
        """Return the number of tasks."""
        return sum(len(self._cuts(kind)) for _, kind in self._chunks())

    def _chunks(self) -> Iterator[tuple[tuple[int, ...], _Kind]]:
        for chunk in product(*map(range, self._array.numblocks)):
            yield chunk, self._kind(chunk)

    def _kind(self, chunk: tuple[int, ...]) -> _Kind:
        return tuple([along[number] for along, number in zip(self._along, chunk, strict=True)])

    def _cuts(self, kind: _Kind) -> list[tuple[tuple[int, Range], ...]]:
        """Return axis and range of the strips of a chunk, for each task that cuts some of them."""
        size = prod([along for along, _ in kind])
        strips = [(axis, end) for axis, (_, ends) in enumerate(kind) for end in ends]
        if not strips or size < self._least:
            return []
        together = sum(size // kind[axis][0] * (stop - first) for axis, (first, stop) in strips) <= self._most
        return [tuple(strips)] if together else [(strip,) for strip in strips]


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
