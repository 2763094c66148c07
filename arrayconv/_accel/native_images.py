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
from math import prod
from typing import Any

import numpy as np

from arrayconv._accel import _images, _laid, _native, _threads
from arrayconv._accel._base import Bypass, Laid
from arrayconv._accel._flat import Host, addressable, flat, steps_of
from arrayconv._algorithms import Algorithm, Context
from arrayconv._cost_table import pace
from arrayconv._layout import Move, Shape
from arrayconv._spec import Spec
from arrayconv._tracing import planning
from arrayconv._xp import Traits

_NUMBERED = 1 << 16  # factors whose places are kept: copying them by phases goes a few taps at a time


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return _native.refusal("numpy", traits) or _images.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return _images.cost(spec, traits, pace("native_images"))


def _prepare(kernel: Any, spec: Spec, context: Context) -> Host:
    return _images.ordered(kernel, _images.taps_of(spec))


def _run(x: Any, factors: Host, spec: Spec, context: Context) -> Any:
    out, traits = context.out, context.traits
    data, steps, start = flat(np.asarray(x))
    y = out if out is not None and addressable(out) else np.empty(spec.output_shape, data.dtype)
    target, _, origin = flat(y)
    tables = _images.tables(spec, steps, steps_of(y), start, origin, traits)
    begin = _native.images(traits.accumulator, tables, context.fill)
    _threads.share(begin(data, factors, target), tables.units, _images.worth(spec, traits))
    if out is None or y is out:
        return y
    out[...] = y
    return out


def bypass(laid: Laid) -> Bypass | None:
    """Return the loop on contiguous arrays, tables made beforehand."""
    spec, traits = laid.step.spec, laid.traits
    samples, y_steps = _laid.samples(laid, extended=False), _laid.outputs(laid)
    if samples is None or y_steps is None or len(laid.steps) != 1:
        return None
    tables = _images.tables(spec, samples.steps, y_steps, samples.start, 0, traits)
    begin = partial(_native.images, traits.accumulator, tables, laid.fill)
    return _laid.call(laid, samples, begin, tables.units, _images.worth(spec, traits), weights=_weights(laid))


def _weights(laid: Laid) -> Callable[[Any], Host]:
    """Return what brings kernels into the loop's order: taken by number, where those are few enough to keep."""
    spec, factors = laid.step.spec, _laid.factors(laid)
    taps = _images.taps_of(spec)
    if prod(laid.kernel_shape) > _NUMBERED:
        return lambda kernel: _images.ordered(factors(kernel).reshape(spec.kernel_shape), taps)
    numbers = _numbers(laid.problem.layout.kernel, laid.kernel_shape, laid.problem.spec.flip, taps)
    return lambda kernel: kernel.reshape(-1).take(numbers)


@planning(64)
def _numbers(move: Move, shape: Shape, flip: bool, taps: tuple[tuple[_images.Taps, ...], ...]) -> Host:
    """Return the places of a kernel's factors in the loop's order: the same for all sizes of x."""
    order = _laid.ordered(move, len(taps) if flip else 0)
    return _images.ordered(order(np.arange(prod(shape)).reshape(shape)).reshape(move.joined), taps)


native_images = Algorithm(
    "native_images",
    _why_not,
    _cost,
    _images.workspace,
    _prepare,
    _run,
    accuracy="componentwise",
    extends=frozenset({"all"}),
    writes=True,
    upsamples=_images.upsamples,
)
