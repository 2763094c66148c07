"""What numba's language lacks: integers at an address, some shared by threads, memory as arrays, calls by address.

Addresses are int64, and offsets count bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # pyright: ignore[reportMissingTypeStubs]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable
from numba.np.numpy_support import carray

WORD, _HALF = ir.IntType(64), ir.IntType(32)


def emitted(function: Callable[..., Any]) -> Any:
    """Return numba's intrinsic, of no type: calls leave out its first argument, which type checkers would miss."""
    return intrinsic(function)


def _place(builder: Any, place: Any, kind: Any) -> Any:
    """Return the pointer of a place, (address, offset)."""
    return builder.inttoptr(builder.add(*place), kind.as_pointer())


def _loader(kind: Any, order: str | None = None) -> Any:
    """Return an intrinsic (address, offset) -> the integer there."""

    @emitted
    def load(typingctx: Any, address: Any, offset: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = _place(builder, args, kind)
            if order is not None:
                return builder.load_atomic(place, order, kind.width // 8)
            return builder.sext(builder.load(place), WORD) if kind.width < WORD.width else builder.load(place)

        return types.int64(types.int64, types.int64), generate

    return load


def _storer(kind: Any) -> Any:
    """Return an intrinsic (address, offset, value) that writes an integer."""

    @emitted
    def store(typingctx: Any, address: Any, offset: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = builder.trunc(args[2], kind) if kind.width < WORD.width else args[2]
            builder.store(value, _place(builder, args[:2], kind))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    return store


load, load_half, load_shared = _loader(WORD), _loader(_HALF), _loader(WORD, "acquire")
store, store_half = _storer(WORD), _storer(_HALF)


@emitted
def add_shared(typingctx: Any, address: Any, offset: Any, value: Any) -> Any:
    """Add to an integer that threads share; return what it was."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _place(builder, args[:2], WORD), args[2], "seq_cst")

    return types.int64(types.int64, types.int64, types.int64), generate


@emitted
def invoke(typingctx: Any, function: Any, argument: Any) -> Any:
    """Call a C function of one address that returns an address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(WORD, [WORD])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [args[1]])

    return types.int64(types.int64, types.int64), generate


@emitted
def structure(typingctx: Any) -> Any:
    """Return the address of room on the stack for five words, until the caller returns."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        room = cgutils.alloca_once(builder, WORD, size=5)
        return builder.ptrtoint(room, WORD)

    return types.int64(), generate


@emitted
def allocate(typingctx: Any, size: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ptrtoint(context.nrt.allocate(builder, args[0]), WORD)

    return types.int64(types.int64), generate


@emitted
def free(typingctx: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        context.nrt.free(builder, builder.inttoptr(args[0], cgutils.voidptr_t))
        return context.get_dummy_value()

    return types.void(types.int64), generate


@emitted
def give_way(typingctx: Any) -> Any:
    """Let another thread run, where the system has a call for it."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if os.name == "posix":
            kind = ir.FunctionType(_HALF, [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), generate


@emitted
def _pointer(typingctx: Any, address: Any, element: Any) -> Any:
    kind = types.CPointer(element.instance_type)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(kind))

    return kind(types.int64, element), generate


@emitted
def _readonly(typingctx: Any, array: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return args[0]

    return array.copy(readonly=True)(array), generate


@register_jitable
def written(address: Any, shape: Any, element: Any) -> Any:
    """Return memory as an array of some shape and type."""
    return carray(_pointer(address, element), shape)


@register_jitable
def read(address: Any, shape: Any, element: Any) -> Any:
    """Return memory as an array that is not written to."""
    return _readonly(carray(_pointer(address, element), shape))
