"""The five boundaries, of any width, with every mode; SciPy as a second opinion where it is right."""

import numpy as np
import pytest

from . import asserts, bounds
from .cases import shapes
from .checks import check_random, described, exact_result, invoke, random_operands

FUNCTIONS = ("function", shapes.FUNCTIONS)


@pytest.mark.cross(("row", shapes.EXTENDED), FUNCTIONS, ("boundary", shapes.BOUNDARIES), ("mode", shapes.MODES[:2]))
def test_boundary(subject, row, function, boundary, mode):
    _, x, kernel, options = row
    check_random(subject, function, x, kernel, mode=mode, boundary=boundary, **options)


@pytest.mark.cross(("row", shapes.MIXED), FUNCTIONS, ("mode", shapes.MODES[:2]))
def test_boundary_per_axis(subject, row, function, mode):
    _, x, kernel, options = row
    check_random(subject, function, x, kernel, mode=mode, **options)


@pytest.mark.cross(("boundary", shapes.BOUNDARIES), ("row", shapes.LONG_EXTENDED), FUNCTIONS)
def test_long_kernels(subject, row, function, boundary):
    _, x, kernel, options = row
    check_random(subject, function, x, kernel, mode="same", boundary=boundary, **options)


@pytest.mark.cross(FUNCTIONS, ("boundary", shapes.BOUNDARIES[1:]))
def test_valid_extends_nothing(subject, function, boundary):
    check_random(subject, function, (8,), (3,), mode="valid", boundary=boundary, fill_value=1)


@pytest.mark.cross(("boundary", shapes.BOUNDARIES), ("dtype", ("uint8", "int64", "complex")))
def test_other_kinds(subject, boundary, dtype):
    """An exact fill, an exact mirror: integers and complex numbers."""
    name = subject.backend.complex if dtype == "complex" else dtype
    if not subject.backend.has(name):
        pytest.skip(f"{subject.backend.name} has no {name} on {subject.backend.device_name}")
    fill = 1 - 2j if dtype == "complex" else 7
    check_random(subject, "correlate", (3, 4), (4, 6), (name, name), boundary=boundary, fill_value=fill)


def _compare(subject, function, x, kernel, options, other):
    call = described(function, x, kernel, options)
    out = subject.backend.host(invoke(subject, function, (), x, kernel, options))
    bound = bounds.allowed(exact_result(function, x.host, kernel.host, options), subject.backend.real, "normwise")
    asserts.within(out, other, 2 * bound, call)


NDIMAGE_ROWS = [("1d", (9,), (3,)), ("wider", (4,), (9,)), ("2d", (6, 5), (3, 5)), ("even", (7, 6), (2, 4))]


@pytest.mark.cross(("row", NDIMAGE_ROWS), ("boundary", shapes.BOUNDARIES), FUNCTIONS)
def test_agrees_with_ndimage(subject, row, boundary, function):
    """scipy.ndimage centres an even convolution one sample later; origin -1 brings it back."""
    ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")
    _, x_shape, kernel_shape = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, (subject.backend.real,) * 2)
    origin = [-1 if function == "convolve" and size % 2 == 0 else 0 for size in kernel_shape]
    wide = (np.asarray(x.host, "float64"), np.asarray(kernel.host, "float64"))
    other = getattr(ndimage, function)(*wide, mode=shapes.NDIMAGE[boundary], cval=1.5, origin=origin)
    options = {"mode": "same", "boundary": boundary, "fill_value": 1.5}
    _compare(subject, function, x, kernel, options, other)


@pytest.mark.cross(
    ("boundary", tuple(shapes.SIGNAL)),
    ("mode", shapes.MODES[:2]),
    ("kernel", ((3, 3), (2, 5), (6, 5), (15, 16))),
)
def test_agrees_with_convolve2d(subject, boundary, mode, kernel):
    signal = pytest.importorskip("scipy.signal", reason="SciPy is not installed")
    x, kernel = random_operands(subject, (6, 7), kernel, (subject.backend.real,) * 2)
    wide = (np.asarray(x.host, "float64"), np.asarray(kernel.host, "float64"))
    other = signal.convolve2d(*wide, mode=mode, boundary=shapes.SIGNAL[boundary], fillvalue=-1.5)
    options = {"mode": mode, "boundary": boundary, "fill_value": -1.5}
    _compare(subject, "convolve", x, kernel, options, other)
