"""The kernel of a `Convolver`: admitted, copied and looked at once.

Requirements: what the caller does to the array afterwards changes nothing, unless somebody watches it (a gradient, a
function transform, a tracer): then it is kept itself, and nothing that is made of its values outlives a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv import _dtypes, _host
from arrayconv._engines import is_watched
from arrayconv._numbered import check_taps
from arrayconv._separable import MOST_TERMS, Separation, Term, long_axes, separated
from arrayconv._shapes import is_sequence
from arrayconv._tracing import is_traced, record, shape_of
from arrayconv._xp import checked_dtype_name, device_of, dtype_name, identify, is_known, namespace_of

FUNCTION = "Convolver"
Shape = tuple[int, ...]


@record
class Found(NamedTuple):
    """What is known of a kernel as a sum of products, as a hashable value."""

    shape: Shape
    separation: Separation | None
    reason: str = ""  # why it is run whole, where there is no separation
    given: bool = False  # the factors are the caller's own


class Source(NamedTuple):
    """A kernel, and what was found when it was given."""

    array: Any  # what is convolved with; of given factors the first, which stands for their library and dtype
    dtype: Any
    watched: bool
    found: Found
    factors: tuple[tuple[Any, ...], ...] = ()  # arrays, where the caller gave them


def of_kernel(kernel: Any, separable: Any) -> Source:
    """Admit a kernel: an array of any library, or nested lists, which become arrays like each x."""
    library = identify(FUNCTION, "kernel", kernel)
    if library == "":
        kernel = _host.array(FUNCTION, "kernel", kernel)
    array, watched = _kept(library or "numpy", np.asarray(kernel) if isinstance(kernel, np.generic) else kernel)
    name = checked_dtype_name(FUNCTION, "kernel", array.dtype)
    shape = shape_of(array)
    check_taps(FUNCTION, shape)
    reason = _unfit(library, array, shape, watched, separable)
    separation = None
    if not reason:
        eps = _dtypes.eps(_dtypes.accumulator(name))
        repay = prod(shape) // sum(shape[axis] for axis in long_axes(shape))  # more terms than that never do
        most = MOST_TERMS if separable is True else min(MOST_TERMS, repay)
        separation = separated(_host.copied(library, array), eps, most)
    return Source(array if library else array.tolist(), array.dtype, watched, Found(shape, separation, reason))


def _unfit(library: str, array: Any, shape: Shape, watched: bool, separable: Any) -> str:
    """Return why nobody looks whether a kernel is a sum of products, '' where somebody does."""
    if separable is False:
        return "separable=False was given"
    if len(long_axes(shape)) < 2:
        return "fewer than two of its axes are longer than one tap"
    if watched:
        return "a gradient, a transform or a compiler watches its values"
    return "" if _is_readable(library, array) else "its values can't be read"


def _is_readable(library: str, array: Any) -> bool:
    """Whether an array has values: torch's meta and fake tensors have none, nor has a graph that is yet to run."""
    if library == "torch":
        return not is_traced(library, array) and array.device.type != "meta"
    return is_known(type(array)) or _host.readable(library, array)


def _kept(library: str, array: Any) -> tuple[Any, bool]:
    """Return an array that nobody else changes, and whether it is the caller's because somebody watches it."""
    watched = is_watched(library, array)
    if watched or library == "jax":  # whose arrays never change
        return array, watched
    return namespace_of(library, array).asarray(array, copy=True, device=device_of(array)), False


def of_factors(terms: Any) -> Source:
    """Admit a kernel given as a sum of products: for each term one array of taps, or list of numbers, per axis."""
    rows = tuple(tuple(term) for term in terms) if is_sequence(terms) and all(map(is_sequence, terms)) else ()
    counts = {len(row) for row in rows}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(
            f"{FUNCTION}: `terms` must be a sequence of tuples, each of as many factors, one per axis of the kernel. "
            f"Got {f'tuples of {sorted(counts)} factors' if rows else type(terms).__name__}."
        )
    libraries = {identify(FUNCTION, "terms", factor) for row in rows for factor in row}
    if len(libraries) > 1:
        names = sorted(name or "lists" for name in libraries)
        raise TypeError(f"{FUNCTION}: the factors in `terms` must be of one library. Got {names}. Convert some first.")
    library = libraries.pop()
    if library == "":
        rows = tuple(tuple(_host.array(FUNCTION, "terms", factor) for factor in row) for row in rows)
    shape = _factor_shape(rows)
    _check_one_kind(rows if library else ())
    kept = [[_kept(library or "numpy", factor) for factor in row] for row in rows]
    watched = any(each[1] for row in kept for each in row)
    arrays = tuple(tuple(each[0] for each in row) for row in kept)
    if library == "":
        joined = np.concatenate([factor for row in arrays for factor in row])
        found = Found(shape, _separation(_numbers("", arrays)), given=True)
        return Source(joined.tolist(), joined.dtype, False, found)
    readable = not watched and all(_is_readable(library, factor) for row in arrays for factor in row)
    found = Found(shape, _separation(_numbers(library, arrays)) if readable else None, given=True)
    return Source(arrays[0][0], arrays[0][0].dtype, watched, found, arrays)


def _factor_shape(rows: Sequence[Sequence[Any]]) -> Shape:
    """Return the shape of the kernel; raises what the factors contradict."""
    sizes = [[shape_of(factor) for factor in row] for row in rows]
    if any(len(size) != 1 for row in sizes for size in row) or any(row != sizes[0] for row in sizes):
        raise ValueError(
            f"{FUNCTION}: the factors in `terms` must be one-dimensional, and of the same sizes in every term. "
            f"Got shapes {sizes}."
        )
    shape = tuple(size[0] for size in sizes[0])
    check_taps(FUNCTION, shape)
    return shape


def _check_one_kind(rows: Sequence[Sequence[Any]]) -> None:
    factors = [factor for row in rows for factor in row]
    names = sorted({checked_dtype_name(FUNCTION, "terms", factor.dtype) for factor in factors})
    if len(names) > 1:
        raise TypeError(f"{FUNCTION}: the factors in `terms` must be of one dtype. Got {names}. Cast some first.")
    places = list(dict.fromkeys(str(device_of(factor)) for factor in factors))
    if len(places) > 1:
        raise TypeError(f"{FUNCTION}: the factors in `terms` must be on one device. Got {places}. Move some first.")


def _numbers(library: str, rows: Sequence[Sequence[Any]]) -> tuple[Term, ...]:
    for row in rows:
        for factor in row:
            checked_dtype_name(FUNCTION, "terms", dtype_name(factor.dtype))
    return tuple(tuple(tuple(_host.copied(library, factor).tolist()) for factor in row) for row in rows)


def _separation(terms: tuple[Term, ...]) -> Separation:
    return Separation(terms, False, 0.0, 0.0)
