"""Support: which outputs have a sample under a tap that is not zero, by integers alone.

A rounded weight does not decide it. Where values can be read, and every weight exceeds the bound on its own error, each
is the sum of something; only if some weight does not are samples counted.
"""

from __future__ import annotations

from math import log2, prod, sqrt
from typing import Any

import numpy as np

from arrayconv import _autodiff
from arrayconv._arrays import host
from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import chunk_library, is_graph
from arrayconv._arrays.dtypes import eps, kind
from arrayconv._arrays.operands import Operands, operands
from arrayconv._calls import dry_run
from arrayconv._calls.binding import cached_call
from arrayconv._calls.prepare import Options
from arrayconv._missing import mask as masks
from arrayconv._missing.options import Problems, Request
from arrayconv._plan.rank import TABLE
from arrayconv._problem.spec import Spec


class Taps:
    """The taps of a kernel as numbers, where they may be read."""

    def __init__(self, values: Any, summed: tuple[int, ...]) -> None:
        wide = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)
        size = np.abs(wide)
        self.total = np.sum(wide, axis=summed)  # of each filter
        self.size = np.sum(size, axis=summed)
        self.norm = float(np.max(np.sqrt(np.sum(size * size, axis=summed)), initial=0))
        self.has_zero = bool(np.any(values == 0))
        self.terms = prod(values.shape[axis] for axis in summed)


def readable_taps(call: Operands, problems: Problems) -> Taps | None:
    """Return the taps of a call's kernel; None where their values can't be read without waiting, or need autodiff."""
    if dry_run.is_stand_in(call.kernel):
        return None
    if not call.traits.readable or is_graph(call.kernel) or _autodiff.needs_autodiff(call.traits.library, call.kernel):
        return None
    return Taps(host.copied(call.traits.library, call.kernel), problems.summed)


def check_sum(function: str, taps: Taps | None, output: str) -> None:
    """Raise ValueError for a kernel whose sum is zero but for rounding: nothing can be divided by it."""
    if taps is None:
        return
    limit = taps.terms * eps(output) * taps.size
    bad = np.abs(taps.total) <= limit
    if np.any(bad):
        total, size = np.ravel(taps.total[bad])[0], np.ravel(taps.size[bad])[0]
        raise ValueError(
            f"{function}: the taps of `kernel` must not sum to zero: their mean is undefined. Got a sum of {total:g}, "
            f"with magnitudes that sum to {size:g}. Use convolve on samples with gaps filled."
        )


def weight_error(spec: Spec, taps: Taps, method: str, dtype: str) -> float:
    """Return a bound on the rounding error of every weight that a method sums from ones and zeros."""
    scale = (4 if kind(dtype) == "complex" else 1) * eps(dtype)
    if TABLE[method].accuracy == "componentwise":
        return scale * (taps.terms + 2) * float(np.max(taps.size, initial=0))
    extended = prod(max(axis.span(0, axis.outputs)[1] + axis.before, axis.size) for axis in spec.axes)
    return scale * (taps.terms + 12 * log2(extended + 2) + 4) * sqrt(extended) * taps.norm


def is_certain(weight: Array, error: float, call: Operands) -> bool:
    """Whether every weight is larger than its error."""
    if not prod(weight.shape):
        return True
    return bool(call.xp.min(call.xp.abs(weight)) > error)


def counting(problems: Problems, request: Request) -> Options:
    """Return the options of the convolution that counts samples."""
    fill = int(problems.reads_fill)
    return request.choice._replace(fill_value=fill, method="auto", accuracy="normwise", max_workspace=None)


def counted(call: Operands, mask: Array | None, problems: Problems, request: Request, taps: Taps | None) -> Array:
    """Return which outputs have support: a number of samples other than zero under taps other than zero."""
    xp, name = call.xp, problems.counter
    dtype = getattr(xp, name)
    options = counting(problems, request)
    flags: Any = masks.numbers(mask, call.x, dtype, xp=xp)
    if taps is None or taps.has_zero or len(problems.by_axis) != len(problems.summed):
        kernel: Any = call.kernel
        nonzero = xp.astype(kernel != 0, dtype)
        return _convolved(request.function, flags, nonzero, problems.one, options) != 0
    _, own, device = chunk_library(request.function, "x", call.x)
    for problem in problems.by_axis:
        ones = own.ones((problem.spec.taps,), dtype=getattr(own, name), device=device)
        flags = xp.astype(_convolved(request.function, flags, ones, problem, options) != 0, dtype)
    return xp.broadcast_to(flags != 0, problems.one.shape)


def _convolved(function: str, x: Array, kernel: Array, problem: Any, options: Options) -> Any:
    admitted = operands(function, x, kernel)
    return cached_call(function, admitted, problem, options)(admitted.x, admitted.kernel)
