"""The form of error texts: `<function>: <rule>. Got <facts>. <way out>`.

Every public function passes its own name down, so the text names the call the user typed, whichever layer
finds the error. Only built-in exception types are raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np


def listed(options: Iterable[object]) -> str:
    """Quote the options of an argument in their own order: ``'full', 'same', 'valid'``."""
    return ", ".join(repr(option) for option in options)


NO_NAMES: Mapping[str, str] = MappingProxyType({})


def check_option(
    function: str,
    argument: str,
    value: object,
    options: Iterable[str],
    removed: Mapping[str, str] = NO_NAMES,
    foreign: Mapping[str, str] = NO_NAMES,
) -> None:
    """Raise ValueError unless `value` is one of `options`, which the text lists.

    It names the successor of a `removed` one, and what a `foreign` one, of another library, is called here.
    """
    names = tuple(options)
    if not isinstance(value, str) or value not in names:
        way_out = _way_out(value, names, removed, foreign) if isinstance(value, str) else ""
        raise ValueError(f"{function}: `{argument}` must be one of {listed(names)}. Got {shown(value)}.{way_out}")


def _way_out(value: str, names: tuple[str, ...], removed: Mapping[str, str], foreign: Mapping[str, str]) -> str:
    """Return the sentence that names what the caller probably meant, '' if no name is close."""
    if value in removed:
        return f" It was removed: use {removed[value]!r}."
    return f" It is called {foreign[value]!r} here." if value in foreign else suggestion(value, names)


def suggestion(value: str, names: Iterable[str]) -> str:
    """Return the question that names what was probably meant, with a space before it; '' if no name is close."""
    from difflib import get_close_matches  # only where there is an error: its import takes milliseconds

    lower = {name.lower(): name for name in names}
    close = get_close_matches(value.lower(), lower, 1, 0.6)
    return f" Did you mean {lower[close[0]]!r}?" if close else ""


def flag(function: str, argument: str, value: Any) -> bool:
    """Return `value` as a bool; raises TypeError for any other type, even if it has a truth value."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{function}: `{argument}` must be True or False. Got {shown(value)}.")
    return bool(value)


def shown(value: object) -> str:
    """Return the repr of what a caller passed, on one line and short enough for an error text."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python refuses to print integers of thousands of digits
        return f"an integer of {value.bit_length()} bits" if isinstance(value, int) else type(value).__name__
    return text if len(text) <= 100 else f"{text[:60]}... ({type(value).__name__}, {len(text)} characters)"
