"""torch: a planned convolution as an autograd function, with forward mode and vmap.

Forward, backward, double backward and the mapped call all run our plans. While torch.compile traces or a mode is
active, the plain operations of a plan run instead, and torch differentiates those itself: it can't trace into this
function.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import torch
from torch._C import _functorch  # pyright: ignore[reportAttributeAccessIssue]
from torch.autograd import forward_ad

from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import namespace_of
from arrayconv._autodiff import adjoint, batched, legacy
from arrayconv._plan.plan import Task, plan_bilinear
from arrayconv._run.execute import execute, execute_bilinear_on_views
from arrayconv._runtime.torch_modes import is_mode_active
from arrayconv._runtime.tracing import is_compiling, is_traced


def needs_autodiff(x: Any, kernel: Any) -> bool:
    """Whether a gradient, forward mode or a function transform needs the operations on the operands."""
    if (x.requires_grad or kernel.requires_grad) and torch.is_grad_enabled():
        return True
    # torch has no public name for either: inside forward_ad.dual_level(), and inside the transforms of torch.func.
    forward_mode = forward_ad._current_level >= 0  # pyright: ignore[reportPrivateUsage]
    return forward_mode or _functorch.peek_interpreter_stack() is not None


def applies(x: Any, kernel: Any) -> bool:
    """Whether `run` must compute the operands: they need autodiff, or are mapped by the vmap of `is_grads_batched`."""
    return needs_autodiff(x, kernel) or legacy.is_mapped(x, kernel)


def run(task: Task, x: Array, kernel: Array) -> Array:
    """Compute a bilinear task, so that torch can differentiate and map it if required.

    Traced or intercepted tensors run torch's own functions, which torch differentiates.
    """
    if legacy.is_mapped(x, kernel):
        return legacy.mapped(partial(run, task), x, kernel)
    if needs_autodiff(x, kernel) and not is_traced("torch", x, kernel):
        return _Convolution.apply(x, kernel, task)
    return _compute(task, x, kernel)


def _compute(task: Task, x: Any, kernel: Any) -> Any:
    if task.traits.origin and not task.traits.traced and not is_traced("torch", x, kernel):
        return execute_bilinear_on_views(task, x, kernel)
    return execute(plan_bilinear(task), x, kernel, 0, xp=namespace_of("torch", x), device=x.device)


def _gradients(task: Task, requested: Any, x: Any, kernel: Any, dy: Any) -> tuple[Any, Any]:
    """Return the gradients of both operands, None for one that is not requested."""
    xp = namespace_of("torch", dy)
    dx = adjoint.of_x(run, task, kernel.conj(), dy, xp=xp, device=dy.device) if requested[0] else None
    dkernel = adjoint.of_kernel(run, task, x.conj(), dy, xp=xp) if requested[1] else None
    return dx, dkernel


def _is_eager() -> bool:
    """Whether no forward mode, transform, tracer or mode is active."""
    if forward_ad._current_level >= 0 or _functorch.peek_interpreter_stack() is not None:  # pyright: ignore[reportPrivateUsage]
        return False
    return not (is_compiling() or is_mode_active(torch._C))  # pyright: ignore[reportPrivateUsage]


_TYPES = (torch.Tensor, torch.nn.Parameter)  # without operations of their own


def has_plain_memory(*tensors: Any) -> bool:
    """Whether tensors have memory, and no forward mode, transform, tracer or mode involves them."""
    if not _is_eager():
        return False
    try:
        for tensor in tensors:
            if type(tensor) not in _TYPES or not tensor.data_ptr():  # no address: functional, or zeros not written yet
                return False
    except RuntimeError:  # mapped by a vmap
        return False
    return True


def is_autocast_enabled() -> bool:
    """Whether torch's own convolution would cast its operands."""
    return torch.is_autocast_enabled("cpu")


class BoundCall(Protocol):
    """A bound call with its gradients; `gradients` runs on memory, or with `run` in operations that torch records."""

    def forward(self, x: Any, kernel: Any, bias: Any) -> Any: ...

    def gradients(self, requested: Any, x: Any, kernel: Any, bias: Any, dy: Any, run: Any = None) -> Any: ...


def apply(call: BoundCall, x: Any, kernel: Any, bias: Any) -> Any:
    """Return a bound call's result as a node of torch's graph, for tensors that have plain memory."""
    return _apply(x, kernel, bias, call)


class _BoundConvolution(torch.autograd.Function):
    """A bound call; torch's transforms, which `setup_context` would be for, run `_Convolution`."""

    @staticmethod
    def forward(ctx: Any, x: Any, kernel: Any, bias: Any, call: BoundCall) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.save_for_backward(x, kernel, bias)
        ctx.call = call
        return call.forward(x, kernel, bias)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, kernel, bias = ctx.saved_tensors
        requested, call = ctx.needs_input_grad[:3], ctx.call
        if not torch.is_grad_enabled() and has_plain_memory(dy):  # x and the kernel had, in `forward`
            return *call.gradients(requested, x, kernel, bias, dy), None
        if legacy.is_mapped(x, kernel, dy):

            def gradients(x: Any, kernel: Any, dy: Any) -> Any:
                return call.gradients(requested, x, kernel, bias, dy, run)

            return *legacy.mapped(gradients, x, kernel, dy), None
        return *call.gradients(requested, x, kernel, bias, dy, run), None


# What `_BoundConvolution.apply` ends in. It first looks for transforms and their dead wrappers, half of a node's time;
# neither has plain memory.
_apply: Any = super(torch.autograd.Function, _BoundConvolution).apply  # pyright: ignore[reportAttributeAccessIssue]


class LinearCall(Protocol):
    """A linear function of a tensor, and its adjoint on memory and in operations that torch differentiates."""

    def forward(self, x: Any) -> Any: ...

    def adjoint(self, dy: Any) -> Any: ...

    def adjoint_by_torch(self, dy: Any) -> Any: ...


def apply_linear(call: LinearCall, x: Any) -> Any:
    """Return the result as a node of torch's graph, for a tensor that has plain memory; nothing is saved."""
    return _apply_linear(x, call)


class _BoundLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, call: LinearCall) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.call = call
        return call.forward(x)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not torch.is_grad_enabled() and has_plain_memory(dy):
            return ctx.call.adjoint(dy), None
        if legacy.is_mapped(dy):
            return legacy.mapped(ctx.call.adjoint_by_torch, dy), None
        return ctx.call.adjoint_by_torch(dy), None


_apply_linear: Any = super(torch.autograd.Function, _BoundLinear).apply  # pyright: ignore[reportAttributeAccessIssue]


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(x: Any, kernel: Any, task: Task) -> Any:
        # Contiguous, since forward mode requires a result and its tangent with the same strides.
        return _compute(task, x, kernel).contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, kernel, ctx.task = inputs
        ctx.save_for_backward(x, kernel)
        ctx.save_for_forward(x, kernel)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, kernel = ctx.saved_tensors
        gradients = partial(_gradients, ctx.task, ctx.needs_input_grad)
        if legacy.is_mapped(x, kernel, dy):
            return *legacy.mapped(gradients, x, kernel, dy), None
        return *gradients(x, kernel, dy), None

    @staticmethod
    def jvp(ctx: Any, dx: Any, dkernel: Any, _: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, kernel = ctx.saved_tensors
        parts = [run(ctx.task, dx, kernel)] if dx is not None else []
        parts += [run(ctx.task, x, dkernel)] if dkernel is not None else []
        return sum(parts[1:], start=parts[0])

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any, kernel: Any, task: Task) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        xp, mapped = namespace_of("torch", x), in_dims[:2]
        merged, x, kernel = batched.merge_axis(task, x, kernel, mapped, info.batch_size, xp=xp)
        return batched.split_axis(run(merged, x, kernel), task, mapped, info.batch_size, xp=xp)
