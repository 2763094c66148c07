"""The demo's operations as they are called: by arrayconv on one library, by SciPy; how long, and how far from exact.

A first call imports, plans and compiles; what a program pays from then on is the least of several later ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

import arrayconv
from arrayconv._arrays.host import copied
from arrayconv._calls.timing import wait
from arrayconv._cli import libraries
from arrayconv._cli.accuracy import Answer, Host, combined, extended, share
from arrayconv._cli.console import need, sentence
from arrayconv._cli.libraries import Library

_LEAST_RUNS, _MAX_RUNS, _SECONDS = 3, 9, 0.5
_SCIPY = "the comparison with SciPy"


class Result(NamedTuple):
    """One operation by one function on one device of one library."""

    library: str
    device: str
    operation: str
    call: str  # the function, and the method where arrayconv chose one
    first: float = 0.0  # seconds
    later: float = 0.0
    values: Host | None = None  # the image's shape; None where it failed
    difference: float = 0.0  # the largest
    share: float = 0.0  # of what rounding can explain
    failure: str = ""

    @property
    def failed(self) -> bool:
        """Whether it raised, or differs by more than its bound; NaN differs by more than any."""
        return self.values is None or not self.share <= 1


class Way(NamedTuple):
    """One way to compute an operation: what is called, the method whose bound holds, and the call itself."""

    call: str
    method: str
    run: Callable[[], Any]


def measured(
    library: Library, photo: Host, answers: Sequence[Answer], step: Callable[[str], None] = lambda text: None
) -> list[Result]:
    """Run every operation on a library's CPU and its first GPU, where it has them."""
    rows: list[Result] = []
    for exact in answers:
        step(f"{library.name}: {exact.operation.name}")
        rows += [row for place in _places(library) for row in _results(library, place, exact, photo)]
    return sorted(rows, key=lambda row: library.devices.index(row.device))


def by_scipy(photo: Host, answers: Sequence[Answer]) -> list[Result]:
    """Run what SciPy's users call, on the same float32 image."""
    ndimage, signal = need("scipy.ndimage", _SCIPY), need("scipy.signal", _SCIPY)
    name = f"scipy {need('scipy', _SCIPY).__version__}"
    return [
        _result((name, "cpu"), exact, way.call, lambda way=way: way, "numpy")
        for exact in answers
        for way in (_filter(exact, photo, ndimage, "ndimage", np), *_transform(exact, photo, signal, "signal"))
    ]


def _places(library: Library) -> list[str]:
    """Return one device of each kind."""
    if library.name == "array_api_strict":
        return list(library.devices[:1])  # its devices differ in what they refuse only
    kinds: dict[str, str] = {}
    for label in library.devices:
        kinds.setdefault(label.partition(":")[0], label)
    return list(kinds.values())


def _results(library: Library, place: str, exact: Answer, photo: Host) -> Iterator[Result]:
    """Yield the operation by `arrayconv.convolve`, and by the functions that stand for SciPy's."""
    xp = libraries.namespace(library.name)

    def x() -> Any:
        return libraries.array(library.name, place, photo, "float32")

    ways: list[tuple[str, Callable[[], Way]]] = [
        ("arrayconv.convolve", lambda: _convolution(library.name, place, exact, x(), xp)),
        (
            f"arrayconv.ndimage.{exact.operation.filter_name}",
            lambda: _filter(exact, x(), arrayconv.ndimage, "arrayconv.ndimage", xp),
        ),
    ]
    if library.name == "numpy":
        found = _transform(exact, photo, arrayconv.signal, "arrayconv.signal")
        ways += [(way.call, lambda way=way: way) for way in found]
    for call, way in ways:
        yield _result((libraries.title(library), place), exact, call, way, library.name)


def _convolution(name: str, place: str, exact: Answer, x: Any, xp: Any) -> Way:
    operation = exact.operation
    taps = [libraries.array(name, place, values, "float32") for values in operation.kernels]
    method = arrayconv.explain(x, taps[0], "same", boundary=operation.boundary).method

    def run() -> Any:
        parts = [arrayconv.convolve(x, w, "same", boundary=operation.boundary) for w in taps]
        return combined(parts, xp.sqrt)

    return Way(f"arrayconv.convolve, {method}", method, run)


def _filter(exact: Answer, x: Any, ndimage: ModuleType, title: str, xp: Any) -> Way:
    operation = exact.operation
    call = f"{title}.{operation.filter_name}"
    return Way(call, "direct", lambda: combined(operation.filtered(ndimage, x), xp.sqrt))


def _transform(exact: Answer, photo: Host, signal: ModuleType, title: str) -> list[Way]:
    """Return a large kernel's convolution by FFT, the image extended by NumPy; small ones nobody transforms."""
    operation = exact.operation
    taps, *others = operation.kernels
    if others:
        return []

    def run() -> Any:
        return signal.fftconvolve(extended(operation, photo), taps, "valid")

    return [Way(f"{title}.fftconvolve", "fft", run)]


def _result(place: tuple[str, str], exact: Answer, call: str, way: Callable[[], Way], library: str) -> Result:
    labels = (*place, exact.operation.name)
    try:
        chosen = way()
        first, later, values = _timed(library, chosen.run)
    except Exception as error:  # one library's failure is a row of the table, not the end of it
        return Result(*labels, call, failure=sentence(error))
    difference = np.abs(values.astype(np.float64) - exact.value)
    off = share(exact, chosen.method, difference)
    return Result(*labels, chosen.call, first, later, values, float(difference.max()), off)


def _timed(library: str, run: Callable[[], Any]) -> tuple[float, float, Host]:
    """Return the seconds of the first call, those of the quickest later one, and the values."""

    def once() -> tuple[float, Any]:
        start = perf_counter()
        y = wait(run())
        return perf_counter() - start, y

    first, y = once()
    values, later = copied(library, y), list[float]()
    while len(later) < _LEAST_RUNS or (len(later) < _MAX_RUNS and sum(later) < _SECONDS):
        later.append(once()[0])
    return first, min(later), values
