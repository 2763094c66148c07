"""ducc0's transforms for NumPy arrays, on several threads for large data, into scratch memory of earlier calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ducc0 import fft

from arrayconv._arrays import scratch
from arrayconv._arrays.zero_padding import lengthened, padded
from arrayconv._fft.slabs import Steps
from arrayconv._fft.transforms import threaded

_DIVIDE = 2  # ducc0's code for a division by the length, as inverse transforms require


def _with_whole_steps(x: Any) -> Any:
    """Return x, copied where a stride is no multiple of the itemsize, as in a field of records: ducc0 refuses that."""
    return x if all(step % x.itemsize == 0 for step in x.strides) else x.copy()


def _rfftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    x = _with_whole_steps(padded(x, s, axes))
    shape = lengthened(x.shape, (s[-1] // 2 + 1,), axes[-1:])
    return fft.r2c(x, axes, nthreads=threads, out=scratch.empty(shape, np.result_type(x.dtype, np.complex64)))


def _irfftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    x = padded(x, (*s[:-1], s[-1] // 2 + 1), axes)
    if len(axes) > 1:  # in place, while transforming all axes in one call makes a copy
        x = _ifftn(x, s[:-1], axes[:-1], threads)
    out = scratch.empty(lengthened(x.shape, s[-1:], axes[-1:]), x.real.dtype)
    return fft.c2r(x, axes[-1:], lastsize=s[-1], forward=False, inorm=_DIVIDE, nthreads=threads, out=out)


def _fftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    samples = _with_whole_steps(padded(x, s, axes))
    out = samples if samples is not x else scratch.empty(x.shape, np.result_type(x.dtype, np.complex64))
    return fft.c2c(samples, axes, nthreads=threads, out=out)


def _ifftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    x = padded(x, s, axes)
    return fft.c2c(x, axes, forward=False, inorm=_DIVIDE, nthreads=threads, out=x)


def _forward(x: Any, out: Any) -> None:
    (fft.r2c if x.dtype.kind == "f" else fft.c2c)(_with_whole_steps(x), tuple(range(1, x.ndim)), out=out)


def _columns(x: Any, inverse: bool) -> None:
    fft.c2c(x, (0,), forward=not inverse, inorm=_DIVIDE * inverse, out=x)


def _inverse(x: Any, lengths: tuple[int, ...], real: bool) -> Any:
    return (_irfftn if real else _ifftn)(x, lengths, tuple(range(1, x.ndim)), 1)


with_threads = threaded(_rfftn, _irfftn, _fftn, _ifftn, steps=Steps(_forward, _columns, _inverse))
