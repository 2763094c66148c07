"""Nested lists and plain numbers: what NumPy makes of them, as Python values that every library can make an array of.

NumPy looks at them inside a `planning` function, which is handed tuples, so compilers meet only what it found. The
rules for dtypes are the doors' own: `fitting` is the core's.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from math import inf
from operator import index as index_of
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import dtypes
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
        found = np.asarray(values)
    except ValueError as ragged:
        raise ValueError(f"{function}: `{argument}` must be a nested list of equal lengths. {ragged}.") from None
    if found.dtype == object and found.size and all(isinstance(value, int) for value in found.flat):
        least, most = shown(min(found.flat)), shown(max(found.flat))
        raise ValueError(
            f"{function}: the numbers in `{argument}` must fit 64 bits. Got {least} to {most}. "
            f"Use floats, or split them."
        )
    return found


def copied(library: str, x: Any) -> Any:
    """Return the values of any library's array as a NumPy array: a transfer, where it is on another device."""
    fetch: dict[str, Callable[[], Any]] = {
        "torch": lambda: _of_torch(x),
        "cupy": lambda: x.get(),
        "array_api_strict": lambda: x.to_device(sys.modules["array_api_strict"].Device("CPU_DEVICE")),
    }
    found = np.asarray(fetch[library]() if library in fetch else _of_unknown(x))
    return found.astype(np.float32) if found.dtype.name == "bfloat16" else found


def _of_unknown(x: Any) -> Any:
    """Return the values of an array of a library that is not known here, or x where NumPy can ask for them itself.

    Where it can't, one by one, as the standard demands of every library; raises what the library does where the array
    has none, as that of a graph that is yet to run.
    """
    if hasattr(x, "__array__"):
        return x
    number = complex if "complex" in str(x.dtype) else float if "float" in str(x.dtype) else int
    values = [number(x[index]) for index in np.ndindex(*map(index_of, x.shape))]
    return np.asarray(values, dtype=getattr(x.dtype, "name", None) or str(x.dtype).rsplit(".", 1)[-1]).reshape(x.shape)


def readable(library: str, x: Any) -> bool:
    """Whether the values of an array of a library that is not known here can be read."""
    try:
        copied(library, x)
    except Exception:  # of whatever kind its authors thought right
        return False
    return True


def _of_torch(x: Any) -> Any:
    """Return a tensor's values, bfloat16, which NumPy does not have, as float32."""
    x = x.detach().cpu().resolve_conj().resolve_neg()
    return (x.float() if str(x.dtype) == "torch.bfloat16" else x).numpy()


def numbers(function: str, argument: str, values: Any) -> Numbers:
    """Return the numbers of nested lists, with the dtype that NumPy gives them; refuses what `array` does."""
    return _numbers(function, argument, frozen(values))


@planning(0)
def _numbers(function: str, argument: str, values: Any) -> Numbers:
    found = array(function, argument, values)
    return Numbers(tuple(found.ravel().tolist()), found.shape, found.dtype.name)


def fitting(function: str, argument: str, values: Any, name: str, target: str, float64: bool) -> Numbers:
    """Return the numbers of nested lists, with the dtype for them beside data.

    Parameters
    ----------
    function, argument : str
        For error texts.
    values
        Nested lists or a number.
    name : str
        The dtype of the data, or the one asked for: theirs too, where its kind can hold them.
    target : str
        What error texts call that.
    float64 : bool
        Whether the device has float64.
    """
    return _fitting(function, argument, frozen(values), name, target, float64)


@planning(0)
def _fitting(function: str, argument: str, values: Any, name: str, target: str, float64: bool) -> Numbers:
    found = array(function, argument, values)
    kind = "integer" if found.size == 0 else dtypes.kind(dtypes.checked(function, argument, found.dtype.name))
    if kind == "integer" and dtypes.kind(name) == "integer":
        info = np.iinfo(name)
        if found.size and not info.min <= found.min() <= found.max() <= info.max:
            raise ValueError(
                f"{function}: the numbers in `{argument}` must fit {target}{name} [{info.min}, {info.max}]. "
                f"Got {found.min()} to {found.max()}. Pass dtype= with a wider type, or an array."
            )
    elif not dtypes.holds(name, kind):
        name = dtypes.widened(name, kind, float64)
    return Numbers(tuple(found.ravel().tolist()), found.shape, name)
