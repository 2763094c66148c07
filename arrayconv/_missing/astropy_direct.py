"""What `astropy.convolution.convolve` computes, of arguments that are parsed."""

from __future__ import annotations

from typing import Any

from arrayconv._arrays.chunks import is_graph
from arrayconv._calls import dry_run
from arrayconv._errors import flag, shown
from arrayconv._missing import astropy_padding as padding
from arrayconv._missing import astropy_sums as computed
from arrayconv._missing.astropy_arguments import BOUNDARIES, Arguments, size_error, warn
from arrayconv._missing.astropy_sums import Treatment
from arrayconv._problem.axes import real
from arrayconv._runtime.tracing import shape_of

_FUNCTION = "convolve"


def convolve(
    arguments: Arguments,
    boundary: Any,
    fill_value: Any,
    nan_treatment: str,
    normalize_kernel: Any,
    preserve_nan: Any,
    normalization_zero_tol: Any,
) -> Any:
    """Return the result in the dtype of the sums."""
    xp, device = arguments.xp, arguments.device
    normalize, preserve = bool(normalize_kernel), flag(_FUNCTION, "preserve_nan", preserve_nan)
    fill, tolerance = (
        real(_FUNCTION, "fill_value", fill_value),
        real(_FUNCTION, "normalization_zero_tol", normalization_zero_tol),
    )
    rule = _boundary(boundary)
    _check_shapes(arguments, boundary)
    missing = computed.gaps(arguments, infinite=False)
    treatment = Treatment(rule, computed.outside(rule, fill), valid=boundary is None)
    nothing_outside = boundary == "fill" and treatment.fill_value is None
    interpolates = nan_treatment == "interpolate" and (missing is not None or nothing_outside)
    total = _divisor(arguments, normalize, interpolates, tolerance)
    if interpolates:
        y, _ = computed.means(_FUNCTION, arguments, arguments.where, treatment)
        y = y if normalize else computed.scaled(y, total, xp=xp)
    else:
        x = computed.filled(arguments, missing, fill)
        y = computed.sums(_FUNCTION, arguments, x, treatment._replace(fill_value=fill), total if normalize else None)
    if boundary is None:
        y = padding.embedded(y, shape_of(arguments.x), xp=xp, device=device)
    is_readable = arguments.readable and not (is_graph(y) or dry_run.is_active())
    if interpolates and not preserve and is_readable and bool(xp.any(xp.isnan(y))):
        warn(
            "nan_treatment='interpolate', however, NaN values detected post convolution. A contiguous region of NaN "
            "values, larger than the kernel size, are present in the input array. Increase the kernel size to avoid "
            "this."
        )
    return computed.filled(arguments._replace(x=y), missing, float("nan")) if preserve else y


def _boundary(boundary: Any) -> str:
    """Return our name of a boundary; nothing outside the array is read with None."""
    if boundary is None:
        return "constant"
    if not isinstance(boundary, str) or boundary not in BOUNDARIES:
        options = [None, *BOUNDARIES]
        raise ValueError(f"{_FUNCTION}: `boundary` must be one of {options}. Got {shown(boundary)}.")
    return BOUNDARIES[boundary]


def _check_shapes(arguments: Arguments, boundary: Any) -> None:
    shape, taps = shape_of(arguments.x), shape_of(arguments.kernel)
    if not shape:
        raise ValueError(f"{_FUNCTION}: cannot convolve 0-dimensional arrays. Got shape (). Pass one axis or more.")
    if len(shape) != len(taps):
        raise ValueError(
            f"{_FUNCTION}: array and kernel have differing number of dimensions. Got shapes {shape} and {taps}."
        )
    if 0 in shape or 0 in taps:
        raise ValueError(f"{_FUNCTION}: cannot convolve empty array. Got shapes {shape} and {taps}.")
    if any(size % 2 == 0 for size in taps):
        raise size_error(
            f"{_FUNCTION}: Kernel size must be odd in all axes. Got shape {taps}. Add a zero, or use convolve_fft."
        )
    if boundary is None and any(n < k for n, k in zip(shape, taps, strict=True)):
        raise size_error(
            f"{_FUNCTION}: for boundary=None all kernel axes must be smaller than array's. Got {taps} for {shape}. "
            f"Use boundary in ['fill', 'extend', 'wrap'] instead."
        )


def _divisor(arguments: Arguments, normalize: bool, interpolates: bool, tolerance: float) -> Any:
    """Return the sum of the taps; ValueError where it must not be zero and is."""
    if not (normalize or interpolates):
        return None
    total, is_zero = computed.tap_sum(arguments, tolerance)
    if not is_zero:
        return total
    if interpolates:
        raise ValueError(
            "Setting nan_treatment='interpolate' requires the kernel to be normalized, but the input kernel has a sum "
            f"close to zero. For a zero-sum kernel and data with NaNs, set nan_treatment='fill'. Got a sum of {total}."
        )
    raise ValueError(
        f"{_FUNCTION}: the kernel can't be normalized, because its sum is close to zero. Got {total}, up to the "
        f"tolerance {tolerance}. For a zero-sum kernel, set normalize_kernel=False."
    )
