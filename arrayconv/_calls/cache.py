"""The cache of bound calls: a public function looks its call up by its raw arguments, before it validates them.

The key consists of types, shapes, dtypes and options, never of values; the entry is the bound call, with the plan and
without any array of the caller's. It caches calls on NumPy, CuPy and torch arrays, and filters of JAX arrays outside
programs: other calls on these are programs in JAX's own cache. Everything unusual, such as a list for an option or an
array of a subclass, has no key and is validated and bound anew at each call.

A bound call may own arrays, such as the taps of a filter. Where work runs in streams the key names the current one: an
array written in one stream is not read in another, which would not wait for it.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable
from functools import lru_cache
from math import copysign
from operator import is_
from typing import Any, TypeVar

import numpy as np

from arrayconv import config
from arrayconv._accel import state
from arrayconv._arrays.libraries import library_row
from arrayconv._runtime.caches import BoundedDict
from arrayconv._runtime.torch_modes import is_mode_active
from arrayconv._runtime.tracing import is_compiling

Call = TypeVar("Call")

_MAX_CALLS = 4096
_PLAIN = frozenset((str, int, bool, float, complex, type, type(None)))
# Of options in a key, which also contains the options' types, since 2.0 == 2 and True == 1.
_KEY_TYPES = frozenset((str, int, bool, float, tuple, type, type(None)))
_ITEM_TYPES = frozenset((str, int, type(None)))

_calls: dict[Any, Any] = BoundedDict("calls", _MAX_CALLS)
# Options of a function's last call, all immutable, and their part of the key: most calls have the same objects again.
_last_options: dict[str, tuple[tuple[Any, ...], Hashable]] = {}


def key(function: str, arrays: tuple[Any, ...], options: tuple[Any, ...], of_jax: bool = False) -> Hashable | None:
    """Return the cache key of a call, None for a call that is not cached, such as one of JAX unless `of_jax`."""
    signature = _signature(arrays)
    if signature is None and of_jax and not is_compiling():
        signature = _jax_signature(arrays)
    if signature is None:
        return None
    last = _last_options.get(function)
    if last is not None and len(last[0]) == len(options) and all(map(is_, last[0], options)):
        own = last[1]
    else:
        own = _options_key(function, options)
        if own is None:
            return None
    return function, signature, own, config.current(), state()


def _options_key(function: str, options: tuple[Any, ...]) -> Hashable | None:
    """Return the part of a key that names the options, None for options that are no key."""
    types = _types(tuple(map(type, options)))
    if types.simple and (not types.need_check or _are_simple(options, types)):
        own = types, options
        _last_options[function] = options, own
        return own
    return (types, _tagged(options)) if _is_plain(options) else None


def translated_key(function: str, arrays: tuple[Any, ...], translation: tuple[Any, ...]) -> Hashable | None:
    """Return the cache key of a translated call; `translation` is hashable."""
    signature = _signature(arrays)
    return None if signature is None else (function, signature, translation, config.current(), state())


def lookup(cache_key: Hashable | None) -> Any:
    """Return the call cached under a key, or None; a compiler, under which there is no key, never reads the dict."""
    return None if cache_key is None else _calls.get(cache_key)


def store(cache_key: Hashable | None, call: Call) -> Call:
    """Cache a bound call, unless its key is None or it belongs to a dry run; return it."""
    if cache_key is not None and not config.current().dry_run:
        _calls[cache_key] = call
    return call


def _signature(arrays: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return shapes and dtypes, of tensors also devices, layouts and the stream; None unless all are of one library."""
    parts: list[Any] = []
    if type(arrays[0]) is np.ndarray:
        if len(arrays) == 1:  # a filter: no loop, no list
            return arrays[0].shape, arrays[0].dtype
        for array in arrays:
            if type(array) is not np.ndarray:
                return None
            parts += array.shape, array.dtype
        return tuple(parts)
    torch = sys.modules.get("torch")
    if torch is None:
        return _cupy_signature(arrays)
    if torch.compiler.is_compiling() or is_mode_active(torch._C):
        return None
    tensor, parameter = torch.Tensor, torch.nn.Parameter
    if len(arrays) == 1:  # a filter
        x = arrays[0]
        if type(x) is tensor:
            signature = x.shape, x.dtype, x.device, x.layout
            return (*signature, _torch_stream(x)) if x.is_cuda else signature
    if len(arrays) == 2:  # almost every call: no loop, no list
        x, kernel = arrays
        if type(x) is tensor and (type(kernel) is tensor or type(kernel) is parameter):
            signature = x.shape, x.dtype, x.device, x.layout, kernel.shape, kernel.dtype, kernel.device, kernel.layout
            return (*signature, _torch_stream(x)) if x.is_cuda else signature
    for array in arrays:
        kind = type(array)
        if kind is not tensor and kind is not parameter:
            return _cupy_signature(arrays)
        parts += array.shape, array.dtype, array.device, array.layout
    return (*parts, _torch_stream(arrays[0])) if arrays[0].is_cuda else tuple(parts)


def _torch_stream(tensor: Any) -> Hashable:
    return library_row("torch").queue(tensor.device)


def _cupy_signature(arrays: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return the shapes, dtypes and devices of CuPy arrays, and the current stream; None unless all are of CuPy."""
    cupy = sys.modules.get("cupy")
    if cupy is None:
        return None
    parts: list[Any] = []
    for array in arrays:
        if type(array) is not cupy.ndarray:
            return None
        parts += array.shape, array.dtype, array.device.id
    return cupy.cuda.get_current_stream().ptr, *parts


def _jax_signature(arrays: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return shapes, dtypes and places of JAX's arrays, and whether it has 64 bits; None for tracers and others."""
    jax = sys.modules.get("jax")
    if jax is None:
        return None
    parts: list[Any] = [jax.config.jax_enable_x64]
    for array in arrays:
        if not isinstance(array, jax.Array) or isinstance(array, jax.core.Tracer):
            return None
        parts += array.shape, array.dtype, array.weak_type, array.sharding
    return tuple(parts)


class _Types:
    """The types of all options, one object per combination: it hashes faster than a tuple of types."""

    def __init__(self, types: tuple[type, ...]) -> None:
        self.simple = all(kind in _KEY_TYPES or issubclass(kind, _dtype_types()) for kind in types)
        self.tuples = tuple([place for place, kind in enumerate(types) if kind is tuple])
        self.floats = tuple([place for place, kind in enumerate(types) if kind is float])
        self.need_check = bool(self.tuples or self.floats)


_types = lru_cache(_MAX_CALLS)(_Types)


def _are_simple(options: tuple[Any, ...], types: _Types) -> bool:
    """Whether the options are a key as they are: tuples of ints and names only, no float NaN or -0.0."""
    for place in types.floats:
        number = options[place]
        if number != number or (number == 0 and copysign(1.0, number) < 0):
            return False
    return not types.tuples or all(_ITEM_TYPES.issuperset(map(type, options[place])) for place in types.tuples)


def _is_plain(option: Any) -> bool:
    """Whether an option consists of numbers, names, dtypes, tuples and dicts only."""
    if isinstance(option, tuple):
        return all(map(_is_plain, option))
    if type(option) is dict:
        return all(map(_is_plain, option.items()))
    return type(option) in _PLAIN or isinstance(option, _dtype_types())


def _dtype_types() -> tuple[type, ...]:
    torch = sys.modules.get("torch")
    return (np.dtype,) if torch is None else (np.dtype, torch.dtype)


def _tagged(option: Any) -> Any:
    """Return a plain option as a key: a dict as its items, a float in digits, a bool with its type."""
    if isinstance(option, tuple):
        return tuple(map(_tagged, option))
    if type(option) is dict:
        return (dict, *map(_tagged, option.items()))
    if type(option) in (float, complex):
        return type(option), repr(option)
    return (bool, option) if type(option) is bool else option
