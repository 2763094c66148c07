"""Machine code by numba: compiled once per dtype, kept on disk, and what happens where that fails."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from arrayconv._accel._base import AcceleratorFailed

LIBRARY = "numba"
FLAGS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}  # contract: a multiply-add may round once


@cache
def loop(module: str, dtype: str) -> Any:
    """Return the `kernel` of one of this package's modules for a dtype; compiled, or read from disk, at the first call.

    Raises
    ------
    AcceleratorFailed
        Whatever goes wrong in a compiler: another method serves then.
    """
    return _made(module, "kernel", dtype)


@cache
def handler(module: str, dtype: str) -> Any:
    """Return the `handler` of one of this package's modules for a dtype, as `loop` returns its `kernel`."""
    return _made(module, "handler", dtype)


def _made(module: str, name: str, dtype: str) -> Any:
    try:
        return getattr(import_module(f"arrayconv._accel.{module}"), name)(dtype)
    except Exception as failure:
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure


def named(function: Callable[..., Any], *parts: str) -> Callable[..., Any]:
    """Return a function with more parts to its name: what sets it apart from others made by the same lines.

    Code of one name is linked as one. numba numbers its names, but in each process anew, and a third may read from the
    disk what two of them compiled.
    """
    function.__qualname__ = ".".join((function.__qualname__, *parts))
    return function


def machine_code(function: Any, signature: Any) -> Any:
    """Return a function compiled for a signature: from the disk where it was compiled before, and can be kept."""
    import numba

    return _kept(numba.njit, [signature], function, nogil=True)


def c_function(function: Any, signature: Any) -> Any:
    """Return the same for callers that know nothing of numba: its `address` is that of a C function."""
    import numba

    return _kept(numba.cfunc, signature, function)


def _kept(compiler: Callable[..., Any], signature: Any, function: Any, **options: Any) -> Any:
    try:
        return compiler(signature, cache=True, **options, **FLAGS)(function)
    except RuntimeError as unwritable:
        if "no locator" not in str(unwritable):
            raise
    return compiler(signature, **options, **FLAGS)(function)
