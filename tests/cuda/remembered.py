"""Python's time of a remembered call on CuPy arrays: `python -m tests.cuda.remembered`. Nothing runs on a GPU.

The launch and the new array of the result, which are CuPy's, take no time here. Attributes of arrays and devices are
Python's properties in the stand-in and fields in CuPy: their time is measured by itself.
"""

import sys
import time
from contextlib import contextmanager
from functools import partial
from unittest import mock

import numpy as np

import arrayconv

SIDE = 1024
ROUNDS, CALLS = 60, 50


@contextmanager
def call():
    """Yield a remembered convolution of an image by 3 x 3 taps, without its launch and its new array."""
    import cupy

    from tests.cuda.standin.raw_module import RawKernel

    x, kernel = (cupy.asarray(np.ones((n, n), np.float32)) for n in (SIDE, 3))
    y = arrayconv.convolve(x, kernel, "same")
    arrayconv.config.cache_clear()  # a bound call keeps CuPy's `empty`
    with mock.patch.object(RawKernel, "__call__", _nothing), mock.patch.object(cupy, "empty", return_value=y):
        convolve = partial(arrayconv.convolve, x, kernel, "same")
        convolve()
        yield convolve
    arrayconv.config.cache_clear()


def _nothing(*_, **__):
    """Launch nothing."""


def own_calls(function):
    """Return the names of the package's Python functions that a call runs."""
    names = []

    def note(frame, event, _):
        if event == "call" and "arrayconv/_" in frame.f_code.co_filename.replace("tests/", ""):
            names.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return names


def attributes():
    """Return a function that reads what a remembered call reads of two operands, a result and their device."""
    import cupy

    x, kernel = (cupy.asarray(np.ones((n, n), np.float32)) for n in (SIDE, 3))
    device = x.device

    def read():
        with device:
            for array in (x, kernel):
                _ = array.shape, array.dtype, array.device.id, array.flags.c_contiguous, array.data.ptr
            return cupy.cuda.get_current_stream().ptr, x.data.ptr

    return read


def shortest(function):
    """Return the least microseconds of a call."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            function()
        times.append(time.perf_counter() - start)
    return 1e6 * min(times) / CALLS


if __name__ == "__main__":
    from tests.cuda.standin import install

    install()
    with call() as convolve:
        whole, standins = shortest(convolve), shortest(attributes())
        print(f"{whole - standins:.1f} us, {len(own_calls(convolve))} calls of Python functions")
        print(f"{standins:.1f} us more are the stand-in's attributes")
