"""cuFFT's transforms by CuPy, without the copies and passes of `cupy.fft`: what they read may be overwritten."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from arrayconv._accel.cuda.launch import LIBRARY
from arrayconv._arrays.array import Array
from arrayconv._arrays.failures import AcceleratorFailed
from arrayconv._arrays.traits import Traits
from arrayconv._ops import spectral, transform


def _library() -> Any:
    """Return CuPy's transforms that may overwrite their input."""
    try:
        return import_module("cupyx.scipy.fft")
    except ImportError as failure:
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure


def forward(samples: Array, lengths: tuple[int, ...], traits: Traits) -> Array:
    """Return the spectrum of padded samples, contiguous."""
    real = spectral.is_real(traits)
    return _contiguous(transform.forward(samples, lengths, real=real, fft=_library(), by_axes=False))


def inverse(spectrum: Any, lengths: tuple[int, ...], traits: Traits) -> Any:
    """Return the samples of a spectrum, which is overwritten, times their number."""
    fft, axes = _library(), tuple(range(-len(lengths), 0))
    function = fft.irfftn if spectral.is_real(traits) else fft.ifftn
    return _contiguous(function(spectrum, s=lengths, axes=axes, norm="forward", overwrite_x=True))


def _contiguous(array: Any) -> Any:
    """Return an array in the order that kernels read: CuPy transforms axis by axis where its user has set that."""
    return array if array.flags.c_contiguous else array.copy()
