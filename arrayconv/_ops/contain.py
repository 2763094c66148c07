"""Contains non-finite and huge samples in methods that mix every sample with every other.

With an FFT one NaN contaminates the whole array, and it overflows where the direct sum does not. Around such a method:

1. `guard` replaces non-finite samples by zeros and scales by a power of two (exact), and returns both;
2. the method runs on the guarded data;
3. `restore` undoes the scale and writes NaN where a window contains a non-finite sample, by a windowed OR.

Where values may be read (`Traits.readable`) safe data is used as it is. Elsewhere, on a GPU or under a trace, the same
steps run without a branch. The windowed OR doubles its width at each step: log2(taps) passes over booleans, exact,
without a gradient.
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
from arrayconv._arrays.libraries import is_standard_only
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.traits import Traits
from arrayconv._ops.pad import along, extend
from arrayconv._ops.windows import LEADING
from arrayconv._problem.boundary import runs
from arrayconv._problem.spec import Axis, Spec

# Magnitudes are brought into [2^-48, 2^48]: two such operands and 2^30 terms stay below float32's 2^128.
_SAFE_EXPONENT = 48
_SAFE_MIN, _SAFE_MAX = 2.0**-_SAFE_EXPONENT, 2.0**_SAFE_EXPONENT
_ONE_THREAD = 1 << 12  # numbers up to which BLAS computes a dot product on the calling thread
_EXPONENTS = {"float32": (64, 32), "float64": (512, 256, 128, 64, 32)}  # of the candidate scales, largest first


Branch = Callable[[Array], Array]


class Guard(NamedTuple):
    """Guarded data, the `scale` it was multiplied by, and the `nonfinite` samples that became 0; None for no change."""

    data: Array
    scale: Array | None
    nonfinite: Array | None


def guard(data: Array, keep: int, traits: Traits, scales: bool, *, xp: Namespace) -> Guard:
    """Return finite `data`; with `scales` also scaled into the safe range, by one factor per index of `keep` axes."""
    if traits.readable and is_safe(data, scales, traits.backend, xp=xp):
        return Guard(data, None, None)
    nonfinite = ~xp.isfinite(data)
    finite = _with(0.0, nonfinite, data, traits, xp)
    if not scales:
        return Guard(finite, None, nonfinite)
    axes = tuple(range(keep, data.ndim))
    if kind(traits.accumulator) == "complex":  # |z| overflows where its parts do not
        real, imag = (xp.max(xp.abs(part), axis=axes, keepdims=True) for part in (xp.real(finite), xp.imag(finite)))
        largest = xp.where(real > imag, real, imag)
    else:
        largest = xp.max(xp.abs(finite), axis=axes, keepdims=True)
    scale = _scale(largest, traits.accumulator, xp)
    return Guard(finite * xp.astype(scale, finite.dtype), scale, nonfinite)


def _with(number: float, where: Array, data: Array, traits: Traits, xp: Namespace) -> Array:
    """Return data with a number at the places that `where` marks."""
    if is_standard_only(traits.backend):  # numbers are operands of `where` since the standard of 2024.12 only
        return xp.where(where, xp.full_like(data, number), data)
    return xp.where(where, number, data)


def is_safe(data: Any, scales: bool, backend: str, *, xp: Namespace) -> bool:
    """Whether every number is finite and, for a method that `scales`, of a magnitude that needs no scaling."""
    verdict = by_one_pass(data, scales, backend)
    if verdict is not None:
        return verdict
    if backend == "jax":
        data = _nan_to_infinity(data, xp)
    return 0 in data.shape or within_safe_range(magnitudes(data, xp), scales)


def by_one_pass(data: Any, scales: bool, backend: str, *, may_use_threads: bool = False) -> bool | None:
    """Return the result of `is_safe` where one pass over the numbers determines it, else None.

    A sum is finite only if every term is. The 2-norm is between the largest magnitude and sqrt(count) times that. Both
    may overflow; only the dot product with zeros can't. Without `may_use_threads` no thread of NumPy's BLAS is used,
    since it would compete with threads that transform or run other pieces.
    """
    if backend == "numpy" and scales:
        return (data.size <= _ONE_THREAD and _is_moderate(sqrt(abs(np.vdot(data, data))), data.size)) or None
    if backend == "numpy":
        if data.size <= _ONE_THREAD:
            return bool(np.vdot(data, _zeros(data.size, data.dtype)) == 0)
        return isfinite(np.vdot(data, data) if may_use_threads and data.flags.c_contiguous else np.sum(data)) or None
    if backend != "torch":
        return None
    if not scales:
        return isfinite(data.sum()) or None
    torch = sys.modules["torch"]
    if data.is_complex():  # the norm of a complex tensor takes a hundred times as long
        data = torch.view_as_real(data.resolve_conj())
    return _is_moderate(float(torch.linalg.vector_norm(data)), prod(data.shape)) or None


def _is_moderate(norm: float, count: int) -> bool:
    """Whether the rounded 2-norm of `count` numbers shows that the largest magnitude is in the safe range."""
    return 2 * _SAFE_MIN * sqrt(count) <= norm <= _SAFE_MAX / 2


@lru_cache
def _zeros(count: int, dtype: Any) -> Any:
    return np.zeros(count, dtype)


def run(bound: Any, data: Array, kernel: Kernel, task: Contained, out: Array | None) -> Array:
    """Return the result of a method that spreads non-finite numbers or overflow, contained.

    Where the method itself, or its result, shows that there was nothing to contain, the data is not inspected. A
    non-finite sample contaminates at least the outputs whose window contains it, and such a tap all outputs of its
    filter: so if every output is finite, none was read.
    """
    y = _checked(bound, data, kernel, task, out)
    return _guarded(bound, data, kernel, task, out) if y is None else y


class Kernel(Protocol):
    """The kernel of a piece, prepared by the method as it is, or guarded first."""

    def plain(self) -> Any: ...

    def guarded(self) -> tuple[Guard, Any]: ...


class Contained(NamedTuple):
    """The spec of a piece, and whether its method `scales`: its sums may overflow where the definition's do not."""

    spec: Spec
    context: Any  # of the method
    scales: bool


def _checked(bound: Any, data: Array, kernel: Kernel, task: Contained, out: Array | None) -> Array | None:
    """Return the method's result on unguarded data; None where the data must be guarded."""
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
    """Whether a program decides at run time to guard data: a JAX program on a CPU, for a method that `scales`.

    The method is short enough to compile both branches. Elsewhere data of unknown values is always guarded.
    """
    return traits.backend == "jax" and traits.traced and traits.device == "cpu" and scales and 0 not in data.shape


def _cond_guarded(data: Array, plain: Branch, guarded: Branch, traits: Traits, *, xp: Namespace) -> Array:
    """Return a conditional of the program: `plain` of data in the safe range, `guarded` of any other."""
    parts = [xp.real(data), xp.imag(data)] if kind(traits.accumulator) == "complex" else [data]
    within_safe_range: Any = True
    for part in parts:
        largest = xp.max(xp.abs(_nan_to_infinity(part, xp)))
        within_safe_range = within_safe_range & (largest <= _SAFE_MAX) & ((largest >= _SAFE_MIN) | (largest == 0))
    return sys.modules["jax"].lax.cond(within_safe_range, plain, guarded, data)


def _nan_to_infinity(data: Array, xp: Namespace) -> Array:
    """Return data with NaN as infinity: on a CPU XLA's maximum of several thousand numbers ignores NaN."""
    return xp.where(xp.isnan(data), xp.full_like(data, float("inf")), data)


def magnitudes(data: Array, xp: Namespace) -> list[float]:
    """Return the largest magnitude of the numbers, or of their real and imaginary parts; NaN where one is."""
    is_complex = kind(dtype_name(data.dtype)) == "complex"
    parts = [xp.real(data), xp.imag(data)] if is_complex else [data]
    return [max(float(xp.max(part)), -float(xp.min(part))) for part in parts]


def within_safe_range(magnitudes: Sequence[float], scales: bool) -> bool:
    """Whether numbers are finite and, for a method that scales, need no scaling, given the magnitudes of all parts."""
    if not all(map(isfinite, magnitudes)):
        return False
    largest = max(magnitudes)
    return not scales or largest == 0 or _SAFE_MIN <= largest <= _SAFE_MAX


def _scale(largest: Array, accumulator: str, xp: Namespace) -> Array:
    """Return the power of two that brings `largest` near 1, by comparisons alone: exact in every library."""
    scale = one = xp.ones_like(largest)
    for exponent in _EXPONENTS[component(accumulator)]:
        too_big, too_small = largest > 2.0 ** (exponent // 2), largest < 2.0 ** -(exponent // 2)
        factor = xp.where(too_big, 2.0**-exponent * one, xp.where(too_small, 2.0**exponent * one, one))
        scale, largest = scale * factor, largest * factor
    return scale


def restore(y: Array, x: Guard, kernel: Guard, spec: Spec, context: Any) -> Array:
    """Return the method's result y (batch, groups, filters, *out) as if the data had not been guarded."""
    if x.scale is x.nonfinite is kernel.scale is kernel.nonfinite is None:
        return y
    xp: Namespace = context.xp
    for factor in _inverse_scales(x.scale, kernel.scale, xp):
        y = y * xp.astype(factor, y.dtype)
    outputs = _contaminated_outputs(x.nonfinite, spec, context)
    filters = _contaminated_filters(kernel.nonfinite, xp)
    contaminated = filters if outputs is None else outputs if filters is None else outputs | filters
    return y if contaminated is None else _with(float("nan"), contaminated, y, context.traits, xp)


def _inverse_scales(x: Array | None, kernel: Array | None, xp: Namespace) -> list[Array]:
    """Return the factors that undo both scales, each (batch, groups, filters, 1, ...) or broadcasting to it.

    Two scales of one direction are undone in two steps, since their product may leave the range; two of opposite
    directions in one, since the first alone might.
    """
    factors = [] if x is None else [1 / x]  # (B, G, 1, ...)
    if kernel is not None:  # (G, O, 1, ...) -> (1, G, O, ...), without the channel axis and with a batch axis
        factors.append(1 / xp.expand_dims(xp.squeeze(kernel, axis=2), axis=0))
    if len(factors) < 2:
        return factors
    first, second = factors
    opposite = ((first > 1) & (second < 1)) | ((first < 1) & (second > 1))
    joined = xp.where(opposite, second, xp.ones_like(second))
    return [first * joined, xp.where(opposite, xp.ones_like(second), second)]


def _contaminated_filters(nonfinite: Array | None, xp: Namespace) -> Array | None:
    """Return the filters with a non-finite tap, which contaminates all their outputs: (1, groups, filters, 1, ...)."""
    if nonfinite is None:
        return None
    flags = xp.any(nonfinite, axis=tuple(range(2, nonfinite.ndim)), keepdims=True)
    return xp.expand_dims(xp.squeeze(flags, axis=2), axis=0)


def _contaminated_outputs(nonfinite: Array | None, spec: Spec, context: Any) -> Array | None:
    """Return the outputs with a non-finite sample in their window: (batch, groups, 1, *out)."""
    if nonfinite is None:
        return None
    flags = context.xp.any(nonfinite, axis=2, keepdims=True)
    for number, axis in enumerate(spec.axes):
        flags = _windowed_any(flags, LEADING + number, axis, context.xp, context.device)
    return flags


def _upsampled(flags: Array, number: int, upsample: int, xp: Namespace) -> Array:
    """Return flags with False between neighbours: the zeros there are finite."""
    shape, between = flags.shape, xp.zeros_like(flags)
    spread = xp.stack([flags, *[between] * (upsample - 1)], axis=number + 1)
    flags = xp.reshape(spread, (*shape[:number], shape[number] * upsample, *shape[number + 1 :]))
    return flags[along(number, slice(0, flags.shape[number] - upsample + 1))]


def _windowed_any(flags: Array, number: int, axis: Axis, xp: Namespace, device: Any) -> Array:
    if axis.upsample > 1:
        flags = _upsampled(flags, number, axis.upsample, xp)
    samples = runs(flags.shape[number], *axis.span(0, axis.outputs), axis.boundary)
    flags = extend(flags, number, samples, False, xp=xp, device=device)  # False: the fill is finite
    positions = axis.stride * (axis.outputs - 1) + 1
    covered = 1  # flags[i] is the OR of `covered` samples from i on, at the dilation
    while covered < axis.taps:
        shift = min(covered, axis.taps - covered)
        offset, size = axis.dilation * shift, flags.shape[number]
        flags = flags[along(number, slice(0, size - offset))] | flags[along(number, slice(offset, size))]
        covered += shift
    return flags[along(number, slice(0, positions, axis.stride))]
