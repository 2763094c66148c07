"""Bytes of the copies of whole operands and results that a call makes beside its plan."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from arrayconv._arrays.dtypes import itemsize
from arrayconv._arrays.traits import Traits
from arrayconv._plan.plan import Plan, Task
from arrayconv._problem.problem import Problem, Sum
from arrayconv._run.canonical import copies_result


class Copies(NamedTuple):
    """Bytes of copies that reorder or sum axes, at the wider of the dtypes."""

    avoidable: int  # of x and the result, which a NumPy call can copy piece by piece instead
    needed: int


def copies(problem: Problem, traits: Traits) -> Copies:
    """Return what reordering or summing axes may copy."""
    layout = problem.layout
    width = max(itemsize(traits.output), traits.itemsize)
    x, kernel = (width * prod(move.split) * (move.reorders and move.joins) for move in (layout.x, layout.kernel))
    y = width * prod(problem.shape) * copies_result(problem)
    summed = sum(width * _summed_elements(part) for part in problem.sums or () if part.axes)
    has_pieces = traits.backend == "numpy" and traits.writable and problem.sums is None
    return Copies(x + y, kernel) if has_pieces else Copies(0, x + y + kernel + summed)


def _summed_elements(part: Sum) -> int:
    """Count the elements of an operand, cast, and of its sums."""
    return prod(part.split) + prod(n for axis, n in enumerate(part.split) if axis not in part.axes)


def gradient_task(plan: Plan, problem: Problem) -> Task:
    """Return the task of a call's gradients, which copy operands whole; ValueError where the cap is below that."""
    task = plan.task
    limit = task.budget.max_workspace
    if not plan.copies_pieces or limit is None:
        return task
    size = copies(problem, plan.traits).avoidable
    if size >= limit and not task.budget.is_soft:
        raise ValueError(
            f"vjp: `max_workspace` must exceed the {size} bytes that a gradient takes to reorder the axes. Got "
            f"max_workspace={limit}. Allow more, or pass arrays with batch axes first."
        )
    return task._replace(budget=task.budget._replace(max_workspace=limit - size))
