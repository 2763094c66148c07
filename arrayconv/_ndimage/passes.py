"""A filter is a chain of passes, each one correlation or convolution that keeps the shape.

A pass computes in float64 and casts to the result's dtype, so a chain rounds, cuts or wraps once per pass, as
SciPy's does. Nothing is written to the caller's array before the last pass, so it may overlap the input.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from arrayconv import _bound, _call, _dtypes
from arrayconv._boundary import Boundary
from arrayconv._float_errors import float_errors_ignored
from arrayconv._ndimage import dtypes
from arrayconv._ndimage.admit import Bare, Call
from arrayconv._problem import Problem, paired
from arrayconv._programs import LIBRARY
from arrayconv._spec import Axis
from arrayconv._tracing import planning, shape_of
from arrayconv._xp import Array, operands


class Pass(NamedTuple):
    """One kernel along some axes of x."""

    axes: tuple[int, ...]  # the axis of x that each kernel axis runs along
    weights: Array
    before: tuple[int, ...]
    boundaries: tuple[Boundary, ...]
    flip: bool = False  # a convolution; else a correlation, which conjugates
    divisor: int = 1  # of the sums, before the cast


def run(call: Call, passes: Iterable[Pass]) -> Any:
    """Return the input after all passes, in the caller's array where there is one; a copy where there are none."""
    chain = tuple(passes)
    if not chain:
        return delivered(call, call.source.x)
    if call.source.backend != LIBRARY:
        return delivered(call, _chained(call, chain))
    bare = tuple(one._replace(weights=None) for one in chain)
    operands = call.source.x, tuple(one.weights for one in chain)
    return delivered(call, _call.together(LIBRARY, _as_program, (call.bare, bare), operands))


def _as_program(call: Bare, chain: tuple[Pass, ...], x: Array, weights: tuple[Array, ...]) -> Array:
    filled = tuple(one._replace(weights=taps) for one, taps in zip(chain, weights, strict=True))
    own = call.on(x)
    return own.cast(_chained(own, filled))


def _chained(call: Call, chain: tuple[Pass, ...]) -> Array:
    """Return the input after all passes, in the working dtype."""
    x = call.cast(call.source.x, "uint8") if call.source.name == "bool" else call.source.x
    for number, one in enumerate(chain):
        if number and call.source.backend == LIBRARY:
            x = dtypes.summable(x, call.working, xp=call.source.xp, dtype=call.source.sums)
        x = _filtered(call, x, one)
    return x


@float_errors_ignored
def delivered(call: Call, y: Array) -> Any:
    """Return y in the result's dtype: written to the caller's array, or an array of its own."""
    y = call.cast(y)
    y = call.source.xp.asarray(y, copy=True) if y is call.source.x else y
    if call.order is not None:
        y = call.source.xp.asarray(y, dtype=call.order)
    if call.out is None:
        return y
    call.out[...] = y
    return call.out


def _filtered(call: Call, x: Array, one: Pass) -> Array:
    """Return x after one pass, in the working dtype.

    'componentwise' keeps transforms out: SciPy's users test answers against zero, where a transform leaves noise. The
    sums behind integers are formed tap by tap, in SciPy's order, since the cut shows their last bit.
    """
    function = call.source.function
    found = operands(function, x, one.weights, names=("input", "weights"))
    cuts = dtypes.is_integer(call.result)
    if one.divisor == 1 and not cuts:  # the plan casts each piece, and no array of sums is made
        found = found._replace(traits=found.traits._replace(output=call.working))
    shapes = shape_of(x), shape_of(one.weights)
    problem = _problem(function, *shapes, one.axes, one.before, one.boundaries, one.flip)
    chosen = _call.options(function, "direct" if cuts else "auto", "componentwise", None, call.fill)
    y = _bound.known(function, found, problem, chosen)(x, one.weights)
    return call.cast(y if one.divisor == 1 else _divided(call, y, one.divisor), call.working)


def _divided(call: Call, y: Any, divisor: int) -> Array:
    """Return sums divided, to be cut.

    XLA multiplies by the reciprocal instead, and 49 * (1 / 49) < 1, so a quotient to be cut is raised by as much as
    that may lose. Sums of whole numbers below 2**50 are then cut like exact quotients.
    """
    quotient = y / divisor
    return quotient * (1 + 2 * _dtypes.eps(call.source.sums)) if dtypes.is_integer(call.result) else quotient


@planning()
def _problem(
    function: str,
    x_shape: tuple[int, ...],
    kernel_shape: tuple[int, ...],
    axes: tuple[int, ...],
    before: tuple[int, ...],
    boundaries: tuple[Boundary, ...],
    flip: bool,
) -> Problem:
    """Translate a pass into the one operation; axes without a kernel axis are batch."""
    space = {
        number: Axis(x_shape[number], taps, x_shape[number], before=first, boundary=boundary)
        for number, taps, first, boundary in zip(axes, kernel_shape, before, boundaries, strict=True)
    }
    return paired(function, x_shape, kernel_shape, axes, space, flip=flip, conj=not flip)
