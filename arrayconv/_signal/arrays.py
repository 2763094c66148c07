"""Two inputs as SciPy takes them: arrays of one library or nested lists, bool included, in NumPy's result dtype.

Lists become arrays like the other input, whichever it is, in the dtype NumPy would give them; two lists become NumPy
arrays. Where the device does not hold the dtype that SciPy would answer in, its half-sized one serves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from arrayconv._numpy_dtypes import narrower
from arrayconv._xp import (
    Namespace,
    Operands,
    checked_dtype_name,
    compat_namespace,
    device_of,
    dtype_name,
    has_dtype,
    identify,
    operands,
)

Rule = Callable[[str, str], str]  # the dtype names of both inputs to the result's

_COUNTS = "int32"  # in which bool is added up, so that sums are nonzero where any product is


class Pair(NamedTuple):
    """Two arrays of one library, of any dtype that has a convolution, or bool."""

    names: tuple[str, str]
    arrays: tuple[Any, Any]
    xp: Namespace
    device: Any

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Both shapes."""
        return tuple(self.arrays[0].shape), tuple(self.arrays[1].shape)


class Typed(NamedTuple):
    """Operands of the core, and the dtype name of the answer: the core's own, except for bool."""

    operands: Operands
    output: str

    def answer(self, y: Any) -> Any:
        """Return the core's result as SciPy gives it: bool where that is due, 0-d by its library's habit."""
        if self.output == "bool":
            y = y != 0
        return y if y.ndim else y[()]


def pair(function: str, names: tuple[str, str], in1: Any, in2: Any) -> Pair:
    """Admit two inputs; raises TypeError for what is no array, or for two libraries or devices."""
    libraries = identify(function, names[0], in1), identify(function, names[1], in2)
    like = in1 if libraries[0] else in2
    home = libraries[0] or libraries[1] or "numpy"
    xp = _namespace(home, like)
    device = device_of(np.asarray(like) if home == "numpy" else like)
    first, second = (
        value if library not in ("", "numpy") else _array(function, name, value, library or home, xp, device)
        for name, value, library in zip(names, (in1, in2), libraries, strict=True)
    )
    return Pair(names, (first, second), xp, device)


def typed(function: str, inputs: Pair, rule: Rule) -> Typed:
    """Return the core's operands, in the dtype that `rule` gives or the nearest one the device holds."""
    found = [_dtype(function, name, array) for name, array in zip(inputs.names, inputs.arrays, strict=True)]
    output = rule(*found)
    wanted = _COUNTS if output == "bool" else output if output in found else held(output, inputs.xp, inputs.device)
    dtype = getattr(inputs.xp, wanted)
    first, second = (
        inputs.xp.astype(array, dtype) if name == "bool" else array
        for array, name in zip(inputs.arrays, found, strict=True)
    )
    return Typed(operands(function, first, second, wanted, inputs.names), "bool" if output == "bool" else wanted)


def held(name: str, xp: Namespace, device: Any) -> str:
    """Return `name`, or the half-sized dtype where the device does not hold it."""
    smaller = narrower(name)
    return name if smaller is None or has_dtype(xp, device, name) else smaller


def _namespace(library: str, array: Any) -> Namespace:
    return compat_namespace(array.__array_namespace__() if hasattr(array, "__array_namespace__") else library)


def _dtype(function: str, name: str, array: Any) -> str:
    found = dtype_name(array.dtype)
    return found if found == "bool" else checked_dtype_name(function, name, found)


def _array(function: str, argument: str, value: Any, library: str, xp: Namespace, device: Any) -> Any:
    """Return nested lists or NumPy's own scalars as an array of `library`."""
    try:
        host = np.asarray(value)
    except ValueError as ragged:
        raise ValueError(f"{function}: `{argument}` must be a nested list of equal lengths. {ragged}") from None
    if library == "numpy":
        return host
    name = host.dtype.name if host.dtype == bool else checked_dtype_name(function, argument, host.dtype)
    dtype = getattr(xp, held(name, xp, device))
    return xp.reshape(xp.asarray(host.tolist(), dtype=dtype, device=device), host.shape)
