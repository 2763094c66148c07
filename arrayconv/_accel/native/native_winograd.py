"""The package's own machine code for 3 x 3 taps, or outputs, of many channels: Winograd's transforms.

    Y = A' ((G W G') * (B' X B)) A    for each 2 x 2 outputs, or taps: 16 products per channel and filter rather than 36

Wins      layers of ten channels and filters or more, on large images, and the gradients of their kernels.
Cost      16/36 of the multiply-adds, and additions in proportion to channels + filters; all threads.
Memory    16/9 of the kernel, twice, and per thread the transformed samples of a block: some hundred kilobytes.
Accuracy  by norm: a sum of few large and many small samples loses the digits of the small ones.
Source    Lavin and Gray (2016), Fast algorithms for convolutional neural networks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from arrayconv._accel.native import dots, loader, winograd, winograd_dots
from arrayconv._accel.native.in_place import Host, InPlace, Layout, Steps, address, contiguous_steps, steps_of
from arrayconv._accel.native.loader import NotFinite
from arrayconv._accel.native.tables import Job
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import method_cost
from arrayconv._costs.parallel import Threads
from arrayconv._ops.contain import by_one_pass
from arrayconv._problem.spec import Spec


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return loader.refusal("numpy", traits) or winograd.refusal(spec, traits)


def _is_of_dots(spec: Spec) -> bool:
    return not winograd.supports(spec) and winograd_dots.supports(spec)


def _cost(spec: Spec, traits: Traits) -> int:
    loop = winograd_dots if _is_of_dots(spec) else winograd
    return loop.cost(spec, traits, method_cost("native_winograd"))


def _workspace(spec: Spec, traits: Traits) -> int:
    return (winograd_dots if _is_of_dots(spec) else winograd).workspace(spec, traits)


def _preparation(spec: Spec, context: Context) -> Callable[[Any], Host]:
    if _is_of_dots(spec):
        return dots.adjacent
    traits, shape, job = context.traits, winograd.kernels_shape(spec), winograd.kernels_job(spec)
    at = loader.loop(job, traits, 0, winograd.kernel_threads(spec, traits))

    def transformed(kernel: Any) -> Host:
        kernel = np.ascontiguousarray(kernel)
        y: Any = np.empty(shape, traits.accumulator)
        if job.units:
            at(address(kernel), 0, address(y))
        return y

    return transformed


def _bind(spec: Spec, context: Context) -> Bound:
    return _bind_dots(spec, context) if _is_of_dots(spec) else _bind_tiles(spec, context)


def _layout(
    spec: Spec,
    context: Context,
    threads: Threads,
    job: Callable[[Steps, Steps], Job],
    x_steps: Steps | None,
    y_steps: Steps | None,
) -> Layout:
    traits = context.traits
    steps = contiguous_steps(spec.input_shape) if x_steps is None else x_steps
    own = job(steps, contiguous_steps(spec.output_shape) if y_steps is None else y_steps)
    at = loader.loop(own, traits, context.fill, threads)
    return Layout(at, x_steps is None, spec.output_shape if y_steps is None else None)


def _bind_tiles(spec: Spec, context: Context) -> Bound:
    traits, threads = context.traits, winograd_dots.threads_of(spec, context.traits)

    def loop(checks: bool) -> InPlace:
        def job(x_steps: Steps, y_steps: Steps) -> Job:
            return winograd.job(spec, x_steps, y_steps, traits, checks)

        return InPlace(partial(_layout, spec, context, threads, job), traits.accumulator)

    run, stops = loop(False), loop(True)

    def checked(x: Any, factors: Any, out: Any) -> Any:
        """Return the result if it is finite: then no sample was otherwise, and nothing overflowed."""
        try:
            return stops(x, factors, out)
        except NotFinite:
            return None

    return Bound(run, checked)


def _bind_dots(spec: Spec, context: Context) -> Bound:
    traits = context.traits
    threads = winograd_dots.threads_of(spec, traits) if context.may_use_threads else parallel.ONE
    loops: dict[Any, InPlace] = {}  # by the strides of the kernel, of which there are few: it is contiguous or permuted

    def run(x: Any, factors: Any, out: Any) -> Any:
        loop = loops.get(factors.strides)
        if loop is None:
            w_steps: Any = steps_of(factors)
            job = partial(winograd_dots.job, spec, traits, w_steps)
            layout = partial(_layout, spec, context, threads, job)
            loop = loops[factors.strides] = InPlace(layout, traits.accumulator)
        return loop(x, factors, out)

    def checked(x: Any, factors: Any, out: Any) -> Any:
        y: Any = run(x, factors, out)
        return y if by_one_pass(y, False, "numpy") else None

    return Bound(run, checked)


native_winograd = Algorithm(
    "native_winograd",
    _why_not,
    _cost,
    _workspace,
    Preparation(_preparation),
    _bind,
    accuracy="normwise",
    cuts=Cuts(extends=frozenset({"all"})),
    spreads="overflow",
)
