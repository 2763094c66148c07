"""XLA's convolution, for JAX arrays: on CPUs, and on GPUs, where it has less accuracy.

    y = conv_general_dilated(x as (batch, groups * channels, *n), w as (groups * filters, channels, *k), ...)

Wins      many channels; XLA compiles it with the surrounding program.
Cost      macs multiply-adds, more for every output where there are few channels.
Memory    the compiler's choice.
Accuracy  on CPUs componentwise; on GPUs by norm, since the library that XLA calls there may transform. Zero padding
          and cropping cost nothing.
"""

from __future__ import annotations

import sys
from math import prod
from typing import Any

from arrayconv._algorithms import Algorithm, Context, Cuts, Preparation, per_call, per_piece
from arrayconv._arrays.failures import unavailable
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, method_cost
from arrayconv._costs.gpu import Work
from arrayconv._problem.spec import Axis, Spec

LIBRARY = "jax"
_GAIN = 0.9  # of a thread after the first, in speed
_SLOW = 6  # times longer that a multiply-add of nested loops takes
_MAX_AXES = 2
_MIN_CHANNELS = 32  # in float64, the larger of channels and filters
_FLOATS = ("float32", "float64")


def _cpu_why_not(spec: Spec, traits: Traits) -> str | None:
    reason = unavailable(LIBRARY, "jax", traits)
    if reason is None and traits.device != "cpu":
        reason = f"it supports arrays on CPUs, where XLA sums products. Got {traits.device}"
    return reason or _why_not(spec, traits)


def _gpu_why_not(spec: Spec, traits: Traits) -> str | None:
    reason = unavailable(LIBRARY, "jax", traits)
    if reason is None and not traits.on_gpu:
        reason = f"it supports arrays on GPUs. Got {traits.device}"
    return reason or _why_not(spec, traits)


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if traits.accumulator not in _FLOATS:
        return f"it sums in float32 or float64. Got {traits.accumulator}"
    return None if spec.axes else "there is no convolved axis"


def _cost(spec: Spec, traits: Traits) -> int:
    few = spec.channels * spec.filters == 1
    kind = "float64" if traits.accumulator == "float64" else "single" if few else "channels"
    measured = method_cost(f"xla_conv-{kind}")
    slow = 1 if few or _is_vectorized(spec, traits) else _SLOW
    work = spec.macs * traits.itemsize * measured.cache_line_mac * slow // LINE + spec.outputs * measured.output
    if any(axis.stride > 1 for axis in spec.axes):
        work += work // 2
    return measured.call_ns + int(work / parallel.speedup(traits.threads, _GAIN)) // 1000


def _work(spec: Spec, traits: Traits) -> Work:
    return Work(1, traits.itemsize * (prod(spec.input_shape) + spec.outputs), spec.macs)


def _is_vectorized(spec: Spec, traits: Traits) -> bool:
    """Whether XLA has a convolution for the problem that is quicker than nested loops."""
    if spec.groups > 1 or len(spec.axes) > _MAX_AXES:
        return False
    if traits.accumulator == "float32":
        return True
    plain = len(spec.axes) == _MAX_AXES and all(axis.dilation == 1 for axis in spec.axes)
    return plain and max(spec.channels, spec.filters) >= _MIN_CHANNELS


def _workspace(spec: Spec, traits: Traits) -> int:
    read = prod((spec.batch, spec.groups, spec.channels, *(sum(_padding(axis)) + axis.size for axis in spec.axes)))
    return traits.itemsize * (read + 2 * prod(spec.kernel_shape))


def _padding(axis: Axis) -> tuple[int, int]:
    """Return the zeros before and after; negative numbers crop samples."""
    lo, hi = axis.span(0, axis.outputs)
    return -lo, hi - axis.size


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    """Return weights (groups * filters, channels, *k)."""
    return context.xp.reshape(kernel, (spec.groups * spec.filters, spec.channels, *spec.kernel_size))


def _run(x: Any, weights: Any, spec: Spec, context: Context) -> Any:
    y = sys.modules["jax"].lax.conv_general_dilated(
        context.xp.reshape(x, (spec.batch, spec.groups * spec.channels, *spec.input_size)),
        weights,
        window_strides=tuple(axis.stride for axis in spec.axes),
        padding=tuple(_padding(axis) for axis in spec.axes),
        rhs_dilation=tuple(axis.dilation for axis in spec.axes),
        feature_group_count=spec.groups,
        precision="highest",
    )
    if any(axis.leaves_data for axis in spec.axes):
        y = y + _contamination(weights, context.xp)
    return context.xp.reshape(y, spec.output_shape)


def _contamination(weights: Any, xp: Any) -> Any:
    """Return NaN for filters with a tap that is not finite, 0 for others: beyond the ends a tap multiplies zeros."""
    filters = xp.sum(weights * 0, axis=tuple(range(1, weights.ndim)))  # XLA takes twice as long for two sums
    return xp.reshape(filters, (-1, *(1,) * (weights.ndim - 2)))


xla_conv = Algorithm(
    "xla_conv",
    _cpu_why_not,
    _cost,
    _workspace,
    Preparation(per_call(_prepare)),
    per_piece(_run),
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"zero"})),
)
xla_gpu_conv = Algorithm(
    "xla_gpu_conv",
    _gpu_why_not,
    _cost,
    _workspace,
    Preparation(per_call(_prepare)),
    per_piece(_run),
    accuracy="normwise",
    cuts=Cuts(extends=frozenset({"zero"})),
    spreads="overflow",  # of transforms; cuDNN's by Winograd and by FFT
    work=_work,
)
