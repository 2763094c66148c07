"""Programs that `jit.trace` and `make_fx` record of a plan: for the shapes at hand, and for no others.

A plan is made for one shape, so its sizes are constants of the program. Each tensor's sizes are checked there: one of
other sizes raises, where the sums would be of something else.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from arrayconv._runtime.torch_modes import is_jit_tracing, without_recording
from arrayconv._runtime.tracing import shape_of

_SIZES = (torch.Tensor.shape.__get__, torch.Tensor.size)  # pyright: ignore[reportAttributeAccessIssue]


class _Sizes(TorchFunctionMode):
    """Sizes as numbers, where `jit.trace` would make tensors of them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in _SIZES:
            return func(*args, **(kwargs or {}))
        with without_recording():
            return func(*args, **(kwargs or {}))


def call(function: Callable[..., Any], *tensors: Any) -> Any:
    """Call a function of tensors so that the program recorded of it can be run again."""
    with _Sizes() if is_jit_tracing() else nullcontext():
        return function(*map(_pinned, tensors))


def _pinned(tensor: Any) -> Any:
    for axis, size in enumerate(shape_of(tensor)):
        (tensor,) = torch.split_with_sizes(tensor, [size], axis)  # raises for another size, naming both
    return tensor
