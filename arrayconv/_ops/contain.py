"""Keeps non-finite and huge samples from spreading through methods that mix every sample with every other.

An FFT smears one NaN over the whole array and overflows where the direct sum would not. Around such a method:

1. `guard` zeroes the non-finite samples and scales by a power of two (exact), remembering both;
2. the method runs on the guarded data;
3. `restore` undoes the scale and writes NaN where a window held a bad sample, found by a windowed OR.

Where values may be read (`Traits.readable`) nothing is done to data that needs nothing. Elsewhere, on a GPU or
under a trace, the same steps run branch-free. A window's OR doubles its width at each step: log2(taps) passes
over booleans, exact, without a gradient.
"""

from __future__ import annotations

import sys
from cmath import isfinite
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod, sqrt
from typing import Any, NamedTuple, Protocol

import numpy as np

from arrayconv._arrays.array import Array
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import component, kind
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.traits import Traits
from arrayconv._ops.pad import along, extend
from arrayconv._ops.windows import LEADING
from arrayconv._problem.boundary import runs
from arrayconv._problem.spec import Axis, Spec

# Magnitudes are brought into [2^-48, 2^48]: two such operands and 2^30 terms stay below float32's 2^128.
_SAFE_EXPONENT = 48
_LEAST, _MOST = 2.0**-_SAFE_EXPONENT, 2.0**_SAFE_EXPONENT
_FEW = 1 << 12  # numbers of which BLAS sums the products on the thread that calls it
_STEPS = {"float32": (64, 32), "float64": (512, 256, 128, 64, 32)}  # powers of two tried, largest first


Branch = Callable[[Array], Array]


class Guard(NamedTuple):
    """Guarded data, and what to undo: `scale` multiplied in, `bad` samples zeroed; None where nothing was done."""

    data: Array
    scale: Array | None
    bad: Array | None


def guard(data: Array, keep: int, traits: Traits, scales: bool, *, xp: Namespace) -> Guard:
    """Return `data` safe for a smearing method; where that `scales`, one factor for all axes after the first `keep`."""
    if traits.readable and is_safe(data, scales, traits.backend, xp=xp):
        return Guard(data, None, None)
    bad = ~xp.isfinite(data)
    clean = xp.where(bad, xp.zeros_like(data), data)
    if not scales:
        return Guard(clean, None, bad)
    axes = tuple(range(keep, data.ndim))
    if kind(traits.accumulator) == "complex":  # |z| overflows where its parts do not
        real, imag = (xp.max(xp.abs(part), axis=axes, keepdims=True) for part in (xp.real(clean), xp.imag(clean)))
        largest = xp.where(real > imag, real, imag)
    else:
        largest = xp.max(xp.abs(clean), axis=axes, keepdims=True)
    scale = _scale(largest, traits.accumulator, xp)
    return Guard(clean * xp.astype(scale, clean.dtype), scale, bad)


def is_safe(data: Any, scales: bool, backend: str, *, xp: Namespace) -> bool:
    """Whether every number is finite and, for a method that `scales`, of a magnitude that needs no scaling."""
    told = by_one_pass(data, scales, backend)
    if told is not None:
        return told
    if backend == "jax":
        data = _nan_to_infinity(data, xp)
    return 0 in data.shape or within_safe_range(magnitudes(data, xp), scales)


def by_one_pass(data: Any, scales: bool, backend: str, *, may_use_threads: bool = False) -> bool | None:
    """Return what `is_safe` does where one pass over the numbers tells, None where it leaves the answer open.

    A sum is finite only if every term is. The 2-norm lies between the largest magnitude and sqrt(count) times that. But
    either may overflow, and only zeros times the numbers can't. Unless it `may_use_threads`, none is woken of
    NumPy's BLAS, which would get in the way of those that transform or run other pieces.
    """
    if backend == "numpy" and scales:
        return (data.size <= _FEW and _is_moderate(sqrt(abs(np.vdot(data, data))), data.size)) or None
    if backend == "numpy":
        if data.size <= _FEW:
            return bool(np.vdot(data, _zeros(data.size, data.dtype)) == 0)
        return isfinite(np.vdot(data, data) if may_use_threads and data.flags.c_contiguous else np.sum(data)) or None
    if backend != "torch":
        return None
    if not scales:
        return isfinite(data.sum()) or None
    torch = sys.modules["torch"]
    if data.is_complex():  # whose own norm takes a hundred times as long
        data = torch.view_as_real(data.resolve_conj())
    return _is_moderate(float(torch.linalg.vector_norm(data)), prod(data.shape)) or None


def _is_moderate(norm: float, count: int) -> bool:
    """Whether the 2-norm of so many numbers, rounded, shows that the largest magnitude is comfortable."""
    return 2 * _LEAST * sqrt(count) <= norm <= _MOST / 2


@lru_cache
def _zeros(count: int, dtype: Any) -> Any:
    return np.zeros(count, dtype)


def run(bound: Any, data: Array, kernel: Kernel, task: Contained, out: Array | None) -> Array:
    """Return what a method that spreads bad numbers makes of a piece.

    Where the method can tell on its way, or by its result, that nothing had to be contained, the numbers are not looked
    at. A bad sample spoils, with others, the outputs whose window holds it, and a bad tap all outputs of its filter: so
    where every output is finite none was read.
    """
    y = _checked(bound, data, kernel, task, out)
    return _guarded(bound, data, kernel, task, out) if y is None else y


class Kernel(Protocol):
    """The kernel of a piece: what the method prepares of it as it is, and guarded."""

    def plain(self) -> Any: ...

    def guarded(self) -> tuple[Guard, Any]: ...


class Contained(NamedTuple):
    """What a piece is, and whether its method `scales`: where sums may overflow that the definition's would not."""

    spec: Spec
    context: Any  # the method's
    scales: bool


def _checked(bound: Any, data: Array, kernel: Kernel, task: Contained, out: Array | None) -> Array | None:
    """Return what the method makes of the numbers as they are; None where those have to be guarded."""
    context = task.context
    if bound.checked is not None:
        return bound.checked(data, kernel.plain(), out)
    if task.scales or context.traits.backend != "numpy":
        return None
    y: Any = bound.run(data, kernel.plain(), out)
    return y if by_one_pass(y, False, "numpy", may_use_threads=context.may_use_threads) else None


def _guarded(bound: Any, data: Array, kernel: Kernel, task: Contained, out: Array | None) -> Array:
    spec, context, scales = task
    taps, constants = kernel.guarded()

    def restored(x: Guard) -> Array:
        return restore(bound.run(x.data, constants, out), x, taps, spec, context)

    if not _decides_at_run_time(data, context.traits, scales):
        return restored(guard(data, 2, context.traits, scales, xp=context.xp))

    def plain(data: Array) -> Array:
        return restored(Guard(data, None, None))

    def guarded(data: Array) -> Array:
        return restored(guard(data, 2, context.traits, scales, xp=context.xp))

    return _cond_guarded(data, plain, guarded, context.traits, xp=context.xp)


def _decides_at_run_time(data: Array, traits: Traits, scales: bool) -> bool:
    """Whether a program decides as it runs whether data is guarded: one of JAX for a CPU, by a method that `scales`.

    It is short enough to be there twice. Elsewhere data of unknown values is always guarded.
    """
    return traits.backend == "jax" and traits.traced and traits.device == "cpu" and scales and 0 not in data.shape


def _cond_guarded(data: Array, plain: Branch, guarded: Branch, traits: Traits, *, xp: Namespace) -> Array:
    """Return what `plain` makes of data that needs no guard, what `guarded` makes of any other: a program decides."""
    parts = [xp.real(data), xp.imag(data)] if kind(traits.accumulator) == "complex" else [data]
    within_safe_range: Any = True
    for part in parts:
        largest = xp.max(xp.abs(_nan_to_infinity(part, xp)))
        within_safe_range = within_safe_range & (largest <= _MOST) & ((largest >= _LEAST) | (largest == 0))
    return sys.modules["jax"].lax.cond(within_safe_range, plain, guarded, data)


def _nan_to_infinity(data: Array, xp: Namespace) -> Array:
    """Return numbers whose largest magnitude tells of NaN: XLA's maximum of some thousand on a CPU passes it over."""
    return xp.where(xp.isnan(data), xp.full_like(data, float("inf")), data)


def magnitudes(data: Array, xp: Namespace) -> list[float]:
    """Return the largest magnitude of the numbers, or of their real and imaginary parts; NaN where one is."""
    is_complex = kind(dtype_name(data.dtype)) == "complex"
    parts = [xp.real(data), xp.imag(data)] if is_complex else [data]
    return [max(float(xp.max(part)), -float(xp.min(part))) for part in parts]


def within_safe_range(magnitudes: Sequence[float], scales: bool) -> bool:
    """Whether numbers are finite and, for a method that scales, need no scaling, by the magnitudes of all parts."""
    if not all(map(isfinite, magnitudes)):
        return False
    largest = max(magnitudes)
    return not scales or largest == 0 or _LEAST <= largest <= _MOST


def _scale(largest: Array, accumulator: str, xp: Namespace) -> Array:
    """Return the power of two that brings `largest` near 1, by comparisons alone: exact on every library."""
    scale = one = xp.ones_like(largest)
    for power in _STEPS[component(accumulator)]:
        too_big, too_small = largest > 2.0 ** (power // 2), largest < 2.0 ** -(power // 2)
        factor = xp.where(too_big, 2.0**-power * one, xp.where(too_small, 2.0**power * one, one))
        scale, largest = scale * factor, largest * factor
    return scale


def restore(y: Array, x: Guard, kernel: Guard, spec: Spec, context: Any) -> Array:
    """Return the method's result y (batch, groups, filters, *out) as if the data had not been guarded."""
    if x.scale is x.bad is kernel.scale is kernel.bad is None:
        return y
    xp: Namespace = context.xp
    for factor in _inverse_scales(x.scale, kernel.scale, xp):
        y = y * xp.astype(factor, y.dtype)
    for bad in (_contaminated_outputs(x.bad, spec, context), _contaminated_filters(kernel.bad, xp)):
        if bad is not None:
            y = xp.where(bad, xp.full_like(y, float("nan")), y)
    return y


def _inverse_scales(x: Array | None, kernel: Array | None, xp: Namespace) -> list[Array]:
    """Return the factors that undo both scales, each (batch, groups, filters, 1, ...) or broadcasting to it.

    Two scales of one direction are undone one after the other, since their product may leave the range; two of
    opposite directions at once, since the first alone might.
    """
    factors = [] if x is None else [1 / x]  # (B, G, 1, ...)
    if kernel is not None:  # (G, O, 1, ...) -> (1, G, O, ...), the channel axis gives its place to the batch
        factors.append(1 / xp.expand_dims(xp.squeeze(kernel, axis=2), axis=0))
    if len(factors) < 2:
        return factors
    first, second = factors
    opposite = ((first > 1) & (second < 1)) | ((first < 1) & (second > 1))
    joined = xp.where(opposite, second, xp.ones_like(second))
    return [first * joined, xp.where(opposite, xp.ones_like(second), second)]


def _contaminated_filters(bad: Array | None, xp: Namespace) -> Array | None:
    """Return which filters hold a bad tap, and so spoil all their outputs: (1, groups, filters, 1, ...)."""
    if bad is None:
        return None
    spoilt = xp.any(bad, axis=tuple(range(2, bad.ndim)), keepdims=True)
    return xp.expand_dims(xp.squeeze(spoilt, axis=2), axis=0)


def _contaminated_outputs(bad: Array | None, spec: Spec, context: Any) -> Array | None:
    """Return which outputs have a bad sample in their window: (batch, groups, 1, *out)."""
    if bad is None:
        return None
    touched = context.xp.any(bad, axis=2, keepdims=True)
    for number, axis in enumerate(spec.axes):
        touched = _windowed_any(touched, LEADING + number, axis, context.xp, context.device)
    return touched


def _windowed_any(flags: Array, number: int, axis: Axis, xp: Namespace, device: Any) -> Array:
    read = runs(axis.size, *axis.span(0, axis.outputs), axis.boundary)  # beyond the ends nothing is bad
    flags = extend(flags, number, read, False, xp=xp, device=device)
    positions = axis.stride * (axis.outputs - 1) + 1
    covered = 1  # flags[i] is the OR of `covered` samples from i on, dilation apart
    while covered < axis.taps:
        shift = min(covered, axis.taps - covered)
        offset, size = axis.dilation * shift, flags.shape[number]
        flags = flags[along(number, slice(0, size - offset))] | flags[along(number, slice(offset, size))]
        covered += shift
    return flags[along(number, slice(0, positions, axis.stride))]
