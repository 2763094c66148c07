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
    """Return a function of NumPy arrays, which may answer None, as one of tensors."""
    from_numpy = from_memory()

    def lent(*tensors: Any) -> Any:
        y = run(*map(memory, tensors))
        return None if y is None else from_numpy(y)

    return lent


def from_memory() -> Callable[[Any], Any]:
    """Return what makes tensors of writeable arrays with steps of whole elements."""
    return sys.modules[LIBRARY].from_numpy


def tensor_place(tensor: Any) -> int | None:
    """Return where a contiguous tensor's memory begins, None for one whose memory does not say all."""
    if not tensor.is_contiguous() or tensor.is_conj() or tensor.is_neg():
        return None
    return tensor.data_ptr()


class _Writeable:
    """The memory of an array, said to be writeable."""

    def __init__(self, array: Any) -> None:
        self._array = array  # kept alive
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}
