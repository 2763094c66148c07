"""Which functions of SciPy, astropy and skimage are replaced, and which tests are about them. Data, and look-ups.

A test belongs to the functions of the first row that matches its class and name. A test that takes one of the functions
as a parameter belongs to that function alone, and not to those of its row.
"""

from fnmatch import fnmatchcase
from typing import NamedTuple

from arrayconv import astronomy, matching, ndimage, signal


class Suite(NamedTuple):
    """A package whose tests run: our modules, each with the module in whose place it is put, and its functions."""

    owners: dict
    functions: dict


SUITES = {
    "scipy": Suite(
        {"signal": "scipy.signal", "ndimage": "scipy.ndimage"},
        {"signal": tuple(signal.__all__), "ndimage": tuple(ndimage.__all__)},
    ),
    "astropy": Suite({"astronomy": "astropy.convolution.convolve"}, {"astronomy": tuple(astronomy.__all__)}),
    "skimage": Suite({"matching": "skimage.feature"}, {"matching": tuple(matching.__all__)}),
}
FUNCTIONS = {module: names for suite in SUITES.values() for module, names in suite.functions.items()}
NAMES = tuple(f"{module}.{name}" for module, names in FUNCTIONS.items() for name in names)

PARAMETER = ""  # the function is a parameter of the test; the ids with other functions are not ours
BOTH = "ndimage.convolve ndimage.correlate"
BOTH_1D = "ndimage.convolve1d ndimage.correlate1d"

BOTH_MEANS = "astronomy.convolve astronomy.convolve_fft"

# File under scipy/ -> pattern of `Class::test` or `test` -> functions. First match wins.
SCOPE = {
    "signal/tests/test_signaltools.py": {
        "TestConvolve::test_convolve_method": "signal.convolve signal.choose_conv_method",
        "TestConvolve::*": "signal.convolve",
        "TestConvolve2d::test_consistency_convolve_funcs": "signal.convolve2d signal.convolve",
        "TestConvolve2d::test_boundary_extension_*": "signal.convolve2d ndimage.convolve",
        "TestConvolve2d::*": "signal.convolve2d",
        "TestFFTConvolve::test_random_data_multidim_axes": "signal.fftconvolve signal.convolve2d",
        "TestFFTConvolve::test_fft_nan": "signal.convolve",
        "TestFFTConvolve::*": "signal.fftconvolve",
        "TestOAConvolve::*": "signal.oaconvolve",
        "TestAllFreqConvolves::*": PARAMETER,
        "test_convolve_longdtype_input": "signal.convolve signal.fftconvolve",
        "TestResample::test_poly_vs_filtfilt": "signal.resample_poly signal.convolve",
        "TestResample::test_correlate1d": "signal.resample_poly ndimage.correlate1d",
        "TestResample::test_basic": "signal.resample_poly",
        "TestResample::test_mutable_window": "signal.resample_poly",
        "TestResample::test_output_*": "signal.resample_poly",
        "TestResample::test_resample_methods": "signal.resample_poly",
        "TestResample::test_gh_15620": "signal.resample_poly",
        "test_gh_22684": "signal.resample_poly",
        "TestLinearFilter*::test_lfiltic*": "",  # of another function
        "TestLinearFilter*::*": "signal.lfilter",
        "test_lfilter_*": "signal.lfilter",
        "TestCorrelateReal::*": "signal.correlate",
        "TestCorrelate::*": "signal.correlate",
        "TestCorrelateComplex::*": "signal.correlate",
        "TestCorrelate2d::test_consistency_correlate_funcs": "signal.correlate",
        "TestCorrelate2d::test_consistency_correlate_funcs_2": "signal.correlate2d signal.correlate",
        "TestCorrelate2d::*": "signal.correlate2d",
        "test_correlation_lags": "signal.correlation_lags signal.correlate",
        "test_correlation_lags_invalid_mode": "signal.correlation_lags",
        "test_choose_conv_method*": "signal.choose_conv_method",
        "TestDecimate::test_complex_fir_dlti": "signal.decimate signal.upfirdn",
        "TestDecimate::*": "signal.decimate",
    },
    "signal/tests/test_result_type.py": {"test_decimate": "signal.decimate"},
    "signal/tests/test_upfirdn.py": {
        "TestUpfirdn::test_[!e]*": "signal.upfirdn",  # test_extensions tests a private function
    },
    "signal/tests/test_fir_filter_design.py": {"Testfirwin_2d::test_impulse_response": "signal.convolve2d"},
    "signal/tests/test_savitzky_golay.py": {
        "test_sg_coeffs_exact": "signal.savgol_coeffs ndimage.convolve1d",
        "test_sg_coeffs_*": "signal.savgol_coeffs",
        "test_sg_filter_*": "signal.savgol_filter",
    },
    "signal/tests/test_bsplines.py": {"TestSepfir2d::*": "signal.sepfir2d"},
    "ndimage/tests/test_filters.py": {
        "TestNdimageFilters::test_correlate01_overlap": "ndimage.correlate1d",
        "TestNdimageFilters::test_correlate0?": f"{BOTH} {BOTH_1D}",
        "TestNdimageFilters::test_correlate17": f"{BOTH} {BOTH_1D}",
        "TestNdimageFilters::test_correlate1?": BOTH,
        "TestNdimageFilters::test_correlate2?": BOTH_1D,
        "TestNdimageFilters::test_correlate1d_complex*": BOTH_1D,
        "TestNdimageFilters::test_correlate_complex_kernel_invalid_cval": f"{BOTH} {BOTH_1D}",
        "TestNdimageFilters::test_correlate_complex*": BOTH,
        "TestNdimageFilters::test_correlate_mode_sequence": BOTH,
        "TestNdimageFilters::test_gauss0?": "ndimage.gaussian_filter",
        "TestNdimageFilters::test_gauss_memory_overlap": "ndimage.gaussian_filter",
        "TestNdimageFilters::test_prewitt0?": "ndimage.prewitt",
        "TestNdimageFilters::test_sobel0?": "ndimage.sobel",
        "TestNdimageFilters::test_laplace0?": "ndimage.laplace",
        "TestNdimageFilters::test_gaussian_laplace0?": "ndimage.gaussian_laplace",
        "TestNdimageFilters::test_generic_laplace01": "ndimage.generic_laplace",
        "TestNdimageFilters::test_gaussian_gradient_magnitude0?": "ndimage.gaussian_gradient_magnitude",
        "TestNdimageFilters::test_generic_gradient_magnitude01": "ndimage.generic_gradient_magnitude",
        "TestNdimageFilters::test_uniform01*": "ndimage.uniform_filter1d",
        "TestNdimageFilters::test_uniform0*": "ndimage.uniform_filter",
        "TestNdimageFilters::test_generic_filter1d01": "ndimage.correlate1d",
        "TestNdimageFilters::test_generic_filter01": "ndimage.correlate",
        "TestNdimageFilters::test_extend0[1-4]": "ndimage.correlate1d",
        "TestNdimageFilters::test_extend*": "ndimage.correlate",
        "TestNdimageFilters::*": PARAMETER,
        "TestThreading::test_correlate1d": "ndimage.correlate1d",
        "TestThreading::test_correlate": "ndimage.correlate",
        "TestThreading::test_uniform_filter1d": "ndimage.uniform_filter1d",
        "test_gh_5430": "ndimage.gaussian_filter",
        "test_orders_gauss": "ndimage.gaussian_filter ndimage.gaussian_filter1d",
        "test_valid_origins2": PARAMETER,
        "test_bad_convolve_and_correlate_origins": f"{BOTH} {BOTH_1D}",
        "test_multiple_modes": PARAMETER,
        "test_multiple_modes_sequentially": "ndimage.gaussian_filter ndimage.uniform_filter",
        "test_multiple_modes_prewitt": "ndimage.prewitt",
        "test_multiple_modes_sobel": "ndimage.sobel",
        "test_multiple_modes_laplace": "ndimage.laplace",
        "test_multiple_modes_gaussian_laplace": "ndimage.gaussian_laplace",
        "test_multiple_modes_gaussian_gradient_magnitude": "ndimage.gaussian_gradient_magnitude",
        "test_multiple_modes_uniform": "ndimage.uniform_filter",
        "test_gaussian_truncate": "ndimage.gaussian_filter ndimage.gaussian_filter1d",
        "test_gaussian_radius*": "ndimage.gaussian_filter ndimage.gaussian_filter1d",
        "test_uniform_filter1d_roundoff_errors": "ndimage.uniform_filter1d",
        "test_gaussian_filter_float16": "ndimage.gaussian_filter",
    },
}

ASTROPY = {
    "convolution/tests/test_convolve.py": {"*": BOTH_MEANS},
    "convolution/tests/test_convolve_fft.py": {"*": BOTH_MEANS},
    "convolution/tests/test_convolve_kernels.py": {"Test2DConvolutions::*": BOTH_MEANS},
    "convolution/tests/test_convolve_models.py": {"*": BOTH_MEANS},
    "convolution/tests/test_convolve_nddata.py": {"*": BOTH_MEANS},
    "convolution/tests/test_kernel_class.py": {
        "TestKernels::test_scipy_filter_*": BOTH_MEANS,
        "TestKernels::test_delta_data": BOTH_MEANS,
        "TestKernels::test_random_data": BOTH_MEANS,
        "TestKernels::test_*smallkernel*": BOTH_MEANS,
        "TestKernels::test_convolve_?D_kernels": "astronomy.convolve",
    },
}
# Ids that return before they call a function of ours, or call another.
CALLS_NOTHING = (
    "TestResample::test_resample_methods[[]*fft-*",
    "Test2DConvolutions::test_uniform_smallkernel[[][24]-*",
)
SKIMAGE = {"feature/tests/test_template.py": {"test_*": "matching.match_template"}}
SCOPES = {"scipy": SCOPE, "astropy": ASTROPY, "skimage": SKIMAGE}

# The tests of a run of a few seconds: one class for each kind of call.
FAST_SCIPY = {
    "signal/tests/test_signaltools.py": (
        "TestConvolve",
        "TestConvolve2d",
        "TestFFTConvolve",
        "TestOAConvolve",
        "TestAllFreqConvolves",
        "TestCorrelateReal",
        "TestCorrelate",
        "TestCorrelateComplex",
        "TestCorrelate2d",
        "test_correlation_lags",
        "test_choose_conv_method",
    ),
    "signal/tests/test_upfirdn.py": ("TestUpfirdn",),
    "ndimage/tests/test_filters.py": (
        "TestNdimageFilters",
        "test_multiple_modes",
        "test_multiple_modes_sequentially",
        "test_orders_gauss",
    ),
}
FAST = {
    "scipy": FAST_SCIPY,
    "astropy": {
        "convolution/tests/test_convolve.py": ("TestConvolve1D",),
    },
    "skimage": {"feature/tests/test_template.py": ("test_template",)},
}

# SciPy's tests say what SciPy cannot do on a library by naming the library. Ours can, so those marks are lifted, but
# for the ones that speak of the test or of the library itself.
REMAINING_MARKS = (
    "output=array requires buffer view",
    "no float16",
)
# Functions of sizes, without arrays of a library: their tests compare NumPy arrays.
WITHOUT_ARRAYS = ("signal.correlation_lags",)


def functions_of(suite, file, test, parameters):
    """Return the names in NAMES that a test is about, an empty tuple where it is about none."""
    names = next((row for pattern, row in SCOPES[suite].get(file, {}).items() if fnmatchcase(test, pattern)), None)
    if names is None:
        return ()
    own = tuple(name for value in parameters if (name := getattr(value, "parity_name", None)))
    return own or tuple(names.split())


def calls_nothing(test):
    """Return whether a test, with its parameters, calls no function of ours."""
    return any(fnmatchcase(test, pattern) for pattern in CALLS_NOTHING)


def is_selected(functions, names):
    """Return whether one of a test's functions was chosen, by `convolve` or `signal.convolve`."""
    return not names or any(name in names or name.split(".")[1] in names for name in functions)
