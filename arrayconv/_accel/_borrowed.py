"""NumPy arrays and torch tensors of the CPU over each other's memory: nothing is copied."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from arrayconv._accel._base import AcceleratorFailed

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
    """Return a function of NumPy arrays, which may answer None, as one of tensors; None for those without memory."""
    from_numpy = sys.modules[LIBRARY].from_numpy

    def lent(*tensors: Any) -> Any:
        if not all(map(has_memory, tensors)):
            return None
        y = run(*map(memory, tensors))
        return None if y is None else from_numpy(y)

    return lent


def on_places(
    compute: Callable[[], Callable[[int, int, int], None]], general: Callable[..., Any], shape: Any, dtype: Any
) -> Callable[..., Any]:
    """Return a function of tensors that computes on their memory by address; `general` for those it can't read so."""
    from_numpy, empty, maybe_conj = sys.modules[LIBRARY].from_numpy, np.empty, dtype.kind == "c"

    def at_places(x: Any, kernel: Any, bias: Any = None) -> Any:
        if bias is not None:
            return general(x, kernel, bias)
        if not (x.is_contiguous() and kernel.is_contiguous()) or x.is_neg() or kernel.is_neg():
            return general(x, kernel)
        if maybe_conj and (x.is_conj() or kernel.is_conj()):
            return general(x, kernel)
        try:
            x_at, kernel_at = x.data_ptr(), kernel.data_ptr()
        except RuntimeError:  # mapped, by a vmap of which torch's kernels know nothing
            return None
        if not (x_at and kernel_at):  # of tensors that are zeros not written yet, or stand for others
            return None
        y = from_numpy(empty(shape, dtype))  # less than half of what torch.empty takes
        compute()(x_at, kernel_at, y.data_ptr())
        return y

    return at_places


class _Writeable:
    """The memory of an array, said to be writeable."""

    def __init__(self, array: Any) -> None:
        self._array = array  # kept alive
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}
