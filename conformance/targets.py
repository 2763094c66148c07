"""Implementations under test: a name, and where its public functions live.

A target is anything with the attributes FUNCTIONS and a `kernels` namespace; `--target package.module` takes any
importable module of that kind. A missing name becomes a stub that fails when called, so collection never breaks.
"""

from importlib import import_module
from types import SimpleNamespace

FUNCTIONS = ("convolve", "correlate", "explain", "lags", "einconv")
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
DOORS = ("signal", "ndimage", "nn", "Convolver", "vjp")  # None where the target does not have it
WRONG = f"{__package__}.meta.wrong_targets"  # seeded faults, each of which the suite must find


def load(name):
    """The target called `name`, or the module of that name."""
    if name.startswith("wrong_"):
        make = getattr(import_module(WRONG), name)
        return make()
    return wrap(import_module(name), name)


def wrap(module, name):
    """The public functions of `module` as a target."""
    kernels = getattr(module, "kernels", None)
    return SimpleNamespace(
        name=name,
        version=getattr(module, "__version__", "unknown"),
        kernels=SimpleNamespace(**{each: _named(kernels, each, f"{name}.kernels") for each in KERNELS}),
        **{each: _named(module, each, name) for each in FUNCTIONS},
        **{each: getattr(module, each, None) for each in DOORS},
    )


def _named(module, function, owner):
    implementation = getattr(module, function, None)
    if implementation is not None:
        return implementation

    def stub(*args, **kwargs):
        raise AssertionError(f"{function} is not defined in {owner}")

    stub.__name__ = function
    return stub
