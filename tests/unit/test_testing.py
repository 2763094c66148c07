"""The public reference equals the oracle of these tests exactly, on integers and fractions."""

import itertools

import numpy as np
import pytest

from arrayconv._problem.boundary import BOUNDARIES
from arrayconv.testing import reference
from tests import oracle

GEOMETRIES = list(itertools.product((1, 2, 5), (1, 3), (1, 2), BOUNDARIES))  # taps, stride, dilation, boundary


def numbers(shape, dtype):
    """Return integers beyond 32 bits, or halves: their products are exact in longdouble too."""
    random = np.random.default_rng(len(shape))
    if dtype == "int64":
        return random.integers(-(2**62), 2**62, shape)
    values = random.integers(-99, 99, (2, *shape)) / 2
    return values[0] + 1j * values[1] if dtype == "complex128" else values[0]


def agree(function, x, kernel, mode="full", *, fill=0, **options):
    """Raise AssertionError unless the two are equal."""
    expected = getattr(oracle, function)(oracle.exact(x), oracle.exact(kernel), mode, fill=fill, **options)
    y = reference(function, x, kernel, mode, fill_value=fill, **options)
    if x.dtype.kind != "i":
        y, expected = y.astype(complex), oracle.rounded(expected).astype(complex)
    assert y.tolist() == expected.tolist(), (function, mode, options)


@pytest.mark.parametrize("dtype", ["int64", "float64", "complex128"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("function", ["convolve", "correlate"])
def test_lines(function, mode, dtype):
    for taps, stride, dilation, boundary in GEOMETRIES:
        options = {"stride": stride, "dilation": dilation, "boundary": boundary}
        agree(function, numbers((11,), dtype), numbers((taps,), dtype), mode, fill=3, **options)


@pytest.mark.parametrize("function", ["convolve", "correlate"])
def test_planes(function):
    for boundaries in itertools.product(BOUNDARIES, repeat=2):
        options = {"stride": (2, 1), "dilation": (1, 2), "boundary": boundaries}
        agree(function, numbers((5, 4), "int64"), numbers((2, 3), "int64"), "full", **options)


def test_numbers_are_arrays_without_axes():
    y = reference("convolve", np.asarray(2**40), np.asarray(2**40))
    assert (y.shape, y.dtype, y.item()) == ((), np.dtype(object), 2**80)


@pytest.mark.parametrize("lags", [(-3, 3), (-2, 4), (2, 5), (-9, -4), (-30, 30)])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_lags(lags, boundary):
    x, kernel = numbers((11,), "complex128"), numbers((4,), "complex128")
    expected = oracle.correlate(oracle.exact(x), oracle.exact(kernel), boundary=boundary, lags=[lags])
    y = reference("correlate", x, kernel, boundary=boundary, lags=lags)
    assert y.astype(complex).tolist() == oracle.rounded(expected).tolist()
