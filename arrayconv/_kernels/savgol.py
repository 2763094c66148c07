"""Savitzky-Golay weights: the derivative at a position of the polynomial fitted to a window by least squares.

With the monic polynomials P_0, P_1, ... that are orthogonal on the window's positions t_j = j - (n - 1) / 2,

    w_j = sum_m  P_m^(deriv)(t) * P_m(t_j) / sum_i P_m(t_i)**2,      P_(m+1) = t * P_m - b_m * P_(m-1),
    b_m = m**2 * (n**2 - m**2) / (4 * (4 * m**2 - 1))

All are rational numbers: they are computed as such, and each weight is rounded once.
"""

from __future__ import annotations

import math
from fractions import Fraction
from operator import mul
from typing import NamedTuple

from arrayconv._errors import check_option, shown
from arrayconv._problem.axes import integer, real
from arrayconv._runtime.capacity import check_numbers
from arrayconv._runtime.tracing import planning

Rows = tuple[tuple[float, ...], ...]

_MAX_STEPS = 10**6  # of exact arithmetic: more take longer than about a second


class Fit(NamedTuple):
    """The fit of polynomials to a window, and which of its derivatives is read."""

    window_length: int
    polyorder: int
    deriv: int
    delta: float


def checked(function: str, window_length: object, polyorder: object, deriv: object, delta: object) -> Fit:
    """Return the arguments of a fit; raises ValueError for those that define none."""
    length, order = integer(function, "window_length", window_length), integer(function, "polyorder", polyorder)
    derivative, spacing = integer(function, "deriv", deriv), real(function, "delta", delta)
    if length < 1 or order < 0:
        raise ValueError(
            f"{function}: `window_length` must be at least 1 and `polyorder` at least 0. "
            f"Got window_length={length}, polyorder={order}."
        )
    if order >= length:
        raise ValueError(
            f"{function}: polyorder must be less than window_length. Got polyorder={order}, window_length={length}."
        )
    if derivative < 0:
        raise ValueError(f"{function}: `deriv` must be at least 0. Got {derivative}.")
    if not math.isfinite(spacing) or not spacing:
        raise ValueError(f"{function}: `delta` must be finite and not 0. Got {shown(delta)}.")
    check_numbers(function, "`window_length`", length, f"window_length={length}")
    if length * (order + 1) ** 2 > _MAX_STEPS:
        raise ValueError(
            f"{function}: `window_length` * (`polyorder` + 1)**2 must be at most {_MAX_STEPS}: the weights are exact "
            f"fractions. Got window_length={length}, polyorder={order}. Use a lower order or a shorter window."
        )
    return Fit(length, order, min(derivative, order + 1), spacing)  # derivatives above the order are all 0


def position_of(function: str, fit: Fit, pos: object) -> float:
    """Return where in its window a fit is evaluated: the centre for None."""
    if pos is None:
        return (fit.window_length - 1) / 2
    place = real(function, "pos", pos)
    if not 0 <= place < fit.window_length:
        raise ValueError(
            f"{function}: pos must be nonnegative and less than window_length. "
            f"Got pos={place}, window_length={fit.window_length}."
        )
    return place


def check_use(function: str, use: object) -> None:
    """Raise ValueError unless `use` is 'conv' or 'dot'."""
    check_option(function, "use", use, ("conv", "dot"))


@planning()
def weights(fit: Fit, pos: float) -> tuple[float, ...]:
    """Return the weights that multiply the samples of a window, in their order."""
    basis, scale = _polynomials(fit), 1 / Fraction(fit.delta) ** fit.deriv
    factors = [
        scale * value / (each.norm * each.denominator)
        for value, each in zip(_derivatives(fit, pos), basis, strict=True)
    ]
    common = math.lcm(*[factor.denominator for factor in factors])
    whole = [factor.numerator * (common // factor.denominator) for factor in factors]
    columns = zip(*[each.values for each in basis], strict=True)
    return tuple([_quotient(sum(map(mul, whole, column)), common) for column in columns])


@planning()
def factors(fit: Fit, positions: tuple[int, ...]) -> tuple[Rows, Rows]:
    """Return the weights of the fit's values at several positions, as two factors.

    ``w[i, j] = sum_m values[i][m] * projections[m][j]``: the window's coefficients in the polynomials P_m, and the
    polynomials at the positions. Each P_m is divided by a power of two near its largest value.
    """
    basis, scale = _polynomials(fit), 1 / Fraction(fit.delta) ** fit.deriv
    units = [Fraction(2) ** _exponent(max(map(abs, each.values)), each.denominator) for each in basis]
    projections = tuple(
        tuple([float(Fraction(value, each.denominator) * unit / each.norm) for value in each.values])
        for each, unit in zip(basis, units, strict=True)
    )
    values = tuple(
        tuple([float(scale * value / unit) for value, unit in zip(_derivatives(fit, place), units, strict=True)])
        for place in positions
    )
    return values, projections


def _exponent(numerator: int, denominator: int) -> int:
    return numerator.bit_length() - denominator.bit_length()


def _quotient(numerator: int, denominator: int) -> float:
    """Return a quotient of integers, rounded once."""
    try:
        return numerator / denominator
    except OverflowError:
        return math.copysign(math.inf, numerator)


class _Polynomial(NamedTuple):
    """P_m on the positions of a window, as integers over a common denominator, and the sum of its squares."""

    values: list[int]
    denominator: int
    norm: Fraction


def _recurrence(length: int, order: int) -> Fraction:
    """Return b_m; times the norm of P_(m-1) it is that of P_m."""
    return Fraction(order**2 * (length**2 - order**2), 4 * (4 * order**2 - 1))


def _polynomials(fit: Fit) -> list[_Polynomial]:
    length = fit.window_length
    doubled = range(1 - length, length, 2)  # 2 t_j
    basis = [_Polynomial([1] * length, 1, Fraction(length))]
    for order in range(1, fit.polyorder + 1):
        last, before = basis[-1], basis[-2] if order > 1 else _Polynomial([0] * length, 1, Fraction(0))
        b = _recurrence(length, order - 1) if order > 1 else Fraction(0)
        common = math.lcm(2 * last.denominator, b.denominator * before.denominator)
        first, second = common // (2 * last.denominator), common // (b.denominator * before.denominator) * b.numerator
        values = [first * t * p - second * q for t, p, q in zip(doubled, last.values, before.values, strict=True)]
        shared = math.gcd(common, *values)
        norm = last.norm * _recurrence(length, order)
        basis.append(_Polynomial([value // shared for value in values], common // shared, norm))
    return basis


def _derivatives(fit: Fit, pos: float) -> list[Fraction]:
    """Return the derivative of each P_m at a position of the window."""
    t = Fraction(pos) - Fraction(fit.window_length - 1, 2)
    before, current = [Fraction(0)] * (fit.deriv + 1), [Fraction(1), *[Fraction(0)] * fit.deriv]
    result = [current[-1]]
    for order in range(1, fit.polyorder + 1):
        b = _recurrence(fit.window_length, order - 1) if order > 1 else Fraction(0)
        following = [t * current[d] + (d * current[d - 1] if d else 0) - b * before[d] for d in range(fit.deriv + 1)]
        before, current = current, following
        result.append(current[-1])
    return result
