"""`unfold` and `fold` on NumPy arrays: windows are a view by strides, so that all of them are copied at once.

Wins      on arrays in memory: standard-only code, and torch on tensors of many columns, copies or adds tap by tap.
Cost      one copy of every sample of every window, or one addition, of floats by compiled code; one thread.
Memory    the padded array beside the result.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from arrayconv import config
from arrayconv._accel.native import geometry, loader
from arrayconv._accel.native.in_place import address
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._ops.windows import windows
from arrayconv._problem.layout import Shape
from arrayconv._problem.spec import Axis

_FOLDED = 2  # axes

Host = np.ndarray[Any, Any]
Function = Callable[[Host], Host]


def unfolding(shape: Shape, result: Shape, axes: tuple[Axis, ...], padding: Shape, dtype: str) -> Function:
    """Return the function of arrays (batch, channels, *n), batched or not, that copies their windows.

    Parameters
    ----------
    shape, result : tuple of int
        Of the arrays, and of the columns.
    axes : tuple of Axis
        The windows along the last axes, of padded samples.
    padding : tuple of int
        Zeros at both ends of those.
    dtype : str
        Of both.
    """
    count, kind = len(axes), np.dtype(dtype)
    lead, sizes = shape[:-count], shape[-count:]
    padded, inner = _padded(lead, sizes, padding), _inner(sizes, padding)
    strides = [kind.itemsize * prod(padded[axis + 1 :]) for axis in range(len(padded))]
    along = list(zip(strides[-count:], axes, strict=True))
    split = (*lead, *(axis.taps for axis in axes), *(axis.outputs for axis in axes))
    steps = *strides[:-count], *(n * axis.dilation for n, axis in along), *(n * axis.stride for n, axis in along)

    def run(x: Host) -> Host:
        samples: Host = np.zeros(padded, kind)
        samples[inner] = x
        columns: Host = np.empty(split, kind)
        columns[...] = np.ndarray(split, kind, samples, 0, steps)  # a tenth of the time of as_strided
        return columns.reshape(result)

    return run


def folding_of_floats(
    split: Shape, sizes: Shape, axes: tuple[Axis, ...], padding: Shape, dtype: str
) -> Function | None:
    """Return `folding` by compiled code, None where it can't run: of floats along two axes."""
    if len(axes) != _FOLDED:
        return None
    lead = split[: -_FOLDED - 1]
    entries, _ = geometry.axes(
        [axis._replace(size=n, before=p) for axis, n, p in zip(axes, sizes, padding, strict=True)],
        ((0, 0), (0, 0)),
        ((0, 0), (0, 0)),
    )
    fold = loader.folder(prod(lead), entries, dtype, config.current().accelerators)
    if fold is None:
        return None
    shape, kind = (*lead, *sizes), np.dtype(dtype)

    def run(x: Host) -> Host:
        x = np.ascontiguousarray(x, kind)
        x = x if x.flags.aligned else x.copy()
        y: Host = np.empty(shape, kind)
        fold(address(y), address(x))
        return y

    return run


def folding(split: Shape, sizes: Shape, axes: tuple[Axis, ...], padding: Shape, dtype: str) -> Function:
    """Return the function of columns that adds them up at the positions of their windows.

    Parameters
    ----------
    split : tuple of int
        The shape of the columns, with the taps and the windows of each axis apart: (batch, channels, taps, *windows).
    sizes : tuple of int
        Of the last axes of the result, without padding.
    axes, padding, dtype
        As in `unfolding`.
    """
    lead, kind = split[: len(split) - len(axes) - 1], np.dtype(dtype)
    padded, inner = _padded(lead, sizes, padding), _inner(sizes, padding)
    every = (slice(None),) * len(lead)
    places = [(at, (*every, number)) for number, at in enumerate(windows(axes))]

    @float_errors_ignored
    def run(x: Host) -> Host:
        columns = x.reshape(split)
        y: Host = np.zeros(padded, kind)
        for at, tap in places:
            y[at] += columns[tap]
        return y[inner].copy() if any(padding) else y  # a view would keep the rest in memory

    return run


def _padded(lead: Shape, sizes: Shape, padding: Shape) -> Shape:
    return (*lead, *(n + 2 * p for n, p in zip(sizes, padding, strict=True)))


def _inner(sizes: Shape, padding: Shape) -> tuple[Any, ...]:
    return (..., *(slice(p, p + n) for n, p in zip(sizes, padding, strict=True)))
