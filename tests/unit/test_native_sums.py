"""Sums of the compiled filters in numbers that have one right result: symmetric taps, lengths, rows of many axes."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

import arrayconv
from arrayconv import ndimage
from arrayconv._accel.native import loader

pytestmark = pytest.mark.skipif(not loader.built(), reason="the loops were not built: no C compiler")
LARGE = 1e30  # its product with a weight is rounded to more than 1, in float64 too


@pytest.mark.parametrize("radius", [1, 2, 3])
@pytest.mark.parametrize(("order", "opposite"), [(0, -LARGE), (1, LARGE)])
@pytest.mark.parametrize("columns", [1, 40])
def test_samples_of_symmetric_taps_cancel_before_they_are_multiplied(radius, order, opposite, columns):
    x = np.zeros((15, columns), "float32")
    x[7 - radius], x[7], x[7 + radius] = LARGE, 1, opposite
    options = {"order": (order, 0), "radius": radius, "mode": "nearest"}
    impulse = np.zeros((15, 1), "float32")
    impulse[7] = 1
    weight = scipy.ndimage.gaussian_filter(impulse, 1, **options)[7]
    y, own = ndimage.gaussian_filter(x, 1, **options)[7], scipy.ndimage.gaussian_filter(x, 1, **options)[7]
    np.testing.assert_array_max_ulp(y, np.broadcast_to(weight, y.shape), 1)
    np.testing.assert_array_max_ulp(own, np.broadcast_to(weight, y.shape), 1)


@pytest.mark.parametrize(("slopes", "length"), [((3, 4), 5), ((2, 3, 6), 7), ((1, 4, 8), 9)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
def test_the_length_of_a_gradient_is_the_root_of_the_summed_squares(slopes, length, dtype):
    places = np.indices([7 + 3 * n for n in range(len(slopes))])
    x = sum(slope * place for slope, place in zip(slopes, places, strict=True)).astype(dtype)
    inside = (slice(1, -1),) * len(slopes)
    weight = 2 * 4 ** (len(slopes) - 1)  # of Sobel's filter
    y = ndimage.generic_gradient_magnitude(x, ndimage.sobel)
    assert y.dtype == dtype
    assert (y[inside] == weight * length).all()


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8"])
def test_rows_of_any_number_of_axes_are_filtered_one_by_one(axis, dtype):
    x = np.random.default_rng(axis).integers(0, 20, (2, 3, 4, 21)).astype(dtype)
    weights = [1, 2, 4]
    y = ndimage.correlate1d(x, weights, axis=axis, mode="constant")
    rows = np.moveaxis(x, axis, -1)
    expected = np.stack(
        [np.correlate(np.pad(row, 1), np.asarray(weights, dtype)) for row in rows.reshape(-1, x.shape[axis])]
    )
    np.testing.assert_array_equal(y, np.moveaxis(expected.reshape(rows.shape), -1, axis))


@pytest.mark.parametrize("function", ["sobel", "prewitt"])
@pytest.mark.parametrize("axis", [0, 1])
def test_negative_sums_of_uint64_are_scipys_after_the_last_pass_too(function, axis):
    x = np.random.default_rng(0).integers(0, 50, (9, 41)).astype("uint64")
    y, expected = (getattr(library, function)(x, axis=axis) for library in (ndimage, scipy.ndimage))
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("step", [1, 2, 3, -1, -2])
@pytest.mark.parametrize("shape", [(9, 12), (70, 200)])
def test_tiles_inside_the_data_read_samples_that_are_not_adjacent(step, shape):
    wide = np.random.default_rng(1).integers(-9, 9, (shape[0], shape[1] * abs(step))).astype("float32")
    x, kernel = wide[:, ::step], np.arange(6.0, dtype="float32").reshape(3, 2)
    y = arrayconv.convolve(x, kernel, "valid", method="native_tiles")
    np.testing.assert_array_equal(y, scipy.signal.convolve2d(x, kernel, "valid"))


EXTREMES = {"int16": (-(1 << 15), (1 << 15) - 1), "uint16": (0, (1 << 16) - 1), "int8": (-128, 127)}


@pytest.mark.parametrize("dtype", EXTREMES)
@pytest.mark.parametrize("taps", [2, 3, 5, 7, 8, 9, 31, 32, 33, 100])
def test_means_of_few_bytes_are_cut_like_exact_quotients(taps, dtype):
    """Also where a quotient is whole, or just below a whole number, at the largest sums."""
    lowest, highest = EXTREMES[dtype]
    ends = np.asarray([lowest, highest, lowest + 1, highest - 1], dtype)
    steps = [np.repeat(ends, 2 * taps), np.random.default_rng(taps).integers(lowest, highest, 40 * taps, dtype)]
    x = np.concatenate([*steps, np.repeat(ends[::-1], taps + 1)])
    y = ndimage.uniform_filter1d(x, taps, mode="constant", cval=float(lowest))
    padded = [lowest] * (taps // 2) + x.tolist() + [lowest] * taps
    sums = [sum(padded[at : at + taps]) for at in range(x.size)]
    np.testing.assert_array_equal(y, [abs(one) // taps * (1 if one > 0 else -1) for one in sums])
