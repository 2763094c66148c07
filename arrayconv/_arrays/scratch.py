"""Memory of NumPy arrays that a call is done with, kept for the next: new pages can take longer than what fills them.

A block is free again when no array refers to it any more, so what is handed out can never be overwritten. Each thread
keeps its own.
"""

from __future__ import annotations

import sys
from math import prod
from threading import local
from typing import Any

import numpy as np

from arrayconv._runtime import caches

LEAST, MOST = 1 << 16, 1 << 24  # bytes of a block that is worth keeping, and of one that is not kept
_TOTAL = 1 << 25  # bytes that a thread keeps
_probe = [np.empty(0, np.uint8)]
_FREE = sys.getrefcount(_probe[0])  # references to what only a list holds
_COUNTS = getattr(sys, "_is_gil_enabled", lambda: True)()  # without the lock counts are not exact


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
        """Forget all blocks: which were used last nobody knows."""
        self.evict_all()
        return True

    def evict_all(self) -> None:
        """Forget all blocks; those in use stay with who uses them."""
        self.blocks = []
        self.account.set(0)


class _Own(local):
    def __init__(self) -> None:
        self.memory = _Blocks()


_own = _Own()


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array of unspecified values, for what does not outlive a call."""
    dtype = np.dtype(dtype)
    need = prod(shape) * dtype.itemsize
    if not (LEAST <= need <= MOST and _COUNTS):
        return np.empty(shape, dtype)
    memory = _own.memory
    blocks = memory.blocks
    free = [number for number in range(len(blocks)) if sys.getrefcount(blocks[number]) == _FREE]
    fitting = [number for number in free if need <= blocks[number].nbytes <= 2 * need]
    if fitting:
        block = blocks[min(fitting, key=lambda number: blocks[number].nbytes)]
    else:
        if sum(one.nbytes for one in blocks) + need > _TOTAL:
            blocks = [one for number, one in enumerate(blocks) if number not in free]
            memory.keep(blocks)
            if sum(one.nbytes for one in blocks) + need > _TOTAL:
                return np.empty(shape, dtype)
        block = np.empty(need, np.uint8)
        memory.keep([*blocks, block])
    return block[:need].view(dtype).reshape(shape)
