"""What names a library: transforms, ``(backend, library) -> where``, and `ACCELERATED`, methods of the one table.

An allow-list. No library is imported to decide, only to run, and each agrees with the standard-only code over the whole
case table. A library that fails once is left alone from then on.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from arrayconv._accel._base import AcceleratorFailed
from arrayconv._accel.numba import numba
from arrayconv._accel.numpy_convolve import numpy_convolve
from arrayconv._algorithms import Algorithm
from arrayconv._tracing import planning
from arrayconv._xp import Namespace

__all__ = [
    "ACCELERATED",
    "AcceleratorFailed",
    "accelerator",
    "available",
    "failures",
    "full_precision",
    "give_up",
    "transforms",
]

ACCELERATED: dict[str, Algorithm] = {algorithm.name: algorithm for algorithm in (numpy_convolve, numba)}
TRANSFORMS = {("numpy", "scipy"): "arrayconv._accel.numpy"}


@planning()
def installed(library: str) -> bool:
    """Whether `library` could be imported; does not import it."""
    return find_spec(library) is not None


def accelerator(backend: str, allowed: frozenset[str]) -> str:
    """Return the library whose transforms serve `backend`'s arrays, '' for the namespace's own."""
    for home, library in TRANSFORMS:
        if home == backend and library in allowed and installed(library):
            return library
    return ""


_failed: set[str] = set()


def available(allowed: frozenset[str]) -> frozenset[str]:
    """Return the allowed libraries that are installed and have not failed."""
    return frozenset(library for library in allowed if library not in _failed and installed(library))


def failures() -> int:
    """Count the libraries that have failed, which a remembered choice must not outlive."""
    return len(_failed)


def give_up(failure: AcceleratorFailed) -> None:
    """Leave a library alone from now on."""
    _failed.add(failure.library)


def transforms(backend: str, library: str, xp: Namespace) -> Any:
    """Return the fft functions to use: a shortcut's, or the namespace's own."""
    if not library:
        return xp.fft
    return import_module(TRANSFORMS[backend, library])


def full_precision(backend: str, device: str) -> AbstractContextManager[None]:
    """Return a context in which products are not cut to fewer digits; no error bound stated in eps would hold else.

    JAX multiplies matrices in TF32 or bfloat16 on devices that have them, unless told otherwise. torch's products keep
    float32 unless its user asks for less, but under autocast they would be cast to half precision: who wants that casts
    the operands.
    """
    if backend == "jax":
        return sys.modules["jax"].default_matmul_precision("highest")
    if backend == "torch" and device != "meta" and sys.modules["torch"].is_autocast_enabled(device):
        return sys.modules["torch"].autocast(device, enabled=False)
    return nullcontext()
