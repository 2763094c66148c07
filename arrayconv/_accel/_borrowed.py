"""NumPy arrays as torch tensors over the same memory, where the caller has imported torch."""

from __future__ import annotations

import sys
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


class _Writeable:
    """The memory of an array, said to be writeable."""

    def __init__(self, array: Any) -> None:
        self._array = array  # kept alive
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}
