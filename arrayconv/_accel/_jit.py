"""Machine code by numba: compiled once per dtype, kept on disk, and what happens where that fails."""

from __future__ import annotations

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
    try:
        return import_module(f"arrayconv._accel.{module}").kernel(dtype)
    except Exception as failure:
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure


def machine_code(function: Any, signature: Any) -> Any:
    """Return a function compiled for a signature: from the disk where it was compiled before, and can be kept."""
    import numba

    try:
        return numba.njit([signature], nogil=True, cache=True, **FLAGS)(function)
    except RuntimeError as unwritable:
        if "no locator" not in str(unwritable):
            raise
    return numba.njit([signature], nogil=True, **FLAGS)(function)
