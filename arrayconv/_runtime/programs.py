"""A function of arrays as one program, for the library that compiles whatever it runs: JAX.

Operation by operation, JAX compiles a program of each, for every new shape, and keeps them. As a whole a call is one
program, which lies with JAX's own: `jax.clear_caches` frees it, and nothing here holds another reference to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

LIBRARY = "jax"
_ARRAY = object()  # stands for an array among what is none


class _Value:
    """Nested tuples, lists and dicts of arrays and of what is none; to JAX the arrays alone are variable."""

    def __init__(self, value: Any) -> None:
        self.value = value


def as_program(library: str, function: Callable[..., Any], settings: tuple[Any, ...], operands: tuple[Any, ...]) -> Any:
    """Return ``function(*settings, *operands)``, as one program where the library compiles what it runs.

    Parameters
    ----------
    library : str
        Of the arrays among the operands.
    function : callable
        Of a module, since it is part of what the program is remembered by; it notes and keeps nothing.
    settings : tuple
        Hashable values.
    operands : tuple
        Arrays, or nested values in which arrays may stand.
    """
    if library != LIBRARY:
        return function(*settings, *operands)
    return program()(function, settings, _Value(operands)).value


@cache
def program() -> Any:
    """Return what compiles: one function of `jax.jit`, whose programs are those of all calls."""
    jax = import_module("jax")
    jax.tree_util.register_pytree_node(_Value, _flatten, _unflatten)
    return jax.jit(_run, static_argnums=(0, 1))


def _run(function: Callable[..., Any], settings: tuple[Any, ...], operands: _Value) -> _Value:
    return _Value(function(*settings, *operands.value))


def _flatten(held: _Value) -> tuple[list[Any], Any]:
    jax = import_module("jax")
    leaves, tree = jax.tree_util.tree_flatten(held.value)
    kinds = [isinstance(leaf, (jax.Array, np.ndarray, np.generic)) for leaf in leaves]
    arrays = [leaf for leaf, is_array in zip(leaves, kinds, strict=True) if is_array]
    entries = [_ARRAY if is_array else (type(leaf), leaf) for leaf, is_array in zip(leaves, kinds, strict=True)]
    return arrays, (tree, tuple(entries))  # types, since 1, True and 1.0 are equal to each other


def _unflatten(known: Any, arrays: Any) -> _Value:
    tree, entries = known
    rest = iter(arrays)
    return _Value(tree.unflatten([next(rest) if entry is _ARRAY else entry[1] for entry in entries]))


def number_of(digits: str) -> complex:
    """Return the number that `repr` gave the digits of: a setting that is equal to itself, NaN too."""
    for kind in (int, float):
        try:
            return kind(digits)
        except ValueError:
            continue
    return complex(digits)
