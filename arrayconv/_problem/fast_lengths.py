"""Lengths that every library transforms quickly."""

from __future__ import annotations

from arrayconv._runtime.tracing import planning


@planning(4096)
def fast_length(least: int) -> int:
    """Return the smallest 2^a 3^b 5^c of at least `least`: lengths every library transforms quickly."""
    best = 1 << max(least - 1, 0).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            quotient = -(-least // three)
            best = min(best, three * (1 << max(quotient - 1, 0).bit_length()))
            three *= 3
        five *= 5
    return best
