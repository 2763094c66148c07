"""A mapped call is a batch of calls: `torch.func.vmap` and `jax.vmap` of the front doors equal a Python loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import arrayconv
from arrayconv import kernels, ndimage, signal
from arrayconv._algorithms import ALGORITHMS
from arrayconv._arrays.namespace import compat_namespace

X, KERNEL, COUNT = (6, 9), (2, 3), 3
MAPPED = {"x": (0, None), "kernel": (None, 0), "both": (0, 0), "last": (2, 1)}  # the axis of x and the kernel, if any
NUMPY, TORCH = compat_namespace("numpy"), compat_namespace("torch")


def by(method):
    return lambda x, k, xp: arrayconv.convolve(x, k, "same", boundary=("wrap", "constant"), method=method)


ROWS = {  # calls of both operands
    **{f"method-{method}": by(method) for method in ALGORITHMS},
    "stride": lambda x, k, xp: arrayconv.correlate(x, k, "full", boundary="reflect", stride=2, dilation=(1, 2)),
    "lags-fill": lambda x, k, xp: arrayconv.correlate(x, k, lags=[(0, 2), 1], fill_value=1.5),
    "einconv": lambda x, k, xp: arrayconv.einconv("b h, o h -> b o h | h", x, k, padding="same", upsample=2),
    "einconv-sum": lambda x, k, xp: arrayconv.einconv("b h, o h -> h | h", x, k, padding="full"),
    "signal-convolve": lambda x, k, xp: signal.convolve(x, k, "same"),
    "signal-correlate-swapped": lambda x, k, xp: signal.correlate(k, x, "valid"),
    "signal-fftconvolve": lambda x, k, xp: signal.fftconvolve(x, k[:1, :], "full", axes=1),
    "signal-oaconvolve": lambda x, k, xp: signal.oaconvolve(x, k),
    "signal-convolve2d": lambda x, k, xp: signal.convolve2d(x, k, "full", "symm"),
    "signal-upfirdn": lambda x, k, xp: signal.upfirdn(k[0, :], x, 2, 3, mode="antireflect"),
    "ndimage-correlate": lambda x, k, xp: ndimage.correlate(x, k, mode="constant", cval=2, origin=(0, -1)),
}
FILTERS = {  # calls of x alone
    "list": lambda x, k, xp: arrayconv.convolve(x, [[1, 2.5], [0, -1]], "same"),
    "kernel": lambda x, k, xp: arrayconv.convolve(x, kernels.gaussian(0.5, xp=xp), "same"),
    "gaussian_filter": lambda x, k, xp: ndimage.gaussian_filter(x, (0.8, 0.5), order=(0, 1)),
    "uniform_filter": lambda x, k, xp: ndimage.uniform_filter(x, 3, output=xp.int32),
    "sobel": lambda x, k, xp: ndimage.sobel(x, 0, mode="wrap"),
    "laplace": lambda x, k, xp: ndimage.laplace(x),
    "magnitude": lambda x, k, xp: ndimage.gaussian_gradient_magnitude(x, 0.4),
}
CALLS = [(name, which) for name in ROWS for which in MAPPED] + [(name, "x") for name in FILTERS]
JAX = [
    ("method-direct", "kernel"), ("method-fft", "both"), ("method-overlap_save", "x"), ("lags-fill", "last"),
    ("einconv", "both"), ("signal-correlate-swapped", "both"), ("signal-upfirdn", "last"), ("list", "x"),
    ("gaussian_filter", "x"), ("uniform_filter", "x"), ("magnitude", "x"),
]  # fmt: skip


def operands(axes):
    """Return x and a kernel, with an axis of `COUNT` more where one is mapped."""
    random = np.random.default_rng(0)
    return [
        random.standard_normal(shape if axis is None else (*shape[:axis], COUNT, *shape[axis:]))
        for shape, axis in zip((X, KERNEL), axes, strict=True)
    ]


def looped(call, arrays, axes):
    """Return the results of one call per entry of the mapped axes, stacked."""
    parts = [
        [array if axis is None else np.take(array, number, axis) for array, axis in zip(arrays, axes, strict=True)]
        for number in range(COUNT)
    ]
    return np.stack([call(*pair, NUMPY) for pair in parts])


@pytest.mark.parametrize(("name", "which"), CALLS)
def test_torch_maps(name, which):
    call, axes = {**ROWS, **FILTERS}[name], MAPPED[which]
    arrays = operands(axes)
    y = torch.func.vmap(lambda x, k: call(x, k, TORCH), in_dims=axes)(*map(torch.asarray, arrays))
    np.testing.assert_allclose(y.numpy(), looped(call, arrays, axes), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "which"), JAX)
def test_jax_maps(name, which):
    call, axes = {**ROWS, **FILTERS}[name], MAPPED[which]
    arrays = operands(axes)
    y = jax.jit(jax.vmap(lambda x, k: call(x, k, jnp), in_axes=axes))(*map(jnp.asarray, arrays))
    np.testing.assert_allclose(y, looped(call, arrays, axes), rtol=1e-12, atol=1e-12)


def test_torch_maps_of_maps():
    x, k = np.random.default_rng(1).standard_normal((COUNT, *X)), np.random.default_rng(2).standard_normal((2, *KERNEL))
    pairs = torch.func.vmap(torch.func.vmap(arrayconv.convolve, (None, 0)), (0, None))(
        torch.asarray(x), torch.asarray(k)
    )
    expected = [[arrayconv.convolve(image, kernel) for kernel in k] for image in x]
    np.testing.assert_allclose(pairs.numpy(), expected, rtol=1e-12, atol=1e-12)
