"""Where a result is written: buffers, places, and what an array given for output would lose or overwrite."""

from __future__ import annotations

import sys
from math import prod
from typing import Any

from arrayconv._xp import Array, Namespace


def buffer(part: Any, shape: tuple[int, ...], *, zeros: bool, xp: Namespace, device: Any) -> Array:
    """Return an array to put `part` into, of its dtype; under torch's vmap it is batched as `part` is."""
    if hasattr(part, "new_zeros"):
        return part.new_zeros(shape) if zeros else part.new_empty(shape)
    return (xp.zeros if zeros else xp.empty)(shape, dtype=part.dtype, device=device)


def put(y: Array, index: Any, value: Array) -> Array:
    """Return `y` with `value` at `index`: written in place where the library allows it, a new array in JAX."""
    at = getattr(y, "at", None)
    if at is not None:
        return at[index].set(value)
    y[index] = value
    return y


def covers_itself(x: Any) -> bool:
    """Whether two elements of a strided array certainly share memory: fewer places than elements."""
    strides = x.stride() if callable(getattr(x, "stride", None)) else getattr(x, "strides", None)
    if not strides or 0 in x.shape:
        return False
    unit = 1 if callable(getattr(x, "stride", None)) else x.itemsize
    span = sum((n - 1) * abs(stride) for n, stride in zip(x.shape, strides, strict=True)) // unit + 1
    return span < prod(x.shape)


def shares_memory(backend: str, first: Array, second: Array) -> bool:
    """Whether writing to `first` may change `second`; True where it can't be told."""
    if backend in ("numpy", "cupy"):
        return bool(sys.modules[backend].may_share_memory(first, second))
    if backend == "torch":
        a: Any = first
        b: Any = second
        return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()
    return True


def needs_gradient(backend: str, *arrays: Any) -> bool:
    """Whether torch is recording what happens to one of `arrays`."""
    if backend != "torch":
        return False
    return sys.modules["torch"].is_grad_enabled() and any(array.requires_grad for array in arrays)
