"""The compiled loops inside XLA programs: one custom call for all of them, see `native/src/xla.h`.

XLA calls it by address, without Python or its lock, on the program's own buffers: nothing is copied. It is registered
when the first program that calls it is traced, under a name that is the same in every process.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from math import prod
from typing import Any

from arrayconv._accel.native import loader
from arrayconv._accel.native.in_place import Host
from arrayconv._accel.native.tables import Job, XlaHead, packed
from arrayconv._algorithms import Bound, Context
from arrayconv._arrays.failures import AcceleratorFailed, unavailable
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import MethodCost
from arrayconv._costs.cost_table import method_cost as measured_cost
from arrayconv._runtime.threads import num_chunks

LIBRARY = "xla_ffi"
NAME = "arrayconv.loops.5"  # 5: the format of the tables, so that no program of another format calls these loops


def refusal(traits: Traits) -> str | None:
    """Return why no loop supports these arrays, or None."""
    reason = loader.refusal("jax", traits) or unavailable(LIBRARY, "jax", traits)
    if reason is not None:
        return reason
    return None if traits.device == "cpu" else f"it supports arrays on CPUs. Got {traits.device}"


def method_cost(native: str) -> MethodCost:
    """Return the cost of a loop on NumPy arrays, with XLA's call overhead, which is the same for all loops."""
    return measured_cost(native)._replace(call_ns=measured_cost("xla_tiles").call_ns)


@cache
def registered() -> str:
    """Register the loops with XLA and return their name; raises AcceleratorFailed if XLA refuses them."""
    try:
        ffi = import_module("jax.ffi")
        ffi.register_ffi_target(NAME, ffi.pycapsule(loader.loaded().xla), platform="cpu")
    except Exception as failure:  # the type depends on the release of JAX
        reason = f"XLA refuses the loops; its FFI may have another version. {type(failure).__name__}: {failure}"
        raise AcceleratorFailed(LIBRARY, reason) from failure
    return NAME


Layouts = tuple[tuple[int, ...] | None, tuple[int, ...] | None]  # of both operands; None for a contiguous one
_CONTIGUOUS: Layouts = (None, None)


def bound(
    job: Job, shape: tuple[int, ...], threads: int, context: Context, index: Any = ..., layouts: Layouts = _CONTIGUOUS
) -> Bound:
    """Return a loop with at most `threads` threads on arrays whose axes are in memory in the order of `layouts`.

    Its result is y[index], with a contiguous y of `shape`.
    """

    def run(x: Any, kernel: Any, out: Any) -> Any:
        """Return y, of the dtype of x, as part of the traced program."""
        tables = {"table": table(job, context, (x.shape, kernel.shape, shape), threads)}
        return call(tables, (x, kernel), shape, x.dtype, layouts)[index]

    return Bound(run)


def table(job: Job, context: Context, shapes: tuple[tuple[int, ...], ...], threads: int) -> Host:
    """Return the table of a loop on x, a kernel and y of these shapes."""
    x, kernel, y = map(prod, shapes)
    return with_sizes(job.units, loader.table(job, context.traits.accumulator, context.fill), (x, kernel, y), threads)


def with_sizes(units: int, own: Host, sizes: tuple[int, int, int], threads: int) -> Host:
    """Return a loop's own table with the elements of x, of the kernel and of y, and at most `threads` threads."""
    threads = max(1, min(threads, units))
    return packed(XlaHead(num_chunks(units, threads), threads, *sizes), own)


def call(
    tables: dict[str, Host],
    operands: tuple[Any, Any],
    shape: tuple[int, ...],
    dtype: Any,
    layouts: Layouts = _CONTIGUOUS,
) -> Any:
    """Return y of loops on x and a kernel, as part of the program; src/xla.h says which tables run together."""
    name, result = registered(), import_module("jax").ShapeDtypeStruct(shape, dtype)
    return import_module("jax.ffi").ffi_call(name, result, input_layouts=layouts)(*operands, **tables)
