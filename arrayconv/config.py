"""What a user may set: which accelerators are allowed, and how much memory a plan may take by default.

Settings belong to the context (thread or asynchronous task) that set them. An accelerator turned off changes the
speed and the last bits of a result, never its correctness.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral
from typing import NamedTuple

from arrayconv._tracing import record

__all__ = ["ACCELERATORS", "Settings", "current", "using"]

ACCELERATORS = {
    "scipy": "SciPy's transforms for NumPy arrays",
    "numpy": "numpy.convolve for short NumPy arrays",
    "numba": "compiled loops for NumPy arrays",
}


@record
class Settings(NamedTuple):
    """The settings in force; hashable, part of every plan's key."""

    accelerators: frozenset[str] = frozenset(ACCELERATORS)
    max_workspace: int | None = None


_settings: ContextVar[Settings] = ContextVar("arrayconv.config", default=Settings())


def current() -> Settings:
    """Return the settings of this context."""
    return _settings.get()


@contextmanager
def using(
    *, accelerators: frozenset[str] | set[str] | None = None, max_workspace: int | None = None
) -> Generator[None]:
    """Change settings inside a ``with`` block; what is None stays as it was.

    Parameters
    ----------
    accelerators : set of str, optional
        The allowed ones among `ACCELERATORS`; the empty set leaves the standard-only code.
    max_workspace : int, optional
        Bytes a plan may allocate beyond its inputs and output, where a call does not say.

    Raises
    ------
    ValueError
        If an accelerator is unknown or `max_workspace` is below 1.
    TypeError
        If `max_workspace` is not an integer.

    Examples
    --------
    >>> import arrayconv
    >>> with arrayconv.config.using(accelerators=set()):
    ...     y = arrayconv.convolve([1.0, 2.0], [1.0, 1.0])
    """
    now = current()
    if accelerators is not None:
        unknown = sorted(set(accelerators) - set(ACCELERATORS))
        if unknown:
            raise ValueError(f"using: `accelerators` must be among {sorted(ACCELERATORS)}. Got {unknown}.")
        now = now._replace(accelerators=frozenset(accelerators))
    if max_workspace is not None:
        if not isinstance(max_workspace, Integral):
            raise TypeError(f"using: `max_workspace` must be an integer. Got {max_workspace!r}.")
        if max_workspace < 1:
            raise ValueError(f"using: `max_workspace` must be at least 1 byte. Got {max_workspace}.")
        now = now._replace(max_workspace=max_workspace)
    token = _settings.set(now)
    try:
        yield
    finally:
        _settings.reset(token)
