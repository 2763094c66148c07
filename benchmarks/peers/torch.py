"""For torch tensors: torch.nn.functional's convolutions, and the product of spectra."""

from functools import partial
from math import prod

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks import layers
from benchmarks.peers import by_transform, require
from benchmarks.problems import work

MOST_MACS = 10**9
MAX_BYTES = 10**9


def _stays_small(problem):
    """Refuse float64 that torch would unfold into more than the memory of small machines, and what takes seconds."""
    macs, _ = work(problem)
    require(macs <= MOST_MACS, f"{macs:.1e} multiply-adds would take it too long")
    size = np.dtype(problem.dtype).itemsize * prod(problem.x) * prod(problem.kernel)
    unfolds = problem.dtype != "float32" and problem.kind == "convolve" and len(problem.kernel) > 1
    require(not unfolds or size <= MAX_BYTES, f"it unfolds x into {size / 1e9:.1f} GB")


def convolution(problem, x, kernel):
    _stays_small(problem)
    require(problem.kind != "lags", "it computes every lag")
    if layers.is_row(problem):
        return layers.torchs(problem, x, kernel)
    if problem.kind == "channels":
        return partial(F.conv2d, x, kernel, **problem.options)
    if problem.kind == "transposed":
        return partial(F.conv_transpose2d, x, kernel, **problem.options)
    ndim = len(problem.kernel)
    function = (F.conv1d, F.conv2d, F.conv3d)[ndim - 1]
    data = x.reshape(-1, 1, *problem.x[-ndim:])
    flipped = torch.flip(kernel, tuple(range(ndim)))[None, None].contiguous()
    padding = tuple(taps // 2 for taps in problem.kernel)
    return partial(function, data, flipped, stride=problem.stride, padding=padding)


def spectra(problem, x, kernel):
    return by_transform(problem, x, kernel, torch.fft, torch.flip)[1]
