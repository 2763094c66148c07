"""Compiled loops on JAX arrays on CPUs: the loop of `numba`, called by XLA.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k]

Wins      few taps on signals, all integers, strides, depthwise groups.
Cost      macs multiply-adds, vectorised over outputs where they and their samples are adjacent; XLA's threads.
Memory    the kernel, and where the sample of each term stands.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrayconv._accel import _rows, _xla
from arrayconv._accel._flat import adjacent
from arrayconv._algorithms import Algorithm, Context
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return _xla.refusal(traits)


def _cost(spec: Spec, traits: Traits) -> int:
    measured = pace(f"numba-{_rows.kind(spec, traits)}")._replace(call_ns=pace("xla_tiles").call_ns)
    return _rows.cost(spec, traits, measured, _rows.COMPILE_NS)  # XLA's way into either loop is the same


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    return kernel


def _run(x: Any, kernel: Any, spec: Spec, context: Context) -> Any:
    traits = context.traits
    target = _xla.target("numba_kernels", traits.accumulator)
    return _xla.call(target, (x, kernel, _packed(spec, traits)), spec.output_shape, 0)


def _packed(spec: Spec, traits: Traits) -> Any:
    """Return what the loop is told of a problem, as one table."""
    x_steps, y_steps = (adjacent(shape) for shape in (spec.input_shape, spec.output_shape))
    job = _rows.job(spec, x_steps, y_steps, 0, 0, traits.itemsize)
    threads = max(1, min(_rows.worth(spec, traits), job.units))
    sizes = np.prod(spec.input_shape), np.prod(spec.kernel_shape), spec.outputs
    lengths = len(job.offsets), len(job.sizes)
    return _xla.table(job.units, threads, sizes, lengths, job.inner, job.offsets, job.sizes, job.steps)


xla_loops = Algorithm(
    "xla_loops", _why_not, _cost, _rows.workspace, _prepare, _run, accuracy="componentwise", slabs=True
)
