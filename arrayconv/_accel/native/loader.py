"""The package's own machine code, if the build had a C compiler: loading it and packing its arguments.

The sources are in `src`. The code receives addresses only, so the caller keeps the arrays alive; their shapes and
dtypes were checked when the call was planned.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from arrayconv._accel.native.contiguous import ALL_IN_PLACE, Order, factors, outputs, samples
from arrayconv._accel.native.in_place import At, Host, Steps
from arrayconv._accel.native.tables import Axis, CallHead, Job, LoopHead, double_bits, packed
from arrayconv._accel.native.team import Share, Team
from arrayconv._algorithms import Context
from arrayconv._arrays import dtypes
from arrayconv._arrays.failures import AcceleratorFailed, unavailable
from arrayconv._arrays.traits import Traits
from arrayconv._costs.parallel import Threads
from arrayconv._runtime.threads import num_chunks, usable

JobOf = Callable[[Steps, Steps, int, int], Job | None]  # (steps of x, of y, first element of x, of y)

LIBRARY = "native"
_SOURCES = Path(__file__).parent / "src"
_PATH = Path(__file__).parent / "loops.so"
_INTERFACE = 11  # version of the arguments and tables, as in src/loops.c
NOT_BUILT = "there was no C compiler, or it failed, when the package was installed"
_REBUILD = "Build it again: pip install --force-reinstall, or make in a checkout"
_NOT_FINITE = 2  # what such a loop returns
_NO_MEMORY = "convolution: no memory for a copy of {} samples of {}."


class NotFinite(ArithmeticError):
    """A loop stopped at an output that is not finite."""


class Code(NamedTuple):
    """The functions of the library, its numbers for dtypes and its levels."""

    level: int  # the highest of `levels` that this machine's processor supports
    levels: tuple[str, ...]
    kinds: dict[str, int]
    blocks: Any
    call: Any
    xla: Any
    team: Team
    finite: Any  # (address of floats, their number, itemsize) -> whether all are finite
    add: Any  # (addresses of floats and of numbers to add, outer, channels, inner, itemsize)
    fold: Any  # (addresses of images, of columns and of both axes, images, itemsize)


def built() -> bool:
    """Whether the library file exists."""
    return _PATH.exists()


def refusal(backend: str, traits: Traits) -> str | None:
    """Return why the code does not support these arrays of a library, or None."""
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
        interface, sources = library.arrayconv_interface(), library.arrayconv_sources
    except (OSError, AttributeError) as failure:
        reason = f"it cannot be loaded; it may have been built for another platform: {failure}. {_REBUILD}"
        raise AcceleratorFailed(LIBRARY, reason) from failure
    if interface != _INTERFACE:
        reason = f"it was built from other sources (interface {interface}, not {_INTERFACE}). {_REBUILD}"
        raise AcceleratorFailed(LIBRARY, reason)
    sources.restype = ctypes.c_int64
    if _sources() not in (sources(), None):
        raise AcceleratorFailed(LIBRARY, f"it was built from other sources than those beside it. {_REBUILD}")
    pointer, word = ctypes.c_void_p, ctypes.c_int64
    blocks, call = library.arrayconv_blocks, library.arrayconv_call
    blocks.argtypes, call.argtypes = [*[pointer] * 4, word, word], [pointer] * 4
    finite, add, fold = library.arrayconv_finite, library.arrayconv_add, library.arrayconv_fold
    finite.argtypes, add.argtypes, add.restype = [pointer, word, word], [pointer] * 2 + [word] * 4, None
    fold.argtypes, fold.restype = [pointer] * 3 + [word] * 2, None
    kinds = {name: kind for kind, names in enumerate(_texts(library.arrayconv_kinds)) for name in names.split()}
    levels = _texts(library.arrayconv_levels)
    team, xla = Team(library), library.arrayconv_xla
    return Code(library.arrayconv_level(), levels, kinds, blocks, call, xla, team, finite, add, fold)


def finite(traits: Traits) -> Callable[[int, int, int], int] | None:
    """Return the function that says whether floats at an address are finite; None where the code can't run.

    Its arguments are the address, the number of floats, and their bytes, 4 or 8.
    """
    if LIBRARY not in traits.accelerators or not built():
        return None
    try:
        return loaded().finite
    except AcceleratorFailed:
        return None  # the first loop that fails warns


def adder(shape: tuple[int, int, int], dtype: str, accelerators: frozenset[str]) -> Callable[[int, int], None] | None:
    """Return a function (address of y, of numbers) that adds one number to each channel of y (outer, channels, inner).

    None where the code can't run, or not in this dtype.
    """
    if not _has_floats(dtype, accelerators):
        return None
    add, geometry = loaded().add, (*shape, dtypes.itemsize(dtype))
    return lambda y, numbers: add(y, numbers, *geometry)


def folder(
    images: int, axes: list[Axis], dtype: str, accelerators: frozenset[str]
) -> Callable[[int, int], None] | None:
    """Return a function (address of images, of columns) that adds the columns up; None as of `adder`."""
    if not _has_floats(dtype, accelerators):
        return None
    fold, table = loaded().fold, ctypes.byref(_words(packed(axes)))
    itemsize = dtypes.itemsize(dtype)
    return lambda y, columns: fold(y, columns, table, images, itemsize)


def _has_floats(dtype: str, accelerators: frozenset[str]) -> bool:
    """Whether the code may run, and loads, for arrays of this dtype that are floats of C."""
    if LIBRARY not in accelerators or not built() or dtype not in ("float32", "float64"):
        return False
    try:
        loaded()
    except AcceleratorFailed:
        return False
    return True


def _texts(function: Any) -> tuple[str, ...]:
    """Return the entries of a text that the library exports, each of which ends in a semicolon."""
    function.restype = ctypes.c_char_p
    return tuple(function().decode().split(";")[:-1])


def structs() -> dict[str, tuple[str, ...]]:
    """Return the fields of every table in the compiled library."""
    texts = [text.split(":") for text in _texts(ctypes.CDLL(str(_PATH)).arrayconv_tables)]
    return {name: tuple(fields.split(",")[:-1]) for name, fields in texts}


def numbers() -> tuple[str, ...]:
    """Return the dtypes of filters in the compiled library, in the order of their numbers."""
    return _texts(ctypes.CDLL(str(_PATH)).arrayconv_numbers)


def _sources() -> int | None:
    """Return the digest of the sources, computed as in hatch_build.py; None where they are not installed."""
    digest, paths = import_module("hashlib").sha256(), sorted(_SOURCES.glob("*.[ch]"))
    for path in paths:
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:8], "little") >> 1 if paths else None


def level() -> str:
    """Return the highest level of the code that this machine's processor supports; raises as `loaded`."""
    return loaded().levels[loaded().level]


def table(job: Job, dtype: str, fill: complex) -> Host:
    """Return the arguments of a loop besides the arrays: its head and its table."""
    code = loaded()
    word = int(fill.real) if dtypes.kind(dtype) == "integer" else double_bits(fill)
    return packed(LoopHead(job.loop, code.level, code.kinds[dtype], word, job.units), *job.parts)


def on_threads(job: Job, dtype: str, fill: complex, threads: Threads, *, on_torchs: bool = False) -> At:
    """Return a loop over all of its blocks as a step at addresses, which at most so many threads share.

    `on_torchs` is for a call on tensors: the other threads are then torch's where that is possible.

    Raises
    ------
    MemoryError
        If the loop can't allocate its copies of samples.
    NotFinite
        If the loop stops at an output that is not finite.
    """
    head = CallHead(dtypes.itemsize(dtype), 0, 0, 0, 0, pad_axes=0, threads=1, chunks=1, openmp=0)
    return _at(head, (table(job, dtype, fill),), job, threads, dtype, on_torchs)


def loop(job: Job, traits: Traits, fill: complex, threads: Threads) -> At:
    """Return `on_threads` for a call with these traits."""
    return on_threads(job, traits.accumulator, fill, threads, on_torchs=traits.origin == "torch")


def runs(traits: Traits) -> bool:
    """Whether the code may be used for a call with these traits, and is loaded."""
    return finite(traits) is not None


def whole(
    context: Context,
    job_of: JobOf,
    threads: Threads,
    *,
    extended: bool = False,
    order: Order | None = None,
    in_place: bool = False,
) -> At | None:
    """Return a step of a loop on contiguous arrays, None where it needs more than `arrayconv_call` does.

    `job_of` returns the loop's job for steps of x and of y and the first element of each. With `extended` samples may
    be padded with zeros, for a loop that reads none beyond the ends. The loop reads the factors in the order that
    `order` makes of a kernel; with `in_place` where they are, by the steps of `contiguous.kernel_steps`.
    """
    kernel = ALL_IN_PLACE if in_place else factors(context, order)
    memory, x_samples = context.memory, samples(context, extended=extended)
    y_outputs = None if memory is None else outputs(memory)
    if memory is None or kernel is None or x_samples is None or y_outputs is None:
        return None
    job = job_of(x_samples.steps, y_outputs.steps, x_samples.start, y_outputs.start)
    if job is None:
        return None
    dtype, padding = context.traits.accumulator, x_samples.padding
    head = CallHead(
        context.traits.itemsize,
        kernel.number,
        kernel.taps,
        kernel.indices.size,
        padding.start,
        pad_axes=len(padding.axes),
        threads=1,
        chunks=1,
        openmp=0,
    )
    parts = padding.axes, kernel.indices, table(job, dtype, context.fill)
    return _at(head, parts, job, threads, dtype, context.traits.origin == "torch")


def _at(head: CallHead, parts: tuple[Any, ...], job: Job, threads: Threads, dtype: str, on_torchs: bool) -> At:
    """Return a call on threads, as many as share it then."""
    code, threads = loaded(), threads.at_most(min(job.units, usable()))
    alone, team, by_share = _words(packed(head, *parts)), code.team, dict[Share, Any]()
    call, pointer = code.call, ctypes.byref(alone)  # the pointer keeps the words alive

    def check(failed: int) -> None:
        if failed == _NOT_FINITE:
            raise NotFinite
        if failed:
            raise MemoryError(_NO_MEMORY.format(job.copy_size, dtype))

    def shared(x: int, factors: int, y: int) -> None:
        share = team.assemble(threads, on_torchs=on_torchs)
        words = by_share.get(share)
        if words is None:
            count, openmp = share
            own = head._replace(threads=count, chunks=num_chunks(job.units, count), openmp=openmp)
            words = by_share[share] = ctypes.byref(_words(packed(own, *parts)))
        failed = call(x, factors, y, words)
        team.ended()
        if failed:
            check(failed)

    def at(x: int, factors: int, y: int) -> None:
        failed = call(x, factors, y, pointer)
        if failed:
            check(failed)

    return shared if threads.most > 1 else at


def _words(table: Any) -> Any:
    """Return a table as a ctypes array over its memory, which it keeps alive."""
    return (ctypes.c_int64 * table.size).from_buffer(table)
