"""A call on JAX arrays as one compiled program, from the caller's axes back to them.

A program is cached under a `Job`: integers and names, from which JAX's trace plans the call again. A plan of many equal
pieces is run piece by piece instead if the operands are not traced: the pieces share programs, while the length of a
single program would grow with their number.
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
from arrayconv._run.canonical import caller_result, canonical_operands
from arrayconv._run.execute import execute, prepare_kernel
from arrayconv._run.steps import Constants
from arrayconv._runtime.programs import LIBRARY, as_program, number_of
from arrayconv._runtime.tracing import is_traced

# (result, bias, operands) -> what the caller gets
Postprocess = Callable[[Any, Any, Operands], Any]


class Job(NamedTuple):
    """Everything a program depends on besides its arrays; hashable."""

    problem: Problem
    task: Task
    traits: Traits  # of the caller's operands
    zero_fill: bool  # as in the plan
    fill: str  # in digits, since NaN is not equal to itself
    postprocess: Postprocess | None = None  # what the public function applies to the result

    @property
    def plan(self) -> Plan:
        """The plan of the call, computed from the same integers."""
        return plan_of("convolution", self.task, self.zero_fill)


def compiles(plan: Plan) -> bool:
    """Whether calls of a plan run as compiled programs."""
    return plan.traits.library == LIBRARY


def run(
    operands: Operands,
    problem: Problem,
    plan: Plan,
    fill: complex,
    constants: Constants | None = None,
    postprocess: Postprocess | None = None,
    bias: Any = None,
) -> Any:
    """Return the postprocessed result of a planned call; `constants` as in `_run.execute`."""
    job = Job(problem, plan.task, operands.traits, plan.zero_fill, repr(fill + 0), postprocess)
    arrays = operands.x, operands.kernel
    has_values = not is_traced(LIBRARY, *arrays, bias)
    if has_values and (plan.is_repetitive or not plan.traits.traced):
        y = _piecewise(operands, problem, plan, fill, constants)
        return y if postprocess is None else as_program(LIBRARY, _run_postprocess, (job,), (y, *arrays, bias))
    if constants is None or not has_values or not plan.caches_kernel:
        return as_program(LIBRARY, _run_job, (job,), (*arrays, bias))
    if not constants:
        constants.update(as_program(LIBRARY, _prepare_job, (job,), arrays))
    return as_program(LIBRARY, _run_prepared_job, (job,), (*arrays, constants))


def _run_job(job: Job, x: Any, kernel: Any, bias: Any) -> Any:
    operands = _operands(job, x, kernel)
    y = _autodiff.run(
        job.plan,
        *canonical_operands(operands, job.problem),
        number_of(job.fill),
        xp=operands.xp,
        device=operands.device,
    )
    y = caller_result(y, job.problem, operands.xp)
    return y if job.postprocess is None else job.postprocess(y, bias, operands)


def _run_postprocess(job: Job, y: Any, x: Any, kernel: Any, bias: Any) -> Any:
    assert job.postprocess is not None
    return job.postprocess(y, bias, _operands(job, x, kernel))


def _prepare_job(job: Job, x: Any, kernel: Any) -> Any:
    """Return what the plan prepares from the kernel, by step."""
    operands = _operands(job, x, kernel)
    _, kernel = canonical_operands(operands, job.problem)
    return prepare_kernel(job.plan, kernel, number_of(job.fill), xp=operands.xp, device=operands.device)


def _run_prepared_job(job: Job, x: Any, kernel: Any, constants: Constants) -> Any:
    operands = _operands(job, x, kernel)
    arrays = canonical_operands(operands, job.problem)
    y = execute(job.plan, *arrays, number_of(job.fill), xp=operands.xp, device=operands.device, constants=constants)
    return caller_result(y, job.problem, operands.xp)


def _piecewise(operands: Operands, problem: Problem, plan: Plan, fill: complex, constants: Constants | None) -> Any:
    """Return the result of a plan run piece by piece, on arrays that are not traced."""
    readable = plan.traits._replace(traced=False, readable=plan.traits.device == "cpu")
    x, kernel = canonical_operands(operands, problem)
    plan = plan._replace(traits=readable)
    y = execute(plan, x, kernel, fill, xp=operands.xp, device=operands.device, constants=constants)
    return caller_result(y, problem, operands.xp)


def _operands(job: Job, x: Any, kernel: Any) -> Operands:
    return Operands(x, kernel, namespace_of(LIBRARY, x), device_of(x), job.traits)
