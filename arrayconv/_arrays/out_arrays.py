"""What an `out` array may be: writable, without internal overlap, not part of a gradient; and what it overlaps."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays.array import Array
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.libraries import is_immutable, is_known
from arrayconv._arrays.namespace import namespace_of, writing
from arrayconv._runtime.tracing import is_compiling, is_traced


def has_internal_overlap(x: Any) -> bool:
    """Whether two elements of a strided array share memory, as after `broadcast_to`."""
    in_elements = callable(getattr(x, "stride", None))  # torch counts strides in elements, NumPy in bytes
    strides = x.stride() if in_elements else getattr(x, "strides", None)
    if not strides or 0 in x.shape:
        return False
    steps = sorted((abs(step), n) for step, n in zip(strides, x.shape, strict=True) if n > 1)
    span = unit = 1 if in_elements else x.itemsize
    nested = True
    for step, n in steps:
        nested = nested and step >= span
        span += (n - 1) * step
    if nested or span < unit * prod(x.shape):
        return not nested
    offsets = np.zeros(1, np.int64)  # interleaved axes: compare the offsets of all elements
    for step, n in steps:
        offsets = (offsets[:, None] + step * np.arange(n)).reshape(-1)
    return bool((np.diff(np.sort(offsets)) < unit).any())


def is_writable_in_place(backend: str, out: Any) -> bool:
    """Whether loops may write to the memory of `out`.

    Not if it has another byte order or is unaligned; nor if it is a torch tensor with a lazy conjugation, negation or
    zero, or of a subclass.
    """
    if backend == "numpy":
        return out.dtype.isnative and out.flags.aligned
    if backend == "torch":
        plain = type(out) in (sys.modules["torch"].Tensor, sys.modules["torch"].nn.Parameter)
        return plain and not (out.is_conj() or out.is_neg() or out._is_zerotensor())
    return True


def layout_signature(backend: str, out: Any) -> Hashable | None:
    """Return all that `check_target` and `is_writable_in_place` read of a plain array; None for other arrays."""
    if backend == "numpy":
        flags = out.flags
        return out.shape, out.strides, out.dtype, flags.writeable, flags.aligned
    if backend == "cupy":
        return out.shape, out.strides, out.dtype, out.device.id
    if backend != "torch" or out.requires_grad:
        return None
    pending = out.is_conj(), out.is_neg(), out._is_zerotensor()
    return out.shape, out.stride(), out.dtype, out.device, out.layout, pending


def output_key(out: Any, operands: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return all that `check_target` reads of an array besides shape, dtype and device, as options of a cache key.

    None where each call must be checked: a gradient may be lost, or the array is not of NumPy, CuPy or torch.
    """
    if type(out) is np.ndarray:
        flags = out.flags
        return out.strides, flags.writeable, flags.aligned
    cupy, torch = map(sys.modules.get, ("cupy", "torch"))
    if cupy is not None and type(out) is cupy.ndarray:
        return (out.strides,)
    if torch is None or type(out) is not torch.Tensor or is_compiling():
        return None
    if any(getattr(array, "requires_grad", False) for array in (out, *operands)):
        return None
    return out.stride(), out.is_conj(), out.is_neg(), out._is_zerotensor()


def shares_memory(backend: str, first: Array, second: Array, *, plain: bool = False) -> bool:
    """Whether writing to `first` may change `second`; True where that is unknown. `plain`: neither is traced."""
    if backend in ("numpy", "cupy"):
        return bool(sys.modules[backend].may_share_memory(first, second))
    if backend == "torch" and (plain or not is_traced(backend, first, second)):
        a: Any = first
        b: Any = second
        return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()
    return True


def needs_gradient(backend: str, *arrays: Any) -> bool:
    """Whether torch records operations on one of `arrays` for autograd."""
    if backend != "torch":
        return False
    return sys.modules["torch"].is_grad_enabled() and any(array.requires_grad for array in arrays)


class ErrorWords(NamedTuple):
    """How the error texts of `check_target` name the arguments of a function."""

    argument: str
    like: str  # the argument whose library it must share
    differentiated: str  # the arguments whose gradient it would lose
    way_out: str


def check_target(
    function: str, words: ErrorWords, out: Any, operands: tuple[Array, ...], backend: str, device: Any
) -> None:
    """Raise TypeError or ValueError for an output array that can't be written, or not without losing a gradient.

    Shape and dtype are checked by the caller.
    """
    text, way_out = f"{function}: `{words.argument}`", words.way_out
    own = identify(function, words.argument, out)
    if own != backend:
        raise TypeError(f"{text} must be a {backend} array like {words.like}. Got {own or type(out).__name__}.")
    if is_immutable(backend) or (backend == "torch" and is_compiling()):
        raise TypeError(f"{text} cannot be written: {backend} arrays are immutable here. {way_out}.")
    if needs_gradient(backend, out):
        raise TypeError(
            f"{text} itself requires a gradient. Got requires_grad=True. {way_out}, or call under torch.no_grad()."
        )
    if needs_gradient(backend, *operands):
        raise TypeError(f"{text} would lose the gradient that {words.differentiated} requires. {way_out}.")
    if backend != "numpy" and device_of(out) != device:
        raise TypeError(f"{text} must be on the device {device}. Got {device_of(out)}.")
    if not is_known(type(out)) and not writing(namespace_of(backend, out)).assigns:
        raise TypeError(f"{text} cannot be written: {backend} arrays are immutable. {way_out}.")
    if has_internal_overlap(out):
        raise ValueError(
            f"{text} must have memory of its own for every element. Got shape {tuple(out.shape)} over fewer "
            f"elements of memory. Pass an array that is not broadcast or strided over itself."
        )
