"""`tune`: measures this machine, and saves the constants by which a method is chosen."""

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

from arrayconv._cli import ceilings, method_costs, primitive_costs
from arrayconv._cli.console import CommandError, progress, table
from arrayconv._cli.options import Command
from arrayconv._costs import cost_table, gpu, user_file
from arrayconv._runtime import threads

_DESCRIPTION = """\
Measure the primitive operations of convolutions on every installed array library, and small
problems by every accelerated method that can run here; print the constants beside those by
which method="auto" chooses now.

With --write, save them as a file in your cache folder (ARRAYCONV_CACHE_DIR moves it); every
process that starts from then on chooses by it. The file is for this machine; rows that were not
measured stay those of the package.

On a GPU that CuPy or torch can use, its ceilings are measured too: a copy, multiply-adds and a
launch, by CUDA's events. With --gpu these alone; saved, they replace those of the same card.

The machine has to be idle: other load makes constants too large, and choices wrong.
Takes about a minute."""

_EPILOG = """\
examples:
  python -m arrayconv tune
  python -m arrayconv tune --write
  python -m arrayconv tune --gpu --write
  python -m arrayconv tune --remove

`python -m arrayconv explain` prints which table is active."""

_MAX_LOAD = 0.3  # per core, above which the times are wrong
_STEPS = 24  # about the number of rows, for the progress bar


def _arguments(parser: argparse.ArgumentParser) -> None:
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--write", action="store_true", help="measure, and save the result for every later process")
    one.add_argument("--path", action="store_true", help="print the path of your table, and whether it exists")
    parser.add_argument("--gpu", action="store_true", help="measure the ceilings of the GPU here, and nothing else")
    one.add_argument("--remove", action="store_true", help="delete your table; the package's own is used again")


def _run(arguments: argparse.Namespace) -> int:
    path = _path()
    if arguments.path:
        print(f"{path}{'' if path.exists() else ' (there is none)'}")
    elif arguments.remove:
        print(f"removed {path}" if _remove(path) else f"there is no {path}")
    else:
        _tune(path, write=arguments.write, gpu_only=arguments.gpu)
    return 0


def _path() -> Path:
    path = user_file.table_path()
    if path is None:
        raise CommandError("there is no home folder for the table. Set ARRAYCONV_CACHE_DIR to a folder")
    return path


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _tune(path: Path, *, write: bool, gpu_only: bool) -> None:
    cores = threads.usable()
    load = _load()
    if load > _MAX_LOAD * cores:
        message = f"The machine is busy: load {load:.1f} on {cores} cores. Constants will be too large."
        print(message, file=sys.stderr)
    measured_tables = measure_gpu() if gpu_only else measure()
    print(f"Compared with: {cost_table.active_table().source}")
    numeric = ("active", "measured", "ratio")
    table("Constants", ("table", "row", "constant", *numeric), _rows(measured_tables), right=numeric)
    if not write:
        print("Nothing was saved. Run with --write, on an idle machine, to save it.")
        return
    tables = _saved(path) if gpu_only else {}
    for name, rows in measured_tables.items():
        tables[name] = {**tables.get(name, {}), **rows}
    machine = {"cores": cores, "processor": platform.processor() or platform.machine(), "system": platform.system()}
    description = {**machine, "python": platform.python_version(), "packages": primitive_costs.versions()}
    user_file.save(path, user_file.CostFile(date.today().isoformat(), description, tables), cost_table.KINDS)
    print(f"Wrote {path}. Every process that starts from now on chooses by it; --remove undoes that.")


def _saved(path: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of the user's table, none without one."""
    try:
        saved = user_file.load(path, cost_table.KINDS)
    except ValueError as wrong:
        raise CommandError(f"the table {path} is invalid: {wrong}. Delete it, with --remove") from wrong
    return {} if saved is None else {name: dict(rows) for name, rows in saved.tables.items()}


def measure() -> dict[str, Mapping[str, Any]]:
    """Measure the rows of all tables; ceilings where there is a GPU."""
    with progress(_STEPS) as step:
        primitives = primitive_costs.measure(step)
        tables: dict[str, Mapping[str, Any]] = {
            "PRIMITIVE_COSTS": primitives,
            "METHOD_COSTS": method_costs.measure(step, primitives),
        }
        cards, _ = ceilings.measure(step)
    return {**tables, "CEILINGS": cards} if cards else tables


def measure_gpu() -> dict[str, Mapping[str, Any]]:
    """Measure the ceilings of the GPU here; raises CommandError without one."""
    with progress(1) as step:
        cards, reasons = ceilings.measure(step)
    if not cards:
        raise CommandError(f"there is no GPU here whose ceilings could be measured. {'; '.join(reasons)}")
    return {"CEILINGS": cards}


def _load() -> float:
    """Return the average load of the last minute; 0 if it is not known."""
    with suppress(AttributeError, OSError):
        return os.getloadavg()[0]
    return 0.0


def _rows(tables: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return the lines of the table: each constant as active and as measured."""
    active = cost_table.active_table()
    old_tables: dict[str, Mapping[str, Any]] = {
        "PRIMITIVE_COSTS": active.primitive_costs,
        "METHOD_COSTS": active.method_costs,
    }
    lines: list[tuple[str, ...]] = []
    for name, rows in tables.items():
        for row, values in rows.items():
            old_row = gpu.row(row) if name == "CEILINGS" else old_tables[name].get(row)
            for field, value in values._asdict().items():
                old = None if old_row is None else getattr(old_row, field)
                ratio = f"{value / old:.2f}" if old else "-"
                lines.append((name, row, field, "-" if old is None else str(old), str(value), ratio))
    return lines


COMMAND = Command("tune", "measure this machine for the choice of methods", _DESCRIPTION, _EPILOG, _arguments, _run)
