"""What the CUDA methods share: which arrays they support, and a bound kernel.

A kernel reads x where it is, in any layout of memory, extends it inside, and writes every output once. So a step is one
launch, without a copy and without a wait.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.addresses import at_addresses
from arrayconv._accel.cuda.launch import LIBRARY, launch
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._algorithms import UNPREPARED, Algorithm, Bound, Context, Cuts
from arrayconv._arrays.failures import unavailable
from arrayconv._arrays.traits import Traits
from arrayconv._problem.spec import Axis, Spec

_MAX_INT = (1 << 31) - 1  # of positions along an axis
MAX_BLOCKS = 65535  # along the second and third axis of a grid

# (steps of x, steps of y) -> the kernel for such arrays
Choose = Callable[[job.Steps, job.Steps], Kernel]


def refusal(spec: Spec, traits: Traits) -> str | None:
    """Return why no kernel supports a problem on these arrays, or None."""
    reason = unavailable(LIBRARY, "cupy", traits)
    if reason is not None:
        return reason
    if traits.accumulator not in job.DTYPES:
        return f"it does not sum in {traits.accumulator}"
    if not 1 <= len(spec.axes) <= job.MAX_AXES:
        return f"it supports one to {job.MAX_AXES} convolved axes. Got {len(spec.axes)}"
    if any(map(_is_too_long, spec.axes)):
        return f"it counts positions along an axis up to {_MAX_INT}"
    return None


def _is_too_long(axis: Axis) -> bool:
    lo, hi = axis.span(0, axis.outputs)
    return max(-lo, hi, 2 * axis.size, axis.outputs * axis.stride) > _MAX_INT


def planar_refusal(spec: Spec, traits: Traits, max_taps: dict[int, int]) -> str | None:
    """Return why no kernel for two dense axes supports a problem, or None; `max_taps` are by the bytes of a sum."""
    reason = refusal(spec, traits)
    if reason is not None:
        return reason
    if traits.accumulator.startswith("complex"):
        return f"it sums real numbers. Got {traits.accumulator}"
    most = max_taps[sum_bytes(traits)]
    if len(spec.axes) != 2:
        return f"it supports two convolved axes. Got {len(spec.axes)}"
    if any(axis.stride != 1 or axis.dilation != 1 for axis in spec.axes):
        return "it supports stride 1 and dilation 1"
    if max(spec.kernel_size) > most:
        return f"it supports up to {most} taps along each axis in {traits.accumulator}. Got {spec.kernel_size}"
    return None


def sum_bytes(traits: Traits) -> int:
    """Return the bytes of a sum: of small integers those of an int."""
    return max(4, traits.itemsize)


def nbytes(spec: Spec, traits: Traits) -> int:
    """Count the bytes that a kernel reads and writes at least."""
    return traits.itemsize * (prod(spec.input_shape) + spec.outputs)


def _no_workspace(spec: Spec, traits: Traits) -> int:
    """Return 0: a kernel allocates nothing."""
    return 0


def bound(spec: Spec, context: Context, grid: Grid, choose: Choose) -> Bound:
    """Return a kernel bound to a problem: choose is called with the steps of x and y."""
    xp, dtype = context.xp, context.traits.accumulator
    shape = spec.output_shape

    def run(x: Any, kernel: Any, out: Any) -> Any:
        y = xp.empty(shape, dtype=getattr(xp, dtype), device=context.device)
        steps = _steps(x), _steps(kernel), _steps(y)
        packed = job.job(spec, dtype, context.fill, *steps)
        packed["x"], packed["w"], packed["y"] = x.data.ptr, kernel.data.ptr, y.data.ptr
        launch(choose(steps[0], steps[2]), grid, packed, context.device)
        return y

    return Bound(run, at=at_addresses(context, grid, choose) if context.traits.backend == "cupy" else None)


def _steps(array: Any) -> tuple[int, ...]:
    """Return the elements between neighbours along each axis."""
    return tuple([step // array.itemsize for step in array.strides])


def method(
    name: str,
    why_not: Callable[[Spec, Traits], str | None],
    cost: Callable[[Spec, Traits], int],
    bind: Callable[[Spec, Context], Bound],
) -> Algorithm:
    """Return a method by a kernel: exact up to the rounding of sums, with every boundary inside."""
    cuts = Cuts(extends=frozenset({"all"}))
    return Algorithm(name, why_not, cost, _no_workspace, UNPREPARED, bind, accuracy="componentwise", cuts=cuts)
