"""Values of arrays that NumPy can't read by itself, one function for each library that needs one."""

from __future__ import annotations

import sys
from operator import index as index_of
from typing import Any

import numpy as np

from arrayconv._arrays import dtypes


def of_torch(x: Any) -> Any:
    """Return a tensor's values, in float32 where NumPy does not have their dtype."""
    x = x.detach().cpu().resolve_conj().resolve_neg()
    return (x if dtypes.in_numpy(str(x.dtype).removeprefix("torch.")) else x.float()).numpy()


def of_cupy(x: Any) -> Any:
    """Return the values of a CuPy array."""
    return x.get()


def of_strict(x: Any) -> Any:
    """Return an array of array_api_strict on the one device that NumPy reads."""
    return x.to_device(sys.modules["array_api_strict"].Device("CPU_DEVICE"))


def of_any(x: Any) -> Any:
    """Return x where NumPy can read it, else its values one by one, as the standard supports everywhere.

    Raises what the library raises where the array has no values, as in a graph that has not run.
    """
    if hasattr(x, "__array__"):
        return x
    number = complex if "complex" in str(x.dtype) else float if "float" in str(x.dtype) else int
    values = [number(x[index]) for index in np.ndindex(*map(index_of, x.shape))]
    return np.asarray(values, dtype=getattr(x.dtype, "name", None) or str(x.dtype).rsplit(".", 1)[-1]).reshape(x.shape)
