"""Nested lists and plain numbers as NumPy reads them, in Python values that every library can make an array of.

NumPy looks at them inside a `planning` function, which takes tuples, so compilers see its results alone. The
rules for dtypes are the doors' own: `fitting` is the core's.
"""

from __future__ import annotations

import warnings
from math import inf
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import dtypes
from arrayconv._arrays.libraries import library_row
from arrayconv._arrays.namespace import on_device
from arrayconv._errors import shown
from arrayconv._runtime.tracing import planning

_FLOATS = frozenset(name for name, dtype in dtypes.DTYPES.items() if dtype.kind != "integer")


class Numbers(NamedTuple):
    """The numbers of nested lists: a flat tuple, last axis fastest, their shape, and the name of a dtype for them."""

    values: tuple[Any, ...]
    shape: tuple[int, ...]
    dtype: str

    def array(self, dtype: str, xp: Any, device: Any) -> Any:
        """Return them as an array of the dtype so called, with a warning where numbers are too large for it."""
        self._warn_of_overflow(dtype)
        with on_device(xp, device):
            flat = xp.asarray(list(self.values), dtype=getattr(xp, dtype), device=device)
        return xp.reshape(flat, self.shape)

    def _warn_of_overflow(self, dtype: str) -> None:
        limit = dtypes.limit(dtype) if dtype in _FLOATS else inf
        sizes = [abs(value) for value in self.values] if limit < inf else []
        if any(limit <= size < inf for size in sizes):
            largest = max(size for size in sizes if size < inf)
            warnings.warn(f"numbers up to {largest} are infinite in {dtype}. Pass a wider dtype.", RuntimeWarning, 2)


def frozen(value: Any) -> Any:
    """Return lists and tuples, however deep, as tuples: what `planning` functions take."""
    return tuple([frozen(entry) for entry in value]) if isinstance(value, (list, tuple)) else value


def array(function: str, argument: str, values: Any) -> Any:
    """Return nested lists or a number as a NumPy array; ValueError for ragged lists and for integers above 64 bits."""
    try:
        parsed = np.asarray(values)
    except ValueError as ragged:
        raise ValueError(f"{function}: `{argument}` must be a nested list of equal lengths. {ragged}.") from None
    if parsed.dtype == object and parsed.size and all(isinstance(value, int) for value in parsed.flat):
        least, most = shown(min(parsed.flat)), shown(max(parsed.flat))
        raise ValueError(
            f"{function}: the numbers in `{argument}` must fit 64 bits. Got {least} to {most}. "
            f"Use floats, or split them."
        )
    return parsed


def copied(library: str, x: Any) -> Any:
    """Return the values of any library's array as a NumPy array, in float32 where NumPy does not have their dtype.

    A transfer, where the array is on another device.
    """
    values = np.asarray(library_row(library).to_numpy(x))
    return values if dtypes.in_numpy(values.dtype.name) else values.astype(np.float32)


def from_numpy(values: Any, dtype: str, xp: Any, device: Any) -> Any:
    """Return a NumPy array as an array of another library, on a device; None for its only one."""
    options = {"dtype": getattr(xp, dtype)} | ({} if device is None else {"device": device})
    try:
        return xp.asarray(values, **options)
    except Exception:  # the standard takes lists, and no other library's arrays
        return xp.reshape(xp.asarray(values.ravel().tolist(), **options), values.shape)


def readable(library: str, x: Any) -> bool:
    """Whether the values of an array can be read."""
    try:
        copied(library, x)
    except Exception:  # of any kind: it is the library's
        return False
    return True


def numbers(function: str, argument: str, values: Any) -> Numbers:
    """Return the numbers of nested lists, with the dtype that NumPy gives them; refuses what `array` does."""
    return _numbers(function, argument, frozen(values))


@planning(0)
def _numbers(function: str, argument: str, values: Any) -> Numbers:
    parsed = array(function, argument, values)
    return Numbers(tuple(parsed.ravel().tolist()), parsed.shape, parsed.dtype.name)


def fitting(function: str, argument: str, values: Any, name: str, target: str, float64: bool) -> Numbers:
    """Return the numbers of nested lists, with the dtype for them beside data.

    Parameters
    ----------
    function, argument : str
        For error texts.
    values
        Nested lists or a number.
    name : str
        The dtype of the data, or the requested one: that of the numbers too, if it can represent their kind.
    target : str
        What error texts call that.
    float64 : bool
        Whether the device has float64.
    """
    return _fitting(function, argument, frozen(values), name, target, float64)


@planning(0)
def _fitting(function: str, argument: str, values: Any, name: str, target: str, float64: bool) -> Numbers:
    parsed = array(function, argument, values)
    kind = "integer" if parsed.size == 0 else dtypes.kind(dtypes.checked(function, argument, parsed.dtype.name))
    if kind == "integer" and dtypes.kind(name) == "integer":
        info = np.iinfo(name)
        if parsed.size and not info.min <= parsed.min() <= parsed.max() <= info.max:
            raise ValueError(
                f"{function}: the numbers in `{argument}` must fit {target}{name} [{info.min}, {info.max}]. "
                f"Got {parsed.min()} to {parsed.max()}. Pass dtype= with a wider type, or an array."
            )
    elif not dtypes.holds(name, kind):
        name = dtypes.widened(name, kind, float64)
    return Numbers(tuple(parsed.ravel().tolist()), parsed.shape, name)
