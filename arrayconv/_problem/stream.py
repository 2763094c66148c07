"""An axis that arrives in chunks, in integers: which outputs are complete, what they read, which samples to keep.

Output p reads the samples from stride * p - before to stride * p - before + reach - 1. It is complete once they have
arrived, and the first samples too where the boundary copies those beyond the start. Outputs beyond the last complete
one need the size of the axis, which the end of the stream determines.
"""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._problem.axes import Mode, mode_axis
from arrayconv._problem.spec import Axis

_ENDS = {"constant": (0, 0), "edge": (0, 1), "symmetric": (1, 0), "reflect": (1, 1)}  # samples copied: per one, more


def _copied(boundary: str, samples: int) -> int:
    """Count the samples at an end that the boundary copies to `samples` positions beyond it."""
    per_sample, more = _ENDS[boundary]
    return per_sample * samples + more if samples else 0


class StreamAxis(NamedTuple):
    """An axis of unknown size, with the `before` of its mode, and what its ends need."""

    axis: Axis  # of size 0
    mode: Mode
    first_samples: int  # until they have arrived, what is before the start is unknown
    last_samples: int  # copied beyond the end

    def complete(self, samples: int) -> int:
        """Count the outputs that the first `samples` samples determine, however many follow."""
        if samples < self.first_samples:
            return 0
        return max((samples + self.axis.before - self.axis.reach) // self.axis.stride + 1, 0)

    def first_read(self, outputs: int, samples: int) -> int:
        """Return the first sample that is needed after `outputs` outputs, of `samples` that have arrived."""
        return max(min(self.axis.stride * outputs - self.axis.before, samples - self.last_samples), 0)

    def piece(self, first: int, stop: int, start: int, end: int) -> Axis:
        """Return outputs first <= p < stop as an axis of the samples start <= n < end."""
        before = self.axis.before + start - self.axis.stride * first
        return self.axis._replace(size=end - start, outputs=stop - first, before=before)


def stream_axis(function: str, axis: Axis, mode: Mode) -> StreamAxis:
    """Return the stream of an axis, of which the size does not matter."""
    example = mode_axis(function, axis._replace(size=axis.reach, stride=1), mode)
    after = max(example.span(0, example.outputs)[1] - example.size, 0)
    start, end = _copied(axis.boundary, example.before), _copied(axis.boundary, after)
    return StreamAxis(axis._replace(size=0, before=example.before), mode, start, end)


def total_outputs(function: str, stream: StreamAxis, samples: int) -> int:
    """Count the outputs of the whole axis; raises ValueError as a call on all of it does."""
    return mode_axis(function, stream.axis._replace(size=samples), stream.mode).outputs
