"""The package's own machine code on images of channels: several filters per pass, phases interleaved.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, (stride*p + dilation*k - before) / upsample]

Samples of a block are copied, so that all its rows of outputs form one row; sums stay in registers over all terms.

Wins      many channels and filters, above all transposed convolution, whose phases are written in one pass.
Cost      macs multiply-adds, less those with the zeros between samples; all threads.
Memory    the kernel, and per thread the samples of a block: some hundred kilobytes, more for rows of many channels.
Accuracy  componentwise. All boundaries are computed inside.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from arrayconv._accel.native import images, loader, phases
from arrayconv._accel.native.in_place import Host, InPlace, Layout, Steps, contiguous_steps
from arrayconv._accel.native.tables import Job
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import method_cost
from arrayconv._problem.spec import Spec


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return loader.refusal("numpy", traits) or images.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return images.cost(spec, traits, method_cost(images.row(traits)))


def _at_addresses(spec: Spec, traits: Traits) -> bool:
    return images.threads_of(spec, traits).woken == 1


def _preparation(spec: Spec, context: Context) -> Callable[[Any], Host]:
    return partial(phases.ordered, taps=phases.taps_of(spec))


def _bind(spec: Spec, context: Context) -> Bound:
    traits = context.traits

    def layout(x_steps: Steps | None, y_steps: Steps | None) -> Layout:
        steps = contiguous_steps(spec.input_shape) if x_steps is None else x_steps
        to = contiguous_steps(spec.output_shape) if y_steps is None else y_steps
        job = images.job(spec, steps, to, 0, 0, traits)
        at = loader.loop(job, traits, context.fill, threads)
        return Layout(at, x_steps is None, spec.output_shape if y_steps is None else None)

    def job(x_steps: Steps, y_steps: Steps, start: int, origin: int) -> Job:
        return images.job(spec, x_steps, y_steps, start, origin, traits)

    order, threads = partial(phases.ordered, taps=phases.taps_of(spec)), images.threads_of(spec, traits)
    at = loader.whole(context, job, threads, order=order) if _at_addresses(spec, traits) else None
    return Bound(InPlace(layout, traits.accumulator), at=at)


native_images = Algorithm(
    "native_images",
    _why_not,
    _cost,
    images.workspace,
    Preparation(_preparation),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"all"}), upsamples=images.upsamples, at_addresses=_at_addresses),
)
