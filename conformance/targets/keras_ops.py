"""keras.ops.conv on its torch backend, after keras.ops.pad."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported

from keras import __version__, ops

from ._shared import BOTH, FLOATS, MODES, each, paddings

BACKEND = "torch"
CLAIMS = {*BOTH, *MODES, *FLOATS, "1d", "2d", "3d", "even", "longer_kernel", "stride", "dilation", "per_axis"}

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve", "correlate"]


def convolve(x, kernel, mode="full", *, stride=1, dilation=1):
    return _conv(x, ops.flip(kernel), mode, stride, dilation)


def correlate(x, kernel, mode=None, *, stride=1, dilation=1):
    return _conv(x, kernel, mode, stride, dilation)


def _conv(x, kernel, mode, stride, dilation):
    dilation = each(dilation, x.ndim)
    x = ops.pad(x, paddings(mode, kernel.shape, dilation))
    options = {"strides": each(stride, x.ndim), "dilation_rate": dilation, "padding": "valid"}
    out = ops.conv(x[None, ..., None], kernel[..., None, None], data_format="channels_last", **options)
    return out[0, ..., 0]
