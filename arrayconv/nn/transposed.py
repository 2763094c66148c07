"""Transposed convolutions over one, two and three axes, by torch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from arrayconv._nn import convolution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import Accuracy, ArrayLike, ArrayT, Method, NumPyLike, PerAxis

__all__ = ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


@overload
def conv_transpose1d(
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
def conv_transpose1d(
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
def conv_transpose1d(
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
    """Return a transposed convolution over one axis: (batch, out_channels, m), or unbatched.

    The transpose of `conv`, as its gradient with respect to the input is, with the output's size chosen by
    `output_padding`: ``(n - 1)*stride - 2*padding + dilation*(k - 1) + output_padding + 1`` per axis.

    Parameters
    ----------
    input : array, shape (batch, in_channels, length) or (in_channels, length)
        Integer, real or complex data of any supported library; nested lists become a NumPy array. A batch may have
        length 0.
    weight : array, shape (in_channels, out_channels / groups, k)
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
    array, shape (batch, out_channels, m)
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
    them. Differentiable where the library is. Source: `torch.nn.functional.conv_transpose1d`, by its signature,
    layout and numbers.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.conv_transpose1d([[1, 2, 3]], [[[1, 10]]], stride=2)
    array([[ 1, 10,  2, 20,  3, 30]])
    """
    options = 1, stride, padding, output_padding, groups, dilation, method, accuracy, dtype, max_workspace
    return convolution.transpose("conv_transpose1d", input, weight, bias, options)


@overload
def conv_transpose2d(
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
def conv_transpose2d(
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
def conv_transpose2d(
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
    """Return a transposed convolution over two axes: (batch, out_channels, height', width'), or unbatched.

    The transpose of `conv`, as its gradient with respect to the input is, with the output's size chosen by
    `output_padding`: ``(n - 1)*stride - 2*padding + dilation*(k - 1) + output_padding + 1`` per axis.

    Parameters
    ----------
    input : array, shape (batch, in_channels, height, width) or (in_channels, height, width)
        Integer, real or complex data of any supported library; nested lists become a NumPy array. A batch may have
        length 0.
    weight : array, shape (in_channels, out_channels / groups, k_1, k_2)
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
    array, shape (batch, out_channels, height', width')
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
    them. Differentiable where the library is. Source: `torch.nn.functional.conv_transpose2d`, by its signature,
    layout and numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.conv_transpose2d(np.ones((2, 3, 8, 8)), np.ones((3, 4, 2, 2)), stride=2).shape
    (2, 4, 16, 16)
    """
    options = 2, stride, padding, output_padding, groups, dilation, method, accuracy, dtype, max_workspace
    return convolution.transpose("conv_transpose2d", input, weight, bias, options)


@overload
def conv_transpose3d(
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
def conv_transpose3d(
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
def conv_transpose3d(
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
    """Return a transposed convolution over three axes: (batch, out_channels, depth', height', width'), or unbatched.

    The transpose of `conv`, as its gradient with respect to the input is, with the output's size chosen by
    `output_padding`: ``(n - 1)*stride - 2*padding + dilation*(k - 1) + output_padding + 1`` per axis.

    Parameters
    ----------
    input : array, shape (batch, in_channels, depth, height, width) or (in_channels, depth, height, width)
        Integer, real or complex data of any supported library; nested lists become a NumPy array. A batch may have
        length 0.
    weight : array, shape (in_channels, out_channels / groups, k_1, k_2, k_3)
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
    array, shape (batch, out_channels, depth', height', width')
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
    them. Differentiable where the library is. Source: `torch.nn.functional.conv_transpose3d`, by its signature,
    layout and numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.conv_transpose3d(np.ones((2, 3, 4, 4, 4)), np.ones((3, 4, 2, 2, 2)), stride=2).shape
    (2, 4, 8, 8, 8)
    """
    options = 3, stride, padding, output_padding, groups, dilation, method, accuracy, dtype, max_workspace
    return convolution.transpose("conv_transpose3d", input, weight, bias, options)
