"""The package's own machine code on NumPy arrays: every output is written once, near the speed of memory.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k]

Neighbouring outputs form a row; the sums of a part of it stay in registers until all terms are added.

Wins      few taps along one axis, all integers, channels, strides, depthwise groups.
Cost      macs multiply-adds, vectorised over outputs where they and their samples are contiguous, over `threads`.
Memory    the kernel and the offset of each term's sample; x is read in place, unless channels are contiguous.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from arrayconv._accel.native import loader, rows
from arrayconv._accel.native.in_place import Host, InPlace, Layout, Steps, contiguous_steps
from arrayconv._accel.native.tables import Job
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import method_cost
from arrayconv._problem.spec import Spec

_SHARED = {"float": "filters", "integer": "integer-filters"}  # rows of the cost table where filters share samples
_TILE_BYTES = 5 << 20  # of samples and outputs of many channels: extending a few whole images costs less than slabs


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return loader.refusal("numpy", traits)


def _cost(spec: Spec, traits: Traits) -> int:
    kind = rows.kind(spec, traits)
    shared = kind in _SHARED and spec.filters >= rows.MIN_SHARED_FILTERS
    return rows.cost(spec, traits, method_cost(f"native_loops-{_SHARED[kind] if shared else kind}"), shared=shared)


def _shares(spec: Spec, traits: Traits) -> bool:
    """Whether threads take images rather than rows: the work outside the loops is then parallel too."""
    return spec.channels * spec.filters > 1 and spec.batch * spec.groups > 1


def _at_addresses(spec: Spec, traits: Traits) -> bool:
    return rows.threads_of(spec, traits).woken == 1


def _workspace(spec: Spec, traits: Traits) -> int:
    return rows.workspace(spec, traits) + rows.gathered(spec, traits)


def _preparation(spec: Spec, context: Context) -> Callable[[Any], Host]:
    return np.ascontiguousarray  # the factors of all terms, one filter after the other


def _bind(spec: Spec, context: Context) -> Bound:
    traits = context.traits
    threads = rows.threads_of(spec, traits) if context.may_use_threads else parallel.ONE

    def layout(x_steps: Steps | None, y_steps: Steps | None) -> Layout:
        copies = x_steps is None or rows.gathers(spec, rows.rows(spec, x_steps, y_steps))
        if copies or x_steps is None:
            x_steps, y_steps = contiguous_steps(spec.input_shape), None
        order, job = rows.rows(spec, x_steps, y_steps).order, rows.job(spec, x_steps, y_steps, 0, 0, traits.itemsize)
        at = loader.loop(job, traits, context.fill, threads)
        if y_steps is not None:
            return Layout(at, copies, None)
        shape, back = tuple([spec.output_shape[axis] for axis in order]), [order.index(n) for n in range(len(order))]
        return Layout(at, copies, shape, None if back == sorted(back) else tuple(back))

    def job(x_steps: Steps, y_steps: Steps, start: int, origin: int) -> Job | None:
        if rows.gathers(spec, rows.rows(spec, x_steps, y_steps)):
            return None
        return rows.job(spec, x_steps, y_steps, start, origin, traits.itemsize)

    at = loader.whole(context, job, threads, extended=True) if threads.woken == 1 else None
    return Bound(InPlace(layout, traits.accumulator), at=at)


native_loops = Algorithm(
    "native_loops",
    _why_not,
    _cost,
    _workspace,
    Preparation(_preparation),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(slabs=True, shares=_shares, tile_bytes=_TILE_BYTES, tiles_images=True, at_addresses=_at_addresses),
)
