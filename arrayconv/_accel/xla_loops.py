"""Compiled loops on JAX arrays on CPUs: the loop of `numba`, called by XLA.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k]

Wins      few taps on signals, all integers, strides, depthwise groups.
Cost      macs multiply-adds, vectorised over outputs where they and their samples are adjacent; XLA's threads.
Memory    the kernel, and where the sample of each term stands.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from arrayconv._accel import _rows, _tiles, _xla
from arrayconv._algorithms import Algorithm, Context
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return _xla.refusal(traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return _rows.cost(spec, traits, pace("xla_tiles").call_ns)  # XLA's way into either loop is the same


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    return kernel


def _run(x: Any, kernel: Any, spec: Spec, context: Context) -> Any:
    traits = context.traits
    target = _xla.target("numba_kernels", traits.accumulator)
    return _program(target, spec, traits)(x, kernel)


@lru_cache(1024)
def _program(target: str, spec: Spec, traits: Traits) -> Any:
    """Return the function (x, kernel) -> y of a problem."""
    x_steps, y_steps = (_steps(shape) for shape in (spec.input_shape, spec.output_shape))
    rows, offsets = _rows.rows(spec, x_steps, y_steps), _rows.offsets(spec, x_steps)
    blocks = _rows.blocks(rows, traits.itemsize)
    units = rows.number * blocks
    threads = max(1, min(_rows.worth(spec, traits), units))
    sizes = np.prod(spec.input_shape), np.prod(spec.kernel_shape), spec.outputs
    lengths = len(offsets), len(rows.sizes)
    inner = _rows.inner(rows, blocks, 0, 0)
    packed = _xla.table(units, threads, sizes, lengths, inner, offsets, rows.sizes, rows.steps)

    def run(x: Any, kernel: Any) -> Any:
        return _xla.call(target, (x, kernel, packed), spec.output_shape, 0)

    return _xla.compiled(run)


def _steps(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the steps of adjacent elements; none along axes of one element, which are no rows."""
    return tuple(step if n > 1 else 0 for n, step in zip(shape, _tiles.adjacent(shape), strict=True))


xla_loops = Algorithm(
    "xla_loops", _why_not, _cost, _rows.workspace, _prepare, _run, accuracy="componentwise", slabs=True
)
