"""How many threads a piece of work gets, and what they are expected to gain: one rule for loops, transforms and pieces.

`most_threads` bounds the threads of a call. A loop uses as many of them as its work is worth, by its row of `GRAINS`,
or by `_WOKEN_GRAIN` where they sleep; transforms use all of them from `THREADED` samples on; a ranking compares
both with pieces that run side by side. The numbers are measured.
"""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._runtime.threads import usable


class Threads(NamedTuple):
    """Threads that may share a loop, the calling one among them."""

    most: int  # where the others wait for it
    woken: int  # where they sleep: to wake one takes as long as a small loop

    def at_most(self, count: int) -> Threads:
        """Return no more than so many."""
        return Threads(min(self.most, count), min(self.woken, count))


ONE = Threads(1, 1)
GRAINS = {  # work from which a loop uses another thread that waits, in bytes times multiply-adds
    "filters": 1 << 20,
    "rows": 1 << 20,
    "images": 1 << 19,
    "tiles": 1 << 20,
}
_WOKEN_GRAIN = 1 << 24  # the same, for one that sleeps
_XLA_GRAIN = 1 << 22  # the same, for one of XLA's, which may sleep or not
THREADED = 1 << 17  # samples from which transforms use threads
GAIN = 0.6  # of a thread after the first, in speed of transforms
SLABS_GAIN = 0.8  # the same, where it has slabs of its own
_PIECES_NS = 1_000_000  # from which pieces run side by side: in less, a system may not move a thread to a core
_WAKING_NS = 150_000  # until another thread begins
_LONG_NS = 3_000_000  # from which two pieces for every thread are considered


def most_threads(requested: int | None, *, is_compiled: bool) -> int:
    """Return how many threads a call may use: one unless its loops are compiled, `requested` or every usable core."""
    most = usable() if is_compiled else 1
    return most if requested is None else min(requested, most)


def threads(loop: str, work: int, most: int, *, by_xla: bool = False) -> Threads:
    """Return how many threads may share a loop of so many bytes times multiply-adds.

    `by_xla` is for a loop that XLA calls, on threads of its own.
    """
    grains = (_XLA_GRAIN, _XLA_GRAIN) if by_xla else (GRAINS[loop], _WOKEN_GRAIN)
    return Threads(*[max(1, min(most, work // grain)) for grain in grains])


def transform_threads(samples: int, most: int) -> int:
    """Return how many threads transforms of so many samples use."""
    return most if samples >= THREADED else 1


def speedup(threads: int, gain: float) -> float:
    """Return how many times as fast threads are as one of them, if each after the first gains so much."""
    return 1 + gain * (threads - 1)


def piece_counts(cost_ns: int, threads: int) -> tuple[int, ...]:
    """Return into how many pieces side by side it may pay to cut work that takes so long as a whole."""
    if threads <= 1 or cost_ns < _PIECES_NS:
        return ()
    return (threads, 2 * threads) if cost_ns > _LONG_NS else (threads,)


def pieces_ns(first_ns: int, rest_ns: int, pieces: int, threads: int) -> int:
    """Return the expected nanoseconds of pieces side by side: what all wait for first, then the rest in shares."""
    tenths = 10 if pieces > threads else 11  # one thread may be held up, while others wait
    return _WAKING_NS + first_ns + rest_ns * tenths // (10 * threads)
