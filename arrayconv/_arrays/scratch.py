"""Scratch memory of NumPy arrays, reused by later calls: mapping new pages can take longer than filling them.

A block is free again when no array refers to it, so an array in use is never overwritten. Each thread has its own
blocks.
"""

from __future__ import annotations

import sys
from math import prod
from threading import local
from typing import Any

import numpy as np

from arrayconv._runtime import caches

LEAST, MOST = 1 << 16, 1 << 24  # bytes of the smallest and the largest block that is cached
_TOTAL = 1 << 25  # bytes that are cached per thread
_probe = [np.empty(0, np.uint8)]
_FREE = sys.getrefcount(_probe[0])  # references to an object that is in one list and nowhere else
_COUNTS = getattr(sys, "_is_gil_enabled", lambda: True)()  # without the GIL the counts are not exact


class _Blocks:
    """The blocks of one thread."""

    def __init__(self) -> None:
        self.blocks: list[np.ndarray[Any, Any]] = []
        self.account = caches.ByteAccount(self, "scratch")

    def keep(self, blocks: list[np.ndarray[Any, Any]]) -> None:
        """Keep these blocks and no others."""
        self.blocks = blocks
        self.account.set(sum(block.nbytes for block in blocks))
        caches.enforce_limit(self)

    def evict_oldest(self, spare: bool) -> bool:
        """Drop all blocks: their last use is not recorded."""
        self.evict_all()
        return True

    def evict_all(self) -> None:
        """Drop all blocks; an array that uses one keeps it alive."""
        self.blocks = []
        self.account.set(0)


class _Own(local):
    def __init__(self) -> None:
        self.memory = _Blocks()


_own = _Own()


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array of unspecified values that does not outlive a call."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if not (LEAST <= size <= MOST and _COUNTS):
        return np.empty(shape, dtype)
    memory = _own.memory
    blocks = memory.blocks
    free = [number for number in range(len(blocks)) if sys.getrefcount(blocks[number]) == _FREE]
    fitting = [number for number in free if size <= blocks[number].nbytes <= 2 * size]
    if fitting:
        block = blocks[min(fitting, key=lambda number: blocks[number].nbytes)]
    else:
        if sum(block.nbytes for block in blocks) + size > _TOTAL:
            blocks = [block for number, block in enumerate(blocks) if number not in free]
            memory.keep(blocks)
            if sum(block.nbytes for block in blocks) + size > _TOTAL:
                return np.empty(shape, dtype)
        block = np.empty(size, np.uint8)
        memory.keep([*blocks, block])
    return block[:size].view(dtype).reshape(shape)
