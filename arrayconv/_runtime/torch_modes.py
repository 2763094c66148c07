"""Whether torch runs its operations itself, or a mode, a tracer or a tensor subclass intercepts them.

Operations may be recorded, replayed, counted or replaced: by a dispatch mode in `make_fx` and `linearize`, by a tracer
in `jit.trace`, by a transform in `functionalize`, by the methods of fake tensors and users' subclasses. None of these
observes what NumPy computes on a tensor's memory, so torch's own functions must run there. Only this module detects
that; torch has no public name for most of the checks.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

PLAIN_MODULES = ("torch", "torch.nn.parameter")  # modules of the types that override no operation


def is_mode_active(torch_c: Any) -> bool:
    """Whether a dispatch or function mode intercepts this thread's calls of torch, or `jit.trace` records them.

    It runs at every call, so the common case, none, takes as few steps as possible. `torch_c` is `torch._C`.
    """
    functions = torch_c._len_torch_function_stack()
    if not (torch_c._len_torch_dispatch_stack() or functions or torch_c._is_tracing()):
        return False
    return torch_c._len_torch_dispatch_stack() > 0 or torch_c._is_tracing() or _has_function_mode(torch_c, functions)


def _has_function_mode(torch_c: Any, count: int) -> bool:
    """Whether one of `count` function modes is none of `torch.device` and `set_default_device`.

    Those choose the device of tensors created without one, and this package creates none.
    """
    device = sys.modules["torch.utils._device"].DeviceContext
    return any(type(torch_c._get_function_stack_at(place)) is not device for place in range(count))


def intercepts(*tensors: Any) -> bool:
    """Whether anything but torch's kernels gets the operations on these tensors."""
    return is_mode_active(sys.modules["torch"]._C) or _is_functionalizing() or not all(map(is_memory, tensors))


def is_memory(tensor: Any) -> bool:
    """Whether a tensor is plain memory: no subclass with its own operations, no lazy zero, no functional wrapper."""
    torch = sys.modules["torch"]
    if type(tensor).__module__ not in PLAIN_MODULES:
        return False
    return not (torch._is_functional_tensor(tensor) or torch._is_zerotensor(tensor))


def with_values(*tensors: Any) -> int | None:
    """Return the index of a tensor with values where fake tensors are required, None if the tensors can be mixed."""
    fakes = sys.modules.get("torch._subclasses.fake_tensor")
    if fakes is None:
        return None
    are_fake = [isinstance(tensor, fakes.FakeTensor) for tensor in tensors]
    modes = [tensor.fake_mode for tensor, fake in zip(tensors, are_fake, strict=True) if fake]
    if is_mode_active(sys.modules["torch"]._C):
        modes += [mode for mode in _dispatch_modes() if isinstance(mode, fakes.FakeTensorMode)]
    if all(are_fake) or not modes or any(mode.allow_non_fake_inputs for mode in modes):
        return None
    return are_fake.index(False)


def _dispatch_modes() -> list[Any]:
    torch_c = sys.modules["torch"]._C
    return [torch_c._get_dispatch_stack_at(place) for place in range(torch_c._len_torch_dispatch_stack())]


def _is_functionalizing() -> bool:
    functorch = sys.modules["torch"]._C._functorch
    if functorch.peek_interpreter_stack() is None:
        return False
    kind = functorch.TransformType.Functionalize
    return any(level.key() == kind for level in functorch.get_interpreter_stack())


def is_transforming() -> bool:
    """Whether a transform of `torch.func` maps or differentiates this thread's calls."""
    torch = sys.modules.get("torch")
    return torch is not None and torch._C._functorch.peek_interpreter_stack() is not None


def is_jit_tracing() -> bool:
    """Whether `torch.jit.trace` records this thread's calls; then sizes are tensors too."""
    torch = sys.modules.get("torch")
    return torch is not None and torch._C._is_tracing()


def is_replayed() -> bool:
    """Whether `jit.trace` or `make_fx` records this thread's calls as a program to run on other tensors."""
    if is_jit_tracing():
        return True
    proxies = sys.modules.get("torch.fx.experimental.proxy_tensor")
    return proxies is not None and proxies.get_proxy_mode() is not None


@contextmanager
def without_recording() -> Generator[None]:
    """Keep `torch.jit.trace` from recording the code inside a ``with`` block."""
    torch_c = sys.modules["torch"]._C
    state = torch_c._get_tracing_state()
    torch_c._set_tracing_state(None)
    try:
        yield
    finally:
        torch_c._set_tracing_state(state)
