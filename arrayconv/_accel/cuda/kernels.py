"""What the CUDA methods share: which arrays they support, and a bound kernel.

A kernel reads x where it is, in any layout of memory, extends it inside, and writes every output once. So a step is one
launch, without a copy and without a wait.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from arrayconv._accel.cuda import arrays, job
from arrayconv._accel.cuda.addresses import Choose, at_addresses
from arrayconv._accel.cuda.sources import Grid
from arrayconv._algorithms import UNPREPARED, Algorithm, Bound, Context, Cuts
from arrayconv._arrays import dtypes
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.traits import Traits
from arrayconv._problem.spec import Axis, Spec

_MAX_INT = (1 << 31) - 1  # of positions along an axis
MAX_BLOCKS = 65535  # along the second and third axis of a grid


def refusal(spec: Spec, traits: Traits) -> str | None:
    """Return why no kernel supports a problem on these arrays, or None."""
    reason = arrays.refusal(traits)
    if reason is not None:
        return reason
    if traits.accumulator not in job.ACCUMULATORS:
        return f"it does not sum in {traits.accumulator}"
    if not 1 <= len(spec.axes) <= job.MAX_AXES:
        return f"it supports one to {job.MAX_AXES} convolved axes. Got {len(spec.axes)}"
    if any(map(_is_too_long, spec.axes)):
        return f"it counts positions along an axis up to {_MAX_INT}"
    return None


def _is_too_long(axis: Axis) -> bool:
    lo, hi = axis.span(0, axis.outputs)
    return max(-lo, hi, 2 * axis.size, axis.outputs * axis.stride) > _MAX_INT


def dense_refusal(spec: Spec, traits: Traits, dense_axes: int) -> str | None:
    """Return why no kernel of real sums without strides and dilations of the last axes supports a problem, or None."""
    reason = refusal(spec, traits)
    if reason is not None:
        return reason
    if traits.accumulator.startswith("complex"):
        return f"it sums real numbers. Got {traits.accumulator}"
    if any(axis.stride != 1 or axis.dilation != 1 for axis in spec.axes[-dense_axes:]):
        return f"it supports stride 1 and dilation 1 along the last {dense_axes} axes"
    return None


def planar_refusal(spec: Spec, traits: Traits, max_taps: dict[int, int]) -> str | None:
    """Return why no kernel for planes of two dense axes supports a problem, or None.

    `max_taps` are those of each of the two, by the bytes of a sum.
    """
    reason = dense_refusal(spec, traits, 2)
    if reason is not None:
        return reason
    most = max_taps[sum_bytes(traits)]
    if len(spec.axes) < 2:
        return f"it supports two convolved axes or more. Got {len(spec.axes)}"
    if max(spec.kernel_size[-2:]) > most:
        return f"it supports up to {most} taps along the last two axes in {traits.accumulator}. Got {spec.kernel_size}"
    return None


def planes(spec: Spec) -> int:
    """Count the planes of y: its images, and their outputs along all axes but the last two."""
    return spec.batch * spec.groups * spec.filters * prod(spec.output_size[:-2])


def sources(spec: Spec) -> int:
    """Count the planes of x that one plane of y sums over: the channels, and the taps of all axes but the last two."""
    return spec.channels * prod(spec.kernel_size[:-2])


def sum_bytes(traits: Traits) -> int:
    """Return the bytes of a sum: of small integers those of an int."""
    return max(4, traits.itemsize)


def nbytes(spec: Spec, traits: Traits) -> int:
    """Count the bytes that a kernel reads and writes at least."""
    return dtypes.itemsize(traits.output) * (prod(spec.input_shape) + spec.outputs)


def _no_workspace(spec: Spec, traits: Traits) -> int:
    """Return 0: a kernel allocates nothing."""
    return 0


def bound(spec: Spec, context: Context, grid: Grid, choose: Choose) -> Bound:
    """Return a kernel bound to a problem: choose is called with the dtypes of the arrays and the steps of x and y."""
    xp, traits = context.xp, context.traits
    shape, row = spec.output_shape, arrays.ARRAYS[traits.backend]

    def run(x: Any, kernel: Any, out: Any) -> Any:
        x, kernel = row.resolved(x), row.resolved(kernel)
        y = xp.empty(shape, dtype=getattr(xp, traits.output), device=context.device) if out is None else out
        types = job.Types(dtype_name(x.dtype), dtype_name(kernel.dtype), traits.accumulator, traits.output)
        steps = row.steps(x), row.steps(kernel), row.steps(y)
        packed = job.job(spec, traits.accumulator, context.fill, *steps)
        packed["x"], packed["w"], packed["y"] = row.address(x), row.address(kernel), row.address(y)
        row.launch(choose(types, steps[0], steps[2]), grid, packed, context.device)
        return y

    return Bound(run, at=at_addresses(context, grid, choose) if context.traits.backend == "cupy" else None)


def method(
    name: str,
    why_not: Callable[[Spec, Traits], str | None],
    cost: Callable[[Spec, Traits], int],
    bind: Callable[[Spec, Context], Bound],
    workspace: Callable[[Spec, Traits], int] = _no_workspace,
) -> Algorithm:
    """Return a method by a kernel: exact up to the rounding of sums, with every boundary and every cast inside."""
    cuts = Cuts(extends=frozenset({"all"}), converts=True)
    return Algorithm(name, why_not, cost, workspace, UNPREPARED, bind, accuracy="componentwise", cuts=cuts)
