"""Interleaved rounds: every contender of a problem in turn, the shortest time of each, and the machine's ceilings.

Taking turns spreads disturbances of the machine over all of them; the minimum leaves most of them out. A contender
that is many times slower than the fastest can't decide anything and gets no further rounds.
"""

import math
import random
import time
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

ROUNDS = 3  # at least
CLOSE = 1.5  # times the fastest: nearer ones may still change places with it
CLOSE_ROUNDS, MOST_ROUNDS = 10, 40  # of those: at least, and until their times are settled
SETTLED = 1.03  # times the shortest turn, within which two more are when that was no lucky moment
TRIALS = 8  # first calls at most
HOPELESS = 6  # times slower than the fastest in its first calls: too far behind to win
CALL_NS = 5 * 10**6  # of a measurement at least: calls shorter than this are repeated
MOST_SINGLY = 50  # repeated calls that are timed one by one: they take a tenth of a millisecond or longer
WARM_NS = 10**8  # of calls before those that are timed: systems are slow to give a thread a core of its own
WARM_SHARE = 0.3  # of that, in measurements that follow: what disturbs the machine lasts longer than one


class Timed(NamedTuple):
    """A function without arguments, and the context it runs in, entered outside the clock."""

    call: Any
    context: Any = nullcontext


def once(timed, repeats=1, finish=None, warm_ns=0):
    """Return the nanoseconds of a call: the shortest of `repeats`, or the mean of so many that each is a short one.

    `finish` waits for a result.
    """
    call = timed.call if finish is None else lambda: finish(timed.call())
    with timed.context():
        begun = time.perf_counter_ns()
        while time.perf_counter_ns() - begun < warm_ns:
            call()
        if repeats <= MOST_SINGLY:
            return min(_single(call) for _ in range(repeats))
        start = time.perf_counter_ns()
        for _ in range(repeats):
            call()
        return (time.perf_counter_ns() - start) / repeats


def _single(call):
    start = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - start


def _first(timed, finish):
    """Return the shortest of a contender's first calls, two or what fits a moment: it decides which are dropped."""
    begun, took = time.perf_counter_ns(), [once(timed, 1, finish) for _ in range(2)]
    while len(took) < TRIALS and time.perf_counter_ns() - begun < WARM_NS:
        took.append(once(timed, 1, finish))
    return min(took)


def _turn(timed, repeats, finish, warm_ns):
    """Return the shortest of the measurements of a turn, which begins with `warm_ns` of calls."""
    best = once(timed, repeats, finish, warm_ns)
    begun = time.perf_counter_ns()
    while time.perf_counter_ns() - begun < WARM_SHARE * warm_ns:
        best = min(best, once(timed, repeats, finish))
    return best


def interleaved(contenders, seconds, finish=None, warm_ns=WARM_NS, rivals=None):
    """Return the shortest nanoseconds of each of a dict of Timed, over `seconds` and at least 3 rounds.

    Each turn begins with calls that are not timed: caches fill, the threads of the library before fall asleep, and its
    own are spread over the cores. Those near the fastest go on as long as they are `rivals`, a function of their names
    (None for never): to 10 rounds, and to 40 until each came three times near its shortest.
    """
    best = {name: _first(timed, finish) for name, timed in contenders.items()}
    turns: dict[Any, list[float]] = {name: [] for name in contenders}
    limit = max(HOPELESS * min(best.values()), CALL_NS)
    racing = [name for name in contenders if best[name] <= limit]
    order = random.Random(0)
    started, rounds = time.perf_counter(), 0
    while True:
        if rounds >= ROUNDS and time.perf_counter() - started >= seconds:
            racing = [name for name in racing if best[name] <= CLOSE * min(best.values())]
            settled = rounds >= CLOSE_ROUNDS and all(_is_settled(turns[name]) for name in racing)
            if rivals is None or settled or rounds >= MOST_ROUNDS or not rivals(racing):
                return best
        order.shuffle(racing)  # no contender always follows the same one
        for name in racing:
            repeats = max(1, math.ceil(CALL_NS / max(best[name], 1)))
            turns[name].append(_turn(contenders[name], repeats, finish, warm_ns))
            best[name] = min(best[name], turns[name][-1])
        rounds += 1


def _is_settled(turns):
    shortest = sorted(turns)[:3]
    return shortest[-1] <= SETTLED * shortest[0]


class Ceilings(NamedTuple):
    """The highest rates of this machine, as NumPy measures them."""

    copy: float  # bytes read and written per second by a copy of an array larger than the cache
    float32: float  # multiply-adds per second of a large matrix product
    float64: float

    def shares(self, macs, moved, nanoseconds, dtype):
        """Return the shares of the copy rate and of the product rate that a call reached, by its definition's work.

        A transform does less work than the definition, so the second may exceed 1. None for integers.
        """
        seconds = nanoseconds / 1e9
        products = macs * (4 if dtype.startswith("complex") else 1)
        rate = self.float64 if dtype == "float64" else self.float32
        return moved / seconds / self.copy, None if dtype.startswith("int") else products / seconds / rate


def ceilings(quick=False):
    """Measure the ceilings of this machine."""
    side = 512 if quick else 1536
    source = np.ones(1 << (22 if quick else 25), np.float32)
    target = np.empty_like(source)
    squares = {dtype: np.ones((side, side), dtype) for dtype in ("float32", "float64")}
    calls = {"copy": Timed(lambda: np.copyto(target, source))}
    calls |= {dtype: Timed(lambda a=a: a @ a) for dtype, a in squares.items()}
    # Each by itself: they don't compete, and the first copy into new memory would seem hopeless.
    best = {name: interleaved({name: call}, 0.1 if quick else 0.7)[name] for name, call in calls.items()}
    rates = {dtype: side**3 / best[dtype] * 1e9 for dtype in squares}
    return Ceilings(2 * source.nbytes / best["copy"] * 1e9, **rates)
