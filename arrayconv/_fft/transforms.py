"""The common part of FFT providers: four functions like those of ``xp.fft``, bound to a number of threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from arrayconv._costs.parallel import transform_threads
from arrayconv._fft.slabs import Slabs, Steps


class Transforms(NamedTuple):
    """The functions of ``xp.fft`` that are used, each ``(x, s=lengths, axes=axes)``; inverses may overwrite x."""

    rfftn: Callable[..., Any]
    irfftn: Callable[..., Any]
    fftn: Callable[..., Any]
    ifftn: Callable[..., Any]
    slabs: Slabs | None  # convolution by slabs, where the library can run on one thread


def threaded(*functions: Callable[..., Any], steps: Steps | None = None) -> Callable[[int], Transforms]:
    """Return a function that binds four functions (x, s, axes, threads) to a number of threads, one for few samples."""

    def bound(function: Callable[..., Any], threads: int) -> Callable[..., Any]:
        def run(x: Any, *, s: Sequence[int], axes: Sequence[int]) -> Any:
            samples = prod(x.shape[: x.ndim - len(s)]) * prod(s)
            return function(x, s, axes, transform_threads(samples, threads))

        return run

    @lru_cache
    def with_threads(threads: int) -> Transforms:
        four = [bound(function, threads) for function in functions]
        return Transforms(*four, slabs=Slabs(steps, threads) if steps else None)

    return with_threads
