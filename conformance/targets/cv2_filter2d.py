"""cv2.filter2D: correlation of images; a convolution flips the kernel and its anchor, as OpenCV's page says."""

import cv2
import numpy as np

from ._shared import BOTH, FLOATS

__version__ = cv2.__version__
BACKEND = "numpy"
CLAIMS = {
    *(*BOTH, "mode:same", *FLOATS, "2d", "even"),
    *("boundary:edge", "boundary:symmetric", "boundary:reflect"),
}

_NAMES = {
    "constant": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "symmetric": cv2.BORDER_REFLECT,
    "reflect": cv2.BORDER_REFLECT_101,
}


def convolve(x, kernel, mode="same", *, boundary="constant"):
    return _filter(x, np.ascontiguousarray(np.flip(kernel)), boundary)


def correlate(x, kernel, mode="same", *, boundary="constant"):
    return _filter(x, kernel, boundary)


def _filter(x, kernel, boundary):
    rows, columns = kernel.shape
    return cv2.filter2D(x, -1, kernel, anchor=(columns // 2, rows // 2), borderType=_NAMES[boundary])
