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

from arrayconv._accel import _images, _rows, _tiles
from arrayconv._accel._contiguous import Samples, reversed_taps
from arrayconv._accel._in_place import Part, Start
from arrayconv._accel._tables import CallHead, double_bits, packed
from arrayconv._algorithms import Context
from arrayconv._failures import AcceleratorFailed, unavailable
from arrayconv._xp import Traits

At = Callable[[int, int, int], None]  # a whole call at addresses of x, the kernel and y

LIBRARY = "native"
ROWS, TILES, IMAGES = range(3)  # LOOPS of native/tables.h
_SOURCES = Path(__file__).parent / "native"
_PATH = _SOURCES / "loops.so"
_INTERFACE = 4  # of the arguments and tables: native/loops.c speaks it too
NOT_BUILT = "there was no C compiler, or it failed, when the package was installed"
_AGAIN = "Build it again: pip install --force-reinstall, or make in a checkout"
_NO_MEMORY = "convolution: no memory for a copy of {} samples of {}."


class Code(NamedTuple):
    """The functions of the library, its numbers for dtypes, and what this machine's processor has of its levels."""

    level: int  # among `levels`
    levels: tuple[str, ...]
    kinds: dict[str, int]
    rows: Any
    tiles: Any
    images: Any
    call: Any
    xla: Any


def built() -> bool:
    """Whether the code is there."""
    return _PATH.exists()


def refusal(backend: str, traits: Traits) -> str | None:
    """Return why the code can't serve these arrays of a library, or None."""
    reason = unavailable(LIBRARY, backend, traits)
    if reason is None or traits.backend != backend or built():
        return reason
    return f"the accelerator {LIBRARY!r} is not built: {NOT_BUILT}"


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
        reason = f"it cannot be loaded, as one that was built for another platform cannot: {failure}. {_AGAIN}"
        raise AcceleratorFailed(LIBRARY, reason) from failure
    if spoken != _INTERFACE:
        reason = f"it was built from other sources (interface {spoken}, not {_INTERFACE}). {_AGAIN}"
        raise AcceleratorFailed(LIBRARY, reason)
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
    kinds = {name: kind for kind, names in enumerate(_texts(library.arrayconv_kinds)) for name in names.split()}
    levels = _texts(library.arrayconv_levels)
    return Code(library.arrayconv_level(), levels, kinds, rows, tiles, images, call, library.arrayconv_xla)


def _texts(function: Any) -> tuple[str, ...]:
    """Return the entries of a text that the library exports, each of which ends in a semicolon."""
    function.restype = ctypes.c_char_p
    return tuple(function().decode().split(";")[:-1])


def structs() -> dict[str, tuple[str, ...]]:
    """Return the fields of every table as the library was compiled with them."""
    texts = [text.split(":") for text in _texts(ctypes.CDLL(str(_PATH)).arrayconv_tables)]
    return {name: tuple(fields.split(",")[:-1]) for name, fields in texts}


def _sources() -> int | None:
    """Return the number that hatch_build.py gave to these sources; None where they are not installed."""
    digest, paths = hashlib.sha256(), sorted(_SOURCES.glob("*.[ch]"))
    for path in paths:
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:8], "little") >> 1 if paths else None


def level() -> str:
    """Return what this machine's processor has that there is code for; raises as `loaded`."""
    return loaded().levels[loaded().level]


def rows(dtype: str, job: _rows.Job) -> Start:
    """Return the loop over rows: see native/rows.h."""
    code = loaded()
    kind, table = code.kinds[dtype], _words(*job.parts)
    return lambda x, factors, y: partial(code.rows, code.level, kind, x, factors, y, table)


def tiles(dtype: str, tables: _tiles.Tables, fill: complex) -> Start:
    """Return the loop over tiles: see native/tiles.h."""
    return _in_blocks(loaded().tiles, dtype, _words(*tables.parts), fill, tables.table.room)


def images(dtype: str, tables: _images.Tables, fill: complex) -> Start:
    """Return the loop over images of channels: see native/images.h."""
    return _in_blocks(loaded().images, dtype, _words(tables.words), fill, tables.room)


def _in_blocks(loop: Any, dtype: str, table: Any, fill: complex, room: int) -> Start:
    """Return a loop that extends x block by block, in memory of its own for so many samples."""
    level, kind, real = loaded().level, loaded().kinds[dtype], fill.real

    def start(x: int, factors: int, y: int) -> Part:
        def part(first: int, stop: int) -> None:
            if loop(level, kind, x, factors, y, table, real, first, stop):
                raise MemoryError(_NO_MEMORY.format(room, dtype))

        return part

    return start


def whole_rows(context: Context, samples: Samples, job: _rows.Job) -> At | None:
    """Return the whole call of the loop over rows, None where more is to be done than that does."""
    return _whole(context, samples, ROWS, job.units, job.parts)


def whole_tiles(context: Context, samples: Samples, tables: _tiles.Tables) -> At | None:
    """Return the whole call of the loop over tiles, None where more is to be done than that does."""
    return _whole(context, samples, TILES, tables.units, tables.parts)


def _whole(context: Context, samples: Samples, loop: int, units: int, parts: Sequence[Any]) -> At | None:
    memory, taps, frame = context.memory, reversed_taps(context), samples.frame
    if memory is None or taps is None:
        return None
    code, dtype, spec = loaded(), context.traits.accumulator, memory.problem.spec
    head = CallHead(
        level=code.level,
        kind=code.kinds[dtype],
        fill=double_bits(context.fill),
        itemsize=context.traits.itemsize,
        loop=loop,
        units=units,
        factors=spec.groups * spec.filters * spec.terms,
        taps=taps,
        x_start=frame.start,
        pad_axes=len(frame.axes),
    )
    table = _words(head, frame.axes, *parts)
    call, place = code.call, ctypes.byref(table)  # which keeps it

    def at(x: int, kernel: int, y: int) -> None:
        if call(x, kernel, y, place):
            raise MemoryError(_NO_MEMORY.format("its", dtype))

    return at


def _words(*parts: Any) -> Any:
    """Return numbers and tables as one, which lives as long as whoever passes it."""
    table: Any = packed(*parts)
    return (ctypes.c_int64 * table.size).from_buffer(table)
