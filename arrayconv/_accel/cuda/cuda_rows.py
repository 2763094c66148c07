"""A CUDA kernel for small kernels on images and volumes: taps and rows of sums stay in registers.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k - before]

Wins      two axes of at most 9 taps and no stride or dilation, with other axes and channels so few that all taps fit
          the registers: 9 x 9, or 3 x 3 x 3 of three channels; any number of filters, groups and images.
Cost      one read and one write of memory up to about 50 taps, then the multiply-adds.
Memory    none.
Accuracy  componentwise: sums row by row of each plane of taps; integers are exact and wrap.
"""

from __future__ import annotations

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.kernels import MAX_BLOCKS, bound, method, nbytes, planar_refusal, planes, sources, sum_bytes
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._algorithms import Bound, Context
from arrayconv._arrays.traits import Traits
from arrayconv._costs.gpu import kernel_ns
from arrayconv._problem.spec import Spec

_THREADS, _COLUMNS = 128, 4  # a thread computes some rows of four columns
_ROWS = (32, 16, 8)  # rows of a thread, the most that leave `_ENOUGH_BLOCKS`
_ENOUGH_BLOCKS = 1024  # as many as a large card runs at once
_MAX_TAPS = {4: 9, 8: 5}  # along each axis of a plane, by bytes of a sum
_MAX_TERMS = {4: 81, 8: 25}  # taps of a filter in all channels: more do not fit the registers
_EFFICIENCY = 60  # percent of the card's multiply-adds; a guess from the instructions of the compiled kernel


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = planar_refusal(spec, traits, _MAX_TAPS)
    if reason is not None:
        return reason
    most = _MAX_TERMS[sum_bytes(traits)]
    if spec.terms > most:
        return f"it supports up to {most} taps of all channels in {traits.accumulator}. Got {spec.terms}"
    return None


def _cost(spec: Spec, traits: Traits) -> int:
    rows = spec.axes[-2]
    halo = spec.macs * (rows.taps - 1) // _rows(spec)  # rows of samples that two blocks read
    return kernel_ns(nbytes(spec, traits), spec.macs + halo, traits.accumulator, _EFFICIENCY, traits.card)


def _threads(spec: Spec) -> tuple[int, int]:
    """Return how many threads of a block compute columns, and how many planes."""
    along = 1
    while along < _THREADS and along * _COLUMNS < spec.axes[-1].outputs:
        along *= 2
    return along, _THREADS // along


def _blocks(spec: Spec, rows: int) -> tuple[int, int, int]:
    along, beside = _threads(spec)
    columns = -(-spec.axes[-1].outputs // (along * _COLUMNS))
    parts = min(-(-spec.axes[-2].outputs // rows), MAX_BLOCKS)  # the kernel divides the rows by their number
    return columns, parts, min(-(-planes(spec) // beside), MAX_BLOCKS)


def _rows(spec: Spec) -> int:
    """Return how many rows a thread computes: fewer where the problem is small."""
    for rows in _ROWS:
        columns, parts, images = _blocks(spec, rows)
        if columns * parts * images >= _ENOUGH_BLOCKS:
            return rows
    return _ROWS[-1]


def _bind(spec: Spec, context: Context) -> Bound:
    *_, rows, columns = spec.axes
    taps = {"NAXES": len(spec.axes), "SOURCES": sources(spec), "KH": rows.taps, "KW": columns.taps}

    def kernel(types: job.Types, x: job.Steps, y: job.Steps) -> Kernel:
        names = ("column.x", x[-1]), ("column.y", y[-1])
        x_step, y_step = (1 if step == 1 else name for name, step in names)
        return Kernel("rows", job.options(types, **taps, X_STEP=x_step, Y_STEP=y_step))

    along, beside = _threads(spec)
    return bound(spec, context, Grid(_blocks(spec, _rows(spec)), (along, 1, beside)), kernel)


cuda_rows = method("cuda_rows", _why_not, _cost, _bind)
