"""Windows of an array: the samples that one tap multiplies, and overlapping tiles.

Spatial axes follow the three leading ones (batch, groups, channels) of a canonical array.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import is_numpy
from arrayconv._arrays.namespace import Namespace
from arrayconv._ops.pad import along
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import planning

LEADING = 3


def taps(axes: Sequence[Axis]) -> Iterator[tuple[int, ...]]:
    """Yield every tap's position in the kernel, last axis fastest."""
    return product(*(range(axis.taps) for axis in axes))


@planning()
def windows(axes: tuple[Axis, ...]) -> tuple[tuple[Any, ...], ...]:
    """Return for every tap the index of the samples of x that it multiplies, one per output position."""
    return tuple((..., *map(_window, tap, axes)) for tap in taps(axes))


@planning()
def fields(axes: tuple[Axis, ...]) -> tuple[tuple[Any, ...], ...]:
    """Return for every output position the index of the samples of x in its window, one per tap."""
    return tuple((..., *map(_field, output, axes)) for output in product(*(range(axis.outputs) for axis in axes)))


def _window(k: int, axis: Axis) -> slice:
    return _every(axis.dilation * k, axis.stride, axis.outputs)


def _field(output: int, axis: Axis) -> slice:
    return _every(axis.stride * output, axis.dilation, axis.taps)


def _every(first: int, step: int, count: int) -> slice:
    return slice(first, first + step * (count - 1) + 1, step)


def spread(x: Array, axis: int, step: int, *, xp: Namespace, device: Any) -> Array:
    """Return x with `step - 1` zeros between the samples of `axis`: step * (n - 1) + 1 samples."""
    size = x.shape[axis]
    if step == 1 or size <= 1:
        return x
    zeros = xp.zeros((*x.shape[: axis + 1], step - 1, *x.shape[axis + 1 :]), dtype=x.dtype, device=device)
    padded = xp.concat([xp.expand_dims(x, axis=axis + 1), zeros], axis=axis + 1)  # (..., n, step, ...)
    joined = xp.reshape(padded, (*x.shape[:axis], size * step, *x.shape[axis + 1 :]))
    return joined[along(axis, slice(0, step * (size - 1) + 1))]


def tiles(x: Array, axis: int, length: int, step: int, count: int, *, xp: Namespace) -> Array:
    """Cut `axis` into `count` overlapping tiles of `length` samples at a step of `step`: (..., count, length, ...).

    The axis must have exactly step * count + overlap samples, overlap = length - step. The overlaps come from shifted
    reshapes, so the copy needs whole-array operations only, no strided views or index arrays.
    """
    if count == 1:
        return xp.expand_dims(x, axis=axis)
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    parts: list[Array] = []
    for first in range(0, length, step):
        width = min(step, length - first)
        shifted = x[along(axis, slice(first, min(first + step * count, x.shape[axis])))]
        missing = step * count - shifted.shape[axis]
        if missing:  # the last tile's tail is shorter than a step: fill it with samples that are cut off below
            shifted = xp.concat([shifted, shifted[along(axis, slice(0, missing))]], axis=axis)
        cut = xp.reshape(shifted, (*before, count, step, *after))
        parts.append(cut[along(axis + 1, slice(0, width))])
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=axis + 1)


def reversed_taps(kernel: Array, xp: Namespace) -> Array:
    """Return a kernel (groups, filters, channels, *k) with its taps reversed: a convolution's as a correlation's."""
    axes = tuple(range(LEADING, kernel.ndim))
    if not axes:
        return kernel
    if is_numpy(kernel):  # a view, in a tenth of the time
        return kernel[(..., *(slice(None, None, -1),) * len(axes))]
    return xp.flip(kernel, axis=axes)
