"""Time to build the graph of a call on a Dask array, per chunk: ``python -m benchmarks.chunked [--json FILE]``.

Beside it the time of `dask.array.map_overlap` with the same halo, in the same process, interleaved; minima of rounds.
Of calls that are several convolutions the tasks alone.
"""

import argparse
from math import ceil, isqrt
from pathlib import Path
from time import thread_time

import dask.array as da
import numpy as np

import arrayconv
from arrayconv import astronomy, ndimage
from benchmarks import files, provenance

PACKAGES = ("arrayconv", "numpy", "dask")
COUNTS = (100, 1000, 10000, 100000)
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
OTHERS = {  # of which the tasks are counted
    "normalized_convolve": lambda x: arrayconv.normalized_convolve(x, TAPS, "same"),
    "astronomy.convolve": lambda x: astronomy.convolve(x, TAPS),
    "match_template": lambda x: arrayconv.match_template(x, np.arange(9, dtype=np.float32).reshape(3, 3)),
}


def measure(count, rounds):
    """Return a row: chunks, and for each call the least seconds to build its graph and the graph's tasks."""
    x = _array(count)
    row = {"chunks": x.npartitions, "seconds": dict.fromkeys(CALLS, float("inf")), "tasks": {}}
    for _ in range(rounds):
        for name, call in CALLS.items():
            start = thread_time()
            graph = dict(call(x).__dask_graph__())  # Dask makes some tasks when they are read
            row["seconds"][name] = min(row["seconds"][name], thread_time() - start)
            row["tasks"][name] = len(graph)
    return row


def count_others(count):
    """Return chunks, and the tasks of each of the other calls before Dask fuses them."""
    x = _array(count)
    return {
        "chunks": x.npartitions,
        "tasks": {name: len(dict(call(x).__dask_graph__())) for name, call in OTHERS.items()},
    }


def main(argv=None):
    """Print one line per number of chunks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="chunks (default: 100 to 100,000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where to write times and tasks")
    options = parser.parse_args(argv)
    run, rows = provenance.Run(PACKAGES), []
    for count in options.counts:
        rows.append(row := measure(count, options.rounds if count < COUNTS[-1] else 1))
        each = [
            f"{name} {1e6 * row['seconds'][name] / row['chunks']:6.1f} us/chunk, "
            f"{row['tasks'][name] / row['chunks']:4.1f} tasks/chunk"
            for name in CALLS
        ]
        print(f"{row['chunks']:6} chunks: {'; '.join(each)}", flush=True)
    others = count_others(min(options.counts))
    print("; ".join(f"{name} {tasks / others['chunks']:.1f} tasks/chunk" for name, tasks in others["tasks"].items()))
    if options.json:
        files.write(options.json, run.result(rows=rows, others=others))


if __name__ == "__main__":
    main()
