"""jax.scipy.signal.convolve and correlate."""

from jax import __version__
from jax.scipy import signal

from ._shared import BOTH, FLOATS, MODES

BACKEND = "jax"
CLAIMS = {*BOTH, *MODES, *FLOATS, "1d", "2d", "3d", "nd", "even", "complex", "tracing", "gradients"}

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve", "correlate"]


def convolve(x, kernel, mode="full"):
    return signal.convolve(x, kernel, mode=mode)


def correlate(x, kernel, mode=None):
    return signal.correlate(x, kernel, mode=mode or "full")
