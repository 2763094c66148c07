"""Convolution of whole arrays through their spectra, with exact integers; `fft` and `overlap_save` share it.

Integers are split into balanced 16-bit limbs, x = sum_i x_i 2^(16 i) with |x_i| <= 2^15, convolved in float64 and
rounded. Only pairs with i + j below the number of limbs matter; the others are multiples of the modulus. Rounding is
right while the error bound is below 1/2; `rounding_bound` computes it, and methods refuse from there on.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt
from typing import Any, NamedTuple

from arrayconv._arrays import dtypes
from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.traits import Traits
from arrayconv._ops import transform, windows
from arrayconv._ops.windows import LEADING, spread
from arrayconv._problem.spec import Spec

LIMB_BITS = 16


class Spectra(NamedTuple):
    """The kernel's spectrum, one per limb (a single one for floats), and its lengths."""

    limbs: list[Array]
    lengths: tuple[int, ...]


def limbs(traits: Traits) -> int:
    """Count the limbs of one number: 1 for floats and up to 16 bits, 2 for int32, 4 for int64."""
    return max(1, 8 * traits.itemsize // LIMB_BITS) if traits.exact else 1


def products(traits: Traits) -> int:
    """Count the pairs of limbs whose product is no multiple of the modulus."""
    return limbs(traits) * (limbs(traits) + 1) // 2


def is_real(traits: Traits) -> bool:
    """Whether the data is real, so that half of its spectrum is enough."""
    return dtypes.kind(traits.accumulator) != "complex"


def working_itemsize(traits: Traits) -> int:
    """Return the bytes of one real or complex sample in a transform: float64 for integers."""
    return 8 if traits.exact else traits.itemsize


def rounding_bound(spec: Spec, lengths: Sequence[int], traits: Traits) -> float:
    """Bound the absolute error of one product of limbs, before it is rounded.

    The forward transforms, the product and the additions over channels are bounded output by output (Cauchy-Schwarz on
    the spectra). The error of the inverse, bounded by norm, is assumed to be spread evenly over the outputs.
    """
    magnitude = 2.0 ** min(LIMB_BITS - 1, 8 * traits.itemsize - 1)
    norms = magnitude**2 * spec.channels * sqrt(prod(lengths)) * sqrt(spec.taps)
    return dtypes.eps("float64") * (transform.error_factor(lengths) + spec.channels / 2) * norms


def why_not(spec: Spec, lengths: Sequence[int], traits: Traits) -> str | None:
    """Return why transforms of `lengths` can't be used: there are none, or integers would not be exact; else None."""
    if not traits.has_fft:
        return f"{traits.library} does not have the standard's optional `fft` extension"
    if not traits.exact:
        return None
    if not traits.float64:
        return f"exact integers by FFT need float64, which the {traits.backend} device {traits.device} does not have"
    bound = rounding_bound(spec, lengths, traits)
    if bound >= 0.5:
        return (
            f"integers would not be exact: the rounding bound is {bound:.2g}, not below 0.5, for transforms of "
            f"{tuple(lengths)}, {spec.channels} channels and {spec.taps} taps"
        )
    return None


def spread_taps(kernel: Array, spec: Spec, context: Any) -> Array:
    """Return w reversed, so that a correlation is a product of spectra, with zeros between dilated taps."""
    xp: Namespace = context.xp
    kernel = windows.reversed_taps(kernel, xp)
    for number, axis in enumerate(spec.axes):
        kernel = spread(kernel, LEADING + number, axis.dilation, xp=xp, device=context.device)
    return kernel


def kernel_spectra(kernel: Array, spec: Spec, lengths: Sequence[int], context: Any) -> Spectra:
    """Return the spectra of w reversed, with zeros between dilated taps."""
    return Spectra(_forward(spread_taps(kernel, spec, context), lengths, context), tuple(lengths))


def convolve(x: Array, kernel: Spectra, context: Any) -> Array:
    """Return the circular convolution (B, G, O, *lengths) of x (B, G, C, *n), zero-padded, with the kernel."""
    spectra = _forward(x, kernel.lengths, context)
    if not context.traits.exact:
        is_single = x.shape[2] == kernel.limbs[0].shape[1] == 1
        if is_single and context.traits.writable and not context.traits.traced:
            spectra[0] *= kernel.limbs[0][None, :, :, 0, ...]  # in place: allocating new memory takes long
            return _inverse(spectra[0], kernel, context)
        return _inverse(_product(spectra[0], kernel.limbs[0]), kernel, context)
    total = None
    count = len(kernel.limbs)
    for order in range(count):
        for i in range(order + 1):  # rounded product by product: the bound is of each, not of their sum
            term = _rounded(_inverse(_product(spectra[i], kernel.limbs[order - i]), kernel, context), context)
            term = term << (LIMB_BITS * order) if order else term
            total = term if total is None else total + term
    assert total is not None
    return total


def _forward(x: Array, lengths: Sequence[int], context: Any) -> list[Array]:
    real, fft = is_real(context.traits), context.fft
    # XLA and CuPy transform last axes, and would return a transposed array after others.
    by_axes = context.traits.backend not in ("jax", "cupy")
    return [transform.forward(limb, lengths, real=real, fft=fft, by_axes=by_axes) for limb in _limbs(x, context)]


def _inverse(spectrum: Array, kernel: Spectra, context: Any) -> Array:
    return transform.inverse(spectrum, kernel.lengths, real=is_real(context.traits), fft=context.fft)


def _product(x: Array, kernel: Array) -> Array:
    """Return sum_c X[b, g, c] * W[g, o, c] at every frequency: (B, G, O, *f)."""
    total = x[:, :, 0:1, ...] * kernel[None, :, :, 0, ...]
    for channel in range(1, x.shape[2]):
        total += x[:, :, channel : channel + 1, ...] * kernel[None, :, :, channel, ...]
    return total


def _limbs(x: Array, context: Any) -> list[Array]:
    """Return [x] for floats, the balanced limbs of integers as float64, lowest first."""
    xp: Namespace = context.xp
    if not context.traits.exact:
        return [x]
    parts: list[Array] = []
    half = 1 << (LIMB_BITS - 1)
    for _ in range(limbs(context.traits) - 1):
        low = ((x + half) & (2 * half - 1)) - half
        parts.append(low)
        x = (x - low) >> LIMB_BITS
    return [xp.astype(part, xp.float64) for part in (*parts, x)]


def _rounded(y: Array, context: Any) -> Array:
    """Return y rounded to integers modulo the accumulator's width."""
    xp: Namespace = context.xp
    integers = xp.astype(xp.round(y), xp.int64)  # below 2^53, so always in int64's range
    return xp.astype(integers, getattr(xp, context.traits.accumulator))
