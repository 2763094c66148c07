"""The package's own machine code, where its build found a C compiler: how it is loaded, and what it is told.

The sources are in `native`. Addresses are all that the code is given, so whoever calls keeps the arrays alive, and
checks them: the planner's specs have done so long before.
"""

from __future__ import annotations

import ctypes
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel import _rows, _tiles
from arrayconv._accel._base import AcceleratorFailed
from arrayconv._accel._flat import Host, Part, Start, address

LIBRARY = "native"
LEVELS = ("any", "avx2", "avx512")  # of processors that there is code for
_PATH = Path(__file__).parent / "native" / "loops.so"
_INTERFACE = 1  # of the arguments and tables: native/loops.c speaks it too
_KINDS = {
    "float32": 0, "float64": 1,
    "int8": 2, "int16": 3, "int32": 4, "int64": 5, "uint8": 2, "uint16": 3, "uint32": 4, "uint64": 5,
    "complex64": 6, "complex128": 7,
}  # fmt: skip


class Code(NamedTuple):
    """The functions of the library, and the level of this machine's processor."""

    level: int
    rows: Any
    tiles: Any


def built() -> bool:
    """Whether the code is there."""
    return _PATH.exists()


@cache
def loaded() -> Code:
    """Return the code.

    Raises
    ------
    AcceleratorFailed
        If the system can't load it, or it was built from other sources.
    """
    try:
        library = ctypes.CDLL(str(_PATH))
        spoken = library.arrayconv_interface()
    except (OSError, AttributeError) as failure:
        raise AcceleratorFailed(LIBRARY, f"{failure}. Build it again: pip install --force-reinstall") from failure
    if spoken != _INTERFACE:
        raise AcceleratorFailed(LIBRARY, f"it was built from other sources (interface {spoken}, not {_INTERFACE})")
    number, pointer, word = ctypes.c_int, ctypes.c_void_p, ctypes.c_int64
    rows, tiles = library.arrayconv_rows, library.arrayconv_tiles
    rows.restype, rows.argtypes = None, [number, number, *[pointer] * 4, word, word]
    tiles.restype, tiles.argtypes = number, [number, number, *[pointer] * 4, ctypes.c_double, word, word]
    return Code(library.arrayconv_level(), rows, tiles)


def rows(dtype: str, job: _rows.Job) -> Start:
    """Return the loop over rows: see native/rows.h."""
    code, kind = loaded(), _KINDS[dtype]
    table = _words((len(job.offsets), len(job.sizes)), job.inner, job.offsets, job.sizes, job.steps)

    def start(x: Host, factors: Host, y: Host) -> Part:
        return partial(code.rows, code.level, kind, address(x), address(factors), address(y), table)

    return start


def tiles(dtype: str, tables: _tiles.Tables, fill: complex) -> Start:
    """Return the loop over tiles: see native/tiles.h."""
    code, kind = loaded(), _KINDS[dtype]
    lengths = [len(part) for part in (tables.lead, tables.beyond, tables.bands, tables.blocks)]
    table = _words((*lengths, tables.room), tables.counts, tables.lead, tables.axes, *tables[3:6])
    beyond = fill.real

    def start(x: Host, factors: Host, y: Host) -> Part:
        arrays = address(x), address(factors), address(y)

        def part(first: int, stop: int) -> None:
            if code.tiles(code.level, kind, *arrays, table, beyond, first, stop):
                raise MemoryError(f"convolution: no memory for a copy of {tables.room} samples of {dtype}.")

        return part

    return start


def _words(*parts: Any) -> Any:
    """Return numbers and tables as one, which lives as long as whoever passes it."""
    table: Any = np.concatenate([np.asarray(part, np.int64).reshape(-1) for part in parts])
    return (ctypes.c_int64 * table.size).from_buffer(table)
