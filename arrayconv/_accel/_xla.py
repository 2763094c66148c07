"""Compiled loops inside XLA programs: how XLA gets to know of one, and a call of it.

XLA's typed foreign function interface calls machine code by address, without Python or its lock, on the buffers of the
program: nothing is copied. A loop is registered when a program is first traced that calls it, under a name that is the
same in every process. The name is all that a program keeps: one from another process (a compilation cache, an export)
runs where this one has traced such a call before.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from arrayconv._accel import _jit
from arrayconv._accel._base import AcceleratorFailed, unavailable
from arrayconv._accel._flat import Host
from arrayconv._xp import Traits

LIBRARY = "xla_ffi"
_FORMAT = 1  # of the tables: part of the name, so that no program of another format calls this one
_TYPED = 1  # of the versions of the interface
_PARTS = 4  # per thread, so that one that is held up does not keep the others waiting


def refusal(traits: Traits) -> str | None:
    """Return why no loop can serve these arrays, or None."""
    reason = unavailable(LIBRARY, "jax", traits) or unavailable(_jit.LIBRARY, "jax", traits)
    if reason is not None:
        return reason
    return None if traits.device == "cpu" else f"it serves arrays on CPUs. Got {traits.device}"


def table(units: int, threads: int, *parts: Any) -> Host:
    """Return what a loop is told: units, chunks and threads, then numbers and tables, as pairs of 32 bits."""
    chunks = 1 if threads == 1 else min(units, _PARTS * threads)
    words = [np.asarray(part).reshape(-1).view(np.int64) for part in ((units, chunks, threads), *parts)]
    return np.concatenate(words).view(np.int32)


def call(target: str, operands: tuple[Any, ...], shape: tuple[int, ...], room: int) -> Any:
    """Return y, of the dtype of x, from a registered loop on (x, factors, table); `room` elements are its own."""
    jax = import_module("jax")
    dtype = operands[0].dtype
    results = [jax.ShapeDtypeStruct(shape, dtype), jax.ShapeDtypeStruct((room,), dtype)]
    return import_module("jax.ffi").ffi_call(target, results)(*operands)[0]


@cache
def target(module: str, dtype: str) -> str:
    """Return the name under which XLA knows the loop of a module for a dtype.

    Raises
    ------
    AcceleratorFailed
        Whatever goes wrong in a compiler, or where XLA's interface is of a version that the loop is not written for.
    """
    code = _jit.handler(module, dtype)
    name = f"arrayconv.{module}.{dtype}.{_FORMAT}"
    try:
        import_module("jax.ffi").register_ffi_target(name, _capsule(code.address), platform="cpu", api_version=_TYPED)
    except Exception as failure:
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure
    return name


def _capsule(address: int) -> Any:
    """Return an address the way JAX takes it."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return new(address, b"xla._CUSTOM_CALL_TARGET", None)
