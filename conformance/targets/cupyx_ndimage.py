"""cupyx.scipy.ndimage.convolve and correlate."""

from cupy import __version__
from cupyx.scipy import ndimage

from . import _ndimage

BACKEND = "cupy"
CLAIMS = _ndimage.CLAIMS

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve", "correlate"]

convolve, correlate = _ndimage.functions(ndimage)
