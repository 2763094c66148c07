"""Masks: which samples are there, by `where` and by NaN, and samples with zeros in the place of the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from arrayconv._arrays import host
from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import is_graph
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import kind
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.operands import Operands
from arrayconv._runtime.tracing import is_traced, shape_of


def parse_where(function: str, where: Any, operands: Operands) -> Array | None:
    """Return `where` as an array of booleans of the library of x, that broadcasts to the shape of x; None for None."""
    if where is None:
        return None
    library, xp, x = identify(function, "where", where), operands.xp, operands.x
    if library in ("", "numpy") and (library == "" or isinstance(where, np.generic)):
        values = host.array(function, "where", where)
        if values.dtype == np.bool_:
            where = xp.reshape(xp.asarray(values.ravel().tolist(), dtype=xp.bool, device=operands.device), values.shape)
            library = operands.traits.library
        else:
            where = values
    if (name := dtype_name(where.dtype)) != "bool":
        raise TypeError(
            f"{function}: `where` must be boolean, True where x is there. Got {name}. Compare it first, as in "
            f"`where != 0`."
        )
    _check_home(function, where, library, operands)
    shape, own = shape_of(x), shape_of(where)
    pairs = zip(shape[::-1], own[::-1], strict=False)
    if len(own) > len(shape) or any(n not in (1, size) for size, n in pairs):
        raise ValueError(f"{function}: `where` must broadcast to the shape of x, {shape}. Got {own}.")
    return where


def _check_home(function: str, where: Any, library: str, operands: Operands) -> None:
    if library != operands.traits.library:
        raise TypeError(
            f"{function}: `x` and `where` must come from one array library. Got {operands.traits.library} and "
            f"{library}. Convert one of them first."
        )
    if library == "numpy" or (library == "jax" and is_traced(library, operands.x, where)):
        return
    if device_of(where) != operands.device:
        raise TypeError(
            f"{function}: `x` and `where` must be on one device. Got {operands.device} and {device_of(where)}. "
            f"Move one of them first."
        )


def check_no_nan(function: str, x: Array, where: Array | None, library: str, *, xp: Namespace) -> None:
    """Raise ValueError if a sample that is there is NaN; TypeError where values can't be read."""
    if kind(dtype_name(x.dtype)) == "integer":
        return
    if is_graph(x):
        raise TypeError(
            f"{function}: nan_policy='raise' reads the values of `x`, which Dask computes later. Use 'omit' or "
            f"'propagate', or compute `x` first."
        )
    if is_traced(library, x):
        raise TypeError(
            f"{function}: nan_policy='raise' reads the values of `x`, which are unknown while a compiler traces. "
            f"Use 'omit' or 'propagate'."
        )
    flags = xp.isnan(x) if where is None else xp.isnan(x) & where
    count = int(xp.sum(xp.astype(flags, xp.int64)))
    if count:
        raise ValueError(
            f"{function}: `x` must not contain NaN with nan_policy='raise'. Got {count} of {flags.size}. "
            f"Use nan_policy='omit', or exclude them by `where`."
        )


def present(x: Array, where: Array | None, omits: bool, *, xp: Namespace) -> Array | None:
    """Return which samples are there, in the shape of x; None if all are."""
    if omits and kind(dtype_name(x.dtype)) != "integer":
        flags = ~xp.isnan(x)
        return flags if where is None else flags & where
    return None if where is None else xp.broadcast_to(where, x.shape)


def samples(x: Array, mask: Array | None, dtype: Any, *, xp: Namespace) -> Array:
    """Return x in a dtype, with zeros in the place of samples that are missing: those have no gradient."""
    x = xp.astype(x, dtype, copy=False)
    return x if mask is None else xp.where(mask, x, xp.zeros_like(x))


def numbers(mask: Array | None, like: Array, dtype: Any, *, xp: Namespace) -> Array:
    """Return a mask as ones and zeros in a dtype; ones for None."""
    if mask is None:
        return xp.ones_like(like, dtype=dtype)
    return xp.astype(mask, dtype)


def write(x: Any, where: Any, omits: bool, target: Any, ones: Any) -> None:
    """Write what `samples` and `numbers` return of `present` into two arrays of NumPy."""
    np.copyto(target, x)
    if not omits or x.dtype.kind in "iu":
        if where is None:
            ones[...] = 1
            return
        np.copyto(target, 0, where=~where)
        np.copyto(ones, where)
        return
    flags = np.isnan(x)
    if where is not None:
        flags |= ~where
    np.copyto(target, 0, where=flags)
    np.logical_not(flags, out=flags)
    np.copyto(ones, flags)
