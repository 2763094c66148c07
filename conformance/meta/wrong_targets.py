"""Implementations with one planted fault each, from the rows of `faults`: `--target wrong_flip` runs the suite on one.

Each wraps the right implementation, so that nothing else is wrong.
"""

from functools import wraps
from importlib import import_module
from inspect import Parameter, signature
from types import SimpleNamespace

from ..targets import wrap
from .faults import FAULTS


def __getattr__(name):
    """`wrong_flip` makes the target with the fault 'flip'."""
    fault = FAULTS.get(name.removeprefix("wrong_"))
    if fault is None or not name.startswith("wrong_"):
        raise AttributeError(f"there is no fault of that name: {name}")
    return lambda: planted(name, fault)


def right():
    """The target without a fault."""
    return wrap(import_module("arrayconv"), "arrayconv")


def planted(name, fault):
    """A copy of the right target in which the fault replaces the functions of its doors."""
    target = right()
    target.name = name
    for door in ("signal", "ndimage", "nn", "kernels"):
        setattr(target, door, SimpleNamespace(**_public(getattr(target, door))))
    target.nn.grad = SimpleNamespace(**_public(import_module("arrayconv.nn").grad))
    for path in fault.doors:
        *owners, function = path.split(".")
        owner = target
        for each in owners:
            owner = getattr(owner, each)
        setattr(owner, function, _changed(getattr(owner, function), fault.change))
    return target


def _public(module):
    names = getattr(module, "__all__", None) or vars(module)
    return {name: getattr(module, name) for name in names}


def _changed(function, change):
    """The function with the fault; `change` takes it and the arguments by name."""
    if change is None:

        def missing(*args, **options):
            raise AssertionError(f"{function.__name__} is not defined in this target")

        return missing
    parameters = signature(function).parameters.values()
    extra = next((p.name for p in parameters if p.kind is Parameter.VAR_KEYWORD), None)
    if any(p.kind is Parameter.VAR_POSITIONAL for p in parameters):
        return wraps(function)(lambda *args, **options: change(function, (args, options)))

    @wraps(function)
    def wrong(*args, **options):
        arguments = dict(signature(function).bind(*args, **options).arguments)
        arguments |= arguments.pop(extra, {}) if extra else {}
        return change(function, arguments)

    return wrong


def broken_library(xp, fault):
    """A copy of a namespace in which the fault replaces functions."""
    (path,) = fault.doors
    owner, _, function = path.rpartition(".")
    copy = SimpleNamespace(**vars(xp))
    if owner:
        setattr(copy, owner, SimpleNamespace(**vars(getattr(xp, owner))))
    place = getattr(copy, owner) if owner else copy
    setattr(place, function, _positional(getattr(place, function), fault.change))
    return copy


def _positional(function, change):
    """The change on arguments by position; the library's functions need not have signatures."""

    def wrong(*args, **options):
        names = [f"_{number}" for number in range(len(args))]

        def run(**arguments):
            placed = [arguments.pop(name) for name in names]
            return function(*placed, **arguments)

        return change(run, {**dict(zip(names, args, strict=True)), **options})

    return wrong
