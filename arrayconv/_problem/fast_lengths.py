"""Lengths of which every library computes the FFT quickly."""

from __future__ import annotations

from arrayconv._runtime.tracing import planning


@planning(4096)
def fast_length(min_length: int) -> int:
    """Return the smallest 2^a 3^b 5^c that is at least `min_length`."""
    best = 1 << max(min_length - 1, 0).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            quotient = -(-min_length // three)
            best = min(best, three * (1 << max(quotient - 1, 0).bit_length()))
            three *= 3
        five *= 5
    return best
