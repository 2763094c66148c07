"""Machine code that XLA programs call: a handler of XLA's typed foreign function interface around a compiled loop.

XLA hands a handler the address of a call frame: where operands and results lie, and functions of its own, among them
one that runs a task on a thread of its pool. The offsets below are those of `xla/ffi/api/c_api.h`, which jaxlib ships;
XLA refuses handlers of a version of that interface it does not know, and a frame shorter than these offsets is refused
here. Nothing in here meets Python or its lock.

A loop's blocks are cut into chunks, which threads take from a counter. The calling thread takes part and waits for
chunks that others hold, never for threads that did not start yet: so a pool that is busy, of one thread or missing
costs time alone. Such threads find nothing to do later, which is why the job they share outlives the call.

Operands are x, the factors and a table of int64 (as pairs of int32, since JAX may hold nothing wider), which begins
with the number of units, of chunks and of threads. Results are y and room for the threads.

numba keeps the machine code on disk by the files of the kernels alone: who changes this one removes `__pycache__`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # pyright: ignore[reportMissingTypeStubs]
from numba import types
from numba.extending import register_jitable

from arrayconv._accel._jit import named
from arrayconv._accel._memory_at import (
    WORD,
    add_shared,
    allocate,
    emitted,
    free,
    give_way,
    invoke,
    load,
    load_half,
    load_shared,
    store,
    store_half,
    structure,
)

_MAJOR, _MINOR = 0, 3  # of the interface whose offsets follow
_POINTER = 8
# XLA_FFI_CallFrame; of the structures inside, `args` and `rets`, those of their arrays of addresses.
_FRAME_EXTENSION, _FRAME_API, _FRAME_CONTEXT, _FRAME_STAGE = 8, 16, 24, 32
_FRAME_ARGS_SIZE, _FRAME_ARGS, _FRAME_RETS_SIZE, _FRAME_RETS, _FRAME_BYTES = 56, 72, 96, 112, 168
_EXECUTE = 3
# XLA_FFI_Metadata_Extension, XLA_FFI_Metadata
_EXTENSION_TYPE, _EXTENSION_METADATA, _IS_METADATA = 8, 24, 1
_META_VERSION_SIZE, _META_VERSION_EXTENSION, _META_MAJOR, _META_MINOR = 8, 16, 24, 28
_META_TRAITS, _META_STATE, _META_BYTES, _VERSION_BYTES = 32, 40, 48, 24
# XLA_FFI_Buffer
_BUFFER_DATA, _BUFFER_BYTES = 24, 48
# XLA_FFI_Api
_API_MAJOR, _API_ERROR_CREATE, _API_ERROR_DESTROY, _API_SCHEDULE, _API_BYTES = 32, 48, 64, 136, 144
# The arguments of those three functions: bytes, and where what differs stands.
_CREATE_BYTES, _CREATE_MESSAGE, _CREATE_CODE, _INTERNAL = 28, 16, 24, 13
_DESTROY_BYTES, _DESTROY_ERROR = 24, 16
_SCHEDULE_BYTES, _SCHEDULE_CONTEXT, _SCHEDULE_TASK, _SCHEDULE_DATA = 40, 16, 24, 32

# What threads share of a call: counters, then what a loop is told.
_NEXT, _DONE, _HOLDERS, _RUNNERS, _FAILED, _UNITS, _CHUNKS = range(0, 7 * _POINTER, _POINTER)
X, FACTORS, TABLE, Y, ROOM, _JOB_BYTES = range(7 * _POINTER, 13 * _POINTER, _POINTER)


@emitted
def _message(typingctx: Any) -> Any:
    """Return the address of the one error text."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        text = "arrayconv: a compiled loop met a call it does not know, or had no memory. Use method='auto' with "
        text += "arrayconv.config.using(accelerators=...) without 'xla_ffi'."
        return builder.ptrtoint(context.insert_const_string(builder.module, text), WORD)

    return types.int64(), generate


@register_jitable
def _error(frame: Any) -> Any:
    """Return an error for XLA to raise and to free."""
    call = structure()
    store(call, 0, _CREATE_BYTES)
    store(call, 8, 0)
    store(call, _CREATE_MESSAGE, _message())
    store(call, _CREATE_CODE, _INTERNAL)
    return invoke(load(load(frame, _FRAME_API), _API_ERROR_CREATE), call)


@register_jitable
def _scheduled(frame: Any, task: Any, job: Any) -> Any:
    """Hand a task to the threads of XLA's pool; return whether there are any."""
    api, call = load(frame, _FRAME_API), structure()
    store(call, 0, _SCHEDULE_BYTES)
    store(call, 8, 0)
    store(call, _SCHEDULE_CONTEXT, load(frame, _FRAME_CONTEXT))
    store(call, _SCHEDULE_TASK, task)
    store(call, _SCHEDULE_DATA, job)
    error = invoke(load(api, _API_SCHEDULE), call)
    if error != 0:
        store(call, 0, _DESTROY_BYTES)
        store(call, _DESTROY_ERROR, error)
        invoke(load(api, _API_ERROR_DESTROY), call)
    return error == 0


@register_jitable
def _introduced(frame: Any, extension: Any) -> Any:
    """Tell XLA which interface this is written for; return 0, or an error."""
    metadata = load(extension, _EXTENSION_METADATA)
    if load(metadata, 0) < _META_TRAITS + 4:
        return _error(frame)
    store(metadata, _META_VERSION_SIZE, _VERSION_BYTES)
    store(metadata, _META_VERSION_EXTENSION, 0)
    store_half(metadata, _META_MAJOR, _MAJOR)
    store_half(metadata, _META_MINOR, _MINOR)
    store_half(metadata, _META_TRAITS, 0)
    if load(metadata, 0) >= _META_BYTES:
        store(metadata, _META_STATE, 0)
    return 0


@register_jitable
def _fits(frame: Any) -> Any:
    """Whether the frame, and what it points to, is as long as the offsets here say."""
    api = load(frame, _FRAME_API)
    return load(frame, 0) >= _FRAME_BYTES and load(api, 0) >= _API_BYTES and load_half(api, _API_MAJOR) == _MAJOR


@register_jitable
def _are_known(buffers: Any, count: Any) -> Any:
    for number in range(count):  # noqa: SIM110  (numba knows no generators here)
        if load(load(buffers, _POINTER * number), 0) < _BUFFER_BYTES:
            return False
    return True


@register_jitable
def _data(buffers: Any, number: Any) -> Any:
    """Return where a buffer's elements lie."""
    return load(load(buffers, _POINTER * number), _BUFFER_DATA)


@register_jitable
def _job(frame: Any) -> Any:
    """Return what threads will share of a call; 0 where operands are not as they should be, or there is no memory."""
    if load_half(frame, _FRAME_STAGE) != _EXECUTE:
        return 0
    if load(frame, _FRAME_ARGS_SIZE) != 3 or load(frame, _FRAME_RETS_SIZE) != 2:
        return 0
    args, rets = load(frame, _FRAME_ARGS), load(frame, _FRAME_RETS)
    if not (_are_known(args, 3) and _are_known(rets, 2)):
        return 0
    table = _data(args, 2)
    if table % _POINTER != 0:
        return 0
    job = allocate(_JOB_BYTES)
    if job == 0:
        return 0
    for counter in (_NEXT, _DONE, _RUNNERS, _FAILED):
        store(job, counter, 0)
    store(job, _UNITS, load(table, 0))
    store(job, _CHUNKS, load(table, _POINTER))
    store(job, X, _data(args, 0))
    store(job, FACTORS, _data(args, 1))
    store(job, TABLE, table)
    store(job, Y, _data(rets, 0))
    store(job, ROOM, _data(rets, 1))
    return job


@register_jitable
def _released(job: Any) -> None:
    if add_shared(job, _HOLDERS, -1) == 1:
        free(job)


def _called(context: Any, builder: Any, function: Any, signature: Any, args: Any) -> Any:
    """Emit a call of a function that is compiled with the caller; return whether it raised nothing."""
    code = context.compile_subroutine(builder, function, signature)
    status, _ = context.call_internal_no_propagate(builder, code.fndesc, signature, args)
    return status.is_ok


def _attempting(part: Callable[..., None]) -> Any:
    """Return an intrinsic with the arguments of `part` that runs it, and returns whether it raised nothing."""
    whole = types.int64

    @emitted
    def attempt(typingctx: Any, job: Any, first: Any, stop: Any, runner: Any, element: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _called(context, builder, part, types.void(*signature.args), args)

        return types.boolean(whole, whole, whole, whole, element), generate

    return attempt


def _task(take: Callable[..., None]) -> Any:
    """Return an intrinsic (element) -> the address of a C function of a job that calls ``take(job, element)``."""

    @emitted
    def task(typingctx: Any, element: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = ir.FunctionType(ir.VoidType(), [WORD])
            function = ir.Function(builder.module, kind, builder.module.get_unique_name("take"))
            function.linkage = "internal"
            inside = ir.IRBuilder(function.append_basic_block())
            given = [function.args[0], context.get_dummy_value()]
            _called(context, inside, take, types.void(types.int64, element), given)
            inside.ret_void()
            return builder.ptrtoint(function, WORD)

        return types.int64(element), generate

    return task


def serving(part: Callable[..., None]) -> Any:
    """Return what answers XLA's calls by ``part(job, first, stop, runner, element)`` over all units.

    Parameters
    ----------
    part : callable
        Compiles to a loop over units [first, stop). `job` is the address of what the call was given, at `X` and so on;
        `runner` counts the threads that take part; `element` is the NumPy type of x.

    Returns
    -------
    callable (frame, element) -> int
        For machine code: the address of the frame to that of an error, or 0.
    """
    attempt = _attempting(part)

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        return register_jitable(named(function, part.__module__))

    @compiled
    def take(job: Any, element: Any) -> None:
        """Take chunks until there are none left."""
        units, chunks, runner = load(job, _UNITS), load(job, _CHUNKS), add_shared(job, _RUNNERS, 1)
        chunk = add_shared(job, _NEXT, 1)
        while chunk < chunks:
            if not attempt(job, units * chunk // chunks, units * (chunk + 1) // chunks, runner, element):
                store(job, _FAILED, 1)
            add_shared(job, _DONE, 1)
            chunk = add_shared(job, _NEXT, 1)
        _released(job)

    task = _task(take)

    @compiled
    def shared(frame: Any, job: Any, element: Any) -> Any:
        """Run all chunks, here and on threads of the pool; return whether one failed."""
        chunks, threads = load(job, _CHUNKS), load(load(job, TABLE), 2 * _POINTER)
        store(job, _HOLDERS, 1 + threads)  # this thread twice: once for waiting
        for _ in range(threads - 1):
            if not _scheduled(frame, task(element), job):
                _released(job)
        take(job, element)
        while load_shared(job, _DONE) < chunks:
            give_way()
        failed = load(job, _FAILED)
        _released(job)
        return failed != 0

    @compiled
    def serve(frame: Any, element: Any) -> Any:
        extension = load(frame, _FRAME_EXTENSION)
        if not _fits(frame):
            return _error(frame)
        if extension != 0 and load_half(extension, _EXTENSION_TYPE) == _IS_METADATA:
            return _introduced(frame, extension)
        job = _job(frame)
        if job == 0 or shared(frame, job, element):
            return _error(frame)
        return 0

    return serve
