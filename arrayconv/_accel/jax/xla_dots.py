"""The loop of `native_dots` on JAX arrays on CPUs, called by XLA: few outputs, each a sum over many positions.

    y[b, g, o, q] = sum_c sum_p  w[g, o, c, p] * x[b, g, c, q + p]

Wins      the gradient of a kernel, whose outputs are the taps and whose taps are y: with channels or depthwise.
Cost      that of the loop, on threads of XLA's own pool, and XLA's call.
Memory    that of the loop; x, where its last axes are dilated.
Accuracy  componentwise: sums of the lanes of a vector, then of the lanes.
"""

from __future__ import annotations

from itertools import accumulate
from operator import mul
from typing import Any

from arrayconv._accel.jax import ffi
from arrayconv._accel.native import dots
from arrayconv._accel.native.in_place import Steps, contiguous_steps
from arrayconv._algorithms import UNPREPARED, Algorithm, Bound, Context, Cuts
from arrayconv._arrays.array import Array
from arrayconv._arrays.traits import Traits
from arrayconv._ops.windows import LEADING
from arrayconv._problem.spec import Spec

_CHANNELS_FIRST = (2, 1, 0)  # of the leading axes of x
_CHANNELS_FIRST_OF_KERNEL = (2, 0, 1)


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return ffi.refusal(traits) or dots.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return dots.cost(spec, traits, ffi.method_cost("native_dots"))


def _bind(spec: Spec, context: Context) -> Bound:
    traits, shape = context.traits, spec.output_shape
    strided, (x_layout, w_layout) = dots.is_strided(spec), layouts_of(spec)
    x_steps = None if strided else steps_in(spec.input_shape, x_layout)
    job = dots.job(spec, x_steps, steps_in(spec.kernel_shape, w_layout), contiguous_steps(shape), traits.itemsize)
    loop = ffi.bound(job, shape, dots.threads_of(spec, traits).most, context, layouts=(x_layout, w_layout))
    phases, xp = dots.phases(spec), context.xp

    def run(x: Any, kernel: Any, out: Any) -> Any:
        return loop.run(_deinterleaved(x, phases, xp) if strided else x, kernel, out)

    return Bound(run)


def layouts_of(spec: Spec) -> ffi.Layouts:
    """Return the axes of x and of the kernel in the order of memory, the outermost first; None for that of the axes.

    A gradient's channels are the images of the layer, which are outermost in the layer's own arrays: in that order XLA
    copies neither of them.
    """
    axes = tuple(range(LEADING, LEADING + len(spec.axes)))
    if dots.joins(spec) or dots.is_strided(spec):
        return None, None
    return (*_CHANNELS_FIRST, *axes), (*_CHANNELS_FIRST_OF_KERNEL, *axes)


def steps_in(shape: tuple[int, ...], layout: tuple[int, ...] | None) -> Steps:
    """Return the steps of an array whose axes are in this order in memory."""
    if layout is None:
        return contiguous_steps(shape)
    inner_first = list(reversed(layout))
    sizes = accumulate((shape[axis] for axis in inner_first[:-1]), mul, initial=1)
    steps = dict(zip(inner_first, sizes, strict=True))
    return tuple(steps[axis] if n > 1 else 0 for axis, n in enumerate(shape))


def _deinterleaved(x: Any, phases: tuple[int, ...], xp: Any) -> Array:
    """Return x with the samples of each phase of its last axes adjacent: (..., phases, samples, phases, samples)."""
    first = x.ndim - len(phases)
    lead, sizes = x.shape[:first], x.shape[first:]
    shape = [n for size, count in zip(sizes, phases, strict=True) for n in (-(-size // count), count)]
    x = xp.pad(x, [(0, 0)] * first + [(0, -size % count) for size, count in zip(sizes, phases, strict=True)])
    swapped = [axis for number in range(len(phases)) for axis in (first + 2 * number + 1, first + 2 * number)]
    return xp.permute_dims(xp.reshape(x, (*lead, *shape)), (*range(first), *swapped))


xla_dots = Algorithm(
    "xla_dots",
    _why_not,
    _cost,
    dots.workspace,
    UNPREPARED,
    _bind,
    accuracy="componentwise",
    cuts=Cuts(),
)
