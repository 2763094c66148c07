"""torch's first vmap, which `is_grads_batched`, `vectorize` and gradcheck still use: as one call of its second.

The first one has rules for few operations, so a function of tensors that it maps is handed to `torch.func.vmap`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_own: Any = torch  # which has no public names for it


def is_mapped(*tensors: Any) -> bool:
    """Whether one of the tensors is mapped."""
    return any(map(_own._C._functorch.is_legacy_batchedtensor, tensors))


def mapped(function: Callable[..., Any], *tensors: Any) -> Any:
    """Call a function of which some tensors are mapped; it returns a tensor, or a tuple of tensors and None."""
    level = _level()
    counts = [_count(tensor, level) for tensor in tensors]
    while not any(counts):  # mapped by an outer call alone
        level -= 1
        counts = [_count(tensor, level) for tensor in tensors]
    whole = [_own._remove_batch_dim(one, level, 0, 0) if n else one for one, n in zip(tensors, counts, strict=True)]
    some: list[bool] = []

    def found(*arrays: Any) -> Any:
        y = function(*arrays)
        if torch.is_tensor(y):
            return y
        some[:] = [part is not None for part in y]
        return tuple([part for part in y if part is not None])

    y = torch.func.vmap(found, tuple([0 if n else None for n in counts]))(*whole)
    if torch.is_tensor(y):
        return _own._add_batch_dim(y.contiguous(), 0, level)  # whose rules want the mapped axis first in memory
    parts = iter(y)
    return tuple([_own._add_batch_dim(next(parts).contiguous(), 0, level) if wanted else None for wanted in some])


def _level() -> int:
    level = _own._C._vmapmode_increment_nesting() - 1
    _own._C._vmapmode_decrement_nesting()
    return level


def _count(tensor: Any, level: int) -> int:
    """Return how many entries of a tensor are mapped at a level, 0 for none."""
    if not _own._C._functorch.is_legacy_batchedtensor(tensor):
        return 0
    return _own._remove_batch_dim(tensor, level, 0, 0).shape[0]  # 0: what a tensor of other levels is expanded to
