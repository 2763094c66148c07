"""Chains of passes in integers: windows one after the other, each along some axes of what the one before it wrote.

A pass sums in float64 (real or complex) and its results are rounded to the dtype of y before the next one reads them,
as if they had been stored. Several chains of the same samples may be combined.

The passes of a filter extend what they read along their own axis, and keep its shape. Those of one kernel, a sum of
products, compute one convolution: x is extended along all axes before the first pass, outputs may be fewer or more than
samples, and integers wrap.
"""

from __future__ import annotations

from itertools import product
from typing import Literal, NamedTuple

from arrayconv._problem.boundary import reads_samples
from arrayconv._problem.spec import Axis

Combination = Literal["", "sum", "length"]  # none of one chain; the root of the summed squares


class Window(NamedTuple):
    """One pass: the kernel's axes of x, and the terms in order."""

    axes: tuple[int, ...]
    windows: tuple[Axis, ...]  # one per axis
    flip: bool = False
    divisor: int = 1  # of sums of equal weights: their mean
    sparse: tuple[tuple[int, ...], ...] = ()  # the positions of the terms in the window, () for all of them

    @property
    def positions(self) -> tuple[tuple[int, ...], ...]:
        """The sample of every term, from the start of the window."""
        if self.sparse:
            return self.sparse
        return tuple(product(*(range(0, axis.reach, axis.dilation) for axis in self.windows)))


class Chains(NamedTuple):
    """Chains of passes over x of one shape; every chain filters the same axes, in one order."""

    shape: tuple[int, ...]
    chains: tuple[tuple[Window, ...], ...]
    x: str  # dtype names; of integers and real numbers, or both complex
    y: str
    combine: Combination = ""
    is_one_kernel: bool = False

    @property
    def filtered(self) -> dict[int, tuple[int, Axis]]:
        """The pass of each chain that filters an axis, and the window along it."""
        return {
            axis: (number, along)
            for number, window in enumerate(self.chains[0])
            for axis, along in zip(window.axes, window.windows, strict=True)
        }

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of y."""
        filtered = self.filtered
        return tuple([filtered[axis][1].outputs if axis in filtered else n for axis, n in enumerate(self.shape)])


def is_regular(chains: Chains) -> bool:
    """Whether no axis is filtered twice in a chain, all chains filter alike, and every boundary has a sample."""
    first = [window.axes for window in chains.chains[0]]
    numbers = [axis for axes in first for axis in axes]
    if len(set(numbers)) < len(numbers) or any([w.axes for w in chain] != first for chain in chains.chains):
        return False
    if any([w.windows for w in chain] != [w.windows for w in chains.chains[0]] for chain in chains.chains):
        return False
    return all(along.size or not reads_samples(along.boundary) for _, along in chains.filtered.values())
