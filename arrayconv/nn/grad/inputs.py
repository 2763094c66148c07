"""Gradients with respect to the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from arrayconv._nn import derivatives

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayLike, ArrayT, NumPyLike, Padding, PerAxis

__all__ = ["conv1d_input", "conv2d_input", "conv3d_input"]


@overload
def conv1d_input(
    input_size: Sequence[int],
    weight: NumPyLike,
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> NDArray[Any]: ...
@overload
def conv1d_input(
    input_size: Sequence[int],
    weight: ArrayT,
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> ArrayT: ...
def conv1d_input(
    input_size: Sequence[int],
    weight: Any,
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv1d` with respect to its input.

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input: (batch, in_channels, n), or without the batch.
    weight : array, shape (out_channels, in_channels / groups, k)
        The convolution's weight, of any supported library; nested lists become a NumPy array.
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
    array, shape `input_size`
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
    autograd does. Source: `torch.nn.grad.conv1d_input`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv1d_input((2, 4, 9), np.ones((6, 4, 3)), np.ones((2, 6, 4)), stride=2).shape
    (2, 4, 9)
    """
    geometry = 1, stride, padding, dilation, groups
    return derivatives.of_input("conv1d_input", input_size, weight, grad_output, geometry)


@overload
def conv2d_input(
    input_size: Sequence[int],
    weight: NumPyLike,
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> NDArray[Any]: ...
@overload
def conv2d_input(
    input_size: Sequence[int],
    weight: ArrayT,
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> ArrayT: ...
def conv2d_input(
    input_size: Sequence[int],
    weight: Any,
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv2d` with respect to its input.

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input: (batch, in_channels, n_1, n_2), or without the batch.
    weight : array, shape (out_channels, in_channels / groups, k_1, k_2)
        The convolution's weight, of any supported library; nested lists become a NumPy array.
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
    array, shape `input_size`
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
    autograd does. Source: `torch.nn.grad.conv2d_input`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv2d_input((2, 4, 9, 9), np.ones((6, 4, 3, 3)), np.ones((2, 6, 4, 4)), stride=2).shape
    (2, 4, 9, 9)
    """
    geometry = 2, stride, padding, dilation, groups
    return derivatives.of_input("conv2d_input", input_size, weight, grad_output, geometry)


@overload
def conv3d_input(
    input_size: Sequence[int],
    weight: NumPyLike,
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> NDArray[Any]: ...
@overload
def conv3d_input(
    input_size: Sequence[int],
    weight: ArrayT,
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> ArrayT: ...
def conv3d_input(
    input_size: Sequence[int],
    weight: Any,
    grad_output: ArrayLike,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv3d` with respect to its input.

    Parameters
    ----------
    input_size : sequence of int
        Shape of the input: (batch, in_channels, n_1, n_2, n_3), or without the batch.
    weight : array, shape (out_channels, in_channels / groups, k_1, k_2, k_3)
        The convolution's weight, of any supported library; nested lists become a NumPy array.
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
    array, shape `input_size`
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
    autograd does. Source: `torch.nn.grad.conv3d_input`.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv3d_input((2, 4, 9, 9, 9), np.ones((6, 4, 3, 3, 3)), np.ones((2, 6, 4, 4, 4)), stride=2).shape
    (2, 4, 9, 9, 9)
    """
    geometry = 3, stride, padding, dilation, groups
    return derivatives.of_input("conv3d_input", input_size, weight, grad_output, geometry)
