"""`tune`: measure this machine, and keep what the choice of a method rests on."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from arrayconv._cli import constants, method_costs
from arrayconv._cli.console import CommandError, progress, table
from arrayconv._cli.options import Command
from arrayconv._costs import cost_table, user_file
from arrayconv._runtime import threads

_DESCRIPTION = """\
Measure how long this machine takes for what convolutions are made of, on every array library
that is installed, and for small problems by every accelerated method that can run here; show
that beside the constants that method="auto" chooses by.

With --write, the result is kept as a file in your cache folder (ARRAYCONV_CACHE_DIR moves it),
and every process that starts from then on chooses by it. It holds for this machine: rows that
were not measured stay those that came with the package.

The machine has to be idle: whatever else runs makes constants too large, and choices wrong.
Takes about a minute."""

_EPILOG = """\
examples:
  python -m arrayconv tune
  python -m arrayconv tune --write
  python -m arrayconv tune --remove

`python -m arrayconv explain` says which table is in force."""

_BUSY = 0.3  # load per core above which others get in the way
_STEPS = 24  # about as many rows as there are, for the progress bar


def _arguments(parser: argparse.ArgumentParser) -> None:
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--write", action="store_true", help="measure, and keep the result for every later process")
    one.add_argument("--path", action="store_true", help="print where your table lies, and whether there is one")
    one.add_argument("--remove", action="store_true", help="delete your table: the package's own is used again")


def _run(arguments: argparse.Namespace) -> int:
    path = _path()
    if arguments.path:
        print(f"{path}{'' if path.exists() else ' (there is none)'}")
    elif arguments.remove:
        print(f"removed {path}" if _removed(path) else f"there is no {path}")
    else:
        _tune(path, write=arguments.write)
    return 0


def _path() -> Path:
    path = user_file.table_path()
    if path is None:
        raise CommandError("there is no home folder to keep a table in. Set ARRAYCONV_CACHE_DIR to a folder")
    return path


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _tune(path: Path, *, write: bool) -> None:
    cores = threads.usable()
    load = _load()
    if load > _BUSY * cores:
        told = f"The machine is busy: a load of {load:.1f} on {cores} cores. Constants will be too large."
        print(told, file=sys.stderr)
    found = measured()
    print(f"Compared with: {cost_table.active_table().source}")
    table("Constants", ("table", "row", "constant", "was", "is", "ratio"), _rows(found), right=("was", "is", "ratio"))
    if not write:
        print("Nothing was kept. Run with --write, on an idle machine, to keep it.")
        return
    tables = {name: dict(rows) for name, rows in found.items()}
    machine = {"cores": cores, "processor": platform.processor() or platform.machine(), "system": platform.system()}
    whole = {**machine, "python": platform.python_version(), "packages": constants.versions()}
    user_file.save(path, user_file.CostFile(date.today().isoformat(), whole, tables), cost_table.KINDS)
    print(f"Wrote {path}. Every process that starts from now on chooses by it; --remove undoes that.")


def measured() -> dict[str, Mapping[str, Any]]:
    """Measure the rows of both tables."""
    with progress(_STEPS) as step:
        primitive_costs = constants.primitive_costs(step)
        return {"PRIMITIVE_COSTS": primitive_costs, "METHOD_COSTS": method_costs.method_costs(step, primitive_costs)}


def _load() -> float:
    """Return how many processes want to run, over the last minute; 0 where that is not known."""
    with suppress(AttributeError, OSError):
        return os.getloadavg()[0]
    return 0.0


def _rows(found: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return the lines of the table: each constant as it was and as it is."""
    now = cost_table.active_table()
    before: dict[str, Mapping[str, Any]] = {"PRIMITIVE_COSTS": now.primitive_costs, "METHOD_COSTS": now.method_costs}
    lines: list[tuple[str, ...]] = []
    for name, rows in found.items():
        for row, values in rows.items():
            old = before[name].get(row)
            for field, value in values._asdict().items():
                was = None if old is None else getattr(old, field)
                ratio = f"{value / was:.2f}" if was else "-"
                lines.append((name, row, field, "-" if was is None else str(was), str(value), ratio))
    return lines


COMMAND = Command("tune", "measure this machine for the choice of methods", _DESCRIPTION, _EPILOG, _arguments, _run)
