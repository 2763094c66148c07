"""NumPy arrays as memory that compiled loops address by element."""

from __future__ import annotations

import ctypes
from math import prod
from typing import Any

import numpy as np

Host = np.ndarray[Any, Any]
Steps = tuple[int, ...]  # how far one step along each axis moves, in elements


def adjacent(shape: tuple[int, ...]) -> Steps:
    """Return the steps of an array whose elements stand one after the other; none along axes of one element."""
    return tuple([prod(shape[axis + 1 :]) if n > 1 else 0 for axis, n in enumerate(shape)])


def address(array: Any) -> int:  # Any: before Python 3.12 no type tells arrays from other owners of memory
    """Return where the first element of an array stands."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # three times as quick as what works for all
    except (TypeError, ValueError):  # it must not be written to, is empty, or not contiguous
        return array.__array_interface__["data"][0]


def place_of(array: Any) -> int | None:
    """Return where a contiguous array's memory begins, None for one that is not."""
    flags = array.flags
    return address(array) if flags.c_contiguous and flags.aligned else None
