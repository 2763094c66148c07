"""Programs that `jit.trace` and `make_fx` record from a plan, valid for the recorded shapes only.

A plan is for one shape, so its sizes are constants of the program. The program checks the sizes of its tensors and
raises for others, for which its result would be wrong.
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
    """Sizes as ints, which `jit.trace` would turn into tensors."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in _SIZES:
            return func(*args, **(kwargs or {}))
        with without_recording():
            return func(*args, **(kwargs or {}))


def call(function: Callable[..., Any], *tensors: Any) -> Any:
    """Call a function of tensors so that torch can record it as a program that can be replayed."""
    with _Sizes() if is_jit_tracing() else nullcontext():
        return function(*map(_check_sizes, tensors))


def _check_sizes(tensor: Any) -> Any:
    for axis, size in enumerate(shape_of(tensor)):
        (tensor,) = torch.split_with_sizes(tensor, [size], axis)  # raises for another size, naming both
    return tensor
