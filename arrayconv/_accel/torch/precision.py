"""torch's settings of precision and of cuDNN's algorithms: they are the process', and set while a call runs."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from arrayconv._runtime.tracing import is_compiling

Setting = tuple[Any, str, Any]  # (object, attribute, value)


def full_precision(torch: Any, device: str) -> AbstractContextManager[None]:
    """Return a context in which products on a kind of device are in the dtype of their operands.

    A program that torch.compile traces has no such settings: there those of the process decide about TF32.
    """
    is_autocast = device != "meta" and torch.is_autocast_enabled(device)
    if device == "cuda" and not is_compiling():
        return _cuda_precision(torch, is_autocast)
    return torch.autocast(device, enabled=False) if is_autocast else nullcontext()


@contextmanager
def _cuda_precision(torch: Any, is_autocast: bool) -> Generator[None]:
    with _ieee(torch), torch.autocast("cuda", enabled=False) if is_autocast else nullcontext():
        yield


@contextmanager
def _ieee(torch: Any) -> Generator[None]:
    """Let torch not round float32 to TF32 inside a ``with`` block.

    The precision of all of CUDA can be restored exactly. That of an operation is set only where the process has set it:
    it inherits the other by default, and torch can't restore that.
    """
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    if not hasattr(cudnn, "conv"):  # torch before 2.9
        with set_while(((matmul, "allow_tf32", False), (cudnn, "allow_tf32", False))):
            yield
        return
    with set_while(((cudnn, "fp32_precision", "ieee"),)):  # of all of CUDA, whatever its name
        places = [place for place in (matmul, cudnn.conv) if place.fp32_precision != "ieee"]
        with set_while([(place, "fp32_precision", "ieee") for place in places]):
            yield


def reproducible(torch: Any) -> AbstractContextManager[None]:
    """Return a context in which cuDNN returns the same bits again: no sums in any order, no choice by trial."""
    return set_while(((torch.backends.cudnn, "deterministic", True), (torch.backends.cudnn, "benchmark", False)))


@contextmanager
def set_while(settings: Iterable[Setting]) -> Generator[None]:
    """Set attributes inside a ``with`` block, and restore them after it."""
    settings = tuple(settings)
    before = [getattr(place, name) for place, name, _ in settings]
    try:
        for place, name, value in settings:
            setattr(place, name, value)
        yield
    finally:
        for (place, name, _), value in zip(settings, before, strict=True):
            setattr(place, name, value)
