"""Labelled axes: parse `b h w c, h w c o -> b h w o | h w`, and show what is wrong under a caret.

    pattern  = operand "," operand "->" operand [ "|" label ... ]
    operand  = (label | "(" label ... ")") ...

The labels after the bar are convolved. Parentheses split an axis of an operand, or merge axes of the output; `()` is
an axis of size 1. Text only: `_einconv.sizes` knows the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from arrayconv._runtime.tracing import planning

_TOKEN = re.compile(r"\s*(->|[A-Za-z_][A-Za-z0-9_]*|[(),|])")
_GRAMMAR = "A pattern is 'x, kernel -> output | convolved'"
AxisLabels = tuple[str, ...]  # the labels of one array axis: several inside parentheses


class Token(NamedTuple):
    """A word or sign of the pattern and its position."""

    text: str
    at: int


class Operand(NamedTuple):
    """The axes of one array, and the position of each label and each axis in the text."""

    name: str  # as error texts call it
    axes: tuple[AxisLabels, ...]
    at: tuple[int, ...]
    starts: tuple[int, ...]
    begin: int

    @property
    def labels(self) -> AxisLabels:
        """All labels in order."""
        return tuple(label for axis in self.axes for label in axis)

    @property
    def argument(self) -> str:
        """The argument it comes in as."""
        return self.name.removeprefix("the ")

    def place(self, label: str) -> int:
        """Return the position of a label."""
        return self.at[self.labels.index(label)]

    def splits(self, label: str) -> bool:
        """Whether a label shares its axis with others."""
        return any(label in axis and len(axis) > 1 for axis in self.axes)


class Pattern(NamedTuple):
    """A parsed pattern; `space` holds the convolved labels."""

    text: str
    x: Operand
    kernel: Operand
    output: Operand
    bar: Operand

    @property
    def space(self) -> AxisLabels:
        """The convolved labels, in the order of the options."""
        return self.bar.labels

    def places(self, label: str) -> list[int]:
        """Return the positions of a label in every operand, the output and after the bar."""
        parts = (self.x, self.kernel, self.output, self.bar)
        return [part.place(label) for part in parts if label in part.labels]


@planning()
def parse(function: str, text: str) -> Pattern:
    """Parse a pattern; raises ValueError with a caret under what is wrong."""
    names = ("x", "the kernel", "the output", "the labels after the bar")
    sections = zip(names, _sections(function, text), strict=True)
    pattern = Pattern(text, *(_operand(function, text, name, *section) for name, section in sections))
    for operand in (pattern.x, pattern.kernel, pattern.output, pattern.bar):
        _check_once(function, text, operand)
    _check_bar(function, pattern)
    for label, at in zip(pattern.output.labels, pattern.output.at, strict=True):
        if label not in pattern.x.labels and label not in pattern.kernel.labels:
            rule = f"the output label '{label}' is in neither operand. Name it in x or the kernel, or leave it out"
            raise refusal(function, text, [at], f"{rule}; () is an axis of size 1.")
    return pattern


def refusal(function: str, text: str, places: Iterable[int], message: str) -> ValueError:
    """Return the error of a function: what is wrong, and the pattern with carets at `places`."""
    return ValueError(f"{function}: {message}{marked(text, places)}")


def marked(text: str, places: Iterable[int]) -> str:
    """Return two lines to end a message with: the pattern, and carets at `places`."""
    at = set(places)
    carets = "".join("^" if number in at else " " for number in range(max(at) + 1))
    return f"\n  {re.sub(r'[^ -~]', _plain, text)}\n  {carets}"


def _plain(odd: re.Match[str]) -> str:
    return " " if odd.group().isspace() else odd.group()  # a tab or a line's end would move the carets


def _sections(function: str, text: str) -> list[tuple[list[Token], int]]:
    """Split the tokens at the comma, the arrow and the bar, in this order, the bar at most once; say where each ends.

    The last of the four is empty where there is no bar.
    """
    signs = [",", "->", "|"]
    sections: list[list[Token]] = [[]]
    ends: list[int] = []
    for token in _tokens(function, text):
        if token.text not in (",", "->", "|"):
            sections[-1].append(token)
        elif signs and token.text == signs[0]:
            signs.pop(0)
            sections.append([])
            ends.append(token.at)
        else:
            raise refusal(function, text, [token.at], f"'{token.text}' is out of place. {_GRAMMAR}.")
    end = len(text.rstrip())
    if len(signs) > 1:
        raise refusal(function, text, [end], f"'{signs[0]}' is missing. {_GRAMMAR}.")
    whole = [*sections, *[[]] * len(signs)]
    return list(zip(whole, [*ends, *[end] * (4 - len(ends))], strict=True))


def _tokens(function: str, text: str) -> Iterator[Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unread(function, text, next(n for n in range(at, end) if not text[n].isspace()))
        yield Token(match.group(1), match.start(1))
        at = match.end()


def _unread(function: str, text: str, at: int) -> ValueError:
    if text.startswith(("...", "\N{HORIZONTAL ELLIPSIS}"), at):
        rule = "an ellipsis is not supported, because every axis has a label. Name the axes it replaces"
        return refusal(function, text, [at], f"{rule}, or reshape them into one axis with one label.")
    way = "Labels are words of ASCII letters, digits and underscores that do not begin with a digit"
    one = ", and () is an axis of size 1" * (text[at] == "1")
    return refusal(function, text, [at], f"{text[at]!r} is not a label. {way}{one}.")


def _operand(function: str, text: str, name: str, tokens: Sequence[Token], end: int) -> Operand:
    axes: list[AxisLabels] = []
    starts: list[int] = []
    merged: list[str] | None = None
    for token in tokens:
        if token.text == "(" and merged is None:
            merged = []
            starts.append(token.at)
        elif token.text == ")" and merged is not None:
            axes.append(tuple(merged))
            merged = None
        elif token.text in "()":
            rule = "parentheses must pair up and do not nest. Write each axis as a label or as (label ...)."
            raise refusal(function, text, [token.at], rule)
        elif merged is not None:
            merged.append(token.text)
        else:
            axes.append((token.text,))
            starts.append(token.at)
    if merged is not None:
        raise refusal(function, text, [starts[-1]], "a parenthesis is not closed. Write each axis as (label ...).")
    begin = tokens[0].at if tokens else end
    return Operand(name, tuple(axes), tuple(t.at for t in tokens if t.text not in "()"), tuple(starts), begin)


def _check_once(function: str, text: str, operand: Operand) -> None:
    first: dict[str, int] = {}
    for label, at in zip(operand.labels, operand.at, strict=True):
        if label in first:
            rule = f"the label '{label}' appears twice in {operand.name}. Rename one of them"
            raise refusal(function, text, [first[label], at], f"{rule}; a diagonal is taken before the call.")
        first[label] = at


def _check_bar(function: str, pattern: Pattern) -> None:
    """Refuse what can't be convolved: parentheses, and labels that an operand or the output lacks."""
    for axis, start in zip(pattern.bar.axes, pattern.bar.starts, strict=True):
        if pattern.text[start] == "(":
            rule = f"the labels after the bar stand alone, without parentheses. Got ({' '.join(axis)})."
            raise refusal(function, pattern.text, [start], f"{rule} Leave them out.")
    for label, at in zip(pattern.bar.labels, pattern.bar.at, strict=True):
        for operand in (pattern.x, pattern.kernel, pattern.output):
            if label not in operand.labels:
                rule = f"the convolved label '{label}' is missing from {operand.name}"
                way = "Name it there, or leave it out after the bar."
                raise refusal(function, pattern.text, [at], f"{rule}. {way}")
