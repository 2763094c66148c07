"""scipy.signal.convolve and correlate, with the method that SciPy chooses."""

from scipy import __version__, signal

from ._shared import BOTH, FLOATS, MODES

BACKEND = "numpy"
CLAIMS = {*BOTH, *MODES, *FLOATS, "1d", "2d", "3d", "nd", "even", "longer_kernel", "complex", "integers"}

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve", "correlate"]


def convolve(x, kernel, mode="full"):
    return signal.convolve(x, kernel, mode=mode)


def correlate(x, kernel, mode=None):
    return signal.correlate(x, kernel, mode=mode or "full")
