"""One pass of a filter: a window along some axes, with its weights."""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._problem.boundary import Boundary
from arrayconv._problem.spec import Axis


class Pass(NamedTuple):
    """One kernel along some axes of x."""

    axes: tuple[int, ...]  # the axis of x that each kernel axis runs along
    weights: Array
    before: tuple[int, ...]
    boundaries: tuple[Boundary, ...]
    flip: bool = False  # a convolution; else a correlation, which conjugates
    divisor: int = 1  # of the sums, before the cast
    positions: tuple[tuple[int, ...], ...] = ()  # of the weights in a window that is not full
    values: tuple[complex, ...] = ()  # the weights as numbers for sums in float64; () where only an array has them


def windows_along(
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    taps: tuple[int, ...],
    before: tuple[int, ...],
    boundaries: tuple[Boundary, ...],
) -> tuple[Axis, ...]:
    """Return the axes of a pass, each with as many outputs as samples."""
    each = zip(axes, taps, before, boundaries, strict=True)
    return tuple(
        [Axis(shape[axis], n, shape[axis], before=first, boundary=boundary) for axis, n, first, boundary in each]
    )
