"""Whether torch runs its operations itself or hands them to somebody: a mode, a tracer, a tensor subclass.

What is called may be recorded, replayed, counted or replaced: by a dispatch mode in `make_fx` and `linearize`, by a
tracer in `jit.trace`, by a transform in `functionalize`, by the methods of fake tensors and users' subclasses. None
of them sees what NumPy computes over a tensor's memory, so torch's own functions must run there. This is the one place
that asks; torch has no public name for most of the questions.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

PLAIN_MODULES = ("torch", "torch.nn.parameter")  # of the types whose operations are torch's own


def is_mode_active(own: Any) -> bool:
    """Whether this thread's calls of torch are handed to a dispatch or function mode, or recorded by `jit.trace`.

    It is asked at every call of `torch._C`, which is given: the usual answer takes as few steps as it can.
    """
    functions = own._len_torch_function_stack()
    if not (own._len_torch_dispatch_stack() or functions or own._is_tracing()):
        return False
    return own._len_torch_dispatch_stack() > 0 or own._is_tracing() or _function_modes(own, functions)


def _function_modes(own: Any, count: int) -> bool:
    """Whether one of `count` function modes is another than `torch.device` and `set_default_device` are.

    Those choose the device of what is made without one, and nothing is here.
    """
    device = sys.modules["torch.utils._device"].DeviceContext
    return any(type(own._get_function_stack_at(place)) is not device for place in range(count))


def intercepts(*tensors: Any) -> bool:
    """Whether somebody but torch's kernels is handed what is done to these tensors."""
    return is_mode_active(sys.modules["torch"]._C) or _is_functionalizing() or not all(map(is_memory, tensors))


def is_memory(tensor: Any) -> bool:
    """Whether a tensor is memory: no subclass with operations of its own, no zeros unwritten, none that stands in."""
    torch = sys.modules["torch"]
    if type(tensor).__module__ not in PLAIN_MODULES:
        return False
    return not (torch._is_functional_tensor(tensor) or torch._is_zerotensor(tensor))


def with_values(*tensors: Any) -> int | None:
    """Return which tensor has values where fake ones are called for, None where all may meet."""
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
    own = sys.modules["torch"]._C
    return [own._get_dispatch_stack_at(place) for place in range(own._len_torch_dispatch_stack())]


def _is_functionalizing() -> bool:
    functorch = sys.modules["torch"]._C._functorch
    if functorch.peek_interpreter_stack() is None:
        return False
    kind = functorch.TransformType.Functionalize
    return any(level.key() == kind for level in functorch.get_interpreter_stack())


def is_jit_tracing() -> bool:
    """Whether `torch.jit.trace` records this thread's calls; then even shapes are tensors."""
    torch = sys.modules.get("torch")
    return torch is not None and torch._C._is_tracing()


def is_replayed() -> bool:
    """Whether what is called now becomes a program that is run again on other tensors: `jit.trace`, `make_fx`."""
    if is_jit_tracing():
        return True
    proxies = sys.modules.get("torch.fx.experimental.proxy_tensor")
    return proxies is not None and proxies.get_proxy_mode() is not None


@contextmanager
def without_recording() -> Generator[None]:
    """Keep `torch.jit.trace` from recording what stands inside a ``with`` block."""
    own = sys.modules["torch"]._C
    state = own._get_tracing_state()
    own._set_tracing_state(None)
    try:
        yield
    finally:
        own._set_tracing_state(state)
