"""A translated call: the one operation, the permutations to its canonical axes and back, and the result's shape.

A public function passes it to `_calls.prepare`. Functions whose axes pair by number use `paired`, those with labels
`labelled`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from arrayconv._problem.layout import Label, Layout, Shape, broadcast_layout, layout
from arrayconv._problem.spec import Axis, Spec


class Sum(NamedTuple):
    """The axes that are summed out of one operand first: its shape with axes split, and the axes summed."""

    split: Shape
    axes: tuple[int, ...] = ()


class Problem(NamedTuple):
    """One call in integers."""

    layout: Layout
    spec: Spec
    shape: Shape  # of the result
    sums: tuple[Sum, Sum] | None = None  # of x and the kernel; None if no axis is summed


def paired(
    function: str,
    x_shape: Shape,
    kernel_shape: Shape,
    kernel_labels: Sequence[int],
    axes: Mapping[int, Axis],
    *,
    flip: bool = False,
    conj: bool = False,
) -> Problem:
    """Translate a call whose axes pair by number; those not convolved broadcast both ways.

    Parameters
    ----------
    function : str
        The caller's name, for error texts.
    x_shape, kernel_shape : shapes
        Sizes of both operands.
    kernel_labels : sequence of int
        The axis of x that each kernel axis pairs with.
    axes : mapping
        `Axis` of each convolved axis of x, in the order of the spec's axes.
    flip, conj : bool
        Whether the kernel is flipped, and conjugated, first.
    """
    outputs = {label: axis.outputs for label, axis in axes.items()}
    lowered, shape = broadcast_layout(function, x_shape, kernel_shape, kernel_labels, outputs)
    return Problem(lowered, _spec(lowered, axes.values(), flip, conj), shape)


def labelled(
    operands: tuple[Sequence[Label], Sequence[Label], Sequence[Label]],
    shapes: tuple[Shape, Shape, Shape],
    sizes: Mapping[Any, int],
    axes: Mapping[Any, Axis],
    *,
    flip: bool = False,
    conj: bool = False,
) -> Problem:
    """Translate a call whose axes are labelled; the operands with a label determine its role (see `_problem.layout`).

    Parameters
    ----------
    operands : three sequences of labels
        Of x, the kernel and the output.
    shapes : three shapes
        Their sizes, in label order.
    sizes : mapping
        Size of every label that is not convolved.
    axes : mapping
        `Axis` of each convolved label, in the order of the spec's axes.
    flip, conj : bool
        Whether the kernel is flipped, and conjugated, first.
    """
    lowered = layout(*operands, list(axes), sizes, shapes)
    return Problem(lowered, _spec(lowered, axes.values(), flip, conj), shapes[2])


def _spec(lowered: Layout, axes: Any, flip: bool, conj: bool) -> Spec:
    counts = (lowered.batch, lowered.groups, lowered.channels, lowered.filters)
    return Spec(*counts, tuple(axes), flip=flip, conj=conj)
