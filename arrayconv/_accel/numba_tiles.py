"""Compiled register tiles on NumPy arrays: six rows of outputs at a time, each sample loaded once for all of them.

    y[b, g, o, p, q] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k_1, q + k_2]

Wins      two axes and more, from 3 x 3 taps to where a transform takes over, around 31 x 31.
Cost      macs multiply-adds at half the processor's peak and more; all threads.
Memory    the samples of a block of outputs whose windows leave x, or whose samples are not adjacent in memory.
Accuracy  componentwise. Every boundary is followed inside: x is neither padded nor cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrayconv._accel import _jit, _threads, _tiles
from arrayconv._accel._base import unavailable
from arrayconv._accel._flat import Host, addressable, flat
from arrayconv._algorithms import Algorithm, Context, Shortcut
from arrayconv._boundary import Run
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return unavailable(_jit.LIBRARY, "numpy", traits) or _tiles.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return _tiles.cost(spec, traits, pace("numba_tiles"))


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
    loop = _jit.loop("tile_kernels", context.traits.accumulator)
    data, steps, start = flat(np.asarray(x))
    out = context.out
    y = out if out is not None and _takes_rows(out) else np.empty(spec.output_shape, data.dtype)
    target, y_steps, origin = flat(y)
    tables = _tiles.tables(spec, steps, y_steps, start, origin, x.itemsize)
    _loop(loop, data, factors, target, tables, context.fill, _tiles.worth(spec, x.itemsize, context.traits.threads))
    if out is None or y is out:
        return y
    out[...] = y
    return out


def _takes_rows(out: Host) -> bool:
    return addressable(out) and (out.strides[-1] == out.itemsize or out.shape[-1] == 1)


def _loop(loop: Any, x: Host, w: Host, y: Host, tables: _tiles.Tables, fill: complex, threads: int) -> None:
    """Run the compiled loop over all blocks."""

    def part(first: int, stop: int) -> None:
        copy = np.empty(tables.room, x.dtype)
        copied = copy.view()
        copied.flags.writeable = False
        loop(x, w, y, *tables[:6], fill, copy, copied, first, stop)

    _threads.share(part, tables.units, threads)


def _shortcut(
    spec: Spec, step: Spec, source: tuple[tuple[Run, ...], ...], traits: Traits, fill: complex
) -> Shortcut | None:
    """Return the loop on arrays that lie in memory as they are numbered, tables made beforehand."""
    if source != tuple((Run(0, 1, axis.size),) for axis in spec.axes) or _tiles.dense(step) != step:
        return None
    dtype, size = np.dtype(traits.accumulator), traits.itemsize
    x_steps, y_steps = (_tiles.adjacent(shape) for shape in (step.input_shape, step.output_shape))
    tables = _tiles.tables(step, x_steps, y_steps, 0, 0, size)
    threads = _tiles.worth(step, size, traits.threads)
    shape = step.output_size
    turned = (slice(None, None, -1 if spec.flip else 1),) * len(spec.axes)

    def run(x: Any, kernel: Any) -> Any:
        if not (x.flags.c_contiguous and x.flags.aligned):
            return None
        y = np.empty(shape, dtype)
        factors = np.ascontiguousarray(kernel[turned]).reshape(-1)
        _loop(
            _jit.loop("tile_kernels", traits.accumulator), x.reshape(-1), factors, y.reshape(-1), tables, fill, threads
        )
        return y

    return run


numba_tiles = Algorithm(
    "numba_tiles",
    _why_not,
    _cost,
    _tiles.workspace,
    _prepare,
    _run,
    accuracy="componentwise",
    extends=frozenset({"all"}),
    writes=True,
    shortcut=_shortcut,
)
