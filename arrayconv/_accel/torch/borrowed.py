"""Functions of NumPy arrays that meet tensors of the CPU, and loops that meet either at their addresses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from arrayconv._accel.native.in_place import address, place_of
from arrayconv._arrays.tensors import LIBRARY, has_memory, memory


def on_memory(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function (x, kernel, bias, out, constants) of NumPy arrays as one of tensors; None without memory."""
    from_numpy = sys.modules[LIBRARY].from_numpy

    def lent(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        if not (has_memory(x) and has_memory(kernel) and (bias is None or has_memory(bias))):
            return None
        bias = None if bias is None else memory(bias)
        y = run(memory(x), memory(kernel), bias, None if out is None else memory(out), constants)
        return y if y is None or out is not None else from_numpy(y)

    return lent


def where_written(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of tensors that leaves those alone, with None, whose elements are not in memory."""

    def written(x: Any, kernel: Any, *rest: Any) -> Any:
        return run(x, kernel, *rest) if has_memory(x) and has_memory(kernel) else None

    return written


At = Callable[[int, int, int], None]  # a whole call at addresses of x, the kernel and y
Postprocess = Callable[[Any, Any], Any]  # (y, bias) -> y


def on_addresses(at: At, general: Callable[..., Any], shape: Any, dtype: Any, postprocess: Postprocess | None) -> Any:
    """Return a function of NumPy arrays that computes at their addresses; `general` for those it can't read so."""
    empty = np.empty

    def at_addresses(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        x_at, kernel_at = place_of(x), place_of(kernel)
        if x_at is None or kernel_at is None:
            return general(x, kernel, bias, out, constants)
        if out is None:
            y = empty(shape, dtype)
            at(x_at, kernel_at, address(y))
            return y if postprocess is None else postprocess(y, bias)
        out_at = place_of(out)
        if out_at is None:
            return general(x, kernel, bias, out, constants)
        at(x_at, kernel_at, out_at)
        return out

    return at_addresses


def on_places(at: At, general: Callable[..., Any], shape: Any, dtype: Any, postprocess: Postprocess | None) -> Any:
    """Return the same of tensors on the CPU."""
    from_numpy, empty, maybe_conj = sys.modules[LIBRARY].from_numpy, np.empty, dtype.kind == "c"

    def at_places(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        if not (x.is_contiguous() and kernel.is_contiguous()) or x.is_neg() or kernel.is_neg():
            return general(x, kernel, bias, out, constants)
        if out is not None and not out.is_contiguous():
            return general(x, kernel, bias, out, constants)
        if maybe_conj and (x.is_conj() or kernel.is_conj()):
            return general(x, kernel, bias, out, constants)
        try:
            x_at, kernel_at = x.data_ptr(), kernel.data_ptr()
        except RuntimeError:  # mapped, by a vmap of which torch's kernels know nothing
            return None
        if not (x_at and kernel_at):  # of tensors that are zeros not written yet, or stand for others
            return None
        if out is not None:
            at(x_at, kernel_at, out.data_ptr())
            return out
        y = empty(shape, dtype)
        if postprocess is None:
            y = from_numpy(y)  # less than half of what torch.empty takes
            at(x_at, kernel_at, y.data_ptr())
            return y
        if bias is not None and not has_memory(bias):
            return None
        at(x_at, kernel_at, address(y))
        return from_numpy(postprocess(y, None if bias is None else memory(bias)))

    return at_places
