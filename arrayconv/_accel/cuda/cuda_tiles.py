"""A CUDA kernel for kernels up to 32 x 32 on images and volumes: tiles of samples in shared memory, sums in registers.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k - before]

Wins      two axes of 5 to 32 taps (16 in float64 and int64) and no stride or dilation, other axes of any kind, few
          channels.
Cost      macs multiply-adds at about 65 % of the card's speed; sizes are no part of the source, so one compilation
          is for all of them.
Memory    none.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from math import prod

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.kernels import MAX_BLOCKS, bound, method, nbytes, planar_refusal, planes, sum_bytes
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._algorithms import Bound, Context
from arrayconv._arrays.traits import Traits
from arrayconv._costs.gpu import kernel_ns
from arrayconv._problem.spec import Spec

_WIDTH, _WARPS = 128, 4  # columns of a tile, and threads side by side in the other direction
_ROWS = {4: 8, 8: 4}  # outputs of a thread along the first axis, by bytes of a sum
_MAX_TAPS = {4: 32, 8: 16}
_EFFICIENCY = 65  # percent of the card's multiply-adds; a guess from the instructions of the compiled kernel


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = planar_refusal(spec, traits, _MAX_TAPS)
    if reason is not None:
        return reason
    tile = _WARPS * _ROWS[sum_bytes(traits)]
    if spec.axes[-2].outputs > tile * MAX_BLOCKS:
        return f"it supports up to {tile * MAX_BLOCKS} rows. Got {spec.axes[-2].outputs}"
    return None


def _blocks(spec: Spec, width: int) -> tuple[int, int]:
    rows, columns = spec.output_size[-2:]
    return -(-columns // _WIDTH), -(-rows // (_WARPS * _ROWS[width]))


def _cost(spec: Spec, traits: Traits) -> int:
    width = sum_bytes(traits)
    tiles = prod(_blocks(spec, width)) * planes(spec)
    outputs = tiles * _WIDTH * _WARPS * _ROWS[width]  # with those that no thread writes
    taps = spec.terms // spec.kernel_size[-1] * (-(-spec.kernel_size[-1] // 4) * 4)  # four taps at a time
    return kernel_ns(nbytes(spec, traits), outputs * taps, traits.accumulator, _EFFICIENCY, traits.card)


def _bind(spec: Spec, context: Context) -> Bound:
    width = sum_bytes(context.traits)
    sizes = {"NAXES": len(spec.axes), "ROWS": _ROWS[width]}
    sizes["MAX_TAPS"] = 16 if max(spec.kernel_size[-2:]) <= 16 else _MAX_TAPS[width]

    def kernel(types: job.Types, x: job.Steps, y: job.Steps) -> Kernel:
        return Kernel("tiles", job.options(types, **sizes))

    blocks = *_blocks(spec, width), min(planes(spec), MAX_BLOCKS)
    return bound(spec, context, Grid(blocks, (32, _WARPS, 1)), kernel)


cuda_tiles = method("cuda_tiles", _why_not, _cost, _bind)
