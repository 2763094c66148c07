"""Findings in other libraries: calls whose result is not the exact one, each with the reason why it should be.

A row is (id, distributions, function, title, what it differs from, explanation, operation, options, view, snippet). The
snippet defines x, kernel and out; the exact result is that of `operation` with `options` on its x and kernel. The view
says what is compared: the values, the number of non-finite outputs, or the shape. Where a library changes, the row
stays, and the page says that the result is exact there.
"""

SUM = "the exact sum"

# The versions in which every row was reproduced; other versions may have changed.
VERSIONS = {
    "scipy": "1.17.1",
    "dask": "2026.8.0",
    "dask-image": "2026.5.0",
    "jax": "0.10.2",
    "torch": "2.13.0",
    "opencv-python-headless": "5.0.0.93",
    "astropy": "8.0.2",
}
INSTRUCTIONS = {"torch-bfloat16-nan": "avx512_bf16"}  # rows that only processors with these reproduce

FINDINGS = [
    (
        "scipy-correlation-lags",
        "scipy",
        "scipy.signal.correlation_lags",
        "`correlation_lags(mode='same')` is off by one for an odd and an even size",
        "SciPy's documentation: indexed with the argmax of the correlation, it returns the lag",
        "`correlate(x, kernel, 'same')` has its peak at index 4. The spikes are at 3 and 0, so the lag is 3.",
        "lags",
        {"mode": "same"},
        "values",
        """
import numpy as np
from scipy import signal

x, kernel = np.array([0, 0, 0, 1, 0]), np.array([1, 0])
out = signal.correlation_lags(x.size, kernel.size, mode="same")
""",
    ),
    (
        "scipy-ndimage-tiny-taps",
        "scipy",
        "scipy.ndimage.convolve",
        "taps of at most 2.2e-16 count as zero",
        SUM,
        "The threshold is absolute, so a kernel of small numbers filters to zero; multiplied by 1e17 it does not.",
        "convolve",
        {"mode": "same"},
        "values",
        """
import numpy as np
from scipy import ndimage

x, kernel = np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 2, 3]) * 1e-17
out = ndimage.convolve(x, kernel, mode="constant")
""",
    ),
    (
        "scipy-ndimage-tiny-asymmetry",
        "scipy",
        "scipy.ndimage.convolve1d",
        "taps that differ by at most 2.2e-16 count as symmetric",
        SUM,
        "One half of the kernel is used for both. The threshold is absolute here too.",
        "convolve",
        {"mode": "same"},
        "values",
        """
import numpy as np
from scipy import ndimage

x, kernel = np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 2, 3]) * 1e-17
out = ndimage.convolve1d(x, kernel, mode="constant")
""",
    ),
    (
        "scipy-ndimage-int64",
        "scipy",
        "scipy.ndimage.correlate",
        "integers above 2**53 are rounded to float64",
        SUM,
        "The output has the input's dtype, int64, but the sums are formed in float64.",
        "correlate",
        {"mode": "same"},
        "values",
        """
import numpy as np
from scipy import ndimage

x, kernel = np.array([2**62 + 1, 2**53 + 1]), np.array([1])
out = ndimage.correlate(x, kernel)
""",
    ),
    (
        "scipy-uniform-filter-nan",
        "scipy",
        "scipy.ndimage.uniform_filter1d",
        "a NaN contaminates every later output",
        SUM,
        "The mean is a running sum, in which a NaN stays. Three windows contain the NaN.",
        "correlate",
        {"mode": "same", "boundary": "symmetric"},
        "non-finite outputs",
        """
import numpy as np
from scipy import ndimage

x, kernel = np.zeros(12), np.ones(3) / 3
x[3] = np.nan
out = ndimage.uniform_filter1d(x, 3, mode="reflect")
""",
    ),
    (
        "scipy-fftconvolve-nan",
        "scipy",
        "scipy.signal.fftconvolve",
        "a NaN contaminates every output",
        SUM,
        "Three windows contain the NaN. SciPy's page of `convolve` says this of its FFT method; that of `fftconvolve` "
        "does not.",
        "convolve",
        {},
        "non-finite outputs",
        """
import numpy as np
from scipy import signal

x, kernel = np.ones(16), np.ones(3)
x[0] = np.nan
out = signal.fftconvolve(x, kernel)
""",
    ),
    (
        "scipy-oaconvolve-inf",
        "scipy",
        "scipy.signal.oaconvolve",
        "an infinity contaminates its whole block",
        SUM,
        "Twenty windows contain the infinity. The number of outputs that do depends on the block length.",
        "convolve",
        {},
        "non-finite outputs",
        """
import numpy as np
from scipy import signal

x, kernel = np.ones(4000), np.ones(20)
x[0] = np.inf
out = signal.oaconvolve(x, kernel)
""",
    ),
    (
        "scipy-fftconvolve-overflow",
        "scipy",
        "scipy.signal.fftconvolve",
        "finite sums of large numbers overflow",
        SUM,
        "Every sum is at most 3e37, and float32 ends at 3.4e38. The transforms' product is larger.",
        "convolve",
        {},
        "non-finite outputs",
        """
import numpy as np
from scipy import signal

x, kernel = np.full(100, 1e36, "float32"), np.ones(30, "float32")
out = signal.fftconvolve(x, kernel)
""",
    ),
    (
        "scipy-fftconvolve-same-rows",
        "scipy",
        "scipy.signal.fftconvolve",
        "`mode='same'` with `axes` drops rows of a broadcast batch",
        SUM,
        "'full' returns a row for each of the three kernels, 'same' the first one alone. SciPy's page defines the size "
        "of 'same' by the first input, without a word on rows. `oaconvolve` drops them too.",
        "convolve",
        {"mode": "same", "axes": 1},
        "shape",
        """
import numpy as np
from scipy import signal

x, kernel = np.ones((1, 5)), np.ones((3, 2))
out = signal.fftconvolve(x, kernel, mode="same", axes=1)
""",
    ),
    (
        "scipy-convolve-nan-beside-integers",
        "scipy",
        "scipy.signal.convolve",
        "integers with a NaN in the other operand raise",
        SUM,
        "The choice of the method converts the largest value to an integer. With `method='direct'` the call returns.",
        "convolve",
        {},
        "non-finite outputs",
        """
import numpy as np
from scipy import signal

x, kernel = np.array([1, np.nan, 1, 1, 1]), np.array([1, 2, 3])
out = signal.convolve(x, kernel)
""",
    ),
    (
        "scipy-correlate2d-conjugate",
        "scipy",
        "scipy.signal.correlate2d",
        "complex 'valid' with the larger second input is not conjugated as `correlate` is",
        SUM,
        "The inputs are exchanged and the result reversed, but not conjugated. `signal.correlate` of the same arrays "
        "returns the exact values. Lags -2 to 0 of the second axis.",
        "correlate",
        {"lags": ((0, 0), (-2, 0))},
        "values",
        """
import numpy as np
from scipy import signal

x, kernel = np.array([[1 + 1j]]), np.array([[1j, 1, 2]])
out = signal.correlate2d(x, kernel, mode="valid")
""",
    ),
    (
        "scipy-oaconvolve-dask",
        "scipy dask",
        "scipy.signal.oaconvolve",
        "Dask arrays give wrong values without an error",
        SUM,
        "With `SCIPY_ARRAY_API=1`. SciPy's page marks Dask as unsupported by this function; the call returns numbers.",
        "convolve",
        {},
        "values",
        """
import os

os.environ["SCIPY_ARRAY_API"] = "1"  # before SciPy is imported

import dask.array
import numpy as np
from scipy import signal

x, kernel = np.arange(1.0, 41.0), np.array([1.0, 2.0, 3.0])
out = np.asarray(signal.oaconvolve(dask.array.from_array(x), dask.array.from_array(kernel)))
""",
    ),
    (
        "dask-image-tiny-taps",
        "dask-image",
        "dask_image.ndfilters.convolve",
        "taps of at most 2.2e-16 count as zero",
        SUM,
        "It calls `scipy.ndimage.convolve` on each chunk.",
        "convolve",
        {"mode": "same"},
        "values",
        """
import dask.array
import numpy as np
from dask_image import ndfilters

x, kernel = np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 2, 3]) * 1e-17
out = ndfilters.convolve(dask.array.from_array(x), kernel, mode="constant").compute()
""",
    ),
    (
        "jax-integers",
        "jax",
        "jax.scipy.signal.convolve",
        "integers become floats, and lose digits above 2**53",
        SUM,
        "`scipy.signal.convolve`, which it implements by its page, returns int64 and the exact value. 64-bit types are "
        "on.",
        "convolve",
        {},
        "values",
        """
import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
from jax.scipy import signal

x, kernel = np.array([2**53 + 1]), np.array([1])
out = signal.convolve(x, kernel)
""",
    ),
    (
        "jax-numpy-integers",
        "jax",
        "jax.numpy.convolve",
        "integers become floats, and lose digits above 2**53",
        SUM,
        "`numpy.convolve`, which it implements by its page, returns int64 and the exact value. 64-bit types are on.",
        "convolve",
        {},
        "values",
        """
import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
from jax import numpy as jnp

x, kernel = np.array([2**53 + 1]), np.array([1])
out = jnp.convolve(x, kernel)
""",
    ),
    (
        "jax-fftconvolve-nan",
        "jax",
        "jax.scipy.signal.fftconvolve",
        "a NaN contaminates every output",
        SUM,
        "Three windows contain the NaN.",
        "convolve",
        {},
        "non-finite outputs",
        """
import numpy as np
from jax.scipy import signal

x, kernel = np.ones(16, "float32"), np.ones(3, "float32")
x[0] = np.nan
out = signal.fftconvolve(x, kernel)
""",
    ),
    (
        "jax-fftconvolve-overflow",
        "jax",
        "jax.scipy.signal.fftconvolve",
        "finite sums of large numbers overflow",
        SUM,
        "Every sum is at most 3e37, and float32 ends at 3.4e38. The transforms' product is larger.",
        "convolve",
        {},
        "non-finite outputs",
        """
import numpy as np
from jax.scipy import signal

x, kernel = np.full(100, 1e36, "float32"), np.ones(30, "float32")
out = signal.fftconvolve(x, kernel)
""",
    ),
    (
        "torch-bfloat16-nan",
        "torch",
        "torch.nn.functional.conv1d",
        "in bfloat16 a NaN contaminates one output outside its windows",
        SUM,
        "Three windows contain the NaN. In float32, and with `torch.backends.mkldnn.flags(enabled=False)`, three "
        "outputs are NaN. It needs a CPU with the instructions avx512_bf16.",
        "correlate",
        {"mode": "valid"},
        "non-finite outputs",
        """
import numpy as np
import torch
from torch.nn import functional

x, kernel = np.zeros(16, "float32"), np.ones(3, "float32")
x[7] = np.nan
wide, taps = (torch.asarray(each).to(torch.bfloat16)[None, None] for each in (x, kernel))
out = functional.conv1d(wide, taps)[0, 0].float().numpy()
""",
    ),
    (
        "opencv-nan",
        "opencv-python-headless",
        "cv2.filter2D",
        "a NaN contaminates every pixel under a kernel of 13 x 13",
        SUM,
        "OpenCV's page says that large kernels use a DFT, and nothing of NaN. With 3 x 3 taps 9 pixels are NaN.",
        "correlate",
        {"mode": "same"},
        "non-finite outputs",
        """
import cv2
import numpy as np

x, kernel = np.zeros((40, 41)), np.ones((13, 13))
x[20, 20] = np.nan
out = cv2.filter2D(x, -1, kernel, borderType=cv2.BORDER_CONSTANT)
""",
    ),
    (
        "astropy-complex-data",
        "astropy",
        "astropy.convolution.convolve",
        "imaginary parts of the data are lost",
        SUM,
        "No error is raised; the page names no restriction to real data.",
        "convolve",
        {"mode": "same"},
        "values",
        """
import numpy as np
from astropy.convolution import convolve

x, kernel = np.array([1 + 1j, 2, 3]), np.array([0.0, 1, 0])
out = convolve(x, kernel, normalize_kernel=False)
""",
    ),
    (
        "astropy-complex-kernel",
        "astropy",
        "astropy.convolution.convolve_fft",
        "imaginary parts of the kernel are lost",
        SUM,
        "The transforms are complex, the result is cut to its real part. `convolve` loses them too.",
        "convolve",
        {"mode": "same"},
        "values",
        """
import numpy as np
from astropy.convolution import convolve_fft

x, kernel = np.array([1.0, 2, 3]), np.array([0, 1j, 0])
out = convolve_fft(x, kernel, normalize_kernel=False)
""",
    ),
]

# Conventions that differ from this project's, and what a library documents: no findings.
DOCUMENTED = [
    ("cv2.filter2D", "integer sums are rounded half to even and saturate; BORDER_WRAP is refused"),
    ("scipy.ndimage", "the output has the input's dtype, so fractional sums of integers are truncated"),
    ("scipy.ndimage", "taps of 0 are skipped, so 0 times NaN is 0"),
    ("scipy.signal.convolve", "`method='fft'`, and 'auto' of long arrays, turn one NaN into NaN everywhere"),
    ("astropy.convolution", "NaN are interpolated or replaced; sums are formed in float64, those of integers too"),
    ("scipy.ndimage, torch, jax.lax, Keras", "another centring of 'same' with an even number of taps"),
]
