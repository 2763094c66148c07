"""The package's own machine code for 3 x 3 taps, or 3 to 9 in line, of many channels: Winograd's transforms.

    Y = A ((G W) * (B X))    for each tile of outputs, or taps: 16 or 24 products per channel rather than 36 or 54

Wins      layers of ten channels and filters or more, large images and long signals, and gradients of their kernels.
Cost      4/9 of the multiply-adds (2/3 of 3 taps in line, 1/2 of 6), and additions in proportion to channels + filters;
          all threads.
Memory    16/9 of the kernel, 24/9 in line, twice, and per thread the transformed samples of a block: some hundred
          kilobytes.
Accuracy  by norm: a sum of few large and many small samples loses the digits of the small ones.
Source    Lavin and Gray (2016), Fast algorithms for convolutional neural networks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from types import ModuleType
from typing import Any

import numpy as np

from arrayconv._accel.native import dots, loader, winograd, winograd_dots
from arrayconv._accel.native.in_place import Host, InPlace, Layout, Steps, address, contiguous_steps, steps_of
from arrayconv._accel.native.loader import NotFinite
from arrayconv._accel.native.tables import TILED, Job
from arrayconv._accel.native.winograd_tiles import Tiling, threads_of
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import MethodCost, method_cost
from arrayconv._costs.parallel import Threads
from arrayconv._ops.contain import by_one_pass
from arrayconv._problem.spec import Spec

_MAX_TILINGS = 4096


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return loader.refusal("numpy", traits) or refusal(spec, traits)


def refusal(spec: Spec, traits: Traits) -> str | None:
    """Return why no loop supports a problem, or None."""
    if traits.accumulator not in TILED:
        return f"it sums in {' or '.join(TILED)}. Got {traits.accumulator}"
    if _tiling(spec) is not None:
        return None
    got = ", ".join(
        f"{axis.taps} taps and {axis.outputs} outputs of stride {axis.stride} and dilation {axis.dilation}"
        for axis in spec.axes[-2:]
    )
    return (
        f"it supports 3 x 3 taps, or 3 to 9 along the last axis, or up to as many outputs of more taps, of stride 1 "
        f"and dilation 1. Got {got or 'no axes'}"
    )


@lru_cache(_MAX_TILINGS)
def _tiling(spec: Spec) -> tuple[ModuleType, Tiling] | None:
    """Return the module of the loop for a problem, and its tiles: of images before those of lines."""
    choices = [(loop, loop.tiles_of(spec)) for loop in (winograd, winograd_dots)]
    return min(
        ((loop, tiling) for loop, tiling in choices if tiling is not None),
        key=lambda choice: choice[1].tile.step,
        default=None,
    )


def _cost(spec: Spec, traits: Traits) -> int:
    return cost(spec, traits, method_cost("native_winograd"))


def cost(spec: Spec, traits: Traits, measured: MethodCost) -> int:
    """Return nanoseconds by measured costs."""
    loop, tiling = tiles(spec)
    return loop.cost(tiling, traits, measured)


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of the kernel, transformed or copied, of the buffers of all threads, and of the table."""
    if _tiling(spec) is None:  # blocks are fitted to a limit before they are known to be supported
        return 0
    loop, tiling = tiles(spec)
    return loop.workspace(tiling, traits)


def tiles(spec: Spec) -> tuple[Any, Tiling]:
    """Return the module of the loop for a problem that is supported, `winograd` or `winograd_dots`, and its tiles."""
    own = _tiling(spec)
    assert own is not None
    return own


def _preparation(spec: Spec, context: Context) -> Callable[[Any], Host]:
    loop, tiling = tiles(spec)
    if loop is winograd_dots:
        return dots.adjacent
    shape, job = winograd.kernels_shape(tiling), winograd.kernels_job(tiling)
    at = loader.loop(job, context.traits, 0, winograd.kernel_threads(tiling, context.traits))

    def transformed(kernel: Any) -> Host:
        kernel = np.ascontiguousarray(kernel)
        y: Any = np.empty(shape, context.traits.accumulator)
        if job.units:
            at(address(kernel), 0, address(y))
        return y

    return transformed


def _bind(spec: Spec, context: Context) -> Bound:
    loop, tiling = tiles(spec)
    return (_bind_taps if loop is winograd_dots else _bind_outputs)(spec, tiling, context)


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


def _bind_outputs(spec: Spec, tiling: Tiling, context: Context) -> Bound:
    traits, threads = context.traits, threads_of(spec, context.traits)

    def loop(checks: bool) -> InPlace:
        def job(x_steps: Steps, y_steps: Steps) -> Job:
            return winograd.job(tiling, x_steps, y_steps, traits, checks)

        return InPlace(partial(_layout, spec, context, threads, job), traits.accumulator)

    run, stops = loop(False), loop(True)

    def checked(x: Any, factors: Any, out: Any) -> Any:
        """Return the result if it is finite: then no sample was otherwise, and nothing overflowed."""
        try:
            return stops(x, factors, out)
        except NotFinite:
            return None

    return Bound(run, checked)


def _bind_taps(spec: Spec, tiling: Tiling, context: Context) -> Bound:
    traits = context.traits
    threads = threads_of(spec, traits) if context.may_use_threads else parallel.ONE
    loops: dict[Any, InPlace] = {}  # by the strides of the kernel, of which there are few: it is contiguous or permuted

    def run(x: Any, factors: Any, out: Any) -> Any:
        loop = loops.get(factors.strides)
        if loop is None:
            w_steps: Any = steps_of(factors)
            job = partial(winograd_dots.job, tiling, traits, w_steps)
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
    workspace,
    Preparation(_preparation),
    _bind,
    accuracy="normwise",
    cuts=Cuts(extends=frozenset({"all"})),
    spreads="overflow",
)
