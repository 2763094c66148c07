"""JAX: a planned convolution as a primitive, bilinear in its operands.

One rule, `ad.defbilinear`, gives grad, jacfwd, jacrev and their compositions; the batching rule is another plan, and
the lowering traces the operations of a plan. JAX's gradients are transposes: nothing is conjugated.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from arrayconv._arrays.array import Array
from arrayconv._arrays.identify import device_of
from arrayconv._autodiff import adjoint, batched
from arrayconv._plan.plan import Task, plan_bilinear
from arrayconv._run.execute import execute
from arrayconv._runtime.tracing import is_traced


def applies(x: Any, kernel: Any) -> bool:
    """Whether JAX is tracing the operands, for a gradient, a compiler or a map."""
    return is_traced("jax", x, kernel)


needs_autodiff = applies


def run(task: Task, x: Array, kernel: Array) -> Array:
    """Compute a bilinear task, so that JAX can differentiate, map and compile it."""
    return _convolution.bind(*varying(x, kernel), task=task)


def varying(*operands: Any) -> list[Any]:
    """Return operands that all vary over those mesh axes over which any of them varies, as `jax.shard_map` requires."""
    axes = [_axes(operand) for operand in operands]
    union = frozenset[str]().union(*axes)
    return [
        jax.lax.pcast(operand, tuple(union - own), to="varying") if own != union else operand
        for operand, own in zip(operands, axes, strict=True)
    ]


def _axes(operand: Any) -> frozenset[str]:
    kind = getattr(jax.typeof(operand), "mat", None)
    return frozenset() if kind is None else kind.varying


def _compute(x: Any, kernel: Any, *, task: Task) -> Any:
    traced = is_traced("jax", x, kernel)
    traits = task.traits._replace(traced=traced, readable=task.traits.readable and not traced)
    task = task._replace(traits=traits)
    return execute(plan_bilinear(task), x, kernel, 0, xp=jnp, device=device_of(x))


def _shape(x: Any, kernel: Any, *, task: Task) -> Any:
    return x.update(shape=task.spec.output_shape, weak_type=False)


def _gradient_of_x(dy: Any, x: Any, kernel: Any, *, task: Task) -> Any:
    return adjoint.of_x(run, task, kernel, dy, xp=jnp, device=device_of(dy))


def _gradient_of_kernel(dy: Any, x: Any, kernel: Any, *, task: Task) -> Any:
    return adjoint.of_kernel(run, task, x, dy, xp=jnp)


def _mapped(operands: Any, dims: Any, *, task: Task) -> Any:
    over_x, over_kernel = dims  # None for the operand that is not mapped
    x, kernel = operands
    count = kernel.shape[over_kernel] if over_x is None else x.shape[over_x]
    merged, x, kernel = batched.merge_axis(task, x, kernel, dims, count, xp=jnp)
    return batched.split_axis(run(merged, x, kernel), task, dims, count, xp=jnp)


_convolution = Primitive("arrayconv")
_convolution.def_impl(jax.jit(_compute, static_argnames="task"))
_convolution.def_abstract_eval(_shape)
mlir.register_lowering(_convolution, mlir.lower_fun(_compute, multiple_results=False))
ad.defbilinear(_convolution, _gradient_of_x, _gradient_of_kernel)
batching.primitive_batchers[_convolution] = _mapped
