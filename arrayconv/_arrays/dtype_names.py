"""Names of dtypes: of any library's dtype objects, and of what users ask for."""

from __future__ import annotations

from typing import Any

import numpy as np

from arrayconv._arrays import dtypes
from arrayconv._errors import listed, shown
from arrayconv._runtime.tracing import planning


@planning(256, typed=True)  # typed: array-api-strict warns when its dtypes are compared with NumPy's
def dtype_name(dtype: Any) -> str:
    """Return 'float32' for any library's float32, whether an instance, a class or a name."""
    if isinstance(dtype, type):
        dtype = np.dtype(dtype)
    return str(getattr(dtype, "name", None) or str(dtype).rsplit(".", 1)[-1])


def checked_dtype_name(function: str, argument: str, dtype: Any) -> str:
    """Return the dtype's name, or raise TypeError where this package does not compute in it."""
    try:
        name = dtype if isinstance(dtype, str) else dtype_name(dtype)
    except TypeError:
        name = repr(dtype)
    return dtypes.checked(function, argument, name)


def requested_dtype_name(function: str, dtype: Any, argument: str = "dtype") -> str:
    """Return the name of a dtype a caller asks for, or raise TypeError listing the known ones.

    Any library's dtype and any spelling NumPy reads: 'f4', 'double', float. A byte order is read and not kept: results
    are in the machine's, as those of data in another order are.
    """
    try:
        name = parse_dtype_name(dtype) if isinstance(dtype, str) else dtype_name(dtype)
    except (TypeError, ValueError):
        name = ""
    if name not in dtypes.DTYPES:
        raise TypeError(f"{function}: `{argument}` must be one of {listed(dtypes.DTYPES)}. Got {shown(dtype)}.")
    return name


@planning(256)
def parse_dtype_name(name: str) -> str:
    """Return the name of the dtype that NumPy reads in a string, '' for none; its own names stay as they are."""
    if name in dtypes.DTYPES:
        return name
    if name.lstrip("<>=|")[:1] in ("a", "S", "U", "V", "M", "m", "O"):  # text, dates, objects; NumPy warns of some
        return ""
    try:
        return np.dtype(name).name
    except (TypeError, ValueError, SyntaxError):  # NumPy parses strings with commas
        return ""
