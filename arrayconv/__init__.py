"""Convolution written against the Python Array API standard: one package for every array library.

`convolve` and `correlate` take any supported array (NumPy, CuPy, PyTorch, JAX, array-api-strict, or any other library
with the standard's namespace) and return an array of the same library and device. `explain` reports how a call would be
computed, `Convolver` applies one kernel to many arrays, `einconv` convolves labelled axes, `match_template` finds a
template, `vjp` computes gradients on arrays without autograd, `kernels` has the usual stencils, `config` the settings.
`signal` and `ndimage` have SciPy's names, `nn` torch's, `astronomy` astropy's, `testing` a reference and error bounds,
`typing` the types of annotations; these six are imported on first use.
"""

from __future__ import annotations

import sys as _sys
from importlib import import_module as _import_module
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING  # checkers know it by no other name

from arrayconv import config, kernels
from arrayconv.convolution import convolve, correlate, lags
from arrayconv.convolver import Convolver
from arrayconv.einconv import einconv
from arrayconv.explain import explain
from arrayconv.matching import match_template
from arrayconv.normalized import normalized_convolve
from arrayconv.vjp import vjp

if TYPE_CHECKING:  # editors and type checkers see these; a program imports them when it first uses one
    from arrayconv import astronomy as astronomy
    from arrayconv import ndimage as ndimage
    from arrayconv import nn as nn
    from arrayconv import signal as signal
    from arrayconv import testing as testing
    from arrayconv import typing as typing

__all__ = [
    "Convolver",
    "config",
    "convolve",
    "correlate",
    "einconv",
    "explain",
    "kernels",
    "lags",
    "match_template",
    "normalized_convolve",
    "vjp",
]
__version__ = "0.1.0"

_LAZY_MODULES = ("astronomy", "ndimage", "nn", "signal", "testing", "typing")

if not TYPE_CHECKING:  # to which every name would exist

    def __getattr__(name: str) -> _ModuleType:
        if name in _LAZY_MODULES:
            return _import_module(f"arrayconv.{name}")
        # By name and module Python finds what was probably meant.
        raise AttributeError(f"module 'arrayconv' has no attribute {name!r}", name=name, obj=_sys.modules[__name__])


def __dir__() -> list[str]:
    return sorted([*__all__, *_LAZY_MODULES, *(name for name in globals() if name.startswith("__"))])
