"""Which library an array belongs to, and what is refused.

* No array library is imported on a user's behalf: a type is recognised by the package that defines it.
* Arrays whose meaning would be lost silently are refused by type: masks, matrices, sparse storage.
* A lazy array is a Dask array of chunks that are admitted themselves, of known sizes.
"""

from __future__ import annotations

import sys
from typing import Any

from arrayconv._arrays import wrappers
from arrayconv._arrays.libraries import library_row, row_of_type
from arrayconv._runtime.tracing import is_compiling, planning

_NUMBERS = frozenset((bool, int, float, complex))


@planning(256)
def library(kind: type) -> str:
    """Return the name of the array library that `kind` belongs to, or '' for what is no array.

    Raises
    ------
    TypeError
        For array-like types whose meaning would be lost: masks, matrices, sparse storage, subclasses.
    """
    wrappers.check_type(kind)
    row = row_of_type(kind)
    if row is not None:
        return row.name
    owner = next((base for base in kind.__mro__ if "__array_namespace__" in vars(base)), None)
    return owner.__module__.split(".")[0] if owner is not None else ""


@planning(256)
def _may_wrap(kind: type) -> bool:
    return wrappers.may_wrap(kind)


def identify(function: str, argument: str, value: Any) -> str:
    """Return the library of `value`, '' for lists and numbers; refusals name the function and the argument."""
    name = admitted(function, argument, value)
    if name == "torch" and value.layout is not sys.modules["torch"].strided:
        raise TypeError(f"{function}: `{argument}` is a sparse torch tensor ({value.layout}). Call .to_dense() first.")
    if name and library_row(name).lazy:
        _check_chunks(function, argument, value)
    if isinstance(value, (list, tuple)):
        _check_entries(function, argument, value)
    elif not name and not isinstance(value, (int, float, complex)):
        raise TypeError(
            f"{function}: `{argument}` must be an array or a nested list of numbers. Got {wrappers.named(type(value))}."
        )
    return name


def admitted(function: str, argument: str, value: Any) -> str:
    """Return the library of a value, '' for what is no array; refuses what would lose its meaning."""
    try:
        name = library(type(value))
        if _may_wrap(type(value)):
            wrappers.check_value(value)
    except (TypeError, NotImplementedError) as refusal:
        raise type(refusal)(f"{function}: `{argument}` {refusal}.") from None
    return name


def _check_chunks(function: str, argument: str, value: Any) -> None:
    """Refuse a lazy array of unknown shape, or of chunks that would be refused themselves."""
    if any(size != size for size in value.shape):
        raise ValueError(
            f"{function}: `{argument}` must have chunks of known sizes. Got shape {value.shape}. Call "
            f"{argument}.compute_chunk_sizes() first."
        )
    library_of_chunks = identify(function, argument, value._meta)
    if library_row(library_of_chunks).lazy:
        raise TypeError(f"{function}: `{argument}` is a Dask array whose chunks are Dask arrays. Compute them first.")


def _check_entries(function: str, argument: str, values: Any) -> None:
    """Refuse lists of what NumPy would strip of its meaning, or move."""
    for entry in values:
        if isinstance(entry, (list, tuple)):
            _check_entries(function, argument, entry)
        elif type(entry) not in _NUMBERS and (name := admitted(function, argument, entry)) not in ("", "numpy"):
            raise TypeError(
                f"{function}: `{argument}` must be an array or a nested list of numbers. Got a list of "
                f"{name} arrays. Stack them into one array first; nothing is moved behind your back."
            )


def device_of(x: Any) -> Any:
    """Return the device of an array."""
    if is_compiling():  # a tensor's: torch.compile traces no other
        return x.device
    return library_row(library(type(x))).device(x)


def device_kind(backend: str, device: Any) -> str:
    """Return 'cpu', 'cuda', ... for a library's device object."""
    return library_row(backend).device_kind(device)
