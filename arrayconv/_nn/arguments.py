"""torch's options, one value per spatial axis: a value or a sequence of one applies to all axes."""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._problem.axes import (
    boundary_per_axis,
    integer,
    is_sequence,
    padding_per_axis,
    per_axis,
    positive_per_axis,
)
from arrayconv._problem.boundary import Boundary


class Window(NamedTuple):
    """The options of a convolution that decide shapes, as hashable values."""

    stride: tuple[int, ...]
    padding: tuple[Any, ...]  # a name or a (before, after) pair per axis
    dilation: tuple[int, ...]
    groups: int
    boundary: tuple[Boundary, ...]


def window(
    function: str, count: int, stride: Any, padding: Any, dilation: Any, groups: Any, boundary: Any = "constant"
) -> Window:
    """Check the options of a convolution over `count` axes."""
    return Window(
        positive(function, "stride", stride, count),
        _padding(function, padding, count),
        positive(function, "dilation", dilation, count),
        positive_number(function, "groups", groups),
        boundary_per_axis(function, _each(boundary, count), count),
    )


def positive(function: str, argument: str, value: Any, count: int) -> tuple[int, ...]:
    """Return integers of at least 1, one per axis."""
    return positive_per_axis(function, argument, _each(value, count), count)


def not_negative(function: str, argument: str, value: Any, count: int) -> tuple[int, ...]:
    """Return integers of at least 0, one per axis."""
    entries = per_axis(function, argument, _each(value, count), count)
    numbers = [integer(function, argument, entry) for entry in entries]
    if min(numbers, default=0) < 0:
        raise ValueError(f"{function}: `{argument}` must be at least 0 on every axis. Got {value!r}.")
    return tuple(numbers)


def positive_number(function: str, argument: str, value: Any) -> int:
    """Return an integer of at least 1."""
    number = integer(function, argument, value)
    if number < 1:
        raise ValueError(f"{function}: `{argument}` must be at least 1. Got {number}.")
    return number


def size(function: str, argument: str, value: Any) -> tuple[int, ...]:
    """Return the shape of an array that is not passed."""
    if not is_sequence(value):
        raise TypeError(f"{function}: `{argument}` must be a tuple of integers: a shape. Got {value!r}.")
    numbers = [integer(function, argument, entry) for entry in value]
    if min(numbers, default=0) < 0:
        raise ValueError(f"{function}: `{argument}` must have sizes of at least 0. Got {tuple(numbers)}.")
    return tuple(numbers)


def _padding(function: str, value: Any, count: int) -> tuple[Any, ...]:
    """Return a name or a (before, after) pair per axis; a flat tuple has one number per axis, as in torch."""
    entries = per_axis(function, "padding", _each(value, count), count)
    pairs = padding_per_axis(function, entries, count)
    for pair in pairs:
        if not isinstance(pair, str) and min(pair) < 0:
            raise ValueError(f"{function}: `padding` must be at least 0 on every side. Got {value!r}. Slice the input.")
    return pairs


def _each(value: Any, count: int) -> Any:
    """Return a sequence of one entry with that entry for every axis, as torch does."""
    return tuple(value) * count if is_sequence(value) and len(value) == 1 else value
