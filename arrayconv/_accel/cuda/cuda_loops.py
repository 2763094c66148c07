"""A CUDA kernel for any number of axes, strides, dilations, channels and layouts.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k - before]

Wins      one and three axes or more, strides, dilations, few channels, complex numbers, and kernels up to a few hundred
          taps where no other kernel supports the problem.
Cost      macs multiply-adds at a small share of the card's speed, since every tap and sample is read anew.
Memory    none.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from math import prod

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.kernels import bound, method, nbytes, refusal
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._algorithms import Bound, Context
from arrayconv._arrays.traits import Traits
from arrayconv._costs.gpu import kernel_ns
from arrayconv._problem.spec import Spec

_THREADS = 256
_LANES = 4  # outputs of a thread
_MAX_BLOCKS = 1 << 16  # more work is done by the same threads
_ENOUGH_THREADS = 1 << 15  # as many as keep a large card's arithmetic busy
_EFFICIENCY = 6  # percent of the card's multiply-adds; a guess


def _threads(spec: Spec) -> int:
    *lead, last = spec.output_shape
    return prod(lead) * -(-last // _LANES)


def _cost(spec: Spec, traits: Traits) -> int:
    idle = max(1, _ENOUGH_THREADS // max(1, _threads(spec)))  # few threads take as long as many
    return kernel_ns(nbytes(spec, traits), spec.macs * idle, traits.accumulator, _EFFICIENCY, traits.card)


def _bind(spec: Spec, context: Context) -> Bound:

    def kernel(types: job.Types, x: job.Steps, y: job.Steps) -> Kernel:
        return Kernel("loops", job.options(types, NAXES=len(spec.axes)))

    blocks = min(max(1, -(-_threads(spec) // _THREADS)), _MAX_BLOCKS)
    return bound(spec, context, Grid((blocks, 1, 1), (_THREADS, 1, 1)), kernel)


cuda_loops = method("cuda_loops", refusal, _cost, _bind)
