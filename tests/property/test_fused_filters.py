"""A filter by one call of compiled code equals its passes: integers exactly, floats within rounding."""

from math import prod

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import arrayconv
from arrayconv import config, ndimage
from arrayconv._accel.native import loader, native_filters
from arrayconv._accel.native.tables import NUMBERS
from arrayconv._arrays import dtypes
from arrayconv._ndimage.arguments import MODES

pytestmark = pytest.mark.skipif(not loader.built(), reason="the loops are not compiled")

DTYPES = ("bool", *NUMBERS, "complex64", "complex128")
FILTERS = {  # name -> strategies of its own arguments, for an array of so many axes
    "gaussian_filter": lambda ndim: {"sigma": st.floats(0.3, 2.0), "order": st.integers(0, 2)},
    "gaussian_filter1d": lambda ndim: {"sigma": st.floats(0.3, 2.0), "order": st.integers(0, 2), "axis": axis(ndim)},
    "uniform_filter": lambda ndim: {"size": mean_sizes()},
    "uniform_filter1d": lambda ndim: {"size": mean_sizes(), "axis": axis(ndim)},
    "sobel": lambda ndim: {"axis": axis(ndim)},
    "prewitt": lambda ndim: {"axis": axis(ndim)},
    "laplace": lambda ndim: {},
    "gaussian_laplace": lambda ndim: {"sigma": st.floats(0.3, 2.0)},
    "gaussian_gradient_magnitude": lambda ndim: {"sigma": st.floats(0.3, 2.0)},
    "convolve1d": lambda ndim: {"weights": taps(1), "axis": axis(ndim), "origin": st.integers(-1, 0)},
    "correlate1d": lambda ndim: {"weights": taps(1), "axis": axis(ndim), "origin": st.integers(-1, 0)},
    "convolve": lambda ndim: {"weights": taps(ndim)},
    "correlate": lambda ndim: {"weights": taps(ndim)},
}


def axis(ndim):
    return st.integers(-ndim, ndim - 1)


def mean_sizes():
    """Draw the samples of a mean: few, sums of sums, and sums of sums of sums."""
    return st.integers(1, 40) | st.sampled_from([101, 130])


def taps(ndim):
    """Draw weights of several sizes: tenths, whose sums are whole numbers more often than others."""
    size = st.tuples(*[st.integers(2, 4)] * ndim)
    return size.flatmap(
        lambda shape: st.lists(st.integers(-9, 9), min_size=prod(shape), max_size=prod(shape)).map(
            lambda tenths: np.reshape(tenths, shape) / 10
        )
    )


@st.composite
def calls(draw):
    """Draw a filter's call: its name, dtype, shape, options and the seed of the input."""
    name = draw(st.sampled_from(list(FILTERS)), label="filter")
    ndim = draw(st.integers(1, 3), label="ndim")
    most = (900, 60, 14)[ndim - 1]
    shape = tuple(draw(st.lists(st.integers(1, most), min_size=ndim, max_size=ndim), label="shape"))
    options = {key: draw(value, label=key) for key, value in FILTERS[name](ndim).items()}
    options["mode"] = draw(st.sampled_from(list(MODES)), label="mode")
    options["cval"] = draw(st.sampled_from([0, 3, -1.5]), label="cval")
    dtype = draw(st.sampled_from(DTYPES), label="dtype")
    if not dtype.startswith("complex"):
        outputs = [None, None, None, *map(np.dtype, ("bool", *NUMBERS))]
        options["output"] = draw(st.sampled_from(outputs), label="output")
    return name, dtype, shape, options, draw(st.integers(0, 2**32), label="seed")


def samples(dtype, shape, seed):
    """Return numbers of a dtype, some of which repeat, with the ends of its range among them."""
    random = np.random.default_rng(seed)
    if dtype == "bool":
        return random.random(shape) < 0.5
    if dtypes.kind(dtype) == "integer":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        few = random.integers(low, high, size=9, dtype=dtype, endpoint=True)
        return few[random.integers(0, 9, shape)]
    x = random.standard_normal(shape) * 10.0 ** random.integers(-3, 4)
    if seed % 3 == 0 and dtypes.kind(dtype) == "real":  # complex passes make NaN of both parts where one is infinite
        x.flat[random.integers(x.size)] = random.choice([np.nan, np.inf, -np.inf])
    return (x + 1j * random.standard_normal(shape) if dtypes.kind(dtype) == "complex" else x).astype(dtype)


def gain(options):
    """Return by how much a filter multiplies the largest sample, at most."""
    return np.abs(options["weights"]).sum() if "weights" in options else 100


def layout(x, seed):
    """Return the numbers in memory of another layout: transposed, reversed, strided or in the other byte order."""
    way = seed % 5
    if way == 0:
        return x
    if way == 1:
        return np.asfortranarray(x)
    if way == 2:
        return x[::-1].copy()[::-1]
    if way == 3:
        return np.repeat(x, 2, axis=-1)[..., ::2]
    return x.astype(x.dtype.newbyteorder())


@hypothesis.settings(max_examples=400, deadline=None)
@hypothesis.given(calls())
@hypothesis.example(("laplace", "int8", (2, 2), {"mode": "constant", "cval": -1.5}, 0))  # each difference is cut
@hypothesis.example(("uniform_filter", "uint8", (1, 3), {"size": 2, "output": np.dtype("int8"), "cval": 0}, 0))
def test_one_call_equals_the_passes(call):
    name, dtype, shape, options, seed = call
    x = layout(samples(dtype, shape, seed), seed)
    function = getattr(ndimage, name)
    with config.using(accelerators=frozenset(config.ACCELERATORS) - {"native"}):
        expected = function(x, **options)
    before = x.copy()
    y = function(x, **options)
    again = function(x, **options)
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(again, y)
    if expected.dtype == bool or dtypes.kind(expected.dtype.name) == "integer":
        np.testing.assert_array_equal(y, expected)
    else:
        finite = x[np.isfinite(x)].astype(complex)
        scale = np.abs(finite).max(initial=0) * gain(options) + abs(options["cval"])
        is_finite = np.isfinite(expected)  # a pass of many taps may be a product of matrices: NaN for an infinity
        np.testing.assert_array_equal(np.isfinite(y), is_finite)
        atol = 64 * np.finfo(expected.dtype).eps * scale
        np.testing.assert_allclose(y[is_finite], expected[is_finite], rtol=0, atol=atol)


UNSHRUNK = [phase for phase in hypothesis.Phase if phase.name not in ("shrink", "explain")]  # each example is compiled


def is_fused(name, x, options):
    """Whether a filter runs in one call on a NumPy array; lengths of wide integers and complex ones are not there."""
    passes = arrayconv.explain(x, call=getattr(ndimage, name), **options).passes
    result = np.dtype(options.get("output") or x.dtype)
    if name == "gaussian_gradient_magnitude" and (result.kind == "c" or (result.kind in "iu" and result.itemsize > 2)):
        return False
    return bool(passes) and passes[0].method == native_filters.NAME


def is_wide(dtype):
    return np.dtype(dtype).itemsize > (8 if dtype.startswith("complex") else 4)


@pytest.mark.parametrize("x64", [True, False], ids=["x64", "without-x64"])
@hypothesis.settings(
    max_examples=15,
    deadline=None,
    phases=UNSHRUNK,
    suppress_health_check=[hypothesis.HealthCheck.filter_too_much],  # half of the dtypes need x64
)
@hypothesis.given(call=calls())
@hypothesis.example(call=("uniform_filter", "uint8", (1, 3), {"size": 2, "output": np.dtype("int8"), "cval": 0}, 0))
@hypothesis.example(call=("gaussian_filter", "uint64", (9,), {"sigma": 1.0, "mode": "constant", "cval": np.nan}, 0))
def test_xla_gives_the_bits_of_numpy(x64, call):
    """Also in programs without float64: eager, compiled, and mapped over one more axis."""
    jax = pytest.importorskip("jax", reason="jax is not installed")
    name, dtype, shape, options, seed = call
    requested = options.get("output")
    hypothesis.assume(x64 or not (is_wide(dtype) or (requested is not None and is_wide(requested.name))))
    x, function = samples(dtype, shape, seed), getattr(ndimage, name)
    hypothesis.assume(is_fused(name, x, options))
    expected = function(x, **options)
    with jax.enable_x64(x64):
        array = jax.numpy.asarray(x)
        results = {
            "eager": function(array, **options),
            "jit": jax.jit(lambda x: function(x, **options))(array),
            "vmap": jax.vmap(lambda x: function(x, **options))(jax.numpy.stack([array, array]))[1],
        }
    for way, y in results.items():
        np.testing.assert_array_equal(np.asarray(y), expected, strict=True, err_msg=way)
        np.testing.assert_array_equal(np.signbit(np.real(y)), np.signbit(np.real(expected)), err_msg=way)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int16"])
@pytest.mark.parametrize("size", [3, 8, 9, 31, 130])
@pytest.mark.parametrize("shape", [(150, 5), (40, 70), (7, 300)])
def test_means_have_the_same_bits_whatever_the_layout(dtype, size, shape):
    """Adjacent columns are one row of the loop, strided ones are not, and transposed ones change places with rows."""
    x = samples(dtype, shape, seed=1)
    for axis in (0, 1):
        expected = ndimage.uniform_filter1d(x, size, axis)
        strided = np.zeros((shape[0], 2 * shape[1]), dtype)[:, ::2]
        ndimage.uniform_filter1d(x, size, axis, output=strided)
        np.testing.assert_array_equal(strided, expected)
        transposed = ndimage.uniform_filter1d(np.ascontiguousarray(x.T), size, 1 - axis)
        np.testing.assert_array_equal(transposed.T, expected)


BLOCKS = {
    "gaussian_filter": {"sigma": 2.0},
    "uniform_filter": {"size": 9},
    "uniform_filter, long": {"size": 41},
    "sobel": {"axis": 0},
    "laplace": {},
    "gaussian_gradient_magnitude": {"sigma": 1.0},
    "correlate": {"weights": np.arange(15.0).reshape(5, 3) - 7},
}


@pytest.mark.parametrize("mode", ["constant", "reflect", "wrap"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32", "float64", "complex64"])
@pytest.mark.parametrize("row", BLOCKS)
def test_several_blocks_in_used_memory(row, dtype, mode):
    """Images of several blocks, in buffers that hold what an earlier call left there."""
    function, options = getattr(ndimage, row.partition(",")[0]), {**BLOCKS[row], "mode": mode, "cval": 3}
    for shape in ((30, 1030), (530, 70), (300, 530)):
        x = samples(dtype, shape, 1)
        function(np.full(shape, 100, dtype), **options)
        y = function(x, **options)
        with config.using(accelerators=frozenset(config.ACCELERATORS) - {"native"}):
            expected = function(x, **options)
        if dtypes.kind(dtype) == "integer":
            np.testing.assert_array_equal(y, expected)
        else:
            scale = np.abs(x).max() * gain(options) + 3
            np.testing.assert_allclose(y, expected, rtol=0, atol=64 * np.finfo(dtype).eps * scale)
