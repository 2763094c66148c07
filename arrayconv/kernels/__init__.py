"""Named stencils for any array library, meant for `convolve`, which flips its kernel.

An impulse convolved with a kernel gives the kernel back, and a first derivative is positive where x rises along
its axis: the orientation of scipy.ndimage's filters. Every function takes, by keyword,
the array library `xp`, the `dtype` and the `device` of its result.
"""

from __future__ import annotations

from arrayconv.kernels.bands import dog, gabor, log
from arrayconv.kernels.derivatives import horizontal_edge, laplacian, prewitt, scharr, sobel, vertical_edge
from arrayconv.kernels.separation import separate
from arrayconv.kernels.smoothing import box, gaussian, savgol

__all__ = [
    "box",
    "dog",
    "gabor",
    "gaussian",
    "horizontal_edge",
    "laplacian",
    "log",
    "prewitt",
    "savgol",
    "scharr",
    "separate",
    "sobel",
    "vertical_edge",
]
