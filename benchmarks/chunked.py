"""Time to build the graph of a call on a Dask array, per chunk: ``python -m benchmarks.chunked``.

Beside it the time of `dask.array.map_overlap` with the same halo, in the same process, interleaved; minima of rounds.
"""

import argparse
from math import ceil, isqrt
from time import thread_time

import dask.array as da
import numpy as np

import arrayconv
from arrayconv import ndimage

COUNTS = (10, 100, 1000, 10000, 100000)
TAPS = np.ones((3, 3), np.float32)
SIDE = 100  # samples along an axis of a chunk


def _array(count):
    side = max(isqrt(count), 1)
    return da.zeros((side * SIDE, ceil(count / side) * SIDE), chunks=SIDE, dtype=np.float32)


CALLS = {
    "convolve": lambda x: arrayconv.convolve(x, TAPS, "same"),
    "gaussian_filter": lambda x: ndimage.gaussian_filter(x, 1.0),
    "map_overlap": lambda x: da.map_overlap(np.negative, x, depth=1, boundary="reflect", meta=np.empty((0, 0), "f4")),
}


def measure(count, rounds):
    """Return chunks, and for each call the least seconds to build its graph and the graph's tasks."""
    x = _array(count)
    best = dict.fromkeys(CALLS, float("inf"))
    tasks = {}
    for _ in range(rounds):
        for name, call in CALLS.items():
            start = thread_time()
            graph = dict(call(x).__dask_graph__())  # Dask makes some tasks when they are read
            best[name] = min(best[name], thread_time() - start)
            tasks[name] = len(graph)
    return x.npartitions, best, tasks


def main():
    """Print one line per number of chunks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="chunks (default: 10 to 100,000)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for count in options.counts:
        chunks, best, tasks = measure(count, options.rounds if count < COUNTS[-1] else 1)
        each = [
            f"{name} {1e6 * best[name] / chunks:6.1f} us/chunk, {tasks[name] / chunks:4.1f} tasks/chunk"
            for name in CALLS
        ]
        print(f"{chunks:6} chunks: {'; '.join(each)}", flush=True)


if __name__ == "__main__":
    main()
