"""How many cores this process may use, and threads for loops that release the interpreter lock.

Threads are started when first needed. How many a piece of work gets is decided in `_costs.parallel`.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import cache
from time import sleep
from typing import TYPE_CHECKING

from arrayconv._runtime import openmp

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_CHUNKS = 4  # per thread, so that a thread that is delayed does not keep the others waiting


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


def num_chunks(units: int, threads: int) -> int:
    """Return into how many chunks so many units are cut for threads that take one after the other."""
    return 1 if threads <= 1 else min(units, _CHUNKS * threads)


def parallel_for(part: Callable[[int, int], None], units: int, threads: int, *, on_torchs: bool = False) -> None:
    """Call ``part(first, stop)`` over all of `units`, on at most `threads` threads, this one among them.

    `on_torchs` is for a call on tensors: the others are then torch's where that is possible.
    """
    threads = min(usable(), threads, units)
    if threads <= 1:
        part(0, units)
        return
    count = num_chunks(units, threads)
    queue = deque((units * number // count, units * (number + 1) // count) for number in range(count))

    def work() -> None:
        while (unit := _next_chunk(queue)) is not None:
            part(*unit)

    if not (on_torchs and openmp.run(work, threads)):
        _run_on_threads(work, threads)


def parallel_phases(phases: Sequence[tuple[Callable[[int], None], int]], threads: int) -> None:
    """Call ``part(number)`` for each of `units`, of one (part, units) after the other, on at most `threads` threads.

    No part of a phase begins before every part of the previous phase has ended. A thread that waits for another does
    not sleep: waking it may take as long as a part.
    """
    threads = min(usable(), threads)
    if threads <= 1:
        for part, units in phases:
            for number in range(units):
                part(number)
        return
    queue = deque((phase, number) for phase, (_, units) in enumerate(phases) for number in range(units))
    before, total = [0], 0  # parts up to each phase
    for _, units in phases:
        total += units
        before.append(total)
    finished: list[None] = []  # one entry per part: appending takes no lock
    failures: list[None] = []

    def work() -> None:
        try:
            while (unit := _next_chunk(queue)) is not None:
                phase, number = unit
                while len(finished) < before[phase] and not failures:
                    sleep(0)
                if failures:
                    return
                phases[phase][0](number)
                finished.append(None)
        except BaseException:
            failures.append(None)
            raise

    _run_on_threads(work, threads)


def _next_chunk(queue: deque[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the next chunk of the queue, None where other threads emptied it."""
    try:
        return queue.popleft()
    except IndexError:
        return None


def _run_on_threads(work: Callable[[], None], threads: int) -> None:
    """Run `work` on so many threads, this one among them; raise what one of them raised.

    Once the main thread has ended Python starts no more threads: then this one does all of the work.
    """
    others: list[Future[None]] = []
    try:
        for _ in range(threads - 1):
            # Each in a copy of this context: NumPy's error handling belongs to it.
            others.append(_pool().submit(copy_context().run, work))
    except RuntimeError as refusal:
        if "shutdown" not in str(refusal):
            raise
    try:
        work()
    finally:
        failures = [other.exception() for other in others]  # which waits for them
    for failure in filter(None, failures):
        raise failure
