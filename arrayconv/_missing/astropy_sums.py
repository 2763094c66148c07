"""What both of astropy's functions compute: means of what is there, or sums with gaps filled."""

from __future__ import annotations

from functools import partial
from math import isfinite, isnan
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import host
from arrayconv._arrays.chunks import is_graph
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.identify import library
from arrayconv._arrays.namespace import namespace_of
from arrayconv._arrays.operands import operands
from arrayconv._autodiff import needs_autodiff
from arrayconv._calls import dry_run, prepare
from arrayconv._calls.binding import cached_call
from arrayconv._missing.astropy_arguments import Arguments
from arrayconv._missing.options import request
from arrayconv._missing.quotient import quotient
from arrayconv._problem import positional
from arrayconv._problem.positional import Geometry
from arrayconv._runtime.tracing import shape_of

_MAX_NORMALIZATION = 100


class Treatment(NamedTuple):
    """What is outside the array, and which outputs are computed."""

    boundary: str
    fill_value: Any  # None if nothing is outside
    min_weight: float = 0.0
    valid: bool = False  # only outputs whose window is inside


def centred(shape: tuple[int, ...], taps: tuple[int, ...], boundary: str, valid: bool) -> Geometry:
    """Return the geometry of a kernel whose tap k // 2 is at the output, to either side of it."""
    lags = tuple((k // 2 - (k - 1), k // 2 - (k - 1) + n - 1) for n, k in zip(shape, taps, strict=True))
    if valid:
        lags = tuple((0, n - k) for n, k in zip(shape, taps, strict=True))
    bare = positional.correlated("convolve", None, None, boundary, 1, 1, lags)
    return bare._replace(correlates=True)


def reversed_taps(arguments: Arguments) -> Any:
    """Return the kernel as that of a correlation, which conjugates it."""
    kernel = arguments.kernel
    if dry_run.is_stand_in(kernel):
        return kernel
    xp = namespace_of(library(type(kernel)), kernel)  # beside a Dask array the kernel may be like its chunks
    flipped = xp.flip(kernel, axis=tuple(range(kernel.ndim)))
    return xp.conj(flipped) if "complex" in dtype_name(kernel.dtype) else flipped


class TapSum(NamedTuple):
    """The sum of the taps, and whether it is as good as zero."""

    total: Any
    is_zero: bool


def tap_sum(arguments: Arguments, tolerance: float) -> TapSum:
    """Return the sum of the taps; where their values can't be read it is an array, and taken as no zero.

    astropy refuses a sum below 1/100; so is one below 1/100 of the magnitudes' sum, whatever the scale.
    """
    if dry_run.is_stand_in(arguments.kernel):
        return TapSum(1.0, is_zero=False)
    is_readable = arguments.readable and not is_graph(arguments.kernel)
    if not is_readable or needs_autodiff(arguments.library, arguments.kernel):
        return TapSum(arguments.xp.sum(arguments.kernel), is_zero=False)
    taps = host.copied(arguments.library, arguments.kernel)
    total = np.sum(taps).item()
    return TapSum(total, abs(total) <= tolerance or _MAX_NORMALIZATION * abs(total) < np.sum(np.abs(taps)))


def means(
    function: str, arguments: Arguments, where: Any, treatment: Treatment, weighs: bool = False
) -> tuple[Any, Any]:
    """Return the means of the samples that are no NaN and not excluded by `where`.

    With `weighs` the weights too: 0 without support.
    """
    shape, taps = shape_of(arguments.x), shape_of(arguments.kernel)
    geometry = centred(shape, taps, treatment.boundary, treatment.valid)
    shared = "auto", "normwise", None, treatment.fill_value
    options = request(function, geometry, "omit", treatment.min_weight, weighs, shared)
    operand = arguments.x, reversed_taps(arguments), where
    name = dtype_name(arguments.x.dtype)
    return prepare.as_planned_program(arguments.library, _quotient, (options, name), operand)


def _quotient(options: Any, name: str, x: Any, kernel: Any, where: Any) -> Any:
    return quotient(options, x, kernel, where, name)


def sums(function: str, arguments: Arguments, x: Any, treatment: Treatment, divisor: Any) -> Any:
    """Return the sums of all samples, divided unless `divisor` is None."""
    shape, taps = shape_of(x), shape_of(arguments.kernel)
    geometry = centred(shape, taps, treatment.boundary, treatment.valid)
    fill = 0 if treatment.fill_value is None else treatment.fill_value
    admitted = operands(function, x, reversed_taps(arguments))
    problem = positional.problem(function, shape, taps, geometry)
    choice = prepare.options(function, "auto", "normwise", None, fill)
    y = cached_call(function, admitted, problem, choice)(admitted.x, admitted.kernel)
    return y if divisor is None else dry_run.elementwise(partial(_divided, divisor), y, xp=arguments.xp)


def scaled(y: Any, factor: Any, *, xp: Any) -> Any:
    """Return results multiplied by a number."""
    return dry_run.elementwise(partial(_multiplied, factor), y, xp=xp)


def _multiplied(factor: Any, y: Any) -> Any:
    return y * factor


def _divided(divisor: Any, y: Any) -> Any:
    return y / divisor


def _filled(xp: Any, value: float, x: Any, missing: Any) -> Any:
    return xp.where(missing, xp.full_like(x, value), x)


def gaps(arguments: Arguments, infinite: bool) -> Any:
    """Return which samples are gaps: masked, NaN, or with `infinite` not finite; None if none is."""
    xp, x = arguments.xp, arguments.x
    if dry_run.is_stand_in(x):
        dry_run.remark("an array without values is taken as one that has gaps")
        return dry_run.stand_in(shape_of(x), "bool", xp=xp, device=arguments.device)
    flags = ~xp.isfinite(x) if infinite else xp.isnan(x)
    if arguments.where is not None:
        flags = flags | ~arguments.where
    is_readable = arguments.readable and not (is_graph(x) or needs_autodiff(arguments.library, x))
    if is_readable and not bool(xp.any(flags)):
        return None
    return flags


def filled(arguments: Arguments, missing: Any, value: float) -> Any:
    """Return the samples with a number in the place of gaps."""
    if missing is None:
        return arguments.x
    xp = arguments.xp
    return dry_run.elementwise(partial(_filled, xp, value), arguments.x, missing, xp=xp)


def outside(boundary: str, fill_value: Any) -> Any:
    """Return the fill of a call that interpolates: None if it is NaN, so nothing is there."""
    return None if boundary != "constant" or isnan(fill_value) else fill_value


def finite_outside(boundary: str, fill_value: Any) -> Any:
    """Return the same where infinities are gaps too."""
    return None if boundary != "constant" or not isfinite(fill_value) else fill_value
