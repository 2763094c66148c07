"""What a user of each array library would call instead of ours: `PEERS`, one row each.

A builder takes (problem, x, kernel), with arrays of the library, and returns a function without arguments, or raises
`Unsuitable` with the reason for which it is left out. The builder does what could be done once: it reverses kernels and
makes views.
"""

from functools import partial
from importlib import import_module
from typing import NamedTuple


class Peer(NamedTuple):
    """A function that competes on arrays of one library."""

    name: str
    library: str
    builder: str  # a function of the module of that library
    package: str  # the distribution that it is part of, whose version a report names
    own: bool = True  # the package convolves by itself; False for what users write of its transforms


PEERS = (
    Peer("numpy.convolve", "numpy", "numpy_convolve", "numpy"),
    Peer("scipy.signal.convolve", "numpy", "signal_convolve", "scipy"),
    Peer("scipy.signal.fftconvolve", "numpy", "signal_fftconvolve", "scipy"),
    Peer("scipy.signal.oaconvolve", "numpy", "signal_oaconvolve", "scipy"),
    Peer("scipy.signal.correlate", "numpy", "signal_correlate", "scipy"),
    Peer("scipy.ndimage.convolve", "numpy", "ndimage_convolve", "scipy"),
    Peer("numpy.dot of each lag", "numpy", "dots", "numpy"),
    Peer("numpy.einsum of windows", "numpy", "windows", "numpy"),
    Peer("cv2.filter2D", "numpy", "opencv", "opencv-python-headless"),
    Peer("torch on views", "numpy", "torch_on_views", "torch"),
    Peer("torch.nn.functional", "torch", "convolution", "torch"),
    Peer("torch.fft", "torch", "spectra", "torch", own=False),
    Peer("jax.lax.conv", "jax", "convolution", "jax"),
    Peer("jax.scipy.signal.convolve", "jax", "signal_direct", "jax"),
    Peer("jax.scipy.signal.convolve, method='fft'", "jax", "signal_fft", "jax"),
    Peer("jax.numpy.fft", "jax", "spectra", "jax", own=False),
)


class Unsuitable(Exception):
    """Why a peer is left out of a problem."""


def require(suits, reason):
    """Raise Unsuitable unless `suits`."""
    if not suits:
        raise Unsuitable(reason)


def of(library):
    """Return name -> builder for a library's arrays."""
    rows = [row for row in PEERS if row.library == library]
    module = import_module(f"benchmarks.peers.{library}")
    return {row.name: getattr(module, row.builder) for row in rows}


def every_stride(call, problem):
    """Return `call`, or one that keeps every stride-th output of it."""
    if problem.stride == 1:
        return call
    step = (..., *(slice(None, None, problem.stride) for _ in problem.kernel))
    return lambda: call()[step]


def by_transform(problem, x, kernel, fft, flip):
    """Return the convolution by the library's own transforms, as one writes it: pad, multiply, cut."""
    from scipy.fft import next_fast_len

    require(problem.kind in ("convolve", "lags"), "it has one channel")
    require(not problem.dtype.startswith("int"), "it returns floats")
    sizes = problem.x[-len(problem.kernel) :]
    is_real = problem.dtype.startswith("float")
    forward, back = (fft.rfftn, fft.irfftn) if is_real else (fft.fftn, fft.ifftn)
    pairs = list(zip(sizes, problem.kernel, strict=True))
    s = tuple(next_fast_len(n + k - 1, is_real) for n, k in pairs)
    if problem.kind == "lags":
        (first, last), kernel = problem.options["lags"], flip(kernel, (0,))
        cut = (slice(problem.kernel[0] - 1 + first, problem.kernel[0] + last),)
    else:
        cut = (..., *(slice((k - 1) // 2, (k - 1) // 2 + n, problem.stride) for n, k in pairs))

    def run(x, kernel):
        return back(forward(x, s, problem.axes) * forward(kernel, s, problem.axes), s, problem.axes)[cut]

    return run, partial(run, x, kernel)
