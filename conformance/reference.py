"""The definition in exact arithmetic, with which every result of a target is compared.

    y[.., p] = sum over the summed labels and the taps k of  w[.., k] * X[.., stride*p + dilation*k - before]

X is x extended beyond its ends by the boundary, then upsampled: upsample-1 zeros between its samples. Numbers are
Python integers over a common power of two, so sums of any size are exact and nothing is rounded. No code is shared with
a target. `meta/test_reference.py` compares the definition with figures worked by hand and with literal nested loops.
"""

from math import prod
from typing import NamedTuple

import numpy as np


class Axis(NamedTuple):
    """One convolved axis, in integers."""

    size: int
    taps: int
    outputs: int
    before: int  # upsampled samples in front of x that output 0 reads
    stride: int = 1
    dilation: int = 1
    upsample: int = 1
    boundary: str = "constant"


class Problem(NamedTuple):
    """A call in labels: `space` maps a convolved label to its Axis; any other label is batch, group or channel."""

    x: tuple
    kernel: tuple
    y: tuple
    space: dict
    flip: bool = False
    conj: bool = False


class Exact(NamedTuple):
    """The exact result. Values are (real + 1j * imag) * 2**-shift, integers both."""

    real: np.ndarray
    imag: np.ndarray
    shift: int
    magnitude: np.ndarray  # |x| convolved with |w|
    contaminated: np.ndarray  # whether the window contains a NaN or an infinity
    terms: int  # products per output
    span: int  # samples of the extended x, over all convolved axes
    norm_x: float  # of the extended x
    norm_kernel: float

    @property
    def shape(self):
        return self.real.shape

    def reshaped(self, shape):
        """The same result with axes merged or split."""
        arrays = {name: getattr(self, name).reshape(shape) for name in ("real", "imag", "magnitude", "contaminated")}
        return self._replace(**arrays)

    @property
    def values(self):
        """The result in long doubles."""
        scale = np.ldexp(np.longdouble(1), -self.shift)
        real, imag = (part.astype(np.longdouble) * scale for part in (self.real, self.imag))
        return real + 1j * imag if np.any(imag) else real


def evaluate(problem, x, kernel, fill=0):
    """The exact result for host arrays; non-finite values count as zeros and contaminate outputs that read them."""
    bad_x, bad_kernel, bad_fill = (~np.isfinite(value) for value in (x, kernel, np.asarray(fill)))
    x, fill = np.where(bad_x, 0, x), 0 if bad_fill else fill
    kernel = np.where(bad_kernel, 0, kernel)
    (xr, xi, fr, fi), shift_x = integers(x.real, x.imag, np.real(fill), np.imag(fill))
    (wr, wi), shift_w = integers(kernel.real, kernel.imag)
    wi = -wi if problem.conj else wi

    def run(a, b, c):
        return bilinear(problem, a, b, c)

    real, imag = run(xr, wr, fr.item()), np.zeros((), dtype=object)
    if np.any(xi) or np.any(wi) or fi.item():
        real = real - run(xi, wi, fi.item())
        imag = run(xr, wi, fr.item()) + run(xi, wr, fi.item())
    wide_x, wide_w = np.abs(x).astype(np.longdouble), np.abs(kernel).astype(np.longdouble)
    contaminated = np.zeros(real.shape, dtype=bool)
    if bad_x.any() or bad_fill or bad_kernel.any():
        ones = np.ones(kernel.shape, dtype=int)
        contaminated = (
            run(bad_x.astype(int), ones, int(bad_fill)) + run(np.ones(x.shape, int), bad_kernel.astype(int), 1) > 0
        )
    return Exact(
        real,
        np.broadcast_to(imag, real.shape),
        shift_x + shift_w,
        run(wide_x, wide_w, np.longdouble(abs(fill))),
        contaminated,
        terms(problem, x.shape, kernel.shape),
        prod(_reach(axis) for axis in problem.space.values()),
        _extended_norm(problem, wide_x, abs(fill)),
        float(np.sqrt(np.sum(wide_w**2))),
    )


def bilinear(problem, x, kernel, fill=0):
    """The definition in whatever arithmetic the arrays have: products of taps and samples, added tap by tap."""
    labels = tuple(dict.fromkeys((*problem.x, *problem.kernel)))
    samples = _aligned(_extended(problem, x, fill), problem.x, labels)
    weights = _aligned(np.conj(kernel) if problem.conj else kernel, problem.kernel, labels)
    if problem.flip:
        weights = np.flip(weights, tuple(labels.index(label) for label in problem.space))
    y = 0
    for tap in np.ndindex(*(axis.taps for axis in problem.space.values())):
        taps = dict(zip(problem.space, tap, strict=True))
        read = tuple(_window(problem.space[label], taps[label]) if label in taps else slice(None) for label in labels)
        place = tuple(slice(taps[label], taps[label] + 1) if label in taps else slice(None) for label in labels)
        y = y + samples[read] * weights[place]
    y = np.asarray(y, np.result_type(samples, weights))
    summed = tuple(number for number, label in enumerate(labels) if label not in problem.y)
    order = [label for label in labels if label in problem.y]
    return np.transpose(np.asarray(y.sum(axis=summed), y.dtype), [order.index(label) for label in problem.y])


def _window(axis, tap):
    """The samples of X that a tap multiplies, one for each output."""
    first = axis.dilation * tap
    return slice(first, first + max(axis.stride * (axis.outputs - 1) + 1, 0), axis.stride)


def _aligned(array, own, labels):
    """The array with an axis for every label, of length 1 where it has none."""
    present = [label for label in labels if label in own]
    array = np.transpose(array, [own.index(label) for label in present])
    return np.expand_dims(array, [number for number, label in enumerate(labels) if label not in own])


def _extended(problem, x, fill):
    """X as the outputs read it: extended, and with zeros between the samples."""
    x = _with_fill_and_zero(problem, x, fill)
    for label, axis in problem.space.items():
        x = np.take(x, [_source(axis, read - axis.before) for read in range(_reach(axis))], axis=problem.x.index(label))
    return x


def _source(axis, position):
    """The index in x of the sample at a position of X; `size` for the fill, `size + 1` for an inserted zero."""
    if position % axis.upsample or not axis.outputs:
        return axis.size + 1
    return extended(position // axis.upsample, axis.size, axis.boundary)


def extended(position, size, boundary):
    """The index of the sample that the extension puts at `position`; `size` for the fill."""
    while not 0 <= position < size:
        if boundary == "constant":
            return size
        if boundary == "edge" or size == 1:
            return 0 if position < 0 else size - 1
        if boundary == "wrap":
            position += size if position < 0 else -size
        else:  # reflected about the end sample, or about its outer side
            ends = (0, 2 * (size - 1)) if boundary == "reflect" else (-1, 2 * size - 1)
            position = ends[position >= size] - position
    return position


def terms(problem, x_shape, kernel_shape):
    """Products per output: the taps times the labels that are summed away."""
    sizes = dict(zip((*problem.x, *problem.kernel), (*x_shape, *kernel_shape), strict=True))  # taps replace sizes
    return prod(size for label, size in sizes.items() if label in problem.space or label not in problem.y)


def _with_fill_and_zero(problem, x, fill):
    """x with two more samples on each convolved axis: the fill, and the zero between samples."""
    for value in (fill, 0):
        for label in problem.space:
            at = problem.x.index(label)
            shape = (*x.shape[:at], 1, *x.shape[at + 1 :])
            extra = np.full(shape, value, dtype=x.dtype)
            x = np.concatenate([x, extra], axis=at)
    return x


def _reach(axis):
    """Samples of the extended and upsampled axis that some output reads, from the first to the last.

    An axis without outputs has those of one.
    """
    return axis.stride * max(axis.outputs - 1, 0) + axis.dilation * (axis.taps - 1) + 1


def _extended_norm(problem, x, fill):
    for label, axis in problem.space.items():
        at = problem.x.index(label)
        extra = np.full((*x.shape[:at], 1, *x.shape[at + 1 :]), fill, dtype=x.dtype)
        first, stop = -axis.before // axis.upsample, (_reach(axis) - axis.before - 1) // axis.upsample + 1
        inside = range(min(first, 0), max(stop, axis.size))  # an unread sample may still enter a transform
        sources = [extended(position, axis.size, axis.boundary) for position in inside]
        x = np.take(np.concatenate([x, extra], axis=at), sources, axis=at)
    return float(np.sqrt(np.sum(x**2)))


def integers(*arrays):
    """The arrays as integers over one power of two, and its exponent."""
    arrays = [np.asarray(array) for array in arrays]
    flat = [[_ratio(value) for value in array.ravel().tolist()] for array in arrays]
    shift = max((bottom.bit_length() - 1 for ratios in flat for _, bottom in ratios), default=0)
    integers = []
    for array, ratios in zip(arrays, flat, strict=True):
        parts = np.empty(len(ratios), dtype=object)
        parts[:] = [top << (shift - bottom.bit_length() + 1) for top, bottom in ratios]
        integers.append(parts.reshape(array.shape))
    return integers, shift


def _ratio(value):
    return (value, 1) if isinstance(value, int) else value.as_integer_ratio()
