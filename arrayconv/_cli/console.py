"""Output of the commands: tables and progress bars by rich if it is installed, else plain text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_PACKAGES = {"PIL": "pillow", "skimage": "scikit-image"}  # import name -> package name, if they differ
_PIPE_WIDTH = 200  # columns of a file or a pipe, where no line is wrapped


class CommandError(Exception):
    """A command cannot run; the message is one sentence for the user."""


def import_optional(module: str, why: str) -> Any:
    """Import an optional module, or raise CommandError that says how to install it.

    Parameters
    ----------
    module : str
        Such as ``scipy.ndimage``.
    why : str
        The purpose, which the error names: 'reading images'.
    """
    try:
        return import_module(module)
    except ImportError as error:
        top = module.split(".")[0]
        package = _PACKAGES.get(top, top)
        state = "cannot be imported" if find_spec(top) else "is not installed"
        raise CommandError(f"{why} needs {package}, which {state}. Run: pip install 'arrayconv[demo]'") from error


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
    """Print a table; the columns named in `right` are right-aligned."""
    if find_spec("rich") is None:
        print("\n".join(_plain(title, columns, rows, right)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rich_table = Table()
    for name in columns:
        rich_table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        rich_table.add_row(*(Text(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    console.print(Text(title, style="bold"))
    console.print(rich_table)


def _plain(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> Iterator[str]:
    lines = [columns, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    yield title
    for line in lines:
        cells = zip(columns, line, widths, strict=True)
        yield "  ".join(f"{cell:>{w}}" if name in right else f"{cell:<{w}}" for name, cell, w in cells).rstrip()


@contextmanager
def progress(steps: int) -> Generator[Callable[[str], None]]:
    """Show progress on stderr, if that is a terminal; call the yielded function at the start of each step."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    if find_spec("rich") is None:
        yield lambda text: print(f"{text} ...", file=sys.stderr)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    parts = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*parts, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=steps)
        num_started = 0

        def step(text: str) -> None:
            nonlocal num_started
            bar.update(task, description=text, completed=num_started)
            num_started += 1

        yield step


def duration(seconds: float) -> str:
    """Return a time with its unit: ``1.23 ms``."""
    for factor, unit in ((1e6, "us"), (1e3, "ms")):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def sentence(error: BaseException) -> str:
    """Return the first sentence of an exception's message."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text.split(". ")[0].rstrip(".")
