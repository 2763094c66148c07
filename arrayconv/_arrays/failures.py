"""Libraries that failed in this process, how that is told, and whether one may serve."""

from __future__ import annotations

from arrayconv._arrays.traits import Traits


class AcceleratorFailed(RuntimeError):
    """A library could not be imported, or could not compile what it was asked to: another method must serve."""

    def __init__(self, library: str, reason: str) -> None:
        super().__init__(f"the accelerator {library!r} failed: {reason}")
        self.library = library
        self.reason = reason


failures: dict[str, str] = {}  # by library, why: they are left alone from then on


def disable(failure: AcceleratorFailed) -> None:
    """Leave a library alone from now on."""
    failures[failure.library] = failure.reason


def unavailable(library: str, backend: str, traits: Traits) -> str | None:
    """Return why `library` can't serve these arrays, or None: another library's, traced, switched off, missing."""
    if traits.backend != backend:
        return f"it serves {backend} arrays"
    if library in failures:
        return f"the accelerator {library!r} failed before: {failures[library]}"
    if library not in traits.accelerators:
        return f"the accelerator {library!r} is not installed, switched off, or failed before"
    return None
