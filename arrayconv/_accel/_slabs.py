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
from typing import Any, NamedTuple

import numpy as np

from arrayconv import _scratch
from arrayconv._accel._threads import share_phases
from arrayconv._memory import padded

_BLOCK = 1 << 19  # bytes of a slab or of columns: two of them and what a transform works in stay in a cache of 1 MiB


class Steps(NamedTuple):
    """A library's transforms of a slab, each on the thread that calls it."""

    forward: Callable[[Any, Any], None]  # (x, out): along all axes but the first, half of it for real x
    columns: Callable[[Any, bool], None]  # (spectrum, inverse): along the first axis, in place
    inverse: Callable[[Any, tuple[int, ...], bool], Any]  # (spectrum, lengths, real): undoes what `forward` did


class Slabs(NamedTuple):
    """Convolution with the steps of a library, on a number of threads."""

    steps: Steps
    threads: int

    def convolve(
        self, x: Any, kernel: Any, lengths: Sequence[int], reads: Sequence[slice], *, is_spectrum: bool
    ) -> Any:
        """Return the circular convolution of `lengths`, at what each axis `reads`, of NumPy arrays x and kernel.

        The kernel is reversed, with zeros between dilated taps; or it is the spectrum of that.
        """
        real, inner = x.dtype.kind == "f", tuple(lengths[1:])
        frequencies = (*inner[:-1], inner[-1] // 2 + 1 if real else inner[-1])
        dtype = np.result_type(x.dtype, np.complex64)
        spectrum = _scratch.empty((lengths[0], *frequencies), dtype)
        factor = kernel if is_spectrum else _scratch.empty((kernel.shape[0], *frequencies), dtype)
        wanted = spectrum[reads[0]]
        read = [range(length)[cut] for length, cut in zip(inner, reads[1:], strict=True)]
        y = np.empty((len(wanted), *map(len, read)), x.dtype)
        pairs = [(x, spectrum)] if is_spectrum else [(kernel, factor), (x, spectrum)]
        cuts = [(*pair, rows) for pair in pairs for rows in self._cut(len(pair[0]), pair[1][0].nbytes)]
        flat, by = spectrum.reshape(lengths[0], -1), factor.reshape(len(factor), -1)
        columns, rows = self._cut(flat.shape[1], flat[:, :1].nbytes), self._cut(len(y), spectrum[0].nbytes)

        def forward(number: int) -> None:
            self._forward(*cuts[number], inner)

        def multiply(number: int) -> None:
            held = columns[number]
            self._multiply(flat[:, held], len(x), by[:, held], whole=is_spectrum)

        def back(number: int) -> None:
            samples = self.steps.inverse(wanted[rows[number]], inner, real)
            y[rows[number]] = samples[(slice(None), *reads[1:])]

        phases = (forward, len(cuts)), (multiply, len(columns)), (back, len(rows))
        share_phases(phases, self.threads)
        return y

    def _forward(self, x: Any, spectrum: Any, rows: slice, inner: tuple[int, ...]) -> None:
        """Transform a slab of x along all axes but the first, of the lengths `inner`, into its spectrum's rows."""
        self.steps.forward(padded(x[rows], inner, range(1, x.ndim)), spectrum[rows])

    def _multiply(self, held: Any, rows: int, factor: Any, *, whole: bool) -> None:
        """Transform columns along the first axis, of which `rows` rows are given, multiply, and transform them back.

        Unless the factor is `whole`, it too has some rows that are to be transformed.
        """
        held[rows:] = 0
        self.steps.columns(held, False)
        if not whole:
            taps, factor = factor, _scratch.empty(held.shape, held.dtype)
            factor[: len(taps)], factor[len(taps) :] = taps, 0
            self.steps.columns(factor, False)
        held *= factor
        self.steps.columns(held, True)

    def _cut(self, count: int, each: int) -> list[slice]:
        """Return so many rows or columns of `each` bytes in parts of about a block, as many for every thread."""
        parts = min(count, self.threads * max(1, round(count * each / (_BLOCK * self.threads))))
        return [slice(count * number // parts, count * (number + 1) // parts) for number in range(parts)]
