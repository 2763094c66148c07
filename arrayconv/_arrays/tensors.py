"""Zero-copy views: torch CPU tensors over NumPy's memory, and NumPy arrays over a tensor's."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from arrayconv._arrays.failures import AcceleratorFailed
from arrayconv._arrays.to_numpy import of_torch

LIBRARY = "torch"


def tensor(array: Any) -> Any:
    """Return a tensor over an array's memory; over a copy where a stride is negative or no multiple of the itemsize."""
    if any(stride < 0 or stride % array.itemsize for stride in array.strides):
        array = array.copy()
    if not array.flags.writeable:  # torch has no read-only tensors; this one is only read
        array = np.asarray(_Writeable(array))
    try:
        return sys.modules["torch"].from_numpy(array)
    except (KeyError, TypeError, ValueError, RuntimeError) as failure:
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure


def has_memory(tensor: Any) -> bool:
    """Whether a tensor has memory: not if it is mapped by vmap, a lazy zero, fake, or wraps another tensor."""
    try:
        return tensor.data_ptr() != 0
    except RuntimeError:
        return False


def memory(tensor: Any) -> Any:
    """Return a NumPy array over the memory of a CPU tensor, without its gradient.

    Lazy conjugations and negations, and bfloat16, have no NumPy view: those are computed into new memory.
    """
    try:
        return (tensor.detach() if tensor.requires_grad else tensor).numpy()  # an error raised takes ten times as long
    except (RuntimeError, TypeError):
        return of_torch(tensor)


class _Writeable:
    """The array interface of an array, with its memory declared writeable."""

    def __init__(self, array: Any) -> None:
        self._array = array  # kept alive
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}
