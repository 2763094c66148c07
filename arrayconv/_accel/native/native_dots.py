"""The package's own dot products on NumPy arrays: few outputs, each a sum over many positions.

    y[b, g, o, q] = sum_c sum_p  w[g, o, c, p] * x[b, g, c, q + p]

Wins      the gradient of a kernel, whose outputs are the taps and whose taps are y: with channels or depthwise.
Cost      macs multiply-adds, vectorised over the positions of a row; `threads` take four filters each.
Memory    x, where it is extended or its last axis is strided; the kernel; a vector per output of four filters.
Accuracy  componentwise: sums of the lanes of a vector, then of the lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from arrayconv._accel.native import dots, loader
from arrayconv._accel.native.contiguous import kernel_steps
from arrayconv._accel.native.in_place import Host, InPlace, Layout, Steps, contiguous_steps, steps_of
from arrayconv._accel.native.tables import Job
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import method_cost
from arrayconv._problem.spec import Spec


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return loader.refusal("numpy", traits) or dots.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return dots.cost(spec, traits, method_cost("native_dots"))


def _at_addresses(spec: Spec, traits: Traits) -> bool:
    return dots.threads_of(spec, traits).woken == 1 and not dots.is_strided(spec)


def _preparation(spec: Spec, context: Context) -> Callable[[Any], Host]:
    return partial(dots.factors, spec)


def _bind(spec: Spec, context: Context) -> Bound:
    phases, strided, traits = dots.phases(spec), dots.is_strided(spec), context.traits
    threads = dots.threads_of(spec, traits) if context.may_use_threads else parallel.ONE
    on_torchs = traits.origin == "torch"
    phased = partial(dots.deinterleaved, dilations=phases, threads=threads.woken, on_torchs=on_torchs)
    runs: dict[Any, InPlace] = {}  # by the strides of the kernel, of which there are few: it is contiguous or permuted

    def run(x: Any, factors: Any, out: Any) -> Any:
        loop = runs.get(factors.strides)
        if loop is None:
            loop = runs[factors.strides] = _loop(spec, context, strided, factors)
        return loop(phased(x) if strided else x, factors, out)

    w_steps = _kernel_steps(spec, context)

    def job(x_steps: Steps, y_steps: Steps, start: int, origin: int) -> Job | None:
        if not dots.reads_in_place(spec, x_steps):
            return None
        own = contiguous_steps(spec.kernel_shape) if w_steps is None else w_steps
        return dots.job(spec, x_steps, own, y_steps, traits.itemsize, start, origin)

    in_place = w_steps is not None
    at = loader.whole(context, job, threads, extended=True, in_place=in_place) if _at_addresses(spec, traits) else None
    return Bound(run, at=at)


def _kernel_steps(spec: Spec, context: Context) -> Steps | None:
    """Return the steps of a contiguous kernel's axes where its factors are read in place, else None."""
    steps = kernel_steps(context)
    if steps is None or dots.joins(spec) or (steps[-1] != 1 and spec.axes[-1].taps > 1):
        return None
    return steps


def _loop(spec: Spec, context: Context, strided: bool, factors: Any) -> InPlace:
    """Return the loop for a kernel of these strides."""
    traits, w_steps = context.traits, steps_of(factors)
    assert w_steps is not None
    threads = dots.threads_of(spec, traits) if context.may_use_threads else parallel.ONE

    def layout(x_steps: Steps | None, y_steps: Steps | None) -> Layout:
        copies = not strided and not dots.reads_in_place(spec, x_steps)
        steps = None if strided else contiguous_steps(spec.input_shape) if copies else x_steps
        to = contiguous_steps(spec.output_shape) if y_steps is None else y_steps
        job = dots.job(spec, steps, w_steps, to, traits.itemsize)
        at = loader.loop(job, traits, context.fill, threads)
        return Layout(at, copies, spec.output_shape if y_steps is None else None)

    return InPlace(layout, traits.accumulator)


native_dots = Algorithm(
    "native_dots",
    _why_not,
    _cost,
    dots.workspace,
    Preparation(_preparation),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(at_addresses=_at_addresses),
)
