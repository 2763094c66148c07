"""What a namespace offers where the standard leaves a choice: dtypes, extensions, writing in place."""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

from arrayconv._runtime.tracing import planning

Namespace = ModuleType


def is_namespace(value: Any) -> bool:
    """Whether `value` stands for a library rather than an array: its name, a module, or what acts as one."""
    return isinstance(value, (str, ModuleType)) or hasattr(value, "asarray")


def has_dtype(xp: Namespace, device: Any, name: str) -> bool:
    """Whether arrays of dtype `name` exist on `device`."""
    info = getattr(xp, "__array_namespace_info__", None)
    if info is None or name in ("float16", "bfloat16", "uint16", "uint32", "uint64"):
        return hasattr(xp, name)
    try:
        return name in info().dtypes(device=device)
    except Exception:  # a device the info does not list, as torch's meta, or a namespace that words it otherwise
        return hasattr(xp, name)


def has_fft(xp: Namespace) -> bool:
    """Whether there are transforms: the standard's `fft` is an extension, which a library may do without."""
    return hasattr(xp, "fft")


class Writing(NamedTuple):
    """What becomes of `y[...] = v`, which the standard leaves open in both respects."""

    assigns: bool  # it is allowed
    aliases: bool  # and a slice or a reshaped array of y shares y's elements


@planning(256)
def writing(xp: Namespace) -> Writing:
    """Return how a namespace's arrays can be written, by trying."""
    y = xp.zeros(4)
    part: Any = xp.reshape(y[0:2], (2, 1))
    try:
        part[...] = 1
    except Exception:  # of whatever kind its authors thought right
        return Writing(False, False)
    try:
        return Writing(True, bool(xp.all(y[0:2] == 1)))
    except Exception:  # values that can't be read: nothing is known, so nothing is relied on
        return Writing(True, False)
