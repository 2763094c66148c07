"""What runs a stream from its first chunk on: the samples it keeps, its pieces, and delay lines for long kernels."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from arrayconv import _accel, _autodiff, _fft
from arrayconv._algorithms import Context
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.libraries import library_row
from arrayconv._arrays.namespace import compat_namespace
from arrayconv._calls import prepare
from arrayconv._ops import spectral
from arrayconv._ops.pad import along
from arrayconv._problem.problem import Problem
from arrayconv._run.canonical import caller_result, permuted
from arrayconv._run.operands import orientation
from arrayconv._stream.choice import Choice, choose
from arrayconv._stream.delay_line import DelayLines, is_moderate
from arrayconv._stream.pieces import Pieces
from arrayconv._stream.samples import Samples
from arrayconv._stream.source import PUSH, Source, Stage, admit, stage

_MAX_LAYOUTS = 64


class Engine:
    """The state of a stream, and the functions that continue it."""

    def __init__(self, stage: Stage, *, needs_autodiff: bool = False, choice: Choice | None = None) -> None:
        self.stage, self.needs_autodiff = stage, needs_autodiff
        self.row = library_row(stage.operands.traits.backend)
        lines = None
        if choice is None:
            choice = choose(stage, may_partition=not needs_autodiff)
            lines = _lines(stage, choice)
            if choice.partitions and lines is None:
                choice = choose(stage, may_partition=False)
        else:
            lines = _lines(stage, choice)
        self.choice, self._lines = choice, lines
        self._cleared: Any = None if lines is None else lines.state()
        self._layouts: dict[tuple[int, int], Problem] = {}
        self._pieces = Pieces(stage, choice.options)
        self.clear()

    def clear(self) -> None:
        """Drop all samples."""
        operands = self.stage.operands
        self.samples = self.outputs = 0
        self._history = Samples(self.stage.label, operands.traits.backend, operands.xp)
        self._history.append(operands.x, 0)
        if self._lines is not None:
            self._lines.restore(self._cleared)

    def continues(self, stage: Stage, needs_autodiff: bool) -> bool:
        """Whether streams that begin like `stage` run as this one does."""
        own = self.stage
        same = (stage.shape, stage.dtype, stage.operands.traits) == (own.shape, own.dtype, own.operands.traits)
        return same and needs_autodiff == self.needs_autodiff and stage.operands.device == own.operands.device

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a chunk has the first one's shape along the other axes."""
        label, own = self.stage.label, self.stage.shape
        return len(shape) == len(own) and shape[:label] == own[:label] and shape[label + 1 :] == own[label + 1 :]

    def push(self, chunk: Any) -> Any:
        """Return the outputs that a chunk completes."""
        size = chunk.shape[self.stage.label]
        if not size:
            return self.stage.empty()
        if self.choice.block == 1:
            return self._push_directly(chunk, size)
        return self._push_blocks(chunk, size)

    def flush(self, total: int) -> Any:
        """Return the outputs up to `total`, which read beyond the last sample."""
        if total <= self.outputs:
            return self.stage.empty()
        history = self._history
        begin = max(self.stage.stream.first_read(self.outputs, self.samples), history.start)
        samples = history.joined()[along(self.stage.label, slice(begin - history.start, None))]
        y = self._pieces(samples, begin, self.samples, self.outputs, total)
        self.outputs = total
        return y

    def _push_directly(self, chunk: Any, size: int) -> Any:
        stream, history, end = self.stage.stream, self._history, self.samples + size
        stop = stream.complete(end)
        if stop <= self.outputs:
            history.append(chunk, size)
            self.samples = end
            return self.stage.empty()
        samples = history.joined(chunk)
        y = self._pieces(samples, history.start, end, self.outputs, stop)
        history.replace(samples, history.start, max(stream.first_read(stop, end), history.start), end)
        self.samples, self.outputs = end, stop
        return y

    @float_errors_ignored
    def _push_blocks(self, chunk: Any, size: int) -> Any:
        lines = self._lines
        if lines is None:
            return self._push_through(None, chunk, size)
        canonical, checkpoint = self._canonical(chunk, size), lines.checkpoint(size)
        try:
            return self._push_through(canonical, chunk, size)
        except BaseException:
            lines.roll_back(checkpoint)
            raise

    def _push_through(self, canonical: np.ndarray | None, chunk: Any, size: int) -> Any:
        """Return the outputs of all blocks that a chunk completes; until then only the delay lines change."""
        stream, block, end = self.stage.stream, self.choice.block, self.samples + size
        needs_autodiff = _autodiff.needs_autodiff(self.stage.operands.traits.library, chunk)
        samples, parts, outputs = None, [], self.outputs
        for at in range(self.samples - self.samples % block, end, block):
            line, stop = self._push_line(canonical, at, end), at + block
            complete = stream.complete(stop) if stop <= end else 0
            if complete <= outputs:
                continue
            if line is not None and not needs_autodiff and self._is_valid(outputs):
                parts.append(self._of_lines(line, at, outputs, complete))
            else:
                samples = self._history.joined(chunk) if samples is None else samples
                parts.append(self._of_piece(samples, stop, outputs, complete))
            outputs = complete
        y = self._joined(parts)
        self._keep(chunk, size, samples, end, outputs)
        return y

    def _push_line(self, canonical: np.ndarray | None, at: int, end: int) -> np.ndarray | None:
        """Push a chunk's samples of the block that begins at sample `at` to the delay lines."""
        if canonical is None or self._lines is None:
            return None
        begin, stop = self.samples, min(at + self.choice.block, end)
        return self._lines.push(canonical[..., max(at, begin) - begin : stop - begin])

    def _joined(self, parts: list[Any]) -> Any:
        if not parts:
            return self.stage.empty()
        return parts[0] if len(parts) == 1 else self.stage.operands.xp.concat(parts, axis=self.stage.label)

    def _keep(self, chunk: Any, size: int, samples: Any, end: int, outputs: int) -> None:
        """Keep what later outputs read."""
        history = self._history
        first = max(self.stage.stream.first_read(outputs, end), history.start)
        if samples is not None:
            history.replace(samples, history.start, first, end)
        else:
            history.append(chunk, size)
            history.drop(first)
        self.samples, self.outputs = end, outputs

    def _of_piece(self, samples: Any, end: int, first: int, stop: int) -> Any:
        """Return outputs from exactly the samples that every chunking has when a block ends at `end`."""
        stream, start = self.stage.stream, self._history.start
        begin = max(stream.axis.stride * first - stream.axis.before, 0)
        samples = samples[along(self.stage.label, slice(begin - start, end - start))]
        return self._pieces(samples, begin, end, first, stop)

    def _is_valid(self, first: int) -> bool:
        """Whether the delay lines have the right outputs from output `first` on."""
        axis = self.stage.stream.axis
        return self._lines is not None and axis.stride * first - axis.before + axis.reach - 1 >= self._lines.unsafe

    def _of_lines(self, line: np.ndarray, at: int, first: int, stop: int) -> Any:
        """Return outputs on the caller's axes, from those of the delay lines for samples from `at` on."""
        axis, traits = self.stage.stream.axis, self.stage.operands.traits
        begin = axis.stride * first - axis.before + axis.reach - 1 - at
        y = line[..., begin : begin + axis.stride * (stop - first - 1) + 1 : axis.stride]
        dtype: Any = np.dtype(traits.output) if traits.library == "numpy" else None
        y: Any = np.ascontiguousarray(y, dtype=dtype)
        problem, xp = self._layout(0, stop - first), self.stage.operands.xp
        if traits.library == "torch":
            y = xp.astype(_accel.tensor(y), getattr(xp, traits.output), copy=False)
        return caller_result(y, problem, xp)

    def _canonical(self, chunk: Any, size: int) -> np.ndarray:
        """Return a chunk (batch, groups, channels, samples) in the accumulator's dtype, as a NumPy array."""
        operands = self.stage.operands
        layout = self._layout(size, 0).layout
        if operands.traits.library == "torch":
            chunk = operands.xp.astype(chunk.detach(), getattr(operands.xp, operands.traits.accumulator), copy=False)
            return _accel.memory(permuted(chunk, layout.x, operands.xp))
        chunk = permuted(chunk, layout.x, operands.xp)
        return chunk.astype(operands.traits.accumulator, copy=False)

    def _layout(self, size: int, outputs: int) -> Problem:
        """Return how so many samples, or outputs, are permuted to canonical axes and back."""
        problem = self._layouts.get((size, outputs))
        if problem is None:
            axis = self.stage.stream.axis._replace(size=size, outputs=outputs, before=0)
            problem = self._layouts[size, outputs] = self.stage.problem(axis)
            while len(self._layouts) > _MAX_LAYOUTS:
                del self._layouts[next(iter(self._layouts))]
        return problem

    def copy(self) -> Engine:
        """Return another engine in the same state."""
        other = copy(self)
        other._history = self._history.copy()
        other._lines = None if self._lines is None else self._lines.copy()
        return other

    def state(self) -> tuple[Any, ...]:
        """Return what a pickle contains: no bound call, no spectrum of the kernel."""
        lines = None if self._lines is None else self._lines.state()
        example = self.stage.operands.x
        return (
            example,
            self.needs_autodiff,
            self.choice,
            self._history.joined(),
            self._history.start,
            self.samples,
            self.outputs,
            lines,
        )

    @staticmethod
    def restored(source: Source, state: tuple[Any, ...]) -> Engine:
        """Return an engine that continues from a `state`."""
        example, needs_autodiff, choice, history, start, samples, outputs, lines = state
        engine = Engine(stage(source, *admit(source, example)), needs_autodiff=needs_autodiff, choice=choice)
        engine.samples, engine.outputs = samples, outputs
        engine._history.replace(history, start, start, samples)
        if engine._lines is not None:
            engine._lines.restore(lines)
        return engine

    @property
    def nbytes(self) -> int:
        """Bytes of all that is history."""
        return self._history.nbytes + (0 if self._lines is None else self._lines.nbytes)


@float_errors_ignored
def _lines(stage: Stage, choice: Choice) -> DelayLines | None:
    """Return the delay lines of a partitioned kernel; None without partitions, or for huge or non-finite taps."""
    if not choice.partitions:
        return None
    axis, source = stage.stream.axis, stage.source
    problem = stage.problem(stage.stream.piece(0, 1, 0, axis.reach))
    traits = prepare.plan(PUSH, problem, stage.operands.traits, source.options._replace(method="auto")).traits
    xp, traits = compat_namespace("numpy"), _accel.method_traits("fft", traits)
    context = Context(xp, "cpu", traits, _fft.namespace(traits.transforms, xp, 1))
    kernel = permuted(stage.operands.kernel, problem.layout.kernel, stage.operands.xp)
    kernel = kernel if traits.library == "numpy" else _accel.memory(kernel)
    taps = spectral.spread_taps(orientation(problem.spec, context, casts=True)(kernel), problem.spec, context)
    if not is_moderate(taps):
        return None
    lines = DelayLines(choice.partitions, taps, problem.spec.batch, context.fft)
    is_zero = axis.boundary == "constant" and source.options.fill_value == 0
    lines.unsafe = 0 if is_zero or not axis.before else axis.reach - 1
    return lines
