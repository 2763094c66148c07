"""One image and one kernel by N-D transforms taken apart, so that each part stays in a cache and on one thread.

    1. slabs of x and of the kernel along their first axis: the other axes are transformed
    2. columns of both spectra: the first axis, their product, and back
    3. slabs again: the other axes back, and the wanted samples into y

A transform of the whole array would pass through memory once per axis, and pad and multiply besides. Rows of zeros are
never transformed along the other axes, rows that nobody reads not transformed back. Threads meet three times; halves of
an image would need a halo, which is half of the work where the kernel is as large as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import scratch
from arrayconv._arrays.memory import clear, zero_padded
from arrayconv._costs.parallel import transform_threads
from arrayconv._ops import contain
from arrayconv._runtime.threads import parallel_phases

_BLOCK = 1 << 19  # bytes of a slab or of columns: two of them and what a transform works in stay in a cache of 1 MiB


class Steps(NamedTuple):
    """A library's transforms of a slab, each on the thread that calls it."""

    forward: Callable[[Any, Any], None]  # (x, out): along all axes but the first, half of it for real x
    columns: Callable[[Any, bool], None]  # (spectrum, inverse): along the first axis, in place
    inverse: Callable[[Any, tuple[int, ...], bool], Any]  # (spectrum, lengths, real): undoes what `forward` did


class Slabs(NamedTuple):
    """Convolution with the steps of a library, on a number of threads where there are so many samples."""

    steps: Steps
    threads: int

    def circle(
        self,
        x_shape: tuple[int, ...],
        kernel_shape: tuple[int, ...],
        name: str,
        lengths: Sequence[int],
        reads: Sequence[slice],
        *,
        is_spectrum: bool,
    ) -> Circle:
        """Return the circular convolution of `lengths`, at what each axis `reads`, of arrays of these shapes.

        The kernel is reversed, with zeros between dilated taps; or it is the spectrum of that.
        """
        dtype = np.dtype(name)
        real, inner = dtype.kind == "f", tuple(lengths[1:])
        frequencies = (*inner[:-1], inner[-1] // 2 + 1 if real else inner[-1])
        threads = transform_threads(prod(lengths), self.threads)
        spectrum = np.result_type(dtype, np.complex64)
        row, column = prod(frequencies) * spectrum.itemsize, lengths[0] * spectrum.itemsize
        read = [range(length)[cut] for length, cut in zip(lengths, reads, strict=True)]
        return Circle(
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
    """Rows that are transformed along the other axes, slab by slab, and their place among zeros."""

    slabs: list[slice]
    place: tuple[slice, ...]
    inner: tuple[int, ...]  # lengths of the other axes
    is_whole: bool  # whether no zeros are missing

    @classmethod
    def of(cls, shape: tuple[int, ...], inner: tuple[int, ...], threads: int, each: int) -> _Rows:
        place = tuple([slice(0, n) for n in shape[1:]])
        return cls(_cut(shape[0], threads, each), place, inner, shape[1:] == inner)

    def padded(self, part: Any) -> Any:
        """Return some of the rows, continued by zeros: themselves where nothing is missing."""
        return part if self.is_whole else zero_padded(part, (len(part), *self.inner), self.place, xp=np, device="cpu")


class _Side(NamedTuple):
    """An operand, and the spectrum of its rows."""

    data: Any
    rows: _Rows
    spectrum: Any
    magnitudes: list[float]  # of what was seen of it


class Circle(NamedTuple):
    """The circular convolution of arrays of known shapes, cut into parts."""

    steps: Steps
    threads: int
    dtype: np.dtype[Any]  # of spectra
    shape: tuple[int, ...]  # of the spectrum
    inner: tuple[int, ...]  # lengths of all axes but the first
    real: bool
    kernel: _Rows | None  # None where it is a spectrum
    x: _Rows
    columns: list[slice]
    back: list[slice]
    outputs: tuple[int, ...]
    reads: tuple[slice, ...]

    def convolve(self, x: Any, kernel: Any, *, guarded: bool = False) -> Any:
        """Return the convolution of NumPy arrays; where it is `guarded`, None for numbers that must be contained."""
        spectrum = scratch.empty(self.shape, self.dtype)
        sides, factor = [_Side(x, self.x, spectrum, [])], kernel
        if self.kernel is not None:
            factor = scratch.empty((len(kernel), *self.shape[1:]), self.dtype)
            sides.append(_Side(kernel, self.kernel, factor, []))  # last: others wake while one works on x
        slabs = [(side, held) for side in sides for held in side.rows.slabs]
        y = np.empty(self.outputs, x.dtype)
        flat, by = spectrum.reshape(len(spectrum), -1), factor.reshape(len(factor), -1)
        wanted = spectrum[self.reads[0]]

        def is_safe() -> bool:
            return not guarded or all(contain.within_safe_range(side.magnitudes, scales=True) for side in sides)

        def forward(number: int) -> None:
            side, held = slabs[number]
            part = side.data[held]
            if guarded:
                # Of a part that one product tells to be plain any comfortable magnitude stands for all.
                plain = contain.by_one_pass(part, True, "numpy")
                side.magnitudes.extend([1.0] if plain else contain.magnitudes(part, np))
            self.steps.forward(side.rows.padded(part), side.spectrum[held])

        def multiply(number: int) -> None:
            if is_safe():
                held = self.columns[number]
                self._multiply(flat[:, held], len(x), by[:, held])

        def back(number: int) -> None:
            if is_safe():
                samples = self.steps.inverse(wanted[self.back[number]], self.inner, self.real)
                y[self.back[number]] = samples[(slice(None), *self.reads[1:])]

        phases = (forward, len(slabs)), (multiply, len(self.columns)), (back, len(self.back))
        parallel_phases(phases, self.threads)
        return y if is_safe() else None

    def _multiply(self, held: Any, rows: int, factor: Any) -> None:
        """Transform columns along the first axis, of which `rows` rows are given, multiply, and transform them back.

        Unless the factor is a spectrum, it too has some rows that are to be transformed.
        """
        clear(held, (slice(rows, None),))
        self.steps.columns(held, False)
        if self.kernel is not None:
            place = slice(0, len(factor)), slice(0, held.shape[1])
            factor = zero_padded(factor, held.shape, place, xp=np, device="cpu")
            self.steps.columns(factor, False)
        held *= factor
        self.steps.columns(held, True)


def _cut(count: int, threads: int, each: int) -> list[slice]:
    """Return so many rows or columns of `each` bytes in parts of about a block, as many for every thread."""
    parts = min(count, threads * max(1, round(count * each / (_BLOCK * threads))))
    return [slice(count * number // parts, count * (number + 1) // parts) for number in range(parts)]
