"""Programs that `jit.trace` and `make_fx` record of a plan: for the shapes at hand, and for no others.

A plan is made for one shape, so its sizes are constants of the program. Each operand is asked for its sizes there: a
tensor of other ones raises, where the sums would be of something else.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from arrayconv._torch_modes import unrecorded
from arrayconv._tracing import shape_of
from arrayconv._xp import Operands

_SIZES = (torch.Tensor.shape.__get__, torch.Tensor.size)


class Sizes(TorchFunctionMode):
    """Sizes as numbers, where `jit.trace` would make tensors of them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in _SIZES:
            return func(*args, **(kwargs or {}))
        with unrecorded():
            return func(*args, **(kwargs or {}))


def pinned(found: Operands) -> Operands:
    """Return operands that are of these sizes whenever the program runs."""
    return found._replace(x=_pinned(found.x), kernel=_pinned(found.kernel))


def _pinned(tensor: Any) -> Any:
    for axis, size in enumerate(shape_of(tensor)):
        (tensor,) = torch.split_with_sizes(tensor, [size], axis)  # raises for another size, naming both
    return tensor
