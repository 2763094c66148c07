"""Named stencils: literal taps, SciPy's and scikit-image's impulse responses, every namespace, every refusal."""

import array_api_strict
import jax.numpy
import numpy as np
import pytest
import skimage.filters
import torch
from scipy import ndimage, signal

import arrayconv
from arrayconv import kernels

NAMESPACES = {"numpy": np, "torch": torch, "jax": jax.numpy, "array_api_strict": array_api_strict}

# One row per kernel: a call with the required arguments, and whether its taps are integers.
CALLS = {
    "sobel": (lambda **options: kernels.sobel(**options), True),
    "prewitt": (lambda **options: kernels.prewitt(0, **options), True),
    "scharr": (lambda **options: kernels.scharr(1, 3, **options), True),
    "vertical_edge": (lambda **options: kernels.vertical_edge(**options), True),
    "horizontal_edge": (lambda **options: kernels.horizontal_edge(**options), True),
    "laplacian": (lambda **options: kernels.laplacian(3, **options), True),
    "box": (lambda **options: kernels.box((2, 3), **options), False),
    "gaussian": (lambda **options: kernels.gaussian((1.0, 0.7), order=(0, 1), **options), False),
    "log": (lambda **options: kernels.log(0.8, **options), False),
    "dog": (lambda **options: kernels.dog(0.6, 1.1, **options), False),
    "savgol": (lambda **options: kernels.savgol(7, 2, deriv=1, **options), False),
    "gabor": (lambda **options: kernels.gabor(0.3, 0.4, **options), False),
}
INTEGER = [name for name, (_, integer) in CALLS.items() if integer]
FRACTIONAL = [name for name, (_, integer) in CALLS.items() if not integer]

every_kernel = pytest.mark.parametrize("name", CALLS)
every_namespace = pytest.mark.parametrize("xp", NAMESPACES.values(), ids=NAMESPACES)


def call(name, **options):
    return CALLS[name][0](**options)


def impulse_response(filtered, shape):
    """Return the impulse response of `filtered`, cropped to `shape` around it."""
    x = np.zeros([n + 4 for n in shape])
    x[tuple(n // 2 for n in x.shape)] = 1.0
    return filtered(x)[tuple(slice(2, 2 + n) for n in shape)]


def test_table_names_every_public_kernel():
    assert sorted(CALLS) == sorted({*kernels.__all__} - {"separate"})  # which factors a kernel


class TestTaps:
    def test_sobel_is_a_difference_times_a_smoothing(self):
        assert kernels.sobel().tolist() == [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
        assert kernels.sobel(0).tolist() == [[1, 2, 1], [0, 0, 0], [-1, -2, -1]]

    def test_scharr_smooths_with_3_10_3(self):
        assert kernels.scharr().tolist() == [[3, 0, -3], [10, 0, -10], [3, 0, -3]]

    def test_edges_are_prewitt_kernels(self):
        assert kernels.vertical_edge().tolist() == kernels.prewitt(-1).tolist() == [[1, 0, -1]] * 3
        assert kernels.horizontal_edge().tolist() == [[1, 1, 1], [0, 0, 0], [-1, -1, -1]]

    def test_laplacian_counts_its_neighbours(self):
        assert kernels.laplacian().tolist() == [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
        assert kernels.laplacian(diagonal=True).tolist() == [[1, 1, 1], [1, -8, 1], [1, 1, 1]]
        assert kernels.laplacian(3, diagonal=True)[1, 1, 1] == -26

    def test_one_axis_leaves_the_difference(self):
        assert kernels.sobel(ndim=1).tolist() == kernels.scharr(ndim=1).tolist() == [1, 0, -1]
        assert kernels.laplacian(1).tolist() == [1, -2, 1]

    def test_box_of_one_size_is_square(self):
        assert kernels.box(2).tolist() == [[0.25, 0.25], [0.25, 0.25]]
        assert kernels.box(2, 1).tolist() == [0.5, 0.5]

    def test_tuple_sets_the_number_of_axes(self):
        assert kernels.box((1, 2, 4)).shape == (1, 2, 4)
        assert kernels.gaussian(1.0, order=(1, 0, 0)).shape == (9, 9, 9)
        assert kernels.log((1.0,)).shape == (9,)

    def test_radius_zero_leaves_an_axis_alone(self):
        both = kernels.gaussian(1.0, radius=(0, 3))
        np.testing.assert_array_equal(both, kernels.gaussian(1.0, radius=3, ndim=1)[None, :])

    def test_dog_extends_the_narrower_by_zeros(self):
        both = kernels.dog(0.5, 1.0, ndim=1)
        wide = kernels.gaussian(1.0, ndim=1)
        np.testing.assert_array_equal(both[:2], -wide[:2])

    def test_tiny_sigma_is_an_impulse(self):
        assert kernels.gaussian(1e-200, radius=1, ndim=1).tolist() == [0.0, 1.0, 0.0]


class TestLaws:
    @pytest.mark.parametrize("name", ["sobel", "prewitt", "scharr", "vertical_edge", "horizontal_edge", "laplacian"])
    def test_derivatives_sum_to_zero(self, name):
        assert call(name).sum() == 0

    @pytest.mark.parametrize("kernel", [kernels.box((3, 4)), kernels.gaussian(1.3), kernels.gaussian((0.5, 2, 1))])
    def test_averages_sum_to_one(self, kernel):
        np.testing.assert_allclose(kernel.sum(), 1.0, rtol=1e-14)

    @pytest.mark.parametrize("make", [kernels.sobel, kernels.prewitt, kernels.scharr])
    @pytest.mark.parametrize("axis", [0, 1, 2, -1])
    def test_rising_input_gives_a_positive_derivative(self, make, axis):
        ramp = np.indices((5, 5, 5))[axis].astype(float)
        assert (signal.convolve(ramp, make(axis, 3), mode="valid", method="direct") > 0).all()

    def test_gaussian_derivative_of_a_ramp_is_its_slope(self):
        ramp = np.arange(40.0)
        y = signal.convolve(ramp, kernels.gaussian(2.0, order=1, ndim=1, truncate=8), mode="valid")
        np.testing.assert_allclose(y, 1.0, rtol=1e-10)


@every_kernel
def test_impulse_gives_the_kernel_back(name):
    kernel = call(name)
    np.testing.assert_array_equal(arrayconv.convolve(np.ones((1,) * kernel.ndim), kernel, method="direct"), kernel)


class TestScipy:
    @pytest.mark.parametrize("ndim", [1, 2, 3])
    @pytest.mark.parametrize("name", ["sobel", "prewitt"])
    def test_derivative_is_the_impulse_response(self, name, ndim):
        for axis in range(-ndim, ndim):
            kernel = getattr(kernels, name)(axis, ndim)
            response = impulse_response(lambda x, axis=axis: getattr(ndimage, name)(x, axis), kernel.shape)
            np.testing.assert_array_equal(kernel, response)

    @pytest.mark.parametrize("ndim", [1, 2, 3])
    def test_laplacian_is_the_impulse_response(self, ndim):
        kernel = kernels.laplacian(ndim)
        np.testing.assert_array_equal(kernel, impulse_response(ndimage.laplace, kernel.shape))

    @pytest.mark.parametrize("size", [(3,), (1, 5), (3, 5, 7)])
    def test_box_is_the_impulse_response(self, size):
        response = impulse_response(lambda x: ndimage.uniform_filter(x, size), size)
        np.testing.assert_allclose(kernels.box(size), response, rtol=1e-13, atol=1e-16)

    @pytest.mark.parametrize(
        ("sigma", "options"),
        [
            (1.5, {}),
            ((0.4, 2.0), {"truncate": 3.0}),  # one sigma per axis
            (1.0, {"radius": (2, 5)}),  # cut by hand
            (1.2, {"order": 1}),
            ((1.2, 0.8), {"order": (2, 0)}),
            (1.7, {"order": (3, 4)}),
        ],
    )
    def test_gaussian_is_the_impulse_response(self, sigma, options):
        kernel = kernels.gaussian(sigma, **options)
        response = impulse_response(lambda x: ndimage.gaussian_filter(x, sigma, **options), kernel.shape)
        np.testing.assert_allclose(kernel, response, rtol=1e-11, atol=1e-15)

    @pytest.mark.parametrize("sigma", [(1.0,), (0.8, 1.6), (1.0, 0.6, 0.9)])
    def test_log_is_the_impulse_response(self, sigma):
        kernel = kernels.log(sigma)
        response = impulse_response(lambda x: ndimage.gaussian_laplace(x, sigma), kernel.shape)
        np.testing.assert_allclose(kernel, response, rtol=1e-11, atol=1e-15)
        assert kernel[tuple(n // 2 for n in kernel.shape)] < 0


class TestSkimage:
    @pytest.mark.parametrize(("axis", "ndim"), [(0, 2), (1, 2), (1, 3)])
    def test_scharr_is_a_multiple_of_the_impulse_response(self, axis, ndim):
        response = impulse_response(lambda x: skimage.filters.scharr(x, axis=axis), (3,) * ndim)
        np.testing.assert_allclose(kernels.scharr(axis, ndim), 16 ** (ndim - 1) * response, rtol=1e-14)

    def test_dog_is_the_impulse_response(self):
        kernel = kernels.dog((0.7, 1.0), (1.5, 1.2))
        response = impulse_response(
            lambda x: skimage.filters.difference_of_gaussians(x, (0.7, 1.0), (1.5, 1.2)), kernel.shape
        )
        np.testing.assert_allclose(kernel, response, rtol=1e-11, atol=1e-15)
        assert kernel[tuple(n // 2 for n in kernel.shape)] > 0

    @pytest.mark.parametrize("theta", [0.0, 0.5, np.pi / 2, -2.0])
    def test_gabor_is_gabor_kernel(self, theta):
        np.testing.assert_allclose(
            kernels.gabor(0.2, theta, offset=0.3, bandwidth=1.4),
            skimage.filters.gabor_kernel(0.2, theta, offset=0.3, bandwidth=1.4),
            rtol=1e-12,
            atol=1e-16,
        )
        np.testing.assert_allclose(
            kernels.gabor(0.2, theta, (2.0, 3.0), n_stds=2),
            skimage.filters.gabor_kernel(0.2, theta, sigma_x=2.0, sigma_y=3.0, n_stds=2),
            rtol=1e-12,
            atol=1e-16,
        )

    @pytest.mark.parametrize("part", ["real", "imag"])
    def test_gabor_part_is_that_part(self, part):
        kernel = kernels.gabor(0.25, 1.0, part=part)
        assert kernel.dtype == np.float64
        np.testing.assert_array_equal(kernel, getattr(kernels.gabor(0.25, 1.0), part))


class TestNamespaces:
    @every_namespace
    @every_kernel
    def test_namespace_holds_the_same_taps(self, name, xp):
        kernel, expected = call(name, xp=xp), call(name)
        rtol = 1e-6 if xp is jax.numpy else 0.0
        np.testing.assert_allclose(np.from_dlpack(kernel), expected, rtol=rtol, atol=1e-8 * rtol)
        assert type(kernel) is type(xp.ones(1))
        assert tuple(kernel.shape) == expected.shape

    @every_namespace
    @every_kernel
    def test_default_dtype_is_the_widest_float(self, name, xp):
        kind = ("complex64", "complex128") if name == "gabor" else ("float32", "float64")
        assert call(name, xp=xp).dtype == getattr(xp, kind[xp is not jax.numpy or jax.config.jax_enable_x64])

    @every_kernel
    def test_device_without_float64_gets_float32(self, name):
        device = array_api_strict.Device("no_float64")
        kernel = call(name, xp=array_api_strict, device=device)
        assert kernel.dtype == (array_api_strict.complex64 if name == "gabor" else array_api_strict.float32)
        assert kernel.device == device

    @pytest.mark.parametrize(
        ("xp", "device"),
        [(torch, torch.device("meta")), (array_api_strict, array_api_strict.Device("device1"))],
        ids=["torch", "array_api_strict"],
    )
    def test_device_is_obeyed(self, xp, device):
        assert kernels.sobel(xp=xp, device=device).device == device

    @pytest.mark.parametrize("name", NAMESPACES)
    def test_namespace_may_be_a_name(self, name):
        assert type(kernels.sobel(xp=name)) is type(NAMESPACES[name].ones(1))

    @every_namespace
    @pytest.mark.parametrize("dtype", ["float32", "complex64"])
    @pytest.mark.parametrize("name", INTEGER + FRACTIONAL[:-1])  # all but gabor, which is complex
    def test_floating_dtype_is_obeyed(self, name, dtype, xp):
        kernel = call(name, xp=xp, dtype=getattr(xp, dtype))
        assert kernel.dtype == getattr(xp, dtype)
        np.testing.assert_allclose(np.from_dlpack(kernel), call(name), rtol=1e-6, atol=1e-14)


class TestIntegers:
    @every_namespace
    @pytest.mark.parametrize("dtype", ["int8", "int16", "int32"])
    @pytest.mark.parametrize("name", ["sobel", "prewitt", "vertical_edge", "horizontal_edge", "laplacian"])
    def test_integer_dtype_is_exact(self, name, dtype, xp):
        kernel = call(name, xp=xp, dtype=getattr(xp, dtype))
        assert kernel.dtype == getattr(xp, dtype)
        np.testing.assert_array_equal(np.from_dlpack(kernel), call(name))

    def test_whole_taps_count_as_integers(self):
        assert kernels.box(1, dtype=np.uint8).tolist() == [[1]]

    @every_namespace
    @pytest.mark.parametrize("name", FRACTIONAL[:-1])
    def test_fractions_refuse_an_integer_dtype(self, name, xp):
        with pytest.raises(TypeError, match=rf"^{name}: an integer `dtype` must hold every tap exactly\. Got int32"):
            call(name, xp=xp, dtype=xp.int32)

    @every_namespace
    def test_negative_taps_refuse_an_unsigned_dtype(self, xp):
        with pytest.raises(TypeError, match=r"^sobel: .* Got uint8 \[0, 255\] and a tap of -1\. Pass a wider, signed"):
            kernels.sobel(xp=xp, dtype=xp.uint8)

    def test_large_taps_refuse_a_narrow_dtype(self):
        with pytest.raises(TypeError, match=r"^laplacian: .* Got int8 \[-128, 127\] and a tap of -242\."):
            kernels.laplacian(5, diagonal=True, dtype=np.int8)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: kernels.sobel(5),
            ValueError,
            "sobel: `axis` must be in [-2, 2). Got axis=5, ndim=2. Pass ndim=6 or more for that axis.",
        ),
        (
            lambda: kernels.prewitt(-3),
            ValueError,
            "prewitt: `axis` must be in [-2, 2). Got axis=-3, ndim=2. Pass ndim=3 or more for that axis.",
        ),
        (lambda: kernels.scharr(ndim=0), ValueError, "scharr: `ndim` must be at least 1. Got 0."),
        (lambda: kernels.laplacian(0), ValueError, "laplacian: `ndim` must be at least 1. Got 0."),
        (lambda: kernels.box(()), ValueError, "box: `ndim` must be at least 1. Got 0."),
        (lambda: kernels.box(0), ValueError, "box: `size` must be whole numbers of at least 1. Got 0."),
        (lambda: kernels.box(2.5), ValueError, "box: `size` must be whole numbers of at least 1. Got 2.5."),
        (
            lambda: kernels.box((3, 3), 3),
            ValueError,
            "box: `size` must be one number, or one per axis. Got (3, 3), ndim=3.",
        ),
        (
            lambda: kernels.gaussian((1, 2), order=(0, 1, 0)),
            ValueError,
            "gaussian: `order` must be one number, or one per axis. Got (0, 1, 0), ndim=2.",
        ),
        (lambda: kernels.gaussian(0), ValueError, "gaussian: `sigma` must be positive and finite. Got 0."),
        (
            lambda: kernels.gaussian(1, truncate=-1),
            ValueError,
            "gaussian: `truncate` must be positive and finite. Got -1.",
        ),
        (
            lambda: kernels.gaussian(1, radius=-1),
            ValueError,
            "gaussian: `radius` must be whole numbers of at least 0. Got -1.",
        ),
        (lambda: kernels.log(float("nan")), ValueError, "log: `sigma` must be positive and finite. Got nan."),
        (lambda: kernels.dog(1, -2), ValueError, "dog: `sigma2` must be positive and finite. Got -2."),
        (lambda: kernels.gabor(0), ValueError, "gabor: `frequency` must be positive and finite. Got 0."),
        (
            lambda: kernels.gabor(0.1, part="phase"),
            ValueError,
            "gabor: `part` must be one of 'complex', 'real', 'imag'. Got 'phase'.",
        ),
        (
            lambda: kernels.gabor(0.1, dtype=np.float32),
            TypeError,
            "gabor: complex taps need a complex `dtype`. Got float32. "
            "Pass complex64 or complex128, or take one part with part='real' or part='imag'.",
        ),
        (
            lambda: kernels.sobel(dtype="bfloat16"),
            TypeError,
            "sobel: `dtype` must exist in the array library. Got bfloat16, array_api_compat.numpy.",
        ),
    ],
)
def test_refusal_says_what_to_change(make, error, text):
    with pytest.raises(error) as refusal:
        make()
    assert str(refusal.value) == text


def test_bool_dtype_is_refused():
    with pytest.raises(TypeError, match=r"^sobel: `dtype` must be one of .*bool"):
        kernels.sobel(dtype=np.bool_)
