"""Repeated filters of JAX arrays outside programs: looked up before they are validated, with the first one's result."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from arrayconv import config, ndimage
from arrayconv._accel.native import loader
from arrayconv._calls import cache

X = np.random.default_rng(0).integers(0, 200, (19, 23))
WEIGHTS = np.random.default_rng(1).standard_normal((3, 4))
CALLS = {
    "gaussian_filter": lambda x: ndimage.gaussian_filter(x, (0.5, 1.25), truncate=2.0),
    "gaussian_filter1d": lambda x: ndimage.gaussian_filter1d(x, 0.75, order=1),
    "uniform_filter": lambda x: ndimage.uniform_filter(x, 3, mode="mirror"),
    "uniform_filter1d": lambda x: ndimage.uniform_filter1d(x, 4, axis=0),
    "sobel": ndimage.sobel,
    "prewitt": lambda x: ndimage.prewitt(x, 0, mode=("wrap", "nearest")),
    "laplace": lambda x: ndimage.laplace(x, mode="constant", cval=2),
    "gaussian_laplace": lambda x: ndimage.gaussian_laplace(x, 1.0),
    "gaussian_gradient_magnitude": lambda x: ndimage.gaussian_gradient_magnitude(x, 1.0),
    "correlate": lambda x: ndimage.correlate(x, jnp.asarray(WEIGHTS, "float32"), origin=(1, 0)),
    "convolve": lambda x: ndimage.convolve(x, WEIGHTS.tolist()),
    "correlate1d": lambda x: ndimage.correlate1d(x, jnp.asarray(WEIGHTS[0], "float32"), axis=0),
}

pytestmark = [
    pytest.mark.usefixtures("empty_cache"),
    pytest.mark.skipif(not loader.built(), reason="the loops were not built: no C compiler"),
]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("name", CALLS)
def test_a_repeated_filter_is_not_validated_and_equals_the_first(name, dtype, untranslated):
    call, first, second = CALLS[name], jnp.asarray(X, dtype), jnp.asarray(X[::-1], dtype)
    results = [call(x) for x in (first, second)]
    cache._calls.clear()
    call(first)
    untranslated()
    for x, expected in zip((second, first), results[::-1], strict=True):
        y = call(x)
        assert y.dtype == expected.dtype
        assert isinstance(y, jax.Array)
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("name", CALLS)
def test_arrays_inside_programs_are_no_part_of_the_cache(name):
    """Neither tracers nor constants of a program: what was cached in one runs outside it, and the other way round."""
    call, x = CALLS[name], jnp.asarray(X, "float32")
    expected = np.asarray(call(x))
    for order in (0, 1):
        cache._calls.clear()
        calls = [lambda: jax.jit(lambda: call(x))(), lambda: call(x), lambda: jax.jit(call)(x)]
        for one in calls[order:] + calls[:order]:
            np.testing.assert_allclose(one(), expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", CALLS)
def test_filters_that_are_cached_have_derivatives(name):
    call, x = CALLS[name], jnp.asarray(X, "float32")
    gradient = jax.grad(lambda x: call(x).sum())
    expected = gradient(x)
    call(x)
    np.testing.assert_array_equal(gradient(x), expected)


def test_a_cached_filter_of_32_bits_is_not_one_of_64():
    x = X.tolist()
    with jax.enable_x64(False):
        narrow = ndimage.gaussian_filter(jnp.asarray(x, "float32"), 1.0, output="float32")
    with jax.enable_x64(True):
        wide = ndimage.gaussian_filter(jnp.asarray(x, "float32"), 1.0, output="float64")
        again = ndimage.gaussian_filter(jnp.asarray(x, "float32"), 1.0)
    assert (narrow.dtype, wide.dtype, again.dtype) == ("float32", "float64", "float32")


def test_settings_are_part_of_the_key(untranslated):
    x = jnp.asarray(X, "float32")
    ndimage.sobel(x)
    untranslated()
    ndimage.sobel(x)
    with config.using(accelerators=set()), pytest.raises(AssertionError, match="translated"):
        ndimage.sobel(x)


def test_no_array_of_the_caller_is_cached():
    x, weights = jnp.asarray(X, "float32"), jnp.asarray(WEIGHTS, "float32")
    for call in CALLS.values():
        call(x)
    ndimage.correlate(x, weights)
    stack, visited = list(cache._calls.values()), set()
    assert len(stack) > len(CALLS)
    while stack:
        one = stack.pop()
        assert not isinstance(one, jax.Array)
        if id(one) not in visited:
            visited.add(id(one))
            own = type(one).__module__.startswith("arrayconv")
            stack += one if isinstance(one, (tuple, list)) else getattr(one, "__dict__", {}).values() if own else ()


def test_weights_in_an_array_are_read_at_every_call():
    x = jnp.asarray(X, "float32")
    ndimage.correlate(x, jnp.ones((3, 2), "float32"))
    assert not ndimage.correlate(x, jnp.zeros((3, 2), "float32")).any()
