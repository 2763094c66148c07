"""The methods that use a particular library, `ACCELERATED`, and which of these libraries are available.

An allow-list. No library is imported to plan, only to run, and each agrees with the standard-only code over the whole
case table. A library that fails once is not used again.
"""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec

from arrayconv import _fft
from arrayconv._accel.cuda import launch
from arrayconv._accel.cuda.addresses import cupy_at_addresses
from arrayconv._accel.cuda.cuda_dots import cuda_dots
from arrayconv._accel.cuda.cuda_fft import cuda_fft
from arrayconv._accel.cuda.cuda_line import cuda_line
from arrayconv._accel.cuda.cuda_loops import cuda_loops
from arrayconv._accel.cuda.cuda_rows import cuda_rows
from arrayconv._accel.cuda.cuda_tiles import cuda_tiles
from arrayconv._accel.jax import ffi
from arrayconv._accel.jax.xla_conv import xla_conv, xla_gpu_conv
from arrayconv._accel.jax.xla_dots import xla_dots
from arrayconv._accel.jax.xla_loops import xla_images, xla_loops, xla_tiles
from arrayconv._accel.jax.xla_winograd import xla_winograd
from arrayconv._accel.native import loader
from arrayconv._accel.native.native_dots import native_dots
from arrayconv._accel.native.native_images import native_images
from arrayconv._accel.native.native_loops import native_loops
from arrayconv._accel.native.native_tiles import native_tiles
from arrayconv._accel.native.native_winograd import native_winograd
from arrayconv._accel.numpy_convolve import numpy_convolve
from arrayconv._accel.torch import precision, torch_conv
from arrayconv._accel.torch.cudnn_conv import cudnn_conv
from arrayconv._accel.torch.views import (
    numpy_at_addresses,
    on_numpy_views,
    on_tensors_with_memory,
    on_torchs_convolution,
    tensors_at_addresses,
)
from arrayconv._accel.torch.whole import costs as torchs_costs
from arrayconv._accel.torch.whole import of_problem as torchs_convolution
from arrayconv._algorithms import Algorithm
from arrayconv._arrays import failures
from arrayconv._arrays.dtypes import in_numpy
from arrayconv._arrays.failures import AcceleratorFailed, disable
from arrayconv._arrays.tensors import memory, tensor
from arrayconv._arrays.traits import Traits
from arrayconv._runtime.tracing import is_recorded, planning

__all__ = [
    "ACCELERATED",
    "REQUIRES",
    "AcceleratorFailed",
    "available",
    "cupy_at_addresses",
    "disable",
    "full_precision",
    "memory",
    "method_traits",
    "needs_full_precision",
    "numpy_at_addresses",
    "numpy_view_traits",
    "on_numpy_views",
    "on_tensors_with_memory",
    "on_torchs_convolution",
    "origin_traits",
    "probe",
    "state",
    "tensor",
    "tensors_at_addresses",
    "torchs_convolution",
    "torchs_costs",
    "usable_after_fork",
]

ACCELERATED: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        numpy_convolve,
        native_loops,
        native_tiles,
        native_images,
        native_dots,
        native_winograd,
        torch_conv.torch_conv,
        cudnn_conv,
        xla_conv,
        xla_gpu_conv,
        xla_loops,
        xla_tiles,
        xla_images,
        xla_dots,
        xla_winograd,
        cuda_loops,
        cuda_rows,
        cuda_tiles,
        cuda_line,
        cuda_dots,
        cuda_fft,
    )
}
_KERNELS = frozenset((cuda_loops.name, cuda_rows.name, cuda_tiles.name))  # no other library multiplies
_NUMPY_VIEWS = ("torch",)  # libraries whose CPU arrays NumPy can view, without a copy
_NEVER_IMPORTED = ("torch", "jax")  # used only if the user has imported them: an import would cost more than they save
# Accelerators that are no library of their own. CuPy is not imported for its kernels: its arrays bring it.
REQUIRES = {"xla_ffi": ("native", "jax"), launch.LIBRARY: ()}


@planning()
def installed(library: str) -> bool:
    """Whether `library` could be imported, or the package's own code loaded, without doing so."""
    return loader.built() if library == loader.LIBRARY else find_spec(library) is not None


def _after_fork() -> None:
    if _imported("torch"):
        failures.failures[failures.FORKED] = "its threads do not exist in the child process"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _imported(library: str) -> bool:
    return sys.modules.get(library) is not None  # None marks a library that must not be imported


def ready(library: str) -> bool:
    """Whether `library` can be used: installed, not failed before, and imported if it is in `_NEVER_IMPORTED`."""
    if library in failures.failures:
        return False
    if library in REQUIRES:
        return all(map(ready, REQUIRES[library]))
    return _imported(library) if library in _NEVER_IMPORTED else installed(library)


def usable_after_fork(traits: Traits) -> Traits:
    """Return the traits without the accelerators that do not work after a fork.

    torch's OpenMP threads do not exist in a child process, and its parallel loops wait for them for ever. So torch does
    not run on NumPy arrays there. The other accelerators of NumPy arrays were tested: they start their threads again.
    """
    if failures.FORKED not in failures.failures or traits.library != "numpy":
        return traits
    return traits._replace(accelerators=traits.accelerators - {"torch"})


def numpy_view_traits(traits: Traits) -> Traits:
    """Return the traits of the same arrays as NumPy views, where NumPy's methods are faster: with a provider's FFT.

    NumPy and its accelerators can read CPU tensors in place. Under a compiler torch's own functions must run, and NumPy
    has no bfloat16.
    """
    if traits.backend not in _NUMPY_VIEWS or traits.device != "cpu" or traits.traced or not in_numpy(traits.output):
        return traits
    view_traits = traits._replace(backend="numpy", origin=traits.backend, readable=True, integer_matmul=True)
    return view_traits if "numpy" in traits.accelerators and _fft.provider(view_traits) else traits


def origin_traits(traits: Traits) -> Traits:
    """Return the traits of NumPy views as arrays of their own library, traced: undoes `numpy_view_traits`."""
    origin = traits.library
    writable = not is_recorded(origin)
    return traits._replace(
        backend=origin, origin="", traced=True, readable=False, writable=writable, transforms="", threads=1
    )


def method_traits(method: str, traits: Traits) -> Traits:
    """Return the traits of NumPy views as their own library's for a method that runs that library's functions."""
    if traits.origin != "torch" or method != torch_conv.torch_conv.name:
        return traits
    return traits._replace(backend=traits.origin, origin="")


def available(allowed: frozenset[str], of_arrays: str = "") -> frozenset[str]:
    """Return the allowed libraries that can be used; that of the arrays is imported with them, if not before."""
    usable = (name for name in allowed if ready(name) or (name == of_arrays and name not in failures.failures))
    return frozenset(usable)


def state() -> tuple[int, ...]:
    """Return the state that cached plans depend on: how many libraries failed, whether torch and JAX are imported."""
    modules = sys.modules  # read at every call, so written out for each of _NEVER_IMPORTED
    return len(failures.failures), modules.get("torch") is not None, modules.get("jax") is not None


def probe(traits: Traits, allowed: frozenset[str]) -> None:
    """Load the accelerators of such arrays that may fail, so that an explanation is right; warn once of a failure.

    A call finds a failure when it first runs the accelerator.
    """
    trials = {loader.LIBRARY: loader.loaded, **({ffi.LIBRARY: ffi.registered} if traits.backend == "jax" else {})}
    for library, attempt in trials.items():
        if library not in allowed or not ready(library):
            continue
        try:
            attempt()
        except AcceleratorFailed as failure:
            disable(failure)
            warnings.warn(f"{failure}. Other methods run instead.", RuntimeWarning, stacklevel=4)


def needs_full_precision(method: str, traits: Traits) -> bool:
    """Whether a method passes arrays to a library that may reduce the precision of products."""
    if method in _KERNELS:
        return False
    return traits.backend != "numpy" or method == torch_conv.torch_conv.name or traits.transforms == "torch"


def full_precision(traits: Traits) -> AbstractContextManager[None]:
    """Return a context in which products have full precision: without it no error bound in eps would hold.

    By default JAX multiplies matrices in TF32 or bfloat16 on devices that support them. torch's products are in float32
    unless its user sets less, but autocast would cast them to half precision, those of NumPy arrays that torch runs on
    too. On CUDA they are in TF32 where the process allows it. A user who wants less precision casts the operands.
    """
    if traits.backend == "jax":
        return sys.modules["jax"].default_matmul_precision("highest")
    torch = sys.modules.get("torch") if traits.backend in ("numpy", "torch") else None  # it may run on NumPy's arrays
    return nullcontext() if torch is None else precision.full_precision(torch, traits.device)
