"""Discrete Fourier transforms over the spatial axes, real where the data is real, and their error bound."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2, prod
from typing import Any

from arrayconv._arrays.array import Array


def spectrum_elements(lengths: Sequence[int], real: bool) -> int:
    """Count the frequencies of one transform: about half for real data."""
    return prod(lengths[:-1]) * (lengths[-1] // 2 + 1 if real else lengths[-1])


def error_factor(lengths: Sequence[int]) -> float:
    """Bound the relative 2-norm error of a convolution by three transforms, in units of eps.

    Higham, Accuracy and Stability of Numerical Algorithms (2nd ed.), Theorem 24.2: one transform of length F
    costs log2(F) * eta with eta about 7 unit roundoffs (eps / 2); the spectra's product costs 3 more.
    """
    return 0.5 * (3 * 7 * max(log2(prod(lengths)), 1) + 3)


def forward(x: Array, lengths: Sequence[int], *, real: bool, fft: Any, by_axes: bool = True) -> Array:
    """Return the spectrum over the last ``len(lengths)`` axes, zero-padded to `lengths`.

    With `by_axes`, one axis may be transformed before another is padded.
    """
    axes = tuple(range(-len(lengths), 0))
    transform = fft.rfftn if real else fft.fftn
    if by_axes and len(lengths) > 1 and 4 * prod(x.shape[-len(lengths) :]) <= prod(lengths):
        # Mostly padding, as a kernel is: rows first, before there are rows of zeros to transform.
        x = transform(x, s=tuple(lengths[-1:]), axes=(-1,))
        return fft.fftn(x, s=tuple(lengths[:-1]), axes=axes[:-1])
    return transform(x, s=tuple(lengths), axes=axes)


def inverse(spectrum: Array, lengths: Sequence[int], *, real: bool, fft: Any) -> Array:
    """Return the samples of a spectrum that `forward` returned, which may be overwritten."""
    axes = tuple(range(-len(lengths), 0))
    transform = fft.irfftn if real else fft.ifftn
    return transform(spectrum, s=tuple(lengths), axes=axes)
