"""Which array libraries are installed, on which devices they work, and why not: the question is put to each of them.

A device counts as usable once a small convolution on it came out right: an installed CuPy imports on a machine
without a GPU and raises at its first array, and so may a CUDA build of any library with a driver that is too old.
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
    """What was found of one library."""

    name: str
    version: str  # '' where it is not installed
    devices: tuple[str, ...]  # those that computed
    problem: str  # why there is none, or what is wrong with another one


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
def look(name: str) -> Library:
    """Return what can be said of a library; never raises."""
    if find_spec(name) is None:
        return Library(name, "", (), "not installed")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else JAX takes the GPU's memory from the others
    try:
        module = import_module(name)
        version = str(getattr(module, "__version__", "?"))
    except Exception as error:  # a broken installation may raise anything, and the others still want to be shown
        return Library(name, "?", (), f"cannot be imported ({sentence(error)})")
    try:
        labels = list(_devices(name))
    except Exception as error:
        return Library(name, version, (), f"no GPU ({sentence(error)})" if name == "cupy" else sentence(error))
    problems = {label: _trial(name, label) for label in labels}
    usable = tuple(label for label, problem in problems.items() if not problem)
    problem = next((f"{label}: {problem}" for label, problem in problems.items() if problem), "")
    return Library(name, version, usable, problem if labels else "no device")


def require(name: str) -> Library:
    """Return a library that is usable, or raise CommandError with the reason it is not."""
    if name not in NAMESPACES:
        raise CommandError(f"library must be one of {', '.join(NAMESPACES)}, got {name!r}")
    library = look(name)
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
    xp, place = namespace(name), _place(name, device)
    if not has_dtype(xp, place, dtype):
        hint = " (set JAX_ENABLE_X64=1 to have it)" if name == "jax" else ""
        raise CommandError(f"{name} on {device} has no {dtype}{hint}")
    options = {} if place is None else {"device": place}
    return xp.asarray(np.asarray(values, dtype=dtype), dtype=getattr(xp, dtype), **options)


def _devices(name: str) -> list[str]:
    """Return the labels of a library's devices; raises where it cannot count them."""
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


def _place(name: str, label: str) -> Any:
    """Return the library's own device object; None where it has one device only."""
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


def _trial(name: str, label: str) -> str:
    """Return '' where a small convolution comes out right, else what happened instead."""
    try:
        x, kernel = (array(name, label, values, "float32") for values in ([1, 2, 3], [1, 1]))
        found = copied(name, arrayconv.convolve(x, kernel)).tolist()
    except Exception as error:
        return sentence(error)
    return "" if found == [1, 3, 5, 3] else f"a small convolution came out wrong: {found}"
