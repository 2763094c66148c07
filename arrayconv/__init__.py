"""Convolution written against the Python Array API standard: one package for every array library.

`convolve` and `correlate` take any supported array (NumPy, CuPy, PyTorch, JAX, array-api-strict, or any other library
with the standard's namespace) and answer on the same library and device. `explain` says how a call would be computed,
`einconv` convolves labelled axes, `kernels` has the usual stencils, `config` the settings. `signal` and `ndimage` have
SciPy's names, `testing` what tests of convolutions need; these three are imported when first used.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from types import ModuleType as _ModuleType

from arrayconv import config, kernels
from arrayconv.convolution import convolve, correlate, explain, lags
from arrayconv.einconv import einconv

__all__ = ["config", "convolve", "correlate", "einconv", "explain", "kernels", "lags"]
__version__ = "0.1.0"

_LATER = ("ndimage", "nn", "signal", "testing")


def __getattr__(name: str) -> _ModuleType:
    if name in _LATER:
        return _import_module(f"arrayconv.{name}")
    raise AttributeError(f"module 'arrayconv' has no attribute {name!r}")
