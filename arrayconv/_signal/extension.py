"""The four extensions of `upfirdn` that are not copies of samples, made explicitly; the others are core boundaries.

For samples x_0 .. x_e, e = n - 1, and position i (negative before the first sample):

    smooth         x_0 + i (x_1 - x_0)            x_e + (i - e) (x_e - x_(e-1))
    line           x_0 + i s                      x_e + (i - e) s,                s = (x_e - x_0) / e
    antisymmetric  'symmetric' with every mirrored copy negated
    antireflect    'reflect' rotated by half a turn about the end samples; it climbs by 2 (x_e - x_0) per period

One sample has no slope: 'smooth', 'line' and 'antireflect' continue it as a constant.
"""

from __future__ import annotations

from typing import Any

from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import arange
from arrayconv._arrays.namespace import Namespace
from arrayconv._ops import pad
from arrayconv._problem.boundary import list_runs, runs
from arrayconv._problem.spec import Axis

EXPLICIT = ("smooth", "line", "antisymmetric", "antireflect")


def reach(axis: Axis) -> tuple[int, int]:
    """Return how many samples before the first and after the last the outputs of `axis` read."""
    lo, hi = axis.span(0, axis.outputs)
    first, stop = -(-lo // axis.upsample), (hi - 1) // axis.upsample + 1
    return max(0, -first), max(0, stop - axis.size)


def lengthened(axis: Axis, ends: tuple[int, int]) -> Axis:
    """Return the axis of data that already holds so many samples of its extension at its ends."""
    moved = axis.before - axis.upsample * ends[0]
    return axis._replace(size=axis.size + sum(ends), before=moved)


def extend(x: Array, axis: int, mode: str, ends: tuple[int, int], *, xp: Namespace, device: Any) -> Array:
    """Return floating x with so many samples of the extension `mode` joined to the ends of a non-negative `axis`."""
    before, after = ends
    if x.shape[axis] == 1 and mode != "antisymmetric":
        pieces = runs(1, -before, 1 + after, "edge")
        return pad.extend(x, axis, pieces, 0, xp=xp, device=device)
    if mode == "antisymmetric":
        parts = _antisymmetric(x, axis, before, after, xp, device)
    elif mode == "antireflect":
        parts = _antireflect(x, axis, before, after, xp, device)
    else:
        parts = _ramps(x, axis, mode, before, after, xp, device)
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=axis)


def _sample(x: Array, axis: int, place: int) -> Any:
    """Return one sample of every line, its axis kept."""
    return x[pad.along(axis, slice(place, place + 1))]


def _ramps(x: Array, axis: int, mode: str, before: int, after: int, xp: Namespace, device: Any) -> list[Array]:
    end = x.shape[axis] - 1
    first, last = _sample(x, axis, 0), _sample(x, axis, end)
    if mode == "line":
        left = right = (last - first) / end
    else:
        left, right = _sample(x, axis, 1) - first, last - _sample(x, axis, end - 1)
    shape = (*(1 for _ in range(axis)), -1, *(1 for _ in range(x.ndim - axis - 1)))

    def steps(start: int, stop: int) -> Array:
        return xp.reshape(xp.astype(arange(x, start, stop, xp=xp, device=device), x.dtype), shape)

    parts = [x]
    if before:
        parts.insert(0, first + steps(-before, 0) * left)
    if after:
        parts.append(last + steps(1, after + 1) * right)
    return parts


def _antisymmetric(x: Any, axis: int, before: int, after: int, xp: Namespace, device: Any) -> list[Array]:
    size = x.shape[axis]
    pieces = list_runs(size, -before, size + after, "symmetric")
    parts: list[Any] = [pad.extend(x, axis, [run], 0, xp=xp, device=device) for run in pieces]
    return [-part if run.step < 0 else part for part, run in zip(parts, pieces, strict=True)]


def _antireflect(x: Any, axis: int, before: int, after: int, xp: Namespace, device: Any) -> list[Array]:
    size = x.shape[axis]
    last = _sample(x, axis, size - 1)
    climb = 2 * (last - _sample(x, axis, 0))  # per period of 2 (n - 1) samples
    parts: list[Array] = []
    at = -before
    for run in list_runs(size, -before, size + after, "reflect"):
        period = at // (2 * size - 2)
        part = pad.extend(x, axis, [run], 0, xp=xp, device=device)
        part = 2 * last - part if run.step < 0 else part
        parts.append(part + period * climb if period else part)
        at += run.length
    return parts
