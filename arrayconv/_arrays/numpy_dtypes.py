"""NumPy's promotion rule on dtype names, for the doors that imitate SciPy.

Unlike `_arrays.dtypes.promote` it knows bool, and kinds mix by size: int32 with float32 is float64. Names rather than
dtype objects, so that one answer serves every library. bfloat16, which NumPy lacks, takes float16's place and
meets float16 itself in float32.
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
    """Return the half-sized dtype that stands in on devices without `name`, None where nothing does."""
    return _NARROWER.get(name)
