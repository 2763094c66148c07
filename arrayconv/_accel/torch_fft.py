"""torch's transforms for NumPy arrays, where the caller has imported torch: MKL's, in its threads, without a copy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from arrayconv._accel._borrowed import tensor
from arrayconv._accel._transforms import Transforms


def _called(name: str) -> Callable[..., Any]:
    def run(x: Any, *, s: Sequence[int], axes: Sequence[int]) -> Any:
        return getattr(sys.modules["torch"].fft, name)(tensor(x), s=tuple(s), dim=tuple(axes)).numpy()

    return run


@lru_cache
def with_threads(threads: int) -> Transforms:
    """Return the transforms; torch's own setting decides on the threads."""
    return Transforms(*map(_called, Transforms._fields))
