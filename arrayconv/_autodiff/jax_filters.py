"""JAX: all passes of a filter as a primitive, which XLA runs in one call of compiled code.

The batching rule is the call on arrays with one more axis. Derivatives are those of the single passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

from arrayconv._accel.jax.xla_filters import XlaFilters
from arrayconv._autodiff.jax import varying

# (operands, their tangents, None for 0) -> the tangent of the result
Tangent = Callable[[Sequence[Any], Sequence[Any]], Any]


def run(filters: XlaFilters, x: Any, weights: Any) -> Any:
    """Return y of the passes; JAX can map it, and compile it."""
    return _filters.bind(*varying(x, weights), filters=filters)


def differentiable(function: Callable[..., Any], tangent: Tangent, *operands: Any) -> Any:
    """Return a function of operands, whose derivatives are those of `tangent`."""

    @jax.custom_jvp
    def own(*operands: Any) -> Any:
        return function(*map(jnp.asarray, operands))  # JAX has a type of its own for constants of programs

    def derivative(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
        each = [None if isinstance(one, SymbolicZero) else one for one in tangents]
        return own(*primals), tangent([*map(jnp.asarray, primals)], each)

    own.defjvp(derivative, symbolic_zeros=True)
    return own(*operands)


def tangent_of(function: Callable[..., Any]) -> Tangent:
    """Return the tangent of a function that JAX differentiates."""

    def tangent(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
        active = [number for number, one in enumerate(tangents) if one is not None]

        def of_active(*values: Any) -> Any:
            by_number = dict(zip(active, values, strict=True))
            return function(*[by_number.get(number, one) for number, one in enumerate(primals)])

        return jax.jvp(of_active, [primals[n] for n in active], [tangents[n] for n in active])[1]

    return tangent


def _compute(x: Any, weights: Any, *, filters: XlaFilters) -> Any:
    return filters.run(x, weights)


def _shape(x: Any, weights: Any, *, filters: XlaFilters) -> Any:
    return x.update(shape=filters.chains.shape, dtype=jnp.dtype(filters.chains.y), weak_type=False)


def _mapped(operands: Any, dims: Any, *, filters: XlaFilters) -> Any:
    x, weights = operands
    over_x, over_weights = dims  # None for the operand that is not mapped
    if over_weights is None:
        x = jnp.moveaxis(x, over_x, 0)
        return run(filters.batched(x.shape[0]), x, weights), 0
    several: dict[str, Any] = {"weights": jnp.moveaxis(weights, over_weights, 0)}
    if over_x is not None:
        several["x"] = jnp.moveaxis(x, over_x, 0)

    def one(operands: dict[str, Any]) -> Any:
        return run(filters, operands.get("x", x), operands["weights"])

    return jax.lax.map(one, several), 0


_filters = Primitive("arrayconv_filters")
_filters.def_impl(jax.jit(_compute, static_argnames="filters"))
_filters.def_abstract_eval(_shape)
mlir.register_lowering(_filters, mlir.lower_fun(_compute, multiple_results=False))
batching.primitive_batchers[_filters] = _mapped
