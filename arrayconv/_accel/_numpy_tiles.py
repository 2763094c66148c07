"""Register tiles on NumPy arrays, by whoever has a loop over them: `native_tiles` and `numba_tiles`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from arrayconv._accel import _laid, _threads, _tiles
from arrayconv._accel._base import Bypass, Laid
from arrayconv._accel._flat import Entire, Host, Start, addressable, flat
from arrayconv._algorithms import Algorithm, Context
from arrayconv._spec import Spec
from arrayconv._xp import Traits

Loop = Callable[[str, _tiles.Tables, complex], Start]  # for a dtype and a fill
MakeEntire = Callable[[Laid, _laid.Samples, _tiles.Tables], Callable[[], Entire] | None]


def on_tiles(
    name: str, why_not: Callable[[Spec, Traits], str | None], cost: Callable[[Spec, Traits], int], loop: Loop
) -> Algorithm:
    """Return the algorithm that runs a loop over tiles of NumPy arrays."""
    return Algorithm(
        name,
        why_not,
        cost,
        _tiles.workspace,
        _prepare,
        partial(_run, loop),
        accuracy="componentwise",
        extends=frozenset({"all"}),
        writes=True,
    )


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    return np.ascontiguousarray(kernel).reshape(-1)


def _run(loop: Loop, x: Any, factors: Any, spec: Spec, context: Context) -> Any:
    dense = _tiles.dense(spec)
    if dense != spec:
        every = _run(loop, x, factors, dense, context._replace(out=None))
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
    begin = loop(context.traits.accumulator, tables, context.fill)
    threads = _tiles.worth(spec, x.itemsize, context.traits.threads)
    _threads.share(begin(data, factors, target), tables.units, threads)
    if out is None or y is out:
        return y
    out[...] = y
    return out


def _takes_rows(out: Host) -> bool:
    return addressable(out) and (out.strides[-1] == out.itemsize or out.shape[-1] == 1)


def bypass(loop: Loop, entire: MakeEntire | None, laid: Laid) -> Bypass | None:
    """Return the loop on contiguous arrays, tables made beforehand."""
    spec, traits = laid.step.spec, laid.traits
    samples, y_steps = _laid.samples(laid, extended=False), _laid.outputs(laid)
    if samples is None or y_steps is None or len(laid.steps) != 1 or _tiles.dense(spec) != spec:
        return None
    if y_steps[-1] != 1 and spec.axes[-1].outputs > 1:
        return None
    tables = _tiles.tables(spec, samples.steps, y_steps, samples.start, 0, traits.itemsize)
    whole = entire(laid, samples, tables) if entire is not None else None
    begin = partial(loop, traits.accumulator, tables, laid.fill)
    threads = _tiles.worth(spec, traits.itemsize, traits.threads)
    return _laid.call(laid, samples, begin, tables.units, threads, whole)
