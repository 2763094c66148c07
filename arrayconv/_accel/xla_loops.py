"""Compiled loops on JAX arrays on CPUs: the loop of `native_loops`, called by XLA.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k]

Wins      few taps on signals, all integers, strides, depthwise groups.
Cost      macs multiply-adds, vectorised over outputs where they and their samples are adjacent; XLA's threads.
Memory    the kernel, and where the sample of each term stands.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from arrayconv._accel import _native, _rows, _xla
from arrayconv._accel._flat import adjacent
from arrayconv._algorithms import UNPREPARED, Algorithm, Bound, Context, Cuts
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return _xla.refusal(traits)


def _cost(spec: Spec, traits: Traits) -> int:
    measured = pace(f"native_loops-{_rows.kind(spec, traits)}")._replace(call_ns=pace("xla_tiles").call_ns)
    return _rows.cost(spec, traits, measured)  # XLA's way into either loop is the same


def _bind(spec: Spec, context: Context) -> Bound:
    traits, shape = context.traits, spec.output_shape
    job = _rows.job(spec, adjacent(spec.input_shape), adjacent(shape), 0, 0, traits.itemsize)
    call = _xla.Call(_native.ROWS, shape, job.units, _rows.worth(spec, traits), job.parts)
    return _xla.bound(call, context)


xla_loops = Algorithm(
    "xla_loops",
    _why_not,
    _cost,
    _rows.workspace,
    UNPREPARED,
    _bind,
    accuracy="componentwise",
    cuts=Cuts(slabs=True),
)
