"""The passes of a kernel, run one after the other: the arrays of its factors, the sum over its terms, its pullback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.host import Numbers
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.operands import Operands
from arrayconv._arrays.traits import Traits
from arrayconv._calls import binding, dry_run, prepare, tape
from arrayconv._calls.binding import BoundCall, run_plan
from arrayconv._convolver.factor_plan import FactorPlan
from arrayconv._convolver.kernel import FUNCTION, Kernel, Rows
from arrayconv._plan.plan import Plan, Task, plan_of
from arrayconv._problem.problem import Problem
from arrayconv._run.steps import Constants
from arrayconv._runtime.programs import LIBRARY, number_of


class Pass(NamedTuple):
    """One pass of any term."""

    problem: Problem
    plan: Plan


def factor_arrays(plan: FactorPlan, kernel: Kernel, operands: Operands) -> Rows:
    """Return the factor of every pass, for each term."""
    chain = plan.chain
    if chain is None:
        return ()
    xp = operands.xp
    shapes = [problem.spec.kernel_size for problem in chain.problems]
    if kernel.factors:
        rows = [[term[axis] for axis in chain.order] for term in kernel.factors]
        return tuple(tuple(xp.reshape(taps, n) for taps, n in zip(row, shapes, strict=True)) for row in rows)
    name = operands.traits.accumulator
    return tuple(
        tuple(Numbers(taps, n, name).array(name, xp, operands.device) for taps, n in zip(row, shapes, strict=True))
        for row in plan.taps
    )


def bind(operands: Operands, plan: FactorPlan, factors: Rows, options: prepare.Options) -> tuple[BoundCall, ...]:
    """Return the passes of all terms bound, in the order in which they run; none where they are not run as planned.

    Bound calls run where values are known and a call's own plan is that of the pass.
    """
    chain, traits = plan.chain, operands.traits
    if chain is None or traits.traced or traits.backend == LIBRARY or dry_run.is_active():
        return ()
    calls: list[BoundCall] = []
    for row, fills in zip(factors, _fills(plan, factors), strict=True):
        x = operands.x
        for factor, problem, own, fill in zip(row, chain.problems, chain.plans, fills, strict=True):
            step = Operands(x, factor, operands.xp, operands.device, traits._replace(output=own.traits.output))
            call = binding.bind(FUNCTION, step, problem, options._replace(fill_value=fill))
            if call.plan()._replace(budget=own.budget) != own:  # less the bytes of the arrays between passes
                return ()
            calls.append(call)
            x = dry_run.stand_in(problem.shape, own.traits.output, xp=operands.xp, device=operands.device)
    return tuple(calls)


def run_bound(operands: Operands, calls: Sequence[BoundCall], factors: Rows, constants: Sequence[Constants]) -> Any:
    """Return `run`'s result by bound calls."""
    total, steps = None, zip(calls, constants, strict=True)
    for row in factors:
        y = operands.x
        for factor, (call, prepared) in zip(row, steps, strict=False):
            y = call(y, factor, constants=prepared)
        total = y if total is None else _added(total, y)
    return operands.xp.astype(total, getattr(operands.xp, operands.traits.output), copy=False)


def _fills(plan: FactorPlan, factors: Rows) -> tuple[tuple[complex, ...], ...]:
    assert plan.chain is not None
    return plan.fills or ((0,) * len(plan.chain.plans),) * len(factors)


def run(operands: Operands, plan: FactorPlan, factors: Rows, constants: Sequence[Constants]) -> Any:
    """Return the sum over terms of x after all passes, in the result's dtype."""
    chain = plan.chain
    assert chain is not None
    outside = _fills(plan, factors)
    if operands.traits.backend != LIBRARY:
        passes = tuple(map(Pass, chain.problems, chain.plans))
        return _sum_of_terms(operands, passes, outside, factors, constants)
    tasks = tuple((plan.task, plan.zero_fill) for plan in chain.plans)
    digits = tuple(tuple(repr(fill) for fill in row) for row in outside)
    settings = chain.problems, tasks, digits, operands.traits, operands.xp
    return prepare.as_planned_program(LIBRARY, _as_program, settings, (operands.x, factors))


def _as_program(
    problems: tuple[Problem, ...],
    tasks: tuple[tuple[Task, bool], ...],
    digits: tuple[tuple[str, ...], ...],
    traits: Traits,
    xp: Namespace,
    x: Array,
    factors: Rows,
) -> Any:
    """Return `run`'s result; each program transforms the factors again, which are short."""
    passes = tuple(Pass(problem, plan_of("convolution", *task)) for problem, task in zip(problems, tasks, strict=True))
    outside = tuple(tuple(number_of(fill) for fill in row) for row in digits)
    operands = Operands(x, factors[0][0], xp, device_of(x), traits)
    return _sum_of_terms(operands, passes, outside, factors, ())


def _sum_of_terms(
    operands: Operands,
    passes: tuple[Pass, ...],
    outside: tuple[tuple[complex, ...], ...],
    factors: Rows,
    constants: Sequence[Constants],
) -> Any:
    xp, total, prepared = operands.xp, None, iter(constants)
    for row, fills in zip(factors, outside, strict=True):
        y = operands.x
        for factor, (problem, plan), fill in zip(row, passes, fills, strict=True):
            step = Operands(y, factor, xp, operands.device, plan.traits)
            y = run_plan(step, problem, plan, fill, next(prepared, None))
        total = y if total is None else _added(total, y)
    return xp.astype(total, getattr(xp, operands.traits.output), copy=False)


@float_errors_ignored
def _added(total: Any, y: Any) -> Any:
    """Return a sum of terms, in which one infinite sample may occur with both signs: NaN."""
    return total + y


def pullback(steps: Sequence[tape.Step], terms: int) -> tape.Pullback:
    """Return the pullback of a call with respect to x alone, from those of its convolutions, term by term."""
    count = len(steps) // terms

    def back(dy: Array, requested: Sequence[bool]) -> tuple[Any, tuple[Any, ...]]:
        total: Any = None
        for first in range(0, len(steps) if requested[0] else 0, count):
            dx = dy
            for step in reversed(steps[first : first + count]):
                _, (dx, _) = step.pullback(dx, (True, False))
            total = dx if total is None else total + dx
        return None, (total,)

    return back
