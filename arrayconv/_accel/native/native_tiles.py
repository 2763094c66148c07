"""The package's own register tiles on NumPy arrays: each sample is loaded once for six rows of outputs.

    y[b, g, o, p, q] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k_1, q + k_2]

Wins      two axes and more, from 3 x 3 taps to where a transform takes over, around 31 x 31.
Cost      macs multiply-adds at half the processor's peak and more; all threads.
Memory    the samples of a block of outputs whose windows leave x, or whose samples are not contiguous.
Accuracy  componentwise. All boundaries are computed inside: x is neither padded nor cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from arrayconv._accel.native import loader, tiles
from arrayconv._accel.native.in_place import Host, InPlace, Layout, Steps, contiguous_steps
from arrayconv._accel.native.tables import Job
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import method_cost
from arrayconv._problem.spec import Spec


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return loader.refusal("numpy", traits) or tiles.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return tiles.cost(spec, traits, method_cost("native_tiles"))


def _at_addresses(spec: Spec, traits: Traits) -> bool:
    return tiles.threads_of(spec, traits).woken == 1 and tiles.dense(spec) == spec


def _preparation(spec: Spec, context: Context) -> Callable[[Any], Host]:
    return np.ascontiguousarray


def _bind(spec: Spec, context: Context) -> Bound:
    traits, dense = context.traits, tiles.dense(spec)
    threads = tiles.threads_of(dense, traits)

    def layout(x_steps: Steps | None, y_steps: Steps | None) -> Layout:
        writes = y_steps is not None and (y_steps[-1] == 1 or dense.axes[-1].outputs == 1)
        steps = contiguous_steps(dense.input_shape) if x_steps is None else x_steps
        y_steps = y_steps if writes and y_steps is not None else contiguous_steps(dense.output_shape)
        job = tiles.job(dense, steps, y_steps, 0, 0, traits.itemsize)
        at = loader.loop(job, traits, context.fill, threads)
        return Layout(at, x_steps is None, None if writes else dense.output_shape)

    def job(x_steps: Steps, y_steps: Steps, start: int, origin: int) -> Job | None:
        is_contiguous = y_steps[-1] == 1 or spec.axes[-1].outputs <= 1
        return tiles.job(spec, x_steps, y_steps, start, origin, traits.itemsize) if is_contiguous else None

    run = InPlace(layout, traits.accumulator)
    if dense == spec:
        return Bound(run, at=loader.whole(context, job, threads) if _at_addresses(spec, traits) else None)
    strided = (..., *(slice(None, None, axis.stride) for axis in spec.axes[-2:]))

    def run_strided(x: Any, factors: Any, out: Any) -> Any:
        return run(x, factors, None)[strided].copy()  # a view would keep the skipped outputs in memory

    return Bound(run_strided)


native_tiles = Algorithm(
    "native_tiles",
    _why_not,
    _cost,
    tiles.workspace,
    Preparation(_preparation),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"all"}), at_addresses=_at_addresses),
)
