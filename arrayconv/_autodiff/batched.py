"""vmap of a convolution: the mapped axis is merged into batch, filters or groups.

An axis mapped in x alone becomes batch, in the kernel alone filters, in both groups. So a mapped call is one planned
call, never a loop, in every library.
"""

from __future__ import annotations

from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import Namespace
from arrayconv._plan.plan import Task
from arrayconv._problem.spec import Spec
from arrayconv._runtime.tracing import planning

Mapped = tuple[int | None, int | None]  # the axis of x and of the kernel that is mapped, None for neither


def merge_axis(
    task: Task, x: Array, kernel: Array, mapped: Mapped, count: int, *, xp: Namespace
) -> tuple[Task, Array, Array]:
    """Return the task and operands of one call equal to a call mapped over axes of `count` entries."""
    over_x, over_kernel = mapped
    spec = _spec(task.spec, count, over_x is not None, over_kernel is not None)
    if over_x is not None:  # in front of the groups if the kernel is mapped too, else of the batch
        x = xp.reshape(xp.moveaxis(x, over_x, 0 if over_kernel is None else 1), spec.input_shape)
    if over_kernel is not None:  # in front of the groups, or of the filters
        kernel = xp.reshape(xp.moveaxis(kernel, over_kernel, 1 if over_x is None else 0), spec.kernel_shape)
    return task._replace(spec=spec), x, kernel


def split_axis(y: Array, task: Task, mapped: Mapped, count: int, *, xp: Namespace) -> tuple[Array, int]:
    """Return the result of a mapped call with the mapped axis split off, and its index; `task` is the unmapped one."""
    at = 0 if mapped[1] is None else 2 if mapped[0] is None else 1
    shape = task.spec.output_shape
    return xp.reshape(y, (*shape[:at], count, *shape[at:])), at


@planning()
def _spec(spec: Spec, count: int, over_x: bool, over_kernel: bool) -> Spec:
    if over_x and over_kernel:
        return spec._replace(groups=count * spec.groups)
    return spec._replace(batch=count * spec.batch) if over_x else spec._replace(filters=count * spec.filters)
