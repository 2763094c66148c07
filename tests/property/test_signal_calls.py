"""Calls of `signal` on NumPy arrays: later ones have the bits of the first, other arguments entries of their own."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from arrayconv import signal
from arrayconv._calls import cache

DTYPES = ("float64", "float32", "int32", "int64", "complex128")
MODES = ("full", "same", "valid")
SIZES = st.integers(1, 40)


def numbers(shape, dtype, seed):
    random = np.random.default_rng(seed)
    values = 8 * random.standard_normal(shape)
    return (values + 1j * random.standard_normal(shape) if dtype == "complex128" else values).astype(dtype)


def strided(x):
    """Return the numbers of x, every other one in memory."""
    memory = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    memory[..., ::2] = x
    return memory[..., ::2]


def read_only(x):
    y = x.copy()
    y.flags.writeable = False
    return y


def unaligned(x):
    memory = np.zeros(x.nbytes + 1, "u1")[1:].view(x.dtype).reshape(x.shape)
    memory[...] = x
    return memory


LAYOUTS = (np.copy, strided, read_only, unaligned)


def agree(y, expected, dtype):
    """Check the digits that sums in the dtype have, relative to the largest result."""
    assert y.dtype == expected.dtype
    assert y.shape == expected.shape
    scale = np.abs(expected).max(initial=1.0)
    np.testing.assert_allclose(y / scale, expected / scale, rtol=0, atol=1e-4 if dtype == "float32" else 1e-11)


def check(function, arrays, expected, dtype):
    """Check that later calls, and calls on other memory layouts, give the bits of the first."""
    cache._calls.clear()
    first = function(*arrays)
    agree(first, expected, dtype)
    for _ in range(2):
        assert function(*arrays).tobytes() == first.tobytes()
    for layout in LAYOUTS:
        np.testing.assert_array_equal(function(*map(layout, arrays)), first)
    assert function(*arrays).tobytes() == first.tobytes()


@given(
    n=SIZES,
    k=SIZES,
    mode=st.sampled_from(MODES),
    dtype=st.sampled_from(DTYPES),
    name=st.sampled_from(["convolve", "correlate", "fftconvolve", "oaconvolve"]),
    seed=st.integers(0, 99),
)
def test_lines(n, k, mode, dtype, name, seed):
    arrays = numbers(n, dtype, seed), numbers(k, dtype, seed + 1)
    expected = getattr(scipy.signal, name)(*arrays, mode=mode)
    check(lambda x, h: getattr(signal, name)(x, h, mode), arrays, expected, dtype)


@given(
    shape=st.tuples(SIZES, SIZES),
    taps=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    mode=st.sampled_from(MODES),
    dtype=st.sampled_from(DTYPES),
    name=st.sampled_from(["convolve2d", "correlate2d"]),
    boundary=st.sampled_from(["fill", "wrap", "symm"]),
    fill=st.sampled_from([0, 3]),
)
def test_planes(shape, taps, mode, dtype, name, boundary, fill):
    if mode == "valid" and any(n < k for n, k in zip(shape, taps, strict=True)):
        return
    arrays = numbers(shape, dtype, 0), numbers(taps, dtype, 1)
    options = {"mode": mode, "boundary": boundary, "fillvalue": fill}
    expected = getattr(scipy.signal, name)(*arrays, **options)
    check(lambda x, h: getattr(signal, name)(x, h, **options), arrays, expected, dtype)


@given(
    shape=st.one_of(st.tuples(SIZES), st.tuples(st.integers(1, 3), SIZES), st.tuples(SIZES, st.integers(1, 3))),
    k=st.integers(1, 30),
    up=st.integers(1, 7),
    down=st.integers(1, 7),
    dtype=st.sampled_from(["float64", "float32", "complex128"]),
    axis=st.sampled_from([0, -1]),
    mode=st.sampled_from(["constant", "symmetric", "wrap", "edge"]),
)
def test_upsampled_lines(shape, k, up, down, dtype, axis, mode):
    arrays = numbers(k, dtype, 0), numbers(shape, dtype, 1)
    options = {"up": up, "down": down, "axis": axis, "mode": mode}
    expected = scipy.signal.upfirdn(*arrays, **options)
    check(lambda h, x: signal.upfirdn(h, x, **options), arrays, expected, dtype)


@pytest.mark.parametrize("cval", [1.5, np.nan, -0.0])
@pytest.mark.parametrize("rates", [(1, 1), (3, 2)])
def test_samples_beyond_the_ends_of_an_upsampled_line(cval, rates):
    h, x = numbers(5, "float64", 0), numbers(9, "float64", 1)
    extended = np.concatenate([np.full(5, cval), x, np.full(5, cval)])
    up, down = rates
    zeros_between = np.zeros(len(extended) * up)
    zeros_between[::up] = extended
    sums = [np.dot(h[::-1], zeros_between[5 * up + p - 4 : 5 * up + p + 1]) for p in range((9 - 1) * up + 5)]
    for _ in range(3):
        np.testing.assert_allclose(signal.upfirdn(h, x, up, down, cval=cval)[:-1], sums[::down][:-1], rtol=1e-12)


X, H = numbers((6, 7), "float64", 0), numbers((3, 2), "float64", 1)
OTHERS = {
    "mode": lambda: signal.convolve2d(X, H, "same", "fill", 1),
    "boundary": lambda: signal.convolve2d(X, H, "full", "wrap", 1),
    "fill": lambda: signal.convolve2d(X, H, "full", "fill", 2),
    "sign of the fill": lambda: signal.convolve2d(X, H, "full", "fill", -1),
    "type of the fill": lambda: signal.convolve2d(X, H, "full", "fill", 1.0),
    "dtype": lambda: signal.convolve2d(X.astype("float32"), H, "full", "fill", 1),
    "byte order": lambda: signal.convolve2d(X.astype(">f8"), H, "full", "fill", 1),
    "shape": lambda: signal.convolve2d(X[1:], H, "full", "fill", 1),
    "kernel": lambda: signal.convolve2d(X, H[1:], "full", "fill", 1),
    "function": lambda: signal.correlate2d(X, H, "full", "fill", 1),
}


@pytest.mark.parametrize("what", OTHERS)
def test_other_arguments_have_an_entry_of_their_own(what):
    cache._calls.clear()
    signal.convolve2d(X, H, "full", "fill", 1)
    before = set(cache._calls)
    fresh = OTHERS[what]()
    assert any(key[0].startswith("signal.") for key in set(cache._calls) - before)
    cache._calls.clear()
    np.testing.assert_array_equal(OTHERS[what](), fresh)


def test_the_choice_of_a_method_is_cached_by_shapes_and_dtypes():
    cache._calls.clear()
    x, h = np.ones(20000), np.ones(20000)
    assert [signal.choose_conv_method(x, h) for _ in range(2)] == ["fft", "fft"]
    assert len(cache._calls) == 1
    assert signal.choose_conv_method(x[:8].copy(), h[:3].copy()) == "direct"
    with pytest.raises(ValueError, match="mode"):
        signal.choose_conv_method(x, h, "fulll")


def test_lags_of_equal_sizes_of_other_types():
    expected = signal.correlation_lags(5, 2)
    expected[0] = 7  # each call returns an array of its own
    assert signal.correlation_lags(5, 2)[0] == -1
    assert signal.correlation_lags(np.int64(5), 2).dtype == np.int64
    for wrong in (5.0, [5]):
        with pytest.raises(TypeError):
            signal.correlation_lags(wrong, 2)
