"""What a front door computed, as steps that can be walked back: what `arrayconv.vjp` records.

A convolution is one step, a bias added to it another. Each gives the gradients of the arrays it was given and of the
result of the step before. Nobody records unless asked to, and never while a compiler traces.
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
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.operands import Operands
from arrayconv._autodiff import adjoint
from arrayconv._ops.pad import along
from arrayconv._ops.windows import LEADING
from arrayconv._plan.plan import Plan, Task
from arrayconv._problem.problem import Problem
from arrayconv._run.canonical import canonical_operands, canonical_result, operand_gradient
from arrayconv._runtime.programs import as_program, number_of
from arrayconv._runtime.tracing import is_compiling, is_recorded

# (gradient of a step's result, whose are wanted) -> that of the step before's result, and those of the arrays given
Pullback = Callable[[Any, Sequence[bool]], tuple[Any, tuple[Any, ...]]]


class Step(NamedTuple):
    """One thing a call did: with which arrays, and how the gradient of its result becomes theirs."""

    operands: tuple[Any, ...]
    pullback: Pullback
    convolves: bool = False


class Convolution(NamedTuple):
    """A convolution without its arrays, hashable: what a program of its gradients is remembered by."""

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
    """Whether somebody records what calls do."""
    return _tape.get() is not None


def note(operands: tuple[Any, ...], pullback: Callable[[], Pullback], *, convolves: bool = False) -> None:
    """Note a step for whoever records; its pullback is made only then."""
    if is_compiling():
        return
    tape = _tape.get()
    if tape is not None:
        tape.append(Step(operands, pullback(), convolves))


def of_convolution(found: Operands, problem: Problem, plan: Plan, fill: complex) -> Pullback:
    """Return the pullback of a convolution: both derivatives, conjugated as the adjoint of complex data is."""
    convolution = Convolution(problem, plan.task, repr(fill + 0), found.xp)

    def pullback(dy: Array, wanted: Sequence[bool]) -> tuple[Any, tuple[Any, ...]]:
        settings, arrays, library = (convolution, tuple(wanted)), (found.x, found.kernel, dy), plan.traits.library
        if is_recorded(library):
            return None, _autodiff.recorded(partial(_gradients, *settings), *arrays)
        return None, as_program(library, _gradients, settings, arrays)

    return pullback


def _gradients(
    convolution: Convolution, wanted: tuple[bool, ...], x: Array, kernel: Array, dy: Array
) -> tuple[Any, Any]:
    """Return the gradients of x and the kernel, None for one that is not wanted."""
    problem, requested, fill, xp = convolution
    device, move = device_of(x), problem.layout
    run = _autodiff.runner(requested.traits.library, xp, device)
    sums = problem.sums or (None, None)
    found = Operands(x, kernel, xp, device, requested.traits)
    task, factor, other = adjoint.bilinear(
        requested, *canonical_operands(found, problem), number_of(fill), xp=xp, device=device
    )
    dy = xp.astype(canonical_result(dy, problem, xp), getattr(xp, requested.traits.accumulator), copy=False)
    dx = dkernel = None
    if wanted[0]:
        dx = adjoint.of_x(run, task, _conjugate(other, xp), dy, xp=xp, device=device)
        dx = operand_gradient(_cropped(dx, requested, task), move.x, sums[0], tuple(x.shape), xp)
    if wanted[1]:
        dkernel = adjoint.of_kernel(run, task, _conjugate(factor, xp), dy, xp=xp)
        dkernel = _conjugate(dkernel, xp) if requested.spec.conj else dkernel
        dkernel = operand_gradient(dkernel, move.kernel, sums[1], tuple(kernel.shape), xp)
    return like(dx, x, xp), like(dkernel, kernel, xp)


def _cropped(dx: Array, requested: Task, task: Task) -> Array:
    """Return the part of a gradient of the extended x that is x's own."""
    for number, (axis, longer) in enumerate(zip(requested.spec.axes, task.spec.axes, strict=True)):
        if longer.size != axis.size:
            first = (axis.before - longer.before) // axis.upsample
            dx = dx[along(LEADING + number, slice(first, first + axis.size))]
    return dx


def _conjugate(x: Array, xp: Any) -> Array:
    return xp.conj(x) if kind(dtype_name(x.dtype)) == "complex" else x


def like(gradient: Any, operand: Any, xp: Any) -> Any:
    """Return a gradient in its operand's dtype: the real part where that is real."""
    if gradient is None:
        return None
    if kind(dtype_name(operand.dtype)) == "real" and kind(dtype_name(gradient.dtype)) == "complex":
        gradient = xp.real(gradient)
    return xp.astype(gradient, operand.dtype, copy=False)
