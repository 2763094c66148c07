"""Samples of a Gaussian and of its derivatives, as Python floats."""

from __future__ import annotations

import math

from arrayconv._runtime.capacity import check_numbers

MAX_SAMPLES = 1 << 24  # times derivatives: about ten seconds


def check_cost(function: str, sigma: str, radius: int, order: int) -> None:
    """Raise MemoryError for samples that would take minutes, or more memory than there is."""
    facts, count = f"radius {radius} and order {order}", (2 * radius + 1) * (order + 1)
    check_numbers(function, f"{sigma}, `truncate`, `radius` and `order`", count, facts, MAX_SAMPLES)


def gaussian(sigma: float, radius: int, order: int = 0) -> list[float]:
    """Return samples at -radius..radius of a derivative of g, whose samples sum to 1.

        g(n) = exp(-n**2 / (2 * sigma**2)) / sum_m exp(-m**2 / (2 * sigma**2))
        g_(k+1)(n) = -(n * g_k(n) + k * g_(k-1)(n)) / sigma**2

    `sigma` is not 0; only its square counts.
    """
    positions = range(-radius, radius + 1)
    weights = [math.exp(-0.5 * (n / sigma) * (n / sigma)) for n in positions]
    total = math.fsum(weights)
    previous, current = weights, [weight / total for weight in weights]
    for k in range(order):
        terms = zip(positions, current, previous, strict=True)
        previous, current = current, [-(n * g + k * p) / sigma / sigma for n, g, p in terms]
    return current
