"""The package's own machine code, where its build found a C compiler: how it is loaded, and what it is told.

The sources are in `native`. Addresses are all that the code is given, so whoever calls keeps the arrays alive, and
checks them: the planner's specs have done so long before.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel import _images, _rows, _tiles
from arrayconv._accel._base import AcceleratorFailed
from arrayconv._accel._contiguous import Samples, reversed_taps
from arrayconv._accel._flat import Host
from arrayconv._accel._in_place import Part, Start
from arrayconv._algorithms import Context

At = Callable[[int, int, int], None]  # a whole call at addresses of x, the kernel and y

LIBRARY = "native"
ROWS, TILES, IMAGES = range(3)  # the loops, as native/xla.c numbers them
LEVELS = ("any", "avx2", "avx512")  # of processors that there is code for
_SOURCES = Path(__file__).parent / "native"
_PATH = _SOURCES / "loops.so"
_INTERFACE = 3  # of the arguments and tables: native/loops.c speaks it too
_KINDS = {
    "float32": 0, "float64": 1,
    "int8": 2, "int16": 3, "int32": 4, "int64": 5, "uint8": 2, "uint16": 3, "uint32": 4, "uint64": 5,
    "complex64": 6, "complex128": 7,
}  # fmt: skip
_AGAIN = "Build it again: pip install --force-reinstall, or make in a checkout"
_NO_MEMORY = "convolution: no memory for a copy of {} samples of {}."


class Code(NamedTuple):
    """The functions of the library, and the level of this machine's processor."""

    level: int
    rows: Any
    tiles: Any
    images: Any
    call: Any
    xla: Any


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
        spoken, sources = library.arrayconv_interface(), library.arrayconv_sources
    except (OSError, AttributeError) as failure:
        raise AcceleratorFailed(LIBRARY, f"{failure}. {_AGAIN}") from failure
    if spoken != _INTERFACE:
        raise AcceleratorFailed(LIBRARY, f"it was built from other sources (interface {spoken}, not {_INTERFACE})")
    sources.restype = ctypes.c_int64
    if _sources() not in (sources(), None):
        raise AcceleratorFailed(LIBRARY, f"it was built from other sources than those beside it. {_AGAIN}")
    number, pointer, word = ctypes.c_int, ctypes.c_void_p, ctypes.c_int64
    rows, tiles, images = library.arrayconv_rows, library.arrayconv_tiles, library.arrayconv_images
    call = library.arrayconv_call
    rows.restype, rows.argtypes = None, [number, number, *[pointer] * 4, word, word]
    for blocks in (tiles, images):
        blocks.restype, blocks.argtypes = number, [number, number, *[pointer] * 4, ctypes.c_double, word, word]
    call.restype, call.argtypes = number, [pointer] * 4
    return Code(library.arrayconv_level(), rows, tiles, images, call, library.arrayconv_xla)


def _sources() -> int | None:
    """Return the number that hatch_build.py gave to these sources; None where they are not installed."""
    digest, paths = hashlib.sha256(), sorted(_SOURCES.glob("*.[ch]"))
    for path in paths:
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:8], "little") >> 1 if paths else None


def level() -> str:
    """Return what this machine's processor has that there is code for; raises as `loaded`."""
    return LEVELS[loaded().level]


def rows(dtype: str, job: _rows.Job) -> Start:
    """Return the loop over rows: see native/rows.h."""
    code, kind = loaded(), _KINDS[dtype]
    table = _words(*of_rows(job))
    return lambda x, factors, y: partial(code.rows, code.level, kind, x, factors, y, table)


def tiles(dtype: str, tables: _tiles.Tables, fill: complex) -> Start:
    """Return the loop over tiles: see native/tiles.h."""
    return _in_blocks(loaded().tiles, dtype, _words(*of_tiles(tables)), fill, tables.room)


def images(dtype: str, tables: _images.Tables, fill: complex) -> Start:
    """Return the loop over images of channels: see native/images.h."""
    return _in_blocks(loaded().images, dtype, _words(tables.words), fill, tables.room)


def _in_blocks(loop: Any, dtype: str, table: Any, fill: complex, room: int) -> Start:
    """Return a loop that extends x block by block, in memory of its own for so many samples."""
    level, kind, beyond = loaded().level, _KINDS[dtype], fill.real

    def start(x: int, factors: int, y: int) -> Part:
        def part(first: int, stop: int) -> None:
            if loop(level, kind, x, factors, y, table, beyond, first, stop):
                raise MemoryError(_NO_MEMORY.format(room, dtype))

        return part

    return start


def whole_rows(context: Context, samples: Samples, job: _rows.Job) -> At | None:
    """Return the whole call of the loop over rows, None where more is to be done than that does."""
    return _whole(context, samples, 0, job.units, of_rows(job))


def whole_tiles(context: Context, samples: Samples, tables: _tiles.Tables) -> At | None:
    """Return the whole call of the loop over tiles, None where more is to be done than that does."""
    return _whole(context, samples, 1, tables.units, of_tiles(tables))


def _whole(context: Context, samples: Samples, is_tiles: int, units: int, parts: Sequence[Any]) -> At | None:
    memory, taps, frame = context.memory, reversed_taps(context), samples.frame
    if memory is None or taps is None:
        return None
    dtype, spec = context.traits.accumulator, memory.problem.spec
    factors = spec.groups * spec.filters * spec.terms
    code, fill = loaded(), np.float64(context.fill.real).view(np.int64)
    head = context.traits.itemsize, is_tiles, units, factors, taps, frame.start, len(frame.axes)
    table = _words((code.level, _KINDS[dtype], fill), head, frame.axes, *parts)
    call, place = code.call, ctypes.byref(table)  # which keeps it

    def at(x: int, kernel: int, y: int) -> None:
        if call(x, kernel, y, place):
            raise MemoryError(_NO_MEMORY.format("its", dtype))

    return at


def of_rows(job: _rows.Job) -> Sequence[Any]:
    return (len(job.offsets), len(job.sizes)), job.inner, job.offsets, job.sizes, job.steps


def of_tiles(tables: _tiles.Tables) -> Sequence[Any]:
    lengths = [len(part) for part in (tables.lead, tables.beyond, tables.bands, tables.blocks)]
    return (*lengths, tables.room), tables.counts, tables.lead, tables.axes, *tables[3:6]


def _words(*parts: Any) -> Any:
    """Return numbers and tables as one, which lives as long as whoever passes it."""
    table: Any = packed(*parts)
    return (ctypes.c_int64 * table.size).from_buffer(table)


def head(loop: int, dtype: str, fill: complex) -> tuple[int, int, int, Any]:
    """Return what every table begins with: the loop, the processor's level, the kind of elements, the fill's bits."""
    return loop, loaded().level, _KINDS[dtype], np.float64(fill.real).view(np.int64)


def packed(*parts: Any) -> Host:
    """Return numbers and tables as one array of int64."""
    return np.concatenate([np.asarray(part, np.int64).reshape(-1) for part in parts])
