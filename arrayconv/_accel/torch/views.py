"""Functions of NumPy arrays applied to views of CPU tensors, and loops that run on the addresses of either."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from arrayconv._accel.native.in_place import address, contiguous_address
from arrayconv._arrays.tensors import LIBRARY, has_memory, memory


def on_numpy_views(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function (x, kernel, bias, out, constants) of NumPy arrays as a function of tensors.

    It returns None for a tensor without memory.
    """
    from_numpy = sys.modules[LIBRARY].from_numpy

    def run_on_views(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        if not (has_memory(x) and has_memory(kernel) and (bias is None or has_memory(bias))):
            return None
        bias = None if bias is None else memory(bias)
        y = run(memory(x), memory(kernel), bias, None if out is None else memory(out), constants)
        return y if y is None or out is not None else from_numpy(y)

    return run_on_views


def on_tensors_with_memory(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of tensors that returns None for a tensor without memory."""

    def run_with_memory(x: Any, kernel: Any, *others: Any) -> Any:
        return run(x, kernel, *others) if has_memory(x) and has_memory(kernel) else None

    return run_with_memory


def on_torchs_convolution(whole: Callable[..., Any], general: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls `whole`, torch's own convolution, or `general` where that returns None."""
    is_autocast_enabled = sys.modules[LIBRARY].is_autocast_enabled

    def run(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        if out is None and has_memory(x) and has_memory(kernel) and not is_autocast_enabled("cpu"):
            y = whole(x, kernel, bias)
            if y is not None:
                return y
        return general(x, kernel, bias, out, constants)

    return run


At = Callable[[int, int, int], None]  # a whole call at addresses of x, the kernel and y
Postprocess = Callable[[Any, Any], Any]  # (y, bias) -> y
Add = Callable[[int, int], None]  # the postprocess at addresses of y and of a bias of its dtype


def numpy_at_addresses(
    at: At, general: Callable[..., Any], shape: Any, dtype: Any, postprocess: Postprocess | None, add: Add | None = None
) -> Any:
    """Return a function of NumPy arrays that runs `at` their addresses, or `general` where one is not contiguous."""
    empty, misaligned = np.empty, dtype.alignment - 1
    addressof, from_buffer = ctypes.addressof, cast(Callable[[Any], Any], ctypes.c_char.from_buffer)

    def at_addresses(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        try:  # a quarter of the time of `contiguous_address`
            x_at, kernel_at = addressof(from_buffer(x)), addressof(from_buffer(kernel))
            if (x_at | kernel_at) & misaligned:
                return general(x, kernel, bias, out, constants)
        except (TypeError, ValueError):  # an array is read-only, empty or not contiguous
            x_at, kernel_at = contiguous_address(x), contiguous_address(kernel)
            if x_at is None or kernel_at is None:
                return general(x, kernel, bias, out, constants)
        if out is None:
            y = empty(shape, dtype)
            y_at = addressof(from_buffer(y)) if y.size else address(y)
            at(x_at, kernel_at, y_at)
            if postprocess is None:
                return y
            bias_at = contiguous_address(bias) if add is not None and bias.dtype == dtype else None
            if add is None or bias_at is None:
                return postprocess(y, bias)
            add(y_at, bias_at)
            return y
        out_at = contiguous_address(out)
        if out_at is None or not out.dtype.isnative:
            return general(x, kernel, bias, out, constants)
        at(x_at, kernel_at, out_at)
        return out

    return at_addresses


def tensors_at_addresses(
    at: At, general: Callable[..., Any], shape: Any, dtype: Any, postprocess: Postprocess | None, add: Add | None = None
) -> Any:
    """Return the same for tensors on the CPU; it returns None for a tensor without memory."""
    from_numpy, empty, maybe_conj = sys.modules[LIBRARY].from_numpy, np.empty, dtype.kind == "c"
    own_dtype = from_numpy(empty(0, dtype)).dtype

    def at_addresses(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        if not (x.is_contiguous() and kernel.is_contiguous()) or x.is_neg() or kernel.is_neg():
            return general(x, kernel, bias, out, constants)
        if out is not None and not out.is_contiguous():
            return general(x, kernel, bias, out, constants)
        if maybe_conj and (x.is_conj() or kernel.is_conj()):
            return general(x, kernel, bias, out, constants)
        try:
            x_at, kernel_at = x.data_ptr(), kernel.data_ptr()
        except RuntimeError:  # mapped by a vmap that torch's kernels do not support
            return None
        if not (x_at and kernel_at):  # zeros that torch has not written yet, or fake tensors
            return None
        if out is not None:
            at(x_at, kernel_at, out.data_ptr())
            return out
        y = empty(shape, dtype)
        if postprocess is None:
            y = from_numpy(y)  # takes less than half the time of torch.empty
            at(x_at, kernel_at, y.data_ptr())
            return y
        if bias is None:
            at(x_at, kernel_at, address(y))
            return from_numpy(postprocess(y, None))
        if not has_memory(bias):
            return None
        at(x_at, kernel_at, address(y))
        if add is None or bias.dtype is not own_dtype or not bias.is_contiguous() or bias.is_neg():
            return from_numpy(postprocess(y, memory(bias)))
        add(address(y), bias.data_ptr())
        return from_numpy(y)

    return at_addresses
