"""Caches that persist between calls, and one limit in bytes on their sum.

Bound calls, plans, prepared kernels of `Convolver`s, and scratch memory. Every cache accounts for its bytes; above the
limit the largest cache evicts its oldest entry. The newest entry stays, even if it alone exceeds the limit. Eviction
changes the time of a later call, never its result.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from threading import RLock
from types import FunctionType, MethodType
from typing import Any, Protocol
from weakref import WeakSet, finalize

import numpy as np

KINDS: tuple[str, ...] = ("calls", "plans", "constants", "scratch")
LIMIT = 1 << 28  # bytes
_PACKAGE = __name__.partition(".")[0]  # the attributes of its objects are counted
_OBJECT_BYTES = 64  # of a small object, roughly
_SMALL = frozenset({int, float, complex, bool, str, bytes, slice, type(None)})  # types of values that refer to no other
_ENTRY_BYTES = 256  # of an entry in a dict, roughly


class Evictable(Protocol):
    """A cache whose bytes count towards the limit."""

    account: ByteAccount

    def evict_oldest(self, spare: bool) -> bool:
        """Evict the oldest entry, unless it is the only one and `spare` is true; return whether one was evicted."""
        ...

    def evict_all(self) -> None:
        """Evict all entries."""
        ...


_lock = RLock()
_evictables: WeakSet[Any] = WeakSet()
_totals: dict[str, int] = dict.fromkeys(KINDS, 0)
_limit = LIMIT

if hasattr(os, "register_at_fork"):  # else a child could inherit a lock that no thread of it releases
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class ByteAccount:
    """The bytes of one cache, by which it counts towards the totals."""

    def __init__(self, cache: Evictable, kind: str) -> None:
        self.kind, self.size = kind, 0
        with _lock:
            _evictables.add(cache)
        finalize(cache, self.set, 0)

    def set(self, size: int) -> None:
        """Set the bytes of this cache."""
        with _lock:
            _totals[self.kind] += size - self.size
            self.size = size


def enforce_limit(newest: Evictable | None = None) -> None:
    """Evict entries until the totals are within the limit; the last entry of the cache `newest` stays.

    The caller must not hold a lock that a cache acquires to evict.
    """
    while sum(_totals.values()) > _limit:
        with _lock:
            largest_first = sorted(_evictables, key=lambda cache: -cache.account.size)
        if not any(cache.account.size and cache.evict_oldest(cache is newest) for cache in largest_first):
            return


def totals() -> dict[str, int]:
    """Return the bytes of all caches, by kind."""
    with _lock:
        return dict(_totals)


def limit() -> int:
    """Return the limit in bytes."""
    return _limit


def set_limit(size: int) -> None:
    """Set the limit, and enforce it at once."""
    global _limit
    _limit = size
    enforce_limit()


def clear() -> None:
    """Evict all entries of all caches."""
    with _lock:
        all_caches = list(_evictables)
    for cache in all_caches:
        cache.evict_all()


class BoundedDict(dict[Any, Any]):
    """A dict of at most `max_entries` values, with the speed of a dict for reads; the oldest are evicted."""

    def __init__(self, kind: str, max_entries: int) -> None:
        super().__init__()
        self.max_entries = max_entries
        self._sizes: dict[Any, int] = {}
        self.account = ByteAccount(self, kind)

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]  # a cache is compared by identity

    def __eq__(self, other: object) -> bool:
        return self is other

    def __setitem__(self, key: Any, value: Any) -> None:
        size = _ENTRY_BYTES + nbytes(key) + nbytes(value)
        with _lock:
            before = self._sizes.get(key, 0)
            super().__setitem__(key, value)
            self._sizes[key] = size
            self.account.set(self.account.size + size - before)
        while len(self) > self.max_entries and self.evict_oldest(True):
            pass
        enforce_limit(self)

    def evict_oldest(self, spare: bool) -> bool:
        """Evict the value that was added first, unless it is the only one and `spare` is true."""
        with _lock:
            if len(self) <= spare:
                return False
            key = next(iter(self))
            super().__delitem__(key)
            self.account.set(self.account.size - self._sizes.pop(key))
        return True

    def evict_all(self) -> None:
        """Evict all values."""
        self.clear()

    def clear(self) -> None:
        """Evict all values."""
        with _lock:
            super().clear()
            self._sizes.clear()
            self.account.set(0)


def nbytes(value: Any) -> int:
    """Return roughly the bytes that a value keeps alive: tuples, arrays, closures and attributes of our objects.

    An object that occurs twice is counted twice; libraries and types are not counted.
    """
    total, stack = _OBJECT_BYTES, [value]
    functions: set[int] = set()
    while stack:
        item = stack.pop()
        if isinstance(item, (tuple, list, frozenset)):
            entries, step = item, 8
        elif isinstance(item, np.ndarray):
            total += item.nbytes if item.base is None else _base_bytes(item)
            continue
        elif isinstance(item, dict):
            entries, step = [*item, *item.values()], 16
        elif id(item) in functions:
            continue
        else:
            functions.add(id(item))
            entries, step = _references(item), 0
        total += (_OBJECT_BYTES + step) * len(entries)
        stack.extend([entry for entry in entries if type(entry) not in _SMALL])
    return total


def _base_bytes(view: np.ndarray[Any, Any]) -> int:
    base = view.base
    return max(view.nbytes, base.nbytes) if isinstance(base, np.ndarray) else view.nbytes


def _references(value: Any) -> list[Any]:
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, FunctionType):
        wrapped: Callable[..., Any] | None = getattr(value, "__wrapped__", None)
        return [_content(cell) for cell in value.__closure__ or ()] + ([wrapped] if wrapped is not None else [])
    if isinstance(value, MethodType):
        return [value.__self__]
    if type(value).__module__.partition(".")[0] == _PACKAGE:
        return list(vars(value).values()) if hasattr(value, "__dict__") else []
    wrapped = getattr(value, "__wrapped__", None)  # functools.cache
    return [wrapped] if isinstance(wrapped, FunctionType) else []


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return None
