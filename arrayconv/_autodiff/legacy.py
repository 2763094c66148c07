"""torch's legacy vmap, which `is_grads_batched`, `vectorize` and gradcheck still use, as one call of `torch.func.vmap`.

The legacy vmap has batching rules for few operations, so a function of tensors that it maps is passed to the new one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_torch: Any = torch  # private names: torch has no public ones for this


def is_mapped(*tensors: Any) -> bool:
    """Whether one of the tensors is mapped."""
    return any(map(_torch._C._functorch.is_legacy_batchedtensor, tensors))


def mapped(function: Callable[..., Any], *tensors: Any) -> Any:
    """Call a function of tensors, some of them mapped; it returns a tensor, or a tuple of tensors and None."""
    level = _level()
    counts = [_count(tensor, level) for tensor in tensors]
    while not any(counts):  # mapped by an outer call only
        level -= 1
        counts = [_count(tensor, level) for tensor in tensors]
    batches = [
        _torch._remove_batch_dim(tensor, level, 0, 0) if n else tensor
        for tensor, n in zip(tensors, counts, strict=True)
    ]
    is_tensor: list[bool] = []

    def tensors_only(*arrays: Any) -> Any:
        y = function(*arrays)
        if torch.is_tensor(y):
            return y
        is_tensor[:] = [part is not None for part in y]
        return tuple([part for part in y if part is not None])

    y = torch.func.vmap(tensors_only, tuple([0 if n else None for n in counts]))(*batches)
    if torch.is_tensor(y):
        return _torch._add_batch_dim(y.contiguous(), 0, level)  # its rules require the mapped axis first in memory
    parts = iter(y)
    return tuple(
        [_torch._add_batch_dim(next(parts).contiguous(), 0, level) if present else None for present in is_tensor]
    )


def _level() -> int:
    level = _torch._C._vmapmode_increment_nesting() - 1
    _torch._C._vmapmode_decrement_nesting()
    return level


def _count(tensor: Any, level: int) -> int:
    """Return the length of a tensor's mapped axis at a level, 0 if it is not mapped there."""
    if not _torch._C._functorch.is_legacy_batchedtensor(tensor):
        return 0
    return _torch._remove_batch_dim(tensor, level, 0, 0).shape[0]  # a tensor of other levels is expanded to size 0
