"""cupyx.scipy.signal.convolve and correlate, summed directly: its automatic choice takes one axis alone."""

from cupy import __version__
from cupyx.scipy import signal

from ._shared import BOTH, FLOATS, MODES

BACKEND = "cupy"
CLAIMS = {*BOTH, *MODES, *FLOATS, "1d", "2d", "3d", "nd", "even", "longer_kernel", "complex", "integers"}

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve", "correlate"]


def convolve(x, kernel, mode="full"):
    return signal.convolve(x, kernel, mode=mode, method="direct")


def correlate(x, kernel, mode=None):
    return signal.correlate(x, kernel, mode=mode or "full", method="direct")
