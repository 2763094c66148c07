"""`demo`: edges and a large blur of a photograph on every library, against SciPy, timed and drawn."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import arrayconv
from arrayconv._cli import images, libraries, options, picture
from arrayconv._cli.accuracy import EPS, Answer, Host, answer, operations
from arrayconv._cli.console import CommandError, duration, need, progress, table
from arrayconv._cli.options import Command
from arrayconv._cli.trials import Result, measured

_DESCRIPTION = """\
Filter a photograph on every array library that is installed, and compare with SciPy.

Two operations run in float32: edges (both Sobel derivatives and their magnitude, boundary
'reflect') and a large Gaussian blur (boundary 'symmetric'). For each library and device the
table shows the method chosen, the time (best of a few runs; SciPy's is one run) and the largest
difference from scipy.ndimage in float64: as it is, in units of eps = 1.19e-07, and as a share
of what rounding can explain ("of bound"; above 1 is an error). A picture shows the photograph,
both results and the differences. Libraries that cannot be used here are listed with the reason."""

_EPILOG = """\
examples:
  python -m arrayconv demo
  python -m arrayconv demo --image photo.jpg -o photo_demo.png
  python -m arrayconv demo --backends numpy,torch --size 2048 --sigma 10

Needs the optional packages of: pip install 'arrayconv[demo]'.
Exit status: 0 if every difference is within its bound, 1 if not or if a library failed,
2 if the demo could not run."""

_COLUMNS = ("library", "device", "operation", "method", "time", "difference", "in eps", "of bound")


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--image", metavar="FILE", help="your own picture, turned grey (default: scikit-image's 'camera')")
    text = "picture to write (default: arrayconv_demo.png)"
    add("-o", "--output", metavar="OUT", default="arrayconv_demo.png", help=text)
    text = "reduce the picture so that its longer side has N pixels; 0 keeps it (default: 512)"
    add("--size", metavar="N", type=int, default=512, help=text)
    text = "of the blur, in pixels; it has 8 S + 1 taps a side (default: 5)"
    add("--sigma", metavar="S", type=float, default=5.0, help=text)
    add("--backends", metavar="A,B", type=options.names, help="only these libraries (default: all that can be used)")


def _run(arguments: argparse.Namespace) -> int:
    need("matplotlib.figure", "the picture")
    if not Path(arguments.output).absolute().parent.is_dir():
        raise CommandError(f"{arguments.output} cannot be written: its folder does not exist")
    photo = _photo(arguments.image, arguments.size).astype(np.float32)
    work = operations(arguments.sigma)
    chosen = arguments.backends or tuple(libraries.NAMESPACES)
    with progress(len(work) + len(chosen) * (1 + len(work)) + 1) as step:
        answers: list[Answer] = []
        for operation in work:
            step(f"scipy: {operation.name}")
            answers.append(answer(operation, photo))
        found = [_library(name, arguments.backends is not None, step) for name in chosen]
        results = [row for library in found for row in measured(library, photo, answers, step)]
        step("drawing")
        panels = [_panel(results, exact) for exact in answers]
        picture.write(arguments.output, photo, panels, _caption(results, answers))
    _print_table(photo, answers, results)
    for library in found:
        if not library.devices:
            print(f"{libraries.title(library)}: {library.problem}")
    print(f"Picture: {arguments.output}")
    return _verdict(results)


def _photo(path: str | None, size: int) -> Host:
    if size < 0:
        raise CommandError(f"--size must be 0 or more, got {size}")
    if path is None:
        return images.photograph(size)
    return images.reduced(images.read(path, grey=True).values, size)


def _library(name: str, asked: bool, step: Callable[[str], None]) -> libraries.Library:
    step(f"starting {name}")
    return libraries.require(name) if asked else libraries.look(name)


def _panel(results: Sequence[Result], exact: Answer) -> picture.Panel:
    """Return the first library's values, and the largest difference of any library pixel by pixel."""
    operation = exact.operation
    rows = [row for row in results if row.operation == operation.name]
    values = [row.values for row in rows if row.values is not None]
    if not values:
        why = rows[0].failure if rows else "no library can be used"
        raise CommandError(f"{operation.name} could not be computed: {why}")
    largest = np.max([np.abs(each - exact.value) for each in values], axis=0)
    return picture.Panel(f"{operation.title}\nboundary {operation.boundary!r}", values[0], largest / EPS)


def _caption(results: Sequence[Result], answers: Sequence[Answer]) -> str:
    """Return the times, in lines of equal width."""
    names = [exact.operation.name for exact in answers]
    times = {("scipy.ndimage", exact.operation.name): duration(exact.seconds) for exact in answers}
    for row in results:
        told = duration(row.seconds) if row.values is not None else "failed"
        times[f"{row.library} {row.device}", row.operation] = told
    heading = f"{'time':<33}" + "".join(f"{name.split()[0]:>10}" for name in names)
    places = dict.fromkeys(place for place, _ in times)
    rows = [f"{place:<33.33}" + "".join(f"{times[place, name]:>10}" for name in names) for place in places]
    return "\n".join([f"arrayconv {arrayconv.__version__}", "", heading, *rows])


def _print_table(photo: Host, answers: Sequence[Answer], results: Sequence[Result]) -> None:
    scipy = f"scipy {need('scipy', 'the comparison with SciPy').__version__}"
    first = [
        (scipy, "cpu", exact.operation.name, "ndimage, float64", duration(exact.seconds), "", "", "")
        for exact in answers
    ]
    size = " x ".join(map(str, photo.shape))
    table(f"{size} float32, difference from SciPy", _COLUMNS, [*first, *map(_row, results)], right=_COLUMNS[4:])


def _row(result: Result) -> tuple[str, ...]:
    start = (result.library, result.device, result.operation, result.method)
    if result.values is None:
        return *start, "failed", "-", "-", "-"
    far, share = result.difference, result.share
    return *start, duration(result.seconds), f"{far:.2e}", f"{far / EPS:.1f}", f"{share:.3f}"


def _verdict(results: Sequence[Result]) -> int:
    bad = [row for row in results if row.failed]
    for row in bad:
        print(f"FAILED {row.library} {row.device} {row.operation}: {row.failure or 'differs by more than its bound'}")
    return 1 if bad else 0


COMMAND = Command(
    "demo", "edges and blur of a photograph on every library, against SciPy", _DESCRIPTION, _EPILOG, _arguments, _run
)
