"""A call like an earlier one runs as a bound call, with the result of the first."""

import numpy as np
import pytest

import arrayconv
from arrayconv import config
from arrayconv._accel import ACCELERATED
from arrayconv._calls import cache
from arrayconv._costs.cost_table import METHOD_COSTS
from tests import oracle

X, KERNEL = np.arange(100.0), np.arange(1.0, 6.0)


@pytest.fixture(autouse=True)
def _empty_cache():
    cache._calls.clear()


def test_second_call_is_remembered_and_equal():
    first = arrayconv.convolve(X, KERNEL)
    assert len(cache._calls) == 1
    np.testing.assert_array_equal(arrayconv.convolve(X, KERNEL), first)
    np.testing.assert_array_equal(arrayconv.convolve(2 * X, KERNEL), 2 * first)
    assert len(cache._calls) == 1


@pytest.mark.parametrize("function", [arrayconv.convolve, arrayconv.correlate])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float32", "float64", "complex64", "complex128"])
def test_short_way_equals_the_definition(function, mode, dtype):
    random = np.random.default_rng(5)
    x, kernel = (random.integers(-9, 9, n).astype(dtype) for n in (30, 4))
    if dtype.startswith("complex"):
        x, kernel = x * x.dtype.type(1 + 2j), kernel * kernel.dtype.type(2 - 1j)
    expected = getattr(oracle, function.__name__)(oracle.exact(x), oracle.exact(kernel), mode)
    for _ in range(3):
        y = function(x, kernel, mode)
        assert y.dtype == x.dtype
        np.testing.assert_array_equal(
            y, oracle.wrapped(expected, dtype) if "int" in dtype else oracle.rounded(expected)
        )
    assert len(cache._calls) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("mode", ["full", "same"])
def test_non_finite_taps_contaminate_every_output_by_every_method(mode, bad):
    kernel = np.array([1.0, bad, 1.0])
    for method in ("auto", "auto", "direct", "numpy_convolve"):
        assert not np.isfinite(arrayconv.convolve(X, kernel, mode, method=method)).any()


def test_large_finite_taps_contaminate_no_output():
    kernel = np.array([1e200, 1e200])
    for method in ("auto", "auto", "numpy_convolve", "numpy_convolve", "fft", "fft"):
        y = arrayconv.convolve(X, kernel, method=method)
        np.testing.assert_allclose(y, np.convolve(X, kernel), rtol=1e-13, atol=1e188)


def test_different_arrays_and_options_have_different_entries():
    calls = [
        ((X, KERNEL), {}),
        ((X.astype("float32"), KERNEL), {}),
        ((X, KERNEL.astype("int64")), {}),
        ((X.astype("int64"), KERNEL.astype("int64")), {}),
        ((X[:99], KERNEL), {}),
        ((X.reshape(10, 10), KERNEL.reshape(1, 5)), {}),
        ((X, KERNEL), {"mode": "same"}),
        ((X, KERNEL), {"boundary": "wrap"}),
        ((X, KERNEL), {"fill_value": 2}),
        ((X, KERNEL), {"stride": 2}),
        ((X, KERNEL), {"dilation": 2}),
        ((X, KERNEL), {"method": "fft"}),
    ]
    cold = []
    for arrays, options in calls:
        cache._calls.clear()
        cold.append(arrayconv.convolve(*arrays, **options))
    cache._calls.clear()
    for _ in range(2):
        for (arrays, options), expected in zip(calls, cold, strict=True):
            y = arrayconv.convolve(*arrays, **options)
            assert (y.dtype, y.shape) == (expected.dtype, expected.shape)
            np.testing.assert_array_equal(y, expected)
    assert len(cache._calls) == len(calls)


@pytest.mark.parametrize("option", [{"stride": 1.0}, {"stride": True + 0.0}, {"dilation": 1.0}, {"axes": 0.0}])
def test_equal_numbers_of_a_wrong_type_are_still_refused(option):
    arrayconv.convolve(X, KERNEL, axes=0)
    arrayconv.convolve(X, KERNEL)
    with pytest.raises(TypeError, match="must be an integer"):
        arrayconv.convolve(X, KERNEL, **option)


def test_settings_are_part_of_the_key():
    arrayconv.convolve(X, KERNEL)
    with config.using(max_workspace=1), pytest.raises(ValueError, match="max_workspace"):
        arrayconv.convolve(X, KERNEL)
    with config.using(accelerators=set()):
        arrayconv.convolve(X, KERNEL)
        assert {call.plan().method in ACCELERATED for call in cache._calls.values()} == {True, False}


def test_refusals_are_not_cached():
    for _ in range(2):
        with pytest.raises(ValueError, match="no longer than x"):
            arrayconv.convolve(KERNEL, X, "valid")
    assert not cache._calls


def test_no_array_is_cached():
    arrayconv.convolve(X, KERNEL)
    (call,) = cache._calls.values()
    assert call.operands.x is call.operands.kernel is None


def test_memory_of_calls_is_bounded(monkeypatch):
    monkeypatch.setattr(cache._calls, "max_entries", 4)
    for n in range(6, 20):
        arrayconv.convolve(X[:n], KERNEL)
    assert len(cache._calls) <= 4


def test_recorded_calls_take_the_long_way():
    expected = arrayconv.convolve(X, KERNEL)
    y, pullback = arrayconv.vjp(arrayconv.convolve, X, KERNEL)
    np.testing.assert_array_equal(y, expected)
    assert pullback(np.ones_like(y))[0].shape == X.shape


def test_gradients_are_recorded_after_a_call_without_them():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, kernel = torch.tensor(X), torch.tensor(KERNEL)
    plain = arrayconv.convolve(x, kernel)
    x.requires_grad_()
    y = arrayconv.convolve(x, kernel)
    assert y.requires_grad
    assert torch.equal(y.detach(), plain)


def test_a_wider_result_stays_wider():
    x, kernel = X.astype("float32"), KERNEL.astype("float32")
    for _ in range(3):
        assert arrayconv.convolve(x, kernel, dtype="float64").dtype == np.float64


def test_calls_with_lists_are_not_cached():
    arrayconv.convolve([1, 2, 3], [1, 1])
    arrayconv.convolve(X, KERNEL, stride=[1])
    arrayconv.correlate(X, KERNEL, lags=[(0, 3)])
    assert not cache._calls


def test_a_call_with_out_is_cached():
    expected = arrayconv.convolve(X, KERNEL)
    out = np.empty_like(expected)
    for _ in range(2):
        out[...] = 0
        assert arrayconv.convolve(X, KERNEL, out=out) is out
        np.testing.assert_array_equal(out, expected)
    assert len(cache._calls) == 1


def test_zeros_that_torch_has_not_written_can_not_be_out():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, kernel = torch.asarray(X), torch.asarray(KERNEL)
    out = torch.empty(X.size + KERNEL.size - 1, dtype=x.dtype)
    arrayconv.convolve(x, kernel, out=out), arrayconv.convolve(x, kernel, out=out)  # the layout of `out` is cached
    for _ in range(2):
        with pytest.raises(RuntimeError, match="immutable"):
            arrayconv.convolve(x, kernel, out=torch._efficientzerotensor(out.shape, dtype=out.dtype))


def test_other_orders_of_bytes_keep_their_values():
    for dtype in ("float32", "float64", "int32"):
        x, kernel = X.astype(dtype), KERNEL.astype(dtype)
        swapped = [array.astype(array.dtype.newbyteorder()) for array in (x, kernel)]
        images = [array.reshape(1, 1, *shape) for array, shape in zip(swapped, ((10, 10), (1, 5)), strict=True)]
        for _ in range(2):
            np.testing.assert_array_equal(arrayconv.convolve(*swapped), arrayconv.convolve(x, kernel))
            expected = arrayconv.nn.conv2d(x.reshape(1, 1, 10, 10), kernel.reshape(1, 1, 1, 5))
            np.testing.assert_array_equal(arrayconv.nn.conv2d(*images), expected)


def test_every_method_cost_is_of_an_accelerated_method():
    from arrayconv._accel import ACCELERATED
    from arrayconv._accel.native import native_filters

    assert {name.partition("-")[0] for name in METHOD_COSTS} <= {*ACCELERATED, native_filters.NAME}


def test_a_bound_call_keeps_its_direct_function():
    arrayconv.convolve(X, KERNEL)
    (call,) = cache._calls.values()
    while not hasattr(call, "bind"):
        call = call[0]
    assert call.bind() is not None
    assert call.bind() is call.bind()
