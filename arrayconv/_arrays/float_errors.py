"""NumPy's floating-point errors, suppressed inside this package.

``np.errstate(all="raise")`` is meant for the caller's own arithmetic. Ours underflows in casts and transforms, and
multiplies zeros by infinities, with results as the contract specifies; so functions that compute on NumPy arrays ignore
such errors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

from arrayconv._runtime.tracing import is_compiling

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def float_errors_ignored(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a function so that NumPy neither raises nor warns of floating-point errors inside it."""

    @wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if is_compiling():  # no compiler traces NumPy's contexts, and none of the arrays is NumPy's
            return function(*args, **kwargs)
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return run
