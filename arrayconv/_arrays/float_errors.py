"""NumPy's floating-point errors inside this package: none of the caller's business.

``np.errstate(all="raise")`` is about the caller's own sums. Ours underflow in casts and transforms, and multiply zeros
by infinities, where the answer is as the contract says; so functions that compute on NumPy arrays ignore such errors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

from arrayconv._runtime.tracing import is_compiling

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def float_errors_ignored(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Decorate a function whose floating-point errors NumPy shall neither raise nor warn of."""

    @wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        if is_compiling():  # no compiler follows NumPy's contexts, and none of its arrays is NumPy's
            return function(*args, **kwargs)
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return run
