"""NumPy's promotion rule on dtype names, for the modules that imitate SciPy.

Unlike `_arrays.dtypes.promote` it knows bool, and kinds mix by size: int32 with float32 gives float64. Names rather
than dtype objects, so that one rule holds for every library. bfloat16, which NumPy lacks, promotes like float16; with
float16 itself it gives float32.
"""

from __future__ import annotations

import numpy as np

from arrayconv._runtime.tracing import planning

_NARROWER = {"float64": "float32", "complex128": "complex64", "int64": "int32", "uint64": "uint32"}


@planning()
def result_type(*names: str) -> str:
    """Return the name of the dtype in which NumPy would combine arrays of these dtypes.

    Raises
    ------
    TypeError
        For a name that is no dtype of NumPy, other than bfloat16.
    """
    common = np.result_type(*(np.dtype("float16" if name == "bfloat16" else name) for name in names)).name
    if common == "float16" and "bfloat16" in names:
        return "float32" if "float16" in names else "bfloat16"
    return common


def floating(name: str) -> str:
    """Return the dtype in which SciPy transforms data of dtype `name`: float64 for integers, at least float32."""
    if name in ("float16", "bfloat16"):
        return "float32"
    return name if name.startswith(("float", "complex")) else "float64"


def narrower(name: str) -> str | None:
    """Return the half-sized dtype used on devices without `name`, None where there is none."""
    return _NARROWER.get(name)
