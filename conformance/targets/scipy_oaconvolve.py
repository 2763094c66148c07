"""scipy.signal.oaconvolve, along all or some axes."""

from scipy import __version__, signal

from ._shared import FLOATS, MODES, aligned

BACKEND = "numpy"
CLAIMS = {"convolve", *MODES, *FLOATS, "1d", "2d", "3d", "nd", "even", "longer_kernel", "complex", "axes"}

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve"]


def convolve(x, kernel, mode="full", *, axes=None):
    return signal.oaconvolve(x, aligned(x, kernel, axes), mode=mode, axes=axes)
