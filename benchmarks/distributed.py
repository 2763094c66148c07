"""A Gaussian filter of a zarr image on processes of dask.distributed: ``python -m benchmarks.distributed``.

Beside it the same filter of dask-image, if that is installed, and of one call on the whole image in one process. Each
runs in a process or a cluster of its own; `--rounds` interleaves them. Bytes, peaks and seconds are those of the
workers alone: Linux counts them, chunks that were on disk meanwhile included. Moved bytes are what workers received
from each other.
"""

import argparse
import logging
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import dask
import dask.array as da
import zarr
from distributed import Client, LocalCluster

import arrayconv
from arrayconv import ndimage
from benchmarks import files, provenance

PACKAGES = ("arrayconv", "numpy", "dask", "distributed", "dask-image", "zarr")
SIGMA = 2.0
MB = 1e6


class Sample(NamedTuple):
    """What a run of a contender took."""

    seconds: float
    read: int
    written: int
    moved: int  # bytes, between workers
    peak: int  # bytes of the largest worker


def counters(dask_worker):
    """Return bytes read, written and received from other workers, and peak memory of this process."""
    io, status = (
        dict(line.split(":", 1) for line in Path(f"/proc/self/{name}").read_text().splitlines())
        for name in ("io", "status")
    )
    moved = sum(entry["total"] for entry in dask_worker.transfer_incoming_log)
    return int(io["rchar"]), int(io["wchar"]), moved, 1024 * int(status["VmHWM"].split()[0])


def _chunks(source, target):
    with arrayconv.config.using(threads=1):
        return ndimage.gaussian_filter(da.from_zarr(source), SIGMA, mode="mirror").to_zarr(target, compute=False)


def _dask_image(source, target):
    filters = import_module("dask_image.ndfilters")
    return filters.gaussian_filter(da.from_zarr(source), SIGMA, mode="mirror").to_zarr(target, compute=False)


def _one_call(source, target):
    return dask.delayed(_whole)(source, target)


def _whole(source, target):
    x = zarr.open_array(source, mode="r")
    y = ndimage.gaussian_filter(x[...], SIGMA, mode="mirror")
    zarr.create_array(target, shape=x.shape, chunks=x.chunks, dtype=x.dtype)[...] = y


CONTENDERS = {"arrayconv": _chunks, "dask-image": _dask_image, "one call": _one_call}


def measure(name, source, target, workers, limit):
    """Return what a contender takes on a cluster that is started for it."""
    count = 1 if name == "one call" else workers
    with (
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            memory_limit=None if name == "one call" else limit,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.run(lambda: import_module("arrayconv.ndimage"))
        delayed = CONTENDERS[name](source, target)
        before = client.run(counters)
        start = time.perf_counter()
        client.compute(delayed).result()
        seconds = time.perf_counter() - start
        after = client.run(counters)
        sums = (sum(after[one][part] - before[one][part] for one in before) for part in range(3))
        return Sample(seconds, *sums, max(peak for *_, peak in after.values()))


def main(argv=None):
    """Print one line per contender: the least seconds of its rounds, and the rest of that round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=11_600, help="pixels along a side")
    parser.add_argument("--chunk", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", type=int, default=500, help="megabytes per worker")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write times and bytes")
    options = parser.parse_args(argv)
    run = provenance.Run(PACKAGES)
    with tempfile.TemporaryDirectory() as folder, dask.config.set({"temporary-directory": folder}):
        source = f"{folder}/image.zarr"
        image = da.random.default_rng(0).random((options.side,) * 2, chunks=options.chunk, dtype="float32")
        image.to_zarr(source)
        print(f"{image.nbytes / MB:.0f} MB in {image.npartitions} chunks, {options.workers} workers", flush=True)
        samples = {name: [] for name in CONTENDERS if name != "dask-image" or find_spec("dask_image")}
        for number in range(options.rounds):
            for name, each in samples.items():
                target = f"{folder}/{name}-{number}.zarr"
                each.append(measure(name, source, target, options.workers, options.limit * 10**6))
    best = {name: min(each) for name, each in samples.items()}
    for name, one in best.items():
        print(
            f"{name:10}: {one.seconds:6.1f} s, read {one.read / MB:6.0f} MB, wrote {one.written / MB:6.0f} MB, "
            f"moved {one.moved / MB:6.0f} MB, peak per worker {one.peak / MB:5.0f} MB"
        )
    if options.json:
        facts = {"bytes": image.nbytes, "chunk": options.chunk**2 * image.dtype.itemsize}
        facts |= {"workers": options.workers, "limit": options.limit * 10**6, "rounds": options.rounds}
        rows = [{"name": name, **one._asdict()} for name, one in best.items()]
        files.write(options.json, run.result(**facts, rows=rows))


if __name__ == "__main__":
    main()
