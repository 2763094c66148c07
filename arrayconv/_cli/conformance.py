"""`conformance`: runs the conformance suite on an array library, and merges the reports of several runs."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import arrayconv
from arrayconv._cli.console import CommandError
from arrayconv._cli.options import Command, positive
from arrayconv._runtime import threads

_DESCRIPTION = """\
Run the conformance suite: every number of convolve, correlate, einconv and the kernels against
exact sums, within computed bounds, on one array library. Any namespace of the Array API standard
is a backend, and any module with these functions a target.

Levels:
  quick     every row of a table once, in under 30 seconds
  default   every combination of the tables' rows; each row once where calls take long
  thorough  every combination on every library, and random geometries until the budget is spent

With --report, the folder gets report.json and report.html, a page without external resources.
With --merge, nothing runs: the reports of several runs become one with a matrix of them."""

_EPILOG = """\
examples:
  python -m arrayconv conformance --backend torch --report out/
  python -m arrayconv conformance --backend cupy --level quick
  python -m arrayconv conformance --target my.module --level thorough --budget 30 --seed 7
  python -m arrayconv conformance --merge numpy/report.json torch/report.json --report out/

Exit status: 0 if a test ran and none failed, 1 if one failed, 6 if none ran (the reasons are
printed), 2 if the suite could not run."""

_LEVELS = ("quick", "default", "thorough")
_MOST_WORKERS = 4  # by default
_STATUSES = {0: 0, 1: 1, 5: 6, 6: 6}  # of the suite and of this command: 5 is that no test was selected


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backend", default="numpy", help="array library, by name or as a dotted module (default: numpy)"
    )
    parser.add_argument("--device", help="device of the library (default: the library's own)")
    parser.add_argument(
        "--target", default="arrayconv", help="implementation under test, a module (default: arrayconv)"
    )
    parser.add_argument("--level", choices=_LEVELS, default="default", help="how much runs (default: default)")
    parser.add_argument("--seed", type=int, help="seed of the random geometries (default: 0)")
    parser.add_argument(
        "--budget", type=_minutes, metavar="MINUTES", help="no test starts later (default: 10 if thorough)"
    )
    parser.add_argument(
        "-n", dest="workers", type=positive, metavar="WORKERS", help="processes (default: one per core, up to 4)"
    )
    parser.add_argument(
        "-k", dest="expression", metavar="EXPRESSION", help="only tests whose names match, as in pytest"
    )
    parser.add_argument("--xfails", type=Path, metavar="FOLDER", help="folder with lists of known failures")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="write report.json and report.html there")
    parser.add_argument("--merge", nargs="+", type=Path, metavar="FILE", help="run nothing, merge these reports")


def _minutes(text: str) -> float:
    """Parse a positive number of minutes."""
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number of minutes, got {text!r}")
    return minutes


def _run(arguments: argparse.Namespace) -> int:
    folder = _folder()
    if arguments.merge:
        return _merge(folder, arguments.merge, arguments.report)
    _require(("pytest", "hypothesis"))
    if arguments.workers is not None and arguments.workers > 1:
        _require(("xdist",))
    with tempfile.TemporaryDirectory() as scratch:
        process = subprocess.run(_command(folder, arguments), env=_environment(scratch), check=False)
    return _STATUSES.get(process.returncode, 2)


def _folder() -> Path:
    """Return the suite's folder: in the package if it is installed, beside the package in a checkout."""
    package = Path(arrayconv.__file__).parent
    for folder in (package / "conformance", package.parent / "conformance"):
        if (folder / "suite.ini").exists():
            return folder
    raise CommandError("this installation of arrayconv has no conformance suite")


def _require(modules: Sequence[str]) -> None:
    missing = [{"xdist": "pytest-xdist"}.get(module, module) for module in modules if find_spec(module) is None]
    if missing:
        raise CommandError(
            f"the suite needs {' and '.join(missing)}, not installed here. Run: pip install 'arrayconv[conformance]'"
        )


def _command(folder: Path, arguments: argparse.Namespace) -> list[str]:
    words = [sys.executable, "-m", "pytest", str(folder), "-c", str(folder / "suite.ini"), f"--rootdir={folder}"]
    words += [f"--ignore={folder / 'meta'}", "-p", "no:cacheprovider", "-q", "--tb=short", "--disable-warnings"]
    words += [
        "--progress",
        f"--backend={arguments.backend}",
        f"--target={arguments.target}",
        f"--level={arguments.level}",
    ]
    options = {
        "--device": arguments.device,
        "--seed": arguments.seed,
        "--budget": arguments.budget,
        "--xfails": arguments.xfails and arguments.xfails.absolute(),
        "--report": arguments.report and arguments.report.absolute(),
    }
    words += [f"{name}={value}" for name, value in options.items() if value is not None]
    words += ["-k", arguments.expression] if arguments.expression else []
    return words + _workers(arguments.workers)


def _workers(requested: int | None) -> list[str]:
    if find_spec("xdist") is None:
        return []
    workers = min(threads.usable(), _MOST_WORKERS) if requested is None else requested
    return ["-n", str(workers)] if workers > 1 else ["-p", "no:xdist"]


def _environment(scratch: str) -> dict[str, str]:
    """Return this process's environment without the user's own options of pytest; hypothesis writes to `scratch`."""
    ignored = ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    environment = {name: value for name, value in os.environ.items() if name not in ignored}
    return {**environment, "HYPOTHESIS_STORAGE_DIRECTORY": scratch}


def _merge(folder: Path, files: Sequence[Path], out: Path | None) -> int:
    if out is None:
        raise CommandError("--merge needs --report FOLDER, where the merged report is written")
    report: Any = _report_module(folder)
    content = report.merge(files)
    report.save(content, out / "report.json", out / "report.html")
    print(f"Merged {len(content['runs'])} runs into {out / 'report.html'}")
    return 0


def _report_module(folder: Path) -> Any:
    """Import the suite's `report`, which needs neither pytest nor hypothesis."""
    if folder.parent == Path(arrayconv.__file__).parent:
        return import_module("arrayconv.conformance.report")
    if str(folder.parent) not in sys.path:
        sys.path.append(str(folder.parent))
    return import_module("conformance.report")


COMMAND = Command("conformance", "test an array library against exact sums", _DESCRIPTION, _EPILOG, _arguments, _run)
