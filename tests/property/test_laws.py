"""Laws of convolution that need no reference: linearity, shift, composition, commutation with sums."""

import numpy as np
import pytest

import arrayconv
from arrayconv import testing
from arrayconv._algorithms import ALGORITHMS

METHODS = tuple(ALGORITHMS)


def draw(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def assert_close(got, expected, scale):
    """Raise unless two float64 arrays agree to 1e-13 of `scale`."""
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13 * scale)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("boundary", ["constant", "edge", "symmetric", "reflect", "wrap"])
def test_operation_is_linear_in_x(boundary, method):
    x, other, kernel = draw(1, 30, 20), draw(2, 30, 20), draw(3, 4, 5)
    options = {"mode": "same", "boundary": boundary, "method": method}
    together = arrayconv.convolve(3 * x - 2 * other, kernel, **options)
    apart = 3 * arrayconv.convolve(x, kernel, **options) - 2 * arrayconv.convolve(other, kernel, **options)
    assert_close(together, apart, 100)


@pytest.mark.parametrize("method", METHODS)
def test_operation_is_linear_in_the_kernel(method):
    x, kernel, other = draw(1, 30, 20), draw(2, 4, 5), draw(3, 4, 5)
    together = arrayconv.correlate(x, kernel + 4 * other, method=method)
    apart = arrayconv.correlate(x, kernel, method=method) + 4 * arrayconv.correlate(x, other, method=method)
    assert_close(together, apart, 200)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shift", [1, 7, -3])
def test_shifting_x_shifts_the_result_where_the_ends_wrap(shift, method):
    x, kernel = draw(1, 40), draw(2, 6)
    y = arrayconv.convolve(np.roll(x, shift), kernel, "same", boundary="wrap", method=method)
    assert_close(y, np.roll(arrayconv.convolve(x, kernel, "same", boundary="wrap", method=method), shift), 30)


@pytest.mark.parametrize("method", METHODS)
def test_full_convolutions_compose_and_commute(method):
    x, first, second = draw(1, 12, 15), draw(2, 3, 4), draw(3, 5, 2)
    one_after_the_other = arrayconv.convolve(arrayconv.convolve(x, first, method=method), second, method=method)
    at_once = arrayconv.convolve(x, arrayconv.convolve(first, second, method=method), method=method)
    assert_close(one_after_the_other, at_once, 300)
    assert_close(arrayconv.convolve(first, x, method=method), arrayconv.convolve(x, first, method=method), 100)


@pytest.mark.parametrize("method", METHODS)
def test_correlation_is_convolution_with_the_reversed_conjugate(method):
    x = draw(1, 20) + 1j * draw(2, 20)
    kernel = draw(3, 5) + 1j * draw(4, 5)
    correlated = arrayconv.correlate(x, kernel, method=method)
    assert_close(correlated, arrayconv.convolve(x, np.conj(kernel[::-1]), method=method), 100)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stride", [2, 3])
def test_stride_keeps_every_so_many_outputs(stride, method):
    x, kernel = draw(1, 31, 22), draw(2, 4, 3)
    for mode in ("full", "same", "valid"):
        strided = arrayconv.convolve(x, kernel, mode, stride=stride, method=method)
        assert_close(strided, arrayconv.convolve(x, kernel, mode, method=method)[::stride, ::stride], 60)


@pytest.mark.parametrize("method", METHODS)
def test_dilation_is_a_kernel_with_zeros_between_taps(method):
    x, kernel = draw(1, 31), draw(2, 4)
    spread = np.zeros(10)
    spread[::3] = kernel
    for mode in ("full", "same", "valid"):
        dilated = arrayconv.convolve(x, kernel, mode, dilation=3, method=method)
        assert_close(dilated, arrayconv.convolve(x, spread, mode, method=method), 60)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("boundary", ["edge", "symmetric", "reflect", "wrap"])
def test_boundary_is_numpys_pad(boundary, method):
    x, kernel = draw(1, 9, 7), draw(2, 5, 4)
    padded = np.pad(x, ((4, 4), (3, 3)), mode=boundary)
    y = arrayconv.convolve(x, kernel, "full", boundary=boundary, method=method)
    assert_close(y, arrayconv.convolve(padded, kernel, "valid", method=method), 60)


def test_a_broadcast_batch_is_a_loop_over_it():
    x, kernel = draw(1, 3, 1, 20), draw(2, 1, 4, 5)
    y = arrayconv.convolve(x, kernel, axes=2)
    assert y.shape == (3, 4, 24)
    for i in range(3):
        for j in range(4):
            assert_close(y[i, j], np.convolve(x[i, 0], kernel[0, j]), 30)


def test_paired_axes_are_groups():
    x, kernel = draw(1, 3, 2, 20), draw(2, 3, 1, 5)
    y = arrayconv.correlate(x, kernel, "valid", axes=-1)
    for i in range(3):
        for j in range(2):
            assert_close(y[i, j], np.correlate(x[i, j], kernel[i, 0], "valid"), 30)


def test_axes_order_pairs_kernel_axes_with_x_axes():
    x, kernel = draw(1, 8, 5, 9), draw(2, 3, 4)
    y = arrayconv.convolve(x, kernel, "same", axes=(2, 0), boundary=("wrap", "edge"))
    straight = arrayconv.convolve(x, kernel.T, "same", axes=(0, 2), boundary=("edge", "wrap"))
    assert_close(y, straight, 60)
    assert_close(y, testing.reference("convolve", x, kernel, "same", axes=(2, 0), boundary=("wrap", "edge")), 60)
