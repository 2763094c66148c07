"""The definition of the conformance suite on exact numbers, for a `Spec` of the package and for calls by mode.

No code is shared with the package. Sums of integers and of dyadic fractions are exact, so a result is right or wrong,
and the error of a float can be measured.
"""

import numpy as np

from conformance import geometry, reference


class Dyadic:
    """number * 2**-shift, exactly: every finite float is one, and so are sums and products of them.

    Python's fractions do the same in six times the time, most of it for common divisors that nothing here needs.
    """

    __slots__ = ("number", "shift")
    imag = 0

    def __init__(self, number, shift=0):
        self.number, self.shift = number, shift

    @property
    def real(self):
        return self

    def __add__(self, other):
        if isinstance(other, int):
            return Dyadic(self.number + (other << self.shift), self.shift)
        if not isinstance(other, Dyadic):
            return NotImplemented
        difference = self.shift - other.shift
        if difference >= 0:
            return Dyadic(self.number + (other.number << difference), self.shift)
        return Dyadic((self.number << -difference) + other.number, other.shift)

    __radd__ = __add__

    def __neg__(self):
        return Dyadic(-self.number, self.shift)

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __mul__(self, other):
        if isinstance(other, int):
            return Dyadic(self.number * other, self.shift)
        if not isinstance(other, Dyadic):
            return NotImplemented
        return Dyadic(self.number * other.number, self.shift + other.shift)

    __rmul__ = __mul__

    def conjugate(self):
        return self

    def __float__(self):
        return self.number / (1 << self.shift)  # rounded once: Python divides integers exactly


def exact(array):
    """Return the array's numbers as Python ints, dyadic fractions or pairs of these, in an object array."""
    array = np.asarray(array)
    if array.dtype.kind == "c":
        return _each(Complex, exact(array.real), exact(array.imag))
    if array.dtype.kind in "iub":
        return array.astype(object) if array.ndim else np.array(int(array), object)
    ratios = [value.as_integer_ratio() for value in array.ravel().tolist()]
    shift = max((divisor.bit_length() - 1 for _, divisor in ratios), default=0)  # one for all: sums need no other
    out = np.empty(array.size, dtype=object)
    out[:] = [Dyadic(number << (shift - divisor.bit_length() + 1), shift) for number, divisor in ratios]
    return out.reshape(array.shape)


def _each(make, *arrays):
    out = np.empty(arrays[0].size, dtype=object)
    out[:] = [make(*values) for values in zip(*(array.ravel() for array in arrays), strict=True)]
    return out.reshape(arrays[0].shape)


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
    return _summed(_problem(spec), x, w, fill)


def magnitudes(x, w, spec, fill=0):
    """Return the sums of the products' magnitudes, which error bounds are made of, in long doubles."""
    wide = (np.abs(array).astype(np.longdouble) for array in (x, w))
    sums = reference.bilinear(_problem(spec._replace(conj=False)), *wide, np.longdouble(abs(fill)))
    return sums.astype(float)


def _problem(spec):
    space = {number: reference.Axis(**axis._asdict()) for number, axis in enumerate(spec.axes)}
    x_labels, w_labels, y_labels = (tuple(labels) + tuple(space) for labels in ("bgc", "goc", "bgo"))
    return reference.Problem(x_labels, w_labels, y_labels, space, spec.flip, spec.conj)


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
