"""Measure methods on one library, in a process of their own: ``python -m tests.memory.child LIBRARY METHOD...``.

Prints a line of JSON per method, problem and budget. What a call takes is seen twice: from outside as the rise of the
process' resident memory (the kernel keeps its high-water mark, and resets it on request), and for NumPy from inside as
the bytes its allocator reports to tracemalloc. Imports, compiled code, thread pools and the libraries' own caches are
there before: every call is made once unmeasured.
"""

import ctypes
import gc
import json
import os
import platform
import sys
import tracemalloc
from itertools import product
from math import log2
from pathlib import Path

import numpy as np

from arrayconv._arrays import dtypes
from arrayconv._arrays.namespace import compat_namespace
from arrayconv._plan.rank import TABLE
from tests.memory.problems import ELSEWHERE, PROBLEMS

MAX_CALLS = 4
OBJECTS = 128 * 1024  # plans, views and Python's own objects, of which no formula knows
SCRATCH = 2 << 20  # what libraries hold inside one function, beyond what NumPy's own would show; pages, not bytes
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
GLIBC = platform.libc_ver()[0] == "glibc"
LARGE = GLIBC and int(os.environ.get("MALLOC_MMAP_THRESHOLD_", "0"))  # bytes from which it maps what fits no hole
MAPPED = 2  # a bit of the size that glibc keeps before a block
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]


def resident(field):
    """Return a size of this process in bytes: 'VmRSS' now, 'VmHWM' at most since `reset`."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def reset():
    """Give free memory back to the system, and let the high-water mark begin anew."""
    gc.collect()
    libc.malloc_trim(0)
    plug()
    CLEAR.write_text("5")


def plug():
    """Take the holes of the heap, so that a large array is a mapping of its own, which ends when it is freed.

    glibc maps only what fits no hole. Arrays that come and go in holes leave pages touched here and there, by chance.
    """
    while LARGE:
        block = libc.malloc(LARGE)  # never freed, and but for its header never touched
        if ctypes.c_size_t.from_address(block - ctypes.sizeof(ctypes.c_size_t)).value & MAPPED:
            libc.free(block)
            return


def rise(call):
    """Return the bytes by which resident memory rises at most during a call."""
    reset()
    before = resident("VmRSS")
    call()
    return resident("VmHWM") - before


def traced(call):
    """Return the bytes that NumPy and Python hold at most during a call."""
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def lowest(measure, call, limit):
    """Return the lowest of some measurements, of which the first within the limit is low enough.

    BLAS takes any of its buffers for a product, and touches new memory in each once.
    """
    least = measure(call)
    for _ in range(1, MAX_CALLS):
        if least <= limit:
            break
        least = min(least, measure(call))
    return least


def budgets(problem, x, kernel, method):
    """Return the caps to measure under: none, a quarter of what the method takes then, and little above its least."""
    whole = problem.explain(x, kernel, method=method).workspace
    least = problem.smallest(x, kernel, method)
    room = max(whole - least, 0)
    return {"none": None, "quarter": max(whole // 4, least + room // 3), "least": least + room // 6}


def tolerance(problem, x, kernel, method):
    """Return the allowed difference of two results: each may be as far from the exact one as the contract says."""
    plan = problem.explain(x, kernel, method=method)
    if dtypes.kind(plan.dtype) == "integer":
        return 0
    host, taps = np.asarray(x).astype("complex128"), np.asarray(kernel).astype("complex128")
    finite = np.nan_to_num(np.abs(host))
    factor = 4 if dtypes.kind(plan.dtype) == "complex" else 1
    eps = dtypes.eps(plan.accumulator)
    if TABLE[method].accuracy == "componentwise":
        sizes = problem.call(finite, np.abs(taps), accuracy="componentwise")
        terms = taps.size * factor
        return 2 * (terms + 2) * (eps + dtypes.eps(plan.dtype)) * sizes
    samples = 4 * host.size + 16 * taps.size  # with what is read beyond the ends
    norms = np.max(finite) * np.sqrt(samples) * np.linalg.norm(taps)
    return 2 * factor * (taps.size + 12 * log2(samples) + 4) * eps * norms


def apart(y, reference, tolerance):
    """Return the largest difference of two results, in units of the allowed one."""
    y, reference = np.asarray(y), np.asarray(reference)
    if not np.array_equal(np.isfinite(y), np.isfinite(reference)):
        return float("inf")
    if y.dtype.kind in "iu":
        return float(np.max(y != reference, initial=0))
    with np.errstate(invalid="ignore"):
        far = np.abs(y.astype("complex128") - reference) / (tolerance + dtypes.tiny("float32"))
    return float(np.max(far[np.isfinite(y)], initial=0))


def measure(problem, method, name):
    """Yield what is seen of one method on one problem, budget by budget."""
    xp = compat_namespace(name)
    host_x, host_kernel = problem.operands()
    x, kernel = xp.asarray(host_x), xp.asarray(host_kernel)
    reason = problem.why_not(x, kernel, method)
    if reason is not None:
        yield {"refusal": reason}
        return
    plan = problem.explain(x, kernel, method=method)
    out = xp.zeros(plan.output_shape, dtype=getattr(xp, plan.dtype))
    allowed, reference = tolerance(problem, x, kernel, method), None
    for budget, limit in budgets(problem, x, kernel, method).items():
        options = {"method": method, "max_workspace": limit}

        def call(options=options):
            problem.call(x, kernel, out=out, **options)

        plan = problem.explain(x, kernel, **options)
        call()
        gc.freeze()  # what is there now is not looked through again and again
        reference = np.array(out) if reference is None else reference
        yield {
            "budget": budget,
            "limit": limit,
            "workspace": plan.workspace,
            "steps": plan.steps,
            "rise": lowest(rise, call, plan.workspace + SCRATCH),
            "traced": lowest(traced, call, plan.workspace + OBJECTS) if name == "numpy" else None,
            "apart": apart(out, reference, allowed),
        }


def main(name, *methods):
    for method, problem in product(methods, PROBLEMS):
        if name != "numpy" and problem.name not in ELSEWHERE:
            continue
        for row in measure(problem, method, name):
            print(json.dumps({"method": method, "problem": problem.name, **row}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
