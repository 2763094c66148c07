"""ducc0's transforms for NumPy arrays, several threads for large data, into memory that earlier calls left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ducc0 import fft

from arrayconv import _scratch
from arrayconv._accel._transforms import lender
from arrayconv._memory import framed

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
    place = tuple(slice(0, cut.stop) for cut in held)
    return framed(x[held], tuple(shape), place, xp=np, device="cpu")


def _rfftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    x = _padded(x, s, axes)
    shape = list(x.shape)
    shape[axes[-1]] = s[-1] // 2 + 1
    return fft.r2c(x, axes, nthreads=threads, out=_scratch.empty(tuple(shape), np.result_type(x.dtype, np.complex64)))


def _irfftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    x = _padded(x, (*s[:-1], s[-1] // 2 + 1), axes)
    shape = list(x.shape)
    shape[axes[-1]] = s[-1]
    out = _scratch.empty(tuple(shape), x.real.dtype)
    return fft.c2r(x, axes, lastsize=s[-1], forward=False, inorm=_DIVIDE, nthreads=threads, out=out)


def _fftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    x = _padded(x, s, axes)
    return fft.c2c(x, axes, nthreads=threads, out=_passing(x))


def _ifftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    x = _padded(x, s, axes)
    return fft.c2c(x, axes, forward=False, inorm=_DIVIDE, nthreads=threads, out=_passing(x))


def _passing(x: Any) -> Any:
    return _scratch.empty(x.shape, np.result_type(x.dtype, np.complex64))


with_threads = lender(_THREADED, _rfftn, _irfftn, _fftn, _ifftn)
