"""XLA's convolution, for JAX arrays.

    y = conv_general_dilated(x as (batch, groups * channels, *n), w as (groups * filters, channels, *k), ...)

Wins      many channels; XLA compiles it with the surrounding program.
Cost      macs multiply-adds, more for every output where there are few channels.
Memory    the compiler's choice.
Accuracy  componentwise. Zero padding and cropping cost nothing.
"""

from __future__ import annotations

import sys
from math import prod
from typing import Any

from arrayconv._algorithms import Algorithm, Context, Cuts, Preparation, per_call, per_piece
from arrayconv._arrays.failures import unavailable
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import LINE, method_cost
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Axis, Spec

LIBRARY = "jax"
_FLOATS = ("float32", "float64")


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = unavailable(LIBRARY, "jax", traits)
    if reason is not None:
        return reason
    if traits.accumulator not in _FLOATS:
        return f"it sums in float32 or float64. Got {traits.accumulator}"
    return None if spec.axes else "there is no convolved axis"


def _cost(spec: Spec, traits: Traits) -> int:
    few = spec.channels * spec.filters == 1
    kind = "float64" if traits.accumulator == "float64" else "single" if few else "channels"
    measured = method_cost(f"xla_conv-{kind}")
    work = spec.macs * traits.itemsize * measured.cache_line_mac // LINE + spec.outputs * measured.output
    return measured.call_ns + work // 1000


def _workspace(spec: Spec, traits: Traits) -> int:
    read = prod((spec.batch, spec.groups, spec.channels, *(sum(_padding(axis)) + axis.size for axis in spec.axes)))
    return traits.itemsize * (read + 2 * prod(spec.kernel_shape))


def _padding(axis: Axis) -> tuple[int, int]:
    """Return the zeros before and after; negative numbers crop samples."""
    lo, hi = axis.span(0, axis.outputs)
    return -lo, hi - axis.size


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    """Return weights (groups * filters, channels, *k), all NaN in a filter with a non-finite tap."""
    nan_or_zero = context.xp.sum(kernel * 0, axis=tuple(range(2, LEADING + len(spec.axes))), keepdims=True)
    shape = (spec.groups * spec.filters, spec.channels, *spec.kernel_size)
    return context.xp.reshape(kernel + nan_or_zero, shape)


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
    return context.xp.reshape(y, spec.output_shape)


xla_conv = Algorithm(
    "xla_conv",
    _why_not,
    _cost,
    _workspace,
    Preparation(per_call(_prepare)),
    per_piece(_run),
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"zero"})),
)
