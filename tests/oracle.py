"""The definition, as slow as it is plain: nested loops over exact integers and fractions, any number of axes.

Nothing here is shared with the package: extension is stated sample by sample, 'same' by its position in 'full',
and sums are exact, so an answer is right or wrong and a float's error can be measured.
"""

from fractions import Fraction

import numpy as np


def exact(array):
    """Return the array's numbers as Python ints, Fractions or pairs of Fractions, in an object array."""
    array = np.asarray(array)
    out = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        value = array[index].item()
        if isinstance(value, complex):
            out[index] = Complex(Fraction(value.real), Fraction(value.imag))
        else:
            out[index] = value if isinstance(value, int) else Fraction(value)
    return out


class Complex:
    """An exact complex number: just what a sum of products needs."""

    def __init__(self, real, imag=0):
        self.real, self.imag = real, imag

    def __add__(self, other):
        return Complex(self.real + other.real, self.imag + other.imag)

    __radd__ = __add__

    def __mul__(self, other):
        return Complex(
            self.real * other.real - self.imag * other.imag,
            self.real * other.imag + self.imag * other.real,
        )

    __rmul__ = __mul__

    def conjugate(self):
        return Complex(self.real, -self.imag)

    def __complex__(self):
        return complex(float(self.real), float(self.imag))


def source(position, size, boundary):
    """Return which sample stands at `position` of an extended axis, None for the constant."""
    if 0 <= position < size:
        return position
    if boundary == "constant":
        return None
    if boundary == "edge":
        return 0 if position < 0 else size - 1
    if boundary == "wrap":
        return position % size
    while not 0 <= position < size:  # fold at the ends until inside
        if size == 1:
            return 0
        if position < 0:
            position = -position - (boundary == "symmetric")
        else:
            position = 2 * (size - 1) - position + (boundary == "symmetric")
    return position


def sample(x, positions, boundaries, fill):
    """Return X at `positions` (spatial), x extended one axis after the other."""
    places = [source(p, n, b) for p, n, b in zip(positions, x.shape, boundaries, strict=True)]
    return fill if None in places else x[tuple(places)]


def operation(x, w, spec, fill=0):
    """Return y of design equation for x (batch, groups, channels, *n), w (groups, filters, channels, *k)."""
    y = np.empty(spec.output_shape, dtype=object)
    boundaries = [axis.boundary for axis in spec.axes]
    for b, g, o, *p in np.ndindex(spec.output_shape):
        total = 0
        for c, *k in np.ndindex((spec.channels, *spec.kernel_size)):
            at = [a.stride * i + a.dilation * j - a.before for a, i, j in zip(spec.axes, p, k, strict=True)]
            if any(position % a.upsample for position, a in zip(at, spec.axes, strict=True)):
                continue  # between samples stand zeros
            at = [position // a.upsample for position, a in zip(at, spec.axes, strict=True)]
            tap = [a.taps - 1 - j for a, j in zip(spec.axes, k, strict=True)] if spec.flip else k
            weight = w[(g, o, c, *tap)]
            weight = weight.conjugate() if spec.conj else weight
            total = total + weight * sample(x[b, g, c, ...], at, boundaries, fill)
        y[(b, g, o, *p)] = total
    return y


def convolve(x, kernel, mode="full", *, boundary="constant", fill=0, stride=1, dilation=1):
    """Return ``y[n] = sum_k kernel[k] * X[n - dilation*k]`` over all axes, for arrays of equal ndim."""
    return _swept(x, kernel, -1, mode, boundary, fill, stride, dilation)


def correlate(x, kernel, mode="full", *, boundary="constant", fill=0, stride=1, dilation=1, lags=None):
    """Return ``y[l] = sum_n X[l + dilation*n] * conj(kernel[n])`` over all axes, for arrays of equal ndim."""
    conjugated = np.empty(kernel.shape, dtype=object)
    for index in np.ndindex(kernel.shape):
        conjugated[index] = kernel[index].conjugate()
    return _swept(x, conjugated, 1, mode, boundary, fill, stride, dilation, lags)


def _swept(x, kernel, sign, mode, boundary, fill, stride, dilation, lags=None):
    def each(value):
        return value if isinstance(value, (list, tuple)) else (value,) * x.ndim

    boundaries, strides, dilations = each(boundary), each(stride), each(dilation)
    positions = []
    for axis, (n, k) in enumerate(zip(x.shape, kernel.shape, strict=True)):
        reach = dilations[axis] * (k - 1) + 1
        first = 0 if sign < 0 else -(reach - 1)  # of 'full'
        wanted = range(first, first + n + reach - 1)
        if lags is not None:
            wanted = range(lags[axis][0], lags[axis][1] + 1)
        elif mode == "same":
            start = (reach - 1) // 2 if sign < 0 else -(reach // 2)
            wanted = range(start, start + n)
        elif mode == "valid":
            start = reach - 1 if sign < 0 else 0
            wanted = range(start, start + n - reach + 1)
        positions.append(wanted[:: strides[axis]])
    y = np.empty([len(wanted) for wanted in positions], dtype=object)
    for index in np.ndindex(y.shape):
        total = 0
        for tap in np.ndindex(kernel.shape):
            at = [positions[a][i] + sign * dilations[a] * tap[a] for a, i in enumerate(index)]
            total = total + kernel[tap] * sample(x, at, boundaries, fill)
        y[index] = total
    return y


def wrapped(y, dtype):
    """Return exact integers modulo the width of an integer dtype, as that dtype."""
    info = np.iinfo(dtype)
    span = info.max - info.min + 1
    flat = [(int(value) - info.min) % span + info.min for value in y.ravel()]
    return np.array(flat, dtype=dtype).reshape(y.shape)


def rounded(y):
    """Return exact numbers as the nearest float64 or complex128."""
    flat = [complex(v) if isinstance(v, Complex) else float(v) for v in y.ravel()]
    return np.array(flat).reshape(y.shape) if flat else np.zeros(y.shape)


def magnitudes(array):
    """Return |values| as exact numbers no smaller than they are: |real| + |imag| for complex ones."""
    out = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        value = array[index]
        out[index] = abs(value.real) + abs(value.imag) if isinstance(value, Complex) else abs(value)
    return out
