"""NumPy arrays as memory that compiled loops address by element, in place.

A loop supports arrays of any layout, with one table for each.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

Host = np.ndarray[Any, Any]
Steps = tuple[int, ...]  # strides of the axes, in elements
At = Callable[[int, int, int], None]  # a step at addresses of x, the factors and y

_MAX_LAYOUTS = 16


def contiguous_steps(shape: tuple[int, ...]) -> Steps:
    """Return the steps of a contiguous array, 0 along axes of one element."""
    return tuple([prod(shape[axis + 1 :]) if n > 1 else 0 for axis, n in enumerate(shape)])


def address(array: Any) -> int:  # Any: before Python 3.12 there is no type for owners of memory
    """Return the address of an array's first element."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # three times as fast as the general way below
    except (TypeError, ValueError):  # it is read-only, empty or not contiguous
        return array.__array_interface__["data"][0]


def contiguous_address(array: Any) -> int | None:
    """Return the address of a contiguous and aligned array, None for any other."""
    flags = array.flags
    return address(array) if flags.c_contiguous and flags.aligned else None


class Layout(NamedTuple):
    """How a loop runs on arrays of known steps."""

    at: At
    copies: bool  # whether x is made contiguous first
    shape: tuple[int, ...] | None  # of a new y in memory; None where the caller's `out` is written
    order: tuple[int, ...] | None = None  # of the new y's axes, None for the canonical one


class InPlace:
    """A loop as `Bound.run`: x and the caller's `out` are addressed in place.

    Parameters
    ----------
    layout : callable
        (steps of x or None where it can't be addressed, steps of `out` or None) -> Layout.
    dtype : str
        Of all arrays.
    """

    def __init__(self, layout: Callable[[Steps | None, Steps | None], Layout], dtype: str) -> None:
        self._layout, self._dtype = layout, np.dtype(dtype)
        self._layouts: dict[Any, Layout] = {}

    def __call__(self, x: Any, factors: Any, out: Any) -> Any:
        """Return y (batch, groups, filters, *out); `out` itself where it was written."""
        key = x.strides, x.flags.aligned
        if out is not None:
            key = *key, out.strides, out.flags.aligned
        layout = self._layouts.get(key)
        if layout is None:
            layout = self._add_layout(key, x, out)
        if layout.copies:
            x = np.array(x, order="C")
        y: Any = out if layout.shape is None else np.empty(layout.shape, self._dtype)
        layout.at(address(x), address(factors), address(y))
        return y if layout.order is None else y.transpose(layout.order)

    def _add_layout(self, key: Any, x: Any, out: Any) -> Layout:
        layout = self._layout(steps_of(x), None if out is None else steps_of(out))
        if len(self._layouts) >= _MAX_LAYOUTS:
            self._layouts.clear()
        self._layouts[key] = layout
        return layout


def steps_of(array: Any) -> Steps | None:
    """Return the strides of an array in elements, 0 along axes of one; None where a loop can't address the elements."""
    size = array.itemsize
    if not array.dtype.isnative or not array.flags.aligned or any(stride % size for stride in array.strides):
        return None
    return tuple([stride // size if n > 1 else 0 for n, stride in zip(array.shape, array.strides, strict=True)])
