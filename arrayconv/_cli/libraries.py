"""Which array libraries are installed, on which devices they work, and why not: each is tried.

A device is usable if a small convolution on it is correct: an installed CuPy imports on a machine without a GPU and
raises at its first array, and so may a CUDA build of any library with a driver that is too old.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import arrayconv
from arrayconv._arrays.host import copied
from arrayconv._arrays.namespace import Namespace, has_dtype
from arrayconv._arrays.xp import Array, compat_namespace
from arrayconv._cli.console import CommandError, sentence


class Library(NamedTuple):
    """What is known of one library."""

    name: str
    version: str  # '' if it is not installed
    devices: tuple[str, ...]  # the usable ones
    problem: str  # why there is no usable device, or the error of one that is not


# Name of the package -> the module that is its namespace.
NAMESPACES = {
    "numpy": "numpy",
    "torch": "torch",
    "cupy": "cupy",
    "jax": "jax.numpy",
    "array_api_strict": "array_api_strict",
    "dask": "dask.array",
}


@lru_cache
def inspect(name: str) -> Library:
    """Return the version, usable devices and error of a library; never raises."""
    if find_spec(name) is None:
        return Library(name, "", (), "not installed")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else JAX allocates most of the GPU's memory
    try:
        module = import_module(name)
        version = str(getattr(module, "__version__", "?"))
    except Exception as error:  # a broken installation may raise anything; the other libraries are still listed
        return Library(name, "?", (), f"cannot be imported ({sentence(error)})")
    try:
        labels = list(_devices(name))
    except Exception as error:
        return Library(name, version, (), f"no GPU ({sentence(error)})" if name == "cupy" else sentence(error))
    problems = {label: _try_convolution(name, label) for label in labels}
    usable = tuple(label for label, problem in problems.items() if not problem)
    problem = next((f"{label}: {problem}" for label, problem in problems.items() if problem), "")
    return Library(name, version, usable, problem if labels else "no device")


def require(name: str) -> Library:
    """Return a library that is usable, or raise CommandError with the reason."""
    if name not in NAMESPACES:
        raise CommandError(f"library must be one of {', '.join(NAMESPACES)}, got {name!r}")
    library = inspect(name)
    if not library.devices:
        raise CommandError(f"{title(library)} cannot be used: {library.problem}")
    return library


def title(library: Library) -> str:
    """Return the library's name and version."""
    return f"{library.name} {library.version}".rstrip()


def namespace(name: str) -> Namespace:
    """Return a library's array namespace."""
    return compat_namespace(NAMESPACES[name])


def array(name: str, device: str, values: Any, dtype: str) -> Array:
    """Return a host array as an array of a library on one of its devices, or raise CommandError without the dtype."""
    xp, device_object = namespace(name), _device_object(name, device)
    if not has_dtype(xp, device_object, dtype):
        hint = " (set JAX_ENABLE_X64=1 to have it)" if name == "jax" else ""
        raise CommandError(f"{name} on {device} has no {dtype}{hint}")
    options = {} if device_object is None else {"device": device_object}
    return xp.asarray(np.asarray(values, dtype=dtype), dtype=getattr(xp, dtype), **options)


def _devices(name: str) -> list[str]:
    """Return the labels of a library's devices; raises if the library cannot count them."""
    module: Any = sys.modules[name]
    if name == "torch":
        return ["cpu", *(f"cuda:{i}" for i in range(module.cuda.device_count()))]
    if name == "cupy":
        return [f"cuda:{i}" for i in range(module.cuda.runtime.getDeviceCount())]
    if name == "jax":
        return [f"{device.platform}:{device.id}" for device in module.devices()]
    if name == "array_api_strict":
        return [_strict_label(device) for device in module.__array_namespace_info__().devices()]
    return ["cpu"]


def _device_object(name: str, label: str) -> Any:
    """Return the library's own device object; None if it has only one device."""
    module: Any = sys.modules.get(name)
    if name == "torch":
        return module.device(label)
    if name == "cupy":
        return module.cuda.Device(int(label.rpartition(":")[2]))
    if name == "jax":
        return next(device for device in module.devices() if f"{device.platform}:{device.id}" == label)
    if name == "array_api_strict":
        return next(d for d in module.__array_namespace_info__().devices() if _strict_label(d) == label)
    return None


def _strict_label(device: Any) -> str:
    return str(device).split("'")[1]


def _try_convolution(name: str, label: str) -> str:
    """Return '' if a small convolution is correct, else the error."""
    try:
        x, kernel = (array(name, label, values, "float32") for values in ([1, 2, 3], [1, 1]))
        result = copied(name, arrayconv.convolve(x, kernel)).tolist()
    except Exception as error:
        return sentence(error)
    return "" if result == [1, 3, 5, 3] else f"a small convolution is wrong: {result}"
