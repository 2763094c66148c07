"""astropy.convolution.convolve, without its normalization of the kernel: odd kernels, results of float64."""

from astropy import __version__
from astropy.convolution import convolve as _convolve

BACKEND = "numpy"
CLAIMS = {
    *("convolve", "mode:same", "float64", "1d", "2d", "3d", "longer_kernel", "fill"),
    *("boundary:edge", "boundary:wrap", "boundary:wide"),
}

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve"]

_NAMES = {"constant": "fill", "edge": "extend", "wrap": "wrap"}


def convolve(x, kernel, mode="same", *, boundary="constant", fill_value=0):
    options = {"boundary": _NAMES[boundary], "fill_value": fill_value, "nan_treatment": "fill"}
    return _convolve(x, kernel, normalize_kernel=False, **options)
