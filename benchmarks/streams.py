"""The time of a push through a long kernel, as a share of real time: `python -m benchmarks.streams [--json FILE]`.

Minimum, median, 99 % quantile and longest of many pushes, by the clock and of the thread alone: other programs delay
the former. Pushes repeat in phases, since long partitions work when their blocks are complete; the longest phase is the
largest minimum over the pushes of one phase. Then the median of the pushes whose windows contain a NaN, which the
ordinary plan computes, and the shortest push of a direct method beside the `Convolver`'s own call.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from arrayconv import Convolver
from benchmarks import files, provenance

PACKAGES = ("arrayconv", "numpy", "scipy", "ducc0")
QUANTILES = {"shortest": 0, "median": 0.5, "99 %": 0.99, "longest": 1}
DIRECT = 17, 64  # taps and samples of a chunk


def times(push, x, pushes):
    """Return seconds of each push by the clock and of the thread: (2, pushes)."""
    rows = []
    for _ in range(pushes):
        clock, thread = time.perf_counter(), time.thread_time()
        push(x)
        rows.append((time.perf_counter() - clock, time.thread_time() - thread))
    return np.array(rows).T


def longest_phase(seconds, phases):
    """Return the largest of the minima over the pushes of each phase, None if a phase has no push."""
    if len(seconds) < phases:
        return None
    return max(float(seconds[phase::phases].min()) for phase in range(phases))


def measure(taps, chunk, dtype, pushes):
    """Return the row of a kernel and a size of chunks, with times in seconds."""
    random = np.random.default_rng(0)
    stream = Convolver(random.standard_normal(taps).astype(dtype)).stream(max_latency=chunk - 1)
    x = random.standard_normal(chunk).astype(dtype)
    times(stream.push, x, max(4, pushes // 10))  # uncounted: the first ones allocate
    phases = max([1, *(part.block // chunk for part in stream.partitions)])
    row = {"taps": taps, "chunk": chunk, "dtype": dtype, "pushes": pushes}
    row |= {"method": stream.method, "latency": stream.latency}
    row["partitions"] = [[part.blocks, part.block] for part in stream.partitions]
    for name, seconds in zip(("clock", "thread"), times(stream.push, x, pushes), strict=True):
        shares = np.quantile(seconds, list(QUANTILES.values())).tolist()
        row[name] = dict(zip(QUANTILES, shares, strict=True), phase=longest_phase(seconds, phases))
    gap = x.copy()
    gap[0] = np.nan
    stream.push(gap)
    row["after_nan"] = float(np.median(times(stream.push, x, taps // chunk)[1]))
    return row


def measure_direct(pushes):
    """Return the shortest seconds of a push of a direct method, and of the `Convolver`'s call, in turns."""
    taps, chunk = DIRECT
    random = np.random.default_rng(0)
    convolver = Convolver(random.standard_normal(taps).astype("float32"))
    stream, x = convolver.stream(), random.standard_normal(chunk).astype("float32")
    calls = {"push": stream.push, "call": convolver}
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(10):
        for name, call in calls.items():
            best[name] = min(best[name], float(times(call, x, pushes // 10)[0].min()))
    return {"taps": taps, "chunk": chunk, "method": stream.method, **best}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--taps", type=int, default=100_000)
    parser.add_argument("--chunks", type=int, nargs="+", default=[64, 1024])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"])
    parser.add_argument("--rate", type=int, default=48_000, help="samples per second")
    parser.add_argument("--pushes", type=int, default=3000)
    parser.add_argument("--json", type=Path, help="where to write the times")
    options = parser.parse_args(argv)
    run, rows = provenance.Run(PACKAGES), []
    for dtype in options.dtypes:
        for chunk in options.chunks:
            rows.append(measure(options.taps, chunk, dtype, options.pushes))
            show(rows[-1], options.rate)
    direct = measure_direct(options.pushes)
    print("{taps} taps, chunks of {chunk}, {method}: push {push:.2e} s, call {call:.2e} s".format(**direct))
    if options.json:
        files.write(options.json, run.result(rate=options.rate, rows=rows, direct=direct))


def show(row, rate):
    """Print a row, as shares of the time that a chunk lasts."""
    lasts = row["chunk"] / rate
    print("{taps} taps, chunks of {chunk}, {dtype}: {method}, latency {latency}".format(**row))
    print("    " + ", ".join(f"{blocks} x {block}" for blocks, block in row["partitions"]))
    for name in ("clock", "thread"):
        shares = ", ".join(f"{key} {s / lasts:.2%}" for key, s in row[name].items() if s is not None)
        print(f"    {name}: {shares} of real time")
    print(f"    after a NaN: {row['after_nan'] / lasts:.0%}", flush=True)


if __name__ == "__main__":
    main()
