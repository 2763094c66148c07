"""The one operation, in integers.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * X[b, g, c, stride*p + dilation*k - before]

`X` is x (batch, groups, channels, *n) extended beyond its ends by each axis' boundary, then upsampled
(`upsample - 1` zeros between samples); `before` counts upsampled samples and may be negative. It is a
correlation: with `flip` and `conj`, w (groups, filters, channels, *k) is flipped and conjugated first.
Everything is hashable and contains no array; the fill value is an operand, not a part of the problem.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from arrayconv._problem.boundary import Boundary, wraps


class Axis(NamedTuple):
    """One convolved axis: its sizes, and the integers that map an output position and a tap to a sample."""

    size: int
    taps: int
    outputs: int
    stride: int = 1
    dilation: int = 1
    upsample: int = 1
    before: int = 0
    boundary: Boundary = "constant"

    @property
    def reach(self) -> int:
        """Samples that a window spans: dilation * (taps - 1) + 1."""
        return self.dilation * (self.taps - 1) + 1

    @property
    def upsampled_size(self) -> int:
        """Samples with the zeros inserted between them: upsample * (size - 1) + 1."""
        return self.upsample * (self.size - 1) + 1 if self.size else 0

    @property
    def leaves_data(self) -> bool:
        """Whether some output reads beyond the ends."""
        lo, hi = self.span(0, self.outputs)
        return lo < 0 or hi > self.upsampled_size

    @property
    def wraps_around(self) -> bool:
        """Whether some output reads beyond the ends of an axis whose boundary is 'wrap'."""
        return wraps(self.boundary) and self.leaves_data

    def span(self, first: int, stop: int) -> tuple[int, int]:
        """Return the upsampled positions [lo, hi) that outputs `first <= p < stop` read."""
        return self.stride * first - self.before, self.stride * (stop - 1) + self.reach - self.before


class Spec(NamedTuple):
    """The whole operation: counts, one Axis per spatial axis, and whether the kernel is flipped or conjugated."""

    batch: int
    groups: int
    channels: int
    filters: int
    axes: tuple[Axis, ...]
    flip: bool = False
    conj: bool = False

    @property
    def input_size(self) -> tuple[int, ...]:
        """Samples per spatial axis of x."""
        return tuple(axis.size for axis in self.axes)

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """Taps per spatial axis of w."""
        return tuple(axis.taps for axis in self.axes)

    @property
    def output_size(self) -> tuple[int, ...]:
        """Outputs per spatial axis of y."""
        return tuple(axis.outputs for axis in self.axes)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of x: (batch, groups, channels, *input_size)."""
        return (self.batch, self.groups, self.channels, *self.input_size)

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """Shape of w: (groups, filters, channels, *kernel_size)."""
        return (self.groups, self.filters, self.channels, *self.kernel_size)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of y: (batch, groups, filters, *output_size)."""
        return (self.batch, self.groups, self.filters, *self.output_size)

    @property
    def taps(self) -> int:
        """Taps of one filter in one channel."""
        return prod(self.kernel_size)

    @property
    def outputs(self) -> int:
        """Elements of y."""
        return prod(self.output_shape)

    @property
    def terms(self) -> int:
        """Products summed into one output."""
        return self.taps * self.channels

    @property
    def macs(self) -> int:
        """Multiply-adds of the definition."""
        return self.outputs * self.terms
