"""NumPy arrays as flat memory, which compiled loops address by element."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

Host = np.ndarray[Any, Any]
Part = Callable[[int, int], None]  # (first, stop): writes those blocks of outputs
Start = Callable[[Host, Host, Host], Part]  # on flat memory (x, factors, y), which must outlive the part
Entire = Callable[[int, int, int], None]  # a whole call on contiguous memory at addresses (x, kernel, y)


def addressable(array: Host) -> bool:
    """Whether a loop may read and write every element by number: native byte order, whole elements apart."""
    return array.dtype.isnative and array.flags.aligned and not any(stride % array.itemsize for stride in array.strides)


def steps_of(array: Host) -> tuple[int, ...]:
    """Return how far one step along each axis moves, in elements."""
    return tuple(
        [stride // array.itemsize if n > 1 else 0 for n, stride in zip(array.shape, array.strides, strict=True)]
    )


def flat(array: Host) -> tuple[Host, tuple[int, ...], int]:
    """Return an array as flat memory, its steps, and the place of its first element; a copy's where it must be."""
    if not addressable(array):
        array = array.copy()
    steps = steps_of(array)
    if array.flags.c_contiguous:
        return array.reshape(-1), steps, 0
    far = [(n - 1) * step for n, step in zip(array.shape, steps, strict=True)]
    lowest = array[tuple([slice(None, None, -1 if step < 0 else 1) for step in steps])]
    span = sum(map(abs, far)) + 1
    flat = np.lib.stride_tricks.as_strided(lowest, (span,), (array.itemsize,))
    return flat, steps, -sum(min(0, n) for n in far)


def adjacent(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the steps of an array whose elements stand one after the other; none along axes of one element."""
    return tuple([prod(shape[axis + 1 :]) if n > 1 else 0 for axis, n in enumerate(shape)])


def address(array: Any) -> int:  # Any: before Python 3.12 no type tells arrays from other owners of memory
    """Return where the first element of flat memory stands."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # three times as quick as what works for all
    except (TypeError, ValueError):  # it must not be written to, or is empty
        return array.ctypes.data


def place_of(array: Any) -> int | None:
    """Return where a contiguous array's memory begins, None for one that is not."""
    flags = array.flags
    return address(array) if flags.c_contiguous and flags.aligned else None
