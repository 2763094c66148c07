"""Matrix products whose results are scratch memory, with control over the threads that NumPy's BLAS starts."""

from __future__ import annotations

from typing import Any

import numpy as np

from arrayconv._arrays import scratch
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import is_numpy
from arrayconv._arrays.namespace import Namespace

_MAX_SERIAL_MACS = (1 << 19) - 1  # of one product that OpenBLAS, from 0.3 on, computes on one thread


def product(a: Any, b: Any, *, xp: Namespace, may_use_threads: bool = True) -> Array:
    """Return a matrix product in scratch memory; unless `may_use_threads`, BLAS starts no threads for it."""
    if not is_numpy(a) or a.ndim < 2:
        return xp.matmul(a, b)
    batch = a.shape[:-2] if b.ndim == 2 else np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    y = scratch.empty((*batch, a.shape[-2], b.shape[-1]), a.dtype)
    return np.matmul(a, b, out=y) if may_use_threads else product_of_rows(a, b, y)


def product_of_rows(a: Any, b: Any, y: Any) -> Any:
    """Write a product of NumPy arrays to y, so few rows at a time that OpenBLAS stays on this thread."""
    rows, inner = a.shape[-2:]
    block = max(1, _MAX_SERIAL_MACS // (inner * b.shape[-1])) if a.size and b.size else rows
    if rows <= block:
        return np.matmul(a, b, out=y)
    whole = rows - rows % block
    stack = (*a.shape[:-2], whole // block, block)
    target = y[..., :whole, :].reshape(*y.shape[:-2], whole // block, block, y.shape[-1])
    np.matmul(a[..., :whole, :].reshape(*stack, inner), b[..., None, :, :], out=target)
    if whole < rows:
        np.matmul(a[..., whole:, :], b, out=y[..., whole:, :])
    return y
