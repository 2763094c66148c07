"""Direct convolution: one shifted product per kernel tap, accumulated.

    y[b, g, o, p] = sum_k sum_c  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k]

Wins      few taps. It is the definition, so it supports everything and runs where others refuse.
Cost      macs = outputs * channels * taps: an elementwise pass per tap, or a matrix product with channels.
Memory    a window of x per tap (with channels) and two output-sized arrays, whatever the kernel size.
"""

from __future__ import annotations

from math import prod

from arrayconv._algorithms._base import (
    OBJECT_BYTES,
    Algorithm,
    Context,
    Cuts,
    Preparation,
    per_call,
    per_piece,
    product_ps,
)
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import permute_dims, reshape
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import primitive_costs
from arrayconv._costs.gpu import BATCHED_LAUNCHES, Work
from arrayconv._ops import windows
from arrayconv._problem.spec import Spec
from arrayconv._runtime.tracing import planning

_STRIDED = 3  # times longer that strided samples take to copy or to multiply
_MAX_TRACED = 1 << 8  # taps that a compiler unrolls: it runs more only where no other method can
_COMPILED_NS = 1_000_000  # to compile the operations of a tap beyond those


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return None


def _cost(spec: Spec, traits: Traits) -> int:
    compiled = spec.taps * _COMPILED_NS if traits.traced and spec.taps > _MAX_TRACED else 0
    return compiled + _run_cost(spec, traits)


def _run_cost(spec: Spec, traits: Traits) -> int:
    rate = primitive_costs(traits.row)
    out_bytes = spec.outputs * traits.itemsize
    strided = _STRIDED if any(axis.stride > 1 for axis in spec.axes) else 1
    if not _by_matmul(spec, traits):
        passes = 2 * spec.taps * spec.channels
        return rate.call_ns * passes + passes * out_bytes * rate.pass_byte * strided // 1000
    mac = product_ps(traits)
    window_bytes = out_bytes * spec.channels // spec.filters
    moved = spec.taps * (window_bytes * rate.copy_byte * strided + out_bytes * rate.pass_byte)
    return rate.call_ns * 3 * spec.taps + (spec.macs * mac + moved) // 1000


def _work(spec: Spec, traits: Traits) -> Work:
    if not _by_matmul(spec, traits):
        return Work(2 * spec.terms - 1, traits.itemsize * spec.outputs * (5 * spec.terms - 3))
    window = spec.outputs * spec.channels // spec.filters
    launches = 3 + BATCHED_LAUNCHES * (spec.batch * spec.groups > 1)
    return Work(spec.taps * launches, traits.itemsize * spec.taps * (3 * window + 4 * spec.outputs), spec.macs)


def _workspace(spec: Spec, traits: Traits) -> int:
    window = spec.channels * prod((spec.batch, spec.groups, *spec.output_size)) if _by_matmul(spec, traits) else 0
    return traits.itemsize * (window + 2 * spec.outputs + prod(spec.kernel_shape)) + OBJECT_BYTES * spec.terms


def _by_matmul(spec: Spec, traits: Traits) -> bool:
    """Whether to sum over channels by a matrix product: there are several, and the device supports it for the dtype."""
    return spec.channels > 1 and (traits.integer_matmul or not traits.exact)


def _prepare(kernel: Array, spec: Spec, context: Context) -> Array:
    """Return w with its taps as the first axis: (taps, G, O, C), or (taps * C, 1, G, O, 1, ...) for broadcasting."""
    xp, space = context.xp, range(windows.LEADING, kernel.ndim)
    if _by_matmul(spec, context.traits):
        return reshape(
            permute_dims(kernel, (*space, 0, 1, 2), xp=xp), (spec.taps, *kernel.shape[: windows.LEADING]), xp=xp
        )
    shape = (spec.terms, 1, spec.groups, spec.filters, *(1,) * len(spec.axes))
    return reshape(permute_dims(kernel, (*space, 2, 0, 1), xp=xp), shape, xp=xp)


def _run(x: Array, taps: Array, spec: Spec, context: Context) -> Array:
    return (_by_products if _by_matmul(spec, context.traits) else _by_passes)(x, taps, spec, context.xp)


def _by_passes(x: Array, taps: Array, spec: Spec, xp: Namespace) -> Array:
    """Return the sum of a product of every tap and channel with its window."""
    total, channels = None, spec.channels
    for number, place in enumerate(windows.windows(spec.axes)):
        window = x[place]  # (B, G, C, *out)
        for c in range(channels):
            part = window if channels == 1 else window[:, :, c : c + 1, ...]
            total = _added(total, taps[number * channels + c, ...] * part)
    assert total is not None
    return total


def _by_products(x: Array, taps: Array, spec: Spec, xp: Namespace) -> Array:
    """Return the sum of a matrix product of every tap with its window."""
    total, (window, outputs) = None, _shapes(spec)
    for number, place in enumerate(windows.windows(spec.axes)):
        total = _added(total, xp.matmul(taps[number, ...], reshape(x[place], window, xp=xp)))
    assert total is not None
    return reshape(total, outputs, xp=xp)


@planning()
def _shapes(spec: Spec) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shapes of a window as matrices and of the outputs."""
    return (spec.batch, spec.groups, spec.channels, prod(spec.output_size)), spec.output_shape


def _added(total: Array | None, term: Array) -> Array:
    if total is None:
        return term
    total += term
    return total


def _shares(spec: Spec, traits: Traits) -> bool:
    return not _by_matmul(spec, traits)


direct = Algorithm(
    "direct",
    _why_not,
    _cost,
    _workspace,
    Preparation(per_call(_prepare)),
    per_piece(_run),
    accuracy="componentwise",
    cuts=Cuts(slabs=True, shares=_shares, tile_bytes=1 << 21),
    work=_work,
)
