"""SciPy's transforms for NumPy arrays, several threads for large data.

SciPy transforms float32 without a detour and runs rows side by side; `numpy.fft` in float32 takes over 3 times as
long in the cost table. More than one thread is asked for only where the data outweighs the cost of starting them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scipy import fft  # pyright: ignore[reportMissingTypeStubs]

from arrayconv._accel._transforms import lender

_THREADED = 1 << 17  # samples


def _called(transform: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
        return transform(x, s=s, axes=axes, workers=threads)

    return run


with_threads = lender(_THREADED, *map(_called, (fft.rfftn, fft.irfftn, fft.fftn, fft.ifftn)))
