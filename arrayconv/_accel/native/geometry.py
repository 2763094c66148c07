"""The parts that the tables of tiles and of images share: steps, axes, and the samples beyond the ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from arrayconv._accel.native import tables
from arrayconv._accel.native.in_place import Host, Steps
from arrayconv._ops.windows import LEADING
from arrayconv._problem.boundary import Cycle, Run, runs
from arrayconv._problem.spec import Axis, Spec


def head(spec: Spec, steps: tuple[Steps, Steps], starts: tuple[int, int], **others: int) -> tables.PlanesHead:
    """Return the head of a table for x and y of these steps and starts; `others` are its other fields."""
    (x_batch, x_group, x_channel), (y_batch, y_group, y_filter) = (each[:LEADING] for each in steps)
    return tables.PlanesHead(
        batch=spec.batch,
        groups=spec.groups,
        channels=spec.channels,
        filters=spec.filters,
        x_batch=x_batch,
        x_group=x_group,
        x_channel=x_channel,
        y_batch=y_batch,
        y_group=y_group,
        y_filter=y_filter,
        x_start=starts[0],
        y_start=starts[1],
        **others,
    )


def axes(
    axes: Sequence[Axis], margins: Sequence[tuple[int, int]], steps: tuple[Steps, Steps]
) -> tuple[list[tables.Axis], Host]:
    """Return the axes, of which `margins` positions before and after x are read, and the samples at these positions."""
    borders = [_border(axis, *margin) for axis, margin in zip(axes, margins, strict=True)]
    firsts = [0, *accumulate(border.size for border in borders)][:-1]
    entries = [
        tables.Axis(
            size=axis.size,
            border=first,
            border_before=before,
            before=axis.before,
            outputs=axis.outputs,
            taps=axis.taps,
            stride=axis.stride,
            dilation=axis.dilation,
            x_step=x_step,
            y_step=y_step,
            period=1,
        )
        for axis, first, (before, _), x_step, y_step in zip(axes, firsts, margins, *steps, strict=True)
    ]
    return entries, np.concatenate(borders)


def outside(axis: Axis) -> tuple[int, int]:
    """Return how many positions before the first sample, and after the last, are read."""
    lo, hi = axis.span(0, axis.outputs)
    return max(-lo, 0), max(hi - axis.size, 0)


def _border(axis: Axis, before: int, after: int) -> Host:
    """Return the samples at positions beyond the ends: backwards from the first sample, then on from the last.

    -1 stands for the fill.
    """
    return np.concatenate([_samples(axis, -before, 0)[::-1], _samples(axis, axis.size, axis.size + after)])


def _samples(axis: Axis, first: int, stop: int) -> Host:
    return np.concatenate([np.empty(0, np.int64), *map(_run_samples, runs(axis.size, first, stop, axis.boundary))])


def _run_samples(run: Run | Cycle) -> Host:
    if isinstance(run, Cycle):
        return np.tile(np.concatenate([*map(_run_samples, run.runs)]), run.periods)
    return np.full(run.length, run.start) if run.step == 0 else run.start + run.step * np.arange(run.length)
