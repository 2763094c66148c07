"""Calls that are traced rather than run, by `jax.jit` or `torch.compile`: detection, and code hidden from the tracer.

Plans depend on shapes and dtypes only, so a compiler need not trace them: `planning` marks the functions that compute
them, and torch.compile calls those while it traces and treats their results as constants. Their arguments must be
constants too: numbers of the caller's are symbolic until they are `specialized`.
"""

from __future__ import annotations

import sys
from abc import ABC
from collections.abc import Callable
from functools import wraps
from math import ldexp
from operator import index
from typing import Any, TypeVar

from arrayconv._runtime import torch_modes
from arrayconv._runtime.caches import BoundedDict

Function = TypeVar("Function", bound=Callable[..., Any])


class _Named(ABC):  # noqa: B024 (nothing to implement)
    """The type of named tuples: torch.compile follows isinstance, but not hasattr on a planned value."""

    @classmethod
    def __subclasshook__(cls, kind: type) -> bool:
        return issubclass(kind, tuple) and hasattr(kind, "_fields")


def planning(cached: int = 1024, *, typed: bool = False) -> Callable[[Function], Function]:
    """Decorate a pure function of hashable values: `cached` results are kept, and compilers see only the result.

    With `typed`, equal arguments of different types are different.
    """

    def decorate(function: Function) -> Function:
        results = BoundedDict("plans", cached)

        @wraps(function)
        def decide(*args: Any) -> Any:
            if is_compiling():
                return _constant(function, tuple([specialized(value) for value in args]))
            if not cached:
                return function(*args)
            key = (args, *map(type, args)) if typed else args
            try:
                return results[key]
            except KeyError:
                pass
            except TypeError:  # unhashable, an option of an unexpected type: the function itself raises the error
                return function(*args)
            result = results[key] = function(*args)
            return result

        decide.cache_clear = results.clear  # pyright: ignore[reportAttributeAccessIssue]
        return decide  # pyright: ignore[reportReturnType]

    return decorate


def _constant(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    # In one plain tuple: torch.compile passes a named one that it builds itself only as an entry of another.
    return function(*args)


# The attribute that torch.compiler.assume_constant_result sets; torch need not be imported for it.
_constant._dynamo_marked_constant = True  # pyright: ignore[reportFunctionMemberAccess]


def specialized(value: Any) -> Any:
    """Return a number, or the numbers in plain tuples, as torch.compile knows them: it recompiles for others.

    Named tuples are returned as they are: what creates one specializes its numbers.
    """
    if isinstance(value, tuple):
        return value if isinstance(value, _Named) else tuple([specialized(entry) for entry in value])
    if isinstance(value, float):
        return ldexp(value, 0)  # like `index` in `shape_of`
    return index(value) if isinstance(value, int) and not isinstance(value, bool) else value


def is_compiling() -> bool:
    """Whether torch.compile is tracing this call."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.compiler.is_compiling()


def shape_of(x: Any) -> tuple[int, ...]:
    """Return an array's shape as ints: `index` makes torch.compile specialize a symbolic size."""
    if not is_compiling() and torch_modes.is_jit_tracing():
        with torch_modes.without_recording():
            return tuple(x.shape)
    return tuple(map(index, x.shape))


def is_recorded(backend: str) -> bool:
    """Whether torch records this thread's calls as a program to run on other tensors.

    Nothing may be written in place then: `linearize` keeps everything that does not depend on its input, buffers
    included, for all later calls.
    """
    return backend == "torch" and not is_compiling() and torch_modes.is_replayed()


def is_traced(backend: str, *arrays: Any) -> bool:
    """Whether a library must run its own functions: a JAX tracer among `arrays`, torch compiling, or `intercepts`."""
    if backend == "jax":
        tracer = sys.modules["jax"].core.Tracer
        return any(isinstance(array, tracer) for array in arrays)
    return backend == "torch" and (is_compiling() or torch_modes.intercepts(*arrays))
