"""An image larger than memory: read from one zarr store, filtered and written to another, chunk by chunk.

A worker process of dask.distributed gets less memory than the image has bytes, and is killed if it uses more. `--side`
is in pixels, `--limit` in megabytes.
"""

import argparse
import logging
import tempfile
import time
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import zarr
from distributed import Client, LocalCluster, progress

import arrayconv
from arrayconv import ndimage

SIGMA, HALO = 2.0, 8  # a Gaussian's window ends at 4 sigma
MB = 1e6


def counters():
    """Return bytes read, bytes written and peak memory of this process, as Linux counts them."""
    io, status = (
        dict(line.split(":", 1) for line in Path(f"/proc/self/{name}").read_text().splitlines())
        for name in ("io", "status")
    )
    return int(io["rchar"]), int(io["wchar"]), 1024 * int(status["VmHWM"].split()[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=11_600, help="pixels along a side (default: 11,600, 538 MB)")
    parser.add_argument("--limit", type=int, default=500, help="megabytes of the worker (default: 500)")
    options = parser.parse_args()
    chunk = min(1000, options.side // 4)
    with (
        tempfile.TemporaryDirectory() as folder,
        dask.config.set({"temporary-directory": folder}),
        LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            memory_limit=options.limit * 10**6,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        source, target = f"{folder}/image.zarr", f"{folder}/smooth.zarr"
        image = da.random.default_rng(0).random((options.side,) * 2, chunks=chunk, dtype=np.float32)
        image.to_zarr(source)
        print(f"image: {image.nbytes / MB:.0f} MB in {image.npartitions} chunks; worker: {options.limit} MB")

        x = da.from_zarr(source)
        with arrayconv.config.using(threads=1):  # each of the worker's threads runs a task
            smooth = ndimage.gaussian_filter(x, SIGMA, mode="mirror")
        (before,) = client.run(counters).values()
        start = time.perf_counter()
        written = client.compute(smooth.to_zarr(target, compute=False))
        progress(written)
        written.result()
        seconds = time.perf_counter() - start
        (after,) = client.run(counters).values()
        read, wrote = (after[part] - before[part] for part in range(2))
        print(f"\nread {read / MB:.0f} MB, wrote {wrote / MB:.0f} MB, with chunks that were on disk meanwhile")
        print(f"peak memory of the worker: {after[2] / MB:.0f} MB, {before[2] / MB:.0f} MB of them before the filter")
        print(f"{seconds:.1f} s, {x.nbytes / MB / seconds:.0f} MB of pixels per second")
        assert after[2] < options.limit * MB

        # A tile across chunks, from the file: the same as from its pixels and their neighbours in one array.
        tile = slice(chunk - 5, chunk + 20)
        around = slice(max(tile.start - HALO, 0), tile.stop + HALO)
        pixels = zarr.open_array(source, mode="r")[around, around]
        expected = ndimage.gaussian_filter(pixels, SIGMA, mode="mirror")
        inner = slice(tile.start - around.start, tile.stop - around.start)
        y = zarr.open_array(target, mode="r")[tile, tile]
        assert np.allclose(y, expected[inner, inner], rtol=1e-6, atol=0)
        print(f"tile {tile.start}:{tile.stop} squared equals the filter of its pixels and {HALO} around")


if __name__ == "__main__":
    main()
