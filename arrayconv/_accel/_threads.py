"""How many cores this process may use, and threads for loops that hold no lock, started when first needed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_PARTS = 4  # per thread, so that one that is held up does not keep the others waiting


@cache
def usable() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # takes as long to import as much of this package

    return ThreadPoolExecutor(usable() - 1, thread_name_prefix="arrayconv")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of its parent's threads


def share(part: Callable[[int, int], None], units: int, threads: int) -> None:
    """Call ``part(first, stop)`` over all of `units`, on at most `threads` threads, this one among them."""
    threads = min(usable(), threads, units)
    if threads <= 1:
        part(0, units)
        return
    count = min(units, _PARTS * threads)
    left = deque((units * number // count, units * (number + 1) // count) for number in range(count))

    def work() -> None:
        while left:
            try:
                first, stop = left.popleft()
            except IndexError:  # another thread took it
                return
            part(first, stop)

    # Each in a copy of this context: NumPy's error handling belongs to it.
    others = [_pool().submit(copy_context().run, work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        failures = [other.exception() for other in others]  # which waits for them
    for failure in filter(None, failures):
        raise failure
