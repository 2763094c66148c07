"""The pass of a Gaussian or of one of its derivatives: SciPy's radius, taps made on the host."""

from __future__ import annotations

import math
from typing import Any

from arrayconv._arrays.dtypes import eps
from arrayconv._kernels import gaussian
from arrayconv._ndimage import dtypes
from arrayconv._ndimage.arguments import boundary_of, whole
from arrayconv._ndimage.validation import Call
from arrayconv._ndimage.window import Pass
from arrayconv._problem.axes import integer, real
from arrayconv._runtime.tracing import planning


def gaussian_pass(call: Call, axis: int, sigma: Any, order: Any, mode: Any, truncate: float, radius: Any) -> Pass:
    """Return the pass of a Gaussian, or of its derivative of some order, along one axis.

    Before an integer result is cut, its taps are raised by their own rounding error. Without that a flat area, whose
    exact result is a whole number, would lose 1 wherever a library's sum happens to end a bit below it.
    """
    function = call.source.function
    deviation, reach = _checked(function, sigma, truncate, radius)
    order = whole(function, "order", order)
    if order < 0:
        raise ValueError(f"{function}: order must be non-negative. Got order={order}.")
    gaussian.check_cost(function, "`sigma`", reach, order)
    values = taps = _taps(deviation, reach, order, 0.0)
    if dtypes.is_integer(call.result):
        values, taps = (
            _taps(deviation, reach, order, (2 * reach + 3) * eps(sums)) for sums in ("float64", call.source.sums)
        )
    boundaries = (boundary_of(function, mode),)
    return Pass((axis,), call.source.taps(taps), (reach,), boundaries, flip=True, values=values)


@planning(0)
def _checked(function: str, sigma: Any, truncate: float, radius: Any) -> tuple[float, int]:
    """Return sigma and the radius, floor(truncate * sigma + 1/2) unless it is given."""
    deviation = real(function, "sigma", sigma)
    if not math.isfinite(deviation) or deviation == 0:
        raise ValueError(f"{function}: `sigma` must be finite and not 0. Got {sigma}.")
    try:
        reach = _computed(function, truncate, deviation) if radius is None else whole(function, "radius", radius)
    except TypeError:
        reach = -1
    if reach < 0:
        raise ValueError(
            f"{function}: Radius must be a nonnegative integer. "
            f"Got radius={radius}, sigma={sigma}, truncate={truncate}."
        )
    return deviation, reach


def _computed(function: str, truncate: Any, deviation: float) -> int:
    """Return SciPy's radius; negative or beyond 64 bits is for others to refuse."""
    reach = real(function, "truncate", truncate) * deviation
    if math.isnan(reach):
        raise ValueError(f"{function}: `truncate` must be a number. Got {truncate}.")
    return integer(function, "sigma` times `truncate", int(min(max(reach, -(2.0**62)), 2.0**64) + 0.5))


@planning(0)
def _taps(sigma: float, radius: int, order: int, raised: float) -> tuple[float, ...]:
    return tuple(tap * (1 + raised) for tap in gaussian.gaussian(sigma, radius, order))
