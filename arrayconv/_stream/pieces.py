"""Pieces of a stream by ordinary plans: each is a bound call on the samples that its outputs read."""

from __future__ import annotations

from arrayconv._arrays.array import Array
from arrayconv._calls import prepare
from arrayconv._calls.binding import BoundCall, bind
from arrayconv._problem.spec import Axis
from arrayconv._run.steps import Constants
from arrayconv._stream.source import PUSH, Stage

_MAX_CALLS = 32


class Pieces:
    """Outputs of a stream by one method, from arrays of the samples that they read.

    Calls are cached by piece: chunks of one size have one in the long run, or as many as there are phases of a stride.
    """

    def __init__(self, stage: Stage, options: prepare.Options) -> None:
        self.stage, self.options = stage, options
        self._calls: dict[Axis, tuple[BoundCall, Constants | None]] = {}

    def __call__(self, samples: Array, start: int, end: int, first: int, stop: int) -> Array:
        """Return outputs first <= p < stop from the samples start <= n < end, where the axis ends if they read on."""
        axis = self.stage.stream.piece(first, stop, start, end)
        entry = self._calls.get(axis)
        if entry is None:
            entry = self._bind(axis, samples)
        call, constants = entry
        return call(samples, self.stage.operands.kernel, constants=constants)

    def _bind(self, axis: Axis, samples: Array) -> tuple[BoundCall, Constants | None]:
        operands = self.stage.operands._replace(x=samples)
        call = bind(PUSH, operands, self.stage.problem(axis), self.options)
        entry = call, None if self.stage.source.needs_autodiff else {}
        while len(self._calls) >= _MAX_CALLS:
            del self._calls[next(iter(self._calls))]
        self._calls[axis] = entry
        return entry
