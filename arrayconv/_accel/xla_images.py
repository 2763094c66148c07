"""Compiled loop over images of channels on JAX arrays on CPUs: that of `native_images`, called by XLA.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, (stride*p + dilation*k - before) / upsample]

Wins      many channels and filters: strides, small images, transposed convolution, all of float64.
Cost      macs multiply-adds, less those with the zeros between samples; threads of XLA's own pool.
Memory    the kernel by phases, and per thread the samples of a block.
Accuracy  componentwise. Every boundary is followed inside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from arrayconv._accel import _images, _native, _xla
from arrayconv._accel._flat import adjacent
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return _xla.refusal(traits) or _images.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return _images.cost(spec, traits, pace("native_images")._replace(call_ns=pace("xla_tiles").call_ns))


def _preparation(spec: Spec, context: Context) -> Callable[[Any], Any]:
    """Return what puts the factors of one phase after those of another, by operations of the program."""
    taps, concat = _images.taps_of(spec), context.xp.concat

    def by_phases(kernel: Any) -> Any:
        parts = _images.by_phases(kernel, taps)
        return parts[0] if len(parts) == 1 else concat(parts)

    return by_phases


def _bind(spec: Spec, context: Context) -> Bound:
    traits, shape = context.traits, spec.output_shape
    tables = _images.tables(spec, adjacent(spec.input_shape), adjacent(shape), 0, 0, traits)
    call = _xla.Call(_native.IMAGES, shape, tables.units, _images.worth(spec, traits), (tables.words,))
    return _xla.bound(call, context)


xla_images = Algorithm(
    "xla_images",
    _why_not,
    _cost,
    _images.workspace,
    Preparation(_preparation),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"all"}), upsamples=_images.upsamples),
)
