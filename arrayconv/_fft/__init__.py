"""Transforms of NumPy arrays by other libraries: `PROVIDERS`, library -> module.

A provider is a module whose ``with_threads(threads)`` returns `transforms.Transforms`: the functions of ``xp.fft`` that
are used, and convolution by `slabs` where the library can run on one thread. It agrees with ``xp.fft`` except for last
bits, and is imported when a plan that uses it is bound.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any, NamedTuple

from arrayconv._arrays import failures
from arrayconv._arrays.failures import AcceleratorFailed, disable
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.traits import Traits


class Provider(NamedTuple):
    """A library whose transforms replace a namespace's own."""

    module: str
    libraries: tuple[str, ...]  # on whose arrays
    takes_threads: bool = False  # it uses as many threads as a call says; others have their own


# The first that is available is used, so the quickest is first. On NumPy arrays torch's threads and NumPy's hinder each
# other.
PROVIDERS = {
    "ducc0": Provider("arrayconv._fft.ducc0", ("numpy", "torch"), takes_threads=True),
    "torch": Provider("arrayconv._fft.torch", ("torch",)),
    "scipy": Provider("arrayconv._fft.scipy", ("numpy", "torch"), takes_threads=True),
}
THREAD_BOUND = frozenset(name for name, row in PROVIDERS.items() if row.takes_threads)


def provider(traits: Traits) -> str:
    """Return the library whose transforms are used, '' for the namespace's own."""
    if traits.backend != "numpy":
        return ""
    names = (name for name, row in PROVIDERS.items() if traits.library in row.libraries)
    return next((name for name in names if name in traits.accelerators), "")


def namespace(library: str, xp: Namespace, threads: int) -> Any:
    """Return the fft functions to use: a provider's with `threads` threads, or the namespace's own, None without any.

    A library that can't be imported is not used again, with one warning.
    """
    if not library or library in failures.failures:
        return getattr(xp, "fft", None)  # an optional extension of the standard
    try:
        return import_module(PROVIDERS[library].module).with_threads(threads)
    except ImportError as broken:
        failure = AcceleratorFailed(library, f"{type(broken).__name__}: {broken}")
    disable(failure)
    warnings.warn(f"{failure}. The array library's own transforms run instead.", RuntimeWarning, stacklevel=2)
    return xp.fft
