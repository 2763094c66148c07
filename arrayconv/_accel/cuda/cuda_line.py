"""A CUDA kernel for signals by any number of taps: blocks of samples and of taps in shared memory, sums in registers.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k - before]

Wins      one axis of about 8 to some thousand taps, few channels.
Cost      macs multiply-adds at about 60 % of the card's speed.
Memory    none.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.kernels import MAX_BLOCKS, bound, dense_refusal, method, nbytes, sum_bytes
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._algorithms import Bound, Context
from arrayconv._arrays.traits import Traits
from arrayconv._costs.gpu import kernel_ns
from arrayconv._problem.spec import Spec

_THREADS, _OUTPUTS = 128, 512  # of a block in each place
_PLACES = {4: 4, 8: 2}  # by bytes of a sum
_ENOUGH_BLOCKS = 1024  # as many as a large card runs at once: with fewer, a block has one place
_EFFICIENCY = 60  # percent of the card's multiply-adds; a guess from the instructions of the compiled kernel


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = dense_refusal(spec, traits, 1)
    if reason is None and len(spec.axes) != 1:
        return f"it supports one convolved axis. Got {len(spec.axes)}"
    return reason


def _places(spec: Spec, width: int) -> int:
    blocks = -(-spec.axes[0].outputs // (_PLACES[width] * _OUTPUTS)) * _images(spec)
    return _PLACES[width] if blocks >= _ENOUGH_BLOCKS else 1


def _images(spec: Spec) -> int:
    return spec.batch * spec.groups * spec.filters


def _cost(spec: Spec, traits: Traits) -> int:
    (axis,) = spec.axes
    block = _places(spec, sum_bytes(traits)) * _OUTPUTS
    outputs = -(-axis.outputs // block) * block * _images(spec)  # with those that no thread writes
    padded = outputs * spec.channels * (-(-axis.taps // 4) * 4)  # four taps at a time
    return kernel_ns(nbytes(spec, traits), padded, traits.accumulator, _EFFICIENCY, traits.card)


def _bind(spec: Spec, context: Context) -> Bound:
    places = _places(spec, sum_bytes(context.traits))

    def kernel(types: job.Types, x: job.Steps, y: job.Steps) -> Kernel:
        return Kernel("line", job.options(types, PLACES=places))

    blocks = -(-spec.axes[0].outputs // (places * _OUTPUTS))
    return bound(spec, context, Grid((blocks, 1, min(_images(spec), MAX_BLOCKS)), (_THREADS, 1, 1)), kernel)


cuda_line = method("cuda_line", _why_not, _cost, _bind)
