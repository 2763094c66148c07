"""Axes of which few samples are read, or none near the data: shifted and gathered, so no size grows with distance.

Lags far outside the data, or taps a million samples apart, read few positions of a very long extended axis. An output
does not change if the axis is shifted by whole periods of its boundary, or if only the samples that some tap multiplies
are gathered:

    by tap      the samples of all outputs under a tap, one tap after the other     taps * (stride * (outputs - 1) + 1)
    by output   the window of an output, one output after the other                 outputs * reach
    by both     the samples of all outputs under a tap, and none between            taps * outputs

All of this is for axes that are not upsampled.
"""

from __future__ import annotations

from arrayconv._problem.boundary import Source, merge_runs, period_shift, runs
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import planning

_SPARSE = 8  # an axis is gathered if it spans so many times the data, and so many times the samples that are read
_MAX_UNGATHERED = 1 << 12  # a span of up to so many positions is never gathered


def shift_to_data(axis: Axis) -> Axis:
    """Return the axis of the same outputs, read next to the data: `before` is moved without changing any sample."""
    lo, hi = axis.span(0, axis.outputs)
    if not axis.size or not axis.outputs or not axis.taps:
        return axis
    shift = period_shift(axis.size, lo, hi, axis.boundary)
    return axis._replace(before=axis.before + shift) if shift else axis


def simplify(axis: Axis) -> Axis:
    """Return the axis of the same outputs without unused stride or dilation, read next to the data."""
    if axis.outputs == 1 and axis.stride > 1:
        axis = axis._replace(stride=1)
    if axis.taps == 1 and axis.dilation > 1:
        axis = axis._replace(dilation=1)
    return shift_to_data(axis)


def needs_gather(axis: Axis) -> bool:
    """Whether an axis should be gathered: most of what it spans is neither data nor under a tap."""
    if not axis.outputs or not axis.taps:
        return False
    lo, hi = axis.span(0, axis.outputs)
    return hi - lo > max(_MAX_UNGATHERED, _SPARSE * axis.size, _SPARSE * axis.outputs * axis.taps)


def gathered_axis(axis: Axis, outputs: int) -> Axis:
    """Return the axis of `outputs` outputs on gathered samples, with every window inside them."""
    return _gathered_layout(axis, outputs)[0]


@planning(128)
def gather(axis: Axis, first: int, stop: int) -> tuple[Axis, Source]:
    """Return the axis of outputs [first, stop) on gathered samples, and the runs that make up those samples."""
    inner, by_tap, by_output = _gathered_layout(axis, stop - first)
    starts = [axis.dilation * tap - axis.before for tap in range(axis.taps if by_tap else 1)]
    outputs = range(first, stop) if by_output else (first,)
    length = inner.size // (len(starts) * len(outputs))
    samples = [
        run
        for start in starts
        for output in outputs
        for run in runs(axis.size, start + axis.stride * output, start + axis.stride * output + length, axis.boundary)
    ]
    return inner, merge_runs(samples)


def _gathered_layout(axis: Axis, outputs: int) -> tuple[Axis, bool, bool]:
    """Return the axis on gathered samples, and whether those are gathered by tap and by output."""
    axis = axis._replace(outputs=outputs, before=0, boundary="constant")
    samples_per_tap, window = axis.stride * (outputs - 1) + 1, axis.reach
    products = axis.taps * outputs
    if axis.taps * samples_per_tap <= 2 * products:
        return axis._replace(size=axis.taps * samples_per_tap, dilation=samples_per_tap), True, False
    if outputs * window <= 2 * products:
        return axis._replace(size=outputs * window, stride=window), False, True
    return axis._replace(size=products, stride=1, dilation=outputs), True, True
