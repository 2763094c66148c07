"""For NumPy arrays: NumPy, SciPy, OpenCV, windows multiplied by einsum, and torch on views of the arrays."""

from functools import partial
from importlib.util import find_spec

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.peers import every_stride, require
from benchmarks.problems import work

# Multiply-adds past which a method that does them one by one takes a good part of a second, and is left out.
MOST = {"numpy": 2 * 10**9, "ndimage": 3 * 10**8}


def _quick_enough(problem, family):
    macs, _ = work(problem)
    require(macs <= MOST[family], f"{macs:.1e} multiply-adds would take it too long")


def _has_one_channel(problem):
    require(problem.kind == "convolve", "it computes neither channels nor single lags")


def numpy_convolve(problem, x, kernel):
    _has_one_channel(problem)
    require(kernel.ndim == 1, "it takes one axis")
    _quick_enough(problem, "numpy")
    if x.ndim == 1:
        return every_stride(partial(np.convolve, x, kernel, "same"), problem)
    return lambda: np.stack([np.convolve(row, kernel, "same") for row in x])


def _signal(function, problem, x, kernel):
    _has_one_channel(problem)
    kernel = kernel.reshape((1,) * (x.ndim - kernel.ndim) + kernel.shape)
    if function is scipy.signal.convolve:
        return every_stride(partial(function, x, kernel, "same"), problem)
    require(not problem.dtype.startswith("int"), "it returns floats")
    return every_stride(partial(function, x, kernel, "same", axes=problem.axes), problem)


signal_convolve = partial(_signal, scipy.signal.convolve)
signal_fftconvolve = partial(_signal, scipy.signal.fftconvolve)
signal_oaconvolve = partial(_signal, scipy.signal.oaconvolve)


def signal_correlate(problem, x, kernel):
    require(problem.kind == "lags", "it is here for lags")
    first, last = problem.options["lags"]
    return lambda: scipy.signal.correlate(x, kernel)[len(kernel) - 1 + first : len(kernel) + last]


def dots(problem, x, kernel):
    require(problem.kind == "lags", "it is here for lags")
    first, last = problem.options["lags"]
    return lambda: np.array([x[max(l, 0) :][: len(x) - abs(l)] @ kernel[max(-l, 0) :][: len(x) - abs(l)]
                             for l in range(first, last + 1)])  # noqa: E741  # fmt: skip


def ndimage_convolve(problem, x, kernel):
    _has_one_channel(problem)
    _quick_enough(problem, "ndimage")
    if kernel.ndim == 1:
        return every_stride(partial(scipy.ndimage.convolve1d, x, kernel, mode="constant"), problem)
    return every_stride(partial(scipy.ndimage.convolve, x, kernel, mode="constant"), problem)


def opencv(problem, x, kernel):
    require(find_spec("cv2"), "it is not installed")
    import cv2

    _has_one_channel(problem)
    require(x.ndim == 2, "it takes two axes")
    require(problem.dtype.startswith("float"), f"it has no {problem.dtype}")
    flipped = np.ascontiguousarray(np.flip(kernel.reshape((-1, kernel.shape[-1]))))
    return every_stride(partial(cv2.filter2D, x, -1, flipped, borderType=cv2.BORDER_CONSTANT), problem)


def windows(problem, x, kernel):
    require(problem.kind == "channels", "it is here for channels")
    stride, padding, groups = (problem.options.get(name, 1) for name in ("stride", "padding", "groups"))
    pads = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    if groups > 1:
        require(kernel.shape[1] == 1 and kernel.shape[0] == groups, "it is written for one group or depthwise")
        pattern, kernel = "bchwij,cij->bchw", kernel[:, 0]
    else:
        pattern = "bchwij,ocij->bohw"

    def run():
        views = sliding_window_view(np.pad(x, pads), problem.kernel[-2:], (-2, -1))[:, :, ::stride, ::stride]
        return np.einsum(pattern, views, kernel, optimize=True)

    return run


def torch_on_views(problem, x, kernel):
    require(find_spec("torch"), "it is not installed")
    require(problem.kind in ("channels", "transposed"), "arrays of one channel stay with NumPy's own peers")
    import torch

    from benchmarks.peers.torch import convolution

    return convolution(problem, torch.from_numpy(x), torch.from_numpy(kernel))
