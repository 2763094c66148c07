"""A target of two functions along one axis, with claims."""

import numpy as np

CLAIMS = {
    "convolve",
    "correlate",
    "mode:full",
    "mode:same",
    "mode:valid",
    "1d",
    "even",
    "float64",
    "float32",
    "complex",
}


def convolve(x, kernel, mode="full"):
    full = np.convolve(x, kernel)
    first = {"full": 0, "same": (len(kernel) - 1) // 2, "valid": len(kernel) - 1}[mode]
    return full[first : {"full": len(full), "same": first + len(x), "valid": len(x)}[mode]]


def correlate(x, kernel, mode=None):
    full = np.correlate(x, kernel, "full")
    first = {"full": 0, "same": len(kernel) - 1 - len(kernel) // 2, "valid": len(kernel) - 1}[mode or "full"]
    return full[first : {"full": len(full), "same": first + len(x), "valid": len(x)}[mode or "full"]]
