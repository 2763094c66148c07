"""Time every method over the workspace of a piece, from which the `tile_bytes` of the algorithms were set.

    python benchmarks/tiles.py

Prints, per method and problem, the shortest time in milliseconds for each limit (0 for none) and the number of pieces.
"""

import dataclasses
import math
import time

import numpy as np

import arrayconv
from arrayconv import _algorithms
from arrayconv._plan import plan

LIMITS = {"direct": (18, 19, 20, 21, 22), "im2col": (20, 21, 22, 23, 24), "overlap_save": (21, 22, 23, 24, 25)}
PROBLEMS = (
    ((512, 512), (3, 3)),
    ((2048, 2048), (7, 7)),
    ((2048, 2048), (31, 31)),
    ((1_000_000,), (31,)),
    ((100, 100, 50), (3, 3, 3)),
)
ROUNDS = 5


def shortest(call):
    """Return the least milliseconds of several calls, after one that plans."""
    call()
    best = math.inf
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return 1000 * best


def main():
    random = np.random.default_rng(0)
    for method, powers in LIMITS.items():
        own = _algorithms.ALGORITHMS[method]
        for size, taps in PROBLEMS:
            if method != "overlap_save" and math.prod(taps) > 100:
                continue
            x, kernel = random.standard_normal(size, np.float32), random.standard_normal(taps, np.float32)
            cells = []
            for limit in (0, *(1 << power for power in powers)):
                _algorithms.ALGORITHMS[method] = dataclasses.replace(own, cuts=own.cuts._replace(tile_bytes=limit))
                plan.make.cache_clear()
                took = shortest(lambda: arrayconv.convolve(x, kernel, "same", method=method))  # noqa: B023, called here
                steps = arrayconv.explain(x, kernel, "same", method=method).steps
                cells.append(f"{limit >> 10} KiB: {took:.1f} ({steps})")
            print(f"{method:<13} {'x'.join(map(str, size)):>11} * {'x'.join(map(str, taps)):<6}", "  ".join(cells))
        _algorithms.ALGORITHMS[method] = own


if __name__ == "__main__":
    main()
