"""A CUDA kernel for few outputs that each sum over many taps, such as the gradient of a kernel.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k - before]

Wins      gradients of kernels, and other calls with few outputs and a thousand taps or more; any axes, strides,
          dilations and complex numbers.
Cost      macs multiply-adds at a small share of the card's speed, and a launch more where the taps are cut into parts.
Memory    an array like y for each part of the taps.
Accuracy  componentwise: sums of parts, added in a fixed order; integers are exact and wrap.
"""

from __future__ import annotations

from math import prod
from typing import Any

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.kernels import MAX_BLOCKS, bound, method, nbytes, refusal
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._algorithms import Bound, Context
from arrayconv._arrays.traits import Traits
from arrayconv._costs.gpu import kernel_ns
from arrayconv._problem.spec import Spec

_THREADS, _LAGS = 128, 4  # outputs of a block
_SEGMENT = 2048  # taps of a row that a block sums at a time
_MIN_TERMS = 1024
_ENOUGH_BLOCKS = 1024  # as many as a large card runs at once
_EFFICIENCY = 10  # percent of the card's multiply-adds; a guess


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = refusal(spec, traits)
    if reason is None and spec.terms < _MIN_TERMS:
        return f"it sums {_MIN_TERMS} products or more into an output. Got {spec.terms}"
    return reason


def _blocks(spec: Spec) -> int:
    """Count the blocks of outputs."""
    *lead, last = spec.output_shape
    return prod(lead) * -(-last // _LAGS)


def _parts(spec: Spec) -> int:
    """Return the number of parts of the taps: as many as keep a card busy, of a segment at least."""
    segments = spec.channels * prod(spec.kernel_size[:-1]) * -(-spec.kernel_size[-1] // _SEGMENT)
    beside = _THREADS // _threads(spec)
    return max(1, min(-(-_ENOUGH_BLOCKS // _blocks(spec)), segments // beside))


def _threads(spec: Spec) -> int:
    """Return how many threads of a block sum one row of taps."""
    along = 1
    while along < _THREADS and along < spec.kernel_size[-1]:
        along *= 2
    return along


def _cost(spec: Spec, traits: Traits) -> int:
    macs = _blocks(spec) * _LAGS * spec.terms
    return kernel_ns(nbytes(spec, traits), macs, traits.accumulator, _EFFICIENCY, traits.card) + kernel_ns(
        0, 0, "float32", 1, traits.card
    )


def _workspace(spec: Spec, traits: Traits) -> int:
    parts = _parts(spec)
    return parts * spec.outputs * traits.itemsize if parts > 1 else 0


def _bind(spec: Spec, context: Context) -> Bound:
    xp, traits, parts = context.xp, context.traits, _parts(spec)

    def kernel(types: job.Types, x: job.Steps, y: job.Steps) -> Kernel:
        return Kernel("dots", job.options(types, NAXES=len(spec.axes), LAGS=_LAGS))

    along = _threads(spec)
    grid = Grid((parts, min(_blocks(spec), MAX_BLOCKS), 1), (along, _THREADS // along, 1))
    if parts == 1:
        return bound(spec, context, grid, kernel)
    sums = bound(spec, context._replace(traits=traits._replace(output=traits.accumulator)), grid, kernel)
    dtype, output = getattr(xp, traits.accumulator), getattr(xp, traits.output)

    def run(x: Any, factors: Any, out: Any) -> Any:
        each = xp.empty((parts, *spec.output_shape), dtype=dtype, device=context.device)
        sums.run(x, factors, each[0, ...])  # which the other parts follow in memory
        y = xp.astype(xp.sum(each, axis=0, dtype=dtype), output, copy=False)
        if out is None:
            return y
        out[...] = y
        return out

    return Bound(run)


cuda_dots = method("cuda_dots", _why_not, _cost, _bind, _workspace)
