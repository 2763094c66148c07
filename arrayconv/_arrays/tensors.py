"""NumPy arrays and torch tensors of the CPU over each other's memory: nothing is copied."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from arrayconv._arrays.failures import AcceleratorFailed
from arrayconv._arrays.to_numpy import of_torch

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
        return of_torch(tensor)


class _Writeable:
    """The memory of an array, said to be writeable."""

    def __init__(self, array: Any) -> None:
        self._array = array  # kept alive
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}
