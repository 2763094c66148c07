"""What is kept between calls, and the one bound in bytes that all of it shares.

Calls that were made before, plans, what methods prepared of a `Convolver`'s kernel, and scratch memory. Every keeper
accounts for what it holds; above the bound the one that holds most forgets what it has had for longest. What was added
last stays, even where it alone takes more. Forgetting changes the time of a later call, never its result.
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
_PACKAGE = __name__.partition(".")[0]  # of whose objects the attributes are counted
_OBJECT = 64  # bytes of a small object, roughly
_ENTRY = 256  # of a key's place in a table


class Evictable(Protocol):
    """What holds something between calls."""

    account: ByteAccount

    def evict_oldest(self, spare: bool) -> bool:
        """Forget what has been held for longest, unless it is the last and to be spared; return whether it was."""
        ...

    def evict_all(self) -> None:
        """Forget everything."""
        ...


_lock = RLock()
_evictables: WeakSet[Any] = WeakSet()
_totals: dict[str, int] = dict.fromkeys(KINDS, 0)
_limit = LIMIT

if hasattr(os, "register_at_fork"):  # no child inherits a lock that nobody is left to release
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class ByteAccount:
    """The bytes that a keeper holds."""

    def __init__(self, keeper: Evictable, kind: str) -> None:
        self.kind, self.size = kind, 0
        with _lock:
            _evictables.add(keeper)
        finalize(keeper, self.set, 0)

    def set(self, size: int) -> None:
        """Say how many they are now."""
        with _lock:
            _totals[self.kind] += size - self.size
            self.size = size


def enforce_limit(newest: Evictable | None = None) -> None:
    """Have keepers forget until they hold no more than the limit; what the `newest` had last stays.

    Call it without holding a lock that a keeper takes to forget.
    """
    while sum(_totals.values()) > _limit:
        with _lock:
            largest = sorted(_evictables, key=lambda keeper: -keeper.account.size)
        if not any(keeper.account.size and keeper.evict_oldest(keeper is newest) for keeper in largest):
            return


def totals() -> dict[str, int]:
    """Return the bytes held, by kind."""
    with _lock:
        return dict(_totals)


def limit() -> int:
    """Return the bound."""
    return _limit


def set_limit(size: int) -> None:
    """Set the bound, and keep to it at once."""
    global _limit
    _limit = size
    enforce_limit()


def clear() -> None:
    """Forget everything."""
    with _lock:
        keepers = list(_evictables)
    for keeper in keepers:
        keeper.evict_all()


class BoundedDict(dict[Any, Any]):
    """Values by key, at most `most` of them; reading one is reading a dict."""

    def __init__(self, kind: str, most: int) -> None:
        super().__init__()
        self.most = most
        self._sizes: dict[Any, int] = {}
        self.account = ByteAccount(self, kind)

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]  # a keeper is itself, whatever it holds

    def __eq__(self, other: object) -> bool:
        return self is other

    def __setitem__(self, key: Any, value: Any) -> None:
        size = _ENTRY + nbytes(key) + nbytes(value)
        with _lock:
            before = self._sizes.get(key, 0)
            super().__setitem__(key, value)
            self._sizes[key] = size
            self.account.set(self.account.size + size - before)
        while len(self) > self.most and self.evict_oldest(True):
            pass
        enforce_limit(self)

    def evict_oldest(self, spare: bool) -> bool:
        """Forget the value that was added first."""
        with _lock:
            if len(self) <= spare:
                return False
            key = next(iter(self))
            super().__delitem__(key)
            self.account.set(self.account.size - self._sizes.pop(key))
        return True

    def evict_all(self) -> None:
        """Forget all values."""
        self.clear()

    def clear(self) -> None:
        """Forget all values."""
        with _lock:
            super().clear()
            self._sizes.clear()
            self.account.set(0)


def nbytes(value: Any) -> int:
    """Return roughly the bytes that a value keeps alive: tuples, arrays, what functions and our objects hold.

    What stands in it twice is counted twice; libraries, types and what they own are not counted.
    """
    total, stack = 0, [value]
    functions: set[int] = set()
    while stack:
        one = stack.pop()
        total += _OBJECT
        if isinstance(one, (tuple, list, frozenset)):
            total += 8 * len(one)
            stack.extend(one)
        elif isinstance(one, np.ndarray):
            total += one.nbytes if one.base is None else _base_bytes(one)
        elif isinstance(one, dict):
            stack.extend(one.items())
        elif isinstance(one, str):
            total += len(one)
        elif id(one) not in functions:
            functions.add(id(one))
            stack.extend(_closed_over(one))
    return total


def _base_bytes(view: np.ndarray[Any, Any]) -> int:
    base = view.base
    return max(view.nbytes, base.nbytes) if isinstance(base, np.ndarray) else view.nbytes


def _closed_over(value: Any) -> list[Any]:
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
