"""NumPy's floating-point errors stay inside: a caller's `np.errstate` changes no result and raises nothing."""

import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayconv
from arrayconv import config, kernels, ndimage, nn, signal
from arrayconv._plan.rank import METHODS

# Tiny, huge and non-finite numbers beside ordinary ones: casts underflow, products overflow, zeros multiply infinities.
SCALES = [1.0, 1e-30, 1e-41, 1e-310, 1e30, 1e200]
BAD = [None, np.nan, np.inf]
INSTALLS = [frozenset(config.ACCELERATORS), frozenset({"numpy", "scipy"}), frozenset()]


def bank(x):
    return np.stack([x, x[::-1]])[None]


DOORS = {
    "convolve": lambda x, k, method: arrayconv.convolve(x, k, method=method),
    "correlate": lambda x, k, method: arrayconv.correlate(x[0], k[0], "same", boundary="wrap", method=method),
    "einconv": lambda x, k, method: arrayconv.einconv("h w, h w -> h w | h w", x, k, method=method),
    "sum of terms": lambda x, k, method: arrayconv.einconv("b n, n c -> n c | n", x, k, method=method),
    "Convolver": lambda x, k, method: arrayconv.Convolver(k, "same", method=method)(x),
    "out": lambda x, k, method: arrayconv.convolve(x, k, "same", out=np.zeros_like(x), method=method),
    "conv2d": lambda x, k, method: nn.conv2d(bank(x), bank(k), k[:1, 0], padding=1, method=method),
    "conv_transpose2d": lambda x, k, method: nn.conv_transpose2d(
        bank(x), bank(k).swapaxes(0, 1), k[:1, 0], stride=2, method=method
    ),
}
FILTERS = {
    "signal.convolve": lambda x, k: signal.convolve(x, k),
    "signal.correlate": lambda x, k: signal.correlate(x, k, "same"),
    "signal.fftconvolve": lambda x, k: signal.fftconvolve(x, k, "same"),
    "signal.oaconvolve": lambda x, k: signal.oaconvolve(x, k),
    "signal.convolve2d": lambda x, k: signal.convolve2d(x, k, boundary="symm"),
    "signal.upfirdn": lambda x, k: signal.upfirdn(k[0], x, 2, 3),
    "ndimage.correlate": lambda x, k: ndimage.correlate(x, k),
    "ndimage.gaussian_filter": lambda x, k: ndimage.gaussian_filter(x, 2),
    "ndimage.gaussian_filter of float32": lambda x, k: ndimage.gaussian_filter(x, 1, output=np.float32),
    "ndimage.uniform_filter": lambda x, k: ndimage.uniform_filter(x, 3),
    "ndimage.uniform_filter of uint8": lambda x, k: ndimage.uniform_filter(x, 3, output=np.uint8),
    "ndimage.sobel": lambda x, k: ndimage.sobel(x),
    "ndimage.gaussian_laplace": lambda x, k: ndimage.gaussian_laplace(x, 1.5),
    "ndimage.laplace": lambda x, k: ndimage.laplace(x),
    "ndimage.gaussian_gradient_magnitude": lambda x, k: ndimage.gaussian_gradient_magnitude(x, 1),
    "convolve of lists": lambda x, k: arrayconv.convolve(x, k.tolist()),
    "nn.unfold": lambda x, k: nn.unfold(bank(x), 3, padding=1),
    "nn.fold": lambda x, k: nn.fold(nn.unfold(bank(x), 3), x.shape, 3),
    "nn.grad.conv2d_weight": lambda x, k: nn.grad.conv2d_weight(bank(x), (1, 2, 3, 3), bank(x)[:, :1, 2:, 2:]),
    "vjp": lambda x, k: arrayconv.vjp(arrayconv.convolve, x, k)[1](np.pad(x, 1))[0],
    "vjp of the kernel": lambda x, k: arrayconv.vjp(arrayconv.convolve, x, k, "valid")[1](x[2:, 2:])[1],
    "kernels.log": lambda x, k: kernels.log(0.05, radius=3, dtype=x.dtype.name),
    "kernels.dog": lambda x, k: kernels.dog(0.05, 0.06, radius=3, dtype=x.dtype.name),
    "kernels.gaussian": lambda x, k: kernels.gaussian(0.05, radius=3, dtype=x.dtype.name),
    "kernels.gabor": lambda x, k: kernels.gabor(0.3, sigma=0.1, n_stds=9, part="real", dtype=x.dtype.name),
}  # fmt: skip
# What is made of a kernel's numbers alone, before there is an x.
KERNELS = {
    "Convolver": lambda k, x: arrayconv.Convolver(k, "same")(x),
    "Convolver as passes": lambda k, x: arrayconv.Convolver(k, "same", separable=True)(x),
    "Convolver of lists": lambda k, x: arrayconv.Convolver(k.tolist(), "same", fill_value=1e-300)(x),
    "Convolver.explain": lambda k, x: np.asarray(arrayconv.Convolver(k, fill_value=1e-300).explain(x).rank),
    "Convolver.from_factors": lambda k, x: arrayconv.Convolver.from_factors([(k[0], k[1]), (k[2], k[3])])(x),
    "kernels.separate": lambda k, x: np.concatenate([factor for term in kernels.separate(k) for factor in term]),
}


@st.composite
def operands(draw):
    """Draw an image and a 3 x 3 kernel of one float dtype."""
    dtype = np.dtype(draw(st.sampled_from(["float32", "float64"])))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    arrays = []
    for shape in (draw(st.sampled_from([(5, 7), (40, 33)])), (3, 3)):
        values = random.standard_normal(shape) * draw(st.sampled_from(SCALES))
        values[random.random(shape) < 0.2] *= 1e-9
        bad = draw(st.sampled_from(BAD))
        if bad is not None:
            values[0, 1] = bad
        with np.errstate(all="ignore"):
            arrays.append(values.astype(dtype))
    return arrays


def assert_undisturbed(run, call):
    """Raise unless a call gives the same bits, first and later, whatever NumPy shall do about errors."""
    with np.errstate(all="ignore"):
        expected = run()
    with warnings.catch_warnings(action="error"):
        for treatment in ("raise", "warn", "raise"):
            with np.errstate(all=treatment):
                y = run()
            assert y.tobytes() == expected.tobytes(), f"{call}: another result under errstate(all={treatment!r})"


@pytest.mark.parametrize("door", DOORS)
def test_methods_ignore_what_numpy_shall_raise(door):
    @settings(max_examples=8, deadline=None)
    @given(operands(), st.sampled_from(INSTALLS))
    def law(arrays, install):
        with config.using(accelerators=install):
            for method in METHODS:
                try:
                    DOORS[door](*arrays, method)
                except NotImplementedError:
                    continue
                assert_undisturbed(lambda method=method: DOORS[door](*arrays, method), f"{door} by {method}")

    law()


@pytest.mark.parametrize("name", FILTERS)
def test_filters_ignore_what_numpy_shall_raise(name):
    @settings(max_examples=12, deadline=None)
    @given(operands(), st.sampled_from(INSTALLS))
    def law(arrays, install):
        with config.using(accelerators=install):
            assert_undisturbed(lambda: FILTERS[name](*arrays), name)

    law()


@pytest.mark.parametrize("scale", [1e-320, 1e-310, 1e-160, 1e-41, 1.0, 1e30, 1e160, 1e300])
@pytest.mark.parametrize("name", KERNELS)
def test_kernels_are_factored_undisturbed(name, scale):
    random = np.random.default_rng(3)
    x = random.standard_normal((20, 21))
    for dtype, rank in product(["float32", "float64", "complex128"], [1, 2, 3, 5]):
        with np.errstate(all="ignore"):
            k = np.sum([scale * np.outer(*random.standard_normal((2, 9))) for _ in range(rank)], axis=0).astype(dtype)

        def run(k=k, dtype=dtype):
            try:
                return KERNELS[name](k, x.astype(dtype))
            except ValueError as refusal:  # no short sum of products, or one whose factors leave the range
                return np.asarray(str(refusal))

        assert_undisturbed(run, f"{name} of {dtype} taps near {scale}, {rank} products")


def test_a_callers_own_function_keeps_the_callers_treatment():
    def derivative(x, axis, output, mode, cval):
        return x * np.float64(1e300)

    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        ndimage.generic_laplace(np.full((3, 3), 1e300), derivative)
