"""torch's own convolution, for tensors and, where the caller has imported torch, for NumPy arrays over the same memory.

    y = conv(x as (batch, groups * channels, *n), w as (groups * filters, channels, *k), stride, padding, dilation)

An upsampled problem is torch's transposed convolution, where that supports it.

Wins      many channels, where oneDNN's blocked kernels come near the processor's peak; small calls on tensors.
Cost      macs multiply-adds; per output where too few channels fill a vector.
Memory    the extra outputs of equal padding on both sides; in float64 every window of x as a column, in batches of
          16 MiB where all columns take more than 32.
Accuracy  componentwise. Zero padding costs nothing.
"""

from __future__ import annotations

import sys
from math import prod
from typing import Any

from arrayconv._accel.torch.calls import Call, applied, call, is_transposed, uncropped_size, zero_padded_call
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation, per_call
from arrayconv._arrays.failures import unavailable
from arrayconv._arrays.namespace import compat_namespace
from arrayconv._arrays.tensors import LIBRARY, tensor
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, THREADS, method_cost
from arrayconv._ops.contain import by_one_pass
from arrayconv._ops.windows import reversed_taps
from arrayconv._problem.spec import Spec
from arrayconv._runtime.tracing import planning

_BACKENDS = ("torch", "numpy")
_MAX_AXES = 3
_HANDOVER_NS = 30_000  # to pass NumPy arrays to torch
_MAX_TAPS = 1 << 10  # of one channel, above which torch has no special kernel
_MAX_CHANNEL_TAPS = 1 << 8  # the same of several channels: the gradient of a kernel has as many taps as y outputs
_UNFIT = 16  # times longer that a multiply-add takes then
_FILTERS = 16  # of a block of oneDNN's; fewer per group leave lanes empty
_MAX_SMALL = 20_480  # samples of one image, over its first two axes, from which torch calls oneDNN in any case
_MAX_SMALL_TAPS = 3  # of an axis, above which it does too
_THREADED = 10**8  # picoseconds of work from which threads gain
_GAIN = 0.9  # of a thread after the first, in speed
_MAX_COLUMNS = 1 << 25  # bytes: above it the C library requests new memory from the system in every call
_COLUMNS = 1 << 24  # bytes of the columns of a batch, where all columns take more than that


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if traits.backend not in _BACKENDS:
        return "it supports torch tensors and NumPy arrays"
    reason = unavailable(LIBRARY, traits.backend, traits)
    if reason is not None:
        return reason
    if traits.device != "cpu":
        return f"it supports the CPU, where products have full precision. Got device {traits.device}"
    if traits.accumulator not in ("float32", "float64"):
        return f"it sums in float32 or float64. Got {traits.accumulator}"
    if not 1 <= len(spec.axes) <= _MAX_AXES:
        return f"it supports one to {_MAX_AXES} convolved axes. Got {len(spec.axes)}"
    return None


def _kind(spec: Spec, traits: Traits) -> str:
    """Return the row of the cost table: torch's kernel depends on the dtype and on the channels that fill a vector."""
    if traits.accumulator == "float64" or _is_small(spec):
        return "torch_conv-float64"
    if spec.channels == spec.filters == 1:
        return "torch_conv-depthwise" if spec.groups >= 8 else "torch_conv-single"
    return "torch_conv-channels"


def makes_columns(spec: Spec, traits: Traits) -> bool:
    """Whether torch copies windows to columns, rather than call oneDNN."""
    return _kind(spec, traits) == "torch_conv-float64"


def _is_small(spec: Spec) -> bool:
    """Whether torch copies windows to columns in float32 too, rather than call oneDNN."""
    if spec.batch > 1 or spec.groups > 1 or spec.channels * prod(spec.input_size[:2]) > _MAX_SMALL:
        return False
    return len(spec.axes) == 1 or min(spec.kernel_size[-2:]) <= _MAX_SMALL_TAPS


def _cost(spec: Spec, traits: Traits) -> int:
    """Return nanoseconds; torch's threads are taken to be as many as the call's."""
    measured, kind = method_cost(_kind(spec, traits)), _kind(spec, traits)
    call_ns = measured.call_ns + _HANDOVER_NS * (traits.library == "numpy")
    # In float64, and of small images, torch copies windows to columns, and then multiplies matrices.
    units = _columns(spec) if kind == "torch_conv-float64" else spec.outputs
    scratch = units // max(1, spec.groups) * traits.itemsize * (16 if kind == "torch_conv-single" else 1)
    slow = _slowdown(scratch * _batch_size(spec, traits) // max(1, spec.batch))
    unfit = _UNFIT if spec.taps > (_MAX_TAPS if kind == "torch_conv-single" else _MAX_CHANNEL_TAPS) else 1
    macs = spec.macs // prod(axis.upsample for axis in spec.axes)  # without the zeros between samples
    if kind == "torch_conv-channels":
        unfit *= 2 if spec.filters < _FILTERS else 1
        macs += macs // 2 if is_transposed(spec) else 0
    if kind == "torch_conv-float64" and (len(spec.axes) == 3 or is_transposed(spec)):
        units *= 2  # columns of volumes, and sums of columns
    work = macs * traits.itemsize * measured.cache_line_mac * unfit // LINE + units * measured.output * slow
    threads = traits.threads if traits.backend == "numpy" else THREADS
    threads = threads if work >= _THREADED else 1
    return call_ns + int(work / parallel.speedup(threads, _GAIN)) // 1000


def _slowdown(scratch: int) -> int:
    """Return how many times longer an element of scratch takes, once that is out of cache or newly allocated."""
    return 1 if scratch <= 1 << 23 else 3 if scratch <= 1 << 25 else 12


def _columns(spec: Spec) -> int:
    """Count the elements of all columns: of the windows of x, or of the outputs of a transposed convolution."""
    if is_transposed(spec):
        return prod((spec.batch, spec.groups, spec.filters, spec.taps, *spec.input_size))
    return prod((spec.batch, spec.groups, spec.terms, *uncropped_size(spec)))


def _batch_size(spec: Spec, traits: Traits) -> int:
    """Return how many images one call convolves: in float64 torch makes the columns of all at a time."""
    return _images_within(spec, traits, _MAX_COLUMNS, _COLUMNS)


def in_batches(spec: Spec, traits: Traits) -> bool:
    """Whether several calls convolve the images, some each."""
    return _batch_size(spec, traits) < spec.batch


@planning()
def _images_within(spec: Spec, traits: Traits, max_bytes: int, batch_bytes: int) -> int:
    """Return all images if their columns take at most `max_bytes`, else at least one, in at most `batch_bytes`."""
    columns = _columns(spec) * traits.itemsize
    if traits.accumulator != "float64" or columns <= max_bytes:
        return spec.batch
    return max(1, batch_bytes * spec.batch // columns)


def _workspace(spec: Spec, traits: Traits) -> int:
    result = prod((spec.batch, spec.groups, spec.filters, *uncropped_size(spec)))
    batch = _batch_size(spec, traits)
    columns = _columns(spec) * batch // max(1, spec.batch)
    if batch < spec.batch:
        result *= 2  # in batches, and joined
    if traits.accumulator != "float64":  # oneDNN stores channels in blocks of sixteen
        columns = prod(spec.input_shape) // max(1, spec.channels) * _in_blocks(spec.channels)
        columns += result // max(1, spec.filters) * _in_blocks(spec.filters)
    copies = prod(spec.input_shape) if traits.backend == "numpy" else 0  # of x, where it has negative strides
    return traits.itemsize * (result + columns + copies + 3 * prod(spec.kernel_shape)) + (1 << 16)


def _in_blocks(channels: int) -> int:
    return -(-channels // 16) * 16


def _prepare(kernel: Any, spec: Spec, context: Context) -> tuple[Call, Any, Any]:
    """Return the call, its weights, and a bias of 0, or NaN for filters with a non-finite tap; None if there is none.

    torch does not multiply the zeros beyond the ends, so such a tap would not contaminate the outputs at the border.
    """
    torch_call, weights = call(spec), _tensor(kernel, context)
    if torch_call.transposed:
        flipped: Any = reversed_taps(weights, compat_namespace("torch"))
        weights = flipped.transpose(1, 2)
    weights = weights.reshape(torch_call.w_shape).contiguous()  # torch sums in another order for others
    if not torch_call.reaches or (context.traits.readable and by_one_pass(weights, False, "torch")):
        return torch_call, weights, None
    if torch_call.transposed:
        return zero_padded_call(spec), weights, None
    return torch_call, weights, (weights * 0).sum(dim=tuple(range(1, weights.ndim)))


def _bind(spec: Spec, context: Context) -> Bound:
    batch, to_numpy = _batch_size(spec, context.traits), context.traits.backend == "numpy"
    cat, is_all = sys.modules["torch"].cat, call(spec).samples == tuple([slice(0, axis.size) for axis in spec.axes])

    def run(x: Any, prepared: tuple[Call, Any, Any], out: Any) -> Any:
        torch_call, weights, bias = prepared  # for pieces of as many images as of any other number
        x = _tensor(x, context)
        x = (x if is_all else x[(..., *torch_call.samples)]).reshape(spec.batch, *torch_call.x_shape[1:])
        if batch >= spec.batch:
            y = applied(torch_call, x, weights, bias)
        else:
            y = cat([applied(torch_call, images, weights, bias) for images in x.split(batch)])
        y = y.reshape(spec.output_shape)
        return y.numpy() if to_numpy else y

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
