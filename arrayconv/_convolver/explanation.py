"""What a `Convolver` would do with an array, as data and as a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

from arrayconv._calls import around
from arrayconv._calls.explanation import (
    Explanation,
    Gradients,
    Pass,
    Shape,
    by_method,
    duration,
    explanation,
    gradients,
    pass_of,
)
from arrayconv._convolver.chain import Chain
from arrayconv._convolver.factor_plan import FactorPlan
from arrayconv._convolver.kernel import FUNCTION
from arrayconv._plan.plan import Plan
from arrayconv._problem.problem import Problem

SEPARABLE = "separable"


@dataclass(frozen=True)
class ConvolverExplanation(Explanation):
    """An explanation of a call of a `Convolver`.

    Attributes
    ----------
    passes : tuple of Pass
        Those of one term, in their order. Empty where the kernel is run whole; otherwise `method` is 'separable'.
    rank : int
        Terms that are added up, each after all passes; 0 where the kernel is run whole.
    cost_ns : int
        Predicted nanoseconds of a repeated call.
    gradients : tuple of (operand, Explanation)
        That of 'x' where it was requested and the kernel is run whole; otherwise each pass has its own.
    separable : str
        Why the kernel is run whole; '' where it is not.
    """

    rank: int = 0
    separable: str = ""

    def _rows(self) -> list[str]:
        rows = super()._rows()
        if not self.passes:
            return [*rows, f"  whole    {self.separable}"]
        each = ", ".join(f"axis {step.axis} ({step.taps} taps) by {step.method}" for step in self.passes)
        plural = f"{self.rank} terms of " * (self.rank > 1)
        return [*rows, f"  chosen   {SEPARABLE:<13} est {duration(self.cost_ns):>9}   {plural}{each}"]


def explained(
    plan: FactorPlan, whole: Plan, problem: Problem, fill: complex, labels: Shape, x_shape: Shape, derivatives: bool
) -> ConvolverExplanation:
    """Describe a plan; `whole` is that of the whole kernel, `labels` the axis of x for each of the kernel's."""
    chain = plan.chain
    convolutions = 1 if chain is None else chain.terms * len(chain.plans)
    overhead_ns = around.call_ns(whole.traits, "convolver", convolutions)
    of_whole = explanation(whole, problem.shape, overhead_ns=overhead_ns)
    if chain is None:
        whole_kernel = ConvolverExplanation(**vars(of_whole), separable=plan.reason)
        if not derivatives:
            return whole_kernel
        return replace(whole_kernel, gradients=_of_x(whole, fill, x_shape))
    passes = _passes(plan, chain, labels, x_shape, derivatives)
    values: dict[str, Any] = {
        **vars(of_whole),
        "method": SEPARABLE,
        "steps": chain.terms * sum(step.explanation.steps for step in passes),
        "workspace": max(step.workspace for step in passes),
        "cost_ns": plan.cost_ns + overhead_ns,
        "passes": passes,
    }
    return ConvolverExplanation(**values, rank=chain.terms)


def _passes(own: FactorPlan, chain: Chain, labels: Shape, x_shape: Shape, derivatives: bool) -> tuple[Pass, ...]:
    """Describe the passes of a term; in one call of compiled code each has an equal part of the cost."""
    passes: list[Pass] = []
    fills = own.fills
    for number, (axis, problem, plan) in enumerate(zip(chain.order, chain.problems, chain.plans, strict=True)):
        described = explanation(plan, problem.shape)
        if own.fused is not None:
            cost_ns = own.fused.candidate.cost_ns // (chain.terms * len(chain.plans))
            described = by_method(described, own.fused.candidate._replace(cost_ns=cost_ns))
        if derivatives:
            described = replace(described, gradients=_of_x(plan, fills[0][number] if fills else 0, x_shape))
        step = pass_of(plan.spec.taps, labels[axis], described)
        passes.append(step._replace(taps=problem.spec.taps))
        x_shape = problem.shape
    return tuple(passes)


def _of_x(plan: Plan, fill: complex, x_shape: Shape) -> Gradients:
    """Return the gradient of x alone: a Convolver's kernel is fixed."""
    return gradients(FUNCTION, plan, fill, (x_shape, (prod(plan.spec.kernel_size),)))[:1]
