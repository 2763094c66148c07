"""A convolution and its transpose over any number of axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from arrayconv._nn import convolution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import Accuracy, ArrayLike, ArrayT, Boundaries, Method, NumPyLike, Padding, PerAxis

__all__ = ["conv", "conv_transpose"]


@overload
def conv(
    input: NumPyLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    boundary: Boundaries = "constant",
    fill_value: complex = 0,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> NDArray[Any]: ...
@overload
def conv(
    input: ArrayT,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    boundary: Boundaries = "constant",
    fill_value: complex = 0,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> ArrayT: ...
def conv(
    input: Any,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    boundary: Boundaries = "constant",
    fill_value: complex = 0,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Convolve over any number of spatial axes: as many as `weight` has beyond its first two.

    ``y[b, o, p] = bias[o] + sum_c sum_k weight[o, c, k] * X[b, c, stride*p + dilation*k - before]``, where X is `input`
    extended by `boundary`, and c runs over the channels of o's group.

    Parameters
    ----------
    input : array, shape (batch, in_channels, *size) or (in_channels, *size)
        Integer, real or complex data of any supported library; nested lists become a NumPy array. A batch may have
        length 0.
    weight : array, shape (out_channels, in_channels / groups, *kernel_size)
        Kernels, of the input's library and device. They are neither flipped nor conjugated.
    bias : array, shape (out_channels,), optional
        Added to every output of its channel. It never widens the result: of the result's dtype, as torch requires, or
        one that promotes to it.
    stride : int or one per spatial axis
        Step between outputs, in samples. A sequence of one entry applies to all axes.
    padding : {'valid', 'full', 'same', 'same_lower'}, int, one int or (before, after) pair per spatial axis
        Samples read beyond the ends. An int applies to both ends; pairs are nested, ``((1, 2), (0, 1))``. 'valid' is 0,
        'full' has an output wherever a tap multiplies a sample, 'same' gives ceil(n / stride) outputs as XLA does:
        torch's at stride 1, and with any stride. An odd pad goes after, by 'same_lower' before.
    dilation : int or one per spatial axis
        Distance between taps, in samples.
    groups : int
        Number of independent convolutions that the channels are split into, in equal parts.
    boundary : {'constant', 'edge', 'symmetric', 'reflect', 'wrap'}, or one per spatial axis
        How `input` is extended, by `numpy.pad`'s names and at any width. torch calls 'edge' replicate and 'wrap'
        circular.
    fill_value : number
        The constant of 'constant'.
    method : str
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    dtype : dtype, optional
        Wider dtype for the sums and the result. Without it like kinds promote, and an integer with a float takes the
        float's dtype.
    max_workspace : int, optional
        Bytes the call may allocate beyond its operands and result. A bias takes one more array of the result's size on
        torch and JAX, in half precision one of float32 on every library.

    Returns
    -------
    array, shape (batch, out_channels, *output_size)
        Without the batch where `input` has none; of the input's library and device. Integers are exact and wrap.

    Raises
    ------
    ValueError
        If shapes, channels, groups and options contradict each other, or the padded axis is shorter than the kernel.
    TypeError
        If operands are of two libraries or devices, or of a dtype without a convolution (bool), or an option is no
        integer.
    NotImplementedError
        If a forced `method` cannot run the problem (the text says why).

    Notes
    -----
    Takes k multiply-adds per output, input channel of its group and output channel, for k taps, or fewer by FFT;
    `arrayconv.explain` prints the choice. NaN and infinities contaminate only the outputs whose window contains
    them. Differentiable where the library is. Source: `torch.nn.functional`'s conv1d to 3d, for any number of axes.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.conv(np.ones((2, 4, 8, 8, 8, 8)), np.ones((6, 2, 3, 3, 3, 3)), groups=2).shape
    (2, 6, 6, 6, 6, 6)
    """
    options = None, stride, padding, dilation, groups, boundary, fill_value, method, accuracy, dtype, max_workspace
    return convolution.convolve("conv", input, weight, bias, options)


@overload
def conv_transpose(
    input: NumPyLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> NDArray[Any]: ...
@overload
def conv_transpose(
    input: ArrayT,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> ArrayT: ...
def conv_transpose(
    input: Any,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Convolve transposed, over as many spatial axes as `weight` has beyond its first two.

    The transpose of `conv`, as its gradient with respect to the input is, with the output's size chosen by
    `output_padding`: ``(n - 1)*stride - 2*padding + dilation*(k - 1) + output_padding + 1`` per axis.

    Parameters
    ----------
    input : array, shape (batch, in_channels, *size) or (in_channels, *size)
        Integer, real or complex data of any supported library; nested lists become a NumPy array. A batch may have
        length 0.
    weight : array, shape (in_channels, out_channels / groups, *kernel_size)
        Kernels, of the input's library and device. They are not conjugated.
    bias : array, shape (out_channels,), optional
        Added to every output of its channel. It never widens the result: of the result's dtype, as torch requires, or
        one that promotes to it.
    stride : int or one per spatial axis
        Step between the outputs of neighbouring samples. A sequence of one entry applies to all axes.
    padding : int or one per spatial axis
        Outputs left out at both ends.
    output_padding : int or one per spatial axis
        Outputs added at the far end; smaller than `stride` or `dilation`.
    groups : int
        Number of independent convolutions that the channels are split into, in equal parts.
    dilation : int or one per spatial axis
        Distance between taps, in outputs.
    method : str
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    dtype : dtype, optional
        Wider dtype for the sums and the result. Without it like kinds promote, and an integer with a float takes the
        float's dtype.
    max_workspace : int, optional
        Bytes the call may allocate beyond its operands and result. A bias takes one more array of the result's size on
        torch and JAX, in half precision one of float32 on every library.

    Returns
    -------
    array, shape (batch, out_channels, *output_size)
        Without the batch where `input` has none; of the input's library and device. Integers are exact and wrap.

    Raises
    ------
    ValueError
        If shapes, channels, groups and options contradict each other, or no output remains.
    TypeError
        If operands are of two libraries or devices, or of a dtype without a convolution (bool), or an option is no
        integer.
    NotImplementedError
        If a forced `method` cannot run the problem (the text says why).

    Notes
    -----
    Takes k multiply-adds per sample, input channel of a group and output channel, for k taps, or fewer by FFT;
    `arrayconv.explain` prints the choice. NaN and infinities contaminate only the outputs whose window contains
    them. Differentiable where the library is. Source: `torch.nn.functional`'s conv_transpose1d to 3d, for any
    number of axes.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.conv_transpose([[1, 2, 3]], [[[1, 10]]], stride=2, output_padding=1)
    array([[ 1, 10,  2, 20,  3, 30,  0]])
    """
    options = None, stride, padding, output_padding, groups, dilation, method, accuracy, dtype, max_workspace
    return convolution.transpose("conv_transpose", input, weight, bias, options)
