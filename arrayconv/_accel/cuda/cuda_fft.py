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

from importlib import import_module
from math import log2, prod
from typing import Any, NamedTuple

from arrayconv._accel.cuda import spectra
from arrayconv._accel.cuda.kernels import nbytes, refusal
from arrayconv._accel.cuda.launch import LIBRARY
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation, per_call
from arrayconv._algorithms.fft import prepared_by, spectral_workspace
from arrayconv._arrays.array import Array
from arrayconv._arrays.dtypes import component, kind
from arrayconv._arrays.failures import AcceleratorFailed
from arrayconv._arrays.traits import Traits
from arrayconv._costs.gpu import kernel_ns
from arrayconv._ops import spectral, transform
from arrayconv._problem.spec import Spec

_MAX_POINTS = (1 << 31) - 1  # of one image with all its channels: cuFFT's plans by CuPy count in 32 bits
_EFFICIENCY = 30  # percent of the card's multiply-adds that a transform reaches; a guess
_SUMMARIES = {"float32": "uint32", "float64": "uint64"}  # dtypes of bits, by that of the real parts


class Prepared(NamedTuple):
    """The spectrum of a kernel whose taps are finite and scaled, and the summary of its filters."""

    spectrum: Array  # (groups, filters, channels, *frequencies)
    summary: Array  # (2, groups * filters)


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = refusal(spec, traits)
    if reason is not None:
        return reason
    if kind(traits.accumulator) == "integer":
        return f"it transforms real and complex numbers. Got {traits.accumulator}"
    if len(spec.axes) > spectra.MAX_AXES:
        return f"it supports one to {spectra.MAX_AXES} convolved axes. Got {len(spec.axes)}"
    points = spec.channels * spectra.layout(spec, False).points
    if points > _MAX_POINTS:
        return f"it counts the points of an image up to {_MAX_POINTS}. Got {points}"
    return None


def _cost(spec: Spec, traits: Traits) -> int:
    layout = spectra.layout(spec, True)
    images = spec.batch * spec.groups
    transforms = _transforms_ns(images * spec.channels, layout, traits)
    transforms += _transforms_ns(images * spec.filters, layout, traits)
    padded = traits.itemsize * layout.points
    moved = images * (spec.channels + 2 * spec.filters) * padded
    products = images * spec.filters * spec.channels * layout.points // 2
    around = (
        _pass_ns(0, traits)
        + _pass_ns(0, traits)
        + _pass_ns(nbytes(spec, traits) + moved, traits)
        + kernel_ns(images * spec.channels * padded, products, f"complex{8 * _complex_itemsize(traits)}", _EFFICIENCY)
    )
    return around + transforms + _prepare_cost(spec, traits)


def _complex_itemsize(traits: Traits) -> int:
    return traits.itemsize * (2 if spectral.is_real(traits) else 1)


def _prepare_cost(spec: Spec, traits: Traits) -> int:
    layout, kernels = spectra.layout(spec, True), spec.groups * spec.filters * spec.channels
    return _pass_ns(kernels * layout.points * traits.itemsize, traits) + _transforms_ns(kernels, layout, traits)


def _pass_ns(moved: int, traits: Traits) -> int:
    """Return the nanoseconds of a launch that moves so many bytes."""
    return kernel_ns(moved, 0, traits.accumulator, 100)


def _transforms_ns(rows: int, layout: spectra.Layout, traits: Traits) -> int:
    """Return the nanoseconds of `rows` transforms: for each axis a launch that reads and writes all samples."""
    samples = rows * layout.points
    macs = int(samples * log2(layout.points + 1) * (1.25 if spectral.is_real(traits) else 2.5))  # of 5 F log2(F) flops
    axes = len(layout.lengths)
    one = kernel_ns(2 * samples * traits.itemsize, macs // axes, component(traits.accumulator), _EFFICIENCY)
    return axes * one


def _workspace(spec: Spec, traits: Traits) -> int:
    """Return the peak in bytes, which includes as much for cuFFT as for a spectrum."""
    layout = spectra.layout(spec, False)
    return spectral_workspace(layout.spec, layout.lengths, 1, traits) + spectra.marks_bytes(spec)


def _depends_on(spec: Spec) -> tuple[Any, ...]:
    return tuple(prepared_by(spectra.layout(spec, flag).lengths, spec) for flag in (False, True))


def _transforms() -> Any:
    """Return CuPy's transforms that may overwrite their input."""
    try:
        return import_module("cupyx.scipy.fft")
    except ImportError as failure:
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure


def _forward(samples: Array, layout: spectra.Layout, traits: Traits) -> Array:
    real = spectral.is_real(traits)
    return _contiguous(transform.forward(samples, layout.lengths, real=real, fft=_transforms(), by_axes=False))


def _inverse(spectrum: Array, layout: spectra.Layout, traits: Traits) -> Array:
    """Return the samples of a spectrum, which is overwritten, times their number."""
    fft, axes = _transforms(), tuple(range(-len(layout.lengths), 0))
    function = fft.irfftn if spectral.is_real(traits) else fft.ifftn
    return _contiguous(function(spectrum, s=layout.lengths, axes=axes, norm="forward", overwrite_x=True))


def _contiguous(array: Any) -> Any:
    """Return an array in the order that kernels read: CuPy transforms axis by axis where its user has set that."""
    return array if array.flags.c_contiguous else array.copy()


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
    task = spectra.task_of(layout.spec, layout, dtype, 0, spectral.spread_taps(kernel, spec, context))
    task["samples"], task["x_summary"] = samples.data.ptr, summary.data.ptr
    spectra.pad(task, layout, dtype, context.device, scans=True)
    return Prepared(_forward(samples, layout, context.traits), summary)


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
        inverse = _inverse(_product(_spectrum(task, layout, context), kernel, task, layout, context), layout, traits)
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
    return _forward(samples, layout, context.traits)


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
    _cost,
    _workspace,
    Preparation(per_call(_prepare), _depends_on, _prepare_cost),
    _bind,
    accuracy="normwise",
    cuts=Cuts(extends=frozenset({"all"})),
)
