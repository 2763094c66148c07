"""NumPy's protocols, as `cupy.ndarray` has them in CuPy 14.2: a function of NumPy is CuPy's function of that name."""

import functools
import sys

import numpy as np

from tests.cuda.standin.array import ndarray

_SCALARS = (bool, int, float, complex, np.generic)
_METHODS = ("outer", "at", "reduce", "accumulate", "reduceat")


def array_ufunc(self, ufunc, method, *inputs, out=(), **options):
    """`__array_ufunc__`: a NumPy array among the operands reaches CuPy's function, which refuses it."""
    if len(out) > 1:
        raise ValueError("The 'out' parameter must have exactly one array value")
    call = getattr(sys.modules["cupy"], ufunc.__name__, None)
    if method != "__call__":
        call = getattr(call, method, None) if method in _METHODS else None
    if call is None or not all(isinstance(x, (ndarray, np.ndarray, *_SCALARS)) for x in (*inputs, *out)):
        return NotImplemented
    return call(*inputs, **options, **({"out": out[0]} if out else {}))


def array_function(self, func, types, args, kwargs):
    """`__array_function__`: by the function's module and name, for arrays of CuPy and NumPy alone."""
    try:
        module = functools.reduce(getattr, func.__module__.split(".")[1:], sys.modules["cupy"])
        call = getattr(module, func.__name__)
    except AttributeError:
        return NotImplemented
    if call is func or not all(issubclass(kind, (ndarray, np.ndarray)) for kind in types):
        return NotImplemented
    return call(*args, **kwargs)
