"""torch's own convolution, for tensors and, where the caller has imported torch, for NumPy arrays over the same memory.

    y = conv(x as (batch, groups * channels, *n), w as (groups * filters, channels, *k), stride, padding, dilation)

An upsampled problem is torch's transposed convolution, where that has its outputs.

Wins      many channels, where oneDNN's blocked kernels come near the processor's peak; small calls on tensors.
Cost      macs multiply-adds; per output where there are few channels to fill a vector with.
Memory    the outputs that padding of equal width on both sides adds; in float64 every window of x as a column, of as
          many samples at a time as 16 MiB hold where those of all take more than 32.
Accuracy  componentwise. Zeros beyond the ends are free.
"""

from __future__ import annotations

import sys
from math import prod
from typing import Any

from arrayconv._accel.torch.calls import Call, applied, call, is_transposed, produced, surrounded
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation, per_call
from arrayconv._arrays.failures import unavailable
from arrayconv._arrays.namespace import compat_namespace
from arrayconv._arrays.tensors import LIBRARY, tensor
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import LINE, method_cost
from arrayconv._ops.contain import by_one_pass
from arrayconv._ops.windows import reversed_taps
from arrayconv._problem.spec import Spec
from arrayconv._runtime.tracing import planning

_SERVES = ("torch", "numpy")
_FORKED = (
    ", or this process was forked after torch was imported: torch's threads do not come along. Start workers by 'spawn'"
)
_MAX_AXES = 3
_HANDOVER_NS = 30_000  # what handing over NumPy arrays takes
_MAX_TAPS = 1 << 10  # of one channel, from which torch has no kernel of its own
_MAX_COLUMNS, _COLUMNS = 1 << 25, 1 << 24  # bytes: more is new memory in every call of the C library; of a few samples


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if traits.backend not in _SERVES:
        return "it serves torch tensors and NumPy arrays"
    reason = unavailable(LIBRARY, traits.backend, traits)
    if reason is not None:
        return f"{reason}{_FORKED}" if traits.backend == "numpy" else reason
    if traits.device != "cpu":
        return f"it serves the CPU, where products keep every digit. Got device {traits.device}"
    if traits.accumulator not in ("float32", "float64"):
        return f"it sums in float32 or float64. Got {traits.accumulator}"
    if not 1 <= len(spec.axes) <= _MAX_AXES:
        return f"it takes one to {_MAX_AXES} convolved axes. Got {len(spec.axes)}"
    return None


def _kind(spec: Spec, traits: Traits) -> str:
    """Return the row of the cost table: what torch runs depends on the dtype and on what fills a vector."""
    if traits.accumulator == "float64":
        return "torch_conv-float64"
    if spec.channels == spec.filters == 1:
        return "torch_conv-depthwise" if spec.groups >= 8 else "torch_conv-single"
    return "torch_conv-channels"


def _cost(spec: Spec, traits: Traits) -> int:
    measured, kind = method_cost(_kind(spec, traits)), _kind(spec, traits)
    call_ns = measured.call_ns + _HANDOVER_NS * (traits.library == "numpy")
    # In float64 windows are laid out as columns, and then multiplied.
    units = _columns(spec) if kind == "torch_conv-float64" else spec.outputs
    scratch = units // max(1, spec.groups) * traits.itemsize * (16 if kind == "torch_conv-single" else 1)
    slow = _slowdown(scratch * _together(spec, traits) // max(1, spec.batch))
    many = 16 if kind == "torch_conv-single" and spec.taps > _MAX_TAPS else 1
    macs = spec.macs // prod(axis.upsample for axis in spec.axes)  # no sample is a zero between two
    work = macs * traits.itemsize * measured.cache_line_mac * many // LINE + units * measured.output * slow
    return call_ns + work // 1000


def _slowdown(scratch: int) -> int:
    """Return how many times longer each element of scratch memory takes, once that leaves caches and is new memory."""
    return 1 if scratch <= 1 << 23 else 3 if scratch <= 1 << 25 else 12


def _columns(spec: Spec) -> int:
    """Count the elements of all windows as columns: of the result, whose sums are transposed, where it is upsampled."""
    if is_transposed(spec):
        return prod((spec.batch, spec.groups, spec.filters, spec.taps, *spec.input_size))
    return prod((spec.batch, spec.groups, spec.terms, *produced(spec)))


def _together(spec: Spec, traits: Traits) -> int:
    """Return how many samples are convolved in one call: in float64 torch unfolds all that it is given."""
    return _samples(spec, traits, _MAX_COLUMNS, _COLUMNS)


@planning()
def _samples(spec: Spec, traits: Traits, most: int, some: int) -> int:
    """Return the samples whose columns take `some` bytes, at least one; all where theirs take no more than `most`."""
    columns = _columns(spec) * traits.itemsize
    if traits.accumulator != "float64" or columns <= most:
        return spec.batch
    return max(1, some * spec.batch // columns)


def _workspace(spec: Spec, traits: Traits) -> int:
    widened = prod((spec.batch, spec.groups, spec.filters, *produced(spec)))
    together = _together(spec, traits)
    columns = _columns(spec) * together // max(1, spec.batch)
    if together < spec.batch:
        widened *= 2  # in pieces, and joined
    if traits.accumulator != "float64":  # channels are laid out by sixteens
        columns = prod(spec.input_shape) // max(1, spec.channels) * _filled(spec.channels)
        columns += widened // max(1, spec.filters) * _filled(spec.filters)
    copies = prod(spec.input_shape) if traits.backend == "numpy" else 0  # of x, where it runs backwards in memory
    return traits.itemsize * (widened + columns + copies + 3 * prod(spec.kernel_shape)) + (1 << 16)


def _filled(channels: int) -> int:
    return -(-channels // 16) * 16


def _prepare(kernel: Any, spec: Spec, context: Context) -> tuple[Call, Any, Any]:
    """Return the call, its weights, and zeros to add, NaN for filters that hold a bad tap, None where none has to.

    Zeros beyond the ends are left out of torch's sums, so such a tap would not meet them.
    """
    told, weights = call(spec), _tensor(kernel, context)
    if told.transposed:
        flipped: Any = reversed_taps(weights, compat_namespace("torch"))
        weights = flipped.transpose(1, 2)
    weights = weights.reshape(told.w_shape)
    if not told.reaches or (context.traits.readable and by_one_pass(weights, False, "torch")):
        return told, weights, None
    if told.transposed:
        return surrounded(spec), weights, None
    return told, weights, (weights * 0).sum(dim=tuple(range(1, weights.ndim)))


def _bind(spec: Spec, context: Context) -> Bound:
    batch, needs_full_precision = _together(spec, context.traits), context.traits.backend == "numpy"
    cat, is_all = sys.modules["torch"].cat, call(spec).held == tuple([slice(0, axis.size) for axis in spec.axes])

    def run(x: Any, prepared: tuple[Call, Any, Any], out: Any) -> Any:
        told, weights, bias = prepared
        x = _tensor(x, context)
        x = (x if is_all else x[(..., *told.held)]).reshape(told.x_shape)
        if batch >= spec.batch:
            y = applied(told, x, weights, bias)
        else:
            y = cat([applied(told, some, weights, bias) for some in x.split(batch)])
        y = y.reshape(told.y_shape)
        return y.numpy() if needs_full_precision else y

    return Bound(run)


def _tensor(array: Any, context: Context) -> Any:
    return array if context.traits.backend == "torch" else tensor(array)


torch_conv = Algorithm(
    "torch_conv",
    _why_not,
    _cost,
    _workspace,
    Preparation(per_call(_prepare)),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"zero"}), upsamples=is_transposed),
)
