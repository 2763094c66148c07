"""Array types that hold more than their numbers, or not all of them: refused, since the rest would be lost silently.

New ones appear faster than any list of names could grow, so beside NumPy's subclasses and the known packages they are
told by what they offer: a mask, a unit, names of axes, counts of stored elements, chunks.
"""

from __future__ import annotations

from inspect import isroutine
from typing import Any

import numpy as np

from arrayconv._arrays.libraries import LIBRARIES
from arrayconv._runtime import torch_modes

_PLAIN_PACKAGES = frozenset(
    ("builtins", *(package for row in LIBRARIES.values() if row.plain_types for package in row.packages))
)
_LOST = {  # attribute: what a convolution of the numbers alone would lose
    "mask": "a mask",
    "_mask": "a mask",
    "_masked_mask": "a mask",  # torch's masked tensors
    "unit": "a unit",
    "units": "a unit",
    "_unit": "a unit",
    "_units": "a unit",
    "dims": "names of axes",
}
_CHUNKS = "chunk-wise convolution is not implemented yet"
_DASK = (
    f"is a Dask array, and {_CHUNKS}. Computing it here would load the whole "
    "array, so it is refused. Call .compute() on it first, or map_overlap with a function that calls arrayconv"
)


def check_type(kind: type) -> None:
    """Refuse a type by what it is derived from and where it was defined.

    Raises
    ------
    TypeError
        For matrices, masks, units and whatever else is made of `numpy.ndarray`, and for sparse storage.
    NotImplementedError
        For Dask arrays.
    """
    package = kind.__module__.split(".")[0]
    if issubclass(kind, np.ndarray) and kind not in (np.ndarray, np.memmap):
        raise TypeError(
            f"is a {named(kind)}, whose mask, units or other meaning would be lost. Convert it with numpy.asarray first"
        )
    if package == "sparse" or ".sparse" in kind.__module__:
        raise _sparse(kind)
    if package == "dask":
        raise NotImplementedError(_DASK)


def may_wrap(kind: type) -> bool:
    """Whether `check_value` has to look at arrays of this type."""
    module = kind.__module__
    return module.split(".")[0] not in _PLAIN_PACKAGES and module not in torch_modes.PLAIN_MODULES


def check_value(value: Any) -> None:
    """Refuse an array by what it offers besides its numbers; raises as `check_type`."""
    kind = type(value)
    for attribute, meaning in _LOST.items():
        if _has(value, attribute):
            raise TypeError(
                f"is a {named(kind)} with {meaning} (`.{attribute}`), which would be lost. "
                f"Pass the plain array it holds, and keep the {meaning.removeprefix('a ')} yourself"
            )
    if _has(value, "nnz"):
        raise _sparse(kind)
    if _has(value, "chunks"):
        raise NotImplementedError(
            f"is a {named(kind)} in chunks (`.chunks`), and {_CHUNKS}. Load it into an array of one piece first"
        )


def named(kind: type) -> str:
    """Return a type's name as users know it."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _has(value: Any, attribute: str) -> bool:
    """Whether there is such a thing and it is not None; a method of that name is an operation, and says nothing."""
    try:
        found = getattr(value, attribute, None)
    except Exception:  # a property that can't be computed is there all the same
        return True
    return found is not None and not isroutine(found)


def _sparse(kind: type) -> TypeError:
    return TypeError(f"is a sparse array ({named(kind)}). Convert it to a dense array first")
