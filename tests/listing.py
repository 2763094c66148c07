"""Laws over a table in one test: every row runs, and the failure lists all that are off.

An item of its own costs more than most rows do: every worker collects thousands of them, and skips bury the rest.
"""

from collections.abc import Callable, Iterable
from typing import Any


def offenders(rows: Iterable[Any], law: Callable[[Any], None], named: Callable[[Any], str] = str) -> dict[str, str]:
    """Return, by name, what the law says of each row it does not hold for."""
    failures = {}
    for row in rows:
        try:
            law(row)
        except AssertionError as failure:
            failures[named(row)] = str(failure) or "AssertionError"
    return failures
