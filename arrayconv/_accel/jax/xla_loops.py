"""The loops of `native_loops`, `native_tiles` and `native_images` on JAX arrays on CPUs, called by XLA.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, (stride*p + dilation*k - before) / upsample]

Wins      as on NumPy arrays: rows for few taps on signals, all integers and depthwise groups; tiles for few channels
          and two axes; images for many channels, small images and transposed convolution.
Cost      that of the loop, on threads of XLA's own pool. XLA's call overhead is the same for all three.
Memory    that of the loop.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from arrayconv._accel.jax import ffi
from arrayconv._accel.native import images, phases, rows, tiles
from arrayconv._accel.native.in_place import contiguous_steps
from arrayconv._algorithms import UNPREPARED, Algorithm, Bound, Context, Cuts, Preparation
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import method_cost
from arrayconv._problem.spec import Spec


def _rows_why_not(spec: Spec, traits: Traits) -> str | None:
    return ffi.refusal(traits)


def _rows_cost(spec: Spec, traits: Traits) -> int:
    return rows.cost(spec, traits, ffi.method_cost(f"native_loops-{rows.kind(spec, traits)}"))


def _bind_rows(spec: Spec, context: Context) -> Bound:
    traits, shape = context.traits, spec.output_shape
    job = rows.job(spec, contiguous_steps(spec.input_shape), contiguous_steps(shape), 0, 0, traits.itemsize)
    return ffi.bound(job, shape, rows.threads_of(spec, traits).most, context)


def _tiles_why_not(spec: Spec, traits: Traits) -> str | None:
    return ffi.refusal(traits) or tiles.refusal(spec, traits)


def _tiles_cost(spec: Spec, traits: Traits) -> int:
    return tiles.cost(spec, traits, method_cost("xla_tiles"))


def _bind_tiles(spec: Spec, context: Context) -> Bound:
    traits, dense = context.traits, tiles.dense(spec)
    shape, strided = dense.output_shape, (..., *(slice(None, None, axis.stride) for axis in spec.axes[-2:]))
    job = tiles.job(dense, contiguous_steps(spec.input_shape), contiguous_steps(shape), 0, 0, traits.itemsize)
    return ffi.bound(job, shape, tiles.threads_of(dense, traits).most, context, strided)


def _images_why_not(spec: Spec, traits: Traits) -> str | None:
    return ffi.refusal(traits) or images.refusal(spec, traits)


def _images_cost(spec: Spec, traits: Traits) -> int:
    return images.cost(spec, traits, ffi.method_cost(images.row(traits)))


def _images_preparation(spec: Spec, context: Context) -> Callable[[Any], Any]:
    """Return a function that orders a kernel's factors phase by phase, by operations of the program."""
    taps, concat = phases.taps_of(spec), context.xp.concat

    def by_phases(kernel: Any) -> Any:
        parts = phases.by_phases(kernel, taps)
        return parts[0] if len(parts) == 1 else concat(parts)

    return by_phases


def _bind_images(spec: Spec, context: Context) -> Bound:
    traits, shape = context.traits, spec.output_shape
    job = images.job(spec, contiguous_steps(spec.input_shape), contiguous_steps(shape), 0, 0, traits)
    return ffi.bound(job, shape, images.threads_of(spec, traits).most, context)


xla_loops = Algorithm(
    "xla_loops",
    _rows_why_not,
    _rows_cost,
    rows.workspace,
    UNPREPARED,
    _bind_rows,
    accuracy="componentwise",
    cuts=Cuts(slabs=True),
)
xla_tiles = Algorithm(
    "xla_tiles",
    _tiles_why_not,
    _tiles_cost,
    tiles.workspace,
    UNPREPARED,
    _bind_tiles,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"all"})),
)
xla_images = Algorithm(
    "xla_images",
    _images_why_not,
    _images_cost,
    images.workspace,
    Preparation(_images_preparation),
    _bind_images,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"all"}), upsamples=images.upsamples),
)
