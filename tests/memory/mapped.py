"""Filter memory-mapped arrays larger than the cap, in a process of its own: ``python -m tests.memory.mapped FOLDER``.

While a call runs the kernel refuses this process private memory beyond what it holds, the cap and some scratch, so a
copy of x fails at once; pages of files are not private. Prints a line of JSON per array and method.
"""

import json
import resource
import sys
import tracemalloc
from pathlib import Path

import numpy as np

import arrayconv
from arrayconv._plan.rank import TABLE
from arrayconv.testing import error_bound, reference
from benchmarks.mapped import products
from tests.memory.child import resident

MIB = 1 << 20
CAP, SCRATCH = 16 * MIB, 12 * MIB  # threads' stacks and products' buffers are there, but may grow
SHAPES = {"signal": ((32 * MIB,), (9,)), "image": ((8192, 4096), (3, 3))}  # 128 MiB of float32
SLOW_NS = 10_000_000_000  # by the cost model


def mapped(folder, name, shape):
    """Return a read-only array on disk: zeros, but for its ends and its middle."""
    path = Path(folder) / name
    x = np.memmap(path, "float32", "w+", shape=shape)
    random = np.random.default_rng(1)
    for place in places(shape):
        x[place] = random.standard_normal(x[place].shape)
    x.flush()
    del x
    return np.memmap(path, "float32", "r", shape=shape)


def places(shape):
    """Return the boxes at the start, in the middle and at the end."""
    return [tuple(slice(int(at * (n - 40)), int(at * (n - 40)) + 40) for n in shape) for at in (0, 0.5, 1)]


def worst(y, x, kernel, accuracy):
    """Return the largest error around the samples that are not zero, in units of the bound."""
    largest = 0.0
    for place in places(x.shape):
        near = tuple(slice(max(0, s.start - 30), s.stop + 30) for s in place)  # zeros, or the ends of x
        inner = tuple(slice(s.start - n.start, s.stop - n.start) for s, n in zip(place, near, strict=True))
        exact = reference("convolve", np.asarray(x[near]), kernel, "same")
        # A transform may have combined the numbers of all three places, and more zeros.
        bound = 3 * error_bound("convolve", np.asarray(x[near]), kernel, "same", accuracy=accuracy)
        largest = max(largest, float(np.max((np.abs(y[near] - exact) / (bound + 1e-30))[inner])))
    return largest


def limited(call):
    """Return the bytes that NumPy holds at most during a call, which may not take much more than the cap."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    tracemalloc.start()
    resource.setrlimit(resource.RLIMIT_DATA, (resident("VmData") + CAP + SCRATCH, hard))
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        tracemalloc.stop()


def main(folder):
    """Measure every method that may well be used on each array, and 'auto'."""
    products()
    for name, (shape, taps) in SHAPES.items():
        x = mapped(folder, name, shape)
        kernel = np.random.default_rng(2).standard_normal(taps).astype("float32")
        out = np.memmap(Path(folder) / f"{name}-out", "float32", "w+", shape=shape)
        plan = arrayconv.explain(x, kernel, "same", max_workspace=CAP)
        for row in plan.candidates:
            if row.refusal is None and row.cost_ns <= SLOW_NS:
                yield measure(name, row.name, x, kernel, out)
        yield measure(name, "auto", x, kernel, out)
        yield {"array": name, "method": "copy", "failed": fails(lambda x=x: np.array(x))}


def fails(call):
    """Return whether a call is refused the memory it asks for."""
    try:
        limited(call)
    except MemoryError:
        return True
    return False


def measure(name, method, x, kernel, out):
    """Return what is seen of one call into a mapped array, and of one that returns a new array."""
    options = {"method": method, "max_workspace": CAP}
    small = tuple(slice(0, 600) for _ in x.shape)
    warm = arrayconv.convolve(x[small], kernel, "same", **options)  # imports, compiled code, threads
    out[...] = 0
    accuracy = "normwise" if method == "auto" else TABLE[method].accuracy
    peak = limited(lambda: arrayconv.convolve(x, kernel, "same", out=out, **options))
    return {
        "array": name,
        "method": method,
        "traced": peak,
        "worst": worst(out, x, kernel, accuracy),
        "type": f"{type(warm).__module__}.{type(warm).__name__}",
    }


if __name__ == "__main__":
    for line in main(sys.argv[1]):
        print(json.dumps(line), flush=True)
