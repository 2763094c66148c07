"""A new cache entry of a `Convolver`: its calls, bound, and room for what they prepare of the kernel."""

from __future__ import annotations

from typing import Any

from arrayconv._arrays.operands import Operands
from arrayconv._calls import prepare
from arrayconv._calls.binding import bind
from arrayconv._convolver import fused, passes
from arrayconv._convolver.factor_plan import FactorPlan
from arrayconv._convolver.kernel import FUNCTION, Kernel
from arrayconv._convolver.store import CacheEntry
from arrayconv._problem.problem import Problem

_NOTHING: Any = None


def bound_entry(
    kernel: Kernel,
    options: prepare.Options,
    operands: Operands,
    problem: Problem,
    plan: FactorPlan,
    *,
    is_copied: bool,
) -> CacheEntry:
    """Return the entry of a plan; calls whose result `is_copied` to `out` are not bound."""
    factors = passes.factor_arrays(plan, kernel, operands)
    constants = tuple({} for _ in range(sum(map(len, factors)) or 1))
    call = None
    if plan.chain is None and not is_copied and not operands.traits.traced:
        call = bind(FUNCTION, operands, problem, options)
    own = None if plan.fused is None else fused.bind(plan.fused, plan.taps, operands)
    binds = not (own or is_copied or kernel.needs_autodiff)
    calls = passes.bind(operands, plan, factors, options) if binds else ()
    bare = operands._replace(x=_NOTHING)
    return CacheEntry(bare, problem, options, plan, factors, constants, call, calls, own)
