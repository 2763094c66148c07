"""Implementations under test: a name, where the public functions are, and what they claim to support.

A target is a module with some of FUNCTIONS and perhaps a namespace `kernels`; `--target package.module` takes any
importable one, `--target scipy_ndimage` an adapter of this folder. What a target does not claim (see `claims.py`) is
not run: access to such a function, or a call that requires more, skips the test. A function that is claimed and not
defined is a stub that fails.
"""

from functools import wraps
from importlib import import_module
from pkgutil import iter_modules
from types import SimpleNamespace

from ..backends import Unavailable
from ..claims import ALL, FUNCTIONS, OPTIONS, PARAMETERS, declared, discovered, skip
from ..required import of_arrays

__all__ = ["FUNCTIONS", "KERNELS", "SHIPPED", "load", "wrap"]

KERNELS = (
    "box",
    "dog",
    "gabor",
    "gaussian",
    "horizontal_edge",
    "laplacian",
    "log",
    "prewitt",
    "scharr",
    "sobel",
    "vertical_edge",
)
DOORS = (
    "signal",
    "ndimage",
    "nn",
    "Convolver",
    "match_template",
    "normalized_convolve",
    "vjp",
)  # None where the target does not have it
WRONG = f"{__package__.rsplit('.', 1)[0]}.meta.wrong_targets"  # seeded faults, each of which the suite must find
SHIPPED = tuple(sorted(module.name for module in iter_modules(__path__) if module.name[0] != "_"))
COMPLETE = ("arrayconv",)  # a function that these lack is a failure, not a claim less


class _Functions(SimpleNamespace):
    """Functions by name; access to one that is not claimed skips the test."""

    def __getattr__(self, name):
        if name in (*FUNCTIONS, "kernels") and name not in self.claims:
            skip({name})
        if name in KERNELS:
            skip({f"kernels.{name}"})
        raise AttributeError(name)


def load(name):
    """The target called `name`, or the module of that name.

    Raises
    ------
    Unavailable
        If the library of a shipped adapter can't run here.
    ImportError
        If there is no module of that name.
    UnknownClaim
        If the module claims what is not in the vocabulary.
    """
    if name.startswith("wrong_"):
        make = getattr(import_module(WRONG), name)
        return make()
    if name not in SHIPPED:
        return wrap(import_module(name), name)
    try:
        return wrap(import_module(f"{__name__}.{name}"), name)
    except ModuleNotFoundError as missing:
        raise Unavailable(f"the target {name} is not installed: {missing}") from missing
    except ImportError as broken:
        raise Unavailable(f"the target {name} can't be imported: {broken}") from broken


def wrap(module, name):
    """The public functions of `module` as a target with claims."""
    words = getattr(module, "CLAIMS", ALL if name in COMPLETE else None)
    claims = discovered(module) if words is None else declared(words, name)
    target = _Functions(name=name, version=getattr(module, "__version__", "unknown"), claims=claims)
    for each in DOORS:
        setattr(target, each, getattr(module, each, None))
    for each in FUNCTIONS:
        if each in claims:
            setattr(target, each, _guarded(each, _defined(module, each, name), claims))
    if "kernels" in claims:
        kernels, partial = getattr(module, "kernels", None), words is None
        names = [each for each in KERNELS if not partial or hasattr(kernels, each)]
        functions = {each: _defined(kernels, each, f"{name}.kernels") for each in names}
        target.kernels = _Functions(claims=claims, **functions)
    return target


def _guarded(function, implementation, claims):
    """The implementation, which calls that require more than the claims never reach."""
    if claims >= ALL - {"errors", "signatures"} or function == "lags":
        return implementation
    lead = int(function == "einconv")
    droppable = {name for name in OPTIONS if not PARAMETERS[name] & claims}  # such a parameter may not exist

    @wraps(implementation)
    def call(*args, **options):
        operands, placed = args[lead : lead + 2], dict(zip(("mode",), args[lead + 2 :], strict=False))
        if missing := of_arrays(function, *operands, {**options, **placed}) - claims:
            skip(missing)
        return implementation(*args, **{name: value for name, value in options.items() if name not in droppable})

    return call


def _defined(owner, function, owner_name):
    implementation = getattr(owner, function, None)
    if implementation is not None:
        return implementation

    def stub(*args, **kwargs):
        raise AssertionError(f"{function} is not defined in {owner_name}")

    stub.__name__ = function
    return stub
