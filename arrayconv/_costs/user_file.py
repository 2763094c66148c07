"""A user's own table of measured constants: where it lies, how it is read, checked and written.

    {"version": 1, "date": "2026-11-22", "machine": {...},
     "tables": {"PRIMITIVE_COSTS": {row: {field: n}}, "METHOD_COSTS": ...}}

A file that is wrong in any part is ignored as a whole: half a table would compare constants of two machines. Rows by
names that this version does not know are kept and never looked up; fields must be the known ones, since a constant
that changed its meaning is worse than none. What only a process with a file needs is imported then.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

VERSION = 1
LARGEST = 10**9  # of a constant: a second per call, a millisecond per byte
MAX_BYTES = 1 << 20
_NAME = "cost_table.json"
_KEYS = ["date", "machine", "tables", "version"]

Rows = dict[str, Any]  # row's name -> named tuple of integers
Kinds = Mapping[str, Any]  # table's name -> the named tuple of its rows


class CostFile(NamedTuple):
    """What a file holds."""

    date: str
    machine: dict[str, Any]
    tables: dict[str, Rows]


def table_path() -> Path | None:
    """Return where the user's table lies, whether there is one or not; None for a user without a home."""
    own = os.environ.get("ARRAYCONV_CACHE_DIR")
    if own:
        return Path(own) / _NAME
    try:
        return _cache() / "arrayconv" / _NAME
    except RuntimeError:  # pathlib's for a user without a home
        return None


def _cache() -> Path:
    """Return the platform's folder for what programs can make again."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"


def load(path: Path, kinds: Kinds) -> CostFile | None:
    """Return what a file holds, None where there is none.

    Raises
    ------
    ValueError
        If there is something at `path` that is not a table: the text says what is wrong with it.
    """
    try:
        text = _text(path)
        return None if text is None else parse(text, kinds)
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror or error})") from error


def _text(path: Path) -> str | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # also a folder that others may not look into
        return None
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        held = file.read(MAX_BYTES + 1)
    if len(held) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    try:
        return held.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 ({error.reason} at byte {error.start})") from error


def parse(text: str, kinds: Kinds) -> CostFile:
    """Return what a text holds; raises ValueError saying what is wrong with it."""
    import json
    from datetime import date

    try:
        found: Any = json.loads(text)
    except RecursionError:
        raise ValueError("it is not a table (nested too deeply)") from None
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from error
    if not isinstance(found, dict) or sorted(cast("dict[str, Any]", found)) != _KEYS:
        raise ValueError(f"it must be an object with the keys {', '.join(_KEYS)}")
    held = cast("dict[str, Any]", found)
    if type(held["version"]) is not int or held["version"] != VERSION:
        raise ValueError(f"`version` must be {VERSION}. Got {held['version']!r:.40}")
    try:
        date.fromisoformat(held["date"])
    except (TypeError, ValueError):
        raise ValueError(f"`date` must be a date such as 2026-11-22. Got {held['date']!r:.40}") from None
    machine, tables = (_object(name, held[name]) for name in ("machine", "tables"))
    unknown = sorted(set(tables) - set(kinds))
    if unknown:
        raise ValueError(f"`tables` must be of {', '.join(kinds)}. Got {', '.join(unknown):.40}")
    return CostFile(held["date"], machine, {name: _rows(name, tables[name], kinds[name]) for name in tables})


def _object(name: str, found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ValueError(f"`{name}` must be an object. Got {found!r:.40}")
    return cast("dict[str, Any]", found)


def _rows(table: str, found: Any, kind: Any) -> Rows:
    """Return the rows of a table as named tuples of the kind given."""
    rows: Rows = {}
    for name, row in _object(table, found).items():
        where = f"{table}[{name!r:.60}]"
        fields = _object(where, row)
        unknown = sorted(set(fields) - set(kind._fields))
        missing = [field for field in kind._fields if field not in fields and field not in kind._field_defaults]
        if unknown or missing:
            raise ValueError(f"`{where}` must have the fields {', '.join(kind._fields)}. Got {', '.join(fields):.80}")
        for field, value in fields.items():
            least = min(1, kind._field_defaults.get(field, 1))  # what is 0 by default may be free
            if type(value) is not int or not least <= value <= LARGEST:
                raise ValueError(
                    f"`{where}.{field}` must be a whole number from {least} to {LARGEST}. Got {value!r:.40}"
                )
        rows[name] = kind(**fields)
    return rows


def render(measured: CostFile, kinds: Kinds) -> str:
    """Return the text of a file; raises ValueError where `load` would refuse it."""
    import json

    tables = {
        table: {name: row._asdict() for name, row in sorted(rows.items())} for table, rows in measured.tables.items()
    }
    whole = {"version": VERSION, "date": measured.date, "machine": measured.machine, "tables": tables}
    text = json.dumps(whole, indent=1) + "\n"
    parse(text, kinds)
    return text


def save(path: Path, measured: CostFile, kinds: Kinds) -> None:
    """Write a file in one step: who reads meanwhile finds the old one or the new one, whole."""
    import tempfile

    text = render(measured, kinds)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
