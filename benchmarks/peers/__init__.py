"""What a user of each array library would call instead of ours; `PEERS` of each module is name -> builder.

A builder takes (problem, x, kernel), with arrays of the library, and returns a function without arguments, or raises
`Unsuitable` with the reason for which it is left out. What could be done once is done in the builder: peers are given
their kernel reversed and their views made.
"""

from functools import partial
from importlib import import_module


class Unsuitable(Exception):
    """Why a peer is left out of a problem."""


def require(suits, reason):
    """Raise Unsuitable unless `suits`."""
    if not suits:
        raise Unsuitable(reason)


def of(library):
    """Return name -> builder for a library's arrays."""
    return import_module(f"benchmarks.peers.{library}").PEERS


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
