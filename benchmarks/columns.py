"""Time tiles on images whose rows use the same lines of the first cache, with and without copies at other addresses.

    python benchmarks/columns.py

Prints, per image and kernel, the shortest milliseconds on one thread in place, as a copy, and of the same image with
eight columns more, which is read in place. Rows of a multiple of 4096 bytes use the same lines.
"""

import importlib
import math
import time

import numpy as np

import arrayconv
from arrayconv._calls import cache

IMAGES = ((512, "float64"), (1024, "float32"), (2048, "float32"))
TAPS = (4, 7, 15)
ROUNDS = 12
tiles = importlib.import_module("arrayconv._accel.native.tiles")


def bound_call(x, kernel, conflict):
    """Return a bound call that copies rows where the kernel has at least `conflict` rows."""
    shipped, tiles._CONFLICT_TAPS = tiles._CONFLICT_TAPS, conflict
    tiles.job.cache_clear()
    cache._calls.clear()
    arrayconv.convolve(x, kernel, "same", method="native_tiles")
    tiles._CONFLICT_TAPS = shipped
    (bound,) = cache._calls.values()
    return lambda: bound(x, kernel)


def main():
    random = np.random.default_rng(0)
    print("image           taps    in place   copied   8 more")
    with arrayconv.config.using(threads=1):
        for size, dtype in IMAGES:
            for taps in TAPS:
                kernel = random.standard_normal((taps, taps)).astype(dtype)
                x, wider = (random.standard_normal((size, n)).astype(dtype) for n in (size, size + 8))
                calls = [bound_call(x, kernel, taps + 1), bound_call(x, kernel, 0), bound_call(wider, kernel, taps + 1)]
                least = [math.inf] * len(calls)
                for _ in range(ROUNDS):
                    for number, call in enumerate(calls):
                        start = time.perf_counter()
                        call()
                        least[number] = min(least[number], time.perf_counter() - start)
                times = "".join(f"{1000 * one:9.3f}" for one in least)
                print(f"{size}^2 {dtype}".ljust(16), f"{taps}^2".ljust(6), times)


if __name__ == "__main__":
    main()
