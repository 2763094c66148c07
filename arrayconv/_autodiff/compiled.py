"""A call on JAX's arrays as one program, from the caller's axes back to them.

What a program is remembered by is a `Job`: integers and names, of which the plan is made again while JAX traces. A plan
whose pieces repeat each other is run piece by piece instead, where the operands have values: its pieces share their
programs, while one of all of them would be as long as they are many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from arrayconv import _autodiff
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import namespace_of
from arrayconv._arrays.operands import Operands
from arrayconv._arrays.traits import Traits
from arrayconv._plan.plan import Plan, Task, plan_of
from arrayconv._problem.problem import Problem
from arrayconv._run.canonical import answer, canonical_operands
from arrayconv._run.execute import execute, prepared
from arrayconv._run.steps import Constants
from arrayconv._runtime.programs import LIBRARY, as_program, number_of
from arrayconv._runtime.tracing import is_traced

# (answer, bias, operands) -> what the caller gets
Postprocess = Callable[[Any, Any, Operands], Any]


class Job(NamedTuple):
    """What a program is made of besides its arrays; hashable."""

    problem: Problem
    task: Task
    traits: Traits  # of the caller's operands
    zero_fill: bool  # as it was planned
    fill: str  # in digits, since NaN is not equal to itself
    postprocess: Postprocess | None = None  # what the door does to the answer

    @property
    def plan(self) -> Plan:
        """The plan that was made of the same integers before."""
        return plan_of("convolution", self.task, self.zero_fill)


def serves(plan: Plan) -> bool:
    """Whether calls of a plan go this way."""
    return plan.traits.library == LIBRARY


def run(
    found: Operands,
    problem: Problem,
    plan: Plan,
    fill: complex,
    constants: Constants | None = None,
    postprocess: Postprocess | None = None,
    bias: Any = None,
) -> Any:
    """Return the finished answer of a planned call; `constants` as in `_run.execute`."""
    job = Job(problem, plan.task, found.traits, plan.zero_fill, repr(fill + 0), postprocess)
    arrays = found.x, found.kernel
    has_values = not is_traced(LIBRARY, *arrays, bias)
    if has_values and (plan.repeats or not plan.traits.traced):
        y = _piecewise(found, problem, plan, fill, constants)
        return y if postprocess is None else as_program(LIBRARY, _postprocessed, (job,), (y, *arrays, bias))
    if constants is None or not has_values or not plan.keeps:
        return as_program(LIBRARY, _computed, (job,), (*arrays, bias))
    if not constants:
        constants.update(as_program(LIBRARY, _prepared, (job,), arrays))
    return as_program(LIBRARY, _kept, (job,), (*arrays, constants))


def _computed(job: Job, x: Any, kernel: Any, bias: Any) -> Any:
    found = _operands(job, x, kernel)
    y = _autodiff.run(
        job.plan, *canonical_operands(found, job.problem), number_of(job.fill), xp=found.xp, device=found.device
    )
    y = answer(y, job.problem, found.xp)
    return y if job.postprocess is None else job.postprocess(y, bias, found)


def _postprocessed(job: Job, y: Any, x: Any, kernel: Any, bias: Any) -> Any:
    assert job.postprocess is not None
    return job.postprocess(y, bias, _operands(job, x, kernel))


def _prepared(job: Job, x: Any, kernel: Any) -> Any:
    """Return what the plan prepares of the kernel, by step."""
    found = _operands(job, x, kernel)
    _, kernel = canonical_operands(found, job.problem)
    return prepared(job.plan, kernel, number_of(job.fill), xp=found.xp, device=found.device)


def _kept(job: Job, x: Any, kernel: Any, constants: Constants) -> Any:
    found = _operands(job, x, kernel)
    arrays = canonical_operands(found, job.problem)
    y = execute(job.plan, *arrays, number_of(job.fill), xp=found.xp, device=found.device, constants=constants)
    return answer(y, job.problem, found.xp)


def _piecewise(found: Operands, problem: Problem, plan: Plan, fill: complex, constants: Constants | None) -> Any:
    """Return the answer of a plan run piece by piece on arrays whose values can be looked at."""
    readable = plan.traits._replace(traced=False, readable=plan.traits.device == "cpu")
    x, kernel = canonical_operands(found, problem)
    plan = plan._replace(traits=readable)
    y = execute(plan, x, kernel, fill, xp=found.xp, device=found.device, constants=constants)
    return answer(y, problem, found.xp)


def _operands(job: Job, x: Any, kernel: Any) -> Operands:
    return Operands(x, kernel, namespace_of(LIBRARY, x), device_of(x), job.traits)
