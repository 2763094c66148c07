"""Two inputs as SciPy takes them: arrays of one library or nested lists, bool included, in NumPy's result dtype.

Lists become arrays like the other input, whichever it is, in the dtype NumPy would give them; two lists become NumPy
arrays. Where the device does not support the dtype of SciPy's result, the half-sized one is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import dtypes, host
from arrayconv._arrays.chunks import chunk_library, is_lazy, of_one_chunk
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.host import Numbers
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.namespace import Namespace, has_dtype, namespace_of, on_device
from arrayconv._arrays.numpy_dtypes import narrower
from arrayconv._arrays.operands import Operands, operands
from arrayconv._problem.problem import Problem
from arrayconv._runtime.tracing import shape_of

Rule = Callable[[str, str], str]  # the dtype names of both inputs to the result's

_COUNTS = "int32"  # dtype in which bools are summed, so that sums are nonzero where any product is


class Pair(NamedTuple):
    """Two arrays of one library, of any dtype that has a convolution, or bool."""

    names: tuple[str, str]
    arrays: tuple[Any, Any]
    xp: Namespace
    device: Any

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Both shapes."""
        return shape_of(self.arrays[0]), shape_of(self.arrays[1])

    def dtype_of(self, name: str) -> Any:
        """Return the library's dtype called `name`, or its half-sized one where the device has no more."""
        return getattr(self.xp, supported_dtype(name, self.xp, self.device))


class Typed(NamedTuple):
    """Operands of the core, and how arrays of their dtypes are converted to them."""

    operands: Operands
    form: Form


class Form(NamedTuple):
    """How inputs become the core's operands, and its result SciPy's."""

    xp: Namespace
    casts: tuple[Any, Any]  # what bools of the first and of the second input are cast to; None where it has others
    output: str  # dtype name of the result: the core's own, except for bool

    def is_identity(self, problem: Problem) -> bool:
        """Whether operands and result of a problem are the core's own."""
        return self.casts == (None, None) and self.output != "bool" and bool(problem.shape)

    def operands(self, in1: Any, in2: Any) -> tuple[Any, Any]:
        """Return both inputs as the core takes them."""
        first, second = self.casts
        in1 = in1 if first is None else self.xp.astype(in1, first)
        return in1, in2 if second is None else self.xp.astype(in2, second)

    def result(self, y: Any) -> Any:
        """Return the core's result as SciPy gives it: bool where that is due, 0-d by its library's habit."""
        if self.output == "bool":
            y = y != 0
        return y if y.ndim else y[()]


def pair(function: str, names: tuple[str, str], in1: Any, in2: Any) -> Pair:
    """Validate two inputs; raises TypeError for what is no array, or for two libraries or devices."""
    libraries = identify(function, names[0], in1), identify(function, names[1], in2)
    home = libraries[0] or libraries[1] or "numpy"
    like = np.empty(0) if home == "numpy" else in1 if libraries[0] else in2
    xp, device = namespace_of(home, like), device_of(like)
    of_lists = home, xp, device
    if is_lazy(home):  # lists become arrays like the chunks
        of_lists = chunk_library(function, names[0], like)
    arrays = [
        _array(function, name, value, library or of_lists[0], *of_lists[1:]) if library in ("", "numpy") else value
        for name, value, library in zip(names, (in1, in2), libraries, strict=True)
    ]
    return Pair(names, (arrays[0], arrays[1]), xp, device)


def beside(function: str, names: tuple[str, str], x: Any, value: Any) -> Pair:
    """Validate two inputs of which a function computes before the core sees them, of one library and device.

    Beside a Dask array a value like its chunks becomes one chunk.
    """
    inputs = pair(function, names, x, value)
    first, second = inputs.arrays
    inputs = inputs._replace(arrays=(first, of_one_chunk(first, second)))
    libraries = [identify(function, name, array) for name, array in zip(names, inputs.arrays, strict=True)]
    if libraries[0] != libraries[1]:
        raise TypeError(
            f"{function}: `{names[0]}` and `{names[1]}` must come from one array library. Got {libraries[0]} and "
            f"{libraries[1]}. Convert one of them first; nothing is moved behind your back."
        )
    if libraries[0] not in ("numpy", "jax") and device_of(inputs.arrays[0]) != device_of(inputs.arrays[1]):
        raise TypeError(
            f"{function}: `{names[0]}` and `{names[1]}` must be on one device. Got {device_of(inputs.arrays[0])} and "
            f"{device_of(inputs.arrays[1])}. Move one of them first; nothing is moved behind your back."
        )
    return inputs


def array_of(function: str, argument: str, value: Any) -> tuple[Any, Namespace, Any]:
    """Return a value as an array, its namespace and its device; nested lists become a NumPy array."""
    library = identify(function, argument, value)
    if library in ("", "numpy") and not isinstance(value, np.ndarray):
        value, library = host.array(function, argument, value), "numpy"
    return value, namespace_of(library, value), device_of(value)


def array_like(numbers: Sequence[complex], name: str, x: Any) -> Any:
    """Return numbers as an array like x, or like the chunks of a lazy one, which becomes one chunk.

    Its dtype is the one called `name`, or the half-sized one where the device has no more.
    """
    _, xp, device = chunk_library("array_like", "x", x)
    with on_device(xp, device):
        array = Numbers(tuple(numbers), (len(numbers),), name).array(supported_dtype(name, xp, device), xp, device)
    return of_one_chunk(x, array)


def typed(function: str, inputs: Pair, rule: Rule) -> Typed:
    """Return the core's operands, in the dtype that `rule` gives or the nearest one the device supports."""
    own = [_dtype(function, name, array) for name, array in zip(inputs.names, inputs.arrays, strict=True)]
    output = rule(*own)
    sums = output if output in own else supported_dtype(output, inputs.xp, inputs.device)
    sums = _COUNTS if output == "bool" else sums
    dtype = getattr(inputs.xp, sums)
    first, second = [dtype if name == "bool" else None for name in own]
    form = Form(inputs.xp, (first, second), "bool" if output == "bool" else sums)
    return Typed(operands(function, *form.operands(*inputs.arrays), sums, inputs.names), form)


def supported_dtype(name: str, xp: Namespace, device: Any) -> str:
    """Return `name`, or the half-sized dtype where the device does not support it."""
    smaller = narrower(name)
    return name if smaller is None or has_dtype(xp, device, name) else smaller


def _dtype(function: str, name: str, array: Any) -> str:
    dtype = dtype_name(array.dtype)
    return dtype if dtype == "bool" else dtypes.checked(function, name, dtype)


def _array(function: str, argument: str, value: Any, library: str, xp: Namespace, device: Any) -> Any:
    """Return nested lists, or anything of NumPy's, as an array of `library`."""
    if library == "numpy":
        return value if isinstance(value, np.ndarray) else host.array(function, argument, value)
    numbers = host.numbers(function, argument, value)
    name = numbers.dtype if numbers.dtype == "bool" else dtypes.checked(function, argument, numbers.dtype)
    return numbers.array(supported_dtype(name, xp, device), xp, device)
