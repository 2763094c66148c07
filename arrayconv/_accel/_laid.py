"""Calls of known layout on loops that address memory by element: where canonical axes step in the caller's arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel import _threads
from arrayconv._accel._base import Bypass, Laid
from arrayconv._accel._borrowed import on_memory
from arrayconv._accel._flat import Host, Start, adjacent
from arrayconv._boundary import FILL, Run
from arrayconv._layout import Move, Shape
from arrayconv._ops.windows import LEADING


class Samples(NamedTuple):
    """Where a step reads its samples: flat memory, and what the canonical axes (batch, groups, channels, *n) step."""

    flat: Callable[[Any], Host]  # of a contiguous x
    steps: tuple[int, ...]
    start: int


def steps(move: Move) -> tuple[int, ...] | None:
    """Return what the axes of a contiguous array step once they are moved; None where joining them would copy."""
    whole = adjacent(move.split)
    left = [(move.split[axis], whole[axis]) for axis in move.order if move.split[axis] != 1]
    found: list[int] = []
    for size in reversed(move.joined):
        step, held = 0, 1
        while held < size:
            n, own = left.pop()
            if held == 1:
                step = own
            elif own != step * held:
                return None
            held *= n
        if held != size:
            return None
        found.append(step)
    return tuple(found[::-1])


def outputs(laid: Laid) -> tuple[int, ...] | None:
    """Return what the axes (batch, groups, filters, *out) step in a new array for the answer, None as in `steps`."""
    return steps(laid.problem.layout.y.inverse._replace(joined=laid.problem.spec.output_shape))


def samples(laid: Laid, extended: bool) -> Samples | None:
    """Return where the step's samples stand: in x itself, or copied among constants where it is to be `extended`."""
    move, sources = laid.problem.layout.x, laid.step.source
    own = steps(move)
    if own is not None and all(len(runs) == 1 and runs[0].start != FILL and runs[0].step == 1 for runs in sources):
        start = sum(runs[0].start * step for runs, step in zip(sources, own[LEADING:], strict=True))
        return Samples(_ravelled, own, start)
    cuts = [_cut(runs) for runs in sources]
    if not extended or None in cuts:
        return None
    held, place = ((..., *part) for part in zip(*filter(None, cuts), strict=True))
    moves = move.moves
    shape, dtype, fill = laid.step.spec.input_shape, np.dtype(laid.traits.accumulator), laid.fill

    def flat(x: Any) -> Host:
        data = np.zeros(shape, dtype) if fill == 0 else np.full(shape, fill, dtype)
        moved = x.reshape(move.split).transpose(move.order) if moves else x
        data[place] = moved.reshape(move.joined)[held]
        return data.reshape(-1)

    return Samples(flat, adjacent(shape), 0)


def _ravelled(x: Any) -> Host:
    return x.reshape(-1)


def _cut(runs: tuple[Run, ...]) -> tuple[slice, slice] | None:
    """Return which samples of an axis are read, and where they stand among constants; None without such a place."""
    copied = [number for number, run in enumerate(runs) if run.start != FILL]
    if len(copied) != 1 or runs[copied[0]].step != 1:
        return None
    run, before = runs[copied[0]], sum(run.length for run in runs[: copied[0]])
    return slice(run.start, run.start + run.length), slice(before, before + run.length)


def factors(laid: Laid) -> Callable[[Any], Host]:
    """Return what brings the caller's kernel into order: (groups, filters, channels, *k) as flat memory."""
    move, spec = laid.problem.layout.kernel, laid.problem.spec
    moves = move.moves
    turned = (..., *(slice(None, None, -1) for _ in spec.axes)) if spec.flip and spec.axes else None
    conj = spec.conj and laid.traits.accumulator.startswith("complex")

    def flat(kernel: Any) -> Host:
        kernel = kernel.reshape(move.split).transpose(move.order) if moves else kernel.reshape(move.joined)
        if turned is not None:
            kernel = kernel[turned]
        kernel = np.ascontiguousarray(kernel).reshape(-1)
        return kernel.conj() if conj else kernel

    return flat


def call(laid: Laid, samples: Samples, loop: Callable[[], Start], units: int, threads: int) -> Bypass:
    """Return the whole call of a loop whose tables are made."""
    dtype, answer = np.dtype(laid.traits.accumulator), laid.problem.shape
    weights, begin = factors(laid), cache(loop)  # not before it is needed: a loop may have to be compiled
    added = _of_filters(laid)

    def run(x: Any, kernel: Any, bias: Any = None) -> Any:
        if not (x.flags.c_contiguous and x.flags.aligned) or (bias is not None and added is None):
            return None
        y, data, values = np.empty(answer, dtype), samples.flat(x), weights(kernel)
        _threads.share(begin()(data, values, y.reshape(-1)), units, threads)
        if bias is not None:
            y += bias.reshape(added)
        return y

    return on_memory(run) if laid.traits.home else run


def _of_filters(laid: Laid) -> Shape | None:
    """Return the shape in which one number per filter is added to the answer; None unless it is (batch, filters, *)."""
    spec, shape = laid.problem.spec, laid.problem.shape
    filters = spec.groups * spec.filters
    if shape[-len(spec.axes) - 1 :] != (filters, *spec.output_size) or laid.problem.layout.y.moves:
        return None
    return (filters, *(1 for _ in spec.axes))
