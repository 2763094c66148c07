"""Arrays in chunks: what the chunks of a lazy array are like. Nothing here imports or computes one."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from arrayconv._arrays.identify import device_of, identify, library
from arrayconv._arrays.libraries import library_row
from arrayconv._arrays.namespace import Namespace, namespace_of


def is_lazy(backend: str) -> bool:
    """Whether arrays of a library are graphs of chunks that are computed later."""
    return library_row(backend).lazy


def is_graph(x: Any) -> bool:
    """Whether the values of an array are computed later: it is an array of a lazy library."""
    return is_lazy(library(type(x)))


def of_one_chunk(x: Any, value: Any) -> Any:
    """Return an array like the chunks of a lazy x as a lazy array of one chunk; any other array as it is."""
    if not is_graph(x) or library(type(value)) != library(type(chunk_like(x))):
        return value
    return import_module("arrayconv._chunked.elementwise").one_chunk(value)


def by_elements(function: Callable[..., Any], arrays: tuple[Any, ...], dtype: Any, *settings: Any) -> Any:
    """Return what `_chunked.elementwise` does, which imports Dask."""
    return import_module("arrayconv._chunked.elementwise").elementwise(function, arrays, dtype, *settings)


def arange(x: Any, start: int, stop: int, *, xp: Namespace, device: Any) -> Any:
    """Return ascending integers as an array like x; beside a lazy array one chunk of the library of its chunks."""
    if chunk_like(x) is x:
        return xp.arange(start, stop, device=device)
    _, own, device = chunk_library("arange", "x", x)
    return import_module("arrayconv._chunked.elementwise").one_chunk(own.arange(start, stop, device=device))


def chunk_like(x: Any) -> Any:
    """Return an empty array like a lazy array's chunks; any other array itself."""
    return getattr(x, "_meta", x)


def chunk_library(function: str, argument: str, x: Any) -> tuple[str, Namespace, Any]:
    """Return library, namespace and device of an array, of a lazy one those of its chunks."""
    like = chunk_like(x)
    name = identify(function, argument, like)
    return name, namespace_of(name, like), device_of(like)
