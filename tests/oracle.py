"""The definition of the conformance suite on exact numbers, for a `Spec` of the package and for calls by mode.

No code is shared with the package. Sums of integers and fractions are exact, so a result is right or wrong, and the
error of a float can be measured.
"""

from fractions import Fraction

import numpy as np

from conformance import geometry, reference


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
    """An exact complex number, with the operators of a sum of products."""

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
    """Return the index of the sample at `position` of an extended axis, None for the constant."""
    index = reference.extended(position, size, boundary)
    return None if index == size else index


def operation(x, w, spec, fill=0):
    """Return y of the design's equation for x (batch, groups, channels, *n), w (groups, filters, channels, *k)."""
    space = {number: reference.Axis(**axis._asdict()) for number, axis in enumerate(spec.axes)}
    x_labels, w_labels, y_labels = (tuple(labels) + tuple(space) for labels in ("bgc", "goc", "bgo"))
    return _summed(reference.Problem(x_labels, w_labels, y_labels, space, spec.flip, spec.conj), x, w, fill)


def convolve(x, kernel, mode="full", *, fill=0, **options):
    """Return ``y[n] = sum_k kernel[k] * X[n - dilation*k]`` over all axes, for arrays of equal ndim."""
    return _of_call("convolve", x, kernel, fill, {"mode": mode, **options})


def correlate(x, kernel, mode="full", *, fill=0, **options):
    """Return ``y[l] = sum_n X[l + dilation*n] * conj(kernel[n])`` over all axes, for arrays of equal ndim."""
    return _of_call("correlate", x, kernel, fill, {"mode": mode, **options})


def _of_call(function, x, kernel, fill, options):
    """Return the result of a call; an option per axis may be a list."""
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    return _summed(geometry.problem(function, x.shape, kernel.shape, options), x, kernel, fill)


def _summed(problem, x, w, fill):
    return reference.bilinear(problem, x, w, exact(fill).item())


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
