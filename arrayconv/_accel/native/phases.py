"""The axes of an image, and its kernel, by phases: those outputs of an upsampled axis that meet the same taps."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel.native.in_place import Host
from arrayconv._problem.spec import Axis, Spec
from arrayconv._problem.split import Phase, phases


class AxisPhases(NamedTuple):
    """An axis as phases that have their steps in common, and the samples that those meet."""

    axis: Axis
    parts: tuple[Phase, ...]
    before: int  # of the first sample, those that the first output of some phase may meet
    extra: int  # positions that a row holds beyond its outputs, of every rest by the stride
    max_outputs: int  # outputs of a phase

    @classmethod
    def of(cls, axis: Axis) -> AxisPhases:
        """Return the phases of an axis, and what their rows share."""
        parts = phases(axis)
        before = max(part.axis.before for part in parts)
        step = parts[0].axis.stride
        reaches = [before - part.axis.before + part.axis.reach - 1 for part in parts if part.axis.taps]
        return cls(axis, parts, before, max([0, *reaches]) // step, max(part.axis.outputs for part in parts))

    @property
    def step(self) -> int:
        """Return the stride that all phases have."""
        return self.parts[0].axis.stride

    @property
    def positions(self) -> int:
        """Return the positions of a row of a copy."""
        return self.max_outputs + self.extra

    @property
    def low(self) -> int:
        """Return how many positions before the first sample are read."""
        return max(self.before, 0)

    @property
    def high(self) -> int:
        """Return how many positions after the last sample are read."""
        return max(self.step * self.positions - self.before - self.axis.size, 0)

    @property
    def taps(self) -> int:
        """Return the taps of the longest phase."""
        return max(1, *(part.axis.taps for part in self.parts))

    def places(self, part: Phase) -> list[tuple[int, int]]:
        """Return where the taps of a phase meet a copy: the position, and the rest that its samples leave."""
        first = self.before - part.axis.before
        return [divmod(first + part.axis.dilation * tap, self.step) for tap in range(part.axis.taps)]


def along_axes(spec: Spec) -> list[AxisPhases]:
    """Return the phases of each axis, of two axes at least."""
    axes = (Axis(1, 1, 1), *spec.axes) if len(spec.axes) == 1 else spec.axes
    return [AxisPhases.of(axis) for axis in axes]


Taps = tuple[int, int, int]  # those of a phase: the first, the step between them, how many


def taps_of(spec: Spec) -> tuple[tuple[Taps, ...], ...]:
    """Return the taps of each phase, for each axis."""
    return tuple([tuple([(part.first_tap, part.tap_step, part.axis.taps) for part in phases(a)]) for a in spec.axes])


def ordered(kernel: Any, taps: tuple[tuple[Taps, ...], ...]) -> Host:
    """Return the factors of a kernel (groups, filters, channels, *k), those of one phase after those of another."""
    parts = by_phases(np.asarray(kernel), taps)
    return np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.concatenate(parts)


def by_phases(kernel: Any, taps: tuple[tuple[Taps, ...], ...]) -> list[Any]:
    """Return the factors of each phase, of a kernel of any library whose arrays have NumPy's `reshape`."""
    return [kernel[(..., *map(_cut, found))].reshape(-1) for found in product(*taps)]


def _cut(taps: Taps) -> slice:
    first, step, count = taps
    return slice(first, first + step * count, step)
