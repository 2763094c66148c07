"""SciPy's result dtypes, and arithmetic in them: integers are cut toward zero and wrap, bools are one byte.

Sums are formed in float64 (float32 where a device has no more) and brought into the result's dtype once per pass. C
leaves a float outside an integer's range undefined. Here, as in SciPy on x86-64, integers to int32 wrap as far as an
int32 goes and others as far as an int64; what is beyond becomes the bits of its lowest number, in a uint64 0.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from arrayconv._arrays import dtypes
from arrayconv._arrays.array import Array
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.namespace import Namespace, has_dtype
from arrayconv._arrays.numpy_dtypes import result_type
from arrayconv._errors import shown

COMPUTED = tuple(name for name in dtypes.DTYPES if not dtypes.is_narrow_float(name))
SUPPORTED = ("bool", *COMPUTED)
USER = 6  # frames up to the caller: result_name, validate_call, a `Request`, a filter, a public function


def is_complex(name: str) -> bool:
    """Whether the dtype called `name` is complex; names this package does not know are not."""
    return name.startswith("complex")


def is_integer(name: str) -> bool:
    """Whether values of the dtype called `name` are whole numbers; a bool is a byte."""
    return name == "bool" or dtypes.kind(name) == "integer"


def bits(name: str) -> int:
    """Return the bits of the dtype called `name`."""
    return dtypes.DTYPES["uint8" if name == "bool" else name].bits


def check_supported(function: str, argument: str, name: str) -> None:
    """Raise RuntimeError for a dtype that SciPy's filters do not have either."""
    if name not in SUPPORTED:
        raise RuntimeError(
            f"{function}: array type not supported: `{argument}` has dtype {name}. Cast it to one of {list(SUPPORTED)}."
        )


def result_name(function: str, output: Any, is_array: bool, x_name: str, *, complex_result: bool, promote: bool) -> str:
    """Return the result's dtype name from SciPy's `output`: None, a dtype or its name, or an array.

    None is the input's dtype. A real dtype for a complex result is refused, unless `promote` is set and it
    came as a dtype: then it becomes complex, with SciPy's warning.
    """
    if output is None:
        return x_name if is_complex(x_name) or not complex_result else complexified(x_name)
    name = output_name(function, output, is_array)
    if complex_result and not is_complex(name):
        if is_array or isinstance(output, str) or not promote:
            raise RuntimeError(f"{function}: output must have complex dtype. Got {name} for a complex result.")
        warnings.warn(f"{function}: promoting specified output dtype to complex. Got {name}.", stacklevel=USER)
        name = complexified(name)
    check_supported(function, "output", name)
    if is_complex(name) and not complex_result:
        raise RuntimeError(
            f"{function}: array type not supported: `output` is {name}, but the result is real. Pass a real dtype."
        )
    return name


def output_name(function: str, output: Any, is_array: bool) -> str:
    """Return the name of the dtype that `output` is, or has where it is an array."""
    if is_array:
        return dtype_name(output.dtype)
    if isinstance(output, str):
        named = None if output.startswith("a") else _named(function, output)  # NumPy warns of 'a', which is text
        if named is None or not issubclass(named.type, np.number):
            raise RuntimeError(f"{function}: output must have numeric dtype. Got {output!r}.")
        return named.name
    try:
        name = dtype_name(output)
    except (TypeError, ValueError):
        name = ""
    if not name.isidentifier():
        raise TypeError(f"{function}: `output` must be a dtype, its name or an array. Got {shown(output)}.")
    return name


def foreign_order(function: str, output: Any, backend: str) -> np.dtype[Any] | None:
    """Return SciPy's `output` as a NumPy dtype where it asks for another byte order than the machine's, else None."""
    requested = (
        output if isinstance(output, np.dtype) else _named(function, output) if isinstance(output, str) else None
    )
    if requested is None or requested.isnative:
        return None
    if backend != "numpy":
        raise TypeError(
            f"{function}: `output` must be in the machine's byte order, the only one {backend} has. "
            f"Got {requested.str!r}."
        )
    return requested


def _named(function: str, name: str) -> np.dtype[Any]:
    try:
        return np.dtype(name)
    except (TypeError, ValueError, SyntaxError) as refusal:  # NumPy parses strings with commas
        raise TypeError(f"{function}: `output`: {refusal}.") from None


def complexified(name: str) -> str:
    """Return the narrowest complex dtype that SciPy widens the dtype called `name` to."""
    return result_type(name, "complex64")


@float_errors_ignored
def cast(y: Array, name: str, *, xp: Namespace, device: Any) -> Array:
    """Return y in the dtype called `name`; y itself where it has it."""
    if name != "bool" and is_integer(name) and not is_integer(dtype_name(y.dtype)):
        return _truncated(y, name, xp=xp, device=device)
    return xp.astype(y, getattr(xp, name), copy=False)


def _truncated(y: Any, name: str, *, xp: Namespace, device: Any) -> Array:
    """Return real floats cut toward zero, modulo the integer dtype's width."""
    _, bits, signed, *_ = dtypes.DTYPES[name]
    narrow = bits < 32 or name == "int32" or not has_dtype(xp, device, "int64")
    width = 32 if narrow else 64
    half = 2.0 ** (width - 1)
    zero, lowest = (xp.full((), number, dtype=y.dtype, device=device) for number in (0.0, -half))
    y = xp.trunc(y)
    if not signed and bits == width:  # the upper half of the range has the same bits as the negative numbers
        y = xp.where(y >= half, xp.where(y < 2 * half, y - 2 * half, zero), y)
    y = xp.where((y >= -half) & (y < half), y, lowest)
    return xp.astype(xp.astype(y, getattr(xp, f"int{width}")), getattr(xp, name), copy=False)


def summable(x: Any, name: str, *, xp: Namespace, dtype: str) -> Array:
    """Return wide unsigned integers that a pass wrapped as floats; any others as they are.

    XLA takes the cast to an unsigned dtype of the same width and the next one to a float for one cast, so that what
    wrapped would be negative again. So the halves of their bits are cast.
    """
    if name not in ("uint32", "uint64"):
        return x
    half, real = dtypes.DTYPES[name].bits // 2, getattr(xp, dtype)
    return xp.astype(x >> half, real) * 2.0**half + xp.astype(x & ((1 << half) - 1), real)


def added(a: Array, b: Array, name: str, *, xp: Namespace) -> Array:
    """Return a + b in their dtype: bools by or, integers modulo their width."""
    if name == "bool":
        return xp.logical_or(a, b)
    if not is_integer(name):
        return a + b
    a, b = _signed(a, name, xp), _signed(b, name, xp)
    return xp.astype(a + b, getattr(xp, name), copy=False)


def squared(a: Array, name: str, *, xp: Namespace) -> Array:
    """Return a * a in its dtype."""
    if name == "bool":
        return a
    if not is_integer(name):
        return a * a
    a = _signed(a, name, xp)
    return xp.astype(a * a, getattr(xp, name), copy=False)


def root(a: Array, name: str, *, xp: Namespace, device: Any) -> Array:
    """Return the square root in the dtype of a."""
    if not is_integer(name):
        return xp.sqrt(a)
    if name == "bool":
        return a
    real = getattr(xp, "float64" if has_dtype(xp, device, "float64") else "float32")
    return cast(xp.sqrt(xp.astype(a, real)), name, xp=xp, device=device)


def _signed(a: Array, name: str, xp: Namespace) -> Array:
    """Return integers in the signed dtype of their width, which every library can add and multiply."""
    return xp.astype(a, getattr(xp, dtypes.accumulator(name)), copy=False)
