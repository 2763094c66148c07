"""Compiled register tiles on JAX arrays on CPUs: that of `native_tiles`, called by XLA.

    y[b, g, o, p, q] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k_1, q + k_2]

Wins      few channels, two axes and more, from 3 x 3 taps to where a transform takes over, around 31 x 31.
Cost      macs multiply-adds at half the processor's peak and more; threads of XLA's own pool.
Memory    the samples of a block of outputs whose windows leave x.
Accuracy  componentwise. Every boundary is followed inside: x is neither padded nor cut.
"""

from __future__ import annotations

from arrayconv._accel import _native, _tiles, _xla
from arrayconv._accel._flat import adjacent
from arrayconv._algorithms import UNPREPARED, Algorithm, Bound, Context, Cuts
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return _xla.refusal(traits) or _tiles.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return _tiles.cost(spec, traits, pace("xla_tiles"))


def _bind(spec: Spec, context: Context) -> Bound:
    traits, dense = context.traits, _tiles.dense(spec)
    shape, kept = dense.output_shape, (..., *(slice(None, None, axis.stride) for axis in spec.axes[-2:]))
    tables = _tiles.tables(dense, adjacent(spec.input_shape), adjacent(shape), 0, 0, traits.itemsize)
    threads = _tiles.worth(dense, traits.itemsize, traits.threads)
    call = _xla.Call(_native.TILES, shape, tables.units, threads, tables.parts)
    return _xla.bound(call, context, kept)


xla_tiles = Algorithm(
    "xla_tiles",
    _why_not,
    _cost,
    _tiles.workspace,
    UNPREPARED,
    _bind,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"all"})),
)
