"""Laws over a table in one test: every row runs, and the failure lists all that break them.

An item of its own costs more than most rows do: every worker collects thousands of them, and skips bury the rest.
"""

from collections.abc import Callable, Iterable
from typing import Any


def offenders(rows: Iterable[Any], law: Callable[[Any], None], named: Callable[[Any], str] = str) -> dict[str, str]:
    """Return {name: message} of the rows that break a law."""
    failures = {}
    for row in rows:
        try:
            law(row)
        except AssertionError as failure:
            failures[named(row)] = str(failure) or "AssertionError"
    return failures
