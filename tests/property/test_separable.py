"""Passes along one axis each equal the definition: every kind of kernel, boundary, mode, stride and dtype."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrayconv import Convolver, kernels, testing
from arrayconv._arrays import dtypes
from arrayconv._kernels.separable import balanced, long_axes, misfit, separated
from tests import oracle
from tests.cases import numbers
from tests.running import by_content

reference, error_bound = by_content(testing.reference), by_content(testing.error_bound)

KERNELS = {  # name: kernel, terms
    "gaussian": (kernels.gaussian(1.0), 1),
    "gaussian-derivative": (kernels.gaussian((1.0, 0.7), order=(0, 1)), 1),
    "box": (kernels.box((2, 3)), 1),
    "sobel": (kernels.sobel(), 1),
    "prewitt": (kernels.prewitt(0), 1),
    "scharr": (kernels.scharr(), 1),
    "laplacian": (kernels.laplacian(), 2),
    "log": (kernels.log(0.8), 2),
    "dog": (kernels.dog(0.5, 1.0), 2),
    "gabor": (kernels.gabor(0.3, sigma=(0.7, 0.5)), 1),
    "volume": (kernels.gaussian((0.5, 0.4, 0.3)), 1),
    "one-tap-axis": (kernels.gaussian((1.0, 1.0, 0.7), radius=(2, 0, 1)), 1),
}
WHOLE = {  # name: why it is no short sum of products to a few roundings
    "random": (np.random.default_rng(0).standard_normal((9, 9)), "every short sum"),
    "volume": (kernels.laplacian(3), "the nearest product"),
    "nan": (np.array([[1.0, np.nan], [1.0, 1.0]]), "inf"),
}
OPTIONS = {  # name: options of the calls, per axis where the axes differ
    "full": {},
    "same": {"mode": "same"},
    "valid": {"mode": "valid"},
    "fill": {"fill_value": 1.5},
    "edge": {"mode": "same", "boundary": "edge"},
    "symmetric": {"boundary": "symmetric"},
    "reflect": {"boundary": "reflect"},
    "wrap": {"mode": "same", "boundary": "wrap"},
    "fill-edge": {"boundary": ("constant", "edge"), "fill_value": -2.0},
    "edge-fill": {"boundary": ("edge", "constant"), "fill_value": 2.0},
    "stride": {"stride": (1, 3), "fill_value": 1.0},
    "dilation": {"dilation": (2, 1), "boundary": "reflect"},
    "all": {"mode": "same", "stride": (2, 1), "dilation": (1, 2), "boundary": ("wrap", "constant"), "fill_value": 3.0},
}
TWO_AXES = ["sobel", "laplacian", "gabor", "box"]


def operands(name, dtype):
    random = np.random.default_rng(list(name.encode()))
    kernel = KERNELS[name][0]
    shape = (9, 10) if kernel.ndim == 2 else (8, 7, 6)
    kernel = kernel.astype("complex128" if kernel.dtype.kind == "c" and dtype != "complex64" else dtype)
    return numbers(random, shape, np.result_type(dtype, kernel.dtype)), kernel


def assert_contract(library, y, function, x, kernel, accuracy, options):
    """Raise unless y is what the definition gives, to within the bound that is promised for the whole kernel."""
    exact = reference(function, x, kernel, **options)
    y = library.numpy(y)
    assert y.dtype == x.dtype
    assert y.shape == exact.shape
    if x.dtype.kind in "iu":
        np.testing.assert_array_equal(y, oracle.wrapped(exact, x.dtype))
        return
    bound = error_bound(function, x, kernel, accuracy=accuracy, **options)
    worst = np.max(np.abs(y - exact) - bound, initial=-np.inf)
    assert worst <= 0, f"beyond the bound by {worst}"


@pytest.mark.parametrize("name", KERNELS)
def test_named_kernels_have_their_rank(name):
    kernel, terms = KERNELS[name]
    factors = separated(kernel, 2.0**-52)
    assert len(factors.terms) == terms
    assert misfit(factors, kernel.shape, "float64", "normwise") is None


@pytest.mark.parametrize("name", WHOLE)
def test_other_kernels_are_run_whole_and_say_why(name):
    kernel, reason = WHOLE[name]
    x = np.ones((20,) * kernel.ndim)
    assert reason in Convolver(kernel, "same").explain(x).separable
    with pytest.raises(ValueError, match=reason):
        Convolver(kernel, "same", separable=True)(x)


@pytest.mark.jax_rows(name=["laplacian", "gabor"])  # two products, and a complex one
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", TWO_AXES)
@pytest.mark.parametrize("correlate", [False, True])
def test_passes_equal_the_definition(library, correlate, name, options):
    x, kernel = operands(name, "float64")
    function = "correlate" if correlate else "convolve"
    convolver = Convolver(library.asarray(kernel), correlate=correlate, separable=True, **OPTIONS[options])
    y = convolver(library.asarray(x))
    assert_contract(library, y, function, x, kernel, "normwise", OPTIONS[options])


def has_factors(library, name, dtype):
    """Whether there are such arrays, and the kernel keeps its factors when it is rounded to the dtype."""
    exact = name in ("box", "sobel", "prewitt", "scharr")
    return dtype != "float16" or (exact and library != "array_api_strict")


@pytest.mark.rows(where=has_factors)
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64"])
def test_every_kernel_and_dtype_keeps_the_bound(library, name, dtype):
    x, kernel = operands(name, dtype)
    for accuracy in ("normwise", "componentwise"):
        if accuracy == "componentwise" and (KERNELS[name][1] > 1 or name in ("gabor", "box")):
            continue  # more than one product, or taps that are not products to a few roundings each
        convolver = Convolver(library.asarray(kernel), "same", separable=True, accuracy=accuracy)
        assert_contract(library, convolver(library.asarray(x)), "convolve", x, kernel, accuracy, {"mode": "same"})


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "uint64"])
@pytest.mark.parametrize("options", ["full", "stride", "edge"])
def test_integers_are_exact_and_wrap(library, dtype, options):
    if not hasattr(library.xp, dtype):
        pytest.skip(f"{library.name} has no {dtype}")
    random = np.random.default_rng(3)
    info, options = np.iinfo(dtype), {**OPTIONS[options]}
    if "fill_value" in options:
        options["fill_value"] = 7
    x = numbers(random, (8, 9), dtype)
    kernel = np.multiply.outer([1, 2, 3], [2, -1 if info.min else 1, 5, 0]).astype(dtype)
    y = Convolver(library.asarray(kernel), separable=True, **options)(library.asarray(x))
    assert_contract(library, y, "convolve", x, kernel, "normwise", options)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_integer_products_are_found_exactly(data):
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    factors = [data.draw(st.lists(st.integers(-9, 9), min_size=n, max_size=n)) for n in shape]
    kernel = np.array(factors[0])
    for factor in factors[1:]:
        kernel = np.multiply.outer(kernel, factor)
    factors = separated(kernel, 2.0**-52)
    assert factors.exact
    again = np.array(factors.terms[0][0])
    for factor in factors.terms[0][1:]:
        again = np.multiply.outer(again, factor)
    np.testing.assert_array_equal(again, kernel)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_integers_that_are_no_product_are_not_taken_for_one(data):
    kernel = np.multiply.outer(*(data.draw(st.lists(st.integers(1, 9), min_size=3, max_size=3)) for _ in "ab"))
    kernel[data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))] += data.draw(st.integers(1, 3))
    assert not separated(kernel, 2.0**-52).exact


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(-60, 60), st.booleans())
def test_factors_add_up_to_the_kernel(seed, rank, scale, is_complex):
    random = np.random.default_rng(seed)
    dtype = "complex128" if is_complex else "float64"
    kernel = (
        sum(np.multiply.outer(numbers(random, 6, dtype), numbers(random, 7, dtype)) for _ in range(rank)) * 2.0**scale
    )
    factors = separated(kernel, 2.0**-48)  # the sum that is taken apart has been rounded itself
    assert len(factors.terms) <= rank
    total = sum(np.multiply.outer(*map(np.array, balanced(term, (0, 1), dtype))) for term in factors.terms)
    assert np.abs(total - kernel).max() <= 2.0**-45 * np.abs(kernel).max()
    assert all(sum(map(abs, balanced(term, (1, 0), dtype)[1])) <= 1 for term in factors.terms)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_products_on_more_axes_are_found_to_the_tolerance(data):
    dtype = data.draw(st.sampled_from(["float32", "float64", "complex64", "complex128"]))
    shape = data.draw(st.lists(st.integers(2, 6), min_size=3, max_size=5))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    kernel = reduce(np.multiply.outer, [numbers(random, n, dtype) for n in shape])
    if data.draw(st.booleans()):
        kernel = kernel / np.abs(kernel).sum()  # rounded once more, as kernels that are made to add up to 1 are
    assert kernel.dtype == dtype
    factors = separated(kernel, dtypes.eps(dtype))
    assert len(factors.terms) == 1
    assert misfit(factors, kernel.shape, dtype, "normwise") is None
    kernel[(0,) * len(shape)] += 1e-3 * np.abs(kernel).max()
    assert misfit(separated(kernel, dtypes.eps(dtype)), kernel.shape, dtype, "normwise") is not None


def test_products_keep_zero_taps_and_small_ones():
    kernel = np.multiply.outer([1e-12, 0.0, 3.0], [1.0, 0.0, 1e-9])
    factors = separated(kernel, 2.0**-52)
    assert factors.tapwise <= 2.0**-50
    assert long_axes((3, 1, 2)) == (0, 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["gaussian", "log", "sobel"])
def test_bad_samples_reach_their_windows_only(library, name, bad):
    kernel = KERNELS[name][0]
    x = np.ones((20, 21))
    bad_x = x.copy()
    bad_x[7, 9] = bad
    convolver = Convolver(library.asarray(kernel), "same", separable=True)
    y, clean = (library.numpy(convolver(library.asarray(data))) for data in (bad_x, x))
    affected = reference("convolve", bad_x != x, np.ones(kernel.shape, int), "same") > 0
    assert not np.isfinite(y[affected]).any()
    np.testing.assert_allclose(y[~affected], clean[~affected], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("kernel", [kernels.scharr(), 1e-3 * kernels.sobel(), 0.1 * kernels.laplacian()])
def test_large_data_does_not_overflow_between_passes(library, kernel):
    x, kernel = np.full((12, 12), 1e36, "float32"), kernel.astype("float32")
    x[::2] *= 3
    y = Convolver(library.asarray(kernel), "valid", separable=True)(library.asarray(x))
    assert_contract(library, y, "convolve", x, kernel, "normwise", {"mode": "valid"})


OUTSIDE = {  # name: dtype, factors of which one leaves the range of the dtype though their products do not
    "large-float32": ("float32", [1.0, 2.0, 3.0], [1e37, 2e37, 3e37]),
    "large-float64": ("float64", [1.0, 2.0, 3.0], [1e307, 2e307, 3e307]),
    "small-float32": ("float32", [1.0, 1e-39], [1e5, 2e5]),
    "small-float64": ("float64", [1.0, 1e-309], [1e5, 2e5]),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_factors_beyond_the_range_are_refused(name):
    dtype, down, across = OUTSIDE[name]
    kernel = np.multiply.outer(down, across).astype(dtype)
    assert np.abs(kernel).min() >= dtypes.tiny(dtype)
    assert f"leave the range of {dtype}" in Convolver(kernel, "same").explain(np.ones((400, 400), dtype)).separable


def test_axes_follow_their_kernel():
    random = np.random.default_rng(1)
    x, kernel = random.standard_normal((5, 9, 8)), np.multiply.outer([1.0, 2.0, 4.0], [1.0, -1.0])
    for options in (
        {"axes": (2, 1)},
        {"axes": (1, 2), "stride": (2, 1)},
        {"axes": (-1, 0), "boundary": ("wrap", "edge")},
    ):
        y = Convolver(kernel, "same", separable=True, **options)(x)
        np.testing.assert_allclose(y, reference("convolve", x, kernel, "same", **options).astype(float))
    flat = Convolver(kernel, "same", separable=True, axes=(1, 0), stride=(1, 2))  # a kernel with all axes of x
    expected = reference("convolve", x[0], kernel, "same", axes=(1, 0), stride=(1, 2))
    np.testing.assert_allclose(flat(x[0]), expected.astype(float))


def test_axes_that_are_not_convolved_leave_the_kernel_whole():
    x, bank = np.ones((1, 9, 9)), np.ones((3, 3, 3))
    plan = Convolver(bank, "same", axes=(1, 2)).explain(x)
    assert plan.passes == ()
    assert "axis 0 of size 3 is not convolved" in plan.separable
