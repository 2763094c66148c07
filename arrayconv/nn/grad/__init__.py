"""torch.nn.grad's functions under their own names: the gradients of a convolution as calls of their own.

For arrays without autograd, and for a gradient by itself. The input is extended by zeros. Gradients of complex
data are those of torch's autograd, which conjugates the other operand (torch's functions of these names refuse complex
data on the CPU). Beyond torch's, they take unbatched arrays, integers (exact, wrapping) and every `padding` of
`arrayconv.nn.conv`.

All raise ValueError where shapes or options contradict each other, and TypeError for operands of two libraries or
devices.
"""

from __future__ import annotations

from arrayconv.nn.grad.inputs import conv1d_input, conv2d_input, conv3d_input
from arrayconv.nn.grad.weights import conv1d_weight, conv2d_weight, conv3d_weight

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
]
