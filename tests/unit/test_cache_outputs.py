"""Repeated calls that write to an array: looked up by its layout, checked for overlap each time, the same bits."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arrayconv
from arrayconv import Convolver, einconv, ndimage
from arrayconv._calls import cache
from tests.conftest import make_library

RANDOM = np.random.default_rng(0)
IMAGE, WEIGHTS = RANDOM.standard_normal((8, 9)), RANDOM.standard_normal((3, 2))
# name -> (image, output) -> result
FILTERS = {
    "correlate": lambda x, out: ndimage.correlate(x, [[1.0, 2.5], [-1.0, 0.0]], out),
    "convolve1d": lambda x, out: ndimage.convolve1d(x, (1.0, 2.0, 4.0), 0, out),
    "gaussian_filter": lambda x, out: ndimage.gaussian_filter(x, 0.8, output=out),
    "gaussian_filter1d": lambda x, out: ndimage.gaussian_filter1d(x, 0.8, output=out),
    "gaussian_filter-none": lambda x, out: ndimage.gaussian_filter(x, 0, output=out),
    "uniform_filter": lambda x, out: ndimage.uniform_filter(x, 3, out, "mirror"),
    "uniform_filter1d": lambda x, out: ndimage.uniform_filter1d(x, 4, 0, out),
    "sobel": lambda x, out: ndimage.sobel(x, output=out),
    "laplace": lambda x, out: ndimage.laplace(x, out),
    "gaussian_laplace": lambda x, out: ndimage.gaussian_laplace(x, 0.7, out),
    "gaussian_gradient_magnitude": lambda x, out: ndimage.gaussian_gradient_magnitude(x, 0.7, out),
}
LAYOUTS = {
    "C": lambda shape, dtype: np.empty(shape, dtype),
    "F": lambda shape, dtype: np.empty(shape, dtype, "F"),
    "strided": lambda shape, dtype: np.empty((shape[0], 2 * shape[1]), dtype)[:, ::2],
    "reversed": lambda shape, dtype: np.empty(shape, dtype)[::-1],
    "unaligned": lambda shape, dtype: (
        np.empty(shape[0] * shape[1] * np.dtype(dtype).itemsize + 1, "u1")[1:].view(dtype).reshape(shape)
    ),
    "swapped": lambda shape, dtype: np.empty(shape, np.dtype(dtype).newbyteorder()),
}


pytestmark = pytest.mark.usefixtures("empty_cache")


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int16"])
@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_writes_the_bits_of_the_first_call_without_validation(library, dtype, name, untranslated):
    backend, function = make_library(library), FILTERS[name]
    x = backend.asarray((8 * IMAGE).astype(dtype))
    expected = backend.numpy(function(x, None)).copy()
    first = backend.asarray(np.zeros(IMAGE.shape, dtype))
    assert function(x, first) is first
    untranslated()
    for _ in range(2):
        out = backend.asarray(np.full(IMAGE.shape, 77, dtype))
        assert function(x, out) is out
        np.testing.assert_array_equal(backend.numpy(out), expected)
    np.testing.assert_array_equal(backend.numpy(first), expected)


@pytest.mark.parametrize("name", FILTERS)
def test_an_output_over_the_input_is_noticed_after_one_beside_it(name):
    function, expected = FILTERS[name], FILTERS[name](IMAGE, None)
    for _ in range(2):
        function(IMAGE, np.empty_like(IMAGE))
    for shift in (0, 1):
        memory = np.zeros((IMAGE.shape[0] + 1, IMAGE.shape[1]))
        x, out = memory[: IMAGE.shape[0]], memory[shift : shift + IMAGE.shape[0]]
        x[...] = IMAGE
        np.testing.assert_array_equal(function(x, out), expected)


def test_an_output_over_the_weights_is_noticed():
    x = RANDOM.standard_normal((3, 3))
    expected = ndimage.correlate(x, x.copy())
    for _ in range(2):
        ndimage.correlate(x, x.copy(), np.empty_like(x))
    weights = x.copy()
    assert ndimage.correlate(x, weights, weights) is weights
    np.testing.assert_array_equal(weights, expected)


@given(st.lists(st.tuples(st.sampled_from(sorted(FILTERS)), st.sampled_from(sorted(LAYOUTS))), min_size=2, max_size=6))
def test_every_layout_of_an_output_has_the_same_values(calls):
    cache._calls.clear()
    for name, layout in calls:
        out = LAYOUTS[layout](IMAGE.shape, "float64")
        assert FILTERS[name](IMAGE, out) is out
        np.testing.assert_array_equal(out, FILTERS[name](IMAGE, None))


@given(
    st.sampled_from(["dtype", "shape", "strides", "mode", "cval", "read-only", "input"]),
    st.sampled_from(["correlate", "uniform_filter1d"]),
)
def test_calls_that_differ_in_one_argument_have_entries_of_their_own(what, name):
    cache._calls.clear()
    options = {"mode": "constant", "cval": 1.0}
    function = (
        partial(ndimage.correlate, weights=[1.0, 2.0])
        if name == "correlate"
        else partial(ndimage.uniform_filter1d, size=3)
    )
    x, out = IMAGE[0].copy(), np.empty(9)
    function(x, output=out, **options)
    number = len(cache._calls)
    other = {
        "dtype": lambda: function(x, output=np.empty(9, "float32"), **options),
        "shape": lambda: function(x[:4].copy(), output=np.empty(4), **options),
        "strides": lambda: function(x, output=np.empty(18)[::2], **options),
        "mode": lambda: function(x, output=out, mode="wrap"),
        "cval": lambda: function(x, output=out, mode="constant", cval=-0.0),
        "input": lambda: function(x.astype("float32"), output=out, **options),
    }
    if what == "read-only":
        out.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            function(x, output=out, **options)
        return
    other[what]()
    assert len(cache._calls) > number


@pytest.mark.parametrize("wrong", ["shape", "dtype", "broadcast", "library"])
def test_a_wrong_output_is_refused_every_time_after_a_right_one(wrong):
    outs = {
        "shape": np.empty((9, 8)),
        "dtype": np.empty(IMAGE.shape, object),
        "broadcast": np.lib.stride_tricks.as_strided(np.empty(9), IMAGE.shape, (0, 8), writeable=True),
        "library": [[0.0]],
    }
    texts = set()
    for _ in range(2):
        ndimage.uniform_filter(IMAGE, 3, np.empty(IMAGE.shape))
        with pytest.raises((RuntimeError, TypeError, ValueError)) as refused:
            ndimage.uniform_filter(IMAGE, 3, outs[wrong])
        texts.add(str(refused.value))
    assert len(texts) == 1


def test_an_output_never_loses_a_gradient():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, out = torch.tensor(IMAGE), torch.empty(IMAGE.shape, dtype=torch.float64)
    ndimage.uniform_filter(x, 3, out)
    for _ in range(2):
        with pytest.raises(TypeError, match="gradient"):
            ndimage.uniform_filter(x.clone().requires_grad_(), 3, out)
        with pytest.raises(TypeError, match="gradient"):
            ndimage.uniform_filter(x, 3, out.clone().requires_grad_())


def test_no_output_array_is_cached():
    out = np.empty(IMAGE.shape)
    for function in FILTERS.values():
        function(IMAGE, out)
    stack, visited = list(cache._calls.values()), set()
    while stack:
        one = stack.pop()
        assert one is not out
        if id(one) not in visited:
            visited.add(id(one))
            own = type(one).__module__.startswith("arrayconv") and hasattr(one, "__dict__")
            stack += one if isinstance(one, (tuple, list)) else vars(one).values() if own else ()


CORE = {
    "convolve": lambda x, w, **o: arrayconv.convolve(x, w, "same", **o),
    "correlate": lambda x, w, **o: arrayconv.correlate(x, w, "same", boundary="wrap", **o),
    "einconv": lambda x, w, **o: einconv("h w, h w -> h w | h w", x, w, padding="same", **o),
}


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("name", CORE)
def test_core_functions_write_the_bits_of_the_first_call(library, name, monkeypatch):
    backend, function = make_library(library), CORE[name]
    x, w = backend.asarray(IMAGE), backend.asarray(WEIGHTS)
    expected = backend.numpy(function(x, w)).copy()
    function(x, w, out=backend.asarray(np.empty(IMAGE.shape)))
    monkeypatch.setattr("arrayconv._calls.binding.check_out", None)  # once for each layout
    for _ in range(2):
        out = backend.asarray(np.zeros(IMAGE.shape))
        assert function(x, w, out=out) is out
        np.testing.assert_array_equal(backend.numpy(out), expected)


@pytest.mark.parametrize("shift", [0, 1])
def test_a_convolver_writes_the_bits_of_the_first_call_wherever_the_output_is(shift, monkeypatch):
    convolver = Convolver(WEIGHTS, "same", separable=False)
    expected = convolver(IMAGE)
    fresh = Convolver(WEIGHTS, "same", separable=False)
    first = np.empty(IMAGE.shape)
    assert fresh(IMAGE, out=first) is first
    monkeypatch.setattr(Convolver, "_validate", None) if not shift else None
    for _ in range(2):
        out = np.zeros(IMAGE.shape)
        assert fresh(IMAGE, out=out) is out
        np.testing.assert_array_equal(out, expected)
    if shift:  # over the input: computed beside it, and copied
        memory = np.zeros((IMAGE.shape[0] + 1, IMAGE.shape[1]))
        memory[:-1] = IMAGE
        np.testing.assert_allclose(fresh(memory[:-1], out=memory[1:]), expected, rtol=1e-12)
    np.testing.assert_array_equal(first, expected)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("name", CORE)
def test_a_recorded_call_has_the_bits_of_a_plain_one(library, name):
    backend, function = make_library(library), CORE[name]
    x, w = backend.asarray(IMAGE), backend.asarray(WEIGHTS)
    first, pullback = arrayconv.vjp(function, x, w)
    expected = function(x, w)
    gradients = [backend.numpy(gradient) for gradient in pullback(first)]
    for _ in range(2):
        y, pullback = arrayconv.vjp(function, x, w)
        np.testing.assert_array_equal(backend.numpy(y), backend.numpy(expected))
        for gradient, other in zip(pullback(y), gradients, strict=True):
            np.testing.assert_array_equal(backend.numpy(gradient), other)
