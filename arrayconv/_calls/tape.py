"""The tape that `arrayconv.vjp` records: the steps of a call, each with its pullback.

A convolution is one step, adding a bias another. A pullback returns the gradients of the step's arrays and of the
result of the previous step. Recording is off by default, and always while a compiler traces.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from arrayconv import _autodiff
from arrayconv._arrays.array import Array
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import kind
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import Namespace, compat_namespace
from arrayconv._arrays.operands import Operands
from arrayconv._arrays.tensors import memory, tensor
from arrayconv._autodiff import adjoint
from arrayconv._calls.copies import gradient_task
from arrayconv._ops.pad import along
from arrayconv._ops.windows import LEADING
from arrayconv._plan.plan import Plan, Task
from arrayconv._problem.problem import Problem
from arrayconv._run.canonical import canonical_operands, canonical_result, operand_gradient
from arrayconv._runtime.programs import as_program, number_of
from arrayconv._runtime.tracing import is_compiling, is_recorded

# (gradient of a step's result, which are requested) -> that of the previous step's result, those of the step's arrays
Pullback = Callable[[Any, Sequence[bool]], tuple[Any, tuple[Any, ...]]]


class Step(NamedTuple):
    """One step of a call: its arrays, and the function from the gradient of its result to theirs."""

    operands: tuple[Any, ...]
    pullback: Pullback
    convolves: bool = False


class Convolution(NamedTuple):
    """A convolution without its arrays; hashable, the cache key of the program of its gradients."""

    problem: Problem
    task: Task
    fill: str  # in digits, since NaN is not equal to itself
    xp: Namespace


_tape: ContextVar[list[Step] | None] = ContextVar("arrayconv.tape", default=None)


@contextmanager
def recording() -> Generator[list[Step]]:
    """Record the steps of the calls inside a ``with`` block."""
    steps: list[Step] = []
    token = _tape.set(steps)
    try:
        yield steps
    finally:
        _tape.reset(token)


def is_recording() -> bool:
    """Whether a tape records the calls of this context."""
    return _tape.get() is not None


def note(operands: tuple[Any, ...], pullback: Callable[[], Pullback], *, convolves: bool = False) -> None:
    """Record a step, with its pullback, if a tape is recording."""
    if is_compiling():
        return
    tape = _tape.get()
    if tape is not None:
        tape.append(Step(operands, pullback(), convolves))


def of_convolution(operands: Operands, problem: Problem, plan: Plan, fill: complex) -> Pullback:
    """Return the pullback of a convolution: both derivatives, conjugated as the adjoint of complex data is."""
    convolution = Convolution(problem, gradient_task(plan, problem), repr(fill + 0), operands.xp)

    def pullback(dy: Array, requested: Sequence[bool]) -> tuple[Any, tuple[Any, ...]]:
        settings, arrays = (convolution, tuple(requested)), (operands.x, operands.kernel, dy)
        library = plan.traits.library
        if is_recorded(library):
            return None, _autodiff.recorded(partial(_gradients, *settings), *arrays)
        return None, as_program(library, _gradients, settings, arrays)

    return pullback


def _gradients(
    convolution: Convolution, requested: tuple[bool, ...], x: Array, kernel: Array, dy: Array
) -> tuple[Any, Any]:
    """Return the gradients of x and the kernel, None for one that is not requested.

    Those of tensors that run as NumPy views are computed on views from the first step to the last.
    """
    library = convolution.task.traits.library
    if library == "torch" and _autodiff.runs_on_views(convolution.task.traits, x, kernel, dy):
        own = convolution._replace(xp=compat_namespace("numpy"))
        pair = _gradients_of("numpy", own, requested, memory(x), memory(kernel), memory(dy))
        dx, dkernel = [None if gradient is None else tensor(gradient) for gradient in pair]
        return dx, dkernel
    return _gradients_of(library, convolution, requested, x, kernel, dy)


def _gradients_of(
    library: str, convolution: Convolution, requested: tuple[bool, ...], x: Array, kernel: Array, dy: Array
) -> tuple[Any, Any]:
    problem, task, fill, xp = convolution
    device, layout = device_of(x), problem.layout
    run = _autodiff.runner(library, xp, device)
    sums = problem.sums or (None, None)
    operands = Operands(x, kernel, xp, device, task.traits)
    bilinear, factor_x, factor_kernel = adjoint.bilinear(
        task, *canonical_operands(operands, problem), number_of(fill), xp=xp, device=device
    )
    dy = xp.astype(canonical_result(dy, problem, xp), getattr(xp, task.traits.accumulator), copy=False)
    dx = dkernel = None
    if requested[0]:
        dx = adjoint.of_x(run, bilinear, _conjugate(factor_kernel, xp), dy, xp=xp, device=device)
        dx = operand_gradient(_crop(dx, task, bilinear), layout.x, sums[0], tuple(x.shape), xp)
    if requested[1]:
        dkernel = adjoint.of_kernel(run, bilinear, _conjugate(factor_x, xp), dy, xp=xp)
        dkernel = _conjugate(dkernel, xp) if task.spec.conj else dkernel
        dkernel = operand_gradient(dkernel, layout.kernel, sums[1], tuple(kernel.shape), xp)
    return like(dx, x, xp), like(dkernel, kernel, xp)


def _crop(dx: Array, task: Task, extended: Task) -> Array:
    """Return the gradient of x from that of x extended by constants."""
    for number, (axis, longer) in enumerate(zip(task.spec.axes, extended.spec.axes, strict=True)):
        if longer.size != axis.size:
            first = (axis.before - longer.before) // axis.upsample
            dx = dx[along(LEADING + number, slice(first, first + axis.size))]
    return dx


def _conjugate(x: Array, xp: Any) -> Array:
    return xp.conj(x) if kind(dtype_name(x.dtype)) == "complex" else x


def like(gradient: Any, operand: Any, xp: Any) -> Any:
    """Return a gradient in its operand's dtype: its real part for a real operand."""
    if gradient is None:
        return None
    if kind(dtype_name(operand.dtype)) == "real" and kind(dtype_name(gradient.dtype)) == "complex":
        gradient = xp.real(gradient)
    return xp.astype(gradient, operand.dtype, copy=False)
