"""A kernel as a sum of products of one factor per axis: `separate`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from arrayconv._arrays import dtypes, host
from arrayconv._arrays.dtype_names import checked_dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.libraries import is_known
from arrayconv._arrays.namespace import namespace_of
from arrayconv._kernels import separable
from arrayconv._problem.axes import integer, real
from arrayconv._runtime.tracing import is_traced, shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayT, NumPyLike

__all__ = ["separate"]


@overload
def separate(
    kernel: NumPyLike, *, tolerance: float | None = None, max_rank: int | None = None
) -> list[tuple[NDArray[Any], ...]]: ...
@overload
def separate(
    kernel: ArrayT, *, tolerance: float | None = None, max_rank: int | None = None
) -> list[tuple[ArrayT, ...]]: ...
@float_errors_ignored
def separate(kernel: Any, *, tolerance: float | None = None, max_rank: int | None = None) -> Any:
    """Return a kernel as a sum of products of one factor per axis, the shortest sum within `tolerance`.

    ``kernel[i, j] = sum_r factors[r][0][i] * factors[r][1][j]``; `Convolver.from_factors` takes the result.

    Parameters
    ----------
    kernel : array, shape (k_1, ..., k_d)
        Of any library, or nested lists. Its values are read, from whatever device they are on.
    tolerance : float, optional
        Largest difference allowed, relative to the largest tap; by default 2 eps of the dtype that the kernel's sums
        are formed in, for each axis longer than one tap. Integers are exact.
    max_rank : int, optional
        Most terms; any number by default. More than one is considered where two axes are longer than one tap.

    Returns
    -------
    list of tuples of arrays, shapes (k_1,), ..., (k_d,)
        For each term one factor per axis, of the kernel's library, dtype and device. All but the last are scaled by a
        power of two so that their magnitudes add up to at most 1; those of integer kernels are integers.

    Raises
    ------
    ValueError
        If no sum of at most `max_rank` products is within `tolerance`, with the difference of the nearest product.
    TypeError
        If the kernel is traced, so that it has no values, or of a dtype without a convolution.

    Examples
    --------
    >>> import arrayconv
    >>> [(down, across)] = arrayconv.kernels.separate([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    >>> down, across
    (array([1, 2, 1]), array([ 1,  0, -1]))
    """
    library = identify("separate", "kernel", kernel)
    if not library:
        kernel, library = host.array("separate", "kernel", kernel), "numpy"
    name = checked_dtype_name("separate", "kernel", kernel.dtype)
    if is_traced(library, kernel):
        raise TypeError("separate: `kernel` must have values. Got one that is being traced. Separate it outside.")
    if not is_known(type(kernel)) and not host.readable(library, kernel):
        raise TypeError(f"separate: `kernel` must have values. Got a {library} array without. Pass a list of numbers.")
    if tolerance is not None:
        tolerance = real("separate", "tolerance", tolerance)
        if not 0 <= tolerance < math.inf:
            raise ValueError(f"separate: `tolerance` must be finite and at least 0. Got {tolerance}.")
    if max_rank is not None:
        max_rank = integer("separate", "max_rank", max_rank)
    terms = _terms(host.copied(library, kernel), name, tolerance, max_rank)
    xp, device = namespace_of(library, kernel), device_of(kernel)
    return [tuple(xp.asarray(list(factor), dtype=kernel.dtype, device=device) for factor in term) for term in terms]


def _terms(
    values: Any, name: str, tolerance: float | None, max_rank: int | None
) -> Sequence[tuple[Sequence[complex], ...]]:
    """Return the factors of a kernel on the host, or raise ValueError where there are none."""
    shape = shape_of(values)
    if not shape or 0 in shape:
        raise ValueError(f"separate: `kernel` must have an axis, and a tap on every one. Got shape {shape}.")
    most = max(shape) if max_rank is None else max_rank
    if most < 1:
        raise ValueError(f"separate: `max_rank` must be at least 1. Got {max_rank}.")
    sums, exact = dtypes.accumulator(name), dtypes.kind(name) == "integer"
    axes = max(len(separable.long_axes(shape)), 1)
    eps = dtypes.eps(sums) if tolerance is None else tolerance / (2 * axes)
    separation = separable.separated(values, eps, most)
    if separation.exact if exact else separation.normwise <= 2 * axes * eps:
        scaled = [separable.balanced(term, range(len(shape)), sums) for term in separation.terms]
        if None not in scaled:
            return [term for term in scaled if term is not None]
        raise ValueError(
            f"separate: the factors of `kernel` leave the range of {name}. Scale it, or use a wider dtype."
        )
    raise ValueError(
        f"separate: `kernel` must be a sum of at most {most} products of one factor per axis"
        f"{', of integers a single one' * exact}. Got shape {shape}, whose nearest product is off by "
        f"{separation.normwise:.2g} of the largest tap; allowed are {0 if exact else 2 * axes * eps:.2g}. "
        f"{'Cast it to a float' if exact else 'Pass a larger tolerance= or max_rank='}."
    )
