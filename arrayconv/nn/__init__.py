"""torch.nn.functional's convolutions under their own names, for arrays of any library: correlations, as in torch.

``from arrayconv import nn`` in place of ``import torch.nn.functional as F``: the same names, signatures, layouts and
numbers on NumPy, CuPy, PyTorch and JAX arrays; `nn.grad` has torch.nn.grad's, `nn.modules` torch.nn's layers.
Options of our own are keyword-only after torch's. These parameters mean the same in every function that has them:

* `input`: array (batch, channels, *size) or, unbatched, (channels, *size), of an integer, real or complex dtype;
  nested lists become a NumPy array. A batch may have length 0.
* `weight`: array (out_channels, in_channels / groups, *kernel_size), of a transposed convolution (in_channels,
  out_channels / groups, *kernel_size), of the input's library and device.
* `bias`: array (out_channels,) that is added, or None. It never widens the result: of the result's dtype, as torch
  requires, or one that promotes to it.
* `stride`: int or one per spatial axis, step between outputs; transposed: between the outputs of neighbouring samples.
* `dilation`: int or one per spatial axis, distance between taps. A sequence of one entry applies to all axes.
* `padding`: samples read beyond the ends (transposed: outputs left out at both ends). An int applies to both ends, also
  one per axis in a flat tuple, as in torch. Not transposed, also a (before, after) pair per axis, nested:
  ``((1, 2), (0, 1))``, ``((1, 2),)`` for one axis; or a name: 'valid' is 0, 'full' has an output wherever a tap
  multiplies a sample, 'same' gives ceil(n / stride) outputs as XLA does: torch's at stride 1, and with any stride. An
  odd pad goes after, by 'same_lower' before.
* `output_padding`: outputs added at the far end, int or one per axis; smaller than stride or dilation.
* `groups`: into how many independent convolutions the channels are split, in equal parts.
* `boundary`: how `input` is extended, by `numpy.pad`'s names, one or one per axis, at any width: 'constant', 'edge'
  (torch: replicate), 'symmetric', 'reflect', 'wrap' (torch: circular).
* `fill_value`: the constant of 'constant'.
* `method`: as in `arrayconv.convolve`.
* `accuracy`: as in `arrayconv.convolve`.
* `max_workspace`: as in `arrayconv.convolve`; a bias on torch or JAX takes one more array of the result's size, in
  half precision one of float32 on every library.
* `dtype`: widens accumulator and result, as in `arrayconv.convolve`. Without it like kinds promote, and an integer with
  a float takes the float's dtype.

Integers are exact and wrap, complex operands are not conjugated, on every library. All raise ValueError for shapes,
channels, groups and options that contradict each other, and TypeError for operands of two libraries or devices, for
dtypes without a convolution (bool), and for options that are no integers; nothing is computed before.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from arrayconv._nn import convolution, patches
from arrayconv.nn import grad as grad  # for `nn.grad` without an import of its own

if TYPE_CHECKING:  # editors and type checkers see it
    from arrayconv.nn import modules as modules

__all__ = [
    "conv",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "unfold",
]

PerAxis = int | Sequence[int]


def __getattr__(name: str) -> Any:
    if name == "modules":  # imports torch, so later
        return import_module("arrayconv.nn.modules")
    raise AttributeError(f"module 'arrayconv.nn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "grad", "modules", *(name for name in globals() if name.startswith("__"))])


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: PerAxis = 1,
    padding: str | int | Sequence[Any] = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    boundary: str | Sequence[str] = "constant",
    fill_value: complex = 0,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Return a convolution over one axis: (batch, out_channels, m), or unbatched.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.conv1d([[1, 2, 3, 4, 5]], [[[1, 10]]], padding="same")
    array([[21, 32, 43, 54,  5]])
    """
    options = 1, stride, padding, dilation, groups, boundary, fill_value, method, accuracy, dtype, max_workspace
    return convolution.convolve("conv1d", input, weight, bias, options)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: PerAxis = 1,
    padding: str | int | Sequence[Any] = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    boundary: str | Sequence[str] = "constant",
    fill_value: complex = 0,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Return a convolution over two axes: (batch, out_channels, height', width'), or unbatched.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.conv2d([[[1, 2], [3, 4]]], [[[[1, 10]]]], [5], boundary="wrap", padding="same")
    array([[[26, 17],
            [48, 39]]])
    """
    options = 2, stride, padding, dilation, groups, boundary, fill_value, method, accuracy, dtype, max_workspace
    return convolution.convolve("conv2d", input, weight, bias, options)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: PerAxis = 1,
    padding: str | int | Sequence[Any] = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    boundary: str | Sequence[str] = "constant",
    fill_value: complex = 0,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Return a convolution over three axes: (batch, out_channels, depth', height', width'), or unbatched."""
    options = 3, stride, padding, dilation, groups, boundary, fill_value, method, accuracy, dtype, max_workspace
    return convolution.convolve("conv3d", input, weight, bias, options)


def conv(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: PerAxis = 1,
    padding: str | int | Sequence[Any] = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    boundary: str | Sequence[str] = "constant",
    fill_value: complex = 0,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Convolve over any number of spatial axes: as many as `weight` has beyond its first two.

    ``y[b, o, p] = bias[o] + sum_c sum_k weight[o, c, k] * X[b, c, stride*p + dilation*k - before]``, where X is `input`
    extended by `boundary`, and c runs over the channels of o's group.

    Returns
    -------
    array
        (batch, out_channels, *output_size), without the batch where `input` has none; of the input's library and
        device.

    Raises
    ------
    ValueError, TypeError
        As described at the head of `arrayconv.nn`, and where the padded axis is shorter than the kernel.
    NotImplementedError
        If `method` names one that can't run this, with the reason.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.conv(np.ones((2, 4, 8, 8, 8, 8)), np.ones((6, 2, 3, 3, 3, 3)), groups=2).shape
    (2, 6, 6, 6, 6, 6)
    """
    options = None, stride, padding, dilation, groups, boundary, fill_value, method, accuracy, dtype, max_workspace
    return convolution.convolve("conv", input, weight, bias, options)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Return a transposed convolution over one axis: (batch, out_channels, m), or unbatched."""
    options = 1, stride, padding, output_padding, groups, dilation, method, accuracy, dtype, max_workspace
    return convolution.transpose("conv_transpose1d", input, weight, bias, options)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Return a transposed convolution over two axes: (batch, out_channels, height', width'), or unbatched.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.conv_transpose2d(np.ones((2, 3, 8, 8)), np.ones((3, 4, 2, 2)), stride=2).shape
    (2, 4, 16, 16)
    """
    options = 2, stride, padding, output_padding, groups, dilation, method, accuracy, dtype, max_workspace
    return convolution.transpose("conv_transpose2d", input, weight, bias, options)


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Return a transposed convolution over three axes: (batch, out_channels, depth', height', width'), or unbatched."""
    options = 3, stride, padding, output_padding, groups, dilation, method, accuracy, dtype, max_workspace
    return convolution.transpose("conv_transpose3d", input, weight, bias, options)


def conv_transpose(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Convolve transposed, over as many spatial axes as `weight` has beyond its first two.

    The transpose of `conv`, as its gradient with respect to the input is, with the output's size chosen by
    `output_padding`: ``(n - 1)*stride - 2*padding + dilation*(k - 1) + output_padding + 1`` per axis.

    Returns
    -------
    array
        (batch, out_channels, *output_size), without the batch where `input` has none.

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As in `conv`, and where no output is left.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.conv_transpose([[1, 2, 3]], [[[1, 10]]], stride=2, output_padding=1)
    array([[ 1, 10,  2, 20,  3, 30,  0]])
    """
    options = None, stride, padding, output_padding, groups, dilation, method, accuracy, dtype, max_workspace
    return convolution.transpose("conv_transpose", input, weight, bias, options)


def unfold(input: Any, kernel_size: PerAxis, dilation: PerAxis = 1, padding: PerAxis = 0, stride: PerAxis = 1) -> Any:
    """Copy every window of an array into a column.

    Parameters
    ----------
    kernel_size : int or sequence of int
        Taps per spatial axis of `input`. An int means two axes, as in torch.
    dilation, padding, stride : int or one per axis
        As in `conv`; `padding` zeros are added at both ends.

    Returns
    -------
    array
        (batch, channels * taps, windows), or without the batch; windows in the order of the outputs of `conv`.

    Raises
    ------
    ValueError, TypeError
        If a window is longer than the padded axis, shapes or options are malformed, or the dtype is bool.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.unfold([[1, 2, 3, 4]], (2,))
    array([[1, 2, 3],
           [2, 3, 4]])
    """
    return patches.unfold("unfold", input, kernel_size, dilation, padding, stride)


def fold(
    input: Any,
    output_size: PerAxis,
    kernel_size: PerAxis,
    dilation: PerAxis = 1,
    padding: PerAxis = 0,
    stride: PerAxis = 1,
) -> Any:
    """Add columns up at the positions that `unfold` would copy them from: its adjoint.

    Parameters
    ----------
    input : array, shape (batch, channels * taps, windows) or (channels * taps, windows)
        Columns, of an integer, real or complex dtype.
    output_size : int or sequence of int
        Spatial size of the result.
    kernel_size, dilation, padding, stride : int or one per axis
        As in `unfold`. `kernel_size` or else `output_size` says how many axes there are; two where both are ints.

    Returns
    -------
    array
        (batch, channels, *output_size), or without the batch.

    Raises
    ------
    ValueError, TypeError
        As in `unfold`, and if `input` has not as many columns as there are windows.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.fold([[1, 2, 3], [2, 3, 4]], (4,), (2,))
    array([[1, 4, 6, 4]])
    """
    return patches.fold("fold", input, output_size, kernel_size, dilation, padding, stride)
