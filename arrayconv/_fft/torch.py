"""torch's transforms for NumPy views of tensors, on as many threads as torch uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import fft

from arrayconv._arrays.tensors import tensor
from arrayconv._fft.transforms import threaded


def _on_numpy(transform: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, s: Sequence[int], axes: Sequence[int], threads: int) -> Any:
        return transform(tensor(x), s=tuple(s), dim=tuple(axes)).numpy()

    return run


with_threads = threaded(*map(_on_numpy, (fft.rfftn, fft.irfftn, fft.fftn, fft.ifftn)))
