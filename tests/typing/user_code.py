"""What users write, with the types that a checker must infer. `make check` runs pyright and mypy on it, strictly."""

from typing import Any, assert_type

import jax
import jax.numpy as jnp
import numpy as np
import torch
from numpy.typing import NDArray

import arrayconv
from arrayconv import astronomy, kernels, ndimage, nn, signal
from arrayconv.typing import Array, Boundary, Method
from arrayconv.vjp import Pullback

image: NDArray[np.float32] = np.ones((8, 8), dtype=np.float32)
tensor = torch.ones(8, 8)
nested = [[1, 2], [3, 4]]

# NumPy in: NumPy out, of a dtype that the checker does not know. Lists and numbers are NumPy's too.
assert_type(arrayconv.convolve(image, nested), NDArray[Any])
assert_type(arrayconv.convolve(nested, image, "same", boundary="reflect"), NDArray[Any])
assert_type(arrayconv.convolve([1, 2.5, 3j], (1, 2), method="direct"), NDArray[Any])
assert_type(arrayconv.correlate(image, image, lags=2), NDArray[Any])
assert_type(arrayconv.einconv("h w, h w -> h w | h w", image, nested), NDArray[Any])
assert_type(arrayconv.match_template(image, nested), NDArray[Any])
assert_type(signal.fftconvolve(image, image, mode="same"), NDArray[Any])
assert_type(signal.convolve2d(image, nested, boundary="symm"), NDArray[Any])
assert_type(signal.lfilter([1.0, 2.0], 1, [1.0, 2.0]), NDArray[Any])
assert_type(signal.upfirdn([1, 1], image, up=2, mode="edge"), NDArray[Any])
assert_type(ndimage.gaussian_filter(image, 1.0, mode="mirror"), NDArray[Any])
assert_type(ndimage.sobel(nested, mode=["wrap", "nearest"]), NDArray[Any])
assert_type(nn.conv2d(image[None], image[None, None], padding="same"), NDArray[Any])
assert_type(nn.grad.conv1d_weight(nested, (1, 2, 1), nested), NDArray[Any])
assert_type(astronomy.convolve(image, [[1, 1, 1]], boundary="extend"), NDArray[Any])

# Any other array in: the same type out.
assert_type(arrayconv.convolve(tensor, [[1, 2]]), torch.Tensor)
assert_type(arrayconv.correlate(tensor, tensor, "valid"), torch.Tensor)
assert_type(arrayconv.einconv("h w, h w -> h w | h w", tensor, tensor), torch.Tensor)
assert_type(signal.correlate(tensor, tensor), torch.Tensor)
assert_type(signal.sepfir2d(tensor, [1, 2, 1], [1]), torch.Tensor)
assert_type(ndimage.uniform_filter(tensor, 3), torch.Tensor)
assert_type(nn.conv_transpose2d(tensor[None], tensor[None, None]), torch.Tensor)
assert_type(nn.fold(tensor, (3,), (2,)), torch.Tensor)
assert_type(nn.grad.conv1d_input((1, 2, 3), tensor, tensor), torch.Tensor)
assert_type(arrayconv.convolve(tensor, [[1, 2]]).requires_grad, bool)
assert_type(arrayconv.convolve(jnp.ones((8, 8)), [[1, 2]]), jax.Array)
assert_type(ndimage.gaussian_filter(jnp.ones((8, 8)), 1.0), jax.Array)

# Results that are more than one array.
assert_type(arrayconv.normalized_convolve(image, nested), NDArray[Any])
assert_type(
    arrayconv.normalized_convolve(tensor, nested, return_weight=True),
    tuple[torch.Tensor, torch.Tensor],
)
assert_type(signal.lfilter([1.0, 2.0], 1, [1.0], zi=[0.0]), tuple[NDArray[Any], NDArray[Any]])
assert_type(arrayconv.lags(5, 2, "same"), NDArray[np.int64])
assert_type(arrayconv.lags((5, 6), (2, 3)), tuple[NDArray[np.int64], ...])
assert_type(signal.correlation_lags(5, 2), NDArray[np.int64])

# `vjp` takes its function's arguments; an integer has the gradient None, so without `wrt` a gradient may be anything.
result, pullback = arrayconv.vjp(arrayconv.convolve, image, image, "same", boundary="reflect")
assert_type(result, NDArray[Any])
assert_type(pullback, Pullback[NDArray[Any]])
dx, dkernel = pullback(result)
norm = float((dx * dx).sum())
assert_type(pullback(result, wrt=0), tuple[NDArray[Any], ...])
assert_type(pullback.shape, tuple[int, ...])
assert_type(arrayconv.vjp(arrayconv.correlate, tensor, tensor)[0], torch.Tensor)
assert_type(arrayconv.vjp(arrayconv.einconv, "h w, h w -> h w | h w", tensor, tensor)[1](tensor, 1)[0], torch.Tensor)
assert_type(arrayconv.vjp(nn.conv2d, image, image, image, padding="same")[0], NDArray[Any])
assert_type(arrayconv.vjp(arrayconv.Convolver(tensor), tensor)[0], torch.Tensor)

# One kernel, many arrays.
blur = arrayconv.Convolver([1, 2, 1], "same", boundary="edge", axes=0)
assert_type(blur(image), NDArray[Any])
assert_type(blur(tensor), torch.Tensor)
assert_type(blur.nbytes, int)

# Kernels are NumPy's arrays, unless another library is named.
taps: np.ndarray[Any, Any] = kernels.sobel()
k = kernels.gaussian(2.0)
assert_type(k, NDArray[Any])
smooth = k / k.sum()
on_torch: torch.Tensor = kernels.box(3, xp="torch")
assert_type(kernels.separate(tensor), list[tuple[torch.Tensor, ...]])

# Lines that a program has around its calls.
y = arrayconv.convolve(image, smooth, mode="same")
largest = float(y.max())
row = y[0] * 2 + taps[0, 0]
described = arrayconv.explain((100, 100), (5, 5))
name: str = str(described)


def edges(x: NDArray[np.float64], boundary: Boundary = "edge", method: Method = "auto") -> NDArray[Any]:
    """Pass options on."""
    return arrayconv.convolve(x, kernels.scharr(), "same", boundary=boundary, method=method)


def rows(x: Array) -> Array:
    """Take an array of any library."""
    return ndimage.gaussian_filter1d(x, 1.0)
