"""ducc0's transforms for NumPy arrays, several threads for large data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ducc0 import fft

from arrayconv._accel._transforms import lender

_DIVIDE = 2  # ducc0's name for a division by the length, which inverses do
_THREADED = 1 << 17  # samples


def _padded(x: Any, s: Sequence[int], axes: Sequence[int]) -> Any:
    """Return x cut or continued by zeros to `s` samples along `axes`."""
    shape = list(x.shape)
    for size, axis in zip(s, axes, strict=True):
        shape[axis] = size
    if tuple(shape) == x.shape:
        return x
    held = tuple(slice(min(old, new)) for old, new in zip(x.shape, shape, strict=True))
    padded = np.zeros(shape, x.dtype)
    padded[held] = x[held]
    return padded


def _rfftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    return fft.r2c(_padded(x, s, axes), axes, nthreads=threads)


def _irfftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    x = _padded(x, (*s[:-1], s[-1] // 2 + 1), axes)
    return fft.c2r(x, axes, lastsize=s[-1], forward=False, inorm=_DIVIDE, nthreads=threads)


def _fftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    return fft.c2c(_padded(x, s, axes), axes, nthreads=threads)


def _ifftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    return fft.c2c(_padded(x, s, axes), axes, forward=False, inorm=_DIVIDE, nthreads=threads)


with_threads = lender(_THREADED, _rfftn, _irfftn, _fftn, _ifftn)
