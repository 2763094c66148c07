"""The package's own loops on JAX arrays on CPUs, called by XLA: of `native_loops`, `native_tiles`, `native_images`.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, (stride*p + dilation*k - before) / upsample]

Wins      as on NumPy arrays: rows for few taps on signals, all integers and depthwise groups; tiles for few channels
          and two axes; images for many channels, small images and transposed convolution.
Cost      that of the loop; threads of XLA's own pool. XLA's way into any of them is the same.
Memory    that of the loop.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from arrayconv._accel import _images, _phases, _rows, _tiles, _xla
from arrayconv._accel._in_place import adjacent
from arrayconv._algorithms import UNPREPARED, Algorithm, Bound, Context, Cuts, Preparation
from arrayconv._cost_table import Pace, pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _rows_why_not(spec: Spec, traits: Traits) -> str | None:
    return _xla.refusal(traits)


def _rows_cost(spec: Spec, traits: Traits) -> int:
    return _rows.cost(spec, traits, _pace(f"native_loops-{_rows.kind(spec, traits)}"))


def _bind_rows(spec: Spec, context: Context) -> Bound:
    traits, shape = context.traits, spec.output_shape
    job = _rows.job(spec, adjacent(spec.input_shape), adjacent(shape), 0, 0, traits.itemsize)
    return _xla.bound(job, shape, _rows.worth(spec, traits), context)


def _tiles_why_not(spec: Spec, traits: Traits) -> str | None:
    return _xla.refusal(traits) or _tiles.refusal(spec, traits)


def _tiles_cost(spec: Spec, traits: Traits) -> int:
    return _tiles.cost(spec, traits, pace("xla_tiles"))


def _bind_tiles(spec: Spec, context: Context) -> Bound:
    traits, dense = context.traits, _tiles.dense(spec)
    shape, kept = dense.output_shape, (..., *(slice(None, None, axis.stride) for axis in spec.axes[-2:]))
    job = _tiles.job(dense, adjacent(spec.input_shape), adjacent(shape), 0, 0, traits.itemsize)
    return _xla.bound(job, shape, _tiles.worth(dense, traits.itemsize, traits.threads), context, kept)


def _images_why_not(spec: Spec, traits: Traits) -> str | None:
    return _xla.refusal(traits) or _images.refusal(spec, traits)


def _images_cost(spec: Spec, traits: Traits) -> int:
    return _images.cost(spec, traits, _pace("native_images"))


def _images_preparation(spec: Spec, context: Context) -> Callable[[Any], Any]:
    """Return what puts the factors of one phase after those of another, by operations of the program."""
    taps, concat = _phases.taps_of(spec), context.xp.concat

    def by_phases(kernel: Any) -> Any:
        parts = _phases.by_phases(kernel, taps)
        return parts[0] if len(parts) == 1 else concat(parts)

    return by_phases


def _bind_images(spec: Spec, context: Context) -> Bound:
    traits, shape = context.traits, spec.output_shape
    job = _images.job(spec, adjacent(spec.input_shape), adjacent(shape), 0, 0, traits)
    return _xla.bound(job, shape, _images.worth(spec, traits), context)


def _pace(native: str) -> Pace:
    """Return the pace of a loop on NumPy arrays, with the time of XLA's way in."""
    return pace(native)._replace(call_ns=pace("xla_tiles").call_ns)


xla_loops = Algorithm(
    "xla_loops",
    _rows_why_not,
    _rows_cost,
    _rows.workspace,
    UNPREPARED,
    _bind_rows,
    accuracy="componentwise",
    cuts=Cuts(slabs=True),
)
xla_tiles = Algorithm(
    "xla_tiles",
    _tiles_why_not,
    _tiles_cost,
    _tiles.workspace,
    UNPREPARED,
    _bind_tiles,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"all"})),
)
xla_images = Algorithm(
    "xla_images",
    _images_why_not,
    _images_cost,
    _images.workspace,
    Preparation(_images_preparation),
    _bind_images,
    accuracy="componentwise",
    cuts=Cuts(extends=frozenset({"all"}), upsamples=_images.upsamples),
)
