"""The two derivatives of the one operation, each the same operation with other integers; runs nothing.

For y = A(w) x the transpose with respect to x swaps stride and upsample, reverses the kernel and swaps its channel
axes; its result on the extended axis is folded back onto the samples (`_ops.pad.fold`). The derivative with
respect to w correlates X with the output's gradient, stride and dilation swapped, batch and channels swapped. Output
sizes are explicit, because no formula gives the remainder that a stride may leave. Both are plain transposes:
for the adjoint of complex data conjugate the kernel, respectively x.
"""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._problem.boundary import Source, reads_samples, runs
from arrayconv._problem.gather import gather, needs_gather
from arrayconv._problem.layout import Layout, Permutation, Shape
from arrayconv._problem.problem import Problem
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning


class InputGradient(NamedTuple):
    """How x's gradient is computed: an operation on y's gradient, then a fold per spatial axis."""

    spec: Spec  # takes (batch, groups, filters, *out), and the kernel with filters and channels swapped
    folds: tuple[Source, ...]  # the runs that extended each axis


@planning()
def input_gradient(spec: Spec) -> InputGradient:
    """Return the transpose of the operation with respect to x."""
    parts = [_transposed(axis) for axis in spec.axes]
    transposed = spec._replace(
        channels=spec.filters,
        filters=spec.channels,
        axes=tuple(axis for axis, _ in parts),
        flip=not spec.flip,
    )
    return InputGradient(transposed, tuple(fold for _, fold in parts))


def _transposed(axis: Axis) -> tuple[Axis, Source]:
    if axis.upsample == 1 and reads_samples(axis.boundary) and needs_gather(axis):
        axis, source = gather(axis, 0, axis.outputs)
        return _transposed(axis)[0], source
    first, stop = _gradient_range(axis)
    transposed = Axis(
        size=axis.outputs,
        taps=axis.taps,
        outputs=stop - first,
        stride=axis.upsample,
        dilation=axis.dilation,
        upsample=axis.stride,
        before=axis.reach - 1 - axis.before - axis.upsample * first,
    )
    return transposed, runs(axis.size, first, stop, axis.boundary)


def _gradient_range(axis: Axis) -> tuple[int, int]:
    """Return the range of positions of the extended axis that get a gradient.

    For a constant boundary, or without outputs, that is the axis itself.
    """
    if not reads_samples(axis.boundary) or axis.outputs == 0:
        return 0, axis.size
    lo, hi = axis.span(0, axis.outputs)
    return -(-lo // axis.upsample), (hi - 1) // axis.upsample + 1


@planning()
def kernel_gradient(spec: Spec) -> Spec:
    """Return the operation that computes w's gradient: X (channels as batch) with y's gradient as the kernel.

    It takes x as (channels, groups, batch, *n) and the gradient as (groups, filters, batch, *out), and returns
    (channels, groups, filters, *k), with the taps reversed where the operation flips its kernel.
    """
    axes = tuple(
        axis._replace(taps=axis.outputs, outputs=axis.taps, stride=axis.dilation, dilation=axis.stride)
        for axis in spec.axes
    )
    return Spec(batch=spec.channels, groups=spec.groups, channels=spec.batch, filters=spec.filters, axes=axes)


@planning()
def swapped_kernel_gradient(spec: Spec) -> Spec | None:
    """Return the operation that computes w's gradient of upsampled x: y's gradient with x as the kernel; else None.

    No zero between samples is multiplied. It takes y's gradient as (filters, groups, batch, *out) and x as (groups,
    channels, batch, *n), and returns (filters, groups, channels, *k), with the taps reversed where the operation does
    not flip its kernel. Output p multiplies sample m by tap k where upsample * m = p + dilation * k - before; so the
    sum over m has a stride of dilation from tap to tap, and the zeros around y are those around x.
    """
    if all(axis.upsample == 1 for axis in spec.axes) or not all(map(_is_invertible, spec.axes)):
        return None
    axes = tuple(
        Axis(
            size=axis.outputs,
            taps=axis.size,
            outputs=axis.taps,
            stride=axis.dilation,
            dilation=axis.upsample,
            before=axis.reach - 1 - axis.before,
        )
        for axis in spec.axes
    )
    return Spec(batch=spec.filters, groups=spec.groups, channels=spec.batch, filters=spec.channels, axes=axes)


def _is_invertible(axis: Axis) -> bool:
    return axis.stride == 1 and not reads_samples(axis.boundary) and min(axis.size, axis.taps, axis.outputs) > 0


@planning()
def input_gradient_problem(problem: Problem, spec: Spec, shape: Shape) -> Problem | None:
    """Return x's gradient as a call with y's gradient and the kernel; None where it is folded, or axes are cut.

    Parameters
    ----------
    problem : Problem
        The call, without summed axes.
    spec : Spec
        Its operation, without conjugation.
    shape : tuple of int
        Of x.
    """
    gradient = input_gradient(spec)
    kernel = _then(problem.layout.kernel, (0, 2, 1))
    whole = [runs(axis.size, 0, axis.size, axis.boundary) for axis in spec.axes]
    if kernel is None or list(gradient.folds) != whole:
        return None
    dy, dx = _from_result(problem, spec), problem.layout.x.inverse._replace(joined=shape)
    return Problem(_layout(gradient.spec, dy, kernel, dx), gradient.spec, shape)


@planning()
def kernel_gradient_problem(problem: Problem, spec: Spec, shape: Shape) -> Problem | None:
    """Return the gradient of a kernel of this shape as a call with x and y's gradient; None where axes are cut.

    Its taps are reversed where the operation flips its kernel; where `swapped_kernel_gradient` is its operation, the
    call is with y's gradient and x, and they are reversed where it does not. Parameters as of `input_gradient_problem`.
    """
    swapped = swapped_kernel_gradient(spec)
    gradient = kernel_gradient(spec) if swapped is None else swapped
    data, factors = problem.layout.x, _from_result(problem, spec)
    if swapped is not None:
        data, factors = factors, data
    to_result = _then(problem.layout.kernel, (2, 0, 1) if swapped is None else (1, 0, 2))
    data, factors = _then(data, (2, 1, 0)), _then(factors, (1, 2, 0))
    if to_result is None or data is None or factors is None:
        return None
    return Problem(_layout(gradient, data, factors, to_result.inverse._replace(joined=shape)), gradient, shape)


def _from_result(problem: Problem, spec: Spec) -> Permutation:
    return problem.layout.y.inverse._replace(joined=spec.output_shape)


def _then(move: Permutation, leading: tuple[int, int, int]) -> Permutation | None:
    return move.then((*leading, *range(3, len(move.joined))))


def _layout(spec: Spec, x: Permutation, kernel: Permutation, y: Permutation) -> Layout:
    return Layout(x, kernel, y, spec.batch, spec.groups, spec.channels, spec.filters)


@planning()
def border_runs(spec: Spec) -> tuple[Source, ...]:
    """Return per axis the runs of x and of the constants that outputs read beyond its ends, () if they read none."""
    return tuple(
        runs(axis.size, *_full_range(axis), axis.boundary) if _reads_constants(axis) else () for axis in spec.axes
    )


@planning()
def on_extended(spec: Spec) -> Spec:
    """Return the operation on x extended by `border_runs`, which reads no constants."""
    return spec._replace(axes=tuple(_extended_axis(axis) if _reads_constants(axis) else axis for axis in spec.axes))


def _reads_constants(axis: Axis) -> bool:
    return not reads_samples(axis.boundary) and axis.outputs > 0 and _full_range(axis) != (0, axis.size)


def _full_range(axis: Axis) -> tuple[int, int]:
    """Return the range of positions of the extended axis that are data or read."""
    lo, hi = axis.span(0, axis.outputs)
    return min(0, -(-lo // axis.upsample)), max(axis.size, (hi - 1) // axis.upsample + 1)


def _extended_axis(axis: Axis) -> Axis:
    first, stop = _full_range(axis)
    return axis._replace(size=stop - first, before=axis.before + axis.upsample * first)
