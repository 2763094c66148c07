"""A remembered call on contiguous CuPy arrays: one launch at their addresses, with all but these packed beforehand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.launch import Launch, compiled
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._accel.native import contiguous
from arrayconv._algorithms import Context
from arrayconv._arrays.failures import AcceleratorFailed
from arrayconv._ops.windows import LEADING

At = Callable[[int, int, int], None]  # at addresses of x, the kernel and y
# (dtypes, steps of x, steps of y) -> the kernel for such arrays
Choose = Callable[[job.Types, job.Steps, job.Steps], Kernel]


def at_addresses(context: Context, grid: Grid, choose: Choose) -> At | None:
    """Return a whole problem on the caller's contiguous arrays; None where their axes can't be addressed as they are.

    A flipped kernel is read backwards.
    """
    memory = context.memory
    x_samples, y_outputs = contiguous.samples(context, extended=False), memory and contiguous.outputs(memory)
    w_steps = memory and contiguous.steps(memory.problem.layout.kernel)
    if memory is None or x_samples is None or y_outputs is None or w_steps is None:
        return None
    spec, itemsize, device = memory.piece.spec, context.traits.itemsize, context.device
    if spec.kernel_shape != memory.problem.spec.kernel_shape or (
        memory.problem.spec.conj and context.traits.accumulator.startswith("complex")
    ):
        return None
    w_start, w_steps = _oriented(w_steps, spec.kernel_size, flip=memory.problem.spec.flip)
    packed = job.job(spec, context.traits.accumulator, context.fill, x_samples.steps, w_steps, y_outputs.steps)
    types = job.Types.alike(context.traits.accumulator)
    kernel = choose(types, x_samples.steps, y_outputs.steps)
    starts = [start * itemsize for start in (x_samples.start, w_start, y_outputs.start)]
    functions: list[Launch] = []

    def at(x: int, w: int, y: int) -> None:
        if not functions:
            functions.append(compiled(kernel, device.id))
        arguments = packed.copy()
        head = arguments.view(job.ADDRESSES)
        head[0], head[1], head[2] = x + starts[0], w + starts[1], y + starts[2]
        functions[0](grid.blocks, grid.threads, (arguments,))

    return at


def _oriented(steps: job.Steps, sizes: tuple[int, ...], *, flip: bool) -> tuple[int, job.Steps]:
    """Return the first element that is read of a kernel, and its steps: from the last tap backwards with `flip`."""
    if not flip:
        return 0, steps
    taps = steps[LEADING:]
    start = sum(step * (size - 1) for step, size in zip(taps, sizes, strict=True))
    return start, (*steps[:LEADING], *(-step for step in taps))


def cupy_at_addresses(
    at: At, general: Callable[..., Any], shape: Any, dtype: Any, postprocess: Callable[[Any, Any], Any] | None
) -> Callable[..., Any]:
    """Return a function of CuPy arrays that runs `at` their addresses, or `general` where one is not contiguous."""
    empty = sys.modules["cupy"].empty

    def run(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        if not (x.flags.c_contiguous and kernel.flags.c_contiguous and (out is None or out.flags.c_contiguous)):
            return general(x, kernel, bias, out, constants)
        y = empty(shape, dtype) if out is None else out
        try:
            at(x.data.ptr, kernel.data.ptr, y.data.ptr)
        except AcceleratorFailed:  # `general` runs another method, and warns
            return general(x, kernel, bias, out, constants)
        return y if postprocess is None or out is not None else postprocess(y, bias)

    return run
