"""Labelled axes: parse `b h w c, h w c o -> b h w o | h w`, and find the size of every label.

    pattern  = operand "," operand "->" operand [ "|" label ... ]
    operand  = (label | "(" label ... ")") ...

The labels after the bar are convolved. Parentheses split an axis of an operand, or merge axes of the output. What is
wrong with a pattern is shown under a caret. Text and integers only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import NamedTuple

from arrayconv._tracing import planning, record

_TOKEN = re.compile(r"\s*(->|[A-Za-z_]\w*|[(),|])")
AxisLabels = tuple[str, ...]  # the labels of one array axis: several inside parentheses


@record
class Token(NamedTuple):
    """A word or sign of the pattern and where it stands."""

    text: str
    at: int


@record
class Operand(NamedTuple):
    """The axes of one array, and where each label stands in the text."""

    axes: tuple[AxisLabels, ...]
    at: tuple[int, ...]

    @property
    def labels(self) -> AxisLabels:
        """All labels in order."""
        return tuple(label for axis in self.axes for label in axis)


@record
class Pattern(NamedTuple):
    """A parsed pattern."""

    text: str
    x: Operand
    kernel: Operand
    output: Operand
    space: AxisLabels


@planning()
def parse(function: str, text: str) -> Pattern:
    """Parse a pattern; raises ValueError with a caret under what is wrong."""
    parts = _sections(function, text)
    x, kernel, output, space = (_operand(function, text, part) for part in parts)
    pattern = Pattern(text, x, kernel, output, space.labels)
    for operand, place in ((x, "in one operand"), (kernel, "in one operand"), (output, "in the output")):
        _check_once(function, text, operand, place)
    _check_once(function, text, space, "after the bar")
    for label, at in zip(space.labels, space.at, strict=True):
        for name, operand in (("x", x), ("the kernel", kernel), ("the output", output)):
            if label not in operand.labels:
                raise _error(function, text, at, f"the convolved label '{label}' is missing from {name}")
    for label, at in zip(output.labels, output.at, strict=True):
        if label not in x.labels and label not in kernel.labels:
            raise _error(function, text, at, f"the output label '{label}' is in neither operand")
    return pattern


def _sections(function: str, text: str) -> list[list[Token]]:
    """Split the tokens at the comma, the arrow and the bar, which stand in this order, the bar at most once."""
    signs = [",", "->", "|"]
    sections: list[list[Token]] = [[]]
    for token in _tokens(function, text):
        if token.text not in (",", "->", "|"):
            sections[-1].append(token)
        elif signs and token.text == signs[0]:
            signs.pop(0)
            sections.append([])
        else:
            raise _error(function, text, token.at, f"'{token.text}' is out of place")
    if len(signs) > 1:
        raise _error(
            function, text, len(text), f"'{signs[0]}' is missing; a pattern is 'x, kernel -> output | convolved'"
        )
    return sections if len(sections) == 4 else [*sections, []]


def _tokens(function: str, text: str) -> Iterator[Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            at = next(number for number in range(at, end) if not text[number].isspace())
            raise _error(function, text, at, f"{text[at]!r} is not a label; labels are words")
        yield Token(found.group(1), found.start(1))
        at = found.end()


def _operand(function: str, text: str, tokens: Sequence[Token]) -> Operand:
    axes: list[AxisLabels] = []
    merged: list[str] | None = None
    opened = 0
    for token in tokens:
        if token.text == "(" and merged is None:
            merged, opened = [], token.at
        elif token.text == ")" and merged is not None:
            axes.append(tuple(merged))
            merged = None
        elif token.text in "()":
            raise _error(function, text, token.at, "parentheses must pair up and do not nest")
        elif merged is not None:
            merged.append(token.text)
        else:
            axes.append((token.text,))
    if merged is not None:
        raise _error(function, text, opened, "a parenthesis is not closed")
    return Operand(tuple(axes), tuple(token.at for token in tokens if token.text not in "()"))


def _check_once(function: str, text: str, operand: Operand, place: str) -> None:
    seen: set[str] = set()
    for label, at in zip(operand.labels, operand.at, strict=True):
        if label in seen:
            raise _error(function, text, at, f"the label '{label}' appears twice {place}")
        seen.add(label)


def _error(function: str, text: str, at: int, rule: str) -> ValueError:
    return ValueError(f"{function}: {rule}.\n  {text}\n  {' ' * at}^")


def sizes(
    function: str, pattern: Pattern, operand: Operand, name: str, shape: Sequence[int], given: Mapping[str, int]
) -> dict[str, int]:
    """Return the size of every label of one operand; raises ValueError naming the label and every number."""
    if len(shape) != len(operand.axes):
        at = operand.at[0] if operand.at else 0
        rule = f"`{name}` has {len(shape)} axes, shape {tuple(shape)}, but the pattern names {len(operand.axes)}"
        raise _error(function, pattern.text, at, rule)
    found: dict[str, int] = {}
    for axis, size in zip(operand.axes, shape, strict=True):
        found |= _split(function, pattern, operand, name, axis, size, given)
    return found


def _split(
    function: str,
    pattern: Pattern,
    operand: Operand,
    name: str,
    axis: AxisLabels,
    size: int,
    given: Mapping[str, int],
) -> dict[str, int]:
    """Return the sizes of the labels of one axis: given ones as they are, at most one from the axis' size."""
    at = operand.at[operand.labels.index(axis[0])] if axis else 0
    unknown = [label for label in axis if label not in given or (len(axis) == 1 and label in pattern.space)]
    known = prod(given[label] for label in axis if label not in unknown)
    if len(unknown) > 1:
        ways = " or ".join(f"{label}=" for label in unknown)
        rule = f"`{name}` axis ({' '.join(axis)}) of size {size} leaves more than one size open; give {ways}"
        raise _error(function, pattern.text, at, rule)
    if unknown and known and size % known == 0:
        return {**{label: given[label] for label in axis if label not in unknown}, unknown[0]: size // known}
    if not unknown and known == size:
        return {label: given[label] for label in axis}
    numbers = ", ".join(f"{label}={given[label]}" for label in axis if label not in unknown) or "1"
    raise _error(
        function, pattern.text, at, f"`{name}` axis ({' '.join(axis)}) of size {size} does not split into {numbers}"
    )
