"""A user's own table of measured constants: its path, and how it is read, checked and written.

    {"version": 1, "date": "2026-11-22", "machine": {...},
     "tables": {"PRIMITIVE_COSTS": {row: {field: n}}, "METHOD_COSTS": ...}}

A file with any error is ignored as a whole: half a table would compare constants of two machines. Rows with names that
this version does not know are allowed and never looked up; fields must be the known ones, since a constant whose
meaning changed is worse than none. Modules that only a process with a file needs are imported inside functions.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

VERSION = 1
MAX_CONSTANT = 10**9  # of a constant: a second per call, a millisecond per byte
MAX_BYTES = 1 << 20
_NAME = "cost_table.json"
_KEYS = ["date", "machine", "tables", "version"]

Rows = dict[str, Any]  # row's name -> named tuple of integers
Kinds = Mapping[str, Any]  # table's name -> the named tuple of its rows


class CostFile(NamedTuple):
    """The content of a file."""

    date: str
    machine: dict[str, Any]
    tables: dict[str, Rows]


def table_path() -> Path | None:
    """Return the path of the user's table, whether it exists or not; None for a user without a home directory."""
    folder = os.environ.get("ARRAYCONV_CACHE_DIR")
    if folder:
        return Path(folder) / _NAME
    try:
        return _cache() / "arrayconv" / _NAME
    except RuntimeError:  # raised by pathlib for a user without a home directory
        return None


def _cache() -> Path:
    """Return the platform's cache directory."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"


def load(path: Path, kinds: Kinds) -> CostFile | None:
    """Return the content of a file, None if it does not exist.

    Raises
    ------
    ValueError
        If `path` exists and is not a valid table: the text says what is wrong.
    """
    try:
        text = _text(path)
        return None if text is None else parse(text, kinds)
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror or error})") from error


def _text(path: Path) -> str | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # also a directory without access
        return None
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 ({error.reason} at byte {error.start})") from error


def parse(text: str, kinds: Kinds) -> CostFile:
    """Return the content of a file from its text; raises ValueError saying what is wrong."""
    import json
    from datetime import date

    try:
        content: Any = json.loads(text)
    except RecursionError:
        raise ValueError("it is not a table (nested too deeply)") from None
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from error
    if not isinstance(content, dict) or sorted(cast("dict[str, Any]", content)) != _KEYS:
        raise ValueError(f"it must be an object with the keys {', '.join(_KEYS)}")
    fields = cast("dict[str, Any]", content)
    if type(fields["version"]) is not int or fields["version"] != VERSION:
        raise ValueError(f"`version` must be {VERSION}. Got {fields['version']!r:.40}")
    try:
        date.fromisoformat(fields["date"])
    except (TypeError, ValueError):
        raise ValueError(f"`date` must be a date such as 2026-11-22. Got {fields['date']!r:.40}") from None
    machine, tables = (_object(name, fields[name]) for name in ("machine", "tables"))
    unknown = sorted(set(tables) - set(kinds))
    if unknown:
        raise ValueError(f"`tables` must be of {', '.join(kinds)}. Got {', '.join(unknown):.40}")
    return CostFile(fields["date"], machine, {name: _rows(name, tables[name], kinds[name]) for name in tables})


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"`{name}` must be an object. Got {value!r:.40}")
    return cast("dict[str, Any]", value)


def _rows(table: str, value: Any, kind: Any) -> Rows:
    """Return the rows of a table as named tuples of type `kind`."""
    rows: Rows = {}
    for name, row in _object(table, value).items():
        where = f"{table}[{name!r:.60}]"
        fields = _object(where, row)
        unknown = sorted(set(fields) - set(kind._fields))
        missing = [field for field in kind._fields if field not in fields and field not in kind._field_defaults]
        if unknown or missing:
            raise ValueError(f"`{where}` must have the fields {', '.join(kind._fields)}. Got {', '.join(fields):.80}")
        for field, number in fields.items():
            least = min(1, kind._field_defaults.get(field, 1))  # a field with default 0 may be 0
            if type(number) is not int or not least <= number <= MAX_CONSTANT:
                raise ValueError(
                    f"`{where}.{field}` must be a whole number from {least} to {MAX_CONSTANT}. Got {number!r:.40}"
                )
        rows[name] = kind(**fields)
    return rows


def render(measured: CostFile, kinds: Kinds) -> str:
    """Return the text of a file; raises ValueError if `load` would refuse it."""
    import json

    tables = {
        table: {name: row._asdict() for name, row in sorted(rows.items())} for table, rows in measured.tables.items()
    }
    content = {"version": VERSION, "date": measured.date, "machine": measured.machine, "tables": tables}
    text = json.dumps(content, indent=1) + "\n"
    parse(text, kinds)
    return text


def save(path: Path, measured: CostFile, kinds: Kinds) -> None:
    """Write a file atomically: a concurrent reader gets the old content or the new one."""
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
