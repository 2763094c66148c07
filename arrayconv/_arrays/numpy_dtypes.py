"""NumPy's promotion rule on dtype names, for the functions that imitate SciPy.

Unlike `_arrays.dtypes.promote` it knows bool, and kinds mix by size: int32 with float32 is float64. It takes names, not
dtype objects, so one rule covers every library. A dtype that NumPy lacks takes float16's place: bfloat16. With float16
itself it gives float32.
"""

from __future__ import annotations

import numpy as np

from arrayconv._arrays.dtypes import DTYPES, Dtype, component, in_numpy, is_narrow_float
from arrayconv._runtime.tracing import planning


def _is_half(narrow: Dtype, name: str) -> bool:
    dtype, bits = DTYPES[name], DTYPES[component(name)].bits
    return bits == 64 and (narrow.kind, narrow.signed, 2 * narrow.bits) == (dtype.kind, dtype.signed, dtype.bits)


_NARROWER = {name: narrow for name in DTYPES for narrow, dtype in DTYPES.items() if _is_half(dtype, name)}


@planning()
def result_type(*names: str) -> str:
    """Return the name of the dtype in which NumPy would combine arrays of these dtypes.

    Raises
    ------
    TypeError
        For a name that is neither a dtype of NumPy nor of this package.
    """
    common = np.result_type(*(np.dtype(name if in_numpy(name) else "float16") for name in names)).name
    formats = {name for name in names if name == "float16" or not in_numpy(name)}
    if common != "float16" or not formats:
        return common
    return formats.pop() if len(formats) == 1 else "float32"


def floating(name: str) -> str:
    """Return the dtype in which SciPy transforms data of dtype `name`: float64 for integers, at least float32."""
    if name in DTYPES and is_narrow_float(name):
        return "float32"
    return name if name.startswith(("float", "complex")) else "float64"


def narrower(name: str) -> str | None:
    """Return the half-sized dtype that replaces `name` on devices without it, None where there is none."""
    return _NARROWER.get(name)
