"""Transforms of NumPy arrays by other libraries: `PROVIDERS`, library -> module.

A provider is a module whose ``with_threads(threads)`` returns `transforms.Transforms`: the functions of ``xp.fft`` that
are used, and convolution by `slabs` where the library can be kept to one thread. It agrees with ``xp.fft`` but for last
bits, and is imported when a plan that it serves is bound.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

from arrayconv._arrays import failures
from arrayconv._arrays.failures import AcceleratorFailed, disable
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.traits import Traits

PROVIDERS = {
    "ducc0": "arrayconv._fft.ducc0",
    "scipy": "arrayconv._fft.scipy",
    "torch": "arrayconv._fft.torch",
}
# By the library of the caller's arrays; the first that is there serves, so the quickest is named first. Beside NumPy's
# threads torch's get in the way of each other.
_SERVE = {"numpy": ("ducc0", "scipy"), "torch": ("ducc0", "torch", "scipy")}
BOUND = frozenset({"ducc0", "scipy"})  # to as many threads as they are told; others have their own
THREADED = 1 << 17  # samples from which they start any


def provider(traits: Traits) -> str:
    """Return the library whose transforms serve, '' for the namespace's own."""
    libraries = _SERVE.get(traits.library, ()) if traits.backend == "numpy" else ()
    return next((library for library in libraries if library in traits.accelerators), "")


def namespace(library: str, xp: Namespace, threads: int) -> Any:
    """Return the fft functions to use: a provider's with so many threads, or the namespace's own, None without any.

    A library that can't be imported is left alone from then on, with one warning.
    """
    if not library or library in failures.failures:
        return getattr(xp, "fft", None)  # an optional extension of the standard
    try:
        return import_module(PROVIDERS[library]).with_threads(threads)
    except ImportError as broken:
        failure = AcceleratorFailed(library, f"{type(broken).__name__}: {broken}")
    disable(failure)
    warnings.warn(f"{failure}. The array library's own transforms serve instead.", RuntimeWarning, stacklevel=2)
    return xp.fft
