"""A labelled call as the one operation: sizes of labels, axes, and what is summed away.

Decided from hashable values alone, so that it is cached and compilers do not trace it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

from arrayconv._einconv.options import Geometry, check_sizes, per_label, pointing
from arrayconv._einconv.pattern import Operand, Pattern, parse, refusal
from arrayconv._einconv.sizes import solve
from arrayconv._problem.axes import padded_axis
from arrayconv._problem.problem import Problem, Sum, labelled
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import planning

Shape = tuple[int, ...]


class Lowered(NamedTuple):
    """A problem, the pattern it comes from, and the sizes of the labels of x and the kernel."""

    problem: Problem
    pattern: Pattern
    x_sizes: dict[str, int]
    w_sizes: dict[str, int]


def parsed(function: str, pattern: Any) -> Pattern:
    """Parse a pattern; raises TypeError where it is not a string."""
    if not isinstance(pattern, str):
        raise TypeError(f"{function}: `pattern` must be a string. Got {type(pattern).__name__}.")
    return parse(function, pattern)


@planning()
def problem(function: str, text: Any, x_shape: Shape, kernel_shape: Shape, geometry: Geometry) -> Problem:
    """Translate a pattern, shapes and options into the one operation."""
    return lower(function, text, x_shape, kernel_shape, geometry).problem


def lower(function: str, text: Any, x_shape: Shape, kernel_shape: Shape, geometry: Geometry) -> Lowered:
    """Lower a labelled call; raises ValueError, with carets in the pattern, where sizes contradict each other."""
    pattern = parsed(function, text)
    options = per_label(function, pattern, geometry)
    check_sizes(function, pattern, geometry.sizes)
    x_sizes, w_sizes = solve(function, pattern, x_shape, kernel_shape, dict(geometry.sizes))
    empty = [label for label in w_sizes if w_sizes[label] == 0]
    if empty:
        rule = f"`kernel` must have at least one element. Got shape {kernel_shape}"
        places = [pattern.kernel.place(label) for label in empty]
        raise refusal(function, text, places, f"{rule}. Pass a kernel without axes of size 0.")
    axes = {label: _axis(function, pattern, label, x_sizes, w_sizes, options[label]) for label in pattern.space}
    lowered = _canonical(pattern, geometry, x_sizes, w_sizes, axes)
    sums = (
        Sum(tuple(x_sizes.values()), alone(pattern.x, pattern.kernel, pattern)),
        Sum(tuple(w_sizes.values()), alone(pattern.kernel, pattern.x, pattern)),
    )
    whole = lowered._replace(sums=sums) if any(part.axes for part in sums) else lowered
    return Lowered(whole, pattern, x_sizes, w_sizes)


def _axis(
    function: str,
    pattern: Pattern,
    label: str,
    x_sizes: Mapping[str, int],
    w_sizes: Mapping[str, int],
    option: Mapping[str, Any],
) -> Axis:
    """Return what happens along one convolved label."""
    stride, dilation, upsample, boundary = (option[name] for name in ("stride", "dilation", "upsample", "boundary"))
    bare = Axis(x_sizes[label], w_sizes[label], 0, stride, dilation, upsample, 0, boundary)
    with pointing(pattern, [pattern.x.place(label), pattern.kernel.place(label)]):
        return padded_axis(function, bare, option["padding"])


def _canonical(
    pattern: Pattern,
    geometry: Geometry,
    x_sizes: Mapping[str, int],
    w_sizes: Mapping[str, int],
    axes: Mapping[str, Axis],
) -> Problem:
    """Return the problem of the labels that are not summed away, with the axes of the output merged."""
    sizes = {**w_sizes, **x_sizes}
    y_sizes = {label: axes[label].outputs if label in axes else sizes[label] for label in pattern.output.labels}
    x_labels = [label for label in pattern.x.labels if label in w_sizes or label in y_sizes]
    w_labels = [label for label in pattern.kernel.labels if label in x_sizes or label in y_sizes]
    lowered = labelled(
        (x_labels, w_labels, pattern.output.labels),
        (
            tuple(x_sizes[label] for label in x_labels),
            tuple(w_sizes[label] for label in w_labels),
            tuple(y_sizes.values()),
        ),
        sizes,
        axes,
        flip=geometry.flip,
        conj=geometry.conj,
    )
    return lowered._replace(shape=tuple(prod(y_sizes[label] for label in axis) for axis in pattern.output.axes))


def alone(own: Operand, other: Operand, pattern: Pattern) -> tuple[int, ...]:
    """Return the axes, by number of the label, that only this operand has."""
    elsewhere = {*other.labels, *pattern.output.labels}
    return tuple(number for number, label in enumerate(own.labels) if label not in elsewhere)
