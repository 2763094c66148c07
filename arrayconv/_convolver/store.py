"""What a `Convolver` caches between calls: one entry per kind of x, the most recently used ones.

An entry contains a plan and what its method prepared of the kernel. There are at most `MAX_ENTRIES`, whose bytes count
in the limit of all caches (see `_runtime.caches`): the least recently used one is evicted first.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from math import prod
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from arrayconv import _accel, config
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import DTYPES, itemsize
from arrayconv._arrays.libraries import library_row
from arrayconv._arrays.operands import Operands
from arrayconv._calls import one_call, prepare
from arrayconv._calls.binding import BoundCall
from arrayconv._convolver.factor_plan import FactorPlan
from arrayconv._convolver.fused import BoundPasses
from arrayconv._convolver.kernel import Rows
from arrayconv._problem.problem import Problem
from arrayconv._run.steps import Constants
from arrayconv._runtime import caches
from arrayconv._runtime.torch_modes import is_mode_active

MAX_ENTRIES = 16


def key_of(x: Any, fuses: bool) -> Hashable:
    """Return the cache key of a call on x, made without reading x; None where it must be validated first.

    With `fuses` it contains whether passes may run in one call.
    """
    kind, place = type(x), None
    if kind is not np.ndarray:
        torch = sys.modules.get("torch")
        if torch is None or kind is not torch.Tensor or torch.compiler.is_compiling() or is_mode_active(torch._C):
            return None
        place = x.device, x.layout, x.is_cuda and library_row("torch").queue(x.device)
    fuses = fuses and one_call.applies("numpy" if place is None else "torch", x)
    return kind, place, x.shape, x.dtype, fuses, config.current(), _accel.state()


class CacheEntry(NamedTuple):
    """What is cached of calls on one kind of array."""

    operands: Operands  # of which x is a placeholder
    problem: Problem
    options: prepare.Options
    plan: FactorPlan
    factors: Rows
    constants: tuple[Constants, ...]  # for each plan that runs: what it prepared of the kernel, by step
    call: BoundCall | None  # where the kernel is run whole
    calls: tuple[BoundCall, ...] = ()  # where passes are run one by one, of each
    fused: BoundPasses | None = None  # where passes run in one call of compiled code

    def writes_in_place(self, x: Any, out: Any) -> bool:
        """Whether the bound call writes to `out` itself; raises if `out` can't store the result."""
        return self.call is not None and self.call.writes_in_place(out, x, self.operands.kernel)


class Store:
    """Entries by key, safe for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, CacheEntry] = OrderedDict()
        self.account = caches.ByteAccount(self, "constants")

    def find(self, key: Hashable) -> CacheEntry | None:
        """Return an entry and count it as used, None where there is none."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def add(self, key: Hashable, entry: CacheEntry) -> None:
        """Add an entry."""
        with self._lock:
            self._entries[key] = entry
        self.trim()

    def trim(self) -> None:
        """Evict the least recently used entries, until the rest is within both limits or there is only one."""
        with self._lock:
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)
        self.account.set(self.nbytes)
        caches.enforce_limit(self)

    def evict_oldest(self, spare: bool) -> bool:
        """Evict the least recently used entry."""
        with self._lock:
            if len(self._entries) <= spare:
                return False
            self._entries.popitem(last=False)
        self.account.set(self.nbytes)
        return True

    def evict_all(self) -> None:
        """Evict all entries."""
        with self._lock:
            self._entries.clear()
        self.account.set(0)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays in the entries."""
        with self._lock:
            entries = list(self._entries.values())
        return sum(map(_bytes, entries))  # without the lock: dtype lookups may add to a cache, too


def _bytes(entry: CacheEntry) -> int:
    """Return the bytes of the arrays in an entry; a view counts like a copy."""
    arrays = {
        id(array): array for array in _arrays((entry.factors, *(list(each.values()) for each in entry.constants)))
    }
    return sum(nbytes(array) for array in arrays.values())


def nbytes(array: Any) -> int:
    """Return the bytes of an array of any library."""
    name = dtype_name(array.dtype)
    return prod(array.shape) * (itemsize(name) if name in DTYPES else 1)  # flags take a byte


def _arrays(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _arrays(each)
    elif hasattr(value, "dtype") and hasattr(value, "shape"):
        yield value
