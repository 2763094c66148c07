"""The threads of the OpenMP runtime that torch brings.

After each of torch's functions they wait for the next one without sleeping, for milliseconds. Other threads of the
process would share the cores with them meanwhile, so loops on tensors run on these. torch's wheels for Linux contain
GNU's runtime; no other is used.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from contextvars import copy_context
from functools import cache
from pathlib import Path
from typing import Any

_FOLDERS = "torch/lib", "torch.libs"  # beside torch's package
_Function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
# Whether this process was forked: it has none of its parent's threads, and the runtime would wait for them.
_is_child = False


def _note_fork() -> None:
    global _is_child
    _is_child = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def run(work: Callable[[], None], threads: int) -> bool:
    """Call `work` on so many threads at most, this one among them; return False where there are none of torch's.

    Raises what a thread raised first.
    """
    # Once Python ends, no other thread gets the interpreter.
    parallel = None if _is_child or sys.is_finalizing() else _parallel()
    if parallel is None:
        return False
    contexts, failures = [copy_context() for _ in range(threads)], []

    def on_thread(_: Any) -> None:
        try:
            contexts.pop().run(work)  # NumPy's error handling belongs to the context
        except BaseException as failure:
            failures.append(failure)

    parallel(_Function(on_thread), None, threads, 0)
    if failures:
        raise failures[0]
    return True


def address() -> int:
    """Return the address of the runtime's function, for code without the interpreter; 0 where there is none."""
    return 0 if _is_child else _address()


@cache
def _address() -> int:
    return ctypes.cast(_parallel(), ctypes.c_void_p).value or 0


@cache
def _parallel() -> Any:
    """Return the runtime's function (function, argument, threads, flags), None if torch has loaded no such runtime."""
    torch = sys.modules.get("torch")
    if torch is None or torch.__file__ is None or not hasattr(os, "RTLD_NOLOAD"):
        return None
    packages = Path(torch.__file__).parents[1]
    for file in (file for folder in _FOLDERS for file in sorted((packages / folder).glob("libgomp*.so*"))):
        try:
            function = ctypes.CDLL(str(file), mode=os.RTLD_NOLOAD | os.RTLD_NOW).GOMP_parallel
        except (OSError, AttributeError):  # it is not loaded, or another library
            continue
        function.argtypes, function.restype = [_Function, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint], None
        return function
    return None
