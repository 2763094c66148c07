"""The array libraries whose arrays the kernels read and write in place, one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from arrayconv._accel.cuda import launch as cupy_launch
from arrayconv._accel.cuda import torch_launch
from arrayconv._accel.cuda.launch import LIBRARY
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._arrays.failures import unavailable
from arrayconv._arrays.traits import Traits

Launch = Callable[[Kernel, Grid, Any, Any], None]  # (kernel, grid, struct with the addresses, device)


class Arrays(NamedTuple):
    """What differs between the arrays of two libraries in a launch."""

    why_not: Callable[[Traits], str | None]  # besides the library's name and the user's settings
    missing: Callable[[], str | None]  # which part of CUDA the process lacks
    resolved: Callable[[Any], Any]  # the array with its values in memory
    address: Callable[[Any], int]  # of its first element
    steps: Callable[[Any], tuple[int, ...]]  # elements between neighbours along each axis
    launch: Launch
    prepare: Callable[[Kernel, Any], None]  # compiles a kernel for a device


def _supported(*_: Any) -> None:
    return None


def _missing_for_torch() -> str | None:
    return torch_launch.missing()


def _itself(array: Any) -> Any:
    return array


def _cupy_address(array: Any) -> int:
    return array.data.ptr


def _cupy_steps(array: Any) -> tuple[int, ...]:
    return tuple([step // array.itemsize for step in array.strides])


def _resolved_tensor(tensor: Any) -> Any:
    """Return a tensor without lazy conjugation and negation, which its memory does not show."""
    return tensor.resolve_conj().resolve_neg()


def _tensor_address(tensor: Any) -> int:
    return tensor.data_ptr()


def _tensor_steps(tensor: Any) -> tuple[int, ...]:
    return tensor.stride()


ARRAYS = {
    "cupy": Arrays(
        _supported, _supported, _itself, _cupy_address, _cupy_steps, cupy_launch.launch, cupy_launch.prepare
    ),
    "torch": Arrays(
        torch_launch.why_not,
        _missing_for_torch,
        _resolved_tensor,
        _tensor_address,
        _tensor_steps,
        torch_launch.launch,
        torch_launch.prepare,
    ),
}


def refusal(traits: Traits) -> str | None:
    """Return why no kernel runs on such arrays, or None."""
    row = ARRAYS.get(traits.backend)
    if row is None:
        return "it supports CuPy arrays and torch tensors"
    return unavailable(LIBRARY, traits.backend, traits) or row.why_not(traits)
