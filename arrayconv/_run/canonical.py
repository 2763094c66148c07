"""Arrays on their way to the canonical axes of the one operation and back, and gradients the other way.

    x (batch, groups, channels, *n)   w (groups, filters, channels, *k)   y (batch, groups, filters, *out)

A problem's layout says which reshapes and transposes that takes; views wherever no axes are joined.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from typing import Any

from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.operands import Operands
from arrayconv._problem.layout import Move, Shape
from arrayconv._problem.problem import Problem, Sum


def moved(x: Any, move: Move, xp: Namespace) -> Any:
    """Return x brought from one axis order to another; a view wherever no axes are joined."""
    if tuple(x.shape) != move.split:
        x = xp.reshape(x, move.split)
    if move.order != tuple(range(len(move.order))):
        x = xp.permute_dims(x, move.order)
    return xp.reshape(x, move.joined) if tuple(x.shape) != move.joined else x


def mover(move: Move, shape: Shape, xp: Namespace, wanted: Shape | None = None) -> Callable[[Any], Any]:
    """Return `moved` for arrays of one shape, in as few views as it takes, reshaped to `wanted` in the end."""
    split, order, joined = move.split, move.order, move.joined if wanted is None else wanted
    reshape, permute_dims = xp.reshape, xp.permute_dims
    if not move.moves:  # at most axes of length 1 change places
        if shape == joined:
            return _same
        has_method = xp.__name__.rpartition(".")[2] in ("numpy", "torch")  # quicker than the function
        return methodcaller("reshape", joined) if has_method else lambda x: reshape(x, joined)
    splits, joins = shape != split, tuple([split[axis] for axis in order]) != joined

    def run(x: Any) -> Any:
        x = permute_dims(reshape(x, split) if splits else x, order)
        return reshape(x, joined) if joins else x

    return run


def _same(x: Any) -> Any:
    return x


def canonical_operands(found: Operands, problem: Problem) -> tuple[Array, Array]:
    """Return x and the kernel on canonical axes, what is to be summed away summed."""
    x, kernel, xp = found.x, found.kernel, found.xp
    if problem.sums is not None:
        x, kernel = _summed(found, x, problem.sums[0]), _summed(found, kernel, problem.sums[1])
    return moved(x, problem.layout.x, xp), moved(kernel, problem.layout.kernel, xp)


def _summed(found: Operands, array: Array, part: Sum) -> Array:
    """Return an operand without the axes that are summed away, summed in the accumulator's dtype."""
    if not part.axes:
        return array
    xp = found.xp
    dtype = getattr(xp, found.traits.accumulator)
    return xp.sum(xp.astype(xp.reshape(array, part.split), dtype, copy=False), axis=part.axes, dtype=dtype)


def answer(y: Array, problem: Problem, xp: Namespace) -> Array:
    """Return y with the caller's axes."""
    y = moved(y, problem.layout.y, xp)
    return y if tuple(y.shape) == problem.shape else xp.reshape(y, problem.shape)


def canonical_result(y: Array, problem: Problem, xp: Namespace) -> Array:
    """Return an array of the answer's shape on canonical axes: the inverse of `answer`, and its adjoint."""
    return xp.reshape(moved(y, problem.layout.y.inverse, xp), problem.spec.output_shape)


def operand_gradient(dx: Array, move: Move, part: Sum | None, shape: tuple[int, ...], xp: Namespace) -> Array:
    """Return an operand's gradient with the caller's axes: the adjoint of `canonical_operands`."""
    dx = moved(dx, move.inverse, xp)
    if part is not None and part.axes:
        kept = tuple(1 if axis in part.axes else size for axis, size in enumerate(part.split))
        dx = xp.broadcast_to(xp.reshape(dx, kept), part.split)
    return xp.reshape(dx, shape)
