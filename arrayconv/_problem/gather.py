"""Axes of which few samples are read, or none near the data: moved and gathered, so that no size grows with distances.

Lags far outside the data, or taps a million samples apart, read few positions of a very long extended axis. What is
read is the same where the axis is moved by whole periods of its boundary, and where only the samples that some tap
meets are brought together:

    by tap      the samples of all outputs under a tap, one tap after the other     taps * (stride * (outputs - 1) + 1)
    by output   the window of an output, one output after the other                 outputs * reach
    by both     the samples of all outputs under a tap, and none between            taps * outputs

All of it is for axes that are not upsampled.
"""

from __future__ import annotations

from arrayconv._problem.boundary import Source, merged, runs, shift
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import planning

_SPARSE = 8  # times as long as the data and as what is met: from there on an axis is gathered
_LONG = 1 << 12  # positions that are always read as they stand


def near(axis: Axis) -> Axis:
    """Return the same outputs read next to the data: with `before` moved by what changes no sample."""
    lo, hi = axis.span(0, axis.outputs)
    if not axis.size or not axis.outputs or not axis.taps:
        return axis
    move = shift(axis.size, lo, hi, axis.boundary)
    return axis._replace(before=axis.before + move) if move else axis


def compact(axis: Axis) -> Axis:
    """Return the same outputs with neither distances to the data nor steps that nobody takes."""
    if axis.outputs == 1 and axis.stride > 1:
        axis = axis._replace(stride=1)
    if axis.taps == 1 and axis.dilation > 1:
        axis = axis._replace(dilation=1)
    return near(axis)


def needs_gather(axis: Axis) -> bool:
    """Whether an axis had better be gathered: most of what it spans lies beyond the data, and under no tap."""
    if not axis.outputs or not axis.taps:
        return False
    lo, hi = axis.span(0, axis.outputs)
    return hi - lo > max(_LONG, _SPARSE * axis.size, _SPARSE * axis.outputs * axis.taps)


def gathered_axis(axis: Axis, outputs: int) -> Axis:
    """Return the axis of some outputs of a scattered one on samples of its own, all of them inside."""
    return _layout(axis, outputs)[0]


@planning(128)
def gathered(axis: Axis, first: int, stop: int) -> tuple[Axis, Source]:
    """Return the axis of outputs [first, stop) of a scattered one, and the runs that make its samples."""
    inner, by_tap, by_output = _layout(axis, stop - first)
    starts = [axis.dilation * tap - axis.before for tap in range(axis.taps if by_tap else 1)]
    places = range(first, stop) if by_output else (first,)
    length = inner.size // (len(starts) * len(places))
    samples = [
        run
        for start in starts
        for place in places
        for run in runs(axis.size, start + axis.stride * place, start + axis.stride * place + length, axis.boundary)
    ]
    return inner, merged(samples)


def _layout(axis: Axis, outputs: int) -> tuple[Axis, bool, bool]:
    """Return the axis on gathered samples, and whether those are brought together by tap and by output."""
    axis = axis._replace(outputs=outputs, before=0, boundary="constant")
    under, window = axis.stride * (outputs - 1) + 1, axis.reach
    least = axis.taps * outputs
    if axis.taps * under <= 2 * least:
        return axis._replace(size=axis.taps * under, dilation=under), True, False
    if outputs * window <= 2 * least:
        return axis._replace(size=outputs * window, stride=window), False, True
    return axis._replace(size=least, stride=1, dilation=outputs), True, True
