"""arrayconv with every accelerator off, as a target: the standard-only code, which computes what no accelerator does.

On tensors of the CPU it is what runs on a GPU too; with accelerators those are computed as NumPy arrays.
"""

from functools import wraps

import arrayconv
from arrayconv import kernels
from conformance.targets import FUNCTIONS

__all__ = [*FUNCTIONS, "kernels"]
__version__ = arrayconv.__version__


def _plain(function):
    @wraps(function)
    def call(*args, **options):
        with arrayconv.config.using(accelerators=set()):
            return function(*args, **options)

    return call


convolve, correlate, explain, lags, einconv = (_plain(getattr(arrayconv, name)) for name in FUNCTIONS)
