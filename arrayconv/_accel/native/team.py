"""Threads that share the blocks of a loop with the calling one, without the interpreter: see src/team.h.

For a call on tensors they are torch's where that is possible, else helpers: threads of this package. Either wait for
the next loop without sleeping for a while. To wake them takes as long as a small loop, so those that sleep are woken
for a loop that is worth it, and for one that follows another at once, since more may come.
"""

from __future__ import annotations

import ctypes
import os
from functools import cached_property
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from arrayconv._costs.parallel import Threads
from arrayconv._runtime import openmp
from arrayconv._runtime.threads import usable

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_WAIT_NS = 500_000  # for the next loop


class Share(NamedTuple):
    """Who runs a loop."""

    threads: int  # at most, the calling one among them
    openmp: int  # address of the function that runs torch's, 0 for helpers


_ALONE = Share(1, 0)


class Team:
    """The threads of a process.

    Parameters
    ----------
    library : ctypes.CDLL
        The compiled loops.
    """

    def __init__(self, library: Any) -> None:
        self._help, self._free_slots = library.arrayconv_help, library.arrayconv_forked
        self._help.argtypes, self._help.restype = [ctypes.c_int64], None
        self._free_slots.argtypes, self._free_slots.restype = [], None
        self._helpers: list[Future[None]] = []
        self._ended = 0  # when the last loop did
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def assemble(self, threads: Threads, *, on_torchs: bool) -> Share:
        """Return who runs a loop that begins now, for which sleeping threads were woken."""
        follows = perf_counter_ns() - self._ended < _WAIT_NS
        if not follows and threads.woken == 1:
            return _ALONE
        address = openmp.address() if on_torchs else 0
        if address:
            return Share(threads.most if follows else threads.woken, address)
        one_more = min(len(self._helpers) + 1, threads.most - 1) if follows else 0  # each takes a moment to wake
        self._call_helpers(max(threads.woken - 1, one_more))
        return Share(threads.most, 0)

    def ended(self) -> None:
        """Note that a loop ended, which helpers might have shared."""
        self._ended = perf_counter_ns()

    def _call_helpers(self, count: int) -> None:
        """Have so many helpers wait for loops. A new one may take a loop that has begun, or come too late for it."""
        # A new list: another thread may be here too.
        helpers = self._helpers = [helper for helper in self._helpers if not helper.done()]
        try:
            while len(helpers) < count:
                helpers.append(self._pool.submit(self._help, _WAIT_NS))
        except RuntimeError as refusal:  # the main thread has ended: this thread does all of the work
            if "shutdown" not in str(refusal):
                raise

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor  # takes as long to import as much of this package

        return ThreadPoolExecutor(usable() - 1, thread_name_prefix="arrayconv-helper")

    def _forked(self) -> None:
        """Drop the parent's threads, of which a child has none."""
        self._free_slots()
        self._helpers = []
        self.__dict__.pop("_pool", None)
