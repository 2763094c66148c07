"""What a `Convolver` would do with an array, as data and as a table."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from arrayconv._calls.explanation import Explanation, Shape, duration, explanation
from arrayconv._convolver.chain import Chain
from arrayconv._convolver.factor_plan import FactorPlan
from arrayconv._plan.plan import Plan

SEPARABLE = "separable"


class Pass(NamedTuple):
    """One pass: along which axis of x, by how many taps, and how."""

    axis: int
    taps: int
    method: str
    cost_ns: int
    workspace: int


@dataclass(frozen=True)
class Explained(Explanation):
    """An explanation of a call of a `Convolver`.

    Attributes
    ----------
    passes : tuple of Pass
        Those of one term, in their order: ``axis``, ``taps``, ``method``, ``cost_ns``, ``workspace``. Empty where the
        kernel is run whole; otherwise `method` is 'separable'.
    rank : int
        Terms that are added up, each after all passes; 0 where the kernel is run whole.
    cost_ns : int
        Predicted nanoseconds of what would run.
    separable : str
        Why the kernel is run whole; '' where it is not.
    """

    passes: tuple[Pass, ...] = ()
    rank: int = 0
    cost_ns: int = 0
    separable: str = ""

    def __str__(self) -> str:
        if not self.passes:
            return f"{super().__str__()}\n  whole    {self.separable}"
        each = ", ".join(f"axis {step.axis} ({step.taps} taps) by {step.method}" for step in self.passes)
        plural = f"{self.rank} terms of " * (self.rank > 1)
        return f"{super().__str__()}\n  chosen   {SEPARABLE:<13} est {duration(self.cost_ns):>9}   {plural}{each}"

    @property
    def _cost(self) -> int:
        return self.cost_ns


def explained(plan: FactorPlan, whole: Plan, shape: Shape, labels: Any) -> Explained:
    """Describe a plan; `whole` is that of the whole kernel, `labels` the axis of x for each of the kernel's."""
    of_whole = explanation(whole, shape)
    values = {field.name: getattr(of_whole, field.name) for field in fields(of_whole)}
    chain = plan.chain
    if chain is None:
        return Explained(**values, cost_ns=whole.candidate.cost_ns, separable=plan.reason)
    values["method"] = SEPARABLE
    values["steps"] = chain.terms * sum(each.partition.num_pieces for each in chain.plans)
    values["workspace"] = max(each.candidate.workspace for each in chain.plans)
    return Explained(**values, passes=_passes(chain, labels), rank=chain.terms, cost_ns=chain.cost_ns)


def _passes(chain: Chain, labels: Any) -> tuple[Pass, ...]:
    return tuple(
        Pass(
            labels[axis],
            problem.spec.kernel_size[0],
            plan.method,
            plan.candidate.cost_ns,
            plan.candidate.workspace,
        )
        for axis, problem, plan in zip(chain.order, chain.problems, chain.plans, strict=True)
    )
