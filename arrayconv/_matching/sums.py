"""The convolutions of a match, all 'valid': the template's, and sums over windows by passes along one axis each.

A sum over k samples is one pass of k taps, or, from `BLOCK` taps up, of sums over BLOCK samples that are added at a
distance: about log(k) passes, so that the cost does not grow with the template. No running sum carries rounding errors
or a NaN beyond the windows that contain them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import chunk_library
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.operands import operands
from arrayconv._calls import binding, dry_run
from arrayconv._calls.binding import BoundCall
from arrayconv._calls.prepare import Options
from arrayconv._matching.geometry import BLOCK
from arrayconv._ops.pad import along
from arrayconv._problem import positional
from arrayconv._runtime.tracing import shape_of

_NAMES = ("image", "template")


class Correlations:
    """The convolutions of one call in their order: bound at the first, and called at the next ones."""

    def __init__(self, function: str, bound: Sequence[BoundCall] = ()) -> None:
        self.function = function
        self.bound: list[BoundCall] = []
        self._cached: Iterator[BoundCall] = iter(bound)

    def correlate(self, x: Array, kernel: Array, axes: tuple[int, ...], options: Options, dilation: int = 1) -> Array:
        """Return the correlation of windows that do not leave x."""
        call = next(self._cached, None)
        if call is None:
            call = self._bind(x, kernel, axes, options, dilation)
            self.bound.append(call)
        y = call(x, kernel)
        if dry_run.is_active():
            dry_run.note_axes(axes)
        return y

    def _bind(self, x: Array, kernel: Array, axes: tuple[int, ...], options: Options, dilation: int) -> BoundCall:
        geometry = positional.Geometry("valid", axes, "constant", 1, dilation, None, correlates=True)
        problem = positional.problem(self.function, shape_of(x), shape_of(kernel), geometry)
        return binding.cached_call(self.function, operands(self.function, x, kernel, None, _NAMES), problem, options)

    def over(self, x: Array, taps: tuple[tuple[int, int], ...]) -> Any:
        """Return the sums of x over windows, as (axis, samples) along each of their axes."""
        for axis, count in taps:
            x = self._along(x, axis, count, 1)
        return x

    def _along(self, x: Array, axis: int, count: int, distance: int) -> Array:
        """Return sums of `count` samples at a distance along an axis."""
        if count == 1:
            return x
        if count <= BLOCK:
            _, xp, device = chunk_library(self.function, "image", x)
            ones = xp.ones(count, dtype=getattr(xp, dtype_name(x.dtype)), device=device)
            return self.correlate(x, ones, (axis,), Options(accuracy="componentwise"), distance)
        blocks, rest = divmod(count, BLOCK)
        outputs = shape_of(x)[axis] - distance * (count - 1)
        y = self._along(self._along(x, axis, BLOCK, distance), axis, blocks, distance * BLOCK)
        y = y[along(axis, slice(0, outputs))]
        if not rest:
            return y
        tail = self._along(x[along(axis, slice(distance * BLOCK * blocks, None))], axis, rest, distance)
        return y if dry_run.is_active() else y + tail
