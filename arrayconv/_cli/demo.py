"""`demo`: edges and a large blur of a photograph on every library, against SciPy, timed and drawn."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np

import arrayconv
from arrayconv._cli import images, libraries, options, picture
from arrayconv._cli.accuracy import EPS, Host, Reference, compute_reference, operations
from arrayconv._cli.console import CommandError, duration, import_optional, progress, table
from arrayconv._cli.measurements import Result, measure, measure_scipy
from arrayconv._cli.options import Command
from arrayconv._runtime.threads import usable

_DESCRIPTION = """\
Filter a photograph on every array library that is installed, and compare with SciPy.

Two operations run in float32: edges (both Sobel derivatives and their magnitude, boundary
'reflect') and a large Gaussian blur (boundary 'symmetric'), on each library and device by
arrayconv.convolve, with the method it chooses, and by arrayconv.ndimage. On the same float32
picture run SciPy's functions for them, ndimage.sobel, ndimage.gaussian_filter and
signal.fftconvolve, and arrayconv's functions of these names. The table shows the time of the
first call and the shortest of several later ones, and the largest difference from dense kernels
in float64: absolute, in units of eps = 1.19e-07, and divided by the bound of the rounding error
("of bound"; above 1 is an error). A picture shows the photograph, both results and the
differences. Libraries that cannot be used here are listed with the reason."""

_EPILOG = """\
examples:
  python -m arrayconv demo
  python -m arrayconv demo --image photo.jpg -o photo_demo.png
  python -m arrayconv demo --backends numpy,torch --size 2048 --sigma 10

Needs optional packages: pip install 'arrayconv[demo]'.
Exit status: 0 if every difference is within its bound, 1 if not or if a library failed,
2 if the demo could not run."""

_COLUMNS = ("library", "device", "operation", "call", "first", "later", "difference", "in eps", "of bound")


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--image", metavar="FILE", help="your own picture, converted to grey (default: scikit-image's 'camera')")
    options.add_page(parser)
    text = "picture to write (default: arrayconv_demo.png)"
    add("-o", "--output", metavar="OUT", default="arrayconv_demo.png", help=text)
    text = "reduce the picture so that its longer side has N pixels; 0 keeps it (default: 512)"
    add("--size", metavar="N", type=options.count, default=512, help=text)
    text = "sigma of the blur, in pixels; its kernel has 8 S + 1 taps a side (default: 5)"
    add("--sigma", metavar="S", type=float, default=5.0, help=text)
    add("--backends", metavar="A,B", type=options.names, help="only these libraries (default: all that work here)")


def _run(arguments: argparse.Namespace) -> int:
    import_optional("matplotlib.figure", "the picture")
    images.check_folder(arguments.output)
    picture.check_format(arguments.output)
    names = arguments.backends or tuple(libraries.NAMESPACES)
    libraries.check_known(names)
    photo = _photo(arguments.image, arguments.page, arguments.size).astype(np.float32)
    filters = operations(arguments.sigma)
    with progress(len(filters) + 1 + len(names) * (1 + len(filters)) + 1) as step:
        references: list[Reference] = []
        for operation in filters:
            step(f"reference: {operation.name}")
            references.append(compute_reference(operation, photo))
        step("scipy")
        scipy_rows = measure_scipy(photo, references)
        reports = [_library(name, arguments.backends is not None, step) for name in names]
        results = [row for library in reports for row in measure(library, photo, references, step)]
        step("drawing")
        panels = [_panel(results, reference) for reference in references]
        picture.write(arguments.output, photo, panels, _caption([*scipy_rows, *results], references))
    _print_table(photo, [*scipy_rows, *results])
    for library in reports:
        if not library.devices:
            print(f"{libraries.title(library)}: {library.problem}")
    print(f"Picture: {arguments.output}")
    return _verdict(results)


def _photo(path: str | None, page: int | None, size: int) -> Host:
    if path is None:
        return images.photograph(size)
    return images.shrink(images.read(path, page, grey=True).values, size)


def _library(name: str, is_requested: bool, step: Callable[[str], None]) -> libraries.Library:
    step(f"starting {name}")
    return libraries.require(name) if is_requested else libraries.inspect(name)


def _panel(results: Sequence[Result], reference: Reference) -> picture.Panel:
    """Return the first library's values, and the largest difference of any library pixel by pixel."""
    operation = reference.operation
    rows = [row for row in results if row.operation == operation.name]
    values = [row.values for row in rows if row.values is not None]
    if not values:
        why = rows[0].failure if rows else "no library can be used"
        raise CommandError(f"{operation.name} could not be computed: {why}")
    largest = np.max([np.abs(each - reference.value) for each in values], axis=0)
    return picture.Panel(f"{operation.title}\nboundary {operation.boundary!r}", values[0], largest / EPS)


def _caption(rows: Sequence[Result], references: Sequence[Reference]) -> str:
    """Return the times with date and machine, in lines of equal width."""
    names = [reference.operation.name for reference in references]
    lines = [f"arrayconv {arrayconv.__version__}, {date.today()}", _machine()[:58]]
    for title, seconds in (("later calls, the fastest", _later), ("first call", _first)):
        lines += ["", f"{title:<36}" + "".join(f"{name.split()[0]:>11}" for name in names)]
        times: dict[str, dict[str, str]] = {}
        for row in rows:
            family = _family(row)
            times.setdefault(family, {})[row.operation] = "failed" if row.values is None else duration(seconds(row))
        lines += [f"{family:<36.36}" + "".join(f"{times[family].get(n, '-'):>11}" for n in names) for family in times]
    return "\n".join(lines)


def _family(row: Result) -> str:
    """Return the label of a row's times: the module of the function, and the library of the arrays."""
    whole = row.call.partition(",")[0]
    function = whole.rpartition(".")[0] if ".ndimage." in f".{whole}" else whole
    library = row.library.split()[0]
    return f"scipy.{function}" if library == "scipy" else f"{function}, {library}"


def _later(row: Result) -> float:
    return row.later


def _first(row: Result) -> float:
    return row.first


def _machine() -> str:
    """Return the number of threads this process may use, and the name of the processor."""
    try:
        info = Path("/proc/cpuinfo").read_text()
        model = next(line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{usable()} threads, {model}"


def _print_table(photo: Host, rows: Sequence[Result]) -> None:
    size = " x ".join(map(str, photo.shape))
    title = f"{size} float32, difference from the float64 result"
    table(title, _COLUMNS, list(map(_row, rows)), right=_COLUMNS[4:])
    print(f"{_machine()}, {date.today()}")


def _row(result: Result) -> tuple[str, ...]:
    start = (result.library, result.device, result.operation, result.call)
    if result.values is None:
        return *start, "failed", "-", "-", "-", "-"
    error, times = result.difference, (duration(result.first), duration(result.later))
    return *start, *times, f"{error:.2e}", f"{error / EPS:.1f}", f"{result.bound_ratio:.3f}"


def _verdict(results: Sequence[Result]) -> int:
    failures = [row for row in results if row.failed]
    for row in failures:
        print(f"FAILED {row.library} {row.device} {row.operation}: {row.failure or 'differs by more than its bound'}")
    return 1 if failures else 0


COMMAND = Command(
    "demo", "edges and blur of a photograph on every library, against SciPy", _DESCRIPTION, _EPILOG, _arguments, _run
)
