"""Which array libraries are installed, on which devices they work, and why not.

A device is usable if a small convolution on it gives the right result: an installed CuPy imports on a machine without a
GPU and raises at its first array, and so may a CUDA build of any library with a driver that is too old.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import arrayconv
from arrayconv._arrays.array import Array
from arrayconv._arrays.host import copied, from_numpy
from arrayconv._arrays.libraries import LIBRARIES, library_row
from arrayconv._arrays.namespace import Namespace, compat_namespace, has_dtype
from arrayconv._cli.console import CommandError, sentence
from arrayconv._cli.options import must_be_of


class Library(NamedTuple):
    """An array library on this machine."""

    name: str
    version: str  # '' if it is not installed
    devices: tuple[str, ...]  # those that computed
    problem: str  # why there is none, or what is wrong with another one


NAMESPACES = {row.name: row.namespace for row in LIBRARIES.values()}


@lru_cache
def inspect(name: str) -> Library:
    """Return the state of a library on this machine; never raises."""
    if find_spec(name) is None:
        return Library(name, "", (), "not installed")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else JAX allocates most of the GPU's memory
    try:
        module = import_module(name)
        version = str(getattr(module, "__version__", "?"))
    except Exception as error:  # a broken installation may raise anything; the other libraries are still listed
        return Library(name, "?", (), f"cannot be imported ({sentence(error)})")
    try:
        labels = list(library_row(name).devices(module))
    except Exception as error:
        gpu_only = library_row(name).gpu_only
        return Library(name, version, (), f"no GPU ({sentence(error)})" if gpu_only else sentence(error))
    problems = {label: _try_convolution(name, label) for label in labels}
    usable = tuple(label for label, problem in problems.items() if not problem)
    problem = next((f"{label}: {problem}" for label, problem in problems.items() if problem), "")
    return Library(name, version, usable, problem if labels else "no device")


def require(name: str) -> Library:
    """Return a library that is usable, or raise CommandError with the reason."""
    check_known([name])
    library = inspect(name)
    if not library.version:
        raise CommandError(f"{name} is not installed. Run: pip install 'arrayconv[{library_row(name).extra}]'")
    if not library.devices:
        raise CommandError(f"{title(library)} cannot be used: {library.problem}")
    return library


def check_known(names: Iterable[str]) -> None:
    """Raise CommandError for a name that is no library's."""
    for name in names:
        if name not in NAMESPACES:
            raise CommandError(f"library {must_be_of(name, NAMESPACES)}")


def title(library: Library) -> str:
    """Return the library's name and version."""
    return f"{library.name} {library.version}".rstrip()


def namespace(name: str) -> Namespace:
    """Return a library's array namespace."""
    return compat_namespace(NAMESPACES[name])


def array(name: str, device: str, values: Any, dtype: str) -> Array:
    """Return a host array as an array of a library on one of its devices, or raise CommandError without the dtype."""
    xp, row = namespace(name), library_row(name)
    place = row.devices(import_module(name))[device]
    if not has_dtype(xp, place, dtype):
        hint = f" ({row.dtype_hint})" if row.dtype_hint else ""
        raise CommandError(f"{name} on {device} has no {dtype}{hint}")
    return from_numpy(np.asarray(values, dtype=dtype), dtype, xp, place)


def _try_convolution(name: str, label: str) -> str:
    """Return '' if a small convolution is correct, else the error."""
    try:
        x, kernel = (array(name, label, values, "float32") for values in ([1, 2, 3], [1, 1]))
        result = copied(name, arrayconv.convolve(x, kernel)).tolist()
    except Exception as error:
        return sentence(error)
    return "" if result == [1, 3, 5, 3] else f"a small convolution is wrong: {result}"
