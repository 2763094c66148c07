"""One test for each row of docs/differences.md: what SciPy 1.17 or torch 2.13 does, and what arrayconv does instead.

A test that fails on their side says that they have changed: correct the row.
"""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import arrayconv
from arrayconv import ndimage, nn, signal

scipy_signal = pytest.importorskip("scipy.signal", reason="SciPy is not installed")
scipy_ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")

PAGE = (Path(__file__).parents[2] / "docs" / "differences.md").read_text()
TEST = r"\| `(test_\w+)` \|$"  # the last cell of a row
SAMPLES = np.arange(1.0, 6.0)
TINY = np.asarray([1.0, 2.0, 3.0]) * 1e-17  # below SciPy's absolute 2.2e-16
WITH_NAN = np.asarray([1.0, 1, np.nan, 1, 1, 1, 1, 1])  # three windows of three samples hold the NaN


def test_page_lists_these_tests():
    sections = re.split(r"^## ", PAGE, flags=re.M)
    (astropys,) = [section for section in sections if section.startswith("What astropy")]
    own = PAGE.replace(astropys, "")
    tests = {name for name in globals() if name.startswith("test_")} - {"test_page_lists_these_tests"}
    assert sorted(re.findall(TEST, own, re.M)) == sorted(tests)
    tests_folder = Path(__file__).parents[1]
    there = "".join(
        (tests_folder / name).read_text() for name in ("unit/test_astronomy.py", "property/test_missing.py")
    )
    listed = re.findall(TEST, astropys, re.M)
    assert listed
    assert [name for name in listed if f"def {name}(" not in there] == []


# SciPy's results that we do not reproduce, and one that we do


def test_lags_of_odd_and_even_sizes():
    peak = np.argmax(scipy_signal.correlate([0, 0, 0, 1, 0], [1, 0], "same"))  # the delay is 3
    assert scipy_signal.correlation_lags(5, 2, "same")[peak] == 4
    assert signal.correlation_lags(5, 2, "same")[peak] == 3
    assert arrayconv.lags(5, 2, "same")[peak] == 3


def test_same_keeps_every_batch_row():
    x, k = np.ones((1, 5)), np.ones((3, 2))
    assert scipy_signal.fftconvolve(x, k, "same", axes=1).shape == (1, 5)
    assert signal.fftconvolve(x, k, "same", axes=1).shape == (3, 5)
    assert scipy_signal.fftconvolve(x, k, "full", axes=1).shape == signal.fftconvolve(x, k, "full", axes=1).shape


def test_fft_keeps_nan_in_its_window():
    assert np.isnan(scipy_signal.fftconvolve(WITH_NAN, np.ones(3), "same")).all()
    assert np.isnan(signal.fftconvolve(WITH_NAN, np.ones(3), "same")).sum() == 3
    assert np.isnan(signal.oaconvolve(WITH_NAN, np.ones(3), "same")).sum() == 3
    assert np.isnan(signal.convolve(WITH_NAN, np.ones(3), "same", method="fft")).sum() == 3


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # SciPy's overflow
def test_fft_does_not_overflow_on_its_way():
    x, k = np.full(64, 1e37, np.float32), np.ones(3, np.float32)
    exact = np.convolve(x, k)
    assert not np.isfinite(scipy_signal.fftconvolve(x, k)).any()
    np.testing.assert_allclose(signal.fftconvolve(x, k), exact, rtol=1e-5)


def test_auto_takes_nan_beside_integers():
    with pytest.raises(ValueError, match="cannot convert float NaN to integer"):
        scipy_signal.convolve(np.arange(5), [1.0, np.nan, 1.0])
    assert np.isnan(signal.convolve(np.arange(5), [1.0, np.nan, 1.0])).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # SciPy's cast
def test_integers_are_exact():
    x, k = np.full(3000, 3), np.ones(2500, np.int64)
    x[5] = np.iinfo(np.int64).min  # abs() of it is negative, so SciPy takes it for small
    exact = np.convolve(x, k)
    assert not (scipy_signal.convolve(x, k) == exact).all()
    assert (signal.convolve(x, k) == exact).all()
    assert (arrayconv.convolve(x, k, method="fft") == exact).all()


def test_method_fft_is_exact_for_integers():
    x, k = np.asarray([2**53 + 1, 0]), np.asarray([1, 0])
    assert scipy_signal.convolve(x, k, method="fft")[0] == 2**53
    assert signal.convolve(x, k, method="fft")[0] == 2**53 + 1


def test_tiny_weights_count():
    expected = np.convolve(SAMPLES, TINY, "same")
    assert not scipy_ndimage.convolve(SAMPLES, TINY, mode="constant").any()
    np.testing.assert_allclose(ndimage.convolve(SAMPLES, TINY, mode="constant"), expected, rtol=1e-14)


def test_tiny_weights_are_not_symmetric():
    expected = np.convolve(SAMPLES, TINY, "same")
    symmetric = np.asarray([8.0, 16, 24, 32, 22]) * 1e-17  # as if the weights were 3, 2, 3
    np.testing.assert_allclose(scipy_ndimage.convolve1d(SAMPLES, TINY, mode="constant"), symmetric, rtol=1e-14)
    np.testing.assert_allclose(ndimage.convolve1d(SAMPLES, TINY, mode="constant"), expected, rtol=1e-14)


def test_mean_keeps_nan_in_its_window():
    assert np.isnan(scipy_ndimage.uniform_filter1d(WITH_NAN, 3)).sum() == 7
    assert np.isnan(ndimage.uniform_filter1d(WITH_NAN, 3)).sum() == 3


def test_upfirdn_extends_a_single_sample():
    h, x = [1.0, 1.0, 1.0], [3.0]
    assert not np.allclose(scipy_signal.upfirdn(h, x, mode="line"), 9)
    np.testing.assert_array_equal(signal.upfirdn(h, x, mode="line"), [9, 9, 9])


def test_zero_weights_do_not_hide_infinities():
    x, k = np.asarray([1.0, np.inf, 1.0]), np.asarray([0.0, 1.0, 0.0])
    hidden, shown = [1, np.inf, 1], [np.nan, np.inf, np.nan]
    np.testing.assert_array_equal(scipy_ndimage.convolve(x, k), hidden)
    np.testing.assert_array_equal(scipy_ndimage.convolve1d(x, k), shown)
    np.testing.assert_array_equal(np.convolve(x, k, "same"), shown)
    np.testing.assert_array_equal(ndimage.convolve(x, k), shown)


def test_flat_integers_survive_a_gaussian():
    flat = np.full(9, 7)
    assert (scipy_ndimage.gaussian_filter(flat, 0.5) == 6).all()
    assert (ndimage.gaussian_filter(flat, 0.5) == 7).all()


# What we refuse


@pytest.mark.parametrize("function", ["convolve", "correlate", "fftconvolve"])
def test_object_arrays_are_refused(function):
    values = np.asarray([1, 2], dtype=object)
    if function != "fftconvolve":
        assert len(getattr(scipy_signal, function)(values, values)) == 3
    with pytest.raises(TypeError, match="has dtype object, which has no convolution here"):
        getattr(signal, function)(values, values)


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="longdouble is float64 on this platform")
def test_longdouble_is_refused():
    values = np.ones(3, np.longdouble)
    assert scipy_signal.convolve(values, values).dtype == np.longdouble
    with pytest.raises(TypeError, match="has dtype float"):
        signal.convolve(values, values)


def test_subclasses_are_refused():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    assert type(scipy_signal.convolve(masked, np.ones(2))) is np.ndarray  # the mask is gone
    with pytest.raises(TypeError, match="whose mask, units or other meaning would be lost"):
        signal.convolve(masked, np.ones(2))


def test_fractional_fillvalue_of_integers_is_refused():
    image, kernel = np.ones((2, 2), np.int64), np.ones((2, 2), np.int64)
    assert scipy_signal.convolve2d(image, kernel, fillvalue=0.5)[0, 0] == 1  # 0 was filled in
    with pytest.raises(ValueError, match="could not cast `fillvalue`"):
        signal.convolve2d(image, kernel, fillvalue=0.5)


def test_fractional_rates_are_refused():
    assert scipy_signal.upfirdn([1.0, 1.0], [1.0, 2.0], up=1.5).shape == (3,)  # up=1
    with pytest.raises(ValueError, match="whole numbers"):
        signal.upfirdn([1.0, 1.0], [1.0, 2.0], up=1.5)


def test_savgol_weights_are_exact():
    theirs, ours = (module.savgol_coeffs(21, 12) for module in (scipy_signal, signal))
    assert abs(theirs - ours).max() > 1e-6 * abs(ours).max()
    assert np.array_equal(ours, ours[::-1])  # exact weights are symmetric


@pytest.mark.filterwarnings("ignore")  # NumPy's, of the imaginary part
def test_savgol_filter_keeps_imaginary_parts():
    x = SAMPLES + 1j * np.asarray(SAMPLES)[::-1]
    assert scipy_signal.savgol_filter(x, 3, 1).dtype == np.float64
    parts = signal.savgol_filter(x.real, 3, 1) + 1j * signal.savgol_filter(x.imag, 3, 1)
    np.testing.assert_allclose(signal.savgol_filter(x, 3, 1), parts)


def test_resample_poly_does_not_wrap():
    x = np.array([1, 200, 7, 90], np.uint8)
    theirs, ours = (module.resample_poly(x, 2, 1, padtype="maximum") for module in (scipy_signal, signal))
    np.testing.assert_allclose(ours, scipy_signal.resample_poly(x.astype(float), 2, 1, padtype="maximum"))
    assert abs(theirs - ours).max() > 1


def test_recursions_are_refused():
    assert scipy_signal.lfilter([1.0], [1.0, -0.5], [1.0, 0.0, 0.0]).tolist() == [1, 0.5, 0.25]
    with pytest.raises(NotImplementedError, match="recursion"):
        signal.lfilter([1.0], [1.0, -0.5], [1.0, 0.0, 0.0])
    assert scipy_signal.decimate(np.ones(60), 2).shape == (30,)
    with pytest.raises(NotImplementedError, match="ftype='fir'"):
        signal.decimate(np.ones(60), 2)


def test_windows_without_a_formula_are_refused():
    assert scipy_signal.resample_poly(np.ones(9), 3, 2, window=("chebwin", 60.0)).shape == (14,)
    with pytest.raises(ValueError, match=r"scipy\.signal\.firwin"):
        signal.resample_poly(np.ones(9), 3, 2, window=("chebwin", 60.0))


def test_sigma_of_zero_is_refused():
    with pytest.raises(ZeroDivisionError):
        scipy_ndimage.gaussian_filter1d(SAMPLES, 0)
    with pytest.raises(ValueError, match="`sigma` must be finite and not 0"):
        ndimage.gaussian_filter1d(SAMPLES, 0)


def test_half_precision_is_refused_by_ndimage():
    half = np.ones(3, np.float16)
    with pytest.raises(RuntimeError, match="not supported"):
        scipy_ndimage.gaussian_filter(half, 1)
    assert scipy_ndimage.gaussian_filter(half, 0).dtype == np.float16
    for sigma in (0, 1):
        with pytest.raises(RuntimeError, match="not supported"):
            ndimage.gaussian_filter(half, sigma)


# What we do beside it


def test_bool_and_float16_in_every_number_of_axes():
    for dtype in (np.bool_, np.float16):
        values = np.ones((1, 2), dtype)
        with pytest.raises(ValueError, match="Unsupported type"):
            scipy_signal.convolve(values, values, method="direct")
        assert signal.convolve(values, values, method="direct").dtype == dtype
        with pytest.raises(ValueError, match="not available for this type"):
            scipy_signal.convolve2d(values, values)
        assert signal.convolve2d(values, values).dtype == dtype


def test_no_warning_about_nan():
    with pytest.warns(RuntimeWarning, match="Use of fft convolution"):
        scipy_signal.convolve(np.ones(400), [1.0, np.nan], method="fft")
    signal.convolve(np.ones(400), [1.0, np.nan], method="fft")  # warnings are errors here


def test_method_depends_on_no_value():
    small, large = np.ones(4000, np.int64), np.full(4000, 2**40)
    assert scipy_signal.choose_conv_method(small, small) != scipy_signal.choose_conv_method(large, large)
    assert signal.choose_conv_method(small, small) == signal.choose_conv_method(large, large)


def test_torch_stays_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    image = torch.ones((3, 3), requires_grad=True)
    with pytest.raises(RuntimeError, match="requires grad"):
        scipy_signal.convolve2d(image, torch.ones(2, 2))
    assert signal.convolve2d(image, torch.ones(2, 2)).requires_grad
    assert ndimage.sobel(image).requires_grad


# What torch does otherwise


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


def test_nn_same_takes_a_stride(torch):
    x, w = torch.arange(1.0, 6.0)[None], torch.ones(1, 1, 3)
    with pytest.raises(RuntimeError, match="'same' is not supported for strided"):
        torch.nn.functional.conv1d(x, w, padding="same", stride=2)
    with pytest.raises(ValueError, match="'same' is not supported for strided"):
        torch.nn.Conv1d(1, 1, 3, padding="same", stride=2)
    assert nn.conv1d(x, w, padding="same", stride=2).tolist() == [[3, 9, 9]]
    assert nn.modules.Conv1d(1, 1, 3, padding="same", stride=2)(x).shape == (1, 3)


def test_nn_same_does_not_warn(torch):
    x, w = torch.ones(1, 5), torch.ones(1, 1, 2)
    with warnings.catch_warnings(record=True) as caught:  # torch says it once in a process
        warnings.simplefilter("always")
        theirs = torch.nn.functional.conv1d(x, w, padding="same")
    assert all("may require a zero-padded copy" in str(each.message) for each in caught)
    assert torch.equal(nn.conv1d(x, w, padding="same"), theirs)


def test_nn_pads_one_side(torch):
    x, w = torch.ones(1, 3), torch.ones(1, 1, 2)
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        torch.nn.functional.conv1d(x, w, padding=((1, 0),))
    assert nn.conv1d(x, w, padding=((1, 0),)).tolist() == [[1, 2, 2]]
    with pytest.raises(RuntimeError, match="Invalid padding string"):
        torch.nn.functional.conv1d(x, w, padding="full")
    assert nn.conv1d(x, w, padding="full").tolist() == [[1, 2, 2, 1]]
    assert nn.conv1d(x, w, padding="same_lower").tolist() == [[1, 2, 2]]


def test_nn_boundaries_reach_any_width(torch):
    x, w = torch.arange(3.0)[None], torch.ones(1, 1, 1)
    modes = {"reflect": ("reflect", 3), "circular": ("wrap", 4)}
    for mode, (boundary, width) in modes.items():
        with pytest.raises(RuntimeError, match="Padding"):
            torch.nn.functional.pad(x, (width, width), mode=mode)
        ours = nn.conv1d(x, w, padding=width, boundary=boundary)
        np.testing.assert_array_equal(ours, np.pad(x, ((0, 0), (width, width)), mode=boundary))
    ours = nn.conv1d(x, w, padding=7, boundary="symmetric")
    np.testing.assert_array_equal(ours, np.pad(x, ((0, 0), (7, 7)), mode="symmetric"))


def test_nn_promotes(torch):
    x, w = torch.ones(1, 3), torch.ones(1, 1, 2)
    for a, b, dtype in ((x, w.double(), torch.float64), (x.int(), w, torch.float32)):
        with pytest.raises(RuntimeError, match="expected scalar type"):
            torch.nn.functional.conv1d(a, b)
        assert nn.conv1d(a, b).dtype == dtype


def test_nn_takes_every_integer(torch):
    for dtype in (torch.uint16, torch.uint32, torch.uint64):
        x, w = torch.ones(1, 3).to(dtype), torch.ones(1, 1, 2).to(dtype)
        with pytest.raises(NotImplementedError, match="not implemented for 'UInt"):
            torch.nn.functional.conv1d(x, w)
        y = nn.conv1d(x, w)
        assert y.dtype == dtype
        assert y.tolist() == [[2, 2]]


def test_nn_functions_ignore_autocast(torch):
    x, w = torch.ones(1, 3), torch.ones(1, 1, 2)
    layers = [module.Conv1d(1, 1, 2) for module in (torch.nn, nn.modules)]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.nn.functional.conv1d(x, w).dtype == torch.bfloat16
        assert nn.conv1d(x, w).dtype == torch.float32
        assert all(layer(x).dtype == torch.bfloat16 for layer in layers)


def test_nn_windows_over_any_axes(torch):
    for count in (1, 3):
        x = torch.ones((1, 1, *(4,) * count))
        with pytest.raises(RuntimeError, match="kernel_size equals to 2"):
            torch.nn.functional.unfold(x, (2,) * count)
        columns = nn.unfold(x, (2,) * count)
        assert columns.shape == (1, 2**count, 3**count)
        assert nn.fold(columns, (4,) * count, (2,) * count).sum() == columns.sum()
    x = torch.ones(1, 1, 4, 4, dtype=torch.int32)
    with pytest.raises(NotImplementedError, match="not implemented for 'Int'"):
        torch.nn.functional.unfold(x, 2)
    assert nn.unfold(x, 2).dtype == torch.int32


def test_nn_convolves_any_axes(torch):
    x, w = torch.ones(1, 1, 3, 3, 3, 3), torch.ones(1, 1, 2, 2, 2, 2)
    with pytest.raises(RuntimeError, match=r"Expected 4D \(unbatched\) or 5D"):
        torch.nn.functional.conv3d(x, w)
    assert (nn.conv(x, w) == 16).all()
    assert nn.conv_transpose(x, w).sum() == x.sum() * w.sum()


def test_nn_grad_takes_what_autograd_takes(torch):
    x, w, dy = torch.ones(1, 4), torch.ones(1, 1, 3), torch.ones(1, 2)
    with pytest.raises(RuntimeError, match="but got 2-dimensional input"):
        torch.nn.grad.conv1d_weight(x, w.shape, dy)
    assert nn.grad.conv1d_weight(x, w.shape, dy).tolist() == [[[2, 2, 2]]]
    w, dy = (1j * w).to(torch.complex64), dy[None].to(torch.complex64)
    with pytest.raises(NotImplementedError, match="not implemented for 'ComplexFloat'"):
        torch.nn.grad.conv1d_input((1, 1, 4), w, dy)
    x = torch.ones(1, 1, 4, dtype=torch.complex64, requires_grad=True)
    torch.nn.functional.conv1d(x, w).backward(dy)
    assert torch.equal(nn.grad.conv1d_input((1, 1, 4), w, dy), x.grad)


def test_nn_padding_mode_per_axis(torch):
    with pytest.raises((TypeError, ValueError)):
        torch.nn.Conv2d(1, 1, 3, padding=1, padding_mode=("replicate", "circular"))
    layer = nn.modules.Conv2d(1, 1, 3, padding=1, padding_mode=("replicate", "circular"))
    x = torch.arange(12.0).reshape(1, 3, 4)
    wide = torch.as_tensor(np.pad(np.pad(x, ((0, 0), (1, 1), (0, 0)), mode="edge"), ((0, 0), (0, 0), (1, 1)), "wrap"))
    torch.testing.assert_close(layer(x), torch.nn.functional.conv2d(wide, layer.weight, layer.bias))


def test_nn_takes_every_library(torch):
    x, w = np.ones((1, 3)), np.ones((1, 1, 2))
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        torch.nn.functional.conv1d(x, w)
    for operands in ((x, w), (x.tolist(), w.tolist())):
        y = nn.conv1d(*operands)
        assert isinstance(y, np.ndarray)
        assert y.tolist() == [[2, 2]]


# The core's own rules, where its neighbours disagree


def test_same_is_the_size_of_x():
    x, k = [1.0, 2.0, 3.0], [1.0, 0, 0, 0, 10]
    assert np.convolve(x, k, "same").shape == (5,)
    np.testing.assert_allclose(arrayconv.convolve(x, k, "same"), scipy_signal.convolve(x, k, "same"), atol=1e-12)


def test_operands_are_never_swapped():
    x, k = np.ones(2), np.ones(3)
    assert scipy_signal.convolve(x, k, "valid").shape == signal.convolve(x, k, "valid").shape == (2,)
    with pytest.raises(ValueError, match="needs a kernel no longer than x"):
        arrayconv.convolve(x, k, "valid")


def test_even_kernels_have_one_centre():
    x, k = SAMPLES, np.asarray([1.0, 10.0])
    ours = arrayconv.correlate(x, k, "same")
    np.testing.assert_array_equal(ours, [10, 21, 32, 43, 54])
    np.testing.assert_array_equal(scipy_signal.correlate(x, k, "same"), ours)
    np.testing.assert_array_equal(scipy_signal.correlate2d(x[None], k[None], "same")[0], [21, 32, 43, 54, 5])
    np.testing.assert_array_equal(arrayconv.convolve(x, k, "same"), [1, 12, 23, 34, 45])
    np.testing.assert_array_equal(scipy_ndimage.convolve(x, k, mode="constant"), [12, 23, 34, 45, 50])


def test_reflect_is_numpy_s_reflect():
    x, k = SAMPLES, np.asarray([1.0, 0.0, 0.0])  # the sample before each
    assert arrayconv.correlate(x, k, "same", boundary="reflect")[0] == np.pad(x, 1, mode="reflect")[0] == 2
    assert scipy_ndimage.correlate(x, k, mode="reflect")[0] == np.pad(x, 1, mode="symmetric")[0] == 1


def test_integers_take_the_dtype_of_floats():
    x, k = np.arange(3, dtype=np.int32), np.ones(2, np.float32)
    assert scipy_signal.convolve(x, k).dtype == signal.convolve(x, k).dtype == np.float64
    assert arrayconv.convolve(x, k).dtype == np.float32


def test_integers_wrap():
    x, k = np.asarray([200, 200], np.uint8), np.asarray([1, 1], np.uint8)
    assert list(arrayconv.convolve(x, k)) == list(np.convolve(x, k)) == [200, 144, 200]
    assert list(scipy_signal.fftconvolve(x, k)) == pytest.approx([200, 400, 200])
    assert list(arrayconv.convolve(x, k, dtype=np.int32)) == [200, 400, 200]


def test_the_core_keeps_int64():
    x, k = np.asarray([0, 2**62 + 1, 0]), np.asarray([1])
    assert scipy_ndimage.correlate(x, k)[1] == ndimage.correlate(x, k)[1] == 2**62
    assert arrayconv.correlate(x, k, "same")[1] == 2**62 + 1


def test_bool_is_refused_by_the_core():
    assert list(np.convolve([True], [True])) == [True]
    with pytest.raises(TypeError, match="Cast it to an integer dtype first"):
        arrayconv.convolve(np.asarray([True]), np.asarray([True]))


def test_uint64_with_signed_is_refused_by_the_core():
    x, k = np.ones(2, np.uint64), np.ones(2, np.int64)
    assert np.convolve(x, k).dtype == np.float64
    with pytest.raises(TypeError, match="have no common dtype"):
        arrayconv.convolve(x, k)


def test_exchanged_correlate2d_is_conjugated():
    x, k = np.asarray([[1j, 2]]), np.asarray([[1, 2j, 3, 4j]])
    np.testing.assert_allclose(scipy_signal.correlate2d(x, k, "valid"), [[5j, 8, 3j]])
    np.testing.assert_allclose(scipy_signal.correlate(x, k, "valid"), [[-5j, 8, -3j]])
    np.testing.assert_allclose(signal.correlate2d(x, k, "valid"), [[-5j, 8, -3j]])


def test_bools_by_fft_are_logical():
    random = np.random.default_rng(0)
    differs = 0
    for _ in range(50):
        x, k = random.random(12) < 0.2, random.random(5) < 0.3
        logical = np.convolve(x, k)
        np.testing.assert_array_equal(signal.convolve(x, k, method="fft"), logical)
        differs += not np.array_equal(scipy_signal.convolve(x, k, method="fft"), logical)
    assert differs


def test_cval_meets_every_pass_of_a_derivative():
    x, order = np.full((9, 9), 7.0), (1, 0)
    options = {"sigma": 1.0, "order": order, "mode": "constant", "cval": 7.0}
    theirs = scipy_ndimage.gaussian_filter(x, **options)
    np.testing.assert_allclose(ndimage.gaussian_filter(x, **options), theirs, atol=1e-12)
    assert np.abs(theirs).max() > 1  # although the extended image is flat, and its derivative 0
    kernel = arrayconv.kernels.gaussian(1.0, order=order)
    np.testing.assert_allclose(arrayconv.convolve(x, kernel, "same", fill_value=7.0), 0, atol=1e-12)
