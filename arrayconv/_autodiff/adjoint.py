"""The two derivatives of a task on arrays; `_problem.gradient` derives their specs.

Everything here requires a *bilinear* task (see `bilinear`): no conjugation, zeros beyond the ends of constant axes, one
dtype in and out. Results are plain transposes; for the adjoint of complex data pass conjugates. `run` computes the
derived task, so that autodiff can differentiate it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from arrayconv._accel import usable_after_fork
from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import Namespace
from arrayconv._ops import pad
from arrayconv._ops.windows import LEADING, reversed_taps
from arrayconv._plan.plan import Task
from arrayconv._problem.boundary import Source
from arrayconv._problem.gradient import (
    border_runs,
    input_gradient,
    kernel_gradient,
    on_extended,
    swapped_kernel_gradient,
)

Runner = Callable[[Task, Array, Array], Array]


def bilinear(
    task: Task, x: Array, kernel: Array, fill: complex, *, xp: Namespace, device: Any
) -> tuple[Task, Array, Array]:
    """Return a task and operands with the same result that is bilinear: without conjugation, fill or casts."""
    spec, task = task.spec, bilinear_task(task, fill)
    dtype = getattr(xp, task.traits.accumulator)
    x, kernel = xp.astype(x, dtype, copy=False), xp.astype(kernel, dtype, copy=False)
    if spec.conj and task.traits.accumulator.startswith("complex"):
        kernel = xp.conj(kernel)
    if fill != 0:
        for number, runs in enumerate(border_runs(spec)):
            if runs:
                x = pad.extend(x, LEADING + number, runs, fill, xp=xp, device=device)
    return task, x, kernel


def bilinear_task(task: Task, fill: complex) -> Task:
    """Return the task of `bilinear`, which depends on no array."""
    traits, spec = usable_after_fork(task.traits), task.spec
    spec = on_extended(spec) if fill != 0 else spec
    return task._replace(spec=spec._replace(conj=False), traits=traits._replace(output=traits.accumulator))


def task_of_x(task: Task) -> Task:
    """Return the task whose result, folded, is the gradient of x."""
    return task._replace(spec=input_gradient(task.spec).spec)


def task_of_kernel(task: Task) -> Task:
    """Return the task whose result is the gradient of the kernel: of x and dy, or of dy and x where it is swapped."""
    return task._replace(spec=swapped_kernel_gradient(task.spec) or kernel_gradient(task.spec))


def of_x(run: Runner, task: Task, kernel: Array, dy: Array, *, xp: Namespace, device: Any) -> Array:
    """Return the gradient of x (batch, groups, channels, *n), from that of y and the kernel."""
    dx = run(task_of_x(task), dy, _axes(kernel, (0, 2, 1), xp))  # (batch, groups, channels, *extended)
    return folding(task, xp=xp, device=device)(dx)


def folding(task: Task, *, xp: Namespace, device: Any) -> Callable[[Array], Array]:
    """Return a function that folds the gradient of x on its extended axes onto the samples."""
    folds = [
        (LEADING + number, runs, axis.size)
        for number, (axis, runs) in enumerate(zip(task.spec.axes, input_gradient(task.spec).folds, strict=True))
        if not _is_whole(runs, axis.size)
    ]

    def folded(dx: Array) -> Array:
        for number, runs, size in folds:
            dx = pad.fold(dx, number, runs, size, xp=xp, device=device)
        return dx

    return folded


def of_kernel(run: Runner, task: Task, x: Array, dy: Array, *, xp: Namespace) -> Array:
    """Return the gradient of the kernel (groups, filters, channels, *k), from that of y and x."""
    is_swapped = swapped_kernel_gradient(task.spec) is not None
    data, factors = (dy, x) if is_swapped else (x, dy)
    dkernel = run(task_of_kernel(task), _axes(data, (2, 1, 0), xp), _axes(factors, (1, 2, 0), xp))
    dkernel = _axes(dkernel, (1, 0, 2) if is_swapped else (1, 2, 0), xp)
    return reversed_taps(dkernel, xp) if task.spec.flip != is_swapped else dkernel


def _axes(x: Array, order: tuple[int, ...], xp: Namespace) -> Array:
    """Return x with its leading axes in another order."""
    return xp.permute_dims(x, (*order, *range(LEADING, x.ndim)))


def _is_whole(runs: Source, size: int) -> bool:
    return len(runs) == 1 and runs[0].start == 0 and runs[0].step == 1 and runs[0].length == size
