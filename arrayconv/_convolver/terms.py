"""The kernel of `Convolver.from_factors`: a sum of products, its factors checked one property after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from arrayconv._arrays import host
from arrayconv._arrays.dtype_names import checked_dtype_name, dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of, identify
from arrayconv._convolver.kernel import (
    FUNCTION,
    Kernel,
    Rows,
    Separability,
    Shape,
    check_not_lazy,
    is_readable,
    owned,
)
from arrayconv._kernels.separable import Separation, Term
from arrayconv._problem.axes import is_sequence
from arrayconv._problem.positional import check_taps
from arrayconv._runtime.tracing import shape_of


@float_errors_ignored
def parse_terms(terms: Any) -> Kernel:
    """Validate a kernel as a sum of products: for each term one array of taps, or list of numbers, per axis."""
    rows = _parse_rows(terms)
    library = _common_library(rows)
    return _of_arrays(library, rows) if library else _of_lists(rows)


def _parse_rows(terms: Any) -> Rows:
    """Return the terms as tuples of as many factors each, or raise ValueError."""
    rows = tuple(tuple(term) for term in terms) if is_sequence(terms) and all(map(is_sequence, terms)) else ()
    counts = {len(row) for row in rows}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(
            f"{FUNCTION}: `terms` must be a sequence of tuples, each of as many factors, one per axis of the kernel. "
            f"Got {f'tuples of {sorted(counts)} factors' if rows else type(terms).__name__}."
        )
    return rows


def _common_library(rows: Rows) -> str:
    """Return the library of all factors, '' for lists, or raise TypeError."""
    libraries = {identify(FUNCTION, "terms", factor) for row in rows for factor in row}
    if len(libraries) > 1:
        names = sorted(name or "lists" for name in libraries)
        raise TypeError(f"{FUNCTION}: the factors in `terms` must be of one library. Got {names}. Convert some first.")
    library = libraries.pop()
    check_not_lazy("terms", library)
    return library


def _of_lists(rows: Rows) -> Kernel:
    """Return the kernel of factors that are lists of numbers."""
    arrays = tuple(tuple(host.array(FUNCTION, "terms", factor) for factor in row) for row in rows)
    shape = _common_shape(arrays)
    joined = np.concatenate([factor for row in arrays for factor in row])
    return Kernel(joined.tolist(), joined.dtype, False, Separability(shape, _separation("", arrays), from_factors=True))


def _of_arrays(library: str, rows: Rows) -> Kernel:
    """Return the kernel of factors that are arrays of one library; their values are read unless they need autodiff."""
    shape = _common_shape(rows)
    _check_common_kind(rows)
    copies = [[owned(library, factor) for factor in row] for row in rows]
    needs_autodiff = any(flag for row in copies for _, flag in row)
    arrays = tuple(tuple(array for array, _ in row) for row in copies)
    readable = not needs_autodiff and all(is_readable(library, factor) for row in arrays for factor in row)
    separability = Separability(shape, _separation(library, arrays) if readable else None, from_factors=True)
    return Kernel(arrays[0][0], arrays[0][0].dtype, needs_autodiff, separability, arrays)


def _common_shape(rows: Rows) -> Shape:
    """Return the shape of the kernel, or raise ValueError where the factors contradict each other."""
    sizes = [[shape_of(factor) for factor in row] for row in rows]
    if any(len(size) != 1 for row in sizes for size in row) or any(row != sizes[0] for row in sizes):
        raise ValueError(
            f"{FUNCTION}: the factors in `terms` must be one-dimensional, and of the same sizes in every term. "
            f"Got shapes {sizes}."
        )
    shape = tuple(size[0] for size in sizes[0])
    check_taps(FUNCTION, shape)
    return shape


def _check_common_kind(rows: Rows) -> None:
    """Raise TypeError unless all factors are of one dtype and on one device."""
    factors = [factor for row in rows for factor in row]
    names = sorted({checked_dtype_name(FUNCTION, "terms", factor.dtype) for factor in factors})
    if len(names) > 1:
        raise TypeError(f"{FUNCTION}: the factors in `terms` must be of one dtype. Got {names}. Cast some first.")
    places = list(dict.fromkeys(str(device_of(factor)) for factor in factors))
    if len(places) > 1:
        raise TypeError(f"{FUNCTION}: the factors in `terms` must be on one device. Got {places}. Move some first.")


def _separation(library: str, rows: Rows) -> Separation:
    """Return the factors' numbers as they are."""
    return Separation(tuple(_numbers(library, row) for row in rows), False, 0.0, 0.0)


def _numbers(library: str, row: Sequence[Any]) -> Term:
    for factor in row:
        checked_dtype_name(FUNCTION, "terms", dtype_name(factor.dtype))
    return tuple(tuple(host.copied(library, factor).tolist()) for factor in row)
