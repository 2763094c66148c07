"""torch's own convolution, for tensors and, where the caller has imported torch, for NumPy arrays over the same memory.

    y = conv(x as (batch, groups * channels, *n), w as (groups * filters, channels, *k), stride, padding, dilation)

Wins      many channels, where oneDNN's blocked kernels come near the processor's peak; small calls on tensors.
Cost      macs multiply-adds; per output where there are few channels to fill a vector with.
Memory    the outputs that padding of equal width on both sides adds; in float64 every window of x as a column.
Accuracy  componentwise. Zeros beyond the ends are free.
"""

from __future__ import annotations

import sys
from math import isfinite, prod
from typing import Any, NamedTuple

from arrayconv._accel._base import unavailable
from arrayconv._accel._borrowed import LIBRARY, tensor
from arrayconv._algorithms import Algorithm, Context, Shortcut
from arrayconv._boundary import Run
from arrayconv._cost_table import pace
from arrayconv._ops.windows import LEADING
from arrayconv._spec import Axis, Spec
from arrayconv._tracing import planning, record
from arrayconv._xp import Traits

_SERVES = ("torch", "numpy")
_MOST_AXES = 3
_LENDING_NS = 30_000  # what handing over NumPy arrays takes
_MOST_TAPS = 1 << 10  # of one channel, from which torch has no kernel of its own


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if traits.backend not in _SERVES:
        return "it serves torch tensors and NumPy arrays"
    reason = unavailable(LIBRARY, traits.backend, traits)
    if reason is not None:
        return reason
    if traits.device != "cpu":
        return f"it serves the CPU, where products keep every digit. Got device {traits.device}"
    if traits.accumulator not in ("float32", "float64"):
        return f"it sums in float32 or float64. Got {traits.accumulator}"
    if not 1 <= len(spec.axes) <= _MOST_AXES:
        return f"it takes one to {_MOST_AXES} convolved axes. Got {len(spec.axes)}"
    return None


def _kind(spec: Spec, traits: Traits) -> str:
    """Return the row of the cost table: what torch runs depends on the dtype and on what fills a vector."""
    if traits.accumulator == "float64":
        return "torch_conv-float64"
    if spec.channels == spec.filters == 1:
        return "torch_conv-depthwise" if spec.groups >= 8 else "torch_conv-single"
    return "torch_conv-channels"


def _cost(spec: Spec, traits: Traits) -> int:
    measured, kind = pace(_kind(spec, traits)), _kind(spec, traits)
    call_ns = measured.call_ns + _LENDING_NS * (traits.library == "numpy")
    units = spec.outputs
    if kind == "torch_conv-float64":  # windows are laid out as columns, and then multiplied
        units = spec.outputs // max(1, spec.filters) * spec.terms
    slow = _slowdown(units // max(1, spec.groups) * traits.itemsize * (16 if kind == "torch_conv-single" else 1))
    many = 16 if kind == "torch_conv-single" and spec.taps > _MOST_TAPS else 1
    work = spec.macs * traits.itemsize * measured.mac_byte * many + units * measured.output * slow
    return call_ns + work // 1000


def _slowdown(scratch: int) -> int:
    """Return how many times longer each element of scratch memory takes, once that leaves caches and is new memory."""
    return 1 if scratch <= 1 << 23 else 3 if scratch <= 1 << 25 else 12


def _workspace(spec: Spec, traits: Traits) -> int:
    widened = prod((spec.batch, spec.groups, spec.filters, *(_padding(axis)[2] for axis in spec.axes)))
    columns = 0
    if traits.accumulator == "float64":  # each window of x is laid out as a column
        columns = prod((spec.batch, spec.groups, spec.terms, *(_padding(axis)[2] for axis in spec.axes)))
    else:  # channels are laid out by sixteens
        columns = prod(spec.input_shape) // max(1, spec.channels) * _filled(spec.channels)
        columns += widened // max(1, spec.filters) * _filled(spec.filters)
    copies = prod(spec.input_shape) if traits.backend == "numpy" else 0  # of x, where it runs backwards in memory
    return traits.itemsize * (widened + columns + copies + 3 * prod(spec.kernel_shape)) + (1 << 16)


def _filled(channels: int) -> int:
    return -(-channels // 16) * 16


def _padding(axis: Axis) -> tuple[int, int, int]:
    """Return the padding of both ends, the outputs it adds before the first, and how many come out of it."""
    lo, hi = axis.span(0, axis.outputs)
    before, after = max(-lo, 0), max(hi - axis.size, 0)
    early = -(-max(after - before, 0) // axis.stride)
    padding = before + early * axis.stride
    size = _held(axis).stop - _held(axis).start
    return padding, early, (size + 2 * padding - axis.reach) // axis.stride + 1


def _held(axis: Axis) -> slice:
    """Return the samples that are read."""
    lo, hi = axis.span(0, axis.outputs)
    first = min(max(lo, 0), axis.size)
    return slice(first, max(min(hi, axis.size), first))


@record
class _Call(NamedTuple):
    """What torch's function is told, and what is kept of its result."""

    held: tuple[slice, ...]  # of x
    x_shape: tuple[int, ...]
    w_shape: tuple[int, ...]
    strides: tuple[int, ...]
    padding: tuple[int, ...]
    dilations: tuple[int, ...]
    kept: tuple[slice, ...]
    y_shape: tuple[int, ...]
    cuts: bool  # whether less than the result is kept


def _function(axes: int) -> Any:
    from torch.nn import functional  # imported by whoever made the arrays; no compiler follows sys.modules

    return (functional.conv1d, functional.conv2d, functional.conv3d)[axes - 1]


@planning()
def _call(spec: Spec) -> _Call:
    places, held = [_padding(axis) for axis in spec.axes], tuple(_held(axis) for axis in spec.axes)
    return _Call(
        held=held,
        x_shape=(spec.batch, spec.groups * spec.channels, *(cut.stop - cut.start for cut in held)),
        w_shape=(spec.groups * spec.filters, spec.channels, *spec.kernel_size),
        strides=tuple(axis.stride for axis in spec.axes),
        padding=tuple(padding for padding, _, _ in places),
        dilations=tuple(axis.dilation for axis in spec.axes),
        kept=tuple(slice(early, early + axis.outputs) for (_, early, _), axis in zip(places, spec.axes, strict=True)),
        y_shape=spec.output_shape,
        cuts=any(count != axis.outputs for (_, _, count), axis in zip(places, spec.axes, strict=True)),
    )


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    """Return weights (groups * filters, channels, *k), and zeros to add, NaN for filters that hold a bad tap.

    Zeros beyond the ends are left out of torch's sums, so such a tap would not meet them.
    """
    weights = _tensor(kernel, context).reshape(_call(spec).w_shape)
    return weights, (weights * 0).sum(dim=tuple(range(1, LEADING - 1 + len(spec.axes))))


def _run(x: Any, prepared: Any, spec: Spec, context: Context) -> Any:
    call, (weights, bias) = _call(spec), prepared
    x = _tensor(x, context)[(..., *call.held)].reshape(call.x_shape)
    y = _function(len(spec.axes))(x, weights, bias, call.strides, call.padding, call.dilations, spec.groups)
    y = (y[(..., *call.kept)].clone() if call.cuts else y).reshape(call.y_shape)  # a view would keep what is cut off
    return y.numpy() if context.traits.backend == "numpy" else y


def _tensor(array: Any, context: Context) -> Any:
    return array if context.traits.backend == "torch" else tensor(array)


def _shortcut(
    spec: Spec, step: Spec, source: tuple[tuple[Run, ...], ...], traits: Traits, fill: complex
) -> Shortcut | None:
    """Return torch's function on tensors that are read whole."""
    whole = source == tuple((Run(0, 1, axis.size),) for axis in spec.axes)
    if traits.library != "torch" or not whole or any(_held(axis) != slice(0, axis.size) for axis in step.axes):
        return None
    torch, call = sys.modules["torch"], _call(step)
    function, padded, shape = _function(len(step.axes)), any(call.padding), step.output_size
    turned = tuple(range(len(step.axes))) if spec.flip else ()

    def run(x: Any, kernel: Any) -> Any:
        if torch.is_autocast_enabled("cpu") or (padded and not isfinite(float(kernel.sum()))):
            return None  # the long way keeps all digits, and lets bad taps meet the zeros beyond the ends
        weights = (torch.flip(kernel, turned) if turned else kernel).reshape(call.w_shape)
        y = function(x.reshape(call.x_shape), weights, None, call.strides, call.padding, call.dilations)
        return (y[(..., *call.kept)].clone() if call.cuts else y).reshape(shape)

    return run


torch_conv = Algorithm(
    "torch_conv",
    _why_not,
    _cost,
    _workspace,
    _prepare,
    _run,
    accuracy="componentwise",
    extends=frozenset({"zero"}),
    shortcut=_shortcut,
    native=LIBRARY,
)
