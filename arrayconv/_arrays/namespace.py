"""Namespaces: which one an array or a name stands for, and what it offers where the standard leaves a choice."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from arrayconv._arrays import compat, dtypes
from arrayconv._arrays.libraries import LIBRARIES, is_standard_only, namespace_name
from arrayconv._errors import shown, suggestion
from arrayconv._runtime.tracing import is_compiling, planning

Namespace = ModuleType

_WITH_CURRENT_DEVICE = frozenset(row.namespace for row in LIBRARIES.values() if row.current_device)


def is_namespace(value: Any) -> bool:
    """Whether `value` means a library, not an array: its name, a module, or an object with the functions of one."""
    return isinstance(value, (str, ModuleType)) or hasattr(value, "asarray")


def compat_namespace(xp: Any = None) -> Namespace:
    """Return the wrapped namespace of a module, a library's name, or None for NumPy; any other namespace as it is."""
    name = "numpy" if xp is None else xp if isinstance(xp, str) else getattr(xp, "__name__", "")
    if is_compiling() and name in ("torch", "array_api_compat.torch"):  # no compiler follows an import by name
        return compat.torch_namespace()
    module = namespace_name(name)
    wrapped = module.startswith("array_api_compat.")
    if not (wrapped or xp is None or isinstance(xp, str)) and hasattr(xp, "asarray"):
        return xp
    try:
        return import_module(module)
    except (ModuleNotFoundError, ValueError) as missing:
        raise ModuleNotFoundError(
            f"compat_namespace: `xp` must name an installed array library. Got {name or xp!r} ({missing})."
        ) from None


def requested_namespace(function: str, argument: str, value: Any) -> Namespace:
    """Return the wrapped namespace that a caller names: a module, a library's name, what acts as one, None for NumPy.

    Raises
    ------
    TypeError
        For what is no namespace.
    ValueError
        For the name of a library that is not installed.
    """
    try:
        if value is None or is_namespace(value):
            xp = compat_namespace(value)
            if hasattr(xp, "asarray"):
                return xp
        kind = TypeError
    except (ImportError, ValueError):  # ValueError: '' or a relative name
        kind = ValueError
    meant = suggestion(value, LIBRARIES) if isinstance(value, str) and value not in LIBRARIES else ""
    rule = f"`{argument}` must be an array namespace or an installed library's name"
    raise kind(f"{function}: {rule}. Got {shown(value)}.{meant}")


def namespace_of(backend: str, x: Any) -> Namespace:
    """Return the wrapped namespace of an array of the library `backend`."""
    if is_standard_only(backend):
        return compat.array_namespace(x)
    return compat_namespace(backend) if is_compiling() else _imported(backend)


@lru_cache
def _imported(library: str) -> Namespace:
    return compat_namespace(library)


def on_device(xp: Namespace, device: Any) -> AbstractContextManager[Any]:
    """Return a context in which `device` is the current one, of a library whose functions run on the current one.

    CuPy creates arrays and launches kernels there, wherever the operands are.
    """
    return device if getattr(xp, "__name__", "") in _WITH_CURRENT_DEVICE else nullcontext()


def has_dtype(xp: Namespace, device: Any, name: str) -> bool:
    """Whether arrays of dtype `name` exist on `device`."""
    info = getattr(xp, "__array_namespace_info__", None)
    if info is None or not dtypes.is_listed(name):
        return hasattr(xp, name)
    try:
        return name in info().dtypes(device=device)
    except Exception:  # a device that the info does not list, as torch's meta, or other parameters
        return hasattr(xp, name)


def has_fft(xp: Namespace) -> bool:
    """Whether there are transforms: the standard's `fft` is an optional extension."""
    return hasattr(xp, "fft")


class Writing(NamedTuple):
    """What `y[...] = v` does, which the standard leaves open in both respects."""

    assigns: bool  # it is allowed
    aliases: bool  # a slice or a reshaped array of y shares y's elements


@planning(256)
def writing(xp: Namespace) -> Writing:
    """Return how a namespace's arrays can be written, by trying."""
    y = xp.zeros(4)
    part: Any = xp.reshape(y[0:2], (2, 1))
    try:
        part[...] = 1
    except Exception:  # of any kind: it is the library's
        return Writing(False, False)
    try:
        return Writing(True, bool(xp.all(y[0:2] == 1)))
    except Exception:  # values that can't be read: nothing is known, so nothing is relied on
        return Writing(True, False)
