"""The loops of `native_winograd` on JAX arrays on CPUs, called by XLA: 3 x 3 taps, or 3 to 9 in line, of many channels.

    Y = A ((G W) * (B X))    for each tile of outputs, or taps: 16 or 24 products per channel rather than 36 or 54

Wins      layers of ten channels and filters or more, large images and long signals, and gradients of their kernels.
Cost      that of the loop, on threads of XLA's own pool, and XLA's call. Where an output is not finite, that of another
          loop too.
Memory    that of the loop; for gradients x, where it is extended.
Accuracy  by norm: a sum of few large and many small samples loses the digits of the small ones.
"""

from __future__ import annotations

from typing import Any

from arrayconv._accel.jax import ffi
from arrayconv._accel.jax.xla_dots import layouts_of, steps_in
from arrayconv._accel.native import dots, images, native_winograd, winograd, winograd_dots
from arrayconv._accel.native.in_place import contiguous_steps
from arrayconv._accel.native.winograd_tiles import Tiling, threads_of, tiling_of
from arrayconv._algorithms import UNPREPARED, Algorithm, Bound, Context, Cuts
from arrayconv._arrays.traits import Traits
from arrayconv._ops.pad import extend
from arrayconv._ops.windows import LEADING
from arrayconv._problem.boundary import runs
from arrayconv._problem.spec import Spec


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return ffi.refusal(traits) or native_winograd.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return native_winograd.cost(spec, traits, ffi.method_cost("native_winograd"))


def _workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of the loop, or of the one that runs again, after it."""
    own = native_winograd.workspace(spec, traits)
    if not own:
        return 0
    loop, _ = native_winograd.tiles(spec)
    return max(own, (dots if loop is winograd_dots else images).workspace(spec, traits))


def _bind(spec: Spec, context: Context) -> Bound:
    loop, tiling = native_winograd.tiles(spec)
    return (_bind_taps if loop is winograd_dots else _bind_outputs)(spec, tiling, context)


def _bind_outputs(spec: Spec, tiling: Tiling, context: Context) -> Bound:
    """Return the loop over tiles of outputs; where an output is not finite, that of `xla_images` runs again."""
    traits, shape = context.traits, spec.output_shape
    steps = contiguous_steps(spec.input_shape), contiguous_steps(shape)
    factors = winograd.kernels_shape(tiling)
    x, w = spec.input_shape, spec.kernel_shape
    loops = {
        "kernels": (winograd.kernels_job(tiling), (w, w, factors), winograd.kernel_threads(tiling, traits)),
        "table": (winograd.job(tiling, *steps, traits, True), (x, factors, shape), threads_of(spec, traits)),
        "again": (images.job(spec, *steps, 0, 0, traits), (x, w, shape), images.threads_of(spec, traits)),
    }
    tables = {name: ffi.table(job, context, shapes, threads.most) for name, (job, shapes, threads) in loops.items()}

    def run(x: Any, kernel: Any, out: Any) -> Any:
        return ffi.call(tables, (x, kernel), shape, x.dtype)

    return Bound(run)


def _bind_taps(spec: Spec, tiling: Tiling, context: Context) -> Bound:
    """Return the loop over tiles of taps; where an output is not finite, that of `xla_dots` runs again.

    That one reads no sample beyond the ends, so XLA extends x for both.
    """
    traits, shape = context.traits, spec.output_shape
    spans = [axis.span(0, axis.outputs) for axis in spec.axes]
    sources = [runs(axis.size, *span, axis.boundary) for axis, span in zip(spec.axes, spans, strict=True)]
    inside = spec._replace(
        axes=tuple(
            axis._replace(size=stop - first, before=0, boundary="constant")
            for axis, (first, stop) in zip(spec.axes, spans, strict=True)
        )
    )
    x, w = inside.input_shape, inside.kernel_shape
    layouts = layouts_of(inside)
    steps = steps_in(w, layouts[1]), steps_in(x, layouts[0]), contiguous_steps(shape)
    job = winograd_dots.job(tiling_of(inside, tiling.tile), traits, *steps)
    again = dots.job(inside, steps[1], steps[0], steps[2], traits.itemsize)
    tables = {
        "table": ffi.table(job, context, (x, w, shape), threads_of(spec, traits).most),
        "again": ffi.table(again, context, (x, w, shape), dots.threads_of(inside, traits).most),
    }

    def run(x: Any, kernel: Any, out: Any) -> Any:
        for number, source in enumerate(sources):
            x = extend(x, LEADING + number, source, context.fill, xp=context.xp, device=context.device)
        return ffi.call(tables, (x, kernel), shape, x.dtype, layouts)

    return Bound(run)


xla_winograd = Algorithm(
    "xla_winograd",
    _why_not,
    _cost,
    _workspace,
    UNPREPARED,
    _bind,
    accuracy="normwise",
    cuts=Cuts(extends=frozenset({"all"})),
)
