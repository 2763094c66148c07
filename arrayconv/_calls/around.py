"""What a call takes around its convolutions: its Python, its gradients', and array operations of its own.

It is the same for every method, so that no choice depends on it but that between passes and torch's own functions. On a
GPU Python runs ahead of the launches, and a task of a lazy array is no call: both take nothing here.
"""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import call_cost


class Arrays(NamedTuple):
    """Array operations: how many, and the bytes of their results."""

    number: int = 0
    nbytes: int = 0


def call_ns(traits: Traits, module: str, convolutions: int, arrays: Arrays = Arrays()) -> int:  # noqa: B008, immutable
    """Return the nanoseconds of a call of a module's function of so many convolutions, without these."""
    if not _counts(traits):
        return 0
    measured = call_cost(traits.library, module)
    return measured.call_ns + max(convolutions - 1, 0) * measured.pass_ns + arrays_ns(traits, arrays)


def gradient_ns(traits: Traits, arrays: Arrays = Arrays()) -> int:  # noqa: B008, immutable
    """Return the nanoseconds of a gradient without its convolution."""
    return call_cost(traits.library).gradient_ns + arrays_ns(traits, arrays) if _counts(traits) else 0


def arrays_ns(traits: Traits, arrays: Arrays) -> int:
    """Return the nanoseconds of array operations on a library's arrays."""
    measured = call_cost(traits.library)
    return arrays.number * measured.array_ns + arrays.nbytes * measured.array_byte // 1000


def _counts(traits: Traits) -> bool:
    return traits.device == "cpu" and not traits.chunk_backend
