"""A function of arrays as one program, for JAX, which compiles every operation it runs.

Operation by operation, JAX compiles and caches one program for each operation and shape. With `as_program` a call is
one program in JAX's own cache: `jax.clear_caches` frees it, since there is no other reference to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

LIBRARY = "jax"
_ARRAY = object()  # marks an array among values that are no arrays


class _Value:
    """Nested tuples, lists and dicts of arrays and other values; a JAX pytree whose leaves are the arrays alone."""

    def __init__(self, value: Any) -> None:
        self.value = value


def as_program(library: str, function: Callable[..., Any], settings: tuple[Any, ...], operands: tuple[Any, ...]) -> Any:
    """Return ``function(*settings, *operands)``, computed as one program if the library is JAX.

    Parameters
    ----------
    library : str
        The library of the arrays in the operands.
    function : callable
        A function of a module, since the program is cached by it, and without side effects.
    settings : tuple
        Hashable values.
    operands : tuple
        Arrays, or nested values that may contain arrays.
    """
    if library != LIBRARY:
        return function(*settings, *operands)
    return program()(function, settings, _Value(operands)).value


@cache
def program() -> Any:
    """Return the `jax.jit` function that compiles the programs of all calls."""
    jax = import_module("jax")
    jax.tree_util.register_pytree_node(_Value, _flatten, _unflatten)
    return jax.jit(_run, static_argnums=(0, 1))


def _run(function: Callable[..., Any], settings: tuple[Any, ...], operands: _Value) -> _Value:
    return _Value(function(*settings, *operands.value))


def _flatten(value: _Value) -> tuple[list[Any], Any]:
    jax = import_module("jax")
    leaves, tree = jax.tree_util.tree_flatten(value.value)
    kinds = [isinstance(leaf, (jax.Array, np.ndarray, np.generic)) for leaf in leaves]
    arrays = [leaf for leaf, is_array in zip(leaves, kinds, strict=True) if is_array]
    entries = [_ARRAY if is_array else (type(leaf), leaf) for leaf, is_array in zip(leaves, kinds, strict=True)]
    return arrays, (tree, tuple(entries))  # with types, since 1, True and 1.0 are equal


def _unflatten(static: Any, arrays: Any) -> _Value:
    tree, entries = static
    leaves = iter(arrays)
    return _Value(tree.unflatten([next(leaves) if entry is _ARRAY else entry[1] for entry in entries]))


def number_of(digits: str) -> complex:
    """Return the number whose `repr` is `digits`: settings are passed as digits, since NaN is not equal to itself."""
    for kind in (int, float):
        try:
            return kind(digits)
        except ValueError:
            continue
    return complex(digits)
