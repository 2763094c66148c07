"""NaN and infinities contaminate the outputs whose windows contain them; large finite numbers stay finite."""

import numpy as np
import pytest

from .cases import nonfinite as rows
from .cases import shapes
from .checks import check, operand, random_operands

# inf - inf and 0 * inf: NumPy alone warns, and a target may let it.
pytestmark = [
    pytest.mark.requires("nonfinite"),
    pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning"),
]
FUNCTIONS = ("function", shapes.FUNCTIONS)
BAD = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}


def _nonfinite_operands(subject, row, bad, name):
    _, x_shape, kernel_shape, places, options = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, (name, name))
    host = np.array(x.host)
    for place in places:
        host[place] = BAD[bad]
    return operand(subject, host, name), kernel, options


@pytest.mark.cross(("row", rows.NONFINITE), ("bad", rows.BAD), FUNCTIONS)
def test_contaminates_only_its_windows(subject, row, bad, function):
    x, kernel, options = _nonfinite_operands(subject, row, bad, subject.backend.real)
    check(subject, function, x, kernel, **options)


@pytest.mark.cross(("row", rows.NONFINITE[2:7]), ("bad", rows.BAD))
def test_complex(subject, row, bad):
    x, kernel, options = _nonfinite_operands(subject, row, bad, subject.backend.complex)
    check(subject, "correlate", x, kernel, **options)


@pytest.mark.cross(("row", rows.NONFINITE[:6]), ("dtypes", [("float16",), ("bfloat16",), ("float32",)]))
def test_narrow(subject, row, dtypes):
    x, kernel, options = _nonfinite_operands(subject, row, "nan", dtypes[0])
    check(subject, "convolve", x, kernel, **options)


@pytest.mark.cross(("bad", rows.BAD), FUNCTIONS)
def test_zero_taps_are_part_of_the_window(subject, bad, function):
    name = subject.backend.real
    x = operand(subject, [1, BAD[bad], 1, 1, 1], name)
    check(subject, function, x, operand(subject, [0, 1, 0], name), mode="same")


@pytest.mark.cross(("bad", rows.BAD), ("kernel", ((3,), (90,))))
def test_fill(subject, bad, kernel):
    """A non-finite fill contaminates the outputs that read outside x."""
    name = subject.backend.real
    x, kernel = random_operands(subject, (200,), kernel, (name, name))
    check(subject, "correlate", x, kernel, mode="same", fill_value=BAD[bad])


@pytest.mark.cross(("bad", rows.BAD))
def test_kernel(subject, bad):
    """Every output of a valid convolution multiplies every tap."""
    name = subject.backend.real
    x, _ = random_operands(subject, (20,), (3,), (name, name))
    check(subject, "convolve", x, operand(subject, [1, BAD[bad], 2], name), mode="valid")


@pytest.mark.cross(("row", rows.LARGE), FUNCTIONS)
def test_large_numbers_stay_finite(subject, row, function):
    _, x_shape, kernel_shape, scale_x, scale_kernel, options = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, ("float32", "float32"))
    x = operand(subject, x.host.astype("float64") * scale_x, "float32")
    kernel = operand(subject, kernel.host.astype("float64") * scale_kernel, "float32")
    check(subject, function, x, kernel, **options)
