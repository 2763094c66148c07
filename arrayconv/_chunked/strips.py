"""Strips: ends of chunks that windows of other chunks reach, copied by tasks of their own.

A task that takes a whole chunk receives all of it on a cluster, and keeps it in memory until it has run. Where windows
reach a small part of a large chunk, a task copies that part and the others take the copy. A strip is an end of a chunk
along one convolved axis and whole along the others, so a chunk has at most two per axis, and all tasks that read that
end share it. A corner is read from the strip of a side, which a task beside it takes anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from dask._task_spec import Task, TaskRef
from dask.base import tokenize

from arrayconv._chunked.tasks import Box, cut
from arrayconv._problem.split import Range

# A strip is a task, which costs the scheduler 0.2 to 1 ms; a chunk of an image has four. In return no worker receives
# the chunk, which takes about 1 ms per MB. From 2 MiB on, a chunk that would move once pays for its strips.
LEAST_CHUNK = 2 << 20  # bytes of a chunk that strips are cut from
# Strips are in memory beside their chunk. Filters of images on threads, where nothing moves, took a tenth less memory
# with strips of an eighth than with whole chunks, and a sixth more with strips of a quarter.
LARGEST_SHARE = 8  # a strip is at most one part of so many of its chunk

Key = tuple[Any, ...]
_Ends = tuple[Range, ...]  # of a chunk along an axis: those that are cut


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
        self.name = f"strips-{tokenize(array.name, sorted(ends.items()), LEAST_CHUNK)}"

    def covering(self, chunk: tuple[int, ...], box: Box) -> tuple[Key, Box] | None:
        """Return the smallest strip of a chunk that contains a part of it, and where in it; None if there is none."""
        if not self._is_large(chunk):
            return None
        shares = [
            ((stop - first) / self._array.chunks[axis][chunk[axis]], axis, first)
            for axis, each in self._ends.items()
            for first, stop in each[chunk[axis]]
            if first <= box[axis][0] and box[axis][1] <= stop
        ]
        if not shares:
            return None
        _, axis, first = min(shares)
        low, high = box[axis]
        return self._key(chunk, axis, first), (*box[:axis], (low - first, high - first), *box[axis + 1 :])

    def tasks(self) -> dict[Key, Task]:
        """Return the tasks that cut all strips."""
        return {key: Task(key, cut, TaskRef((self._array.name, *chunk)), box) for key, chunk, box in self._each()}

    def __len__(self) -> int:
        return sum(1 for _ in self._each())

    def _each(self) -> Iterator[tuple[Key, tuple[int, ...], Box]]:
        """Yield the key of every strip, its chunk, and the part that it is."""
        for chunk in product(*map(range, self._array.numblocks)):
            if self._is_large(chunk):
                whole = tuple((0, sizes[number]) for sizes, number in zip(self._array.chunks, chunk, strict=True))
                for axis, each in self._ends.items():
                    for end in each[chunk[axis]]:
                        yield self._key(chunk, axis, end[0]), chunk, (*whole[:axis], end, *whole[axis + 1 :])

    def _key(self, chunk: tuple[int, ...], axis: int, first: int) -> Key:
        return self.name, *chunk, axis, first

    def _is_large(self, chunk: tuple[int, ...]) -> bool:
        sizes = [along[number] for along, number in zip(self._array.chunks, chunk, strict=True)]
        return prod(sizes) * self._array.dtype.itemsize >= LEAST_CHUNK


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
