"""Calls of known layout on loops that address memory by element: where canonical axes step in the caller's arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel import _threads
from arrayconv._accel._base import Bypass, Laid
from arrayconv._accel._borrowed import on_memory, on_places
from arrayconv._accel._flat import Entire, Host, Start, address, adjacent, place_of
from arrayconv._boundary import FILL, Source
from arrayconv._float_errors import float_errors_ignored
from arrayconv._layout import Move, Shape
from arrayconv._ops.windows import LEADING


class Samples(NamedTuple):
    """Where a step reads its samples: flat memory, and what the canonical axes (batch, groups, channels, *n) step."""

    flat: Callable[[Any], Host]  # of a contiguous x
    steps: tuple[int, ...]
    start: int
    frame: Frame | None  # what `flat` does, for machine code; None where that can't


class Frame(NamedTuple):
    """Samples of a contiguous x that are copied among zeros."""

    start: int  # the first of them
    axes: tuple[tuple[int, int, int, int], ...]  # size, where the samples begin, how many, one step in x; none: no copy


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
    """Return where the step's samples stand: in x itself, or copied among constants where it may be `extended`."""
    move, sources = laid.problem.layout.x, laid.step.source
    if laid.step.spec.kernel_shape != laid.problem.spec.kernel_shape:  # one phase of an upsampled axis
        return None
    own = steps(move)
    if own is not None and all(len(runs) == 1 and runs[0].start != FILL and runs[0].step == 1 for runs in sources):
        start = sum(runs[0].start * step for runs, step in zip(sources, own[LEADING:], strict=True))
        return Samples(_ravelled, own, start, Frame(0, ()))
    cuts = [cut(runs) for runs in sources]
    if not extended or not cuts or None in cuts:
        return None
    held, place = ((..., *part) for part in zip(*filter(None, cuts), strict=True))
    moves = move.moves
    shape, dtype, fill = laid.step.spec.input_shape, np.dtype(laid.traits.accumulator), laid.fill

    def flat(x: Any) -> Host:
        data = np.zeros(shape, dtype) if fill == 0 else np.full(shape, fill, dtype)
        moved = x.reshape(move.split).transpose(move.order) if moves else x
        data[place] = moved.reshape(move.joined)[held]
        return data.reshape(-1)

    return Samples(flat, adjacent(shape), 0, _frame(shape, held[1:], place[1:], own) if fill == 0 else None)


def _frame(
    shape: Shape, held: tuple[slice, ...], place: tuple[slice, ...], own: tuple[int, ...] | None
) -> Frame | None:
    """Return the copy of the `held` samples to their `place`; None where they are not adjacent along the last axis."""
    if own is None or own[-1] > 1:
        return None
    whole = tuple(slice(0, n) for n in shape[:LEADING])
    start = sum(part.start * step for part, step in zip((*whole, *held), own, strict=True))
    parts = zip(shape, (*whole, *place), own, strict=True)
    return Frame(start, tuple((n, part.start, part.stop - part.start, step) for n, part, step in parts))


def _ravelled(x: Any) -> Host:
    return x.reshape(-1)


def cut(runs: Source) -> tuple[slice, slice] | None:
    """Return which samples of an axis are read, and where they stand among constants; None without such a place."""
    copied = [number for number, run in enumerate(runs) if run.start != FILL]
    if len(copied) != 1 or runs[copied[0]].step != 1:
        return None
    run, before = runs[copied[0]], sum(run.length for run in runs[: copied[0]])
    return slice(run.start, run.start + run.length), slice(before, before + run.length)


def factors(laid: Laid) -> Callable[[Any], Host]:
    """Return what brings the caller's kernel into order: (groups, filters, channels, *k) as flat memory."""
    spec = laid.problem.spec
    conj = spec.conj and laid.traits.accumulator.startswith("complex")
    return ordered(laid.problem.layout.kernel, len(spec.axes) if spec.flip else 0, conj)


def ordered(move: Move, flipped: int, conj: bool = False) -> Callable[[Any], Host]:
    """Return what moves a kernel and makes flat memory of it, its last axes flipped."""
    moves, turned = move.moves, (..., *(slice(None, None, -1),) * flipped) if flipped else None

    def flat(kernel: Any) -> Host:
        kernel = kernel.reshape(move.split).transpose(move.order) if moves else kernel.reshape(move.joined)
        if turned is not None:
            kernel = kernel[turned]
        kernel = np.ascontiguousarray(kernel).reshape(-1)
        return kernel.conj() if conj else kernel

    return flat


def reverses(laid: Laid) -> int | None:
    """Return of how many factors each run is met in reverse, 0 for none; None where they are not as in the kernel."""
    spec = laid.problem.spec
    if laid.problem.layout.kernel.moves or (spec.conj and laid.traits.accumulator.startswith("complex")):
        return None
    return spec.taps if spec.flip else 0


def call(
    laid: Laid,
    samples: Samples,
    loop: Callable[[], Start],
    units: int,
    threads: int,
    entire: Callable[[], Entire] | None = None,
    weights: Callable[[Any], Host] | None = None,
) -> Bypass:
    """Return the whole call of a loop whose tables are made.

    `entire` is one of contiguous memory, on one thread; `weights` brings kernels into the loop's order, as `factors`
    does.
    """
    dtype, answer = np.dtype(laid.traits.accumulator), laid.problem.shape
    weights, begin = weights or factors(laid), cache(loop)  # not before it is needed: a loop may have to be compiled
    added = _of_filters(laid)

    def run(x: Any, kernel: Any, bias: Any = None) -> Any:
        if not (x.flags.c_contiguous and x.flags.aligned) or (bias is not None and added is None):
            return None
        y, data, values = np.empty(answer, dtype), samples.flat(x), weights(kernel)
        _threads.share(begin()(data, values, y.reshape(-1)), units, threads)
        return y if bias is None else _biased(y, bias.reshape(added))

    home = laid.traits.home
    general = on_memory(run) if home else run
    if entire is None or threads > 1:
        return general
    compute = cache(entire)

    def short(x: Any, kernel: Any, bias: Any = None) -> Any:
        x_at, kernel_at = place_of(x), place_of(kernel)
        if x_at is None or kernel_at is None or bias is not None:
            return general(x, kernel) if bias is None else general(x, kernel, bias)
        y = np.empty(answer, dtype)
        compute()(x_at, kernel_at, address(y))
        return y

    return on_places(compute, general, answer, dtype) if home else short


@float_errors_ignored
def _biased(y: Host, bias: Host) -> Host:
    y += bias
    return y


def _of_filters(laid: Laid) -> Shape | None:
    """Return the shape in which one number per filter is added to the answer; None unless it is (batch, filters, *)."""
    spec, shape = laid.problem.spec, laid.problem.shape
    filters = spec.groups * spec.filters
    if shape[-len(spec.axes) - 1 :] != (filters, *spec.output_size) or laid.problem.layout.y.moves:
        return None
    return (filters, *(1 for _ in spec.axes))
