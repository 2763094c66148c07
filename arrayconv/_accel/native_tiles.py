"""The package's own register tiles on NumPy arrays: each sample is loaded once for six rows of outputs.

    y[b, g, o, p, q] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k_1, q + k_2]

Wins      two axes and more, from 3 x 3 taps to where a transform takes over, around 31 x 31.
Cost      macs multiply-adds at half the processor's peak and more; all threads.
Memory    the samples of a block of outputs whose windows leave x, or whose samples are not adjacent in memory.
Accuracy  componentwise. Every boundary is followed inside: x is neither padded nor cut.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from arrayconv._accel import _laid, _native, _threads, _tiles
from arrayconv._accel._base import Bypass, Laid
from arrayconv._accel._flat import Host, addressable, flat
from arrayconv._algorithms import Algorithm, Context
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return _native.refusal("numpy", traits) or _tiles.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return _tiles.cost(spec, traits, pace("native_tiles"))


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    return np.ascontiguousarray(kernel).reshape(-1)


def _run(x: Any, factors: Any, spec: Spec, context: Context) -> Any:
    dense = _tiles.dense(spec)
    if dense != spec:
        every = _run(x, factors, dense, context._replace(out=None))
        y = every[(..., *(slice(None, None, axis.stride) for axis in spec.axes[-2:]))]
        if context.out is None:
            return y.copy()  # a view would keep what is left out
        context.out[...] = y
        return context.out
    data, steps, start = flat(np.asarray(x))
    out = context.out
    y = out if out is not None and _takes_rows(out) else np.empty(spec.output_shape, data.dtype)
    target, y_steps, origin = flat(y)
    tables = _tiles.tables(spec, steps, y_steps, start, origin, x.itemsize)
    begin = _native.tiles(context.traits.accumulator, tables, context.fill)
    threads = _tiles.worth(spec, x.itemsize, context.traits.threads)
    _threads.share(begin(data, factors, target), tables.units, threads)
    if out is None or y is out:
        return y
    out[...] = y
    return out


def _takes_rows(out: Host) -> bool:
    return addressable(out) and (out.strides[-1] == out.itemsize or out.shape[-1] == 1)


def bypass(laid: Laid) -> Bypass | None:
    """Return the loop on contiguous arrays, tables made beforehand."""
    spec, traits = laid.step.spec, laid.traits
    samples, y_steps = _laid.samples(laid, extended=False), _laid.outputs(laid)
    if samples is None or y_steps is None or len(laid.steps) != 1 or _tiles.dense(spec) != spec:
        return None
    if y_steps[-1] != 1 and spec.axes[-1].outputs > 1:
        return None
    tables = _tiles.tables(spec, samples.steps, y_steps, samples.start, 0, traits.itemsize)
    whole = _native.entire_tiles(laid, samples, tables)
    begin = partial(_native.tiles, traits.accumulator, tables, laid.fill)
    threads = _tiles.worth(spec, traits.itemsize, traits.threads)
    return _laid.call(laid, samples, begin, tables.units, threads, whole)


native_tiles = Algorithm(
    "native_tiles",
    _why_not,
    _cost,
    _tiles.workspace,
    _prepare,
    _run,
    accuracy="componentwise",
    extends=frozenset({"all"}),
    writes=True,
)
