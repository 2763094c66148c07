"""Calls that were made before: a door looks its call up by what it was given, unread, before it reads anything.

The key is made of types, shapes, dtypes and options, never of values; what is kept under it is the bound call, which
holds the plan and no array of the caller's. NumPy arrays and torch tensors only; everything unusual, a list for an
option or an array of a subclass, has no key and is bound anew at each call, which words every refusal.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable
from functools import lru_cache
from math import copysign
from typing import Any, TypeVar

import numpy as np

from arrayconv import config
from arrayconv._accel import state
from arrayconv._runtime.caches import BoundedDict
from arrayconv._runtime.torch_modes import is_mode_active

Call = TypeVar("Call")

_MOST = 4096
_PLAIN = frozenset((str, int, bool, float, complex, type, type(None)))
_OF_KEYS = frozenset((str, int, bool, float, tuple, type, type(None)))  # beside their types: 2.0 and True equal 2 and 1
_OF_TUPLES = frozenset((str, int, type(None)))

_calls: dict[Any, Any] = BoundedDict("calls", _MOST)


def key(function: str, arrays: tuple[Any, ...], options: tuple[Any, ...]) -> Hashable | None:
    """Return what a call is remembered by, or None for one that is not."""
    signature = _signature(arrays)
    if signature is None:
        return None
    types = _types(tuple(map(type, options)))
    if not types.simple or (types.looked_at and not _are_simple(options, types)):
        if not _is_plain(options):
            return None
        options = _tagged(options)
    return function, signature, types, options, config.current(), state()


def translated_key(function: str, arrays: tuple[Any, ...], translation: tuple[Any, ...]) -> Hashable | None:
    """Return what a call is remembered by once it is translated; `translation` is hashable."""
    signature = _signature(arrays)
    return None if signature is None else (function, signature, translation, config.current(), state())


def lookup(cache_key: Hashable | None) -> Any:
    """Return the call that is remembered by a key, None where none is; without a key no compiler reads the table."""
    return None if cache_key is None else _calls.get(cache_key)


def remember(cache_key: Hashable | None, call: Call) -> Call:
    """Keep a bound call, unless it has no key or belongs to a dry run; return it."""
    if cache_key is not None and not config.current().dry_run:
        _calls[cache_key] = call
    return call


def _signature(arrays: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return shapes and dtypes, of tensors and parameters of torch places too; None unless all are of one library."""
    parts: list[Any] = []
    if type(arrays[0]) is np.ndarray:
        for array in arrays:
            if type(array) is not np.ndarray:
                return None
            parts += array.shape, array.dtype
        return tuple(parts)
    torch = sys.modules.get("torch")
    if torch is None or torch.compiler.is_compiling() or is_mode_active(torch._C):
        return None
    tensor = torch.Tensor
    if len(arrays) == 2:  # nearly every call: no loop, no list
        x, kernel = arrays
        if type(x) is tensor and type(kernel) is tensor:
            return x.shape, x.dtype, x.device, x.layout, kernel.shape, kernel.dtype, kernel.device, kernel.layout
    for array in arrays:
        if type(array) is not tensor and type(array) is not torch.nn.Parameter:
            return None
        parts += array.shape, array.dtype, array.device, array.layout
    return tuple(parts)


class _Types:
    """The types of all options, the same object for the same types: a key that is quicker than they are."""

    def __init__(self, types: tuple[type, ...]) -> None:
        self.simple = _OF_KEYS.issuperset(types)
        self.tuples = tuple([place for place, kind in enumerate(types) if kind is tuple])
        self.floats = tuple([place for place, kind in enumerate(types) if kind is float])
        self.looked_at = bool(self.tuples or self.floats)


_types = lru_cache(_MOST)(_Types)


def _are_simple(options: tuple[Any, ...], types: _Types) -> bool:
    """Whether tuples are of ints and names, and no float is NaN or -0.0: with all else they are a key as they are."""
    for place in types.floats:
        number = options[place]
        if number != number or (not number and copysign(1.0, number) < 0):
            return False
    for place in types.tuples:
        for item in options[place]:
            if type(item) not in _OF_TUPLES:
                return False
    return True


def _is_plain(option: Any) -> bool:
    """Whether an option is made of nothing but numbers, names, dtypes, tuples and dicts."""
    if isinstance(option, tuple):
        return all(map(_is_plain, option))
    if type(option) is dict:
        return all(map(_is_plain, option.items()))
    return type(option) in _PLAIN or isinstance(option, _dtype_types())


def _dtype_types() -> tuple[type, ...]:
    torch = sys.modules.get("torch")
    return (np.dtype,) if torch is None else (np.dtype, torch.dtype)


def _tagged(option: Any) -> Any:
    """Return a plain option as a key: a dict as its items, what is equal to other numbers in digits or by its type."""
    if isinstance(option, tuple):
        return tuple(map(_tagged, option))
    if type(option) is dict:
        return (dict, *map(_tagged, option.items()))
    if type(option) in (float, complex):
        return type(option), repr(option)
    return (bool, option) if type(option) is bool else option
