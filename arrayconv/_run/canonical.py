"""Arrays permuted to the canonical axes of the one operation and back, and gradients in the opposite direction.

    x (batch, groups, channels, *n)   w (groups, filters, channels, *k)   y (batch, groups, filters, *out)

A problem's layout says which reshapes and transposes are needed; the results are views unless axes are joined.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from typing import Any

from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.operands import Operands
from arrayconv._problem.layout import Permutation, Shape
from arrayconv._problem.problem import Problem, Sum


def permuted(x: Any, permutation: Permutation, xp: Namespace) -> Any:
    """Return x with its axes permuted; a view unless axes are joined."""
    if tuple(x.shape) != permutation.split:
        x = xp.reshape(x, permutation.split)
    if permutation.order != tuple(range(len(permutation.order))):
        x = xp.permute_dims(x, permutation.order)
    return xp.reshape(x, permutation.joined) if tuple(x.shape) != permutation.joined else x


def permuter(
    permutation: Permutation, shape: Shape, xp: Namespace, result_shape: Shape | None = None
) -> Callable[[Any], Any]:
    """Return a function that permutes arrays of one shape in as few views as possible, to `result_shape` if given."""
    split, order = permutation.split, permutation.order
    joined = permutation.joined if result_shape is None else result_shape
    reshape, permute_dims = xp.reshape, xp.permute_dims
    if not permutation.reorders:  # only axes of length 1 change their order
        if shape == joined:
            return _identity
        has_method = xp.__name__.rpartition(".")[2] in ("numpy", "torch")  # faster than the function
        return methodcaller("reshape", joined) if has_method else lambda x: reshape(x, joined)
    splits, joins = shape != split, tuple([split[axis] for axis in order]) != joined

    def run(x: Any) -> Any:
        x = permute_dims(reshape(x, split) if splits else x, order)
        return reshape(x, joined) if joins else x

    return run


def _identity(x: Any) -> Any:
    return x


def canonical_operands(operands: Operands, problem: Problem) -> tuple[Array, Array]:
    """Return x and the kernel on canonical axes, with the axes of `problem.sums` summed out."""
    x, kernel, xp = operands.x, operands.kernel, operands.xp
    if problem.sums is not None:
        x, kernel = _sum_axes(operands, x, problem.sums[0]), _sum_axes(operands, kernel, problem.sums[1])
    return permuted(x, problem.layout.x, xp), permuted(kernel, problem.layout.kernel, xp)


def _sum_axes(operands: Operands, array: Array, part: Sum) -> Array:
    """Return an operand with axes summed out, in the accumulator's dtype."""
    if not part.axes:
        return array
    xp = operands.xp
    dtype = getattr(xp, operands.traits.accumulator)
    return xp.sum(xp.astype(xp.reshape(array, part.split), dtype, copy=False), axis=part.axes, dtype=dtype)


def caller_result(y: Array, problem: Problem, xp: Namespace) -> Array:
    """Return y on the caller's axes."""
    y = permuted(y, problem.layout.y, xp)
    return y if tuple(y.shape) == problem.shape else xp.reshape(y, problem.shape)


def copies_result(problem: Problem) -> bool:
    """Whether `caller_result` copies."""
    merges = [n for n in problem.shape if n != 1] != [n for n in problem.layout.y.joined if n != 1]
    return problem.layout.y.reorders and merges


def canonical_result(y: Array, problem: Problem, xp: Namespace) -> Array:
    """Return an array of the result's shape on canonical axes: the inverse of `caller_result`, and its adjoint."""
    return xp.reshape(permuted(y, problem.layout.y.inverse, xp), problem.spec.output_shape)


def operand_gradient(
    dx: Array, permutation: Permutation, part: Sum | None, shape: tuple[int, ...], xp: Namespace
) -> Array:
    """Return an operand's gradient on the caller's axes: the adjoint of `canonical_operands`."""
    dx = permuted(dx, permutation.inverse, xp)
    if part is not None and part.axes:
        summed_shape = tuple(1 if axis in part.axes else size for axis, size in enumerate(part.split))
        dx = xp.broadcast_to(xp.reshape(dx, summed_shape), part.split)
    return xp.reshape(dx, shape)
