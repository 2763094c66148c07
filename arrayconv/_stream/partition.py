"""How a long kernel is partitioned, and what that costs: integers only.

Uniform partitions all have the size of a block; a spectrum of every block is kept for as many blocks as there are
partitions (a frequency-domain delay line), so that a block needs one transform, one product per partition, and one
inverse. Non-uniform partitions of two sizes have few short ones, which keep the latency, and long ones for the rest of
the taps. A long partition begins late enough that its block is complete before its first output is due.

Sources: Stockham 1966 for the blocks; Kulp, Digital equalization using Fourier transform techniques, AES Convention 85,
1988, and Wefers, Partitioned convolution algorithms for real-time auralization, 2015, for uniform partitions and the
delay line; Gardner, Efficient convolution without input-output delay, J. Audio Eng. Soc. 43(3), 1995, for non-uniform.
"""

from __future__ import annotations

from math import log2
from typing import NamedTuple

from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import primitive_costs
from arrayconv._ops import spectral
from arrayconv._problem.spec import Spec

_SMALLEST, _LARGEST = 16, 1 << 16  # blocks tried
_CALLS = 24  # calls of array functions per block
SLACK = 1.25  # times the least time: a shorter block is chosen within it
_WORST = 2  # times that of uniform partitions: the longest push of non-uniform ones


class Partition(NamedTuple):
    """`blocks` partitions of `block` taps each, from tap `first` of the reversed kernel."""

    block: int
    first: int
    blocks: int


class Choice(NamedTuple):
    """Partitions, the predicted nanoseconds per sample, and those of the longest push of one block."""

    partitions: tuple[Partition, ...]
    sample_ns: float
    worst_ns: float

    @property
    def block(self) -> int:
        """Samples from one result to the next."""
        return self.partitions[0].block


def why_not(spec: Spec, traits: Traits) -> str | None:
    """Return why a kernel can't be partitioned; None if it can."""
    if len(spec.axes) != 1:
        return "the kernel runs along several axes"
    if traits.backend != "numpy" or not traits.readable:
        return (
            f"delay lines are written in place, in memory that NumPy reads, not of {traits.library} on {traits.device}"
        )
    return "integers must be exact" if traits.exact else None


def choose(spec: Spec, traits: Traits, max_latency: int | None) -> Choice | None:
    """Return the partitions for a latency: the shortest block that is not slower; None where none is short enough."""
    reach = spec.axes[0].reach
    longest = _LARGEST if max_latency is None else min(max_latency + 1, _LARGEST)
    blocks = [1 << n for n in range(_SMALLEST.bit_length() - 1, longest.bit_length()) if 1 << n <= longest]
    if max_latency is not None:
        blocks = blocks[-1:]  # shorter ones take longer, except for kernels shorter than a block
    options = [_best(spec, traits, block, reach) for block in blocks]
    least = min((option.sample_ns for option in options), default=0)
    return next((option for option in options if option.sample_ns <= SLACK * least), None)


def _best(spec: Spec, traits: Traits, block: int, reach: int) -> Choice:
    """Return uniform partitions, or non-uniform ones of which less time per sample is predicted."""
    uniform = _choice(spec, traits, (Partition(block, 0, -(-reach // block)),))
    options = [uniform]
    large = 2 * block
    while large <= _LARGEST and large - block < reach:
        first = large - block
        parts = Partition(block, 0, first // block), Partition(large, first, -(-(reach - first) // large))
        option = _choice(spec, traits, parts)
        if option.worst_ns <= _WORST * uniform.worst_ns:
            options.append(option)
        large *= 2
    return min(options, key=lambda option: option.sample_ns)


def _choice(spec: Spec, traits: Traits, partitions: tuple[Partition, ...]) -> Choice:
    costs = [_block_ns(spec, traits, part) for part in partitions]
    mean = sum(cost / part.block for cost, part in zip(costs, partitions, strict=True))
    return Choice(partitions, mean, sum(costs))


def _block_ns(spec: Spec, traits: Traits, part: Partition) -> float:
    """Return the predicted nanoseconds of one block of a partition size."""
    rate, rows = primitive_costs(traits.row), spec.batch * spec.groups
    size, length = spectral.working_itemsize(traits), 2 * part.block
    transforms = rows * (spec.channels + spec.filters) * length * log2(length) * rate.fft_point * size / 4
    frequencies = length if not spectral.is_real(traits) else length / 2 + 1
    products = rows * spec.channels * spec.filters * part.blocks * frequencies
    return _CALLS * rate.call_ns + (transforms + products * size * rate.pass_byte) / 1000
