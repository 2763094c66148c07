"""Kernels as short sums of products, separated once from their values on the host.

    w[k_1, ..., k_d] = sum_r u_r1[k_1] * ... * u_rd[k_d]

A product is d passes along one axis each: k_1 + ... + k_d multiply-adds per output instead of k_1 * ... * k_d. The
factors of one product are the fibers through the largest tap, so that taps of zero stay zero and small ones keep their
digits; integers are verified by cross-multiplication, exactly. Several products, on two axes, come from crosses with
full pivoting (adaptive cross approximation: Bebendorf, Numer. Math. 86, 2000) and the singular values of their span.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import fsum, gcd, ldexp, prod, sqrt
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import dtypes
from arrayconv._ops.contain import is_safe

Host = np.ndarray[Any, Any]
Factor = tuple[complex, ...]  # the taps along one axis: ints where the kernel's are, else floats or complex numbers
Term = tuple[Factor, ...]  # one factor per axis

MAX_TERMS = 8  # passes for more hardly ever pay off


class Separation(NamedTuple):
    """The terms of a kernel, and the difference of their sum from it."""

    terms: tuple[Term, ...]
    exact: bool  # integers whose product is the kernel
    tapwise: float  # largest difference from a tap, relative to that tap; infinite where a zero tap is not zero
    normwise: float  # largest difference, relative to the largest tap


def separated(values: Host, eps: float, max_terms: int = MAX_TERMS) -> Separation:
    """Return the shortest sum of at most `max_terms` products equal to a kernel to a few `eps`, or the nearest product.

    Several products are tried where exactly two axes are longer than one tap.
    """
    separation = _separated(values.reshape([n for n in values.shape if n > 1] or [1]), eps, max_terms)
    return separation._replace(terms=tuple(_on_all_axes(term, values.shape) for term in separation.terms))


def _on_all_axes(term: Term, shape: Sequence[int]) -> Term:
    """Return a term with a factor of 1 for every axis of one tap; the first axis has the tap where all are such."""
    factors = iter(term)
    spread = [next(factors) if n > 1 else (1,) for n in shape]
    return tuple(spread) if long_axes(shape) else (*term, *spread[1:])


def _separated(values: Host, eps: float, max_terms: int) -> Separation:
    if values.dtype.kind in "iu":
        integers = _integer_product(values)
        if integers is not None:
            return Separation((integers,), True, 0.0, 0.0)
    wide = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)
    if not is_safe(wide, False, "numpy", xp=np):
        return Separation((), False, np.inf, np.inf)
    nearest = _measured(wide, (_product(wide),))
    limit = tolerance(wide.shape, eps)
    if nearest.normwise <= limit or wide.ndim != 2:
        return nearest
    return _sum_of_products(wide, limit, max_terms) or nearest


def long_axes(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the axes longer than one tap."""
    return tuple(axis for axis, taps in enumerate(shape) if taps > 1)


def tolerance(shape: Sequence[int], eps: float) -> float:
    """Return the allowed difference of the products from a kernel: 2 eps for each axis longer than one tap."""
    return 2 * len(long_axes(shape)) * eps


def misfit(separation: Separation, shape: Sequence[int], accumulator: str, accuracy: str) -> str | None:
    """Return why passes would exceed the error bound of the whole kernel, or None where they keep it.

    By norm, a difference of a few eps of the largest tap is allowed. Tap by tap, the roundings of all passes plus the
    difference must not exceed the bound for the definition's prod(shape) products.
    """
    if dtypes.kind(accumulator) == "integer":
        return None if separation.exact else "its integers are not a product of one factor of integers per axis"
    eps = dtypes.eps(accumulator)
    limit = tolerance(shape, eps)
    if separation.normwise > limit:
        return (
            f"its taps differ by {separation.normwise:.2g} of the largest from the nearest product of one factor per "
            f"axis{' and from every short sum of them' * (len(long_axes(shape)) == 2)}, more than {limit:.2g}"
        )
    if accuracy != "componentwise":
        return None
    if len(separation.terms) > 1:
        return f"it needs {len(separation.terms)} products, and accuracy='componentwise' allows one"
    taps = [n for n in shape if n > 1]
    allowed = min(limit, (prod(taps) + 2 - sum(taps)) * eps)
    error = separation.tapwise + len(taps) / 2 * eps  # factors are rounded once more
    if error > allowed:
        return (
            f"a tap differs by {error:.2g} of itself from the product, "
            f"and accuracy='componentwise' allows {allowed:.2g}"
        )
    return None


def balanced(term: Term, order: Sequence[int], accumulator: str) -> Term | None:
    """Return a term with sums of magnitudes of at most 1 for every factor but the last of `order`.

    So only the last pass can increase the data, and nothing overflows that is finite with the whole kernel. Powers of
    two are exact. None where a factor leaves the range of the dtype. Integers wrap, and are returned unchanged.
    """
    if dtypes.kind(accumulator) == "integer":
        return term
    factors, exponent = list(term), 0
    for axis in order[:-1]:
        shift = int(np.frexp(fsum(map(abs, factors[axis])))[1])
        factors[axis] = _scaled(factors[axis], -shift)
        exponent += shift
    try:
        factors[order[-1]] = _scaled(factors[order[-1]], exponent)
    except OverflowError:
        return None
    sizes = [abs(tap) for factor in factors for tap in factor if tap]
    smallest, largest = dtypes.tiny(accumulator), dtypes.half_range(accumulator)
    return tuple(factors) if all(smallest <= size <= largest for size in sizes) else None


def fills(term: Term, order: Sequence[int], fill: complex, *, conj: bool) -> tuple[complex, ...]:
    """Return the fill value of each pass: the call's fill times the sums of the factors of the passes before."""
    values = [fill]
    for axis in order[:-1]:
        values.append(values[-1] * _total(term[axis], conj))
    return tuple(values)


def _total(factor: Factor, conj: bool) -> complex:
    if all(isinstance(tap, int) for tap in factor):
        return sum(factor)
    if not any(isinstance(tap, complex) for tap in factor):
        return fsum(tap.real for tap in factor)
    imag = fsum(tap.imag for tap in factor)
    return complex(fsum(tap.real for tap in factor), -imag if conj else imag)


def _scaled(factor: Factor, exponent: int) -> Factor:
    return tuple(
        complex(ldexp(tap.real, exponent), ldexp(tap.imag, exponent))
        if isinstance(tap, complex)
        else ldexp(tap, exponent)
        for tap in factor
    )


def _measured(wide: Host, terms: tuple[Term, ...]) -> Separation:
    """Return terms with the difference of their sum from a kernel."""
    long = np.clongdouble if wide.dtype.kind == "c" else np.longdouble
    total: Any = sum(_outer_product([np.array(factor, dtype=long) for factor in term]) for term in terms)
    error, sizes = np.abs(total - wide), np.abs(wide).astype(np.longdouble)
    largest = sizes.max()
    if largest == 0:
        return Separation(terms, False, 0.0, 0.0)
    taps = sizes > 0
    tapwise = np.inf if (error[~taps] > 0).any() else float((error[taps] / sizes[taps]).max())
    return Separation(terms, False, tapwise, float(error.max() / largest))


def _outer_product(factors: Sequence[Any]) -> Any:
    return reduce(np.multiply.outer, factors)


def _fibers(values: Host, pivot: tuple[int, ...]) -> list[Any]:
    """Return the taps along each axis through the pivot."""
    return [values[(*pivot[:axis], slice(None), *pivot[axis + 1 :])] for axis in range(values.ndim)]


def _integer_product(values: Host) -> Term | None:
    """Return integers as a product of one factor of integers per axis, or None."""
    exact = values.astype(object)
    nonzero = np.argwhere(values)
    if not len(nonzero):
        return tuple((0,) * n for n in values.shape)
    pivot = tuple(int(place) for place in nonzero[0])
    low = values.astype(np.int64)  # a fast test first: equal integers are equal modulo 2**64
    if not (_outer_product(_fibers(low, pivot)) == low * low[pivot] ** (values.ndim - 1)).all():
        return None
    fibers = _fibers(exact, pivot)
    if not (_outer_product(fibers) == exact * exact[pivot] ** (values.ndim - 1)).all():
        return None
    factors = [[tap // gcd(*fiber) for tap in fiber] for fiber in fibers]  # primitive: without a common divisor
    common = exact[pivot] // prod(factor[place] for factor, place in zip(factors, pivot, strict=True))
    factors[0] = [common * tap for tap in factors[0]]
    return tuple(tuple(factor) for factor in factors)


def _product(wide: Host) -> Term:
    """Return the product of the fibers through the largest tap."""
    pivot: Any = np.unravel_index(np.argmax(np.abs(wide)), wide.shape)
    largest = wide[pivot]
    if largest == 0:
        return tuple((0.0,) * n for n in wide.shape)
    *others, last = _fibers(wide, pivot)
    return (*(tuple((fiber / largest).tolist()) for fiber in others), tuple(last.tolist()))


def _sum_of_products(wide: Host, limit: float, max_terms: int) -> Separation | None:
    """Return the shortest sum of products within `limit` of a kernel on two axes, None if it has over `max_terms`."""
    crosses = _crosses(wide, limit * np.abs(wide).max(), min((max_terms, *wide.shape)))
    if crosses is None:
        return None
    left, right = crosses
    q_left, r_left = np.linalg.qr(left)
    q_right, r_right = np.linalg.qr(right.T)
    a, sizes, b = np.linalg.svd(r_left @ r_right.T)
    columns, rows = q_left @ a, (b @ q_right.T) * sizes[:, None]
    for count in range(1, len(sizes) + 1):
        shortest = _measured(wide, _terms(columns.T[:count], rows[:count]))
        if shortest.normwise <= limit:
            return shortest
    # The crosses themselves have fewer roundings, but may cancel: passes keep the bound unless they do.
    weight = sum(np.linalg.norm(left, axis=0) * np.linalg.norm(right, axis=1))
    if weight > 2 * sqrt(len(sizes)) * np.linalg.norm(wide):
        return None
    by_crosses = _measured(wide, _terms(left.T, right))
    return by_crosses if by_crosses.normwise <= limit else None


def _terms(columns: Host, rows: Host) -> tuple[Term, ...]:
    pairs = zip(columns.tolist(), rows.tolist(), strict=True)
    return tuple((tuple(column), tuple(row)) for column, row in pairs)


def _crosses(matrix: Host, limit: float, max_terms: int) -> tuple[Host, Host] | None:
    """Return columns and rows whose product is within `limit` of a matrix, each pair through the largest residual."""
    residual, columns, rows = matrix.copy(), [], []
    while np.abs(residual).max() > limit:
        if len(columns) == max_terms:
            return None
        i, j = np.unravel_index(np.argmax(np.abs(residual)), residual.shape)
        columns.append(residual[:, j].copy())
        rows.append(residual[i] / residual[i, j])
        residual -= np.multiply.outer(columns[-1], rows[-1])
    return np.stack(columns, axis=1), np.stack(rows)
