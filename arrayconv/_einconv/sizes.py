"""The size of every label of a pattern: a small fixed point over the axes of both operands.

    size of an axis = product of the sizes of its labels

A label has one size in every operand; a convolved one has its own in x and in the kernel. An axis with one unknown
label is solved by division, so the other operand often determines a split axis: `(g c)` beside `c`. Text and integers
only; contradictions and labels without a size are shown under carets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

from arrayconv._einconv.pattern import AxisLabels, Operand, Pattern, refusal

Name = tuple[str, str]  # a label, and the operand it is convolved in or ''
Shape = tuple[int, ...]


class Known(NamedTuple):
    """A known size, where it comes from in words, and the positions of that in the pattern."""

    size: int
    source: str
    places: tuple[int, ...] = ()


class Equation(NamedTuple):
    """One axis of an operand: its labels multiply to its size."""

    operand: Operand
    shape: Shape
    labels: AxisLabels
    names: tuple[Name, ...]
    size: int
    start: int

    @property
    def text(self) -> str:
        """The axis as errors call it."""
        return f"`{self.operand.argument}` axis {' '.join(self.labels) if len(self.labels) == 1 else self._joined}"

    @property
    def _joined(self) -> str:
        return f"({' '.join(self.labels)})"

    @property
    def source(self) -> str:
        """Where the sizes solved by it come from."""
        return f"in {self.operand.name} of shape {self.shape}"


def solve(
    function: str, pattern: Pattern, x_shape: Shape, kernel_shape: Shape, requested: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the size of every label of x and of the kernel.

    Parameters
    ----------
    function : str
        The caller's name, for error texts.
    pattern : Pattern
        The labels of every axis.
    x_shape, kernel_shape : shapes
        Sizes of both operands.
    requested : mapping
        Sizes of labels. That of a convolved label is its size in the operand that splits an axis into it.
    """
    known = _requested_sizes(function, pattern, requested)
    pending = [
        equation
        for operand, shape in ((pattern.x, x_shape), (pattern.kernel, kernel_shape))
        for equation in _equations(function, pattern, operand, shape)
    ]
    pending.sort(key=lambda equation: len(equation.labels))  # axes of one label are solved first
    while pending:
        open_ones = [equation for equation in pending if not _settled(function, pattern, equation, known)]
        if len(open_ones) == len(pending):
            raise _left_open(function, pattern, open_ones[0], known)
        pending = open_ones
    solved = _sizes_of(pattern, pattern.x, known), _sizes_of(pattern, pattern.kernel, known)
    _check_convolved(function, pattern, requested, solved)
    return solved


def _name(pattern: Pattern, operand: Operand, label: str) -> Name:
    return label, operand.name if label in pattern.space else ""


def _requested_sizes(function: str, pattern: Pattern, requested: Mapping[str, int]) -> dict[Name, Known]:
    """Return the sizes that the caller passed; raises where one is not positive or ambiguous."""
    known: dict[Name, Known] = {}
    for label, size in requested.items():
        places = pattern.places(label)
        if size < 1:
            rule = (
                f"sizes of labels must be at least 1. Got {label}={size}. Leave it out where the shapes determine it."
            )
            raise refusal(function, pattern.text, places[:1], rule)
        homes = [operand for operand in (pattern.x, pattern.kernel) if operand.splits(label)]
        if label not in pattern.space:
            known[label, ""] = Known(size, "as given")
        elif len(homes) == 1:
            known[label, homes[0].name] = Known(size, "as given")
        elif homes:
            rule = f"the convolved label '{label}' has a size in x and one in the kernel. Got {label}={size} for both"
            way = f"Reshape one of them so that '{label}' has an axis of its own"
            raise refusal(function, pattern.text, [home.place(label) for home in homes], f"{rule}. {way}.")
    return known


def _equations(function: str, pattern: Pattern, operand: Operand, shape: Shape) -> list[Equation]:
    if len(shape) != len(operand.axes):
        rule = f"`{operand.argument}` must have the axes that the pattern names"
        numbers = f"Got {len(shape)} axes, shape {shape}, for {len(operand.axes)} in the pattern"
        way = "Name every axis, or reshape the array"
        raise refusal(
            function, pattern.text, operand.starts or [operand.begin], f"{rule}. {numbers}. {way}; () has size 1."
        )
    return [
        Equation(operand, shape, axis, tuple(_name(pattern, operand, label) for label in axis), size, start)
        for axis, size, start in zip(operand.axes, shape, operand.starts, strict=True)
    ]


def _settled(function: str, pattern: Pattern, equation: Equation, known: dict[Name, Known]) -> bool:
    """Solve or check one axis; returns False where it leaves labels open."""
    unknown = [name for name in equation.names if name not in known]
    rest = prod(known[name].size for name in equation.names if name in known)
    if not unknown:
        if rest != equation.size:
            raise _contradiction(function, pattern, equation, known)
        return True
    if equation.size % rest if rest else equation.size:
        raise _contradiction(function, pattern, equation, known)
    if len(unknown) > 1 or not rest:
        return False
    label = unknown[0][0]
    known[unknown[0]] = Known(equation.size // rest, equation.source, (equation.operand.place(label),))
    return True


def _contradiction(function: str, pattern: Pattern, equation: Equation, known: Mapping[Name, Known]) -> ValueError:
    """Word a size that an axis can't have, with carets where it is and where the other sizes come from."""
    settled = [name for name in equation.names if name in known]
    places = [equation.operand.place(name[0]) for name in settled] or [equation.start]
    places += [at for name in settled for at in known[name].places]
    if len(equation.labels) == 1:
        label, other = equation.labels[0], known[equation.names[0]]
        rule = f"label '{label}' must have one size. Got {equation.size} {equation.source} and {other.size}"
        way = "Make them equal, or rename the label of one of them"
        way = way if other.places else f"Leave '{label}' out of the sizes given, or give the size it has"
        return refusal(function, pattern.text, places, f"{rule} {other.source}. {way}.")
    rule = f"{equation.text} must be as long as the sizes of its labels multiplied"
    factors = " and ".join(f"{name[0]}={known[name].size} {known[name].source}" for name in settled) or "no label"
    numbers = f"Got {equation.size} of shape {equation.shape}, and {factors}"
    way = f"Pass sizes that divide {equation.size}, or" if equation.labels else "() has size 1: name the axis, or"
    way += f" reshape `{equation.operand.argument}`"
    return refusal(function, pattern.text, places, f"{rule}. {numbers}. {way}.")


def _left_open(function: str, pattern: Pattern, equation: Equation, known: Mapping[Name, Known]) -> ValueError:
    labels = [name[0] for name in equation.names if name not in known]
    places = [equation.operand.place(label) for label in labels]
    words = " and ".join(f"'{label}'" for label in labels)
    rule = f"{equation.text} leaves the size{'s' * (len(labels) > 1)} of {words} open"
    settled = [f"{name[0]}={known[name].size} {known[name].source}" for name in equation.names if name in known]
    numbers = f"Got {equation.size} of shape {equation.shape}{''.join(f', and {fact}' for fact in settled)}"
    both = [label for label in labels if all(part.splits(label) for part in (pattern.x, pattern.kernel))]
    ways = [
        label if function == "explain" else f"{label}="
        for label in labels
        if label not in pattern.space or label not in both
    ]
    where = " in `sizes`" * (function == "explain")
    way = f"Reshape `{equation.operand.argument}` to one axis per label"
    way = f"Give {' or '.join(ways)}{where}" if ways else way
    return refusal(function, pattern.text, places, f"{rule}. {numbers}. {way}.")


def _sizes_of(pattern: Pattern, operand: Operand, known: Mapping[Name, Known]) -> dict[str, int]:
    return {label: known[_name(pattern, operand, label)].size for label in operand.labels}


def _check_convolved(
    function: str, pattern: Pattern, requested: Mapping[str, int], solved: Sequence[Mapping[str, int]]
) -> None:
    """Refuse a requested size of a convolved label that is its size in neither operand; others were used already."""
    for label in pattern.space:
        sizes = [own[label] for own in solved]
        if label in requested and requested[label] not in sizes:
            rule = f"label '{label}' has its sizes from the shapes. Got {label}={requested[label]}"
            numbers = f"{sizes[0]} in x and {sizes[1]} in the kernel"
            places = [pattern.x.place(label), pattern.kernel.place(label)]
            raise refusal(function, pattern.text, places, f"{rule}, {numbers}. Leave it out.")
