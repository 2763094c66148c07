"""NumPy arrays and torch tensors of the CPU over each other's memory: nothing is copied."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from arrayconv._accel._base import AcceleratorFailed
from arrayconv._accel._flat import address, place_of

LIBRARY = "torch"


def tensor(array: Any) -> Any:
    """Return a tensor over an array's memory; over a copy's where steps in memory are negative or odd."""
    if any(stride < 0 or stride % array.itemsize for stride in array.strides):
        array = array.copy()
    if not array.flags.writeable:  # torch has no read-only tensors; nobody writes to this one
        array = np.asarray(_Writeable(array))
    try:
        return sys.modules["torch"].from_numpy(array)
    except (KeyError, TypeError, ValueError, RuntimeError) as failure:
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure


def has_memory(tensor: Any) -> bool:
    """Whether a tensor's elements are in memory: not if it is mapped, not written yet, or stands for another."""
    try:
        return tensor.data_ptr() != 0
    except RuntimeError:
        return False


def memory(tensor: Any) -> Any:
    """Return a NumPy array over the memory of a tensor of the CPU, without its gradient.

    What NumPy has no form for is computed: conjugates and negatives that were only taken note of, and bfloat16.
    """
    try:
        return tensor.numpy()
    except (RuntimeError, TypeError):
        tensor = tensor.detach().resolve_conj().resolve_neg()
        return (tensor.float() if tensor.dtype == sys.modules["torch"].bfloat16 else tensor).numpy()


def on_memory(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function (x, kernel, bias, out, constants) of NumPy arrays as one of tensors; None without memory."""
    from_numpy = sys.modules[LIBRARY].from_numpy

    def lent(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        if not (has_memory(x) and has_memory(kernel) and (bias is None or has_memory(bias))):
            return None
        bias = None if bias is None else memory(bias)
        y = run(memory(x), memory(kernel), bias, None if out is None else memory(out), constants)
        return y if y is None or out is not None else from_numpy(y)

    return lent


def where_written(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of tensors that leaves those alone, with None, whose elements are not in memory."""

    def written(x: Any, kernel: Any, *rest: Any) -> Any:
        return run(x, kernel, *rest) if has_memory(x) and has_memory(kernel) else None

    return written


At = Callable[[int, int, int], None]  # a whole call at addresses of x, the kernel and y
Finish = Callable[[Any, Any], Any]  # (y, bias) -> y


def on_addresses(at: At, general: Callable[..., Any], shape: Any, dtype: Any, finish: Finish | None) -> Any:
    """Return a function of NumPy arrays that computes at their addresses; `general` for those it can't read so."""
    empty = np.empty

    def at_addresses(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        y = empty(shape, dtype) if out is None else out
        x_at, kernel_at, y_at = place_of(x), place_of(kernel), place_of(y)
        if x_at is None or kernel_at is None or y_at is None:
            return general(x, kernel, bias, out, constants)
        at(x_at, kernel_at, y_at)
        return y if finish is None else finish(y, bias)

    return at_addresses


def on_places(at: At, general: Callable[..., Any], shape: Any, dtype: Any, finish: Finish | None) -> Any:
    """Return the same of tensors on the CPU."""
    from_numpy, empty, maybe_conj = sys.modules[LIBRARY].from_numpy, np.empty, dtype.kind == "c"

    def at_places(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        if not (x.is_contiguous() and kernel.is_contiguous()) or x.is_neg() or kernel.is_neg():
            return general(x, kernel, bias, out, constants)
        if out is not None and not out.is_contiguous():
            return general(x, kernel, bias, out, constants)
        if maybe_conj and (x.is_conj() or kernel.is_conj()):
            return general(x, kernel, bias, out, constants)
        try:
            x_at, kernel_at = x.data_ptr(), kernel.data_ptr()
        except RuntimeError:  # mapped, by a vmap of which torch's kernels know nothing
            return None
        if not (x_at and kernel_at):  # of tensors that are zeros not written yet, or stand for others
            return None
        if out is not None:
            at(x_at, kernel_at, out.data_ptr())
            return out
        y = empty(shape, dtype)
        if finish is None:
            y = from_numpy(y)  # less than half of what torch.empty takes
            at(x_at, kernel_at, y.data_ptr())
            return y
        if bias is not None and not has_memory(bias):
            return None
        at(x_at, kernel_at, address(y))
        return from_numpy(finish(y, None if bias is None else memory(bias)))

    return at_places


class _Writeable:
    """The memory of an array, said to be writeable."""

    def __init__(self, array: Any) -> None:
        self._array = array  # kept alive
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}
