"""Taps as arrays of a requested library, dtype and device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arrayconv._arrays.array import Array
from arrayconv._arrays.dtype_names import requested_dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.host import Numbers, frozen
from arrayconv._arrays.namespace import has_dtype, requested_namespace
from arrayconv._errors import shown
from arrayconv._kernels import stencils


@float_errors_ignored
def array_of(function: str, arguments: tuple[Any, ...], xp: Any, dtype: Any, device: Any) -> Array:
    """Return the taps of a stencil as an array."""
    namespace = requested_namespace(function, "xp", xp)
    name = None if dtype is None else requested_dtype_name(function, dtype)
    if device is not None:
        _check_device(function, namespace, device)
    taps = stencils.numbers(function, frozen(arguments), name, has_dtype(namespace, device, "float64"))
    if not hasattr(namespace, taps.dtype):
        raise TypeError(f"{function}: `dtype` must exist in the array library. Got {taps.dtype}, {namespace.__name__}.")
    return taps.array(taps.dtype, namespace, device)


def array(function: str, numbers: Sequence[float], xp: Any, device: Any) -> Array:
    """Return real taps in the widest dtype of a device."""
    namespace = requested_namespace(function, "xp", xp)
    if device is not None:
        _check_device(function, namespace, device)
    name = "float64" if has_dtype(namespace, device, "float64") else "float32"
    return Numbers(tuple(numbers), (len(numbers),), name).array(name, namespace, device)


def _check_device(function: str, xp: Any, device: Any) -> None:
    try:
        xp.empty((0,), device=device)
    except Exception as refusal:  # every library has its own types for this
        raise ValueError(
            f"{function}: `device` must be one of {xp.__name__}'s. Got {shown(device)} ({shown(str(refusal))})."
        ) from None
