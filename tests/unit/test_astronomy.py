"""`arrayconv.astronomy`: astropy's arguments on every library, and sums that are right where astropy's are not."""

import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from arrayconv import astronomy

NAN = float("nan")
X = np.array([[1.0, NAN, 3.0, 4.0], [5.0, 6.0, NAN, NAN], [9.0, 1.0, NAN, 2.0], [1.0, 1.0, 0.5, 2.0]])
KERNEL = np.array([[1.0, 2.0, 1.0], [0.0, 3.0, 1.0], [1.0, 1.0, 0.0]])
CALLS = [
    ("convolve", {}),
    ("convolve", {"boundary": "extend", "normalize_kernel": False}),
    ("convolve", {"boundary": None, "preserve_nan": True}),
    ("convolve", {"boundary": "wrap", "nan_treatment": "fill", "fill_value": 2.0}),
    ("convolve", {"fill_value": NAN}),
    ("convolve_fft", {"min_wt": 0.3}),
    ("convolve_fft", {"boundary": "wrap", "normalize_kernel": False}),
    ("convolve_fft", {"crop": False, "fft_pad": False, "nan_treatment": "fill"}),
    ("convolve_fft", {"psf_pad": False, "fft_pad": False, "boundary": None, "fill_value": 1.0}),
    ("convolve_fft", {"return_fft": True}),
]
COMPILED = {"torch": 1, "jax.numpy": 4, "array_api_strict": 1}  # one call of so many: JAX compiles each for a second


@pytest.mark.filterwarnings("ignore:(psf_pad|The convolve_fft version|nan_treatment)")
@pytest.mark.parametrize(
    ("library", "function", "options"),
    [
        (library, *call)
        for library in ("torch", "jax.numpy", "array_api_strict")
        for call in CALLS[:: COMPILED[library]]
    ],
)
def test_every_library_computes_what_numpy_does(library, function, options):
    if library == "jax.numpy":
        pytest.importorskip("jax", reason="JAX is not installed").config.update("jax_enable_x64", True)
    xp = pytest.importorskip(library, reason=f"{library} is not installed")
    y = getattr(astronomy, function)(xp.asarray(X), xp.asarray(KERNEL), **options)
    expected = getattr(astronomy, function)(X, KERNEL, **options)
    assert type(y) is type(xp.asarray(X))
    np.testing.assert_allclose(np.asarray(y), expected, rtol=1e-12, atol=1e-12)  # of sums near 10


def test_astropy_is_not_imported():
    code = "import sys; from arrayconv import astronomy; astronomy.convolve([1.0], [1.0]); "
    code += "print('astropy' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "False"


def test_no_output_is_the_sample_itself_for_want_of_weight():
    y = astronomy.convolve([NAN, 5.0, NAN], [1.0, 0.0, 1.0], fill_value=NAN, preserve_nan=True)
    np.testing.assert_array_equal(y, [NAN, NAN, NAN])  # astropy's is 5 in the middle


def test_an_infinity_reaches_its_windows_alone():
    y = astronomy.convolve([1.0, 1.0, np.inf, NAN, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0], boundary="extend")
    np.testing.assert_array_equal(y, [1, np.inf, np.inf, np.inf, 1, 1, 1])


def test_imaginary_parts_stay():
    x = np.array([1 + 1j, 2, 3 - 2j])
    np.testing.assert_array_equal(astronomy.convolve(x, [0.0, 1.0, 0.0]), x)
    np.testing.assert_allclose(astronomy.convolve_fft(x, [0.0, 1.0, 0.0]), x, rtol=1e-15)


def test_a_callable_divides_the_kernel():
    for treatment in ("interpolate", "fill"):
        y = astronomy.convolve_fft([1, 2, 3], [2, 2, 2], normalize_kernel=np.max, nan_treatment=treatment)
        np.testing.assert_allclose(y, [3, 6, 5], rtol=1e-15)


def test_uncropped_results_are_means_outside_too():
    y = astronomy.convolve_fft([2.0, NAN, 2.0], [1, 1, 1], fill_value=NAN, crop=False)
    np.testing.assert_allclose(y, [0, 2, 2, 2, 2, 2], rtol=1e-12)


def test_refused_sums_do_not_depend_on_scale():
    x = [1.0, NAN, 3.0, 1.0]
    for scale in (1e-4, -1, 1e6):
        y = astronomy.convolve(x, np.array([1.0, 1.0, 1.0]) * scale, "extend")
        np.testing.assert_allclose(y, [1, 2, 2, 5 / 3], rtol=1e-14)
        with pytest.raises(ValueError, match="sum close to zero"):
            astronomy.convolve(x, np.array([1.0, -2.01, 1.0]) * scale, "extend")


def test_nan_may_fill_gaps():
    y = astronomy.convolve_fft([1.0, NAN, 3.0, 4.0], [1.0], fill_value=NAN, nan_treatment="fill")
    np.testing.assert_array_equal(y, [1, NAN, 3, 4])


def test_any_number_of_axes():
    x = np.ones((3, 3, 3, 3))
    x[1, 1, 1, 1] = NAN
    np.testing.assert_allclose(astronomy.convolve(x, np.ones((3, 3, 3, 3)), "extend"), np.ones_like(x), rtol=1e-14)


def test_gaps_of_a_mask_and_inputs_that_stay():
    x, mask = np.array([1.0, 100.0, 3.0]), np.array([0, 1, 0])
    np.testing.assert_array_equal(astronomy.convolve(x, [1, 1, 1], "extend", mask=mask), [1, 2, 3])
    masked = np.ma.array(x, mask=mask)
    np.testing.assert_array_equal(astronomy.convolve(masked, [1, 1, 1], "extend"), [1, 2, 3])
    np.testing.assert_array_equal(x, [1, 100, 3])
    filled = astronomy.interpolate_replace_nans([1.0, NAN, 3.0], [1, 1, 1])
    np.testing.assert_array_equal(filled, [1, 2, 3])


def test_gradients_of_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = torch.tensor(X, requires_grad=True)
    astronomy.convolve(x, torch.tensor(KERNEL), fill_value=NAN).nansum().backward()
    gaps = torch.isnan(x)
    assert torch.isfinite(x.grad).all()
    assert (x.grad[gaps] == 0).all()
    assert (x.grad[~gaps] != 0).any()


BAD = [
    ("convolve", ([1.0, 2.0], [1.0, 1.0]), {}, Exception, "odd in all axes"),
    ("convolve", ([1.0, NAN], [1.0, 0.0, -1.0]), {}, ValueError, "sum close to zero"),
    ("convolve", ([1.0, 2.0], [1.0]), {"boundary": "reflect"}, ValueError, "`boundary` must be one of"),
    ("convolve", ([1.0, 2.0], [1.0]), {"nan_treatment": "drop"}, ValueError, "'interpolate', 'fill'"),
    ("convolve", ([1.0, 2.0], [1.0]), {"mask": [True]}, ValueError, "the shape of `array`"),
    ("convolve_fft", ([1.0, 2.0], [1.0]), {"boundary": "extend"}, NotImplementedError, "Use convolve"),
    ("convolve_fft", ([1.0, 2.0], [1.0]), {"complex_dtype": float}, TypeError, "complex64 or complex128"),
    ("convolve_fft", ([1.0, 2.0], [1.0]), {"boundary": "wrap", "fft_pad": True}, ValueError, "cannot be enabled"),
]


@pytest.mark.parametrize(("function", "operands", "options", "kind", "text"), BAD)
def test_bad_input(function, operands, options, kind, text):
    with pytest.raises(kind, match=text):
        getattr(astronomy, function)(*operands, **options)


def test_units_and_kernels_of_astropy():
    pytest.importorskip("astropy", reason="astropy is not installed")
    units, convolution = import_module("astropy.units"), import_module("astropy.convolution")
    kernel = convolution.Gaussian1DKernel(1)
    y = astronomy.convolve(np.array([1.0, NAN, 3.0]) * units.m, kernel, "extend")
    assert y.unit == units.m
    assert np.isfinite(y.value).all()
    with pytest.warns(UserWarning, match="Both array and kernel"):
        both = astronomy.convolve(convolution.Gaussian1DKernel(3, x_size=31), kernel)
    assert isinstance(both, convolution.Kernel1D)
