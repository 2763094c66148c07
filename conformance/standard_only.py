"""arrayconv with every accelerator off, as a target: the standard-only code, which computes what no accelerator does.

It runs on tensors of the CPU as on a GPU; with accelerators tensors of the CPU are computed as NumPy arrays.
"""

from functools import wraps
from types import SimpleNamespace

import arrayconv
from arrayconv import kernels

from .claims import ALL, FUNCTIONS

__all__ = [
    *FUNCTIONS,
    "Convolver",
    "kernels",
    "match_template",
    "ndimage",
    "nn",
    "normalized_convolve",
    "signal",
    "vjp",
]
__version__ = arrayconv.__version__
CLAIMS = ALL


def _plain(function):
    @wraps(function)
    def call(*args, **options):
        with arrayconv.config.using(accelerators=set()):
            return function(*args, **options)

    return call


def _door(module):
    return SimpleNamespace(**{name: _plain(getattr(module, name)) for name in module.__all__})


@wraps(arrayconv.Convolver)
def Convolver(*args, **options):
    return _plain(_plain(arrayconv.Convolver)(*args, **options).__call__)


@wraps(arrayconv.vjp)
def vjp(function, *args, **options):
    y, pullback = _plain(arrayconv.vjp)(function, *args, **options)
    return y, _plain(pullback.__call__)


convolve, correlate, explain, lags, einconv = (_plain(getattr(arrayconv, name)) for name in FUNCTIONS)
normalized_convolve = _plain(arrayconv.normalized_convolve)
match_template = _plain(arrayconv.match_template)
ndimage, nn, signal = _door(arrayconv.ndimage), _door(arrayconv.nn), _door(arrayconv.signal)
nn.grad = _door(arrayconv.nn.grad)
