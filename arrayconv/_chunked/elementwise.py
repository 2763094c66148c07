"""Functions of single elements, chunk by chunk, by the chunks' own library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da
from dask.array.utils import meta_from_array

from arrayconv._arrays.chunks import chunk_like
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of, library
from arrayconv._arrays.namespace import namespace_of, on_device


def elementwise(function: Callable[..., Any], arrays: tuple[Any, ...], dtype: Any, *settings: Any) -> Any:
    """Return ``function(*settings, *chunks, xp=, device=)`` of each chunk, as a Dask array of the chunks' shapes.

    `function` is one of a module, without side effects, and settings are plain data.
    """
    meta = meta_from_array(chunk_like(arrays[0]), arrays[0].ndim, dtype=dtype)
    return da.map_blocks(_run, *arrays, function=function, settings=settings, dtype=dtype, meta=meta)


def one_chunk(array: Any) -> Any:
    """Return an array as a Dask array of one chunk."""
    whole: Any = -1
    return da.from_array(array, chunks=whole, asarray=False)


@float_errors_ignored
def _run(*chunks: Any, function: Callable[..., Any], settings: tuple[Any, ...]) -> Any:
    first = chunks[0]
    xp, device = namespace_of(library(type(first)), first), device_of(first)
    with on_device(xp, device):
        return function(*settings, *chunks, xp=xp, device=device)
