"""From labelled axes to the canonical shapes of the one operation, and back.

Each label plays one role, decided by where it appears: convolved ('space'), in both operands and the output
('group'), in both but not the output ('channel'), in x and the output ('batch'), in the kernel and the output
('filter'). A layout is the reshape, transpose and reshape that take x to (batch, groups, channels, *n), w to
(groups, filters, channels, *k), and y from (batch, groups, filters, *out) to the caller's axes. Only integers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

Label = Hashable
Shape = tuple[int, ...]


class Permutation(NamedTuple):
    """A reshape to `split`, a transpose by `order`, a reshape to `joined`: from one axis order to another."""

    split: Shape
    order: tuple[int, ...]
    joined: Shape

    @property
    def reorders(self) -> bool:
        """Whether axes longer than 1 change their order, so that joining them may copy."""
        long_axes = [axis for axis in self.order if self.split[axis] != 1]
        return long_axes != sorted(long_axes)

    @property
    def joins(self) -> bool:
        """Whether the last reshape merges or splits axes longer than 1, rather than adding or dropping 1s."""
        transposed = [self.split[axis] for axis in self.order]
        return [n for n in transposed if n != 1] != [n for n in self.joined if n != 1]

    def then(self, order: tuple[int, ...]) -> Permutation | None:
        """Return this permutation followed by a transposition; None where the last reshape splits an axis."""
        remaining, groups = list(self.order), []
        for size in self.joined:
            group: list[int] = []
            while prod(self.split[axis] for axis in group) < size and remaining:
                group.append(remaining.pop(0))
            if prod(self.split[axis] for axis in group) != size:
                return None
            groups.append(group)
        axes = [axis for number in order for axis in groups[number]] + remaining
        return Permutation(self.split, tuple(axes), tuple([self.joined[number] for number in order]))

    @property
    def inverse(self) -> Permutation:
        """The inverse permutation."""
        transposed = tuple(self.split[axis] for axis in self.order)
        back = tuple(self.order.index(axis) for axis in range(len(self.order)))
        return Permutation(transposed, back, self.split)


class Layout(NamedTuple):
    """The permutations of x, the kernel and y, and the counts of the non-spatial roles."""

    x: Permutation
    kernel: Permutation
    y: Permutation
    batch: int
    groups: int
    channels: int
    filters: int


def layout(
    x: Sequence[Label],
    kernel: Sequence[Label],
    output: Sequence[Label],
    space: Sequence[Label],
    sizes: Mapping[Any, int],
    shapes: tuple[Shape, Shape, Shape],
) -> Layout:
    """Lower labelled operands; the i-th convolved axis is `space[i]`.

    Parameters
    ----------
    x, kernel, output : sequence of labels
        The axes of each array longer than 1, or all of them; labels are unique per array.
    space : sequence of labels
        The convolved ones, in the order of the spec's axes.
    sizes : mapping
        Size of every label that is not convolved.
    shapes : three shapes
        Sizes, in label order, of x, the kernel and the output, convolved axes with their own sizes.
    """
    spatial = set(space)
    in_x, in_kernel, in_output = (set(labels) - spatial for labels in (x, kernel, output))
    batch = [label for label in output if label in in_x - in_kernel]
    groups = [label for label in output if label in in_x & in_kernel]
    filters = [label for label in output if label in in_kernel - in_x]
    channels = [label for label in x if label in in_x & in_kernel - in_output]

    def count(labels: Sequence[Label]) -> int:
        return prod(sizes[label] for label in labels)

    def permutation(labels: Sequence[Label], shape: Shape, roles: tuple[Sequence[Label], ...]) -> Permutation:
        order = tuple(labels.index(label) for role in (*roles, space) for label in role)
        joined = (*map(count, roles), *(shape[labels.index(label)] for label in space))
        return Permutation(shape, order, joined)

    return Layout(
        permutation(x, shapes[0], (batch, groups, channels)),
        permutation(kernel, shapes[1], (groups, filters, channels)),
        permutation(output, shapes[2], (batch, groups, filters)).inverse,
        *map(count, (batch, groups, channels, filters)),
    )


def broadcast_layout(
    function: str,
    x_shape: Shape,
    kernel_shape: Shape,
    kernel_labels: Sequence[int],
    outputs: Mapping[int, int],
) -> tuple[Layout, Shape]:
    """Lower operands whose axes pair by number; those not convolved broadcast both ways.

    Parameters
    ----------
    function : str
        The caller's name, for error texts.
    x_shape, kernel_shape : shapes
        Sizes of both operands.
    kernel_labels : sequence of int
        The axis of x that each kernel axis pairs with.
    outputs : mapping
        Convolved axes of x, in the order of the spec's axes, and their output sizes.

    Returns
    -------
    layout : Layout
        An axis longer than 1 is a batch if only x has it so, a filter if only the kernel, a group if both.
    shape : tuple of int
        Shape of the result, one axis per axis of x.
    """
    taps = dict(zip(kernel_labels, kernel_shape, strict=True))
    sizes: dict[int, int] = {}
    for label, size in enumerate(x_shape):
        other = taps.get(label, 1)
        if label not in outputs and size != other and 1 not in (size, other):
            raise ValueError(
                f"{function}: axes that are not convolved must broadcast. Got axis {label} of size {size} in x and "
                f"{other} in the kernel, shapes {x_shape} and {kernel_shape}. Name it in `axes`, or make one of them 1."
            )
        sizes[label] = size if other == 1 else other
    x_labels = [label for label, size in enumerate(x_shape) if label in outputs or size != 1]
    w_labels = [label for label in kernel_labels if label in outputs or taps[label] != 1]
    y_labels = [label for label in range(len(x_shape)) if label in {*x_labels, *w_labels}]
    shape = tuple(outputs.get(label, size) for label, size in sizes.items())
    shapes = (
        tuple(x_shape[label] for label in x_labels),
        tuple(taps[label] for label in w_labels),
        tuple(shape[label] for label in y_labels),
    )
    return layout(x_labels, w_labels, y_labels, list(outputs), sizes, shapes), shape
