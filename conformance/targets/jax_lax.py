"""jax.lax.conv_general_dilated: any number of axes, zeros outside x."""

from jax import __version__, lax
from jax import numpy as jnp

from ._shared import BOTH, FLOATS, MODES, each, paddings

BACKEND = "jax"
CLAIMS = {
    *(*BOTH, *MODES, *FLOATS, "1d", "2d", "3d", "nd", "even", "longer_kernel", "complex", "stride", "dilation"),
    *("per_axis", "tracing", "gradients"),
}

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve", "correlate"]


def convolve(x, kernel, mode="full", *, stride=1, dilation=1):
    return _conv(x, jnp.flip(kernel), mode, stride, dilation)


def correlate(x, kernel, mode=None, *, stride=1, dilation=1):
    return _conv(x, jnp.conj(kernel), mode, stride, dilation)


def _conv(x, kernel, mode, stride, dilation):
    dilation = each(dilation, x.ndim)
    widths = paddings(mode, kernel.shape, dilation)
    options = {"window_strides": each(stride, x.ndim), "padding": widths, "rhs_dilation": dilation}
    return lax.conv_general_dilated(x[None, None], kernel[None, None], precision="highest", **options)[0, 0]
