"""The package's own machine code on images of channels: some filters of the same samples at once, phases side by side.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, (stride*p + dilation*k - before) / upsample]

Samples of a block are copied, so that rows of outputs follow each other as one; sums stay in registers over all terms.

Wins      many channels and filters, above all transposed convolution, whose phases are written together.
Cost      macs multiply-adds, less those with the zeros between samples; all threads.
Memory    the kernel, and per thread the samples of a block: some hundred kilobytes, more for rows of many channels.
Accuracy  componentwise. Every boundary is followed inside.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from arrayconv._accel import _images, _native, _phases
from arrayconv._accel._in_place import Host, InPlace, Layout, Steps, adjacent
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return _native.refusal("numpy", traits) or _images.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return _images.cost(spec, traits, pace("native_images"))


def _preparation(spec: Spec, context: Context) -> Callable[[Any], Host]:
    return partial(_phases.ordered, taps=_phases.taps_of(spec))


def _bind(spec: Spec, context: Context) -> Bound:
    traits = context.traits

    def layout(x_steps: Steps | None, y_steps: Steps | None) -> Layout:
        steps = adjacent(spec.input_shape) if x_steps is None else x_steps
        to = adjacent(spec.output_shape) if y_steps is None else y_steps
        job = _images.job(spec, steps, to, 0, 0, traits)
        start = _native.start(job, traits.accumulator, context.fill)
        return Layout(start, job.units, x_steps is None, spec.output_shape if y_steps is None else None)

    return Bound(InPlace(layout, traits.accumulator, _images.worth(spec, traits)))


native_images = Algorithm(
    "native_images",
    _why_not,
    _cost,
    _images.workspace,
    Preparation(_preparation),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"all"}), upsamples=_images.upsamples),
)
