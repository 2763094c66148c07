"""The seconds that both methods take, for `choose_conv_method(measure=True)`."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from arrayconv._arrays.numpy_dtypes import result_type
from arrayconv._signal.arrays import pair, typed
from arrayconv._signal.convolution import NAMES, everywhere

_LEAST = 0.005  # seconds a measurement lasts at least
_TRIES = 3


def seconds(function: str, in1: Any, in2: Any, mode: Any) -> dict[str, float]:
    """Return the seconds of one convolution by each of SciPy's methods."""
    operands = typed(function, pair(function, NAMES, in1, in2), result_type).operands
    if operands.traits.traced:
        raise NotImplementedError(f"{function}: measure=True needs values. Got traced arrays. Use measure=False.")

    def run(method: str) -> None:
        y = everywhere(function, "convolve", in1, in2, mode, method)
        first = y[(0,) * y.ndim] if 0 not in y.shape else y
        bool(first.shape == () and first == first)  # waits for a device that works in the background

    return {method: _best(lambda method=method: run(method)) for method in ("fft", "direct")}


def _best(call: Callable[[], None]) -> float:
    """Return the seconds of the quickest of a few repeats, each long enough to be timed."""
    call()  # compiles and plans
    count = 1
    while (elapsed := _timed(call, count)) < _LEAST:
        count *= 2 if elapsed > _LEAST / 10 else 10
    return min(elapsed, *(_timed(call, count) for _ in range(_TRIES - 1))) / count


def _timed(call: Callable[[], None], count: int) -> float:
    start = perf_counter()
    for _ in range(count):
        call()
    return perf_counter() - start
