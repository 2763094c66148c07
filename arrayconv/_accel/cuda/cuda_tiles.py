"""A CUDA kernel for kernels up to 32 x 32 on images: tiles of samples in shared memory, sums in registers.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k - before]

Wins      two axes of 5 to 32 taps (16 in float64 and int64), few channels.
Cost      macs multiply-adds at about 70 % of the card's speed; sizes are no part of the source, so one compilation
          is for all of them.
Memory    none.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.kernels import MAX_BLOCKS, bound, method, nbytes, planar_refusal, sum_bytes
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
    if spec.axes[0].outputs > tile * MAX_BLOCKS:
        return f"it supports up to {tile * MAX_BLOCKS} rows. Got {spec.axes[0].outputs}"
    return None


def _cost(spec: Spec, traits: Traits) -> int:
    padded = spec.macs // spec.axes[1].taps * (-(-spec.axes[1].taps // 4) * 4)  # four taps at a time
    return kernel_ns(nbytes(spec, traits), padded, traits.accumulator, _EFFICIENCY, traits.card)


def _bind(spec: Spec, context: Context) -> Bound:
    width = sum_bytes(context.traits)
    most = 16 if max(spec.kernel_size) <= 16 else _MAX_TAPS[width]
    kernel = Kernel("tiles", job.options(context.traits.accumulator, MAX_TAPS=most, ROWS=_ROWS[width]))
    rows, columns = spec.axes
    blocks = -(-columns.outputs // _WIDTH), -(-rows.outputs // (_WARPS * _ROWS[width]))
    images = min(spec.batch * spec.groups * spec.filters, MAX_BLOCKS)
    return bound(spec, context, Grid((*blocks, images), (32, _WARPS, 1)), lambda x, y: kernel)


cuda_tiles = method("cuda_tiles", _why_not, _cost, _bind)
