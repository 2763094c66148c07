"""The time of a push through a long kernel, as a share of real time: `python -m benchmarks.streams`.

Minimum, median, 99 % quantile and longest of many pushes, by the clock and of the thread alone: other programs delay
the former. Pushes repeat in phases, since long partitions work when their blocks are complete; the longest phase is the
largest minimum over the pushes of one phase.
"""

import argparse
import time

import numpy as np

from arrayconv import Convolver

QUANTILES = (0, 0.5, 0.99, 1)


def times(taps, chunk, dtype, pushes):
    """Return the stream, and seconds of each push by the clock and of the thread: (2, pushes)."""
    random = np.random.default_rng(0)
    stream = Convolver(random.standard_normal(taps).astype(dtype)).stream(max_latency=chunk - 1)
    x = random.standard_normal(chunk).astype(dtype)
    for _ in range(max(4, pushes // 10)):
        stream.push(x)
    rows = []
    for _ in range(pushes):
        clock, thread = time.perf_counter(), time.thread_time()
        stream.push(x)
        rows.append((time.perf_counter() - clock, time.thread_time() - thread))
    return stream, np.array(rows).T


def longest_phase(seconds, phases):
    """Return the largest of the minima over the pushes of each phase."""
    return max(seconds[phase::phases].min() for phase in range(phases))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--taps", type=int, default=100_000)
    parser.add_argument("--chunks", type=int, nargs="+", default=[64, 1024])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"])
    parser.add_argument("--rate", type=int, default=48_000, help="samples per second")
    parser.add_argument("--pushes", type=int, default=3000)
    options = parser.parse_args()
    for dtype in options.dtypes:
        for chunk in options.chunks:
            stream, (clock, thread) = times(options.taps, chunk, dtype, options.pushes)
            phases = max([1, *(part.block // chunk for part in stream.partitions)])
            real_time = chunk / options.rate
            print(f"{options.taps} taps, chunks of {chunk}, {dtype}: {stream.method}, latency {stream.latency}")
            print("    " + ", ".join(f"{part.blocks} x {part.block}" for part in stream.partitions))
            for name, seconds in (("clock", clock), ("thread", thread)):
                shares = np.quantile(seconds, QUANTILES) / real_time
                worst = longest_phase(seconds, phases) / real_time if options.pushes >= phases else np.nan
                row = ", ".join(f"{share:.2%}" for share in shares)
                print(f"    {name}: minimum, median, 99 %, longest: {row} of real time; longest phase {worst:.2%}")


if __name__ == "__main__":
    main()
