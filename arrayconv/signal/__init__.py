"""scipy.signal's convolutions under their own names: change the import and keep the call, on any array library.

Signatures, defaults, sizes, swap rules, dtypes and exception types are SciPy's; each docstring lists what differs on
purpose. For all of them: arrays stay on their library and device, nothing passes through NumPy, and gradients, `jit`
and `vmap` work where the library has them. NaN and infinities contaminate only the outputs whose window contains them,
by every method, and one in the operand with fewer samples contaminates every output. Object and longdouble arrays are
refused.

Here is what is a convolution: `convolutions`, `planes`, `filtering` (FIR filters, Savitzky-Golay), `resampling`.
Recursive (IIR) filters, their design, rank filters and spectra are in scipy.signal, on CuPy in cupyx.scipy.signal.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from arrayconv._signal.elsewhere import where
from arrayconv.signal.convolutions import (
    choose_conv_method,
    convolve,
    correlate,
    correlation_lags,
    fftconvolve,
    oaconvolve,
)
from arrayconv.signal.filtering import lfilter, savgol_coeffs, savgol_filter, sepfir2d
from arrayconv.signal.planes import convolve2d, correlate2d
from arrayconv.signal.resampling import decimate, resample_poly, upfirdn

__all__ = [
    "choose_conv_method",
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "correlation_lags",
    "decimate",
    "fftconvolve",
    "lfilter",
    "oaconvolve",
    "resample_poly",
    "savgol_coeffs",
    "savgol_filter",
    "sepfir2d",
    "upfirdn",
]


if not TYPE_CHECKING:  # to which every name would exist

    def __getattr__(name: str) -> NoReturn:
        text = f"module 'arrayconv.signal' has no attribute {name!r}{where(name)}"
        raise AttributeError(text, name=name, obj=sys.modules[__name__])  # Python finds what was probably meant
