"""Samples of a Gaussian and of its derivatives, as Python floats."""

from __future__ import annotations

import math

from arrayconv._runtime.capacity import check_numbers

MOST = 1 << 24  # samples times derivatives: some ten seconds


def check_cost(function: str, sigma: str, radius: int, order: int) -> None:
    """Raise MemoryError for samples that would take minutes, or more memory than there is."""
    facts = f"radius {radius} and order {order}"
    check_numbers(function, f"{sigma}, `truncate`, `radius` and `order`", (2 * radius + 1) * (order + 1), facts, MOST)


def gaussian(sigma: float, radius: int, order: int = 0) -> list[float]:
    """Return samples at -radius..radius of a derivative of g, whose own samples add up to 1.

        g(n) = exp(-n**2 / (2 * sigma**2)) / sum_m exp(-m**2 / (2 * sigma**2))
        g_(k+1)(n) = -(n * g_k(n) + k * g_(k-1)(n)) / sigma**2

    `sigma` is not 0; only its square counts.
    """
    positions = range(-radius, radius + 1)
    weights = [math.exp(-0.5 * (n / sigma) * (n / sigma)) for n in positions]
    total = math.fsum(weights)
    before, now = weights, [weight / total for weight in weights]
    for k in range(order):
        before, now = now, [-(n * g + k * b) / sigma / sigma for n, g, b in zip(positions, now, before, strict=True)]
    return now
