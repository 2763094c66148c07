"""dask_image.ndfilters.convolve and correlate: NumPy arrays in, two chunks along each axis, NumPy arrays out."""

from importlib.metadata import version
from types import SimpleNamespace

from dask import array
from dask_image import ndfilters

from . import _ndimage

__version__ = version("dask-image")
BACKEND = "numpy"
CLAIMS = _ndimage.CLAIMS - {"boundary:wide", "longer_kernel"}  # a chunk must not be smaller than its overlap

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve", "correlate"]


def _chunked(function):
    def call(x, kernel, **options):
        chunks = tuple(max(-(-n // 2), taps) for n, taps in zip(x.shape, kernel.shape, strict=True))
        return function(array.from_array(x, chunks=chunks), kernel, **options).compute()

    return call


_functions = SimpleNamespace(convolve=_chunked(ndfilters.convolve), correlate=_chunked(ndfilters.correlate))
convolve, correlate = _ndimage.functions(_functions)
