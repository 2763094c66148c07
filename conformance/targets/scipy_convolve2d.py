"""scipy.signal.convolve2d with its boundaries."""

from scipy import __version__, signal

from ._shared import FLOATS, MODES

BACKEND = "numpy"
CLAIMS = {
    *("convolve", *MODES, *FLOATS, "2d", "even", "longer_kernel", "complex", "integers", "fill"),
    *("boundary:symmetric", "boundary:wrap", "boundary:wide"),
}

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve"]

_NAMES = {"constant": "fill", "symmetric": "symm", "wrap": "wrap"}


def convolve(x, kernel, mode="full", *, boundary="constant", fill_value=0):
    return signal.convolve2d(x, kernel, mode=mode, boundary=_NAMES[boundary], fillvalue=fill_value)
