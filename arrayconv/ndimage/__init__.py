"""scipy.ndimage's linear filters, on the array's own library and device.

``from arrayconv import ndimage`` in place of ``from scipy import ndimage``: the same names, signatures, centring,
dtypes and results, on NumPy, CuPy, PyTorch and JAX arrays alike, differentiable where the library is. Every function's
docstring describes all of its parameters.

Functions return an array of the input's shape, library and device; `output` itself where that was an array.

All raise RuntimeError for an unsupported dtype or mode, an `output` array of another shape, a sequence of another
length; ValueError for an axis or origin out of range; TypeError for operands of two libraries or devices, and for
an `output` array where arrays can't be written or the input requires a gradient.

Sums are formed in float64 and rounded once per pass (in float32 where the device, or JAX without x64, has no float64),
with SciPy's error bound, so never by a transform: for large kernels `arrayconv.correlate` is the faster one.
Differences from SciPy, all deliberate: weights up to 2.2e-16 count, and a one-dimensional kernel is symmetric only if
it is; NaN and infinities contaminate every window that contains them, under zero weights too, and no running mean
carries them on; flat areas of integers survive a Gaussian, where SciPy may lose 1 to rounding; a sigma of 0 is a
ValueError in `gaussian_filter1d`; half precision is refused even where no axis is left to filter.

Rank filters, interpolation and `fourier_*`, which multiply a spectrum, are no convolutions: they are in scipy.ndimage.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from arrayconv._ndimage.elsewhere import where
from arrayconv.ndimage.derivatives import gaussian_gradient_magnitude, gaussian_laplace, laplace, prewitt, sobel
from arrayconv.ndimage.generic import generic_gradient_magnitude, generic_laplace
from arrayconv.ndimage.smoothing import gaussian_filter, gaussian_filter1d, uniform_filter, uniform_filter1d
from arrayconv.ndimage.windows import convolve, convolve1d, correlate, correlate1d

__all__ = [
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "generic_gradient_magnitude",
    "generic_laplace",
    "laplace",
    "prewitt",
    "sobel",
    "uniform_filter",
    "uniform_filter1d",
]

if not TYPE_CHECKING:  # to which every name would exist

    def __getattr__(name: str) -> NoReturn:
        text = f"module 'arrayconv.ndimage' has no attribute {name!r}{where(name)}"
        raise AttributeError(text, name=name, obj=sys.modules[__name__])  # Python finds what was probably meant
