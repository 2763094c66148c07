"""Methods of the one table that name a library, `ACCELERATED`, and which libraries may serve.

An allow-list. No library is imported to decide, only to run, and each agrees with the standard-only code over the whole
case table. A library that fails once is left alone from then on.
"""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec

from arrayconv import _fft
from arrayconv._accel.jax import ffi
from arrayconv._accel.jax.xla_conv import xla_conv
from arrayconv._accel.jax.xla_loops import xla_images, xla_loops, xla_tiles
from arrayconv._accel.native import loader
from arrayconv._accel.native.native_images import native_images
from arrayconv._accel.native.native_loops import native_loops
from arrayconv._accel.native.native_tiles import native_tiles
from arrayconv._accel.numpy_convolve import numpy_convolve
from arrayconv._accel.torch import torch_conv
from arrayconv._accel.torch.borrowed import on_addresses, on_memory, on_places, where_written
from arrayconv._algorithms import Algorithm
from arrayconv._arrays import failures
from arrayconv._arrays.dtypes import in_numpy
from arrayconv._arrays.failures import AcceleratorFailed, disable
from arrayconv._arrays.tensors import memory, tensor
from arrayconv._arrays.traits import Traits
from arrayconv._runtime.tracing import is_recorded, planning

__all__ = [
    "ACCELERATED",
    "MADE_OF",
    "AcceleratorFailed",
    "at_home",
    "available",
    "full_precision",
    "give_up",
    "lends",
    "memory",
    "numpy_view_traits",
    "on_addresses",
    "on_memory",
    "on_places",
    "origin_traits",
    "probe",
    "state",
    "tensor",
    "usable_after_fork",
    "where_written",
]

ACCELERATED: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        numpy_convolve,
        native_loops,
        native_tiles,
        native_images,
        torch_conv.torch_conv,
        xla_conv,
        xla_loops,
        xla_tiles,
        xla_images,
    )
}
_NUMPY_VIEWS = ("torch",)  # whose arrays of the CPU NumPy can work on, over the same memory
_NEVER_IMPORTED = ("torch", "jax")  # serve where their user has imported them, and are never imported for a shortcut
REQUIRES = {"xla_ffi": ("native", "jax")}  # what is no library, but needs some


@planning()
def installed(library: str) -> bool:
    """Whether `library` could be imported, or the package's own code loaded; does not do it."""
    return loader.built() if library == loader.LIBRARY else find_spec(library) is not None


_FORKED = "torch, after a fork"


def _after_fork() -> None:
    if _imported("torch"):
        failures.failures[_FORKED] = "its threads do not come along"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _imported(library: str) -> bool:
    return sys.modules.get(library) is not None  # None stands for a library that must not be imported


def ready(library: str) -> bool:
    """Whether `library` may serve: installed, not failed before, and imported already where it is borrowed."""
    if library in failures.failures:
        return False
    if library in REQUIRES:
        return all(map(ready, REQUIRES[library]))
    return _imported(library) if library in _NEVER_IMPORTED else installed(library)


def usable_after_fork(traits: Traits) -> Traits:
    """Return the traits without what a fork leaves behind.

    torch's OpenMP threads do not come along into a child, and what is shared among them waits for ever. So NumPy arrays
    are not lent to it there. All else that serves them was tried, and starts its threads again.
    """
    if _FORKED not in failures.failures or traits.library != "numpy":
        return traits
    return traits._replace(accelerators=traits.accelerators - {"torch"})


def numpy_view_traits(traits: Traits) -> Traits:
    """Return the traits of the same arrays as NumPy's, where those are quicker: with transforms of a provider.

    Tensors of the CPU are memory that NumPy, and all that serves NumPy, can read in place. A compiler must see torch's
    own functions, and NumPy lacks bfloat16.
    """
    if traits.backend not in _NUMPY_VIEWS or traits.device != "cpu" or traits.traced or not in_numpy(traits.output):
        return traits
    found = traits._replace(backend="numpy", origin=traits.backend, readable=True, integer_matmul=True)
    return found if "numpy" in traits.accelerators and _fft.provider(found) else traits


def origin_traits(traits: Traits) -> Traits:
    """Return the traits of such arrays as their own library's, which sees its functions: undoes `numpy_view_traits`."""
    origin = traits.library
    writable = not is_recorded(origin)
    return traits._replace(
        backend=origin, origin="", traced=True, readable=False, writable=writable, transforms="", threads=1
    )


def method_traits(method: str, traits: Traits) -> Traits:
    """Return the traits of hosted arrays as their own library's for a method that would lend them back to it."""
    if traits.origin != "torch" or method != torch_conv.torch_conv.name:
        return traits
    return traits._replace(backend=traits.origin, origin="")


def available(allowed: frozenset[str]) -> frozenset[str]:
    """Return the allowed libraries that may serve."""
    return frozenset(library for library in allowed if ready(library))


def state() -> tuple[int, ...]:
    """Return what a remembered choice must not outlive: how many libraries failed or stayed behind, which are lent."""
    modules = sys.modules  # asked at every call, so written out for each of _BORROWED
    return len(failures.failures), modules.get("torch") is not None, modules.get("jax") is not None


def probe(traits: Traits, allowed: frozenset[str]) -> None:
    """Try what would serve such arrays but may fail, so that an explanation knows; what fails is told once.

    Calls find out when they first run it.
    """
    trials = {loader.LIBRARY: loader.loaded, **({ffi.LIBRARY: ffi.registered} if traits.backend == "jax" else {})}
    for library, attempt in trials.items():
        if library not in allowed or not ready(library):
            continue
        try:
            attempt()
        except AcceleratorFailed as failure:
            disable(failure)
            warnings.warn(f"{failure}. Other methods serve instead.", RuntimeWarning, stacklevel=4)


def needs_full_precision(method: str, traits: Traits) -> bool:
    """Whether a method hands arrays to a library whose products `full_precision` is about."""
    return traits.backend != "numpy" or method == torch_conv.torch_conv.name or traits.transforms == "torch"


def full_precision(traits: Traits) -> AbstractContextManager[None]:
    """Return a context in which products are not cut to fewer digits; no error bound stated in eps would hold else.

    JAX multiplies matrices in TF32 or bfloat16 on devices that have them, unless told otherwise. torch's products keep
    float32 unless its user asks for less, but under autocast they would be cast to half precision, those of NumPy
    arrays lent to it too: who wants that casts the operands.
    """
    if traits.backend == "jax":
        return sys.modules["jax"].default_matmul_precision("highest")
    torch = sys.modules.get("torch") if traits.backend in ("numpy", "torch") else None  # NumPy's arrays borrow from it
    if torch is not None and traits.device != "meta" and torch.is_autocast_enabled(traits.device):
        return torch.autocast(traits.device, enabled=False)
    return nullcontext()
