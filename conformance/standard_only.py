"""arrayconv with every accelerator off, as a target: the standard-only code, which computes what no accelerator does.

It runs on tensors of the CPU as on a GPU; with accelerators tensors of the CPU are computed as NumPy arrays.
"""

from functools import wraps

import arrayconv
from arrayconv import kernels

from .claims import ALL, FUNCTIONS

__all__ = [*FUNCTIONS, "kernels"]
__version__ = arrayconv.__version__
CLAIMS = ALL


def _plain(function):
    @wraps(function)
    def call(*args, **options):
        with arrayconv.config.using(accelerators=set()):
            return function(*args, **options)

    return call


convolve, correlate, explain, lags, einconv = (_plain(getattr(arrayconv, name)) for name in FUNCTIONS)
