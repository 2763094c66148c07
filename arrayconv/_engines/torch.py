"""torch: a planned convolution as an autograd function, with forward mode and vmap.

Forward, backward, double backward and the mapped call all run plans of ours. While torch.compile traces, the plain
operations of a plan are used instead, since the compiler differentiates those itself and can't follow `jvp`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch._C import _functorch  # pyright: ignore[reportAttributeAccessIssue]
from torch.autograd import forward_ad

from arrayconv._engines import adjoint, batched
from arrayconv._plan import Task, execute, planned
from arrayconv._xp import Array, namespace_of


def applies(x: Any, kernel: Any) -> bool:
    """Whether somebody watches what happens to the operands: a gradient, forward mode, or a function transform."""
    if (x.requires_grad or kernel.requires_grad) and torch.is_grad_enabled():
        return True
    # torch has no public name for either: inside forward_ad.dual_level(), and inside the transforms of torch.func.
    forward_mode = forward_ad._current_level >= 0  # pyright: ignore[reportPrivateUsage]
    return forward_mode or _functorch.peek_interpreter_stack() is not None


def run(task: Task, x: Array, kernel: Array) -> Array:
    """Compute a bilinear task, so that torch can differentiate and map it where that is wanted."""
    return _Convolution.apply(x, kernel, task) if applies(x, kernel) else _Convolution.forward(x, kernel, task)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(x: Any, kernel: Any, task: Task) -> Any:
        # Contiguous, since forward mode wants a result and its tangent to lie alike in memory.
        y: Any = execute(planned(task), x, kernel, 0, xp=namespace_of("torch", x), device=x.device)
        return y.contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, kernel, ctx.task = inputs
        ctx.save_for_backward(x, kernel)
        ctx.save_for_forward(x, kernel)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, kernel = ctx.saved_tensors
        xp, task = namespace_of("torch", dy), ctx.task
        dx = dkernel = None
        if ctx.needs_input_grad[0]:
            dx = adjoint.of_x(run, task, kernel.conj(), dy, xp=xp, device=dy.device)
        if ctx.needs_input_grad[1]:
            dkernel = adjoint.of_kernel(run, task, x.conj(), dy, xp=xp)
        return dx, dkernel, None

    @staticmethod
    def jvp(ctx: Any, dx: Any, dkernel: Any, _: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, kernel = ctx.saved_tensors
        parts = [run(ctx.task, dx, kernel)] if dx is not None else []
        parts += [run(ctx.task, x, dkernel)] if dkernel is not None else []
        return sum(parts[1:], start=parts[0])

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any, kernel: Any, task: Task) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        xp, mapped = namespace_of("torch", x), in_dims[:2]
        whole, x, kernel = batched.moved(task, x, kernel, mapped, info.batch_size, xp=xp)
        return batched.split(run(whole, x, kernel), task, mapped, info.batch_size, xp=xp)
