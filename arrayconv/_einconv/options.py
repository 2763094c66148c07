"""The options of a labelled call: frozen as they are passed, then one of each per convolved label.

By position after the bar, or by label: `stride=(2, 1)` is `stride={"h": 2}`. What is wrong with one is shown under a
caret at its label.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from arrayconv._einconv.pattern import Pattern, marked, refusal
from arrayconv._errors import flag, listed
from arrayconv._problem.axes import (
    PADDING_RULE,
    boundary_per_axis,
    integer,
    is_sequence,
    padding_per_axis,
    positive_per_axis,
)

_DEFAULTS = {"stride": 1, "dilation": 1, "upsample": 1, "padding": "valid", "boundary": "constant"}


class ByLabel(NamedTuple):
    """An option passed as {label: value}."""

    entries: tuple[tuple[Any, Any], ...]


class Geometry(NamedTuple):
    """The options that decide shapes, as the caller gave them, but hashable: ints, names, tuples and `ByLabel`."""

    stride: Any
    dilation: Any
    upsample: Any
    padding: Any
    boundary: Any
    flip: bool
    conj: bool
    sizes: tuple[tuple[str, int], ...]


def frozen(function: str, values: Sequence[Any], sizes: Mapping[str, Any]) -> Geometry:
    """Freeze the options of a labelled call, in `Geometry`'s order; raises TypeError for what is no number."""
    if not isinstance(sizes, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{function}: `sizes` must be a dict of label sizes. Got {sizes!r}.")
    stride, dilation, upsample, padding, boundary, flip, conj = values
    return Geometry(
        _frozen(function, "stride", stride),
        _frozen(function, "dilation", dilation),
        _frozen(function, "upsample", upsample),
        _frozen(function, "padding", padding),
        _frozen(function, "boundary", boundary),
        flag(function, "flip", flip),
        flag(function, "conj", conj),
        tuple([(label, integer(function, label, sizes[label])) for label in sizes]),
    )


def _frozen(function: str, argument: str, value: Any) -> Any:
    """Return integers as ints, so that 2.0 is not accepted for 2, sequences as tuples and a dict as `ByLabel`."""
    if isinstance(value, Mapping):
        return ByLabel(tuple([(label, _frozen(function, argument, value[label])) for label in value]))
    if is_sequence(value):
        return tuple([_frozen(function, argument, entry) for entry in value])
    if argument == "boundary" or (argument == "padding" and isinstance(value, str)):
        return value
    return integer(function, argument, value, PADDING_RULE if argument == "padding" else "an integer")


def per_label(function: str, pattern: Pattern, geometry: Geometry) -> dict[str, dict[str, Any]]:
    """Return every option of every convolved label, checked; an error points at the label it is about."""
    checked: dict[str, dict[str, Any]] = {label: {} for label in pattern.space}
    for name, check in _CHECKS.items():
        entries = _by_position(function, pattern, name, getattr(geometry, name))
        for label, entry in zip(pattern.space, entries, strict=True):
            with pointing(pattern, [pattern.bar.place(label)]):
                checked[label][name] = check(function, name, entry)
    return checked


def _by_position(function: str, pattern: Pattern, name: str, value: Any) -> tuple[Any, ...]:
    """Return one entry per convolved label, still unchecked."""
    space = pattern.space
    if isinstance(value, ByLabel):
        by_label = dict(value.entries)
        for label in by_label:
            if label not in space:
                raise _not_convolved(function, pattern, name, label, by_label[label])
        return tuple(by_label.get(label, _DEFAULTS[name]) for label in space)
    if not is_sequence(value) or (name == "padding" and len(space) == 1 and _is_pair(value)):
        return (value,) * len(space)
    if len(value) != len(space):
        labels = " ".join(space) or "none"
        rule = f"`{name}` must be one value, one per convolved label, or a dict by label"
        numbers = f"Got {len(value)} values {value} for {len(space)} convolved labels ({labels})"
        places = pattern.bar.at or [pattern.bar.begin]
        raise refusal(function, pattern.text, places, f"{rule}. {numbers}. Follow their order after the bar.")
    return value


def _is_pair(value: Sequence[Any]) -> bool:
    return len(value) == 2 and all(isinstance(entry, int) for entry in value)


def _not_convolved(function: str, pattern: Pattern, name: str, label: Any, value: Any) -> ValueError:
    places = pattern.places(label) or pattern.bar.at or [pattern.bar.begin]
    rule = f"`{name}` names a label that is not convolved: {label!r}"
    convolved = listed(pattern.space) or "none"
    way = "Name those, or add it after the bar" if pattern.places(label) else "Name those"
    return refusal(
        function,
        pattern.text,
        places,
        f"{rule}. Got {name}={{{label!r}: {value!r}}}; convolved are {convolved}. {way}.",
    )


def _positive(function: str, name: str, entry: Any) -> int:
    return positive_per_axis(function, name, entry, 1)[0]


def _padding(function: str, name: str, entry: Any) -> Any:
    return padding_per_axis(function, [entry], 1)[0]


def _boundary(function: str, name: str, entry: Any) -> Any:
    return boundary_per_axis(function, [entry], 1)[0]


_CHECKS: dict[str, Callable[[str, str, Any], Any]] = {
    "stride": _positive,
    "dilation": _positive,
    "upsample": _positive,
    "padding": _padding,
    "boundary": _boundary,
}


def check_sizes(function: str, pattern: Pattern, sizes: Iterable[tuple[str, int]]) -> None:
    """Refuse a size for a label that no operand has, as Python refuses an unknown keyword."""
    labels = dict.fromkeys((*pattern.x.labels, *pattern.kernel.labels))
    for label, size in sizes:
        if label not in labels:
            rule = f"no label and no option is called {label!r}. Got {label}={size}"
            way = f"The labels are {listed(sorted(labels)) or 'none'}"
            places = [pattern.places(known)[0] for known in labels] or [0]
            raise TypeError(f"{function}: {rule}. {way}.{marked(pattern.text, places)}")


@contextmanager
def pointing(pattern: Pattern, places: Sequence[int]) -> Generator[None]:
    """Show the pattern, with carets, under what is refused inside."""
    try:
        yield
    except (TypeError, ValueError) as refused:
        raise type(refused)(f"{refused}{marked(pattern.text, places)}") from None
