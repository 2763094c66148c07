"""The kernel of a `Convolver`: validated, copied, and its values read once.

What the caller does to the array afterwards changes nothing, unless it needs autodiff (a gradient, a transform, a
tracer): then it is not copied, and nothing that is made of its values outlives a call.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv import _autodiff
from arrayconv._arrays import dtypes, host
from arrayconv._arrays.chunks import is_lazy
from arrayconv._arrays.dtype_names import checked_dtype_name, dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.libraries import is_immutable, is_known, library_row
from arrayconv._arrays.namespace import namespace_of, on_device
from arrayconv._kernels.separable import MAX_TERMS, Separation, long_axes, separated
from arrayconv._problem.positional import check_taps
from arrayconv._runtime.tracing import is_traced, shape_of

FUNCTION = "Convolver"
Shape = tuple[int, ...]
Rows = tuple[tuple[Any, ...], ...]  # for every term one factor per axis


class Separability(NamedTuple):
    """A kernel as a sum of products, as a hashable value."""

    shape: Shape
    separation: Separation | None
    reason: str = ""  # why it is run whole, where there is no separation
    from_factors: bool = False  # the factors are the caller's own


class Kernel(NamedTuple):
    """A kernel as every call reads it."""

    array: Any  # the kernel; of the caller's factors the first, for their library and dtype
    dtype: Any
    needs_autodiff: bool
    separability: Separability
    factors: Rows = ()  # arrays, where the caller gave them

    @property
    def shape(self) -> Shape:
        """Shape of the kernel."""
        return self.separability.shape


@float_errors_ignored
def parse_kernel(kernel: Any, separable: Any) -> Kernel:
    """Validate a kernel: an array of any library, or nested lists, which become arrays like each x."""
    library = identify(FUNCTION, "kernel", kernel)
    check_not_lazy("kernel", library)
    if library == "":
        kernel = host.array(FUNCTION, "kernel", kernel)
    array, needs_autodiff = owned(library or "numpy", np.asarray(kernel) if isinstance(kernel, np.generic) else kernel)
    checked_dtype_name(FUNCTION, "kernel", array.dtype)
    check_taps(FUNCTION, shape_of(array))
    separability = _separability(library, array, needs_autodiff, separable)
    return Kernel(array if library else array.tolist(), array.dtype, needs_autodiff, separability)


def check_not_lazy(argument: str, library: str) -> None:
    """Refuse a Dask array, whose values are not there yet."""
    if is_lazy(library):
        raise TypeError(
            f"{FUNCTION}: `{argument}` must have values, which are read once. Got a Dask array. Call .compute() on it "
            f"first."
        )


def _separability(library: str, array: Any, needs_autodiff: bool, separable: Any) -> Separability:
    """Return whether a kernel is a sum of products, from its values."""
    shape = shape_of(array)
    reason = _unfit(library, array, shape, needs_autodiff, separable)
    if reason:
        return Separability(shape, None, reason)
    eps = dtypes.eps(dtypes.accumulator(dtype_name(array.dtype)))
    repay = prod(shape) // sum(shape[axis] for axis in long_axes(shape))  # more terms than that never pay
    most = MAX_TERMS if separable is True else min(MAX_TERMS, repay)
    return Separability(shape, separated(host.copied(library, array), eps, most))


def _unfit(library: str, array: Any, shape: Shape, needs_autodiff: bool, separable: Any) -> str:
    """Return why a kernel's values are not read for a sum of products, '' where they are."""
    if separable is False:
        return "separable=False was given"
    if len(long_axes(shape)) < 2:
        return "fewer than two of its axes are longer than one tap"
    if needs_autodiff:
        return "it is traced, transformed or differentiated"
    return "" if is_readable(library, array) else "its values can't be read"


def is_readable(library: str, array: Any) -> bool:
    """Whether an array has values: torch's meta and fake tensors have none, nor has a graph that is yet to run."""
    if library == "torch":
        return not is_traced(library, array) and array.device.type != "meta"
    return is_known(type(array)) or host.readable(library, array)


def owned(library: str, array: Any) -> tuple[Any, bool]:
    """Return a copy of an array and False, or the array itself and True where it needs autodiff."""
    needs_autodiff = _autodiff.needs_autodiff(library, array)
    if needs_autodiff or is_immutable(library):
        return array, needs_autodiff
    xp, device = namespace_of(library, array), device_of(array)
    with on_device(xp, device):
        copy = xp.asarray(array, copy=True, device=device)
        library_row(library).wait(copy)  # calls may run in other streams
    return copy, False
