"""How a refusal is worded: `<function>: <rule>. Got <facts>. <way out>`.

Every public function passes its own name down, so the text names the call the user typed whatever layer
found the contradiction. Only built-in exception types are raised.
"""

from __future__ import annotations

from collections.abc import Iterable


def listed(options: Iterable[object]) -> str:
    """Quote the options of an argument in their own order: ``'full', 'same', 'valid'``."""
    return ", ".join(repr(option) for option in options)


def check_option(function: str, argument: str, value: object, options: Iterable[str]) -> None:
    """Raise ValueError unless `value` is one of `options`; the text lists them all."""
    known = tuple(options)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{function}: `{argument}` must be one of {listed(known)}. Got {value!r}.")
