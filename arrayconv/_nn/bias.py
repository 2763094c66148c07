"""The bias: one number per output channel, added to a convolution in the dtype of its sums.

A convolution of half precision with a bias returns its float32 sums, so that the result is rounded once, by `rounded`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import by_elements, chunk_library
from arrayconv._arrays.dtypes import holds, is_narrow_float, kind, promote
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import identify
from arrayconv._arrays.operands import Operands, operands
from arrayconv._calls import tape
from arrayconv._runtime.tracing import shape_of


def validate_bias(function: str, bias: Any, validated: Operands, channels: int) -> Array | None:
    """Return the bias as an array, itself where it is one; refuse one that would widen the result or has no place.

    torch requires equal dtypes. Here the bias may also be narrower than the result, but never decides its dtype.
    """
    if bias is None:
        return None
    output = validated.traits.output
    own = operands(function, bias, bias, None, ("bias", "bias")).traits.output
    listed = identify(function, "bias", bias) == ""
    if not (holds(output, kind(own)) if listed else promote(output, own) == output):
        raise TypeError(
            f"{function}: `bias` must not widen the result. Got bias {own} for a result of {output}. "
            f"Cast the bias, or widen the result with dtype=."
        )
    array = operands(function, validated.x, bias, output, ("input", "bias")).kernel
    if shape_of(array) != (channels,):
        raise ValueError(
            f"{function}: `bias` must have one element per output channel, shape ({channels},). "
            f"Got shape {shape_of(array)}."
        )
    return array if listed else bias  # the caller's own array, of which a gradient may be requested


def unrounded(validated: Operands) -> Operands:
    """Return the operands of a convolution before a bias: those of half precision with the dtype of sums as result."""
    traits = validated.traits
    if not is_narrow_float(traits.output):
        return validated
    return validated._replace(traits=traits._replace(output=traits.accumulator))


def rounded(call: Callable[..., Any], validated: Operands) -> Callable[..., Any]:
    """Return a call on `unrounded` operands with its result in the dtype of the operands; the call itself if it is."""
    xp, traits = validated.xp, validated.traits
    if not is_narrow_float(traits.output):
        return call
    own = chunk_library("nn", "input", validated.x)[1] if traits.chunk_backend else xp  # Dask's has no such name
    return partial(_cast, call, xp, getattr(own, traits.output))


@float_errors_ignored
def _cast(call: Callable[..., Any], xp: Any, dtype: Any, *arrays: Any) -> Array:
    return xp.astype(call(*arrays), dtype, copy=False)


def biased(count: int, y: Any, bias: Any, operands: Operands) -> Array:
    """Return y (..., channels, *size) with bias (channels,) added, `count` spatial axes; integers wrap."""
    xp, traits = operands.xp, operands.traits
    sums = getattr(xp, traits.accumulator)  # unsigned integers and half precision may have no addition of their own
    shape = (*(1,) * (y.ndim - count - 1), -1, *(1,) * count)  # as many axes as y: JAX may insist
    if traits.backend == "numpy":  # sums of a wider dtype pass through a small buffer
        tape.note((bias,), lambda: _pullback(bias, count, xp))
        return np.add(y, bias.reshape(shape), out=y, dtype=sums, casting="unsafe")
    column: Any = xp.astype(xp.reshape(bias, shape), sums, copy=False)
    if traits.chunk_backend:
        column = column.rechunk({axis: chunks for axis, chunks in enumerate(y.chunks) if column.shape[axis] != 1})
        return by_elements(_sum, (y, column), y.dtype, traits.accumulator, traits.output)
    tape.note((bias,), lambda: _pullback(bias, count, xp))
    total = xp.astype(y, sums, copy=False)
    if traits.backend == "torch":  # may be recording, or mapping over the bias alone
        total = total + column
    else:
        total += column
    return xp.astype(total, getattr(xp, traits.output), copy=False)


def _sum(accumulator: str, output: str, y: Any, column: Any, *, xp: Any, device: Any) -> Any:
    """Return a chunk with a bias added in the accumulator's dtype."""
    sums = getattr(xp, accumulator)
    return xp.astype(xp.astype(y, sums) + xp.astype(column, sums), getattr(xp, output), copy=False)


def _pullback(bias: Any, count: int, xp: Any) -> tape.Pullback:
    """Return the pullback of the addition: the gradient itself, and its sum over all but the channels."""

    def pullback(dy: Any, requested: Sequence[bool]) -> tuple[Any, tuple[Any, ...]]:
        channels = dy.ndim - 1 - count
        others = tuple(axis for axis in range(dy.ndim) if axis != channels)
        return dy, (tape.like(xp.sum(dy, axis=others), bias, xp) if requested[0] else None,)

    return pullback
