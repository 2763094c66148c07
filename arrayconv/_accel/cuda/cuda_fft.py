"""FFT convolution on CuPy arrays: cuFFT's transforms, and four CUDA kernels for everything around them.

    y = irfft(rfft(x) * rfft(w reversed)), read at stride

Wins      kernels of some hundred taps and more on large arrays.
Cost      the transforms of `fft`, each a pass or two over memory per axis; around them one pass that pads, one that
          multiplies and one that crops.
Memory    both spectra, their product and its inverse, all of the padded size, and a byte per sample.
Accuracy  by norm, as `fft`. Samples that are not finite are contained, and huge or tiny ones scaled, by the kernels.
Source    Stockham, High-speed convolution and correlation, 1966.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from arrayconv._accel.cuda import cufft, spectra, spectra_costs
from arrayconv._accel.cuda.kernels import refusal
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation, per_call
from arrayconv._algorithms.fft import prepared_by
from arrayconv._arrays.array import Array
from arrayconv._arrays.dtypes import component, kind
from arrayconv._arrays.traits import Traits
from arrayconv._ops import spectral
from arrayconv._problem.spec import Spec

_MAX_POINTS = (1 << 31) - 1  # of one image with all its channels: cuFFT's plans by CuPy count in 32 bits
_SUMMARIES = {"float32": "uint32", "float64": "uint64"}  # dtypes of bits, by that of the real parts


class Prepared(NamedTuple):
    """The spectrum of a kernel whose taps are finite and scaled, and the summary of its filters."""

    spectrum: Any  # (groups, filters, channels, *frequencies)
    summary: Any  # (2, groups * filters)


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = refusal(spec, traits)
    if reason is not None:
        return reason
    if traits.backend != "cupy":
        return "it supports CuPy arrays, whose library has cuFFT's options"
    if kind(traits.accumulator) == "integer":
        return f"it transforms real and complex numbers. Got {traits.accumulator}"
    if len(spec.axes) > spectra.MAX_AXES:
        return f"it supports one to {spectra.MAX_AXES} convolved axes. Got {len(spec.axes)}"
    points = spec.channels * spectra.layout(spec, False).points
    if points > _MAX_POINTS:
        return f"it counts the points of an image up to {_MAX_POINTS}. Got {points}"
    return None


def _depends_on(spec: Spec) -> tuple[Any, ...]:
    return tuple(prepared_by(spectra.layout(spec, flag).lengths, spec) for flag in (False, True))


def _empty(shape: tuple[int, ...], dtype: str, context: Context) -> Any:
    return context.xp.empty(shape, dtype=getattr(context.xp, dtype), device=context.device)


def _samples(layout: spectra.Layout, context: Context) -> Any:
    spec = layout.spec
    return _empty((spec.batch, spec.groups, spec.channels, *layout.lengths), context.traits.accumulator, context)


def _prepare(kernel: Array, spec: Spec, context: Context) -> Prepared:
    dtype = context.traits.accumulator
    layout = spectra.kernel_layout(spec, spectra.layout(spec, context.fill == 0).lengths)
    samples = _samples(layout, context)
    summary = _empty((2, spec.groups * spec.filters), _SUMMARIES[component(dtype)], context)
    taps = spectral.spread_taps(kernel, spec, context)  # referenced until the launch, which reads its address
    task = spectra.task_of(layout.spec, layout, dtype, 0, taps)
    task["samples"], task["x_summary"] = samples.data.ptr, summary.data.ptr
    spectra.pad(task, layout, dtype, context.device, scans=True)
    return Prepared(cufft.forward(samples, layout.lengths, context.traits), summary)


def _bind(spec: Spec, context: Context) -> Bound:
    xp, traits, device = context.xp, context.traits, context.device
    dtype, layout = traits.accumulator, spectra.layout(spec, context.fill == 0)
    bits = getattr(xp, _SUMMARIES[component(dtype)])
    num_marks = spectra.marks_bytes(spec)

    def run(x: Any, kernel: Prepared, out: Any) -> Any:
        y, marks = _empty(spec.output_shape, dtype, context), _empty((num_marks,), "uint8", context)
        summary = xp.zeros((2, spec.batch * spec.groups), dtype=bits, device=device)
        task = spectra.task_of(spec, layout, dtype, context.fill, x, y)
        task["x_summary"], task["marks"] = summary.data.ptr, marks.data.ptr
        task["w_summary"] = kernel.summary.data.ptr
        product = _product(_spectrum(task, layout, context), kernel, task, layout, context)
        inverse = cufft.inverse(product, layout.lengths, traits)
        task["samples"] = inverse.data.ptr
        spectra.restore(task, layout, dtype, device)
        return y

    return Bound(run)


def _spectrum(task: Any, layout: spectra.Layout, context: Context) -> Any:
    """Return the spectrum of x, whose addresses are in the struct."""
    samples, dtype = _samples(layout, context), context.traits.accumulator
    task["samples"] = samples.data.ptr
    spectra.pad(task, layout, dtype, context.device, scans=False)
    spectra.contain(task, layout, dtype, context.device)
    return cufft.forward(samples, layout.lengths, context.traits)


def _product(spectrum: Any, kernel: Prepared, task: Any, layout: spectra.Layout, context: Context) -> Any:
    """Return the product of spectra over the number of points: in place for one channel and one filter."""
    spec = layout.spec
    frequencies = spectrum.shape[3:]
    in_place = spec.channels == spec.filters == 1
    shape = (spec.batch, spec.groups, spec.filters, *frequencies)
    product = spectrum if in_place else context.xp.empty(shape, dtype=spectrum.dtype, device=context.device)
    task["spectrum"], task["kernel"] = spectrum.data.ptr, kernel.spectrum.data.ptr
    task["product"], task["frequencies"] = product.data.ptr, prod(frequencies)
    spectra.multiply(task, layout, context.traits.accumulator, context.device)
    return product


cuda_fft = Algorithm(
    "cuda_fft",
    _why_not,
    spectra_costs.cost,
    spectra_costs.workspace,
    Preparation(per_call(_prepare), _depends_on, spectra_costs.prepare_cost),
    _bind,
    accuracy="normwise",
    cuts=Cuts(extends=frozenset({"all"})),
)
