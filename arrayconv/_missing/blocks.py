"""Both sums and their quotient block by block, on NumPy arrays: samples, mask and sums of a block stay in cache.

A block is a range of outputs along the first convolved axis. Its samples and its mask are extended by every boundary
into scratch, and convolved by a plan of their own; masks, extension and division are those of the whole array. Large
kernels, whose windows would be read again in each block, and small arrays are convolved whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from arrayconv import config
from arrayconv._accel.native import loader
from arrayconv._arrays.dtypes import itemsize
from arrayconv._arrays.operands import Operands, operands
from arrayconv._calls import dry_run, tape
from arrayconv._calls.binding import cached_call
from arrayconv._calls.prepare import Options
from arrayconv._costs import parallel
from arrayconv._missing import mask as masks
from arrayconv._missing import support
from arrayconv._missing.options import Problems, Request
from arrayconv._missing.support import Taps
from arrayconv._problem.boundary import FILL, Run, list_runs
from arrayconv._problem.problem import Problem, paired
from arrayconv._problem.spec import Axis
from arrayconv._runtime.threads import parallel_for
from arrayconv._runtime.tracing import planning

_SCRATCH_BYTES = 1 << 20  # of the samples and the mask of a block
_MIN_SIZE = 1 << 16  # samples below which masks and sums are in cache anyway
_MAX_REPEATED = 3  # a block reads at most a third of its rows again


class Blocks(NamedTuple):
    """How the outputs of a call are cut: `rows` outputs along the axis `cut`, and where each axis is read."""

    cut: int
    rows: int
    axes: tuple[Axis, ...]  # of x, one for each, those that are not convolved too
    labels: tuple[int, ...]  # of the kernel's axes
    convolved: tuple[int, ...]


@planning()
def blocks(x_shape: tuple[int, ...], kernel_ndim: int, planned: Problems, size: int) -> Blocks | None:
    """Return how a call is cut, None where it runs whole."""
    spec, space = planned.one.spec, planned.space
    others = [label for label in range(len(x_shape)) if label not in space]
    if not space or prod(x_shape) < _MIN_SIZE or any(planned.one.shape[label] != x_shape[label] for label in others):
        return None
    by_label = dict(zip(space, spec.axes, strict=True))
    axes = tuple(by_label.get(label, Axis(n, 1, n)) for label, n in enumerate(x_shape))
    cut = min(space)
    around = prod(
        hi - lo for label, axis in enumerate(axes) if label != cut for lo, hi in (axis.span(0, axis.outputs),)
    )
    read, along = _SCRATCH_BYTES // max(1, 2 * around * size), axes[cut]
    if read < _MAX_REPEATED * max(along.reach - along.stride, 1):
        return None
    rows = (read - along.reach) // along.stride + 1
    labels = tuple(range(len(x_shape))) if kernel_ndim == len(x_shape) else space
    return None if rows >= along.outputs else Blocks(cut, rows, axes, labels, space)


@planning()
def _problem(
    function: str, parts: Blocks, count: int, kernel_shape: tuple[int, ...], flip: bool, conj: bool
) -> Problem:
    """Return the convolution of so many rows of outputs: every window is inside the extended block."""
    outputs = [count if label == parts.cut else axis.outputs for label, axis in enumerate(parts.axes)]
    sizes = [axis.stride * (n - 1) + axis.reach for axis, n in zip(parts.axes, outputs, strict=True)]
    inside = {
        label + 1: parts.axes[label]._replace(size=sizes[label], outputs=outputs[label], before=0, boundary="constant")
        for label in parts.convolved
    }
    labels = [label + 1 for label in parts.labels]
    return paired(function, (2, *sizes), kernel_shape, labels, inside, flip=flip, conj=conj)


class Sums(NamedTuple):
    """The quotients of all blocks, their weights where requested, and whether every weight exceeds its error."""

    y: Any
    weight: Any
    certain: bool


def quotient(
    request: Request, call: Operands, where: Any, planned: Problems, taps: Taps | None, name: str
) -> Sums | None:
    """Return the quotients of a call, None where it must run whole."""
    if taps is None or call.traits.backend != "numpy" or tape.is_recording() or dry_run.is_active():
        return None
    parts = blocks(call.x.shape, call.kernel.ndim, planned, itemsize(name))
    if parts is None:
        return None
    work = _Work(request, call, where, planned, parts, taps, name)
    count = -(-parts.axes[parts.cut].outputs // parts.rows)
    threads = parallel.most_threads(config.current().threads, is_compiled=loader.built())
    parallel_for(work, count, threads)
    return Sums(work.y, work.weight, work.certain)


class _Work:
    """The blocks of a call, which several threads may run."""

    def __init__(
        self, request: Request, call: Operands, where: Any, planned: Problems, parts: Blocks, taps: Taps, name: str
    ) -> None:
        self.request, self.x, self.where, self.parts, self.name = request, call.x, where, parts, name
        self.dtype = np.dtype(name)
        self.kernel = np.asarray(call.kernel).astype(self.dtype, copy=False)
        self.fill = (request.choice.fill_value, 1) if planned.reads_fill else (0, 0)
        self.taps, self.spec, self.certain = taps, planned.one.spec, True
        shape = planned.one.shape
        self.y = np.empty(shape, self.dtype)
        self.weight = np.empty(shape, self.dtype) if request.return_weight or request.min_weight else None
        self.lock, self.calls = Lock(), {}

    def __call__(self, first: int, stop: int) -> None:
        """Compute the blocks [first, stop)."""
        rows, total = self.parts.rows, self.parts.axes[self.parts.cut].outputs
        memory: dict[int, tuple[Any, Any]] = {}
        for number in range(first, stop):
            begin, end = rows * number, min(rows * (number + 1), total)
            call, problem, error = self._call(end - begin)
            if end - begin not in memory:
                shape = (2, *(axis.size for axis in self._inside(problem)))
                memory[end - begin] = np.empty(shape, self.dtype), np.empty(problem.shape, self.dtype)
            both, sums = memory[end - begin]
            self._extend(both, begin, end)
            call(both, self.kernel, out=sums)
            self._divide(sums, begin, end, error)

    def _inside(self, problem: Problem) -> Sequence[Axis]:
        """Return the axes of the extended block."""
        along = dict(zip(self.parts.convolved, problem.spec.axes, strict=True))
        return [along.get(label, axis) for label, axis in enumerate(self.parts.axes)]

    def _call(self, count: int) -> tuple[Any, Problem, float]:
        """Return the bound call for so many rows of outputs, which uses no other thread, and its weights' error."""
        with self.lock:
            if count not in self.calls:
                function, spec = self.request.function, self.spec
                problem = _problem(function, self.parts, count, self.kernel.shape, spec.flip, spec.conj)
                shape = (2, *(axis.size for axis in self._inside(problem)))
                with config.using(threads=1):
                    admitted = operands(function, np.empty(shape, self.dtype), self.kernel)
                    choice: Options = self.request.choice._replace(fill_value=0)
                    call = cached_call(function, admitted, problem, choice)
                error = support.weight_error(spec, self.taps, call.plan().method, self.name)
                self.calls[count] = call, problem, error
            return self.calls[count]

    def _extend(self, both: Any, begin: int, end: int) -> None:
        """Write the samples that outputs [begin, end) read, and their mask."""
        each = []
        for label, axis in enumerate(self.parts.axes):
            lo, hi = axis.span(begin, end) if label == self.parts.cut else axis.span(0, axis.outputs)
            each.append(_pairs(list_runs(axis.size, lo, hi, axis.boundary)))
        for pairs in product(*each):
            place = tuple([target for target, _ in pairs])
            if any(source is None for _, source in pairs):
                both[(0, *place)], both[(1, *place)] = self.fill
                continue
            index = tuple([source for _, source in pairs])
            part, where = self.x[index], None if self.where is None else self.where[index]
            masks.write(part, where, self.request.policy == "omit", both[(0, *place)], both[(1, *place)])

    def _divide(self, sums: Any, begin: int, end: int, error: float) -> None:
        place = (slice(None),) * self.parts.cut + (slice(begin, end),)
        with np.errstate(all="ignore"):
            np.divide(sums[0], sums[1], out=self.y[place])
        if self.weight is not None:
            self.weight[place] = sums[1]
        if not (sums[1].min() > error or np.min(np.abs(sums[1])) > error):
            self.certain = False


def _pairs(pieces: Sequence[Run]) -> list[tuple[slice, Any]]:
    """Return where each run is written, and what it reads: a slice, of one sample to repeat it, None for the fill."""
    pairs, at = [], 0
    for run in pieces:
        stop = run.start + run.step * run.length
        if run.start == FILL:
            source = None
        elif run.step == 1:
            source = slice(run.start, stop)
        else:
            source = slice(run.start, None if stop < 0 else stop, -1) if run.step else slice(run.start, run.start + 1)
        pairs.append((slice(at, at + run.length), source))
        at += run.length
    return pairs
