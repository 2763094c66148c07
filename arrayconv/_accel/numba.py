"""Compiled loops on NumPy arrays: every output is written once or a few times, near the speed of memory.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k]

Outputs next to each other form a row; a row meets nine terms at a time, with their factors in registers.

Wins      few taps on arrays of some size, all integers, strides, depthwise groups.
Cost      macs multiply-adds, vectorised over outputs where they and their samples are adjacent, over `threads`.
Memory    the kernel, and where the sample of each term stands; x is read in place, whatever its strides.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrayconv._accel import _jit, _rows, _threads
from arrayconv._accel._base import unavailable
from arrayconv._accel._flat import addressable, flat, steps_of
from arrayconv._algorithms import Algorithm, Context, Shortcut
from arrayconv._boundary import FILL, Run
from arrayconv._spec import Spec
from arrayconv._xp import Traits

_TABLES_NS = 90_000  # what several axes take besides


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return unavailable(_jit.LIBRARY, "numpy", traits)


def _cost(spec: Spec, traits: Traits) -> int:
    call_ns = _rows.measured(spec, traits).call_ns
    return _rows.cost(spec, traits, call_ns if len(spec.axes) == 1 else call_ns + _TABLES_NS)


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    """Return the factors of all terms, one filter after the other."""
    return np.ascontiguousarray(kernel).reshape(-1)


def _run(x: Any, factors: Any, spec: Spec, context: Context) -> Any:
    loop = _jit.loop("numba_kernels", context.traits.accumulator)
    out = context.out if context.out is not None and addressable(context.out) else None
    data, steps, start = flat(np.asarray(x))
    rows = _rows.rows(spec, steps, None if out is None else steps_of(out))
    y = np.empty([spec.output_shape[axis] for axis in rows.order], data.dtype) if out is None else out
    target, _, origin = flat(y)
    blocks = _rows.blocks(rows, x.itemsize)
    inner = _rows.inner(rows, blocks, start, origin)
    offsets = _rows.offsets(spec, steps)

    def part(first: int, stop: int) -> None:
        loop(data, factors, offsets, target, rows.sizes, rows.steps, inner, first, stop)

    _threads.share(part, rows.number * blocks, _rows.worth(spec, context.traits))
    if out is not None:
        return out
    y = y.transpose(np.argsort(rows.order))
    if context.out is not None:
        context.out[...] = y
    return y


def _shortcut(
    spec: Spec, step: Spec, source: tuple[tuple[Run, ...], ...], traits: Traits, fill: complex
) -> Shortcut | None:
    """Return the loop on one axis of adjacent samples, among constants where x is extended by those."""
    if len(spec.axes) != 1 or spec.conj or spec.axes[0].boundary != "constant":
        return None
    runs, axis = source[0], step.axes[0]
    held = [run for run in runs if run.start != FILL]
    if len(held) != 1 or held[0] != Run(0, 1, spec.axes[0].size):
        return None
    before = sum(run.length for run in runs[: runs.index(held[0])])
    place = slice(before, before + held[0].length)
    dtype, shape = np.dtype(traits.accumulator), step.output_size
    rows = _rows.rows(step, (0, 0, 0, 1), None)
    blocks = _rows.blocks(rows, traits.itemsize)
    inner = _rows.inner(rows, blocks, 0, 0)
    offsets = _rows.offsets(step, (0, 0, 0, 1))
    threads = _rows.worth(step, traits)

    def run(x: Any, kernel: Any) -> Any:
        if not (x.flags.c_contiguous and x.flags.aligned):
            return None
        loop, y = _jit.loop("numba_kernels", traits.accumulator), np.empty(shape, dtype)
        data = x
        if len(runs) > 1:
            data = np.empty(axis.size, dtype)
            data[:before], data[place], data[place.stop :] = fill, x, fill
        factors = np.ascontiguousarray(kernel[::-1] if spec.flip else kernel)

        def part(first: int, stop: int) -> None:
            loop(data, factors, offsets, y, rows.sizes, rows.steps, inner, first, stop)

        _threads.share(part, rows.number * blocks, threads)
        return y

    return run


numba = Algorithm(
    "numba",
    _why_not,
    _cost,
    _rows.workspace,
    _prepare,
    _run,
    accuracy="componentwise",
    slabs=True,
    writes=True,
    shortcut=_shortcut,
)
