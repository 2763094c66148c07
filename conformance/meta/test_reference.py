"""The reference against figures worked by hand, literal nested loops, and NumPy where NumPy is right."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from .. import geometry, reference
from ..cases import shapes, values
from ..checks import exact_result


@pytest.mark.parametrize("row", values.HAND, ids=[row[0] for row in values.HAND])
def test_by_hand(row):
    _, function, x, kernel, options, expected = row
    exact = exact_result(function, np.asarray(x), np.asarray(kernel), options)
    np.testing.assert_array_equal(exact.values.astype(complex), np.asarray(expected, complex))


@pytest.mark.parametrize("boundary", shapes.BOUNDARIES)
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_extension_is_numpy_pad(boundary, size):
    x, width = np.arange(1, size + 1), 13
    padded = np.pad(x, width, mode=boundary)
    sources = [reference.extended(position, size, boundary) for position in range(-width, size + width)]
    np.testing.assert_array_equal([0 if at == size else x[at] for at in sources], padded)


def test_boundary_pictures():
    """The two samples on either side of a b c d."""
    pictures = {"edge": "aaabcddd", "symmetric": "baabcddc", "reflect": "cbabcdcb", "wrap": "cdabcdab"}
    for boundary, picture in pictures.items():
        assert "".join("abcd"[reference.extended(at, 4, boundary)] for at in range(-2, 6)) == picture


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 3])
@pytest.mark.parametrize("upsample", [1, 2])
@pytest.mark.parametrize("boundary", shapes.BOUNDARIES)
def test_nested_loops(stride, dilation, upsample, boundary):
    """Two axes, channels and filters, in fractions, one product at a time."""
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=(2, 4, 3)), rng.normal(size=(3, 2, 2, 3))  # c h w; o c h w
    padding = {"h": (2, 1), "w": (3, 4)}
    options = {"stride": stride, "dilation": dilation, "upsample": upsample, "padding": padding, "boundary": boundary}
    problem, _, shape = geometry.labelled("c h w, o c h w -> o h w | h w", x.shape, w.shape, options)
    exact = reference.evaluate(problem, x, w, fill=0.5)

    def sample(c, h, v):
        inside = []
        for position, size, name in ((h, 4, boundary), (v, 3, boundary)):
            if position % upsample:
                return Fraction(0)
            padded = np.pad(np.arange(size), 20, mode=name, **({"constant_values": -1} if name == "constant" else {}))
            inside.append(int(padded[position // upsample + 20]))
        return Fraction(0.5) if -1 in inside else Fraction(x[c, inside[0], inside[1]])

    for o, p, q in product(*map(range, shape)):
        total = Fraction(0)
        for c, i, j in product(range(2), range(2), range(3)):
            h, v = stride * p + dilation * i - 2, stride * q + dilation * j - 3
            total += Fraction(w[o, c, i, j]) * sample(c, h, v)
        assert Fraction(int(exact.real[o, p, q]), 2**exact.shift) == total


@pytest.mark.parametrize("mode", shapes.MODES)
@pytest.mark.parametrize("taps", [1, 2, 5, 6])
def test_numpy(mode, taps):
    rng = np.random.default_rng(taps)
    x, w = rng.integers(-99, 99, 9), rng.integers(-99, 99, taps)
    for function in shapes.FUNCTIONS:
        exact = exact_result(function, x, w, {"mode": mode})
        expected = getattr(np, function)(x, w, mode)
        np.testing.assert_array_equal(exact.real.astype(int), expected)


def test_numbers_are_exact():
    """Numbers that are no floats: 2**70 + 1, and a cancellation down to the last bit of the smallest operand."""
    exact = exact_result("convolve", np.asarray([2**62, 1]), np.asarray([2**8, 1]), {})
    assert exact.real.tolist() == [2**70, 2**62 + 2**8, 1]
    exact = exact_result(
        "correlate", np.asarray([1e300, 1e-300, -1e300]), np.asarray([1.0, 1.0, 1.0]), {"mode": "valid"}
    )
    assert Fraction(int(exact.real[0]), 2**exact.shift) == Fraction(1e-300)


def test_complex_and_conjugate():
    x, w = np.asarray([1 + 2j, 3 - 1j]), np.asarray([2 - 1j])
    np.testing.assert_array_equal(exact_result("convolve", x, w, {}).values.astype(complex), x * w)
    np.testing.assert_array_equal(exact_result("correlate", x, w, {}).values.astype(complex), x * w.conj())


def test_contaminated_windows():
    x = np.asarray([1.0, np.nan, 2.0, 3.0])
    exact = exact_result("correlate", x, np.asarray([0.0, 1.0]), {"mode": "valid"})
    assert exact.contaminated.tolist() == [True, True, False]
    assert exact.values.tolist() == [0, 2, 3]
    assert exact_result("convolve", x, np.asarray([1.0, 1.0]), {}).contaminated.tolist() == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_counts_and_norms():
    """The bounds depend on terms, magnitude and norms."""
    exact = exact_result("correlate", np.asarray([3.0, -4.0]), np.asarray([-1.0, 2.0]), {"mode": "valid"})
    assert (exact.terms, exact.span, exact.norm_x, exact.norm_kernel) == (2, 2, 5.0, np.sqrt(5))
    assert exact.magnitude.tolist() == [11]
    problem, _, _ = geometry.labelled("b c n, o c n -> o n | n", (2, 3, 5), (4, 3, 2), {})
    assert reference.terms(problem, (2, 3, 5), (4, 3, 2)) == 2 * 3 * 2  # b and c are summed, two taps
