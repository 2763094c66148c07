"""Plans inside a library's automatic differentiation, vmap and compiler.

`ENGINES` maps a backend to a module, imported when a call needs it. If a library has none, or no gradient, transform or
compiler involves the operands, the plan is just executed.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.traits import Traits
from arrayconv._autodiff import adjoint
from arrayconv._plan.plan import Plan, plan_bilinear
from arrayconv._run.execute import execute, execute_bilinear
from arrayconv._run.steps import Constants
from arrayconv._runtime.tracing import is_compiling, is_traced

ENGINES = {"torch": "arrayconv._autodiff.torch", "jax": "arrayconv._autodiff.jax"}


def runner(backend: str, xp: Namespace, device: Any) -> adjoint.Runner:
    """Return a function that runs a bilinear task on arrays of a library, differentiable there."""
    if backend in ENGINES and not is_compiling():
        return import_module(ENGINES[backend]).run
    if backend == "numpy":
        return execute_bilinear
    return lambda task, x, kernel: execute(plan_bilinear(task), x, kernel, 0, xp=xp, device=device)


def detector(backend: str) -> Callable[[Any, Any], bool] | None:
    """Return a function that says whether two operands need autodiff, None for a library without autodiff."""
    return import_module(ENGINES[backend]).needs_autodiff if backend in ENGINES else None


def runs_on_views(traits: Traits, *tensors: Any) -> bool:
    """Whether a call on tensors runs on NumPy views of them, and nothing else needs torch's own functions."""
    if not traits.origin or traits.traced or is_traced("torch", *tensors):
        return False
    engine = import_module(ENGINES["torch"])
    return not any(engine.applies(one, one) for one in tensors)


def run(
    plan: Plan,
    x: Array,
    kernel: Array,
    fill: complex,
    *,
    xp: Namespace,
    device: Any,
    constants: Constants | None = None,
) -> Array:
    """Run a plan (see `_run.execute`) so that the library can differentiate and map it.

    If it does, `constants` are neither used nor added to, since they could contain tracers.
    """
    traits = plan.traits
    if traits.library in ENGINES and not (traits.library == "torch" and is_traced("torch", x, kernel)):
        engine = import_module(ENGINES[traits.library])
        if engine.applies(x, kernel):
            task, x, kernel = adjoint.bilinear(plan.task, x, kernel, fill, xp=xp, device=device)
            return xp.astype(engine.run(task, x, kernel), getattr(xp, traits.output), copy=False)
    return execute(plan, x, kernel, fill, xp=xp, device=device, constants=constants)


def recorded(function: Callable[..., Any], *tensors: Any) -> Any:
    """Call a function of tensors so that torch can record it as a program that can be replayed."""
    return import_module("arrayconv._autodiff.programs").call(function, *tensors)


def needs_autodiff(backend: str, array: Any) -> bool:
    """Whether a gradient, a function transform or a compiler may need the operations on an array."""
    if is_compiling() or getattr(array, "requires_grad", False) or (backend == "torch" and is_traced(backend, array)):
        return True
    return backend in ENGINES and import_module(ENGINES[backend]).applies(array, array)
