"""NumPy's own convolution: one channel, one axis, no stride, no dilation; the least overhead of all methods.

    y = numpy.convolve(x, w reversed)[reach - 1 - before :][: outputs]

Wins      short one-dimensional NumPy arrays, where the package's compiled loops were not built.
Cost      outputs * taps multiply-adds, one dot product per output.
Memory    the full convolution, of which the outputs are a part.
Accuracy  componentwise; integers are exact and wrap. Zero padding costs nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation, per_call
from arrayconv._arrays.failures import unavailable
from arrayconv._arrays.traits import Traits
from arrayconv._arrays.zero_padding import zero_padded
from arrayconv._costs.cost_table import LINE, method_cost
from arrayconv._ops.contain import is_safe
from arrayconv._ops.windows import reversed_taps
from arrayconv._problem.spec import Axis, Spec

LIBRARY = "numpy"
_convolve: Any = np.convolve  # Any: type checkers are slow on its overloads
_HANDOVER_NS = 2000  # to view tensors as NumPy arrays and back, which loops that run on addresses do not need
_SHORT = 11  # taps up to which NumPy has special loops, without a dot product per output


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = unavailable(LIBRARY, "numpy", traits)
    if reason is not None:
        return reason
    if len(spec.axes) != 1 or spec.batch * spec.groups * spec.channels * spec.filters != 1:
        counts = (spec.batch, spec.groups, spec.channels, spec.filters)
        return (
            f"it supports one axis and one channel. Got {len(spec.axes)} axes and "
            f"(batch, groups, channels, filters) {counts}"
        )
    axis = spec.axes[0]
    if (axis.stride, axis.dilation) != (1, 1):
        return f"it supports stride 1 and dilation 1. Got stride {axis.stride}, dilation {axis.dilation}"
    return None


def _cost(spec: Spec, traits: Traits) -> int:
    kind = "integer" if traits.exact else "short" if spec.taps <= _SHORT else "float"
    measured = method_cost(f"numpy_convolve-{kind}")
    axis = spec.axes[0]
    outputs = axis.outputs if _is_valid(axis) else axis.size + axis.taps - 1  # all are computed, also discarded ones
    macs = axis.taps * (axis.outputs if _is_valid(axis) else axis.size)
    call_ns = measured.call_ns + _HANDOVER_NS * bool(traits.origin)
    return call_ns + (macs * traits.itemsize * measured.cache_line_mac // LINE + outputs * measured.output) // 1000


def _is_valid(axis: Axis) -> bool:
    return axis.before == 0 and axis.outputs == axis.size - axis.taps + 1


def _workspace(spec: Spec, traits: Traits) -> int:
    axis = spec.axes[0]
    return traits.itemsize * (2 * (axis.size + axis.taps) + axis.taps)


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    taps: Any = reversed_taps(kernel, np)
    return taps.reshape(-1)


def _bind(spec: Spec, context: Context) -> Bound:
    axis, shape = spec.axes[0], spec.output_shape
    first = axis.taps - 1 - axis.before
    outputs = slice(first, first + axis.outputs)

    def valid(x: Any, taps: Any, out: Any) -> Any:
        return _convolve(x.reshape(-1), taps, "valid").reshape(shape)

    def full(x: Any, taps: Any, out: Any) -> Any:
        return _full(x.reshape(-1), taps)[outputs].reshape(shape)

    return Bound(valid if _is_valid(axis) else full)


def _full(x: Any, taps: Any) -> Any:
    """Return the full convolution, with the zeros beyond x multiplied too: a NaN tap contaminates every output."""
    if taps.dtype.kind in "iu" or is_safe(taps, False, LIBRARY, xp=np):
        return _convolve(x, taps)
    ends = taps.size - 1
    extended = zero_padded(x, (x.size + 2 * ends,), (slice(ends, ends + x.size),), xp=np, device="cpu")
    return _convolve(extended, taps, "valid")


numpy_convolve = Algorithm(
    "numpy_convolve",
    _why_not,
    _cost,
    _workspace,
    Preparation(per_call(_prepare)),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"zero"})),
)
