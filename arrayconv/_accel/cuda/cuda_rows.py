"""A CUDA kernel for small kernels on images: taps and rows of sums stay in registers.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k - before]

Wins      two axes of at most 9 taps, one channel in and any number of filters, groups and images.
Cost      one read and one write of memory up to about 7 x 7 taps, then the multiply-adds.
Memory    none.
Accuracy  componentwise: sums in the order of taps; integers are exact and wrap.
"""

from __future__ import annotations

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.kernels import MAX_BLOCKS, bound, method, nbytes, planar_refusal
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._algorithms import Bound, Context
from arrayconv._arrays.traits import Traits
from arrayconv._costs.gpu import kernel_ns
from arrayconv._problem.spec import Spec

_THREADS, _COLUMNS, _ROWS = 128, 4, 32  # a thread computes _ROWS x _COLUMNS outputs
_MAX_TAPS = {4: 9, 8: 5}  # by bytes of a sum: more do not fit the registers
_EFFICIENCY = 60  # percent of the card's multiply-adds; a guess from the instructions of the compiled kernel


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = planar_refusal(spec, traits, _MAX_TAPS)
    if reason is not None:
        return reason
    if spec.channels != 1:
        return f"it supports one channel per group. Got {spec.channels}"
    if spec.axes[0].outputs > _ROWS * MAX_BLOCKS:
        return f"it supports up to {_ROWS * MAX_BLOCKS} rows. Got {spec.axes[0].outputs}"
    return None


def _cost(spec: Spec, traits: Traits) -> int:
    return kernel_ns(nbytes(spec, traits), spec.macs, traits.accumulator, _EFFICIENCY, traits.card)


def _bind(spec: Spec, context: Context) -> Bound:
    rows, columns = spec.axes

    def kernel(x: job.Steps, y: job.Steps) -> Kernel:
        steps = {"X_STEP": 1 if x[-1] == 1 else "column.x", "Y_STEP": 1 if y[-1] == 1 else "column.y"}
        taps = {"KH": rows.taps, "KW": columns.taps, "ROWS": _ROWS}
        return Kernel("rows", job.options(context.traits.accumulator, **taps, **steps))

    blocks = -(-columns.outputs // (_THREADS * _COLUMNS)), -(-rows.outputs // _ROWS)
    images = min(spec.batch * spec.groups * spec.filters, MAX_BLOCKS)
    return bound(spec, context, Grid((*blocks, images), (_THREADS, 1, 1)), kernel)


cuda_rows = method("cuda_rows", _why_not, _cost, _bind)
