"""A bound call of torch tensors together with its first derivatives, on the memory of the caller's tensors.

`_autodiff` differentiates every call by planned calls of its own, as often as the caller likes. Most calls are
differentiated once: this module binds both gradients when the first of them is computed, so that a later backward pass
only runs them. Where torch's own convolution is the plan of the forward call, or costs less than the planned gradients,
torch's own backward runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from arrayconv import _accel, _autodiff
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.namespace import compat_namespace, namespace_of
from arrayconv._autodiff import adjoint
from arrayconv._plan.plan import Plan, Task, plan_bilinear
from arrayconv._problem.problem import Problem
from arrayconv._run.canonical import canonical_result, operand_gradient, permuted
from arrayconv._run.execute import BoundPlan

_DTYPES = ("float32", "float64")


def of_call(
    problem: Problem, plan: Plan, fill: complex, dtypes: Any, shapes: Any, postprocess: Any, direct: Any
) -> Gradients | None:
    """Return the gradients of a call of CPU tensors, None for one that only `_autodiff` differentiates.

    `direct` is the call itself, `postprocess` the addition of a bias or None.
    """
    traits = plan.traits
    if direct is None or traits.origin != "torch" or problem.sums is not None or fill != 0:
        return None
    if traits.accumulator not in _DTYPES or traits.output != traits.accumulator:
        return None
    if not all(dtype_name(dtype) == traits.accumulator for dtype in dtypes):
        return None
    if postprocess is not None and not hasattr(postprocess, "gradient"):
        return None
    whole = torchs_convolution(problem, plan, fill, dtypes, shapes)
    return Gradients(problem, plan, postprocess, direct, whole)


def torchs_convolution(problem: Problem, plan: Plan, fill: complex, dtypes: Any, shapes: Any) -> Any:
    """Return the call as one of torch's own convolutions; None where it is none, or may not run."""
    traits = plan.traits
    if fill != 0 or problem.sums is not None or plan.requested not in ("auto", "torch_conv"):
        return None
    if not plan.budget.is_soft or traits.output != traits.accumulator:
        return None
    if not all(dtype_name(dtype) == traits.accumulator for dtype in dtypes):
        return None
    return _accel.torchs_convolution(problem, shapes, _accel.method_traits("torch_conv", traits))


class Gradients:
    """A call and both of its gradients, each computed only if requested."""

    def __init__(self, problem: Problem, plan: Plan, postprocess: Any, direct: Any, whole: Any) -> None:
        self.problem, self.postprocess, self.direct = problem, postprocess, direct
        self.task: Task = adjoint.bilinear_task(plan.task, 0)
        self._whole = whole if whole is not None and self._torch_wins(plan) else None
        self._runs_torch = plan.method == "torch_conv"
        self._engine = import_module(_autodiff.ENGINES["torch"])
        self._bound: dict[bool, BoundPlan] = {}

    def __call__(self, x: Any, kernel: Any, bias: Any) -> Any:
        """Return the result for tensors that require gradients; None for those that `_autodiff` must handle."""
        engine = self._engine
        if not (engine.is_plain(x, kernel) if bias is None else engine.is_plain(x, kernel, bias)):
            return None
        if self._runs_torch and self._whole is not None and not engine.casts():
            y = self._whole(x, kernel, bias)  # torch differentiates its own convolution
            if y is not None:
                return y
        return engine.apply(self, x, kernel, bias)

    def _torch_wins(self, plan: Plan) -> bool:
        """Whether torch's backward is expected to take less time than the two planned gradients."""
        planned = sum(
            plan_bilinear(of(self.task)).candidate.cost_ns for of in (adjoint.task_of_x, adjoint.task_of_kernel)
        )
        return _accel.torchs_backward_cost(self.task.spec, plan.traits) <= planned

    def forward(self, x: Any, kernel: Any, bias: Any) -> Any:
        """Return the result without gradients."""
        return self.direct(x, kernel, bias, None, None)

    def gradients(self, requested: Any, x: Any, kernel: Any, bias: Any, dy: Any, run: Any = None) -> Any:
        """Return the gradients of x, the kernel and the bias, None for one that is not requested.

        They are computed on the memory of the tensors, or by `run` in operations that torch differentiates.
        """
        dbias = self.postprocess.gradient(dy, bias) if requested[2] else None
        if run is not None:
            return *self._of(requested, x, kernel, dy, run, namespace_of("torch", dy)), dbias
        if self._whole is not None:
            parts = self._whole.backward(requested, x, kernel, dy)
            if parts is not None:
                return *parts, dbias
        arrays = _accel.memory(x), _accel.memory(kernel), _accel.memory(dy)
        dx, dkernel = self._of(requested, *arrays, None, compat_namespace("numpy"))
        return None if dx is None else _accel.tensor(dx), None if dkernel is None else _accel.tensor(dkernel), dbias

    @float_errors_ignored
    def _of(self, requested: Any, x: Any, kernel: Any, dy: Any, run: Any, xp: Any) -> tuple[Any, Any]:
        problem, task, layout = self.problem, self.task, self.problem.layout
        dy = canonical_result(dy, problem, xp)
        dx = dkernel = None
        if requested[0]:
            factors = permuted(kernel, layout.kernel, xp)
            dx = adjoint.of_x(run or self._run_x, task, factors, dy, xp=xp, device="cpu")
            dx = operand_gradient(dx, layout.x, None, tuple(x.shape), xp)
        if requested[1]:
            samples = permuted(x, layout.x, xp)
            dkernel = adjoint.of_kernel(run or self._run_kernel, task, samples, dy, xp=xp)
            dkernel = operand_gradient(dkernel, layout.kernel, None, tuple(kernel.shape), xp)
        return dx, dkernel

    def _run_x(self, task: Task, dy: Any, kernel: Any) -> Any:
        return self._plan(True, task)(dy, kernel)

    def _run_kernel(self, task: Task, x: Any, dy: Any) -> Any:
        return self._plan(False, task)(x, dy)

    def _plan(self, of_x: bool, task: Task) -> BoundPlan:
        bound = self._bound.get(of_x)
        if bound is None:
            bound = self._bound[of_x] = BoundPlan(plan_bilinear(task), 0, xp=compat_namespace("numpy"), device="cpu")
        return bound
