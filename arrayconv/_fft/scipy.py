"""SciPy's transforms for NumPy arrays, on several threads for large data.

SciPy transforms float32 in float32 and rows in parallel; `numpy.fft` in float32 takes over 3 times as long in the cost
table. Several threads are requested only where the data outweighs the cost of starting them. SciPy returns new memory,
and allocating much of it takes longer than a transform: so the last axis is transformed in parts into scratch memory of
earlier calls, and the others in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from scipy import fft  # pyright: ignore[reportMissingTypeStubs]

from arrayconv._arrays.zero_padding import lengthened, padded, zero_padded_scratch
from arrayconv._fft.slabs import Steps
from arrayconv._fft.transforms import threaded

_PART = 1 << 19  # bytes of new memory per thread at a time: most systems reuse so much without asking the kernel


def _rfftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    shape = lengthened(x.shape, (*s[:-1], s[-1] // 2 + 1), axes)
    dtype = np.result_type(x.dtype, np.complex64)
    if len(axes) == 1 or prod(shape) * dtype.itemsize < _PART:
        return fft.rfftn(x, s=s, axes=axes, workers=threads)
    samples = tuple(slice(0, min(x.shape[axis], length)) for length, axis in zip(s[:-1], axes[:-1], strict=True))
    place = (*samples, slice(0, shape[-1]))
    spectrum = zero_padded_scratch(shape, dtype, place)

    def rows(part: Any) -> Any:
        return fft.rfft(part, n=s[-1], workers=threads)

    _write_in_parts(rows, x[(..., *samples, slice(None))], spectrum[(..., *place)], _PART * threads)
    return fft.fftn(spectrum, axes=axes[:-1], overwrite_x=True, workers=threads)


def _write_in_parts(transform: Callable[[Any], Any], x: Any, out: Any, max_bytes: int) -> None:
    """Write the transform of the last axis of x to `out`, in parts of at most `max_bytes` or one row."""
    axis = next((number for number, size in enumerate(out.shape[:-1]) if size > 1), None)
    if axis is None or out.nbytes <= max_bytes:
        out[...] = transform(x)
        return
    half = out.shape[axis] // 2
    for rows in (slice(0, half), slice(half, None)):
        part = (*(slice(None),) * axis, rows)
        _write_in_parts(transform, x[part], out[part], max_bytes)


def _irfftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    if len(axes) == 1 or x.nbytes < _PART:
        return fft.irfftn(x, s=s, axes=axes, workers=threads)
    x = _ifftn(x, s[:-1], axes[:-1], threads)  # transforming all axes in one call makes a copy
    return fft.irfft(x, n=s[-1], axis=axes[-1], workers=threads)


def _fftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    large = prod(lengthened(x.shape, s, axes)) * x.itemsize >= _PART
    samples = padded(x, s, axes) if large else x
    return fft.fftn(samples, s=s, axes=axes, overwrite_x=samples is not x, workers=threads)


def _ifftn(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
    return fft.ifftn(x, s=s, axes=axes, overwrite_x=True, workers=threads)


def _forward(x: Any, out: Any) -> None:
    out[...] = (fft.rfftn if x.dtype.kind == "f" else fft.fftn)(x, axes=tuple(range(1, x.ndim)))


def _columns(x: Any, inverse: bool) -> None:
    y = (fft.ifft if inverse else fft.fft)(x, axis=0, overwrite_x=True)
    if not np.may_share_memory(x, y):  # `overwrite_x` allows SciPy to overwrite, but does not require it
        x[...] = y


def _inverse(x: Any, lengths: tuple[int, ...], real: bool) -> Any:
    return (fft.irfftn if real else fft.ifftn)(x, s=lengths, axes=tuple(range(1, x.ndim)))


with_threads = threaded(_rfftn, _irfftn, _fftn, _ifftn, steps=Steps(_forward, _columns, _inverse))
