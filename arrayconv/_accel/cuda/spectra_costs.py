"""Expected time and memory of `cuda_fft`, from the ceilings of a card: bytes moved, arithmetic of transforms."""

from __future__ import annotations

from math import log2, prod

from arrayconv._accel.cuda.spectra import Layout, marks_bytes
from arrayconv._accel.cuda.spectra import layout as layout_of
from arrayconv._algorithms.fft import spectral_workspace
from arrayconv._arrays.dtypes import component
from arrayconv._arrays.traits import Traits
from arrayconv._costs.gpu import kernel_ns
from arrayconv._ops import spectral
from arrayconv._problem.spec import Spec

_EFFICIENCY = 30  # percent of the card's multiply-adds that a transform reaches; a guess


def cost(spec: Spec, traits: Traits) -> int:
    """Return the expected nanoseconds of a call."""
    layout, images = layout_of(spec, True), spec.batch * spec.groups
    padded, size = layout.points * traits.itemsize, traits.itemsize
    pad = _pass_ns(size * prod(spec.input_shape) + images * spec.channels * padded, traits)
    restore = _pass_ns(2 * size * spec.outputs, traits)
    empty = 2 * _pass_ns(0, traits)  # zeros for the summary, and nothing to contain
    transforms = _transforms_ns(images * spec.channels, layout, traits)
    transforms += _transforms_ns(images * spec.filters, layout, traits)
    return pad + empty + transforms + _product_ns(spec, layout, traits) + restore + prepare_cost(spec, traits)


def _product_ns(spec: Spec, layout: Layout, traits: Traits) -> int:
    images, padded, real = spec.batch * spec.groups, layout.points * traits.itemsize, spectral.is_real(traits)
    moved = (images * (spec.channels + spec.filters) + spec.groups * spec.filters * spec.channels) * padded
    macs = images * spec.filters * spec.channels * layout.points // (2 if real else 1)
    return kernel_ns(moved, macs, f"complex{8 * traits.itemsize * (2 if real else 1)}", _EFFICIENCY, traits.card)


def prepare_cost(spec: Spec, traits: Traits) -> int:
    """Return the expected nanoseconds of the kernel's spectrum."""
    layout, kernels = layout_of(spec, True), spec.groups * spec.filters * spec.channels
    return _pass_ns(kernels * layout.points * traits.itemsize, traits) + _transforms_ns(kernels, layout, traits)


def _pass_ns(moved: int, traits: Traits) -> int:
    """Return the nanoseconds of a launch that moves so many bytes."""
    return kernel_ns(moved, 0, traits.accumulator, 100, traits.card)


def _transforms_ns(rows: int, layout: Layout, traits: Traits) -> int:
    """Return the nanoseconds of `rows` transforms: for each axis a launch that reads and writes all samples."""
    samples = rows * layout.points
    macs = int(samples * log2(layout.points + 1) * (1.25 if spectral.is_real(traits) else 2.5))  # of 5 F log2(F) flops
    axes = len(layout.lengths)
    moved, part = 2 * samples * traits.itemsize, component(traits.accumulator)
    return axes * kernel_ns(moved, macs // axes, part, _EFFICIENCY, traits.card)


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the peak in bytes, which includes as much for cuFFT as for a spectrum."""
    layout = layout_of(spec, False)
    return spectral_workspace(layout.spec, layout.lengths, 1, traits) + marks_bytes(spec)
