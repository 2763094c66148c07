"""Partitioned convolution through frequency-domain delay lines, on canonical NumPy arrays (see `partition`)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np

from arrayconv._ops import transform
from arrayconv._stream.partition import Partition

_LARGEST_ENERGY = 2.0**96  # of a block: its spectra and products stay finite in float32


class Line:
    """Partitions of one size: spectra of the last blocks of x, and those of the taps.

    Axes of the spectra are (frequency, groups, batch, block, channel), so that a block's product is one matrix product
    per frequency and group. Every block is written twice, which keeps the last ones adjacent in memory.
    """

    def __init__(self, part: Partition, taps: Any, batch: int, fft: Any) -> None:
        self.part, self._fft = part, fft
        self._real = not np.iscomplexobj(taps)
        groups, filters, channels = taps.shape[:3]
        own = taps[..., part.first : part.first + part.block * part.blocks]
        padded = np.zeros((groups, filters, channels, part.blocks * part.block), taps.dtype)
        padded[..., : own.shape[-1]] = own
        blocks = padded.reshape(groups, filters, channels, part.blocks, part.block)[..., ::-1, :]  # the last tap first
        spectra = self._forward(blocks)
        order = np.ascontiguousarray(spectra.transpose(4, 0, 3, 2, 1))
        self._taps: Any = order.reshape(order.shape[0], groups, part.blocks * channels, filters)
        self._window: Any = np.zeros((batch, groups, channels, 2 * part.block), taps.dtype)
        self._spectra: Any = np.zeros((order.shape[0], groups, batch, 2 * part.blocks, channels), order.dtype)
        self._slot = 0

    def push(self, samples: Any, end: int) -> None:
        """Write samples that end at sample `end` of the block to its window."""
        size, block = samples.shape[-1], self.part.block
        self._window[..., block + end - size : block + end] = samples

    def latest(self, size: int, at: int = 0) -> Any:
        """Return `size` samples of the block, from its sample `at` on."""
        return self._window[..., self.part.block + at : self.part.block + at + size]

    def finish(self) -> Any:
        """Return what the block adds to as many outputs, from `part.first` after its first sample on."""
        window, spectra, count, block = self._window, self._spectra, self.part.blocks, self.part.block
        spectrum = self._forward(window).transpose(3, 1, 0, 2)
        slot = self._slot
        spectra[:, :, :, slot] = spectra[:, :, :, slot + count] = spectrum
        latest = spectra[:, :, :, slot + 1 : slot + 1 + count].reshape(*spectra.shape[:3], -1)
        product = np.matmul(latest, self._taps).transpose(2, 1, 3, 0)
        self._slot = (slot + 1) % count
        self._window = np.empty_like(window)  # a checkpoint refers to the last one
        self._window[..., :block] = window[..., block:]
        return transform.inverse(product, (2 * block,), real=self._real, fft=self._fft)[..., block:]

    def _forward(self, x: Any) -> Any:
        return transform.forward(x, (2 * self.part.block,), real=self._real, fft=self._fft)

    def state(self) -> tuple[Any, ...]:
        """Return copies of what the samples determined."""
        return self._window.copy(), self._spectra.copy(), self._slot

    def restore(self, state: tuple[Any, ...]) -> None:
        """Continue from a `state`."""
        window, spectra, self._slot = state
        self._window, self._spectra = window.copy(), spectra.copy()

    def checkpoint(self, blocks: int) -> tuple[Any, ...]:
        """Return what `roll_back` needs after `blocks` more blocks, in far less time than `state`.

        The next block overwrites the spectrum in its slot unread. So that one is not needed.
        """
        slots = None if blocks < 2 else (self._slot + np.arange(1, min(blocks, self.part.blocks))) % self.part.blocks
        return self._window, self._slot, slots, None if slots is None else self._spectra[:, :, :, slots]

    def roll_back(self, checkpoint: tuple[Any, ...]) -> None:
        """Return to a `checkpoint`, except for the samples of an incomplete block."""
        self._window, self._slot, slots, spectra = checkpoint
        if slots is not None:
            self._spectra[:, :, :, slots] = self._spectra[:, :, :, slots + self.part.blocks] = spectra

    @property
    def nbytes(self) -> int:
        """Bytes of all spectra."""
        return self._taps.nbytes + self._spectra.nbytes + self._window.nbytes


class DelayLines:
    """All partitions of a kernel. The samples before the first are zero.

    A block with a NaN, an infinity or a number too large for the products counts as zeros. No output before sample
    `unsafe` is to be read: another method computes those whose windows contain such blocks.
    """

    def __init__(self, partitions: Sequence[Partition], taps: Any, batch: int, fft: Any) -> None:
        self.lines = [Line(part, taps, batch, fft) for part in partitions]
        self.block = partitions[0].block
        later = max(part.first for part in partitions) + self.block
        self._sums: Any = np.zeros((batch, *taps.shape[:2], later), taps.dtype)
        self.count = 0  # samples so far
        self.reach = taps.shape[-1]
        self.unsafe = 0

    def push(self, samples: Any) -> Any | None:
        """Add samples that leave no block but the last incomplete; return the outputs of a block that they complete."""
        size, before = samples.shape[-1], self.count
        self.count += size
        for line in self.lines:
            line.push(samples, before % line.part.block + size)
        return self._finish() if self.count % self.block == 0 else None

    def _finish(self) -> Any:
        block, sums = (
            self.block,
            np.zeros((*self._sums.shape[:-1], self._sums.shape[-1] + self.block), self._sums.dtype),
        )
        sums[..., :-block] = self._sums  # which a checkpoint refers to
        if not is_moderate(self.lines[0].latest(block)):
            self.unsafe = self.count + self.reach - 1
            for line in self.lines:
                line.latest(block, (self.count - block) % line.part.block)[...] = 0
        for line in self.lines:
            if self.count % line.part.block == 0:
                at = line.part.first - line.part.block + block
                sums[..., at : at + line.part.block] += line.finish()
        self._sums = sums[..., block:]
        return sums[..., :block].copy()

    def state(self) -> tuple[Any, ...]:
        """Return copies of what the samples determined."""
        return [line.state() for line in self.lines], self._sums.copy(), self.count, self.unsafe

    def copy(self) -> DelayLines:
        """Return delay lines in the same state, with the same spectra of the kernel."""
        other = copy(self)
        other.lines = [copy(line) for line in self.lines]
        other.restore(self.state())
        return other

    def restore(self, state: tuple[Any, ...]) -> None:
        """Continue from a `state`."""
        lines, sums, self.count, self.unsafe = state
        self._sums = sums.copy()
        for line, each in zip(self.lines, lines, strict=True):
            line.restore(each)

    def checkpoint(self, size: int) -> tuple[Any, ...]:
        """Return what `roll_back` needs after `size` more samples."""
        end, recent = self.count + size, self.lines[0].latest(self.count % self.block)
        blocks = [end // line.part.block - self.count // line.part.block for line in self.lines]
        lines = [line.checkpoint(number) for line, number in zip(self.lines, blocks, strict=True)]
        return lines, self._sums, self.count, self.unsafe, recent.copy()

    def roll_back(self, checkpoint: tuple[Any, ...]) -> None:
        """Return to a `checkpoint`, after at most as many samples as it was for."""
        lines, self._sums, self.count, self.unsafe, recent = checkpoint
        for line, each in zip(self.lines, lines, strict=True):
            line.roll_back(each)
            line.push(recent, self.count % line.part.block)  # a block that is not finite was set to zeros

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self._sums.nbytes + sum(line.nbytes for line in self.lines)


def is_moderate(numbers: Any) -> bool:
    """Whether numbers are finite and their spectra and products stay so."""
    return bool(np.vdot(numbers, numbers).real <= _LARGEST_ENERGY)  # not of NaN
