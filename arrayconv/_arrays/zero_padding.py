"""Zero padding: data copied into an array of zeros, each element written once where that is cheaper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import scratch
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import buffer, is_numpy, reshape, scratch_like, set_at
from arrayconv._arrays.namespace import Namespace

Index = tuple[Any, ...]

_SMALL = 1 << 15  # elements below which another library's array is cleared whole, then written


class PaddedLayout(NamedTuple):
    """Shape of a zero-padded array, and where its zeros are."""

    shape: tuple[int, ...]
    zeros: tuple[Index, ...]  # indices of the regions without data
    slack: int = 0  # zeros after the last element in memory, for arrays that are written in place


def zero_padded_parts(
    like: Any,
    layout: PaddedLayout,
    parts: Iterable[tuple[Index, Array]],
    *,
    xp: Namespace,
    device: Any,
    zeros_first: bool,
) -> tuple[Array, Any]:
    """Return a zero-padded array of the dtype of `like` with `parts` (place, data) written into it, and its memory.

    Both are scratch. With slack the memory is flat; without, it is the array itself. Each element is written once,
    unless the array is small or `zeros_first` is true: for arrays of mostly zeros, or that are not written in place.
    """
    size, slack = prod(layout.shape), layout.slack
    shape = (size + slack,) if slack else layout.shape
    clear_all = zeros_first or _is_small(like, size)
    if clear_all:
        memory = buffer(like, shape, zeros=True, xp=xp, device=device)
    else:
        memory = scratch_like(like, shape, xp=xp, device=device)
    y: Any = reshape(memory[:size], layout.shape, xp=xp) if slack else memory
    if clear_all:
        for place, data in parts:
            y = set_at(y, place, data)
    else:
        clear(memory, (slice(size, None),) if slack else ())
        clear(y, layout.zeros)
        for place, data in parts:
            y[place] = data
    return y, memory if slack else y


def zero_padded(
    x: Any,
    shape: tuple[int, ...],
    place: tuple[slice, ...],
    *,
    xp: Namespace,
    device: Any,
    zeros_first: bool = False,
) -> Array:
    """Return an array of zeros with x at `place` along its last axes: see `zero_padded_parts`."""
    zeros_first = zeros_first or _is_small(x, prod(shape))
    zeros = () if zeros_first else zero_regions(shape, place)
    parts = (((..., *place), x),)
    return zero_padded_parts(x, PaddedLayout(shape, zeros), parts, xp=xp, device=device, zeros_first=zeros_first)[0]


def _is_small(like: Any, size: int) -> bool:
    """Whether clearing all and writing data over the zeros is faster than writing each element once.

    For NumPy that holds below the size from which `scratch` reuses memory.
    """
    return size * like.itemsize < scratch.LEAST if is_numpy(like) else size < _SMALL


def zero_padded_scratch(shape: tuple[int, ...], dtype: Any, place: tuple[slice, ...]) -> Any:
    """Return a NumPy scratch array, cleared except at `place` along its last axes, which is not written."""
    return clear(scratch.empty(shape, dtype), zero_regions(shape, place))


def clear(y: Any, places: Iterable[Any]) -> Any:
    """Return y with zeros written at `places`."""
    for place in places:
        y[place] = 0
    return y


def zero_regions(shape: tuple[int, ...], place: Sequence[slice]) -> tuple[Index, ...]:
    """Return disjoint indices that cover an array except for `place` along its last axes."""
    indices: list[Index] = []
    for number, (size, data) in enumerate(zip(shape[len(shape) - len(place) :], place, strict=True)):
        rest = (slice(None),) * (len(place) - number - 1)
        indices += [(..., *place[:number], part, *rest) for part in outside(data, size)]
    return tuple(indices)


def outside(part: slice, size: int) -> list[slice]:
    """Return the non-empty ranges before and after a slice of an axis of `size`."""
    before = [slice(0, part.start)] if part.start else []
    return before if part.stop is None or part.stop >= size else [*before, slice(part.stop, size)]


def lengthened(shape: Sequence[int], s: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """Return a shape with the lengths `s` along `axes`."""
    lengths = list(shape)
    for length, axis in zip(s, axes, strict=True):
        lengths[axis] = length
    return tuple(lengths)


def padded(x: Any, s: Sequence[int], axes: Sequence[int]) -> Any:
    """Return a NumPy array, cut or zero-padded to `s` samples along `axes`: x itself where nothing changes."""
    shape = lengthened(x.shape, s, axes)
    if shape == x.shape:
        return x
    common = tuple(slice(0, min(old, new)) for old, new in zip(x.shape, shape, strict=True))
    return zero_padded(x[common], shape, common, xp=np, device="cpu")
