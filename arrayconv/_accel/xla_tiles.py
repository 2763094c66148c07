"""Compiled register tiles on JAX arrays on CPUs: the loop of `numba_tiles`, called by XLA.

    y[b, g, o, p, q] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k_1, q + k_2]

Wins      few channels, two axes and more, from 3 x 3 taps to where a transform takes over, around 31 x 31.
Cost      macs multiply-adds at half the processor's peak and more; threads of XLA's own pool.
Memory    the samples of a block of outputs whose windows leave x.
Accuracy  componentwise. Every boundary is followed inside: x is neither padded nor cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arrayconv._accel import _tiles, _xla
from arrayconv._accel._flat import adjacent
from arrayconv._algorithms import Algorithm, Context
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return _xla.refusal(traits) or _tiles.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return _tiles.cost(spec, traits, pace("xla_tiles"), _tiles.COMPILE_NS)


def _prepare(kernel: Any, spec: Spec, context: Context) -> Any:
    return kernel


def _run(x: Any, kernel: Any, spec: Spec, context: Context) -> Any:
    traits = context.traits
    target = _xla.target("tile_kernels", traits.accumulator)
    dense = _tiles.dense(spec)
    shape = dense.output_shape
    tables = _tiles.tables(dense, adjacent(spec.input_shape), adjacent(shape), 0, 0, traits.itemsize)
    threads = max(1, min(_tiles.worth(spec, traits.itemsize, traits.threads), tables.units))
    packed = _packed(dense, tables, traits.itemsize, threads, context.fill)
    y = _xla.call(target, (x, kernel, packed), shape, threads * tables.room)
    return y[(..., *(slice(None, None, axis.stride) for axis in spec.axes[-2:]))]


def _packed(spec: Spec, tables: _tiles.Tables, itemsize: int, threads: int, fill: complex) -> Any:
    """Return the tables as one: see `tile_kernels`."""
    sizes = np.prod(spec.input_shape), np.prod(spec.kernel_shape), spec.outputs
    lengths = [len(part) for part in (tables.lead, tables.beyond, tables.bands, tables.blocks)]
    head = (tables.units, threads, (*sizes, tables.room, tables.room * itemsize), np.float64(fill.real), lengths)
    return _xla.table(*head, tables.counts, tables.lead, tables.axes, tables.beyond, tables.bands, tables.blocks)


xla_tiles = Algorithm(
    "xla_tiles",
    _why_not,
    _cost,
    _tiles.workspace,
    _prepare,
    _run,
    accuracy="componentwise",
    extends=frozenset({"all"}),
)
