"""Times and errors of the demo's operations, by arrayconv on one library and by SciPy.

The first call imports, plans and compiles; the shortest of several later calls is the steady-state time.
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
from arrayconv._cli.accuracy import Host, Reference, bound_ratio, combine, extend
from arrayconv._cli.console import import_optional, sentence
from arrayconv._cli.libraries import Library

_MIN_RUNS, _MAX_RUNS, _SECONDS = 3, 9, 0.5
_SCIPY = "the comparison with SciPy"


class Result(NamedTuple):
    """One operation by one function on one device of one library."""

    library: str
    device: str
    operation: str
    call: str  # the function, and the method if arrayconv chose one
    first: float = 0.0  # seconds
    later: float = 0.0
    values: Host | None = None  # shaped like the image; None if the call failed
    difference: float = 0.0  # the largest
    bound_ratio: float = 0.0  # that difference divided by its bound
    failure: str = ""

    @property
    def failed(self) -> bool:
        """Whether it raised, or differs by more than its bound; NaN fails too."""
        return self.values is None or not self.bound_ratio <= 1


class Call(NamedTuple):
    """A call that computes an operation: its label, the method whose error bound applies, and the function."""

    label: str
    method: str
    run: Callable[[], Any]


def measure(
    library: Library, photo: Host, references: Sequence[Reference], step: Callable[[str], None] = lambda text: None
) -> list[Result]:
    """Run every operation on a library's CPU and its first GPU, where it has them."""
    rows: list[Result] = []
    for reference in references:
        step(f"{library.name}: {reference.operation.name}")
        for device in _device_kinds(library):
            rows += _measure_library(library, device, reference, photo)
    return sorted(rows, key=lambda row: library.devices.index(row.device))


def measure_scipy(photo: Host, references: Sequence[Reference]) -> list[Result]:
    """Run the functions that SciPy's users call, on the same float32 image."""
    ndimage, signal = import_optional("scipy.ndimage", _SCIPY), import_optional("scipy.signal", _SCIPY)
    name = f"scipy {import_optional('scipy', _SCIPY).__version__}"
    return [
        _measure_call((name, "cpu"), reference, call.label, lambda call=call: call, "numpy")
        for reference in references
        for call in (
            _filter_call(reference, photo, ndimage, "ndimage", np),
            *_fft_calls(reference, photo, signal, "signal"),
        )
    ]


def _device_kinds(library: Library) -> list[str]:
    """Return one device of each kind."""
    if library.name == "array_api_strict":
        return list(library.devices[:1])  # its devices differ only in what they refuse
    kinds: dict[str, str] = {}
    for label in library.devices:
        kinds.setdefault(label.partition(":")[0], label)
    return list(kinds.values())


def _measure_library(library: Library, device: str, reference: Reference, photo: Host) -> Iterator[Result]:
    """Yield the results of `arrayconv.convolve`, and of the functions with SciPy's names."""
    xp = libraries.namespace(library.name)

    def x() -> Any:
        return libraries.array(library.name, device, photo, "float32")

    calls: list[tuple[str, Callable[[], Call]]] = [
        ("arrayconv.convolve", lambda: _convolve_call(library.name, device, reference, x(), xp)),
        (
            f"arrayconv.ndimage.{reference.operation.filter_name}",
            lambda: _filter_call(reference, x(), arrayconv.ndimage, "arrayconv.ndimage", xp),
        ),
    ]
    if library.name == "numpy":
        fft_calls = _fft_calls(reference, photo, arrayconv.signal, "arrayconv.signal")
        calls += [(call.label, lambda call=call: call) for call in fft_calls]
    for label, make_call in calls:
        yield _measure_call((libraries.title(library), device), reference, label, make_call, library.name)


def _convolve_call(name: str, device: str, reference: Reference, x: Any, xp: Any) -> Call:
    operation = reference.operation
    taps = [libraries.array(name, device, values, "float32") for values in operation.kernels]
    method = arrayconv.explain(x, taps[0], "same", boundary=operation.boundary).method

    def run() -> Any:
        parts = [arrayconv.convolve(x, w, "same", boundary=operation.boundary) for w in taps]
        return combine(parts, xp.sqrt)

    return Call(f"arrayconv.convolve, {method}", method, run)


def _filter_call(reference: Reference, x: Any, ndimage: ModuleType, title: str, xp: Any) -> Call:
    operation = reference.operation
    label = f"{title}.{operation.filter_name}"
    return Call(label, "direct", lambda: combine(operation.filter_parts(ndimage, x), xp.sqrt))


def _fft_calls(reference: Reference, photo: Host, signal: ModuleType, title: str) -> list[Call]:
    """Return the FFT convolution of a single large kernel, the image padded by NumPy; [] for small kernels."""
    operation = reference.operation
    taps, *others = operation.kernels
    if others:
        return []

    def run() -> Any:
        return signal.fftconvolve(extend(operation, photo), taps, "valid")

    method = "fft"
    if signal is arrayconv.signal:  # which may sum directly, and is then bounded so
        method = arrayconv.explain(extend(operation, photo), taps, "valid", call=arrayconv.signal.fftconvolve).method
    return [Call(f"{title}.fftconvolve", method, run)]


def _measure_call(
    origin: tuple[str, str], reference: Reference, label: str, make_call: Callable[[], Call], library: str
) -> Result:
    labels = (*origin, reference.operation.name)
    try:
        call = make_call()
        first, later, values = _time(library, call.run)
    except Exception as error:  # one library's failure is a row of the table, not the end of it
        return Result(*labels, label, failure=sentence(error))
    difference = np.abs(values.astype(np.float64) - reference.value)
    ratio = bound_ratio(reference, call.method, difference)
    return Result(*labels, call.label, first, later, values, float(difference.max()), ratio)


def _time(library: str, run: Callable[[], Any]) -> tuple[float, float, Host]:
    """Return the seconds of the first call and of the fastest later one, and the values."""

    def timed_call() -> tuple[float, Any]:
        start = perf_counter()
        y = wait(run())
        return perf_counter() - start, y

    first, y = timed_call()
    values, later = copied(library, y), list[float]()
    while len(later) < _MIN_RUNS or (len(later) < _MAX_RUNS and sum(later) < _SECONDS):
        later.append(timed_call()[0])
    return first, min(later), values
