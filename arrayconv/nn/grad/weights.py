"""Gradients with respect to the weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from arrayconv._nn import derivatives

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayLike, ArrayT, NumPyLike, Padding, PerAxis

__all__ = ["conv1d_weight", "conv2d_weight", "conv3d_weight"]


@overload
def conv1d_weight(
    input: NumPyLike,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> NDArray[Any]: ...
@overload
def conv1d_weight(
    input: ArrayT,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> ArrayT: ...
def conv1d_weight(
    input: Any,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv1d` with respect to its weight.

    Parameters
    ----------
    input : array, shape (batch, in_channels, n) or (in_channels, n)
        The convolution's input, of any supported library; nested lists become a NumPy array.
    weight_size : sequence of int
        Shape of the weight: (out_channels, in_channels / groups, k).
    grad_output : array, shape (batch, out_channels, m) or (out_channels, m)
        Gradient of the output, of the same library and device.
    stride : int or one per spatial axis
        The convolution's step between outputs.
    padding : {'valid', 'full', 'same', 'same_lower'}, int, one int or (before, after) pair per spatial axis
        Zeros that the convolution reads beyond the ends of its input. An int applies to both ends; a pair is nested,
        ``((1, 2),)``. 'valid' is 0, 'full' has an output wherever a tap multiplies a sample, 'same' gives
        ceil(n / stride) outputs, an odd pad after, by 'same_lower' before.
    dilation : int or one per spatial axis
        The convolution's distance between taps.
    groups : int
        The convolution's number of independent parts of the channels.

    Returns
    -------
    array, shape `weight_size`
        Of the library and device of the operands. Integers are exact and wrap.

    Raises
    ------
    ValueError
        If shapes or options contradict each other.
    TypeError
        If operands are of two libraries or devices, or of a dtype without a convolution (bool).

    Notes
    -----
    Planned as any convolution; costs about as much as the convolution itself. Complex data are conjugated as torch's
    autograd does. Source: `torch.nn.grad.conv1d_weight`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv1d_weight(np.ones((2, 4, 9)), (6, 4, 3), np.ones((2, 6, 4)), stride=2).shape
    (6, 4, 3)
    """
    geometry = 1, stride, padding, dilation, groups
    return derivatives.of_weight("conv1d_weight", input, weight_size, grad_output, geometry)


@overload
def conv2d_weight(
    input: NumPyLike,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> NDArray[Any]: ...
@overload
def conv2d_weight(
    input: ArrayT,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> ArrayT: ...
def conv2d_weight(
    input: Any,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv2d` with respect to its weight.

    Parameters
    ----------
    input : array, shape (batch, in_channels, n_1, n_2) or (in_channels, n_1, n_2)
        The convolution's input, of any supported library; nested lists become a NumPy array.
    weight_size : sequence of int
        Shape of the weight: (out_channels, in_channels / groups, k_1, k_2).
    grad_output : array, shape (batch, out_channels, m_1, m_2) or (out_channels, m_1, m_2)
        Gradient of the output, of the same library and device.
    stride : int or one per spatial axis
        The convolution's step between outputs.
    padding : {'valid', 'full', 'same', 'same_lower'}, int, one int or (before, after) pair per spatial axis
        Zeros that the convolution reads beyond the ends of its input. An int applies to both ends; pairs are nested,
        ``((1, 2), (0, 1))``. 'valid' is 0, 'full' has an output wherever a tap multiplies a sample, 'same' gives
        ceil(n / stride) outputs, an odd pad after, by 'same_lower' before.
    dilation : int or one per spatial axis
        The convolution's distance between taps.
    groups : int
        The convolution's number of independent parts of the channels.

    Returns
    -------
    array, shape `weight_size`
        Of the library and device of the operands. Integers are exact and wrap.

    Raises
    ------
    ValueError
        If shapes or options contradict each other.
    TypeError
        If operands are of two libraries or devices, or of a dtype without a convolution (bool).

    Notes
    -----
    Planned as any convolution; costs about as much as the convolution itself. Complex data are conjugated as torch's
    autograd does. Source: `torch.nn.grad.conv2d_weight`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv2d_weight(np.ones((2, 4, 9, 9)), (6, 4, 3, 3), np.ones((2, 6, 4, 4)), stride=2).shape
    (6, 4, 3, 3)
    """
    geometry = 2, stride, padding, dilation, groups
    return derivatives.of_weight("conv2d_weight", input, weight_size, grad_output, geometry)


@overload
def conv3d_weight(
    input: NumPyLike,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> NDArray[Any]: ...
@overload
def conv3d_weight(
    input: ArrayT,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> ArrayT: ...
def conv3d_weight(
    input: Any,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv3d` with respect to its weight.

    Parameters
    ----------
    input : array, shape (batch, in_channels, n_1, n_2, n_3) or (in_channels, n_1, n_2, n_3)
        The convolution's input, of any supported library; nested lists become a NumPy array.
    weight_size : sequence of int
        Shape of the weight: (out_channels, in_channels / groups, k_1, k_2, k_3).
    grad_output : array, shape (batch, out_channels, m_1, m_2, m_3) or (out_channels, m_1, m_2, m_3)
        Gradient of the output, of the same library and device.
    stride : int or one per spatial axis
        The convolution's step between outputs.
    padding : {'valid', 'full', 'same', 'same_lower'}, int, one int or (before, after) pair per spatial axis
        Zeros that the convolution reads beyond the ends of its input. An int applies to both ends; pairs are nested,
        ``((1, 2), (0, 1), (2, 2))``. 'valid' is 0, 'full' has an output wherever a tap multiplies a sample, 'same'
        gives ceil(n / stride) outputs, an odd pad after, by 'same_lower' before.
    dilation : int or one per spatial axis
        The convolution's distance between taps.
    groups : int
        The convolution's number of independent parts of the channels.

    Returns
    -------
    array, shape `weight_size`
        Of the library and device of the operands. Integers are exact and wrap.

    Raises
    ------
    ValueError
        If shapes or options contradict each other.
    TypeError
        If operands are of two libraries or devices, or of a dtype without a convolution (bool).

    Notes
    -----
    Planned as any convolution; costs about as much as the convolution itself. Complex data are conjugated as torch's
    autograd does. Source: `torch.nn.grad.conv3d_weight`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv3d_weight(np.ones((2, 4, 9, 9, 9)), (6, 4, 3, 3, 3), np.ones((2, 6, 4, 4, 4)), stride=2).shape
    (6, 4, 3, 3, 3)
    """
    geometry = 3, stride, padding, dilation, groups
    return derivatives.of_weight("conv3d_weight", input, weight_size, grad_output, geometry)
