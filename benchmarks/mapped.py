"""Filter a memory map far larger than the cap, by every door and along every axis, and print what each call takes.

    python -m benchmarks.mapped --gib 4                   float32 maps of 4 GiB under a cap of 64 MiB
    python -m benchmarks.mapped --gib 0.02 --cap 2 --json --dtypes float32 uint16

The map is a sparse file: zeros that take no disk. Besides its result a call may hold the cap; `beyond` is what NumPy
and Python hold at most beyond the result. On Linux the kernel also refuses the process more private memory than the
result, the cap and some scratch, so that memory of compiled code is bounded too; pages of files are not private.
"""

import argparse
import json
import resource
import sys
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import numpy as np

import arrayconv
from arrayconv import config, ndimage, nn, signal

MIB, GIB = 1 << 20, 1 << 30
SCRATCH = 32 * MIB  # stacks of threads that a call starts, and buffers of matrix products
TAPS = 9
KERNELS = {"0": (TAPS, 1), "1": (1, TAPS), "both": (5, 5)}  # of images
PAIRS = {"0, 1": (0, 1), "1, 2": (1, 2), "0, 2": (0, 2)}  # axes of cubes


class Row(NamedTuple):
    """One door along one axis: the shape of x, that of the kernel, and the call (x, kernel, out or None)."""

    door: str
    axis: str
    shape: tuple[int, ...]
    kernel: tuple[int, ...]
    call: object
    writes: bool = False  # whether it takes `out`


def rows(elements):
    """Yield every row, for arrays of about so many elements."""
    yield from images(round(elements**0.5))
    yield from cubes(16, round((elements / 16) ** 0.5))
    yield from layers(elements)


def images(n):
    """Yield the doors of two-dimensional kernels."""
    for name, kernel in KERNELS.items():
        for function in ("convolve", "correlate"):
            for method in ("auto", "direct", "fft"):
                yield Row(f"signal.{function} {method}", name, (n, n), kernel, of_method(function, method))
        for function in ("fftconvolve", "oaconvolve"):
            yield Row(f"signal.{function}", name, (n, n), kernel, of_signals(function))
        for function in ("convolve2d", "correlate2d"):
            for boundary in ("fill", "symm"):
                yield Row(f"signal.{function} {boundary}", name, (n, n), kernel, of_planes(function, boundary))


def cubes(m, n):
    """Yield the doors of kernels along some axes of three."""
    shape = (m, n, n)
    for axis in range(3):
        for function in ("convolve", "correlate"):
            yield Row(function, str(axis), shape, (TAPS,), along(function, axis))
            yield Row(f"{function} out", str(axis), shape, (TAPS,), along(function, axis), True)
        yield Row("Convolver", str(axis), shape, (TAPS,), convolver(axis))
        yield Row("Convolver out", str(axis), shape, (TAPS,), convolver(axis), True)
        for mode in ("constant", "symmetric", "smooth", "antireflect"):
            yield Row(f"signal.upfirdn {mode}", str(axis), shape, (TAPS,), resampled(axis, mode))
        yield Row("ndimage.correlate1d", str(axis), shape, (TAPS,), filtered(axis))
    for name, axes in PAIRS.items():
        yield Row("convolve", name, shape, (5, 5), along("convolve", axes))
        yield Row("convolve out", name, shape, (5, 5), along("convolve", axes), True)
        yield Row("Convolver", name, shape, (5, 5), convolver(axes))
        yield Row("Convolver out", name, shape, (5, 5), convolver(axes), True)


def layers(elements):
    """Yield the doors of channels, first or among many."""
    n, long = round((elements / 16) ** 0.5), elements // 16
    yield Row("nn.conv1d", "batch", (4, 4, long), (4, 4, TAPS), layer("conv1d", padding=4))
    yield Row("nn.conv1d", "unbatched", (4, 4 * long), (4, 4, TAPS), layer("conv1d", padding=4))
    yield Row("nn.conv1d", "channels", (1, 64, long // 4), (4, 64, 3), layer("conv1d"))
    yield Row("nn.conv2d", "batch", (4, 4, n, n), (4, 4, 3, 3), layer("conv2d", padding=1))
    yield Row("nn.conv2d", "reflect", (4, 4, n, n), (4, 4, 3, 3), layer("conv2d", padding=1, boundary="reflect"))
    yield Row("nn.conv2d", "groups", (4, 4, n, n), (4, 1, 3, 3), layer("conv2d", padding=1, groups=4))
    yield Row("nn.conv2d", "bias", (4, 4, n, n), (4, 4, 3, 3), layer("conv2d", bias=True, padding=1))
    yield Row("nn.conv_transpose2d", "batch", (4, 4, n // 2, n // 2), (4, 4, 3, 3), layer("conv_transpose2d", stride=2))


def of_method(function, method):
    """Return a call of `signal` with a method."""
    return lambda x, kernel, out: getattr(signal, function)(x, kernel, "same", method)


def of_signals(function):
    """Return a call of `signal` over all axes along which the kernel is longer than 1."""

    def call(x, kernel, out):
        return getattr(signal, function)(x, kernel, "same", axes=[axis for axis, n in enumerate(kernel.shape) if n > 1])

    return call


def of_planes(function, boundary):
    """Return a call of `signal` with a boundary."""
    return lambda x, kernel, out: getattr(signal, function)(x, kernel, "same", boundary)


def resampled(axis, mode):
    """Return a call of `signal.upfirdn`."""
    return lambda x, kernel, out: signal.upfirdn(kernel, x, 2, 3, axis, mode)


def along(function, axes):
    """Return a call of the core along some axes."""
    return lambda x, kernel, out: getattr(arrayconv, function)(x, kernel, "same", axes=axes, out=out)


def convolver(axes):
    """Return a call of a `Convolver`."""
    return lambda x, kernel, out: arrayconv.Convolver(kernel, "same", axes=axes)(x, out=out)


def filtered(axis):
    """Return a call of `ndimage`."""
    return lambda x, kernel, out: ndimage.correlate1d(x, kernel, axis)


def layer(function, *, bias=False, **options):
    """Return a call of `nn`."""

    def call(x, weight, out):
        ones = np.ones(weight.shape[0], x.dtype) if bias else None
        return getattr(nn, function)(x, weight, ones, **options)

    return call


class Memory:
    """The most that a call holds: `traced` by NumPy and Python, and the limit that the kernel enforces."""

    def __init__(self, allowed):
        self._allowed = allowed

    def __enter__(self):
        self._limits = resource.getrlimit(resource.RLIMIT_DATA)
        tracemalloc.start()
        if sys.platform.startswith("linux"):
            status = Path("/proc/self/status").read_text()
            private = int(status.split("VmData:")[1].split()[0]) * 1024
            resource.setrlimit(resource.RLIMIT_DATA, (private + self._allowed, self._limits[1]))
        return self

    def __exit__(self, *failure):
        self.traced = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        resource.setrlimit(resource.RLIMIT_DATA, self._limits)


def mapped(folder, dtype, shape):
    """Return a read-only map of a sparse file."""
    path = Path(folder) / f"{dtype}-{'x'.join(map(str, shape))}"
    if not path.exists():
        np.memmap(path, dtype, "w+", shape=shape).flush()
    return np.memmap(path, dtype, "r", shape=shape)


def operands(row, dtype, folder):
    """Return x, the kernel and the array to write to, or None."""
    random = np.random.default_rng(0)
    taps = random.integers(1, 9, row.kernel).astype(dtype)
    out = np.memmap(Path(folder) / "out", dtype, "w+", shape=row.shape) if row.writes else None
    return mapped(folder, dtype, row.shape), taps, out


def measured(row, dtype, folder, cap):
    """Return what is seen of one call."""
    x, kernel, out = operands(row, dtype, folder)
    small = x[tuple(slice(0, 64) for _ in x.shape)]
    for limit in (cap, None):  # what the call imports, and threads; the last one without pieces
        with config.using(max_workspace=limit):
            y = row.call(small, kernel, None if out is None else np.empty(small.shape, dtype))
    size = 0 if out is not None else result_bytes(row, x.shape, small.shape, y)
    facts = {"door": row.door, "axis": row.axis, "dtype": dtype, "map": x.nbytes, "cap": cap}
    start = time.perf_counter()
    try:
        with Memory(size + cap + SCRATCH) as memory, config.using(max_workspace=cap):
            y = row.call(x, kernel, out)
    except (ValueError, MemoryError) as failure:
        return {**facts, "failure": f"{type(failure).__name__}: {failure}"[:300]}
    seconds = time.perf_counter() - start
    beyond = memory.traced - (0 if out is not None else y.nbytes)
    return {**facts, "result": y.nbytes, "beyond": beyond, "seconds": round(seconds, 2)}


def result_bytes(row, shape, small, y):
    """Return at least the bytes of a result on x of `shape`, from that of a small one."""
    size = y.itemsize
    for axis, n in enumerate(y.shape):
        ratio = 1 if row.door.startswith("nn.") and axis < y.ndim - len(row.kernel) + 2 else shape[axis] / small[axis]
        size *= n * ratio + (n if ratio > 1 else 0)
    return int(size)


def products():
    """Multiply matrices on two threads at a time, for which BLAS keeps a buffer each from then on."""
    meeting, square = threading.Barrier(2), np.ones((700, 700), "float32")

    def multiply():
        meeting.wait()
        for _ in range(20):
            square @ square

    other = threading.Thread(target=multiply)
    other.start()
    multiply()
    other.join()


def text(facts):
    """Return a line of the table."""
    head = f"{facts['door']:26}{facts['axis']:>10}{facts['dtype']:>9}"
    if "failure" in facts:
        return f"{head}  {facts['failure']}"
    return f"{head}{facts['beyond'] / MIB:9.1f} MiB beyond{facts['result'] / GIB:7.2f} GiB{facts['seconds']:9.1f} s"


def main():
    """Measure the rows that the arguments select."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gib", type=float, default=4, help="size of the map")
    parser.add_argument("--cap", type=float, default=64, help="max_workspace in MiB")
    parser.add_argument("--doors", nargs="+", default=[""], help="starts of the names of the doors")
    parser.add_argument("--dtypes", nargs="+", default=["float32"])
    parser.add_argument("--json", action="store_true", help="a line of JSON per row instead of a table")
    selection = parser.parse_args()
    products()
    for dtype in selection.dtypes:
        for row in rows(int(selection.gib * GIB) // np.dtype(dtype).itemsize):
            if f"{row.door} {row.axis}".startswith(tuple(selection.doors)):
                with tempfile.TemporaryDirectory() as folder:
                    facts = measured(row, dtype, folder, int(selection.cap * MIB))
                print(json.dumps(facts) if selection.json else text(facts), flush=True)


if __name__ == "__main__":
    main()
