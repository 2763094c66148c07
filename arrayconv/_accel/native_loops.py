"""The package's own machine code on NumPy arrays: every output is written once, near the speed of memory.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k]

Outputs next to each other form a row; the sums of a piece of it stay in registers until all terms are added.

Wins      few taps along one axis, all integers, channels, strides, depthwise groups.
Cost      macs multiply-adds, vectorised over outputs where they and their samples are adjacent, over `threads`.
Memory    the kernel, and where the sample of each term stands; x is read in place, unless channels are adjacent.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from arrayconv._accel import _laid, _native, _rows, _threads
from arrayconv._accel._base import Bypass, Laid
from arrayconv._accel._flat import addressable, flat, steps_of
from arrayconv._algorithms import Algorithm, Context
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits

_TILE_BYTES = 5 << 20  # of samples and outputs of many channels: few images, extended whole, take less than all slabs


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return _native.refusal("numpy", traits)


def _cost(spec: Spec, traits: Traits) -> int:
    kind = _rows.kind(spec, traits)
    shared = kind == "float" and spec.filters >= _rows.MIN_SHARED_FILTERS
    return _rows.cost(spec, traits, pace(f"native_loops-{'filters' if shared else kind}"), shared=shared)


def _shares(spec: Spec, traits: Traits) -> bool:
    """Whether threads had better take images than rows: what is around the loops is theirs then too."""
    return spec.channels * spec.filters > 1 and spec.batch * spec.groups > 1


def _workspace(spec: Spec, traits: Traits) -> int:
    return _rows.workspace(spec, traits) + _rows.gathered(spec, traits)


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    """Return the factors of all terms, one filter after the other."""
    return np.ascontiguousarray(kernel).reshape(-1)


def _run(x: Any, factors: Any, spec: Spec, context: Context) -> Any:
    out = context.out if context.out is not None and addressable(context.out) else None
    data, steps, origin = flat(np.asarray(x))
    y_steps = None if out is None else steps_of(out)
    if _rows.gathers(spec, _rows.rows(spec, steps, y_steps)):
        data, steps, origin = flat(np.ascontiguousarray(x))
        out, y_steps = None, None
    order = _rows.rows(spec, steps, y_steps).order
    y = np.empty([spec.output_shape[axis] for axis in order], data.dtype) if out is None else out
    target, _, start = flat(y)
    job = _rows.job(spec, steps, y_steps, origin, start, x.itemsize)
    begin = _native.rows(context.traits.accumulator, job)
    threads = _rows.worth(spec, context.traits) if context.alone else 1
    _threads.share(begin(data, factors, target), job.units, threads)
    if out is not None:
        return out
    y = y.transpose(np.argsort(order))
    if context.out is not None:
        context.out[...] = y
    return y


def bypass(laid: Laid) -> Bypass | None:
    """Return the loop on contiguous arrays, among constants where x is extended by those; tables made beforehand."""
    spec, traits = laid.step.spec, laid.traits
    samples, y_steps = _laid.samples(laid, extended=True), _laid.outputs(laid)
    if samples is None or y_steps is None or len(laid.steps) != 1:
        return None
    if _rows.gathers(spec, _rows.rows(spec, samples.steps, y_steps)):
        return None
    job = _rows.job(spec, samples.steps, y_steps, samples.start, 0, traits.itemsize)
    begin, whole = partial(_native.rows, traits.accumulator, job), _native.entire_rows(laid, samples, job)
    return _laid.call(laid, samples, begin, job.units, _rows.worth(spec, traits), whole)


native_loops = Algorithm(
    "native_loops",
    _why_not,
    _cost,
    _workspace,
    _prepare,
    _run,
    accuracy="componentwise",
    slabs=True,
    writes=True,
    shares=_shares,
    tile_bytes=_TILE_BYTES,
    tiles_images=True,
)
