"""Convolutions over one, two and three axes, by torch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from arrayconv._nn import convolution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import Accuracy, ArrayLike, ArrayT, Boundaries, Method, NumPyLike, Padding, PerAxis

__all__ = ["conv1d", "conv2d", "conv3d"]


@overload
def conv1d(
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
def conv1d(
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
def conv1d(
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
    """Return a convolution over one axis: (batch, out_channels, m), or unbatched.

    ``y[b, o, p] = bias[o] + sum_c sum_k weight[o, c, k] * X[b, c, stride*p + dilation*k - before]``, where X is `input`
    extended by `boundary`, and c runs over the channels of o's group.

    Parameters
    ----------
    input : array, shape (batch, in_channels, length) or (in_channels, length)
        Integer, real or complex data of any supported library; nested lists become a NumPy array. A batch may have
        length 0.
    weight : array, shape (out_channels, in_channels / groups, k)
        Kernels, of the input's library and device. They are neither flipped nor conjugated.
    bias : array, shape (out_channels,), optional
        Added to every output of its channel. It never widens the result: of the result's dtype, as torch requires, or
        one that promotes to it.
    stride : int or one per spatial axis
        Step between outputs, in samples. A sequence of one entry applies to all axes.
    padding : {'valid', 'full', 'same', 'same_lower'}, int, one int or (before, after) pair per spatial axis
        Samples read beyond the ends. An int applies to both ends; pairs are nested, ``((1, 2),)``. 'valid' is 0, 'full'
        has an output wherever a tap multiplies a sample, 'same' gives ceil(n / stride) outputs as XLA does: torch's at
        stride 1, and with any stride. An odd pad goes after, by 'same_lower' before.
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
    array, shape (batch, out_channels, m)
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
    them. Differentiable where the library is. Source: `torch.nn.functional.conv1d`, by its signature, layout and
    numbers.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.conv1d([[1, 2, 3, 4, 5]], [[[1, 10]]], padding="same")
    array([[21, 32, 43, 54,  5]])
    """
    options = 1, stride, padding, dilation, groups, boundary, fill_value, method, accuracy, dtype, max_workspace
    return convolution.convolve("conv1d", input, weight, bias, options)


@overload
def conv2d(
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
def conv2d(
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
def conv2d(
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
    """Return a convolution over two axes: (batch, out_channels, height', width'), or unbatched.

    ``y[b, o, p] = bias[o] + sum_c sum_k weight[o, c, k] * X[b, c, stride*p + dilation*k - before]``, where X is `input`
    extended by `boundary`, and c runs over the channels of o's group.

    Parameters
    ----------
    input : array, shape (batch, in_channels, height, width) or (in_channels, height, width)
        Integer, real or complex data of any supported library; nested lists become a NumPy array. A batch may have
        length 0.
    weight : array, shape (out_channels, in_channels / groups, k_1, k_2)
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
    array, shape (batch, out_channels, height', width')
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
    them. Differentiable where the library is. Source: `torch.nn.functional.conv2d`, by its signature, layout and
    numbers.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.conv2d([[[1, 2], [3, 4]]], [[[[1, 10]]]], [5], boundary="wrap", padding="same")
    array([[[26, 17],
            [48, 39]]])
    """
    options = 2, stride, padding, dilation, groups, boundary, fill_value, method, accuracy, dtype, max_workspace
    return convolution.convolve("conv2d", input, weight, bias, options)


@overload
def conv3d(
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
def conv3d(
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
def conv3d(
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
    """Return a convolution over three axes: (batch, out_channels, depth', height', width'), or unbatched.

    ``y[b, o, p] = bias[o] + sum_c sum_k weight[o, c, k] * X[b, c, stride*p + dilation*k - before]``, where X is `input`
    extended by `boundary`, and c runs over the channels of o's group.

    Parameters
    ----------
    input : array, shape (batch, in_channels, depth, height, width) or (in_channels, depth, height, width)
        Integer, real or complex data of any supported library; nested lists become a NumPy array. A batch may have
        length 0.
    weight : array, shape (out_channels, in_channels / groups, k_1, k_2, k_3)
        Kernels, of the input's library and device. They are neither flipped nor conjugated.
    bias : array, shape (out_channels,), optional
        Added to every output of its channel. It never widens the result: of the result's dtype, as torch requires, or
        one that promotes to it.
    stride : int or one per spatial axis
        Step between outputs, in samples. A sequence of one entry applies to all axes.
    padding : {'valid', 'full', 'same', 'same_lower'}, int, one int or (before, after) pair per spatial axis
        Samples read beyond the ends. An int applies to both ends; pairs are nested, ``((1, 2), (0, 1), (0, 0))``.
        'valid' is 0, 'full' has an output wherever a tap multiplies a sample, 'same' gives ceil(n / stride) outputs as
        XLA does: torch's at stride 1, and with any stride. An odd pad goes after, by 'same_lower' before.
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
    array, shape (batch, out_channels, depth', height', width')
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
    them. Differentiable where the library is. Source: `torch.nn.functional.conv3d`, by its signature, layout and
    numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.conv3d(np.ones((2, 4, 8, 8, 8)), np.ones((6, 4, 3, 3, 3)), stride=2, padding=1).shape
    (2, 6, 4, 4, 4)
    """
    options = 3, stride, padding, dilation, groups, boundary, fill_value, method, accuracy, dtype, max_workspace
    return convolution.convolve("conv3d", input, weight, bias, options)
