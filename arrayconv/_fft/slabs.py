"""One image and one kernel by N-D transforms in parts, so that each part stays in cache and on one thread.

    1. slabs of x and of the kernel along their first axis: transform the other axes
    2. columns of both spectra: transform the first axis, multiply, and transform it back
    3. slabs again: transform the other axes back, and write the outputs to y

A transform of the whole array would pass through memory once per axis, and again to pad and to multiply. Rows of zeros
are never transformed along the other axes, nor are rows that are not read transformed back. Threads synchronise three
times; halves of an image would need a halo, which is half of the work where the kernel is as large as a half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import scratch
from arrayconv._arrays.zero_padding import clear, zero_padded
from arrayconv._costs.parallel import transform_threads
from arrayconv._ops import contain
from arrayconv._runtime.threads import parallel_phases

_BLOCK = 1 << 19  # bytes of a slab or of columns: two of them and a transform's scratch stay in a cache of 1 MiB


class Steps(NamedTuple):
    """A library's transforms of a slab, each on the calling thread."""

    forward: Callable[[Any, Any], None]  # (x, out): along all axes but the first, half a spectrum for real x
    columns: Callable[[Any, bool], None]  # (spectrum, inverse): along the first axis, in place
    inverse: Callable[[Any, tuple[int, ...], bool], Any]  # (spectrum, lengths, real): the inverse of `forward`


class Slabs(NamedTuple):
    """Convolution by the steps of a library, on `threads` threads for large data."""

    steps: Steps
    threads: int

    def circular(
        self,
        x_shape: tuple[int, ...],
        kernel_shape: tuple[int, ...],
        name: str,
        lengths: Sequence[int],
        reads: Sequence[slice],
        *,
        is_spectrum: bool,
    ) -> CircularConvolution:
        """Return the circular convolution of `lengths` for arrays of these shapes; its result is read at `reads`.

        The kernel is reversed, with zeros between dilated taps; or it is the spectrum of that.
        """
        dtype = np.dtype(name)
        real, inner = dtype.kind == "f", tuple(lengths[1:])
        frequencies = (*inner[:-1], inner[-1] // 2 + 1 if real else inner[-1])
        threads = transform_threads(prod(lengths), self.threads)
        spectrum = np.result_type(dtype, np.complex64)
        row, column = prod(frequencies) * spectrum.itemsize, lengths[0] * spectrum.itemsize
        read = [range(length)[cut] for length, cut in zip(lengths, reads, strict=True)]
        return CircularConvolution(
            self.steps,
            threads,
            spectrum,
            (lengths[0], *frequencies),
            inner,
            real,
            None if is_spectrum else _Rows.of(kernel_shape, inner, 1, row),
            _Rows.of(x_shape, inner, threads, row),
            _cut(prod(frequencies), threads, column),
            _cut(len(read[0]), threads, row),
            tuple(map(len, read)),
            tuple(reads),
        )


class _Rows(NamedTuple):
    """Rows that are transformed along the other axes, slab by slab, and padded with zeros first."""

    slabs: list[slice]
    place: tuple[slice, ...]  # of the samples in a padded row
    inner: tuple[int, ...]  # lengths of the other axes
    is_full: bool  # whether no padding is needed

    @classmethod
    def of(cls, shape: tuple[int, ...], inner: tuple[int, ...], threads: int, row_bytes: int) -> _Rows:
        place = tuple([slice(0, n) for n in shape[1:]])
        return cls(_cut(shape[0], threads, row_bytes), place, inner, shape[1:] == inner)

    def padded(self, part: Any) -> Any:
        """Return rows padded with zeros; the rows themselves where no padding is needed."""
        return part if self.is_full else zero_padded(part, (len(part), *self.inner), self.place, xp=np, device="cpu")


class _Operand(NamedTuple):
    """x or the kernel, and the spectrum of its rows."""

    data: Any
    rows: _Rows
    spectrum: Any
    magnitudes: list[float]  # of the slabs transformed so far


class CircularConvolution(NamedTuple):
    """The circular convolution of arrays of known shapes, cut into parts."""

    steps: Steps
    threads: int
    dtype: np.dtype[Any]  # of spectra
    shape: tuple[int, ...]  # of the spectrum
    inner: tuple[int, ...]  # lengths of all axes but the first
    real: bool
    kernel: _Rows | None  # None where the kernel is a spectrum
    x: _Rows
    columns: list[slice]
    output_slabs: list[slice]
    outputs: tuple[int, ...]
    reads: tuple[slice, ...]

    def convolve(self, x: Any, kernel: Any, *, guarded: bool = False) -> Any:
        """Return the convolution of NumPy arrays; with `guarded`, None for data that must be contained."""
        spectrum = scratch.empty(self.shape, self.dtype)
        operands, factor = [_Operand(x, self.x, spectrum, [])], kernel
        if self.kernel is not None:
            factor = scratch.empty((len(kernel), *self.shape[1:]), self.dtype)
            operands.append(_Operand(kernel, self.kernel, factor, []))  # last: other threads wake up during x
        slabs = [(operand, rows) for operand in operands for rows in operand.rows.slabs]
        y = np.empty(self.outputs, x.dtype)
        columns, factor_columns = spectrum.reshape(len(spectrum), -1), factor.reshape(len(factor), -1)
        rows_read = spectrum[self.reads[0]]

        def is_safe() -> bool:
            return not guarded or all(contain.within_safe_range(each.magnitudes, scales=True) for each in operands)

        def forward(number: int) -> None:
            operand, rows = slabs[number]
            part = operand.data[rows]
            if guarded:
                # Where one product shows that a part is safe, any magnitude in the safe range represents all.
                part_is_safe = contain.by_one_pass(part, True, "numpy")
                operand.magnitudes.extend([1.0] if part_is_safe else contain.magnitudes(part, np))
            self.steps.forward(operand.rows.padded(part), operand.spectrum[rows])

        def multiply(number: int) -> None:
            if is_safe():
                part = self.columns[number]
                self._multiply(columns[:, part], len(x), factor_columns[:, part])

        def inverse(number: int) -> None:
            if is_safe():
                rows = self.output_slabs[number]
                samples = self.steps.inverse(rows_read[rows], self.inner, self.real)
                y[rows] = samples[(slice(None), *self.reads[1:])]

        phases = (forward, len(slabs)), (multiply, len(self.columns)), (inverse, len(self.output_slabs))
        parallel_phases(phases, self.threads)
        return y if is_safe() else None

    def _multiply(self, columns: Any, rows: int, factor: Any) -> None:
        """Transform columns, of which the first `rows` rows are data, along the first axis, multiply, transform back.

        The factor's columns are transformed too, unless the kernel is a spectrum.
        """
        clear(columns, (slice(rows, None),))
        self.steps.columns(columns, False)
        if self.kernel is not None:
            place = slice(0, len(factor)), slice(0, columns.shape[1])
            factor = zero_padded(factor, columns.shape, place, xp=np, device="cpu")
            self.steps.columns(factor, False)
        columns *= factor
        self.steps.columns(columns, True)


def _cut(count: int, threads: int, item_bytes: int) -> list[slice]:
    """Return `count` rows or columns of `item_bytes` in parts of about a block, equally many for every thread."""
    parts = min(count, threads * max(1, round(count * item_bytes / (_BLOCK * threads))))
    return [slice(count * number // parts, count * (number + 1) // parts) for number in range(parts)]
