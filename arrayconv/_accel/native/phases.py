"""The axes of an image, and its kernel, by phases: the outputs of an upsampled axis that use the same taps."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel.native.in_place import Host
from arrayconv._problem.spec import Axis, Spec
from arrayconv._problem.split import Phase, phases


class AxisPhases(NamedTuple):
    """An axis as phases of one stride and dilation, and the samples that their windows span."""

    axis: Axis
    parts: tuple[Phase, ...]
    before: int  # samples from the earliest window of a phase's first output to the first of x
    extra: int  # positions of a row of a copy beyond its outputs, for every remainder modulo the stride
    max_outputs: int  # outputs of a phase

    @classmethod
    def of(cls, axis: Axis) -> AxisPhases:
        """Return the phases of an axis."""
        parts = phases(axis)
        before = max(part.axis.before for part in parts)
        step = parts[0].axis.stride
        reaches = [before - part.axis.before + part.axis.reach - 1 for part in parts if part.axis.taps]
        return cls(axis, parts, before, max([0, *reaches]) // step, max(part.axis.outputs for part in parts))

    @property
    def step(self) -> int:
        """Return the stride of every phase."""
        return self.parts[0].axis.stride

    @property
    def positions(self) -> int:
        """Return the positions of a row of a copy."""
        return self.max_outputs + self.extra

    @property
    def read_before(self) -> int:
        """Return how many positions before the first sample are read."""
        return max(self.before, 0)

    @property
    def read_after(self) -> int:
        """Return how many positions after the last sample are read."""
        return max(self.step * self.positions - self.before - self.axis.size, 0)

    @property
    def taps(self) -> int:
        """Return the taps of the longest phase."""
        return max(1, *(part.axis.taps for part in self.parts))

    def places(self, part: Phase) -> list[tuple[int, int]]:
        """Return, for each tap of a phase, its sample in a copy: the position, and the remainder modulo the stride."""
        first = self.before - part.axis.before
        return [divmod(first + part.axis.dilation * tap, self.step) for tap in range(part.axis.taps)]


def along_axes(spec: Spec) -> list[AxisPhases]:
    """Return the phases of each axis; a single axis becomes the last of two."""
    axes = (Axis(1, 1, 1), *spec.axes) if len(spec.axes) == 1 else spec.axes
    return [AxisPhases.of(axis) for axis in axes]


Taps = tuple[int, int, int]  # of a phase: the first, the step between them, their number


def taps_of(spec: Spec) -> tuple[tuple[Taps, ...], ...]:
    """Return the taps of each phase, for each axis."""
    return tuple([tuple([(part.first_tap, part.tap_step, part.axis.taps) for part in phases(a)]) for a in spec.axes])


def ordered(kernel: Any, taps: tuple[tuple[Taps, ...], ...]) -> Host:
    """Return the factors of a kernel (groups, filters, channels, *k), phase by phase."""
    parts = by_phases(np.asarray(kernel), taps)
    return np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.concatenate(parts)


def by_phases(kernel: Any, taps: tuple[tuple[Taps, ...], ...]) -> list[Any]:
    """Return the factors of each phase, of a kernel of any library whose arrays have NumPy's `reshape`."""
    return [kernel[(..., *map(_cut, phase))].reshape(-1) for phase in product(*taps)]


def _cut(taps: Taps) -> slice:
    first, step, count = taps
    return slice(first, first + step * count, step)
