"""Our loops inside XLA programs: one custom call for all of them, see `native/xla.h`.

XLA calls it by address, without Python or its lock, on the buffers of the program: nothing is copied. It is registered
when the first program that calls it is traced, under a name that is the same in every process.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from math import prod
from typing import Any, NamedTuple

from arrayconv._accel import _native
from arrayconv._accel._tables import XlaHead, double_bits, packed
from arrayconv._algorithms import Bound, Context
from arrayconv._failures import AcceleratorFailed, unavailable
from arrayconv._xp import Traits

LIBRARY = "xla_ffi"
NAME = "arrayconv.loops.2"  # 2: the format of the tables, so that no program of another format calls these
_CHUNKS = 4  # per thread, so that one that is held up does not keep the others waiting


def refusal(traits: Traits) -> str | None:
    """Return why no loop can serve these arrays, or None."""
    reason = _native.refusal("jax", traits) or unavailable(LIBRARY, "jax", traits)
    if reason is not None:
        return reason
    return None if traits.device == "cpu" else f"it serves arrays on CPUs. Got {traits.device}"


@cache
def registered() -> str:
    """Return the name under which XLA knows the loops; raises AcceleratorFailed where it refuses them."""
    try:
        ffi = import_module("jax.ffi")
        ffi.register_ffi_target(NAME, ffi.pycapsule(_native.loaded().xla), platform="cpu")
    except Exception as failure:
        reason = f"XLA refuses the loops, as one of another FFI version does. {type(failure).__name__}: {failure}"
        raise AcceleratorFailed(LIBRARY, reason) from failure
    return NAME


class Call(NamedTuple):
    """One call of a loop on contiguous arrays."""

    loop: int  # _native.ROWS, TILES or IMAGES
    shape: tuple[int, ...]  # of y
    units: int  # blocks of outputs
    threads: int  # at most
    table: Sequence[Any]  # of the loop


def _run(call: Call, x: Any, kernel: Any, context: Context) -> Any:
    """Return y, of the dtype of x, as part of the program that is being traced."""
    name, code = registered(), _native.loaded()
    threads = max(1, min(call.threads, call.units))
    head = XlaHead(
        loop=call.loop,
        level=code.level,
        kind=code.kinds[context.traits.accumulator],
        fill=double_bits(context.fill),
        units=call.units,
        chunks=1 if threads == 1 else min(call.units, _CHUNKS * threads),
        threads=threads,
        x_size=prod(x.shape),
        w_size=prod(kernel.shape),
        y_size=prod(call.shape),
    )
    result = import_module("jax").ShapeDtypeStruct(call.shape, x.dtype)
    return import_module("jax.ffi").ffi_call(name, result)(x, kernel, table=packed(head, *call.table))


def bound(call: Call, context: Context, kept: Any = ...) -> Bound:
    """Return a loop's call, of whose y a part is `kept`, bound."""

    def run(x: Any, kernel: Any, out: Any) -> Any:
        return _run(call, x, kernel, context)[kept]

    return Bound(run)
