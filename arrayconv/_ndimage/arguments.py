"""SciPy's argument rules, in integers: boundary names, one entry per axis, axes, origins and radii.

Every error is of SciPy's type and contains its phrase, for code that depends on either.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from arrayconv._errors import listed, shown, suggestion
from arrayconv._problem.axes import integer, is_iterable
from arrayconv._problem.boundary import Boundary, boundary_names
from arrayconv._runtime.tracing import planning

MODES = boundary_names("ndimage")


def boundary_of(function: str, mode: Any) -> Boundary:
    """Return what this package calls SciPy's `mode`."""
    if not isinstance(mode, str) or mode not in MODES:
        meant = suggestion(mode, MODES) if isinstance(mode, str) else ""
        rule = f"boundary mode not supported: `mode` must be one of {listed(MODES)}"
        raise RuntimeError(f"{function}: {rule}. Got {shown(mode)}.{meant}")
    return MODES[mode]


def per_axis(function: str, argument: str, value: Any, count: int) -> list[Any]:
    """Return an entry for each of `count` axes: a single value or name applies to all."""
    if isinstance(value, str) or not is_iterable(value):
        return [value] * count
    entries = list(value)
    if len(entries) != count:
        raise RuntimeError(
            f"{function}: sequence argument must have length equal to input rank, or to the number of `axes`. "
            f"Got {len(entries)} entries of `{argument}` for {count} axes."
        )
    return entries


def whole(function: str, argument: str, value: Any) -> int:
    """Return `value` as an int; TypeError, with Python's words, for what is none."""
    try:
        index(value)
    except TypeError as refusal:
        raise TypeError(f"{function}: `{argument}`: {refusal}. Got {shown(value)}.") from None
    return integer(function, argument, value)


def one_axis(function: str, axis: Any, ndim: int) -> int:
    """Return `axis` as a non-negative int."""
    number = whole(function, "axis", axis)
    if not -ndim <= number < ndim:
        raise np.exceptions.AxisError(f"{function}: axis {number} is out of bounds for array of dimension {ndim}")
    return number % ndim


def several_axes(function: str, axes: Any, ndim: int) -> tuple[int, ...]:
    """Return `axes`, None for all, as non-negative ints in their given order."""
    if axes is None:
        return tuple(range(ndim))
    numbers = [whole(function, "axes", axis) for axis in (axes if is_iterable(axes) else (axes,))]
    for number in numbers:
        if not -ndim <= number < ndim:
            raise ValueError(f"{function}: specified axis: {number} is out of range for an array of {ndim} axes.")
    normal = tuple(number % ndim for number in numbers)
    if len(set(normal)) != len(normal):
        raise ValueError(f"{function}: axes must be unique. Got {tuple(numbers)} for an array of {ndim} axes.")
    return normal


def entry_axes(axes: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """Return the axes of a sequence's entries: SciPy follows `axes`, unless it names all of them."""
    return axes if len(axes) < ndim else tuple(range(ndim))


def before_of(function: str, taps: int, origin: Any, *, flip: bool = False) -> int:
    """Return how many samples a window of `taps` begins before its output; `flip` is a convolution's.

    A positive origin moves a correlation's window to the left and a convolution's to the right, so the
    larger half of an even window is on different sides.
    """
    number = whole(function, "origin", origin)
    if not -(taps // 2) <= number <= (taps - 1) // 2:
        raise ValueError(
            f"{function}: invalid origin: Invalid origin; origin must satisfy -(taps // 2) <= origin <= "
            f"(taps - 1) // 2, so that the window holds its output. Got {number} for {taps} taps."
        )
    return (taps - 1) // 2 - number if flip else taps // 2 + number


@planning(0)
def fill_of(function: str, cval: Any, complex_input: bool, complex_weights: bool) -> complex:
    """Return `cval` as the fill of the one operation, of the kind of the data."""
    if complex_input:
        return _number(function, cval, complex, "a number")
    if np.iscomplexobj(cval) and complex_weights:
        raise ValueError(f"{function}: Cannot provide a complex-valued cval when the input is real. Got {cval!r}.")
    return _number(function, cval, float, "real number")


def _number(function: str, cval: Any, kind: type[float] | type[complex], rule: str) -> complex:
    try:
        return kind(cval)
    except OverflowError:
        raise OverflowError(f"{function}: `cval` must fit float64. Got {shown(cval)}.") from None
    except (TypeError, ValueError):
        raise TypeError(f"{function}: `cval` must be {rule}, not {type(cval).__name__}. Got {shown(cval)}.") from None
