"""NaN and infinity reach only the outputs whose window contains them; large finite data does not overflow."""

import numpy as np
import pytest

import arrayconv
from arrayconv._algorithms import ALGORITHMS

METHODS = tuple(ALGORITHMS)
SPREADING = tuple(name for name, algorithm in ALGORITHMS.items() if algorithm.spreads)
BAD = (float("nan"), float("inf"), float("-inf"))


def windows_with_bad(x, kernel, **options):
    """Return which outputs have a bad sample in their window, by counting them exactly."""
    bad = (~np.isfinite(x)).astype(np.int64)
    return arrayconv.convolve(bad, np.ones(kernel.shape, np.int64), method="direct", **options) > 0


@pytest.mark.jax_rows(value=BAD[:1], options=[{"mode": "full"}])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize(
    "options",
    [
        {"mode": "full"},
        {"mode": "same", "boundary": "reflect"},
        {"mode": "valid", "stride": 2, "dilation": 2},
        {"mode": "same", "boundary": "wrap", "dilation": 3},
    ],
    ids=str,
)
def test_bad_samples_reach_only_their_windows(library, options, value, method):
    random = np.random.default_rng(1)
    x, kernel = random.standard_normal(40), random.standard_normal(5)
    clean = arrayconv.convolve(x, kernel, method="direct", **options)
    x[[4, 21]] = value
    y = library.numpy(arrayconv.convolve(library.asarray(x), library.asarray(kernel), method=method, **options))
    touched = windows_with_bad(x, kernel, **options)
    assert touched.any()
    assert not touched.all()
    np.testing.assert_array_equal(np.isfinite(y), ~touched)
    np.testing.assert_allclose(y[~touched], clean[~touched], rtol=0, atol=1e-13)


@pytest.mark.parametrize("method", SPREADING)
@pytest.mark.parametrize("place", [0, 2500, 4999])
def test_one_bad_sample_among_thousands_reaches_its_windows(library, place, method):
    x = np.ones(5000)
    x[place] = np.nan
    y = library.numpy(arrayconv.convolve(library.asarray(x), library.asarray(np.ones(9)), "same", method=method))
    assert np.flatnonzero(np.isnan(y)).tolist() == list(range(max(place - 4, 0), min(place + 5, 5000)))


@pytest.mark.jax_rows(method=["fft"])
@pytest.mark.parametrize("method", METHODS)
def test_bad_taps_reach_their_filter_only(library, method):
    x, kernel = np.ones(12), np.ones((2, 3))
    kernel[1, 0] = float("nan")
    y = arrayconv.einconv("t, o t -> o t | t", library.asarray(x), library.asarray(kernel), method=method)
    y = library.numpy(y)
    np.testing.assert_allclose(y[0], 3, rtol=0, atol=1e-13)
    assert np.isnan(y[1]).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_bad_fill_reaches_the_borders_only(method):
    y = arrayconv.convolve(np.ones(9), np.ones(3), "same", fill_value=float("nan"), method=method)
    np.testing.assert_array_equal(np.isnan(y), [True, *[False] * 7, True])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("channel", [0, 1])
def test_a_bad_sample_of_one_channel_reaches_the_sum_over_channels(method, channel):
    x = np.ones((2, 10))
    x[channel, 4] = np.inf
    y = arrayconv.einconv("c t, c t -> t | t", x, np.ones((2, 3)), method=method)
    np.testing.assert_array_equal(np.isfinite(y), [True, True, *[False] * 3, *[True] * 3])


@pytest.mark.jax_rows(scale=[1e36])
@pytest.mark.parametrize("method", SPREADING)
@pytest.mark.parametrize(
    ("dtype", "scale"), [("float32", 1e36), ("float32", 1e-36), ("float64", 1e300), ("complex64", 1e36)]
)
def test_magnitudes_near_the_ends_of_the_range_survive(library, dtype, scale, method):
    random = np.random.default_rng(2)
    x, kernel = random.standard_normal(300).astype(dtype), (random.standard_normal(40) / 40).astype(dtype)
    arrays = library.asarray((x * dtype_scale(dtype, scale)).astype(dtype)), library.asarray(kernel)
    y = library.numpy(arrayconv.convolve(*arrays, method=method))
    wide = np.convolve(x.astype(np.clongdouble), kernel.astype(np.clongdouble)) * np.longdouble(scale)
    assert y.dtype == dtype
    assert np.isfinite(y).all()
    error = np.linalg.norm((y - wide).astype(np.clongdouble)) / np.linalg.norm(wide)
    assert error < 50 * np.finfo(dtype).eps


def dtype_scale(dtype, scale):
    return np.dtype(dtype).type(scale)


@pytest.mark.jax_rows(first=[1e-15])
@pytest.mark.parametrize("method", SPREADING)
@pytest.mark.parametrize(
    ("first", "second"), [(1e-15, 1e-15), (1e15, 1e15), (1e30, 1e-30), (1e-30, 1e30), (1e-30, 1e-8)]
)
def test_scales_of_both_operands_are_undone_within_the_range(library, first, second, method):
    """JAX flushes subnormal numbers on the CPU, so no factor on the way may be one."""
    x, kernel = np.full(64, first, "float32"), np.full(8, second, "float32")
    y = library.numpy(arrayconv.convolve(library.asarray(x), library.asarray(kernel), "valid", method=method))
    np.testing.assert_allclose(y, 8 * first * second, rtol=1e-5)
