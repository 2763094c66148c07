"""FFT convolution by kernels around CuPy's transforms, run on the CPU, against NumPy's `fft`. Nothing runs on a GPU."""

import cupy
import numpy as np
import pytest

import arrayconv
from arrayconv import nn
from arrayconv._problem.boundary import BOUNDARIES
from tests.cuda.standin import LEDGER, Device, allowed
from tests.cuda.test_kernels import numbers

CASES = {  # name -> shape of x, of the kernel, dtype, options
    "1 axis": ((64,), (9,), "float32", {"mode": "full"}),
    "1 axis, strided": ((3, 40), (7,), "float32", {"axes": (1,), "stride": 3, "dilation": 2}),
    "2 axes": ((37, 41), (5, 7), "float32", {"mode": "same"}),
    "2 axes of fast lengths": ((36, 40), (5, 8), "float32", {"mode": "same"}),
    "2 axes, valid": ((20, 700), (4, 3), "float32", {"mode": "valid"}),
    "2 axes, dilated": ((23, 30), (3, 4), "float32", {"mode": "full", "stride": (2, 1), "dilation": (1, 3)}),
    "2 axes, one sample": ((1, 1), (4, 5), "float64", {"mode": "full", "dilation": 3}),
    "3 axes": ((9, 8, 11), (3, 4, 2), "float32", {"mode": "full"}),
    "float64": ((30, 23), (4, 5), "float64", {"mode": "full"}),
    "complex64": ((19, 24), (3, 5), "complex64", {"mode": "same"}),
    "complex128": ((50,), (7,), "complex128", {"mode": "full"}),
    "float16": ((30, 20), (3, 5), "float16", {"mode": "same"}),
    "longer kernel": ((7, 9), (11, 12), "float32", {"mode": "full"}),
}


def norm(values, *numbers):
    """Return a bound of the 2-norm of four times as many samples, in float64, whatever their magnitude."""
    wide = np.abs(np.where(np.isfinite(values), values, 0).astype(np.complex128))
    return max(float(wide.max()), *map(abs, numbers), 0.0) * np.sqrt(4.0 * values.size)


def compare(y, expected, x, kernel, fill=0):
    """Compare two results by transforms: NaN and infinities at the same places, others within both errors."""
    assert (y.dtype, y.shape) == (expected.dtype, expected.shape)
    for part in (np.real, np.imag):
        np.testing.assert_array_equal(np.isnan(part(y)), np.isnan(part(expected)))
        np.testing.assert_array_equal(np.isinf(part(y)), np.isinf(part(expected)))
    is_finite = np.isfinite(expected)
    error = np.abs(y[is_finite].astype(np.complex128) - expected[is_finite])
    eps = np.finfo(y.dtype).eps
    points = np.log2(4 * x.size + kernel.size)
    assert error.max(initial=0) <= 8 * eps * points * norm(x, fill) * norm(kernel) / 2


def check(x, kernel, options, function=arrayconv.convolve):
    """Compare `cuda_fft` on the stand-in with `fft` on NumPy arrays."""
    LEDGER.reset()
    y = function(cupy.asarray(x), cupy.asarray(kernel), method="cuda_fft", **options)
    assert LEDGER.launches["spectra_restore"]
    compare(y.values, function(x, kernel, method="fft", **options), x, kernel, options.get("fill_value", 0))


def check_images(groups, filters, channels):
    """Compare images of groups and channels with a NaN in one image and one filter."""
    x = numbers((3, groups * channels, 20, 33), "float32", 1)
    kernel = numbers((groups * filters, channels, 3, 5), "float32", 2)
    for bad in (False, True):
        if bad:
            x[1, -1, 7, 9], kernel[-1, 0, 1, 1], x[2] = np.nan, np.inf, x[2] * 2.0**90
        check(x, kernel, {"padding": 2, "groups": groups}, nn.conv2d)


def check_kinds_of_numbers(shape, taps, dtype, options):
    """Compare plain, non-finite, huge and tiny samples and taps."""
    x, kernel = numbers(shape, dtype, 1), numbers(taps, dtype, 2)
    check(x, kernel, options)
    middle, exponent = tuple(n // 2 for n in shape), {2: 6, 4: 60, 8: 500}[np.finfo(dtype).bits // 8]
    nonfinite = x.copy()
    nonfinite[middle], nonfinite[(0,) * x.ndim] = np.nan, np.inf
    check(nonfinite, kernel, options)
    for first, second in ((exponent, exponent), (2 * exponent - 3, -exponent), (-2 * exponent, exponent)):
        with np.errstate(invalid="ignore"):  # infinity times a complex number
            huge, tiny = nonfinite * x.dtype.type(2.0**first), kernel * x.dtype.type(2.0**second)
        check(huge, tiny, options)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", CASES)
def test_result_is_that_of_numpys_transforms(name, boundary):
    shape, taps, dtype, options = CASES[name]
    x, kernel = numbers(shape, dtype, 1), numbers(taps, dtype, 2)
    x[tuple(n // 3 for n in shape)] = np.nan
    check(x, kernel, {**options, "boundary": boundary})


@pytest.mark.parametrize("name", ["1 axis", "2 axes, dilated", "float64", "complex64", "float16"])
def test_nonfinite_huge_and_tiny_numbers_are_contained(name):
    check_kinds_of_numbers(*CASES[name])


@pytest.mark.parametrize("fill", [3.0, float("inf"), float("nan"), 1e35])
def test_fill_counts_as_samples(fill):
    x, kernel = numbers((20, 33), "float32", 1), numbers((3, 5), "float32", 2)
    check(x, kernel, {"mode": "full", "fill_value": fill})


@pytest.mark.parametrize(("groups", "filters", "channels"), [(1, 1, 1), (2, 2, 3), (1, 3, 1), (3, 1, 2)])
def test_images_groups_filters_and_channels(groups, filters, channels):
    check_images(groups, filters, channels)


def test_nonfinite_tap_contaminates_its_filter():
    x, kernel = numbers((20, 33), "float32", 1), numbers((3, 5), "float32", 2)
    kernel[0, 0] = np.nan
    check(x, kernel, {"mode": "same"})


@pytest.mark.parametrize("lags", [(-3, 50), (25, 60), (-200, -190)])
def test_lags_beside_and_beyond_the_data(lags):
    x, kernel = numbers((40,), "float32", 1), numbers((9,), "float32", 2)
    check(x, kernel, {"lags": lags}, arrayconv.correlate)


def test_layout_of_memory_is_read_as_it_is():
    whole = numbers((2, 60, 70, 3), "float32", 1)
    kernel = numbers((5, 3), "float32", 2)[::-1, ::-1]
    for x in (
        whole[0, ::-2, 5:, 1],
        np.moveaxis(whole, 2, 1)[1, :, :, 0],
        np.broadcast_to(whole[0, :1, :, 0], (40, 70)),
    ):
        check(x, kernel, {"boundary": "reflect"})


def test_blocks_give_the_same_result():
    x, kernel = numbers((90, 80), "float32", 1), numbers((5, 7), "float32", 2)
    x[40, 40] = np.nan
    check(x, kernel, {"mode": "full", "boundary": "symmetric", "max_workspace": 100_000})


@pytest.mark.parametrize("taps", [numbers((5, 7), "float32", 2), np.full((5, 7), np.nan, "float32")], ids=["", "nan"])
def test_convolver_keeps_the_spectrum_per_device(taps):
    x = numbers((30, 40), "float32", 1)
    with allowed():
        convolver = arrayconv.Convolver(taps.tolist(), "same", separable=False, method="cuda_fft", dtype="float32")
    for number in (0, 1, 0, 1):
        with Device(number):
            on_device = cupy.asarray(x)
        LEDGER.reset()
        y = convolver(on_device)
        compare(y.values, arrayconv.convolve(x, taps, "same", method="fft"), x, taps)
        assert y.device == Device(number)
    assert LEDGER.launches["spectra_pad"] == 1


def test_same_arguments_give_the_same_bits():
    x, kernel = cupy.asarray(numbers((37, 41), "float32", 1)), cupy.asarray(numbers((5, 7), "float32", 2))
    first, second = (arrayconv.convolve(x, kernel, method="cuda_fft").values for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("shape", "dtype", "text"),
    [
        ((9, 9), "int32", "it transforms real and complex numbers. Got int32"),
        ((4, 4, 4, 4), "float32", "it supports one to 3 convolved axes. Got 4"),
        ((1 << 16, 1 << 16), "float32", "it counts the points of an image up to 2147483647"),
    ],
)
def test_refusal_says_why(shape, dtype, text):
    explanation = arrayconv.explain(shape, (2,) * len(shape), like="cupy", dtype=dtype, max_workspace=1 << 50)
    (refusal,) = [row.refusal for row in explanation.candidates if row.name == "cuda_fft"]
    assert refusal.startswith(text)


def test_gradients_run_by_the_same_kernels():
    x, kernel = numbers((20, 31), "float32", 1), numbers((3, 5), "float32", 2)
    pullbacks = []
    for convert, method in ((cupy.asarray, "cuda_fft"), (np.asarray, "fft")):
        y, pullback = arrayconv.vjp(arrayconv.convolve, convert(x), convert(kernel), "same", method=method)
        pullbacks.append(pullback(convert(np.ones(y.shape, y.dtype))))
    for ours, expected in zip(*pullbacks, strict=True):
        np.testing.assert_allclose(ours.values, expected, atol=1e-3)
