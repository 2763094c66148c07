"""`lags` against brute force, and `correlate(lags=...)` against the sum written out."""

import itertools

import numpy as np
import pytest
from scipy import signal

import arrayconv
from arrayconv._algorithms import ALGORITHMS

SIZES = range(1, 8)


def lags_by_definition(n, k, mode, stride=1, dilation=1):
    """Return every stride-th lag of a mode, found by trying them all."""
    taps = [dilation * j for j in range(k)]
    tried = range(-dilation * k - n, dilation * k + n + 1)
    overlapping = [
        lag for lag in tried if any(0 <= lag + tap < n for tap in range(taps[-1] + 1))
    ]  # the window's whole reach
    inside = [lag for lag in tried if all(0 <= lag + tap < n for tap in taps)]
    if mode == "full":
        return overlapping[::stride]
    if mode == "valid":
        return inside[::stride]
    reach = taps[-1] + 1
    return [-(reach // 2) + i for i in range(n)][::stride]


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_lags_equal_brute_force(mode, dilation):
    for n, k, stride in itertools.product(SIZES, SIZES, (1, 2, 3)):
        expected = lags_by_definition(n, k, mode, stride, dilation)
        if mode == "valid" and not expected:
            with pytest.raises(ValueError, match="mode 'valid' needs a kernel no longer than x"):
                arrayconv.lags(n, k, mode, stride=stride, dilation=dilation)
            continue
        lags = arrayconv.lags(n, k, mode, stride=stride, dilation=dilation)
        assert lags.dtype == np.int64
        assert lags.tolist() == expected, (n, k, stride)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_lags_are_those_of_the_outputs(mode):
    for n, k, stride, dilation in itertools.product((3, 6, 7), (1, 2, 3), (1, 2), (1, 2)):
        x, kernel = np.arange(1, n + 1), np.arange(10, 10 + k)
        options = {"stride": stride, "dilation": dilation}
        if mode == "valid" and dilation * (k - 1) >= n:
            continue
        y = arrayconv.correlate(x, kernel, mode, **options)
        lags = arrayconv.lags(n, k, mode, **options)
        reached = [[(lag + dilation * j, j) for j in range(k)] for lag in lags.tolist()]
        assert y.tolist() == [int(sum(x[i] * kernel[j] for i, j in pairs if 0 <= i < n)) for pairs in reached]


def test_full_and_valid_equal_scipy():
    for n, k in itertools.product(SIZES, SIZES):
        assert np.array_equal(arrayconv.lags(n, k), signal.correlation_lags(n, k))
        if k <= n:
            assert np.array_equal(arrayconv.lags(n, k, "valid"), signal.correlation_lags(n, k, "valid"))


def test_tuples_give_one_array_per_axis():
    both = arrayconv.lags((5, 6), (2, 3), "same", stride=(1, 2), dilation=(1, 2))
    assert isinstance(both, tuple)
    assert [lags.tolist() for lags in both] == [[-1, 0, 1, 2, 3], [-2, 0, 2]]
    assert [lags.tolist() for lags in arrayconv.lags((5,), (2,), "same")] == [[-1, 0, 1, 2, 3]]
    assert arrayconv.lags((), ()) == ()


def test_lists_mean_the_same_as_tuples():
    as_tuple, as_list = arrayconv.lags((5, 6), (2, 3)), arrayconv.lags([5, 6], [2, 3])
    assert [lags.tolist() for lags in as_list] == [lags.tolist() for lags in as_tuple]


def test_numpy_integers_are_integers():
    assert arrayconv.lags(np.int64(5), np.uint8(2), "same").tolist() == [-1, 0, 1, 2, 3]


def test_no_samples_leave_the_kernel_s_own_lags():
    assert arrayconv.lags(0, 3).tolist() == [-2, -1]
    assert arrayconv.lags(0, 3, "same").tolist() == []


def extended(x, position, boundary, fill):
    """Return the sample at `position` of the extended x."""
    n = len(x)
    if 0 <= position < n:
        return x[position]
    if boundary == "constant":
        return fill
    if boundary == "edge":
        return x[0] if position < 0 else x[-1]
    if boundary == "wrap":
        return x[position % n]
    if n == 1:
        return x[0]
    period = 2 * n if boundary == "symmetric" else 2 * n - 2
    phase = position % period
    return x[phase] if phase < n else x[period - phase - (boundary == "symmetric")]


WINDOWS = [(0, 0), (-1, 2), (-20, -17), (15, 18), (-30, 30), (3, 3)]  # the last but one: far out on both sides


@pytest.mark.parametrize("boundary", ["constant", "edge", "symmetric", "reflect", "wrap"])
@pytest.mark.parametrize("method", ["auto", *ALGORITHMS])
def test_lags_are_computed_outside_the_overlap_too(boundary, method):
    x, kernel = np.array([3, 1, 4, 1, 5]), np.array([2, 7, 1])
    for (first, last), dilation in itertools.product(WINDOWS, (1, 3)):
        fill = 9 if boundary == "constant" else 0
        options = {"boundary": boundary, "fill_value": fill, "dilation": dilation, "method": method}
        y = arrayconv.correlate(x, kernel, lags=(first, last), **options)
        expected = [
            sum(int(extended(x, lag + dilation * j, boundary, fill)) * int(kernel[j]) for j in range(3))
            for lag in range(first, last + 1)
        ]
        assert y.tolist() == expected, (first, last, dilation)


def test_lags_equal_slices_of_full(library):
    host_x, host_kernel = np.arange(1.0, 9.0), np.array([1.0, -2.0, 5.0])
    x, kernel = library.asarray(host_x), library.asarray(host_kernel)
    full = library.numpy(arrayconv.correlate(x, kernel))
    all_lags = arrayconv.lags(8, 3).tolist()
    for first, last in ((-2, 7), (0, 0), (-1, 4), (5, 7)):
        some = library.numpy(arrayconv.correlate(x, kernel, lags=(first, last)))
        assert some.tolist() == full[all_lags.index(first) : all_lags.index(last) + 1].tolist()


def test_int_means_both_sides():
    x, kernel = np.arange(1, 7), np.array([1, 10])
    for largest in (0, 1, 3):
        one = arrayconv.correlate(x, kernel, lags=largest)
        assert one.shape == (2 * largest + 1,)
        assert np.array_equal(one, arrayconv.correlate(x, kernel, lags=(-largest, largest)))


def test_autocorrelation_is_symmetric_about_lag_0():
    x = np.array([3, 1, 4, 1, 5, 9])
    y = arrayconv.correlate(x, x, lags=4)
    assert y[4] == (x * x).sum()
    assert np.array_equal(y, y[::-1])


def test_lags_per_axis():
    rng = np.random.default_rng(0)
    x, kernel = rng.integers(-9, 9, (5, 6)), rng.integers(-9, 9, (2, 3))
    full = arrayconv.correlate(x, kernel)  # lags -1..4 and -2..5
    assert np.array_equal(arrayconv.correlate(x, kernel, lags=1), full[0:3, 1:4])
    assert np.array_equal(arrayconv.correlate(x, kernel, lags=((0, 2), (-2, -1))), full[1:4, 0:2])
    assert np.array_equal(arrayconv.correlate(x, kernel, lags=((0, 2), 1)), full[1:4, 1:4])
    assert np.array_equal(arrayconv.correlate(x, kernel, lags=[[0, 2], 1]), full[1:4, 1:4])


def test_lags_follow_the_order_of_axes():
    rng = np.random.default_rng(1)
    x, kernel = rng.integers(-9, 9, (5, 6)), rng.integers(-9, 9, (2, 3))
    y = arrayconv.correlate(x, kernel, axes=(1, 0), lags=((0, 1), (2, 4)))
    assert np.array_equal(y, arrayconv.correlate(x, kernel, axes=(0, 1), lags=((2, 4), (0, 1))))
    along = arrayconv.correlate(x, kernel[0], axes=1, lags=(0, 1))
    assert np.array_equal(along, arrayconv.correlate(x, kernel[:1], lags=((0, 4), (0, 1))))


def test_lags_conjugate_the_kernel():
    x, kernel = np.array([1 + 2j, 3 - 1j]), np.array([2j, 1 - 1j])
    expected = np.correlate(x, kernel, "full")  # c_l = sum x[n+l] conj(kernel[n]), lags -1..1
    assert np.allclose(arrayconv.correlate(x, kernel, lags=1), expected, rtol=0, atol=1e-15)
