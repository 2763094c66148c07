"""Array types with more than dense numbers (masks, units, sparse or chunked storage): refused, not silently stripped.

No list of names could keep up with new types, so besides NumPy's subclasses and the known packages they are recognized
by their attributes: a mask, a unit, names of axes, a count of stored elements, chunks.
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
_EXTRAS = {  # attribute -> what a convolution of the numbers alone would lose
    "mask": "a mask",
    "_mask": "a mask",
    "_masked_mask": "a mask",  # torch's masked tensors
    "unit": "a unit",
    "units": "a unit",
    "_unit": "a unit",
    "_units": "a unit",
    "dims": "names of axes",
}


def check_type(kind: type) -> None:
    """Refuse a type by its base classes and the package that defines it.

    Raises
    ------
    TypeError
        For subclasses of `numpy.ndarray` (matrices, masks, units and others), and for sparse storage.
    """
    package = kind.__module__.split(".")[0]
    if issubclass(kind, np.ndarray) and kind not in (np.ndarray, np.memmap):
        raise TypeError(
            f"is a {named(kind)}, whose mask, units or other meaning would be lost. Convert it with numpy.asarray first"
        )
    if package == "sparse" or ".sparse" in kind.__module__:
        raise _sparse(kind)


def may_wrap(kind: type) -> bool:
    """Whether `check_value` has to look at arrays of this type."""
    module = kind.__module__
    return module.split(".")[0] not in _PLAIN_PACKAGES and module not in torch_modes.PLAIN_MODULES


def check_value(value: Any) -> None:
    """Refuse an array by the attributes it has besides its numbers; raises as `check_type`."""
    kind = type(value)
    for attribute, meaning in _EXTRAS.items():
        if _has(value, attribute):
            raise TypeError(
                f"is a {named(kind)} with {meaning} (`.{attribute}`), which would be lost. "
                f"Pass the plain array it contains, and keep the {meaning.removeprefix('a ')} yourself"
            )
    if _has(value, "nnz"):
        raise _sparse(kind)
    if _has(value, "chunks"):
        raise NotImplementedError(
            f"is a {named(kind)} in chunks (`.chunks`), and of such arrays only Dask's are convolved chunk by chunk. "
            f"Load it into a single array, or pass dask.array.from_array of it"
        )


def named(kind: type) -> str:
    """Return a type's name as users know it."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _has(value: Any, attribute: str) -> bool:
    """Whether the attribute exists, is not None and is no method: a method of that name is an operation."""
    try:
        content = getattr(value, attribute, None)
    except Exception:  # the property exists, even if it can't be computed
        return True
    return content is not None and not isroutine(content)


def _sparse(kind: type) -> TypeError:
    return TypeError(f"is a sparse array ({named(kind)}). Convert it to a dense array first")
