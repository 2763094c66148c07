"""Admission of operands: two arrays of one library on one device, with dtypes that have a convolution.

Nothing moves: two libraries or two devices are a TypeError that names both.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import dtypes, host
from arrayconv._arrays.array import Array
from arrayconv._arrays.dtype_names import checked_dtype_name, requested_dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import admitted, device_of, identify
from arrayconv._arrays.libraries import is_standard_only, library_row
from arrayconv._arrays.namespace import Namespace, has_dtype, is_namespace, namespace_of, on_device, requested_namespace
from arrayconv._arrays.traits import Traits, lazy, traits
from arrayconv._runtime import torch_modes
from arrayconv._runtime.caches import BoundedDict
from arrayconv._runtime.tracing import is_compiling, is_traced

_listed = BoundedDict("constants", 64)  # kernels that were lists


class Operands(NamedTuple):
    """Two arrays of one library on one device, and what is known of them."""

    x: Array
    kernel: Array
    xp: Namespace
    device: Any
    traits: Traits


@float_errors_ignored
def operands(
    function: str, x: Any, kernel: Any, dtype: Any = None, names: tuple[str, str] = ("x", "kernel")
) -> Operands:
    """Admit two arrays: one library, one device, dtypes that have a convolution; lists become arrays.

    Lists become NumPy arrays as `x`, and arrays like `x` as the kernel: on its device, in its dtype where that
    can hold the numbers. Nothing else is converted or moved.
    """
    first, second = identify(function, names[0], x), identify(function, names[1], kernel)
    if not first or isinstance(x, np.generic):
        x, first = host.array(function, names[0], x), "numpy"
    if isinstance(kernel, np.generic):
        kernel = np.asarray(kernel)
    if second and first != second and not library_row(first).lazy:
        _check_lazy_kernel(function, names, x, second)
        raise TypeError(
            f"{function}: `{names[0]}` and `{names[1]}` must come from one array library. "
            f"Got {first} and {second}. Convert one of them first; nothing is moved behind your back."
        )
    if library_row(first or second).lazy:
        return _lazy_operands(function, x, kernel, dtype, names)
    xp = namespace_of(first, x)
    device = device_of(x)
    x_name = checked_dtype_name(function, names[0], x.dtype)
    if not second:
        name = x_name if dtype is None else requested_dtype_name(function, dtype)
        target = "the dtype of x, " if dtype is None else "dtype="
        float64 = has_dtype(xp, device, "float64")
        numbers = host.fitting(function, names[1], kernel, name, target, float64)
        kernel = _array_of(numbers, first, xp, device)
    elif first != "numpy":
        _check_devices(function, names, first, x, kernel)
    if first == "torch" and not is_compiling():
        _check_fake(function, names, x, kernel)
    dtypes = x_name, checked_dtype_name(function, names[1], kernel.dtype)
    output = _output_name(function, names, dtypes, dtype, first, xp, device)
    return Operands(x, kernel, xp, device, traits(first, device, xp, output, traced=is_traced(first, x, kernel)))


def _lazy_operands(function: str, x: Any, kernel: Any, dtype: Any, names: tuple[str, str]) -> Operands:
    """Admit a lazy array and a kernel, which is lazy too or an array like the chunks: by the rules of the chunks."""
    backend = identify(function, names[0], x)
    is_lazy = library_row(identify(function, names[1], kernel)).lazy
    sample = kernel._meta if is_lazy else kernel
    of_chunks = operands(function, x._meta, sample, dtype, names)  # pyright: ignore[reportAttributeAccessIssue]
    kernel = kernel if is_lazy else of_chunks.kernel
    return Operands(x, kernel, namespace_of(backend, x), of_chunks.device, lazy(backend, of_chunks.traits))


def _check_lazy_kernel(function: str, names: tuple[str, str], x: Any, second: str) -> None:
    """Refuse a lazy kernel on an array that is not: the array would be in the graph as one chunk."""
    if library_row(second).lazy:
        raise TypeError(
            f"{function}: `{names[0]}` must be a Dask array where `{names[1]}` is one. Got `{names[0]}` of "
            f"{type(x).__name__}, shape {tuple(x.shape)}. Cut it into chunks by dask.array.from_array, or compute "
            f"`{names[1]}` first."
        )


def _array_of(numbers: host.Numbers, library: str, xp: Namespace, device: Any) -> Array:
    """Return the numbers of lists as an array; where each is a transfer to a GPU, that of an earlier call."""
    if not library_row(library).gpu_only:
        return numbers.array(numbers.dtype, xp, device)
    with on_device(xp, device):
        key = library, library_row(library).queue(device), repr(numbers)  # which tells -0.0 from 0.0
    kernel = _listed.get(key)
    if kernel is None:
        kernel = _listed[key] = numbers.array(numbers.dtype, xp, device)
    return kernel


def _check_devices(function: str, names: tuple[str, str], backend: str, x: Any, kernel: Any) -> None:
    if backend == "jax" and is_traced(backend, x, kernel):
        return  # a tracer has no device of its own: the compiled function decides
    places = [device_of(array) for array in (x, kernel)]
    if places[0] != places[1]:
        raise TypeError(
            f"{function}: `{names[0]}` and `{names[1]}` must be on one device. Got {places[0]} and {places[1]}. "
            f"Move one of them first; nothing is moved behind your back."
        )


def _check_fake(function: str, names: tuple[str, str], x: Any, kernel: Any) -> None:
    """Refuse tensors with values beside fake ones, unless the mode of those takes them."""
    number = torch_modes.with_values(x, kernel)
    if number is not None:
        raise TypeError(
            f"{function}: `{names[number]}` has values, among fake tensors that have none. Got "
            f"{type((x, kernel)[number]).__name__} of shape {tuple((x, kernel)[number].shape)}. Convert it by the fake "
            f"mode's from_tensor, pass lists inside the mode, or make the mode with allow_non_fake_inputs=True."
        )


def _output_name(
    function: str, names: tuple[str, str], dtypes: tuple[str, str], dtype: Any, backend: str, xp: Namespace, device: Any
) -> str:
    """Return the result's dtype name; raises where it does not exist on the device."""
    requested = None if dtype is None else requested_dtype_name(function, dtype)
    output = result_dtype(function, names, *dtypes, requested)
    # CuPy's arrays may be of a dtype that its namespace has no name for: bfloat16.
    if not hasattr(xp, output) or (output not in dtypes and not has_dtype(xp, device, output)):
        raise TypeError(
            f"{function}: the result's dtype {output} does not exist on {backend} device {device}. Got "
            f"{names[0]} {dtypes[0]}, {names[1]} {dtypes[1]}, dtype={requested}. Cast the operands to a common "
            f"narrower dtype."
        )
    return output


def result_dtype(function: str, names: tuple[str, str], x_name: str, w_name: str, requested: str | None) -> str:
    """Return the result's dtype name by the one rule, widened to `requested` where that is given."""
    common = dtypes.promote(x_name, w_name)
    if requested is not None:
        if all(dtypes.widens(name, requested) for name in (x_name, w_name)):
            return requested
        raise TypeError(
            f"{function}: `dtype` widens the accumulator and the result, it never narrows. Got dtype={requested} for "
            f"{names[0]} {x_name} and {names[1]} {w_name}. Cast the operands first if that is meant."
        )
    if common is None:
        raise TypeError(
            f"{function}: {x_name} and {w_name} have no common dtype. Got `{names[0]}` {x_name}, `{names[1]}` "
            f"{w_name}. Cast one of them; with dtype= both are cast."
        )
    return common


def traits_like(function: str, like: Any, dtype: Any = None, argument: str = "like") -> Traits:
    """Return the traits of a call on arrays like `like`: an array, a namespace, a library's name, or None for NumPy."""
    if like is not None and not is_namespace(like):
        return operands(function, like, like, dtype, (argument, argument)).traits
    xp = requested_namespace(function, argument, like)
    backend = getattr(xp, "__name__", "").removeprefix("array_api_compat.").split(".")[0]
    info = getattr(xp, "__array_namespace_info__", None)
    device = info().default_device() if info is not None and not is_standard_only(backend) else None
    if device is None:
        sample = xp.zeros(1)
        backend, device = admitted(function, argument, sample), device_of(sample)
    default = "float64" if has_dtype(xp, device, "float64") else "float32"
    name = default if dtype is None else requested_dtype_name(function, dtype)
    if not has_dtype(xp, device, name):
        raise TypeError(f"{function}: `dtype` {name} does not exist in {backend} on {device}. Use a narrower one.")
    return traits(backend, device, xp, name)
