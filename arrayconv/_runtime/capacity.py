"""What this machine can hold: asked before a result or a kernel is made, so that a slip of the hand is told at once.

Allocators answer late. They promise memory that is not there, and what is filled piece by piece takes minutes to fail.
"""

from __future__ import annotations

import os

_ADDRESSABLE = 1 << 47
MAX_KERNEL_NUMBERS = 1 << 27  # Python numbers in one kernel: some 8 GB of them, and half a minute


def _memory() -> int:
    """Return the bytes of this machine's memory, or what a process can address where that is not told."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return _ADDRESSABLE


MEMORY = _memory()


def check_result(function: str, shape: tuple[int, ...], count: int, width: int, way_out: str) -> None:
    """Raise MemoryError for a result of `count` elements of `width` bytes that the machine can't hold."""
    if count * width > MEMORY:
        raise MemoryError(
            f"{function}: the result must fit this machine's memory, {MEMORY} bytes. Got shape {shape}, "
            f"{count * width} bytes. {way_out}."
        )


def check_numbers(function: str, arguments: str, count: int, facts: str, most: int = MAX_KERNEL_NUMBERS) -> None:
    """Raise MemoryError for a kernel of more numbers than are made on the host; `arguments` decide how many."""
    if count > most:
        raise MemoryError(f"{function}: {arguments} must ask for at most {most} numbers. Got {count}, from {facts}.")
