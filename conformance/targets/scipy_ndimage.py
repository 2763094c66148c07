"""scipy.ndimage.convolve and correlate."""

from scipy import __version__, ndimage

from . import _ndimage

BACKEND = "numpy"
CLAIMS = {*_ndimage.CLAIMS, "complex"}

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve", "correlate"]

convolve, correlate = _ndimage.functions(ndimage)
