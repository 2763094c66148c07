"""What `astropy.convolution.convolve_fft` computes, of arguments that are parsed, by any method."""

from __future__ import annotations

from functools import partial
from operator import invert
from typing import Any, NamedTuple

from arrayconv._arrays import dtypes
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.identify import library
from arrayconv._arrays.namespace import namespace_of
from arrayconv._calls import dry_run
from arrayconv._errors import flag, shown
from arrayconv._missing import astropy_padding as padding
from arrayconv._missing import astropy_sums as computed
from arrayconv._missing.astropy_arguments import Arguments, warn
from arrayconv._missing.astropy_padding import Padding
from arrayconv._missing.astropy_sums import Treatment
from arrayconv._problem.axes import real
from arrayconv._runtime.tracing import shape_of

_FUNCTION = "convolve_fft"


class Options(NamedTuple):
    """The options of a call, as they were passed."""

    boundary: Any
    fill_value: Any
    nan_treatment: str
    normalize_kernel: Any
    normalization_zero_tol: Any
    preserve_nan: Any
    crop: Any
    return_fft: Any
    fft_pad: Any
    psf_pad: Any
    min_wt: Any
    allow_huge: Any
    fftn: Any
    dealias: Any


def convolve(arguments: Arguments, options: Options) -> Any:
    """Return the result in the dtype of the sums."""
    xp, device = arguments.xp, arguments.device
    fill = real(_FUNCTION, "fill_value", options.fill_value)
    crop, preserve = flag(_FUNCTION, "crop", options.crop), flag(_FUNCTION, "preserve_nan", options.preserve_nan)
    arguments = arguments._replace(kernel=_finite(arguments.kernel))
    around = _padding(arguments, options)
    missing = computed.gaps(arguments, infinite=True)
    outside = 0 if options.boundary == "wrap" else computed.finite_outside("constant", fill)
    interpolates = options.nan_treatment == "interpolate"
    scale, total = _scale(arguments, options, interpolates and (missing is not None or outside is None))
    x = computed.filled(arguments, missing, 0 if interpolates else fill)
    if flag(_FUNCTION, "return_fft", options.return_fft):
        big = padding.padded(x, around, outside or 0, xp=xp, device=device)
        y = padding.transformed(big, arguments.kernel, around, options.fftn, xp=xp, device=device)
        return y if scale is None else y / scale
    shape, whole = shape_of(arguments.x), arguments._replace(x=x)
    treatment = Treatment("wrap" if around.wraps else "constant", outside, real(_FUNCTION, "min_wt", options.min_wt))
    is_padded = not (around.is_linear and crop)
    gaps = missing
    if is_padded:
        whole, gaps = _padded(whole, missing, around, outside)
        treatment = treatment._replace(boundary="wrap")
    if interpolates and (gaps is not None or outside is None or treatment.min_weight):
        y, weight = computed.means(_FUNCTION, whole, _inverted(gaps, xp), treatment, weighs=True)
        if not treatment.min_weight:
            y = dry_run.elementwise(partial(_zero_without, xp), y, weight, xp=xp)
        factor = 1 if scale is total else total if scale is None else total / scale
        y = y if scale is total else computed.scaled(y, factor, xp=xp)
    else:
        y = computed.sums(_FUNCTION, whole, whole.x, treatment, scale)
    if preserve and missing is not None:
        flags = _padded_flags(missing, around, xp, device) if is_padded else missing
        y = computed.filled(whole._replace(x=y), flags, float("nan"))
    return padding.cropped(y, around, shape) if is_padded and crop else y


def _zero_without(xp: Any, y: Any, weight: Any) -> Any:
    return xp.where(weight == 0, xp.zeros_like(y), y)


def _inverted(gaps: Any, xp: Any) -> Any:
    return None if gaps is None else dry_run.elementwise(invert, gaps, xp=xp)


def _finite(kernel: Any) -> Any:
    """Return taps with zeros in the place of those that are not finite."""
    if dry_run.is_stand_in(kernel):
        return kernel
    xp = namespace_of(library(type(kernel)), kernel)  # beside a Dask array the kernel may be like its chunks
    return xp.where(xp.isfinite(kernel), kernel, xp.zeros_like(kernel))


def _padding(arguments: Arguments, options: Options) -> Padding:
    shapes = shape_of(arguments.x), shape_of(arguments.kernel)
    if len(shapes[0]) != len(shapes[1]):
        raise ValueError(
            f"{_FUNCTION}: array and kernel must have same number of dimensions. Got shapes {shapes[0]} and "
            f"{shapes[1]}."
        )
    if options.boundary == "extend":
        raise NotImplementedError(
            f"{_FUNCTION}: The 'extend' option is not implemented for fft-based convolution. Use convolve, which has "
            f"boundary='extend' and every method."
        )
    if options.boundary not in (None, "fill", "wrap"):
        raise ValueError(f"{_FUNCTION}: `boundary` must be 'fill', 'wrap' or None. Got {shown(options.boundary)}.")
    itemsize = dtypes.itemsize(dtypes.complexified(dtype_name(arguments.x.dtype)))
    huge = flag(_FUNCTION, "allow_huge", options.allow_huge)
    padding.check_size(_FUNCTION, shapes[0], itemsize, huge)
    if options.boundary is None:
        warn(
            "The convolve_fft version of boundary=None is equivalent to the convolve boundary='fill'.  There is no FFT "
            "equivalent to convolve's zero-if-kernel-leaves-boundary"
        )
    around = padding.parse(_FUNCTION, options.boundary, shapes, options.psf_pad, options.fft_pad, options.dealias)
    padding.check_size(_FUNCTION, around.shape, itemsize, huge)
    return around


def _scale(arguments: Arguments, options: Options, interpolates: bool) -> tuple[Any, Any]:
    """Return what the kernel is divided by, None for nothing, and the sum of its taps."""
    normalize = options.normalize_kernel
    tolerance = real(_FUNCTION, "normalization_zero_tol", options.normalization_zero_tol)
    total, is_zero = computed.tap_sum(arguments, tolerance)
    if is_zero and (normalize is True or interpolates):
        raise ValueError(
            f"{_FUNCTION}: Cannot interpolate NaNs with an unnormalizable kernel, nor normalize it. Got a sum of "
            f"{total}, up to the tolerance {tolerance}. Use nan_treatment='fill' and normalize_kernel=False."
        )
    if callable(normalize):
        return normalize(arguments.kernel), total
    return (total if flag(_FUNCTION, "normalize_kernel", normalize) else None), total


def _padded(arguments: Arguments, missing: Any, around: Padding, outside: Any) -> tuple[Arguments, Any]:
    """Return the arguments with a padded array, and its gaps: what is outside too, if nothing is there."""
    xp, device = arguments.xp, arguments.device
    x = padding.padded(arguments.x, around, outside or 0, xp=xp, device=device)
    if missing is None and outside is not None:
        return arguments._replace(x=x), None
    if missing is None:
        missing = xp.zeros(arguments.x.shape, dtype=xp.bool, device=device)
    return arguments._replace(x=x), _padded_flags(missing, around, xp, device, outside is None)


def _padded_flags(missing: Any, around: Padding, xp: Any, device: Any, fill: bool = False) -> Any:
    return padding.padded(missing, around, fill, xp=xp, device=device)
