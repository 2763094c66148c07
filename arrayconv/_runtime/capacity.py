"""The memory of this machine, checked before a result or a kernel is allocated, so that a mistyped size fails at once.

Allocators fail late. They overcommit memory, and filling it piece by piece takes minutes until it fails.
"""

from __future__ import annotations

import os

_ADDRESSABLE = 1 << 47
MAX_KERNEL_NUMBERS = 1 << 27  # Python numbers in one kernel: about 8 GB, and half a minute


def _memory() -> int:
    """Return the bytes of this machine's memory, or of the address space where that is unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return _ADDRESSABLE


MEMORY = _memory()


def check_result(function: str, shape: tuple[int, ...], count: int, width: int, way_out: str) -> None:
    """Raise MemoryError if a result of `count` elements of `width` bytes exceeds the machine's memory."""
    if count * width > MEMORY:
        raise MemoryError(
            f"{function}: the result must fit this machine's memory, {MEMORY} bytes. Got shape {shape}, "
            f"{count * width} bytes. {way_out}."
        )


def check_numbers(function: str, arguments: str, count: int, facts: str, limit: int = MAX_KERNEL_NUMBERS) -> None:
    """Raise MemoryError if a kernel built on the host exceeds `limit` numbers; `arguments` determine their count."""
    if count > limit:
        raise MemoryError(f"{function}: {arguments} must need at most {limit} numbers. Got {count}, from {facts}.")
