"""Buffers for results, values written at an index, and views of NumPy's memory, for arrays of any library."""

from __future__ import annotations

import sys
from math import prod
from typing import Any

import numpy as np

from arrayconv._arrays import scratch
from arrayconv._arrays.array import Array
from arrayconv._arrays.libraries import is_known
from arrayconv._arrays.namespace import Namespace
from arrayconv._runtime.tracing import is_compiling, is_recorded


def buffer(part: Any, shape: tuple[int, ...], *, zeros: bool, xp: Namespace, device: Any) -> Array:
    """Return an array of `shape` and of the dtype of `part`; under torch's vmap it is batched like `part`."""
    if hasattr(part, "new_zeros"):
        return part.new_zeros(shape) if zeros else part.new_empty(shape)
    if is_numpy(part):
        y: Any = (np.zeros if zeros else np.empty)(shape, part.dtype)
        return y
    return (xp.zeros if zeros else xp.empty)(shape, dtype=part.dtype, device=device)


def scratch_like(part: Any, shape: tuple[int, ...], *, xp: Namespace, device: Any) -> Array:
    """Return what `buffer` does, as scratch: values that do not outlive the call, in memory of earlier calls."""
    if is_numpy(part):
        return scratch.empty(shape, part.dtype)
    return buffer(part, shape, zeros=False, xp=xp, device=device)


def set_at(y: Array, index: Any, value: Array | int) -> Array:
    """Return `y` with `value` at `index`: written in place where the library allows it, else a new array."""
    if is_numpy(y):
        y[index] = value
        return y
    at = getattr(y, "at", None)
    if at is not None:
        return at[index].set(value)
    if is_recorded("torch") and isinstance(y, sys.modules["torch"].Tensor):
        return _scatter(y, index if isinstance(index, tuple) else (index,), value)
    if is_compiling() or is_known(type(y)):
        y[index] = value
        return y
    try:
        y[index] = _broadcast_like(value, y[index])
    except Exception:  # which type is raised differs between libraries
        return _set_by_take(y, index, value)
    return y


def _broadcast_like(value: Any, part: Any) -> Any:
    """Return an array of the shape of `part`: ndonnx takes a smaller one, and fails when the result is read."""
    if not hasattr(value, "shape") or value.shape == part.shape:
        return value
    return value.__array_namespace__().broadcast_to(value, part.shape)


def _scatter(y: Any, index: tuple[Any, ...], value: Any, axis: int = 0) -> Any:
    """Return a new tensor with `value` at an index of slices, integers and one ellipsis, from `axis` on."""
    torch = sys.modules["torch"]
    if not index:
        return torch.broadcast_to(value, y.shape) if torch.is_tensor(value) else torch.full_like(y, value)
    first, rest = index[0], index[1:]
    if first is Ellipsis:
        return _scatter(y, (*(slice(None),) * (y.ndim - axis - len(rest)), *rest), value, axis)
    if isinstance(first, slice):
        part = y[(*(slice(None),) * axis, first)]
        return torch.slice_scatter(y, _scatter(part, rest, value, axis + 1), axis, *first.indices(y.shape[axis]))
    return torch.select_scatter(y, _scatter(torch.select(y, axis, first), rest, value, axis), axis, first)


def _set_by_take(y: Any, index: Any, value: Any) -> Array:
    """Return what `set_at` does, by the standard's functions, for a library whose arrays can't be written."""
    xp, size = y.__array_namespace__(), prod(y.shape)
    source = np.arange(size).reshape(y.shape)  # for each element of the result, its place in y and `value` concatenated
    target = source[index].shape
    if not prod(target):
        return y
    source[index] = np.arange(size, size + prod(target)).reshape(target)
    value = xp.asarray(value, dtype=y.dtype) if isinstance(value, int) else value
    both = xp.concat([xp.reshape(y, (-1,)), xp.reshape(xp.broadcast_to(value, target), (-1,))])
    return xp.reshape(xp.take(both, xp.asarray(source.ravel().tolist()), axis=0), y.shape)


def reshape(x: Any, shape: tuple[int, ...], *, xp: Namespace) -> Array:
    """Return the standard's `reshape`: for a small NumPy array the method is several times faster than the function."""
    return x.reshape(shape) if is_numpy(x) else xp.reshape(x, shape)


def permute_dims(x: Any, order: tuple[int, ...], *, xp: Namespace) -> Array:
    """Return the standard's `permute_dims`, as fast as `reshape`."""
    return x.transpose(order) if is_numpy(x) else xp.permute_dims(x, order)


def copied_view(x: Any, shape: tuple[int, ...], steps: tuple[int, ...]) -> Any:
    """Return `overlapping(x, 0, shape, steps)` copied into scratch memory."""
    y = scratch.empty(shape, x.dtype)
    y[...] = overlapping(x, 0, shape, steps)
    return y


def overlapping(x: Any, first: int, shape: tuple[int, ...], steps: tuple[int, ...]) -> Any:
    """Return a view of a NumPy array from sample `first` of its last axis on, with strides `steps` in bytes.

    Its elements may overlap.
    """
    if x.flags.c_contiguous:  # the same view, ten times faster
        return np.ndarray(shape, x.dtype, x, first * x.itemsize, steps)
    return np.lib.stride_tricks.as_strided(x[..., first:], shape, steps, writeable=False)


def contiguous(x: Any) -> Any:
    """Return a contiguous NumPy array, other libraries' unchanged: BLAS gives other last bits for strided ones."""
    return np.ascontiguousarray(x) if is_numpy(x) else x


def retains_larger_base(y: Any) -> bool:
    """Whether an array is, or may be, a view that keeps much more memory alive than it shows, or is not contiguous."""
    if not (hasattr(y, "flags") and hasattr(y, "base")):  # of NumPy and CuPy
        return True
    base_bytes = y.nbytes if y.base is None else getattr(y.base, "nbytes", 0)
    return not y.flags.c_contiguous or base_bytes > 1.02 * y.nbytes


def is_numpy(x: Any) -> bool:
    """Whether x is a NumPy array: a function, since type checkers take very long to compare ndarray with `Array`."""
    return isinstance(x, np.ndarray)


def axes_in_memory(x: Any) -> tuple[int, ...] | None:
    """Return the axes of a NumPy array from the longest step to the shortest; None where they are in that order.

    None too for arrays with repeated samples, whose steps say nothing of an order.
    """
    steps = [abs(step) if size > 1 else None for step, size in zip(x.strides, x.shape, strict=True)]
    several = [axis for axis, step in enumerate(steps) if step is not None]
    order = sorted(several, key=lambda axis: -steps[axis])  # pyright: ignore[reportOptionalOperand]
    if order == several or 0 in steps:
        return None
    single = [axis for axis, step in enumerate(steps) if step is None]
    return (*single, *order)
