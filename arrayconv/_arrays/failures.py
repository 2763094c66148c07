"""Libraries that failed in this process, and why a library cannot be used for given arrays."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from arrayconv._arrays.traits import Traits

_PACKAGES = ("torch", "jax")  # accelerators that run once the user has imported them


class AcceleratorFailed(RuntimeError):
    """A library could not be imported, or could not compile a function: another method must run."""

    def __init__(self, library: str, reason: str) -> None:
        super().__init__(f"the accelerator {library!r} failed: {reason}")
        self.library = library
        self.reason = reason


FORKED = "torch, after a fork"  # a key of `failures`: of torch on NumPy arrays alone
failures: dict[str, str] = {}  # library -> reason; a library listed here is not used again


def disable(failure: AcceleratorFailed) -> None:
    """Do not use the library of `failure` again in this process."""
    failures[failure.library] = failure.reason


def unavailable(library: str, backend: str, traits: Traits) -> str | None:
    """Return why `library` can't be used for these arrays (their library, switched off, missing, failed), or None."""
    if traits.backend != backend:
        return f"it supports {backend} arrays"
    if library in failures:
        return f"the accelerator {library!r} failed before: {failures[library]}"
    if library not in traits.accelerators:
        return f"the accelerator {library!r} {_absence(library, traits)}"
    return None


def _absence(library: str, traits: Traits) -> str:
    """Return why a library that did not fail is not among the accelerators."""
    if library in _PACKAGES and find_spec(library) is None:
        return "is not installed"
    if library in _PACKAGES and library not in sys.modules:
        return "is not imported: import it first"
    if library == "torch" and FORKED in failures and traits.library == "numpy":
        return f"can't run: this process was forked after torch was imported, and {failures[FORKED]}. Use 'spawn'"
    return "is switched off: see arrayconv.config.using(accelerators=...)"
