"""Transforms of NumPy arrays by other libraries: `PROVIDERS`, library -> module.

A provider is a module whose ``with_threads(threads)`` returns `transforms.Transforms`: the functions of ``xp.fft`` that
are used, and convolution by `slabs` where the library can run on one thread. It agrees with ``xp.fft`` except for last
bits, and is imported when a plan that uses it is bound.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

from arrayconv._arrays import failures
from arrayconv._arrays.failures import AcceleratorFailed, disable
from arrayconv._arrays.xp import Namespace, Traits

PROVIDERS = {
    "ducc0": "arrayconv._fft.ducc0",
    "scipy": "arrayconv._fft.scipy",
    "torch": "arrayconv._fft.torch",
}
# By the library of the caller's arrays, fastest first; the first available one is used. For NumPy's arrays torch is no
# provider: its threads would compete with NumPy's.
_PROVIDERS_OF = {"numpy": ("ducc0", "scipy"), "torch": ("ducc0", "torch", "scipy")}
THREAD_BOUND = frozenset({"ducc0", "scipy"})  # start no more threads than requested; others have a pool of their own
MIN_THREADED_SAMPLES = 1 << 17  # from which these start threads


def provider(traits: Traits) -> str:
    """Return the library whose transforms are used, '' for the namespace's own."""
    libraries = _PROVIDERS_OF.get(traits.library, ()) if traits.backend == "numpy" else ()
    return next((library for library in libraries if library in traits.accelerators), "")


def namespace(library: str, xp: Namespace, threads: int) -> Any:
    """Return the fft functions to use: a provider's with `threads` threads, or the namespace's own, None without any.

    A library that can't be imported is not used again, with one warning.
    """
    if not library or library in failures.failures:
        return getattr(xp, "fft", None)  # an optional extension of the standard
    try:
        return import_module(PROVIDERS[library]).with_threads(threads)
    except ImportError as broken:
        failure = AcceleratorFailed(library, f"{type(broken).__name__}: {broken}")
    disable(failure)
    warnings.warn(f"{failure}. The array library's own transforms run instead.", RuntimeWarning, stacklevel=2)
    return xp.fft
