"""FFT convolution: one product of spectra for the whole piece.

    y = irfft(rfft(x) * rfft(w reversed)), read at stride

Wins      kernels of tens of taps per axis and more; the cost hardly depends on the kernel's size.
Cost      (batch*groups*(channels + filters) + groups*filters*channels) transforms of F log2(F), F >= n + k - 1.
Memory    both spectra, their product and its inverse, all of the padded size.
Accuracy  by norm: max |error| <= c * eps * log2(F) * |x|_2 * |w|_2, so small values beside large ones lose digits.
          Integers are exact or refused. Zero padding costs nothing, nor does a circular boundary on an axis of a fast
          length; for other boundaries x arrives extended.
Source    Stockham, High-speed convolution and correlation, 1966.
"""

from __future__ import annotations

from math import log2, prod
from typing import Any

from arrayconv._algorithms._base import Algorithm, Bound, Context, Cuts, Preparation, per_call
from arrayconv._arrays.array import Array
from arrayconv._arrays.dtypes import component
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import primitive_costs
from arrayconv._costs.gpu import Work, total
from arrayconv._fft import THREAD_BOUND
from arrayconv._ops import spectral, transform
from arrayconv._ops.windows import LEADING
from arrayconv._problem.fast_lengths import fast_length
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

# Time by slabs over time of whole transforms, for so few samples that all stay in cache.
_SLABS_SMALL = {"float32": 0.75, "float64": 0.55}
_MAX_SLAB_SIZE = 1 << 23  # bytes of a spectrum transformed by slabs: halves of larger images take no longer
LANES = 4  # transforms of one axis that a processor computes at a time
LONE = 2  # time of a single transform of one axis over its time among LANES others
_CACHE_BYTES = 1 << 24  # of a transform, above which it is memory-bound


@planning()
def lengths_of(spec: Spec) -> tuple[int, ...]:
    """Return the shortest fast lengths at which no needed output is aliased."""
    return tuple(_length(axis) for axis in spec.axes)


def _length(axis: Axis) -> int:
    """Return a length that contains the last position read and keeps the wrap-around off the first output.

    With a circular boundary it is the length of x, and the wrap-around is what the boundary requires.
    """
    lo, hi = axis.span(0, axis.outputs)
    if axis.wraps_around:
        return axis.size
    return fast_length(max(hi, axis.size - min(lo, 0), axis.reach))


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if not spec.axes:
        return "there is no convolved axis to transform"
    return spectral.why_not(spec, lengths_of(spec), traits)


@planning()
def in_slabs(spec: Spec, traits: Traits) -> bool:
    """Whether to transform by slabs: one image by one kernel, real or complex.

    Of several images each thread transforms some, of a larger one pieces.
    """
    if traits.transforms not in THREAD_BOUND or traits.exact or len(spec.axes) < 2:
        return False
    real = spectral.is_real(traits)
    size = transform.spectrum_elements(lengths_of(spec), real) * traits.itemsize * (2 if real else 1)
    is_single = spec.batch == spec.groups == spec.channels == spec.filters == 1
    return is_single and size <= _MAX_SLAB_SIZE and not any(axis.wraps_around for axis in spec.axes)


def _cost(spec: Spec, traits: Traits) -> int:
    lengths = lengths_of(spec)
    if not in_slabs(spec, traits):
        return spectral_cost(spec, lengths, 1, traits)
    one = spectral_cost(spec, lengths, 1, traits._replace(threads=1))
    if prod(lengths) < parallel.THREADED:
        return int(_SLABS_SMALL[component(traits.accumulator)] * one)
    return int(one / parallel.speedup(traits.threads, parallel.SLABS_GAIN))


def spectral_cost(spec: Spec, lengths: tuple[int, ...], tiles: int, traits: Traits) -> int:
    """Return the nanoseconds of `tiles` transforms of `lengths` per row, products, inverses and the kernel included."""
    rate = primitive_costs(traits.row)
    limbs, products = spectral.limbs(traits), spectral.products(traits)
    rows = spec.batch * spec.groups * tiles
    transformed = rows * (limbs * spec.channels + products * spec.filters) * _transform_ps(rows, lengths, traits)
    if traits.transforms in THREAD_BOUND:
        threads = parallel.transform_threads(rows * prod(lengths), traits.threads)
        transformed /= parallel.speedup(threads, parallel.GAIN)
    moved = products * rows * spec.filters * spec.channels * prod(lengths) * 2 * spectral.working_itemsize(traits)
    calls = rate.call_ns * (20 + 12 * limbs + 8 * products)
    kernel = spectral_prepare_cost(spec, lengths, traits)
    return calls + kernel + int(transformed + moved * rate.pass_byte) // 1000


def spectral_prepare_cost(spec: Spec, lengths: tuple[int, ...], traits: Traits) -> int:
    """Return the nanoseconds of the kernel's transforms."""
    kernels = spec.groups * spec.filters * spec.channels
    skips_zeros = len(lengths) > 1 and 4 * spec.taps <= prod(lengths) and traits.backend != "jax"
    transforms = spectral.limbs(traits) * (kernels / 2 if skips_zeros else kernels)
    return int(transforms * _transform_ps(kernels, lengths, traits)) // 1000


def _work(spec: Spec, traits: Traits) -> Work:
    return spectral_work(spec, lengths_of(spec), 1, traits)


def spectral_work(spec: Spec, lengths: tuple[int, ...], tiles: int, traits: Traits) -> Work:
    """Count the array operations of `spectral_cost` on a GPU."""
    limbs, products, dims = spectral.limbs(traits), spectral.products(traits), len(lengths)
    rows = spec.batch * spec.groups * tiles * prod(lengths) * spectral.working_itemsize(traits)
    outputs = products * rows * spec.filters
    inverse = Work(products * (dims + 3), (2 * dims + 6) * outputs)
    product = Work(products * (2 * spec.channels - 1), 3 * spec.channels * outputs)
    rounding = Work(7 * products * traits.exact, 8 * outputs * traits.exact)
    forward = _forward_work(limbs, rows * spec.channels, dims)
    return total(forward, spectral_prepare_work(spec, lengths, traits), product, inverse, rounding)


def spectral_prepare_work(spec: Spec, lengths: tuple[int, ...], traits: Traits) -> Work:
    """Count the array operations of the kernel's transforms on a GPU."""
    kernels = spec.groups * spec.filters * spec.channels * prod(lengths) * spectral.working_itemsize(traits)
    return _forward_work(spectral.limbs(traits), kernels, len(lengths))


def _forward_work(limbs: int, nbytes: int, dims: int) -> Work:
    """Count padding and transforms of so many bytes, axis by axis, and the split of an integer into limbs."""
    return Work(limbs * 3 * dims + 8 * (limbs - 1), limbs * 5 * dims * nbytes + 8 * (limbs - 1) * nbytes)


def _prepare_work(spec: Spec, traits: Traits) -> Work:
    return spectral_prepare_work(spec, lengths_of(spec), traits)


def _transform_ps(rows: int, lengths: tuple[int, ...], traits: Traits) -> float:
    """Return the picoseconds of one real transform on one thread, among `rows` at a time."""
    factor, points = spectral.working_itemsize(traits) // 4, prod(lengths)
    lone = LONE if len(lengths) == 1 and rows < LANES else 1
    out_of_cache = 1.5 if 4 * factor * points > _CACHE_BYTES else 1
    return lone * out_of_cache * points * log2(points + 1) * primitive_costs(traits.row).fft_point * factor


def spectral_shares(spec: Spec, traits: Traits) -> bool:
    """Whether transforms can run on the calling thread alone: NumPy's do, a `THREAD_BOUND` provider's on request."""
    return traits.backend == "numpy" and (traits.transforms in THREAD_BOUND or not traits.transforms)


def _shares(spec: Spec, traits: Traits) -> bool:
    return spectral_shares(spec, traits) and not in_slabs(spec, traits)  # halves would overlap


def prepared_by(lengths: tuple[int, ...], spec: Spec) -> tuple[Any, ...]:
    """Return what the spectra of a kernel depend on."""
    return lengths, tuple(axis.dilation for axis in spec.axes)


def _workspace(spec: Spec, traits: Traits) -> int:
    return spectral_workspace(spec, lengths_of(spec), 1, traits)


def spectral_workspace(spec: Spec, lengths: tuple[int, ...], tiles: int, traits: Traits) -> int:
    """Return the peak in bytes: while the kernel, x or a product is transformed."""
    real = spectral.is_real(traits)
    frequencies = transform.spectrum_elements(lengths, real)
    size = spectral.working_itemsize(traits)
    spectrum = frequencies * (2 * size if real else size)
    samples = prod(lengths) * size
    limbs = spectral.limbs(traits)
    rows = spec.batch * spec.groups * tiles
    # The padded samples, the spectrum along some axes, and the spectra of all limbs; for integers also the limbs.
    forward = samples + (limbs + 1) * spectrum + limbs * samples * traits.exact
    kernels, x = spec.groups * spec.filters * spec.channels, rows * spec.channels
    # A product and the library's scratch, the result; for integers also the sum of the products so far.
    inverse = rows * spec.filters * (3 * spectrum + samples + 2 * samples * traits.exact)
    prepared = kernels * limbs * spectrum
    return max(kernels * forward, prepared + x * forward, prepared + x * limbs * spectrum + inverse)


def _prepare(kernel: Array, spec: Spec, context: Context) -> spectral.Spectra | Array:
    """Return the kernel's spectra; its taps where it is used once, and transformed by slabs as x is."""
    if context.single_use and _slabs(spec, context):
        return spectral.spread_taps(kernel, spec, context)
    return spectral.kernel_spectra(kernel, spec, lengths_of(spec), context)


def _slabs(spec: Spec, context: Context) -> Any:
    """Return the provider's convolution by slabs; None without one, or if the provider could not be imported."""
    return getattr(context.fft, "slabs", None) if in_slabs(spec, context.traits) else None


def _bind(spec: Spec, context: Context) -> Bound:
    slabs = _slabs(spec, context)
    if slabs is not None:
        convolution = _SlabConvolution(slabs, spec, context)
        return Bound(convolution.run, convolution.checked)
    read, shifts = (
        (..., *reads(spec)),
        [(n, -first_output(axis)) for n, axis in enumerate(spec.axes) if axis.wraps_around],
    )

    def run(x: Array, kernel: spectral.Spectra, out: Array | None) -> Array:
        y = spectral.convolve(x, kernel, context)
        for number, shift in shifts:
            y = context.xp.roll(y, shift, axis=LEADING + number)
        return y[read]

    return Bound(run)


class _SlabConvolution:
    """An image by a kernel or by its spectrum, transformed by slabs."""

    def __init__(self, slabs: Any, spec: Spec, context: Context) -> None:
        dtype, read, lengths = context.traits.accumulator, reads(spec), lengths_of(spec)
        x_shape, reach = spec.input_size, tuple(axis.reach for axis in spec.axes)
        self._by_taps, self._by_spectrum = (
            slabs.circular(x_shape, reach, dtype, lengths, read, is_spectrum=flag) for flag in (False, True)
        )

    def run(self, x: Any, kernel: Any, out: Any) -> Any:
        return self._convolved(x, kernel, False)

    def checked(self, x: Any, kernel: Any, out: Any) -> Any:
        return self._convolved(x, kernel, True)

    def _convolved(self, x: Any, kernel: Any, guarded: bool) -> Any:
        if isinstance(kernel, spectral.Spectra):
            y = self._by_spectrum.convolve(x[0, 0, 0], kernel.limbs[0][0, 0, 0], guarded=guarded)
        else:
            y = self._by_taps.convolve(x[0, 0, 0], kernel[0, 0, 0], guarded=guarded)
        return None if y is None else y[None, None, None]


def first_output(axis: Axis) -> int:
    """Return the index of the first output in the circular convolution with the reversed kernel."""
    return axis.reach - 1 - axis.before


def reads(spec: Spec) -> list[slice]:
    """Return the outputs in the circular convolution with the reversed kernel, rolled first along circular axes."""
    return [_read(axis) for axis in spec.axes]


def _read(axis: Axis) -> slice:
    first = 0 if axis.wraps_around else first_output(axis)
    return slice(first, first + axis.stride * (axis.outputs - 1) + 1, axis.stride)


def _depends_on(spec: Spec) -> tuple[Any, ...]:
    return prepared_by(lengths_of(spec), spec)


def _prepare_cost(spec: Spec, traits: Traits) -> int:
    return spectral_prepare_cost(spec, lengths_of(spec), traits)


fft = Algorithm(
    "fft",
    _why_not,
    _cost,
    _workspace,
    Preparation(
        per_call(_prepare),
        _depends_on,
        _prepare_cost,
        _prepare_work,
    ),
    _bind,
    accuracy="normwise",
    cuts=Cuts(extends=frozenset({"zero", "wrap"}), shares=_shares),
    spreads="overflow",
    work=_work,
)
