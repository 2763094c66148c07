"""The demo's operations run on one library: how, how long, and how far from SciPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import arrayconv
from arrayconv._cli import libraries
from arrayconv._cli.accuracy import Answer, Host, Operation, combined, share
from arrayconv._cli.console import sentence
from arrayconv._cli.libraries import Library

_LEAST_RUNS, _MOST_RUNS, _SECONDS = 3, 9, 0.5


class Result(NamedTuple):
    """One operation on one device of one library."""

    library: str
    device: str
    operation: str
    method: str = "-"
    seconds: float = 0.0
    values: Host | None = None  # the image's shape; None where it failed
    difference: float = 0.0  # the largest
    share: float = 0.0  # of what rounding can explain
    failure: str = ""

    @property
    def failed(self) -> bool:
        """Whether it raised, or differs by more than its bound; NaN differs by more than any."""
        return self.values is None or not self.share <= 1


def measured(
    library: Library, photo: Host, answers: Sequence[Answer], step: Callable[[str], None] = lambda text: None
) -> list[Result]:
    """Run every operation on a library's CPU and its first GPU, where it has them."""
    rows: list[Result] = []
    for exact in answers:
        step(f"{library.name}: {exact.operation.name}")
        rows += [_result(library, place, exact, photo) for place in _places(library)]
    return sorted(rows, key=lambda row: library.devices.index(row.device))


def _places(library: Library) -> list[str]:
    """Return one device of each kind."""
    if library.name == "array_api_strict":
        return list(library.devices[:1])  # its devices differ in what they refuse only
    kinds: dict[str, str] = {}
    for label in library.devices:
        kinds.setdefault(label.partition(":")[0], label)
    return list(kinds.values())


def _result(library: Library, place: str, exact: Answer, photo: Host) -> Result:
    labels = libraries.title(library), place, exact.operation.name
    try:
        method, seconds, values = _timed(library.name, place, exact.operation, photo)
    except Exception as error:  # one library's failure is a row of the table, not the end of it
        return Result(*labels, failure=sentence(error))
    difference = np.abs(values.astype(np.float64) - exact.value)
    return Result(*labels, method, seconds, values, float(difference.max()), share(exact, method, difference))


def _timed(name: str, place: str, operation: Operation, photo: Host) -> tuple[str, float, Host]:
    """Return the method, the best time after a first run, and the values."""
    xp = libraries.namespace(name)
    x, *taps = (libraries.array(name, place, values, "float32") for values in (photo, *operation.kernels))

    def once() -> Any:
        parts = [arrayconv.convolve(x, w, "same", boundary=operation.boundary) for w in taps]
        return libraries.finish(name, combined(parts, xp.sqrt))

    method = arrayconv.explain(x, taps[0], "same", boundary=operation.boundary).method
    values, times = libraries.host(name, once()), list[float]()
    while len(times) < _LEAST_RUNS or (len(times) < _MOST_RUNS and sum(times) < _SECONDS):
        start = perf_counter()
        once()
        times.append(perf_counter() - start)
    return method, min(times), values
