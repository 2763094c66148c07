"""A bound call of torch tensors together with its first derivatives, on the memory of the caller's tensors.

`_autodiff` differentiates every call by planned calls of its own, as often as the caller likes. Most calls are
differentiated once: this module binds both gradients when the first of them is computed, so that a later backward pass
only runs them. Where torch's own convolution is the plan of the forward call, or costs less than the planned gradients,
torch's own backward runs.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from arrayconv import _accel, _autodiff
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.namespace import compat_namespace, namespace_of
from arrayconv._autodiff import adjoint
from arrayconv._calls import tape
from arrayconv._plan.plan import Plan, Task, plan_bilinear
from arrayconv._problem.gradient import input_gradient_problem, kernel_gradient_problem, swapped_kernel_gradient
from arrayconv._problem.layout import Permutation
from arrayconv._problem.problem import Problem
from arrayconv._run.canonical import canonical_result, operand_gradient, permuted, permuter
from arrayconv._run.execute import BoundPlan

# (operand, operand, bias, out, constants) -> a gradient; of tensors
Direct = Callable[[Any, Any, Any, Any, Any], Any]

_NODE_NS = 5_000  # that a node in torch's graph takes longer where Python computes it
_BIAS_NS = 8_000  # of the addition of a bias and of its gradient; torch's node includes both
_MARGIN = 8, 9  # torch's own node runs where the costs of both differ by less than their errors
_BACKWARD_MARGIN = 4, 5  # the same for its backward: both gradients share what they read
_GRADIENT_MARGIN = 5, 4  # the same for one gradient: of channels, ours takes less than predicted
_UNBIASED = frozenset(("native_winograd",))  # methods whose costs were fitted to such gradients
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


class TorchsGradient:
    """A bound call that is one gradient of a convolution, by torch's own backward where no other autodiff is needed."""

    def __init__(self, call: Any, whole: Any, of_x: bool, shape: tuple[int, ...]) -> None:
        self._call, self._whole, self._of_x, self._shape = call, whole, of_x, shape
        self._engine = import_module(_autodiff.ENGINES["torch"])

    def __call__(self, first: Any, second: Any) -> Any:
        """Return the gradient of x from dy and the kernel, or that of the kernel from x and dy."""
        engine = self._engine
        if tape.is_recording() or engine.needs_autodiff(first, second) or engine.is_autocast_enabled():
            return self._call(first, second)
        if not engine.has_plain_memory(first, second):
            return self._call(first, second)
        other = first.new_empty(1).expand(self._shape)  # of which torch reads the shape
        if self._of_x:
            y = self._whole.gradient((True, False), other, second, first)
        else:
            y = self._whole.gradient((False, True), first, other, second)
        return self._call(first, second) if y is None else y


def torchs_gradient(call: Any, forward: Problem, dtypes: Any, shapes: Any, *, of_x: bool) -> Any:
    """Return a bound call of one gradient of `forward`, or torch's own backward in its place where that costs less."""
    plan = call.plan()
    if plan.traits.library != "torch" or call.bind() is None:
        return call
    whole = torchs_convolution(forward, plan, 0, dtypes, shapes)
    if whole is None or whole.shapes_differ:
        return call
    _, both = _accel.torchs_costs(forward.spec, plan.traits)
    margin = (1, 1) if plan.method in _UNBIASED else _GRADIENT_MARGIN
    is_torchs = plan.method == "torch_conv" and (plan.candidate.undivided or plan.is_whole)
    if not is_torchs and both * margin[0] > 2 * plan.candidate.cost_ns * margin[1]:
        return call
    return TorchsGradient(call, whole, of_x, shapes[0] if of_x else shapes[1])


class Gradients:
    """A call and both of its gradients, each computed only if requested."""

    def __init__(self, problem: Problem, plan: Plan, postprocess: Any, direct: Any, whole: Any) -> None:
        self.problem, self.postprocess, self.direct, self._plan = problem, postprocess, direct, plan
        self.task: Task = adjoint.bilinear_task(plan.task, 0)
        self._torchs = whole
        self._whole = self._backward = None
        self._is_decided = whole is None
        self._engine = import_module(_autodiff.ENGINES["torch"])
        self._of_x: Direct | None = None
        self._of_kernel: Direct | None = None

    def __call__(self, x: Any, kernel: Any, bias: Any) -> Any:
        """Return the result for tensors that require gradients; None for those that `_autodiff` must handle."""
        engine, tensors = self._engine, (x, kernel) if bias is None else (x, kernel, bias)
        if not engine.has_plain_memory(*tensors):
            return None
        if not self._is_decided:
            self._decide()
        if self._whole is not None and not engine.is_autocast_enabled():
            y = self._whole(x, kernel, bias)
            if y is not None:
                return y
        return engine.apply(self, x, kernel, bias)

    def _decide(self) -> None:
        """Decide by cost whether torch differentiates its own result, or computes the gradients of ours."""
        tasks = [of(self.task) for of in (adjoint.task_of_x, adjoint.task_of_kernel)]
        planned = sum(plan_bilinear(task).candidate.cost_ns for task in tasks)
        forward, backward = _accel.torchs_costs(self.task.spec, self._plan.traits)
        ours = self._plan.candidate.cost_ns + min(planned, backward) + _NODE_NS
        ours += _BIAS_NS if self.postprocess is not None else 0
        self._whole = self._torchs if (forward + backward) * _MARGIN[0] <= ours * _MARGIN[1] else None
        self._backward = self._torchs if backward * _BACKWARD_MARGIN[0] <= planned * _BACKWARD_MARGIN[1] else None
        self._is_decided = True

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
        if self._backward is not None:
            parts = self._backward.backward(requested, x, kernel, dy)
            if parts is not None:
                return *parts, dbias
        return *self._of_memory(requested, x, kernel, dy), dbias

    def _of_memory(self, requested: Any, x: Any, kernel: Any, dy: Any) -> tuple[Any, Any]:
        dx = dkernel = None
        if requested[0]:
            of_x = self._of_x
            if of_x is None:
                of_x = self._of_x = _bound_of_x(self.problem, self.task, x.shape, kernel.shape)
            dx = of_x(dy, kernel, None, None, None)
        if requested[1]:
            of_kernel = self._of_kernel
            if of_kernel is None:
                of_kernel = self._of_kernel = _bound_of_kernel(self.problem, self.task, x.shape, kernel.shape)
            dkernel = of_kernel(x, dy, None, None, None)
        return dx, dkernel

    @float_errors_ignored
    def _of(self, requested: Any, x: Any, kernel: Any, dy: Any, run: Any, xp: Any) -> tuple[Any, Any]:
        problem, task, layout = self.problem, self.task, self.problem.layout
        dy = canonical_result(dy, problem, xp)
        dx = dkernel = None
        if requested[0]:
            factors = permuted(kernel, layout.kernel, xp)
            dx = adjoint.of_x(run, task, factors, dy, xp=xp, device="cpu")
            dx = operand_gradient(dx, layout.x, None, tuple(x.shape), xp)
        if requested[1]:
            samples = permuted(x, layout.x, xp)
            dkernel = adjoint.of_kernel(run, task, samples, dy, xp=xp)
            dkernel = operand_gradient(dkernel, layout.kernel, None, tuple(kernel.shape), xp)
        return dx, dkernel


def _bound_of_x(problem: Problem, task: Task, x_shape: Any, kernel_shape: Any) -> Direct:
    """Return `adjoint.of_x` as a function of the caller's dy and kernel."""
    xp, layout, part = compat_namespace("numpy"), problem.layout, adjoint.task_of_x(task)
    gradient = input_gradient_problem(problem, task.spec, tuple(x_shape))
    run = _bound(plan_bilinear(part), gradient)
    to_dy, to_kernel = _to_dy(problem, xp), permuter(layout.kernel, tuple(kernel_shape), xp)
    folded, order = adjoint.folding(task, xp=xp, device="cpu"), (0, 2, 1, *range(3, 3 + len(task.spec.axes)))
    to_caller = _to_caller(layout.x, task.spec.input_shape, tuple(x_shape), xp)

    def of_x(dy: Any, kernel: Any, *_: Any) -> Any:
        return to_caller(folded(run(to_dy(dy), to_kernel(kernel).transpose(order))))

    return _on_tensors(run, of_x, gradient)


def _bound_of_kernel(problem: Problem, task: Task, x_shape: Any, kernel_shape: Any) -> Direct:
    """Return `adjoint.of_kernel` as a function of the caller's x and dy."""
    xp, layout, part = compat_namespace("numpy"), problem.layout, adjoint.task_of_kernel(task)
    gradient = kernel_gradient_problem(problem, task.spec, tuple(kernel_shape))
    run = _bound(plan_bilinear(part), gradient)
    to_data, to_factors = permuter(layout.x, tuple(x_shape), xp), _to_dy(problem, xp)
    is_swapped = swapped_kernel_gradient(task.spec) is not None
    if is_swapped:
        to_data, to_factors = to_factors, to_data
    space = tuple(range(3, 3 + len(task.spec.axes)))
    to_caller = _to_caller(layout.kernel, task.spec.kernel_shape, tuple(kernel_shape), xp)
    is_reversed, reverse = task.spec.flip != is_swapped, (..., *(slice(None, None, -1),) * len(space))
    order = (1, 0, 2) if is_swapped else (1, 2, 0)

    def of_kernel(data: Any, factors: Any, *_: Any) -> Any:
        dkernel: Any = run(to_data(data).transpose(2, 1, 0, *space), to_factors(factors).transpose(1, 2, 0, *space))
        return to_caller(flipped(dkernel.transpose(*order, *space)))

    def flipped(dkernel: Any) -> Any:
        return np.ascontiguousarray(dkernel[reverse]) if is_reversed else dkernel

    def postprocess(y: Any, _: Any) -> Any:
        return np.ascontiguousarray(to_caller(to_kernel(y)[reverse]))

    to_kernel = permuter(layout.kernel, tuple(kernel_shape), xp)
    on_tensors = _on_tensors(run, of_kernel, gradient, postprocess if is_reversed else None)
    if not is_swapped:
        return on_tensors

    def of_swapped(x: Any, dy: Any, *others: Any) -> Any:
        return on_tensors(dy, x, *others)

    return of_swapped


def _bound(plan: Plan, gradient: Problem | None) -> BoundPlan:
    """Return the plan of a gradient, bound to the memory of contiguous operands where that is known."""
    problem = gradient if plan.writes_all else None
    return BoundPlan(plan, 0, xp=compat_namespace("numpy"), device="cpu", problem=problem)


def _on_tensors(
    run: BoundPlan, general: Callable[..., Any], gradient: Problem | None, postprocess: Any = None
) -> Direct:
    """Return a gradient as a function of tensors: at their addresses, or by a function of NumPy arrays."""
    on_tensors, at = _accel.on_numpy_views(float_errors_ignored(general)), run.at_addresses()
    if at is None or gradient is None:
        return on_tensors
    return _accel.tensors_at_addresses(at, on_tensors, gradient.shape, np.dtype(run.plan.traits.output), postprocess)


def _to_dy(problem: Problem, xp: Any) -> Callable[[Any], Any]:
    return permuter(problem.layout.y.inverse, problem.shape, xp, problem.spec.output_shape)


def _to_caller(permutation: Permutation, canonical: Any, shape: Any, xp: Any) -> Callable[[Any], Any]:
    return permuter(permutation.inverse, canonical, xp, shape)
