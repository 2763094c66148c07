"""torch.nn.grad's functions under their own names: the gradients of a convolution as calls of their own.

For arrays without autograd, and for a gradient by itself. The input is extended by zeros. Gradients of complex
data are those of torch's autograd, which conjugates the other operand (torch's functions of these names refuse complex
data on the CPU). Beyond torch's, they take unbatched arrays, integers (exact, wrapping) and every `padding` of
`arrayconv.nn.conv`.

* `input`: the convolution's, for the weight's gradient.
* `weight`: the convolution's, for the input's gradient.
* `input_size`: shape of the input.
* `weight_size`: shape of the weight.
* `grad_output`: gradient of the output, of the output's shape.
* `stride`: the convolution's.
* `padding`: the convolution's.
* `dilation`: the convolution's.
* `groups`: the convolution's.

All raise ValueError where shapes or options contradict each other, and TypeError for operands of two libraries or
devices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arrayconv._nn import derivatives

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
]

PerAxis = int | Sequence[int]
Padding = str | int | Sequence[Any]


def conv1d_input(
    input_size: Sequence[int],
    weight: Any,
    grad_output: Any,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv1d` with respect to its input.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv1d_input((2, 4, 9), np.ones((6, 4, 3)), np.ones((2, 6, 4)), stride=2).shape
    (2, 4, 9)
    """
    geometry = 1, stride, padding, dilation, groups
    return derivatives.of_input("conv1d_input", input_size, weight, grad_output, geometry)


def conv1d_weight(
    input: Any,
    weight_size: Sequence[int],
    grad_output: Any,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv1d` with respect to its weight.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv1d_weight(np.ones((2, 4, 9)), (6, 4, 3), np.ones((2, 6, 4)), stride=2).shape
    (6, 4, 3)
    """
    geometry = 1, stride, padding, dilation, groups
    return derivatives.of_weight("conv1d_weight", input, weight_size, grad_output, geometry)


def conv2d_input(
    input_size: Sequence[int],
    weight: Any,
    grad_output: Any,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv2d` with respect to its input.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv2d_input((2, 4, 9, 9), np.ones((6, 4, 3, 3)), np.ones((2, 6, 4, 4)), stride=2).shape
    (2, 4, 9, 9)
    """
    geometry = 2, stride, padding, dilation, groups
    return derivatives.of_input("conv2d_input", input_size, weight, grad_output, geometry)


def conv2d_weight(
    input: Any,
    weight_size: Sequence[int],
    grad_output: Any,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv2d` with respect to its weight.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv2d_weight(np.ones((2, 4, 9, 9)), (6, 4, 3, 3), np.ones((2, 6, 4, 4)), stride=2).shape
    (6, 4, 3, 3)
    """
    geometry = 2, stride, padding, dilation, groups
    return derivatives.of_weight("conv2d_weight", input, weight_size, grad_output, geometry)


def conv3d_input(
    input_size: Sequence[int],
    weight: Any,
    grad_output: Any,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv3d` with respect to its input.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv3d_input((2, 4, 9, 9, 9), np.ones((6, 4, 3, 3, 3)), np.ones((2, 6, 4, 4, 4)), stride=2).shape
    (2, 4, 9, 9, 9)
    """
    geometry = 3, stride, padding, dilation, groups
    return derivatives.of_input("conv3d_input", input_size, weight, grad_output, geometry)


def conv3d_weight(
    input: Any,
    weight_size: Sequence[int],
    grad_output: Any,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Any:
    """Return the gradient of `conv3d` with respect to its weight.

    Examples
    --------
    >>> import numpy as np
    >>> from arrayconv import nn
    >>> nn.grad.conv3d_weight(np.ones((2, 4, 9, 9, 9)), (6, 4, 3, 3, 3), np.ones((2, 6, 4, 4, 4)), stride=2).shape
    (6, 4, 3, 3, 3)
    """
    geometry = 3, stride, padding, dilation, groups
    return derivatives.of_weight("conv3d_weight", input, weight_size, grad_output, geometry)
