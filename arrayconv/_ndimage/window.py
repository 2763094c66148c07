"""One pass of a filter: a window along some axes, with its weights."""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._problem.boundary import Boundary


class Pass(NamedTuple):
    """One kernel along some axes of x."""

    axes: tuple[int, ...]  # the axis of x that each kernel axis runs along
    weights: Array
    before: tuple[int, ...]
    boundaries: tuple[Boundary, ...]
    flip: bool = False  # a convolution; else a correlation, which conjugates
    divisor: int = 1  # of the sums, before the cast
    positions: tuple[tuple[int, ...], ...] = ()  # of the weights in a window that is not full
