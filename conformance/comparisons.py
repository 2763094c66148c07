"""What the running test calls and compares: functions, dtypes, claims, and the largest error as a share of its bound.

`asserts` notes every comparison here, in a dictionary of the process; `outcomes.Recorder` reads it after each test.
"""

import re
from functools import cache

import numpy as np

from . import dtypes
from .required import required

LARGEST = 1e12  # stands for infinity, which JSON lacks: an error where none is allowed, a NaN
FUNCTIONS = re.compile(r"\b(kernels\.\w+|convolve|correlate|einconv|explain|lags)\b")

_shares = {}  # (function, dtype or None) -> the largest share, or None if no numbers were compared
_claims = set()


def begin():
    """Clear what the test before noted."""
    _shares.clear()
    _claims.clear()


def calls():
    """The cells of this test: (function, dtype, share); a dtype of None only where the test has no other."""
    typed = {function for function, dtype in _shares if dtype is not None}
    return [(f, dtype, share) for (f, dtype), share in _shares.items() if dtype is not None or f not in typed]


def claims():
    return sorted(_claims)


def note(call, host=None, share=None, refused=False):
    """Record that `call` was compared; `share` is the largest error divided by its bound."""
    if isinstance(call, str):
        names = FUNCTIONS.findall(call)
        if not names:
            return
        function, dtype, words = names[0], None if host is None else host.dtype.name, (names[0].split(".")[0],)
    else:
        function = call.function
        dtype = result_dtype(tuple(call.dtype_names.values()), call.options.get("dtype"))
        shapes = [value.shape for value in call.operands.values()]
        words = required(function, shapes, call.dtype_names.values(), call.options)
    _claims.update({"errors"} if refused else words)  # the options of a call that must fail are no claims
    before = _shares.get((function, dtype))
    _shares[function, dtype] = share if before is None else max(before, share or 0.0)


@cache
def result_dtype(names, requested):
    """The dtype of a call's result; the operands' where they have no common one."""
    if requested is not None or not names:
        return requested
    try:
        return dtypes.promote(names[0], names[-1]) or "+".join(names)
    except KeyError:  # bool, which the table lacks
        return "+".join(names)


def largest_share(error, bound, where):
    """The largest error divided by its bound: 0 for exact numbers, LARGEST for a NaN or where the bound is 0."""
    with np.errstate(all="ignore"):
        shares = np.where(error == 0, 0, error / bound)
    shares = np.where(np.isnan(shares), LARGEST, shares)
    return min(float(np.max(np.where(where, shares, 0), initial=0.0)), LARGEST)
