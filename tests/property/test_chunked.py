"""Every door on a Dask array, chunks examples at random, equals the call on the whole array.

Integers are exact, and filters too; other floats differ by at most twice their bound. What a call refuses is refused in
the same words. ARRAYCONV_CHUNKED_EXAMPLES says how many calls each test draws.
"""

import os
from contextlib import contextmanager
from math import prod

import dask
import dask.array as da
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import arrayconv
from arrayconv import ndimage, nn, signal, testing
from arrayconv._chunked import strips
from arrayconv._signal.resampling import EXTENSIONS
from tests.property import test_fused_filters

EXAMPLES = int(os.environ.get("ARRAYCONV_CHUNKED_EXAMPLES", "12"))
BOUNDARIES = ("constant", "edge", "symmetric", "reflect", "wrap")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
REFUSALS = (ValueError, TypeError, OverflowError, RuntimeError, NotImplementedError)
UNSHRUNK = [phase for phase in hypothesis.Phase if phase.name not in ("shrink", "explain")]  # graphs take long
examples = hypothesis.settings(max_examples=EXAMPLES, deadline=None, phases=UNSHRUNK)


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@st.composite
def chunks(draw, shape, *, empty=True):
    """Draw the chunks of an array: of any sizes, and now and then of none."""
    return tuple(tuple(draw(_chunks(size, empty))) for size in shape)


@st.composite
def _chunks(draw, size, empty):
    least = draw(st.sampled_from([1, 1, 1, 0] if empty else [1]))
    sizes, remaining = [], size
    while remaining:
        sizes.append(draw(st.integers(least, remaining)))
        remaining -= sizes[-1]
    return sizes or [0]


def numbers(seed, shape, dtype):
    """Return numbers of a dtype: integers of its whole range, which wrap, and deviates."""
    rng = np.random.default_rng([seed, *shape])
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if np.dtype(dtype).kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    x = rng.normal(size=shape) + 1j * rng.normal(size=shape) * (np.dtype(dtype).kind == "c")
    return (x if np.dtype(dtype).kind == "c" else x.real).astype(dtype)


def lazily(draw, array, *, empty=True):
    return da.from_array(array, chunks=draw(chunks(array.shape, empty=empty)))


@contextmanager
def rules_of_strips(draw):
    """Draw what is cut into strips: the arrays here are far smaller than chunks that are."""
    with pytest.MonkeyPatch.context() as patch:
        if draw(st.booleans(), label="strips"):
            patch.setattr(strips, "LEAST_CHUNK", draw(st.sampled_from([1, 1, 16, 64])))
            patch.setattr(strips, "LARGEST_SHARE", draw(st.sampled_from([1, 2, 8])))
            patch.setattr(strips, "MOST_TOGETHER", draw(st.sampled_from([0, 64, strips.MOST_TOGETHER])))
        yield


def outcome(call, *arrays):
    """Return the result, or the refusal's type and text."""
    try:
        return call(*arrays), None
    except REFUSALS as refusal:
        return None, (type(refusal), str(refusal))


def compare(draw, call, x, kernel, *, bound=None, empty=True):
    """Compare a call of arrays with the call of x in chunks, and of the kernel so or as it is.

    No chunk is `empty` where Dask's own functions run on x too: its reshape and its rechunk fail for some.
    """
    expected, refusal = outcome(call, x, kernel)
    lazy_kernel = lazily(draw, kernel, empty=empty) if draw(st.booleans(), label="lazy kernel") else kernel
    with rules_of_strips(draw):
        y, lazy_refusal = outcome(call, lazily(draw, x, empty=empty), lazy_kernel)
    assert refusal == lazy_refusal
    if refusal is None:
        equal(y, expected, bound)


def equal(y, expected, bound=None):
    assert isinstance(y, da.Array)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    assert (type(y._meta), y._meta.dtype) == (np.ndarray, expected.dtype)
    value = np.empty(expected.shape, expected.dtype)
    for place, block in zip(np.ndindex(y.numblocks), dask.compute(*y.to_delayed().ravel()), strict=True):
        starts = [sum(sizes[:at]) for sizes, at in zip(y.chunks, place, strict=True)]
        assert np.shape(block) == tuple(sizes[at] for sizes, at in zip(y.chunks, place, strict=True))
        assert block.dtype == expected.dtype
        value[tuple(slice(at, at + size) for at, size in zip(starts, np.shape(block), strict=True))] = block
    if bound is None:
        np.testing.assert_array_equal(value, expected)
    else:
        assert (np.abs(value - expected) <= 2 * bound).all()


@st.composite
def geometries(draw, least=1, *, pairs=False):
    """Draw shapes and options of `convolve` and `correlate`; with `pairs` the kernel has the convolved axes alone."""
    ndim = draw(st.integers(least, 3))
    shape = tuple(
        draw(st.lists(st.integers(0 if ndim == 1 else 1, (40, 12, 6)[ndim - 1]), min_size=ndim, max_size=ndim))
    )
    axes = tuple(draw(st.permutations(range(ndim)))[: draw(st.integers(least, ndim))])
    taps = [draw(st.integers(1, (50, 9, 4)[ndim - 1])) for _ in axes]
    if pairs or draw(st.booleans()):
        kernel = tuple(taps)
    else:
        along = dict(zip(axes, taps, strict=True))
        kernel = tuple(along.get(axis, draw(st.sampled_from([1, max(n, 1)]))) for axis, n in enumerate(shape))
        shape = tuple(n if axis in axes else draw(st.sampled_from([n, 1])) for axis, n in enumerate(shape))
    count = len(axes)
    options = {
        "axes": axes,
        "boundary": tuple(draw(st.sampled_from(BOUNDARIES)) for _ in axes),
        "dilation": tuple(draw(st.sampled_from([1, 1, 2, 3, 7, 3000] if ndim == 1 else [1, 1, 2, 3])) for _ in axes),
        "fill_value": draw(st.integers(-3, 300)),
    }
    name = draw(st.sampled_from(["convolve", "correlate"]))
    if name == "correlate" and draw(st.booleans()):
        most = (60, 20, 9)[count - 1]
        ends = [sorted(draw(st.tuples(*[st.integers(-most, most) | st.integers(-3, 3)] * 2))) for _ in range(count)]
        return name, shape, kernel, {**options, "lags": tuple(map(tuple, ends))}
    options["stride"] = tuple(draw(st.integers(1, 4)) for _ in axes)
    return name, shape, kernel, {**options, "mode": draw(st.sampled_from(["full", "same", "valid"]))}


def is_small(shape, options):
    """Whether a result has few samples, each of which may be a chunk: lags and dilation make it long."""
    sizes = list(shape)
    for n, axis in enumerate(options["axes"]):
        if "lags" in options:
            first, last = options["lags"][n]
            sizes[axis] = last - first + 1
        elif options["mode"] == "full":
            sizes[axis] += 9 * options["dilation"][n]
    return prod(sizes) < 1 << 9


@examples
@hypothesis.given(geometries(), st.sampled_from(INTEGERS), st.data())
def test_integers_are_those_of_the_whole_array(call, dtype, data):
    name, shape, kernel, options = call
    hypothesis.assume(is_small(shape, options))
    x, taps = numbers(0, shape, dtype), numbers(1, kernel, dtype)
    compare(data.draw, lambda x, k: getattr(arrayconv, name)(x, k, **options), x, taps)


@examples
@hypothesis.given(geometries(), st.sampled_from(["float32", "float64", "complex64"]), st.data())
def test_floats_are_those_of_the_whole_array(call, dtype, data):
    name, shape, kernel, options = call
    hypothesis.assume(is_small(shape, options) and 0 not in shape)
    x, taps = numbers(0, shape, dtype), numbers(1, kernel, dtype)
    bound = outcome(lambda x, k: testing.error_bound(name, x, k, **options), x, taps)[0]
    compare(data.draw, lambda x, k: getattr(arrayconv, name)(x, k, **options), x, taps, bound=bound)


PATTERNS = {  # pattern, shapes of x and the kernel on letters
    "b n c, n c o -> b n o | n": ("bnc", "nco"),
    "b h w c, h w c o -> o b h w | h w": ("bhwc", "hwco"),
    "b (g c) n, (g o) c n -> b (g o) n | n": (None, None),
    "b n, b n -> b n | n": ("bn", "bn"),
    "a b n, n -> n b a | n": ("abn", "n"),
    "b n c, n -> b n | n": ("bnc", "n"),
    "n, n o p -> n o | n": ("n", "nop"),
}


@examples
@hypothesis.given(st.sampled_from(list(PATTERNS)), st.data())
def test_labelled_calls_are_those_of_the_whole_array(pattern, data):
    draw = data.draw
    sizes = {letter: draw(st.integers(1, 4)) for letter in "abcgop"}
    n, k = ({"n": draw(st.integers(1, most)), "h": draw(st.integers(1, 5)), "w": 4} for most in (15, 6))
    letters = PATTERNS[pattern]
    if letters[0] is None:
        g, c, o, b = (sizes[letter] for letter in "gcob")
        shapes = (b, g * c, n["n"]), (g * o, c, k["n"])
    else:
        shapes = (
            tuple({**sizes, **n}[letter] for letter in letters[0]),
            tuple({**sizes, **k, "w": 2}[letter] for letter in letters[1]),
        )
    options = {
        "stride": draw(st.integers(1, 3)),
        "dilation": draw(st.integers(1, 3)),
        "upsample": draw(st.integers(1, 4)),
        "boundary": draw(st.sampled_from(BOUNDARIES)),
        "padding": draw(st.sampled_from(["valid", "full", "same", "same_lower"]) | st.integers(0, 9)),
        "flip": draw(st.booleans()),
        "fill_value": 5,
    }
    x, kernel = (numbers(seed, shape, "int16") for seed, shape in enumerate(shapes))
    compare(draw, lambda x, k: arrayconv.einconv(pattern, x, k, **options), x, kernel)


@examples
@hypothesis.given(st.data())
def test_layers_are_those_of_the_whole_array(data):
    draw = data.draw
    groups, c, o, count = (draw(st.integers(1, most)) for most in (3, 3, 3, 2))
    sizes = [draw(st.integers(3, 9)) for _ in range(count)]
    taps = [draw(st.integers(1, 3)) for _ in range(count)]
    options = {"stride": draw(st.integers(1, 3)), "dilation": draw(st.integers(1, 2)), "groups": groups}
    options["padding"] = draw(st.integers(0, 2))
    transposed = draw(st.booleans())
    if transposed:
        options["output_padding"] = draw(st.integers(0, options["stride"] - 1))
    else:
        options["boundary"] = draw(st.sampled_from(BOUNDARIES))
    weight = (groups * c, o, *taps) if transposed else (groups * o, c, *taps)
    x = numbers(0, (draw(st.integers(1, 3)), groups * c, *sizes), "int32")
    w, bias = numbers(1, weight, "int32"), numbers(2, (groups * o,), "int32")
    function = nn.conv_transpose if transposed else nn.conv
    compare(draw, lambda x, w: function(x, w, bias, **options), x, w)


@examples
@hypothesis.given(test_fused_filters.calls(), st.data())
def test_filters_are_those_of_the_whole_array(call, data):
    name, dtype, shape, options, seed = call
    x = numbers(seed, shape, dtype)
    function = getattr(ndimage, name)
    expected, refusal = outcome(lambda x: function(x, **options), x)
    with rules_of_strips(data.draw):
        y, lazy_refusal = outcome(lambda x: function(x, **options), lazily(data.draw, x))
    assert refusal == lazy_refusal
    if refusal is None:
        scale = np.abs(x.astype(complex)).max() * test_fused_filters.gain(options) + abs(options["cval"])
        is_exact = expected.dtype.kind in "biu"  # in one call a sum of derivatives is rounded once
        equal(y, expected, None if is_exact else np.float64(32 * np.finfo(expected.dtype).eps * scale))


@examples
@hypothesis.given(st.sampled_from(["convolve", "correlate", "convolve2d", "correlate2d"]), st.data())
def test_signals_are_those_of_the_whole_array(name, data):
    draw = data.draw
    planar = name.endswith("2d")
    ndim = 2 if planar else draw(st.integers(1, 2))
    shapes = [tuple(draw(st.integers(1, 9)) for _ in range(ndim)) for _ in range(2)]
    dtypes = [draw(st.sampled_from(["bool", "int16", "uint8"])) for _ in shapes]
    mode, options = draw(st.sampled_from(["full", "same", "valid"])), {}
    if planar:
        options = {"boundary": draw(st.sampled_from(["fill", "wrap", "symm"])), "fillvalue": draw(st.integers(0, 5))}
    first, second = (numbers(seed, *pair) for seed, pair in enumerate(zip(shapes, dtypes, strict=True)))
    compare(draw, lambda a, b: getattr(signal, name)(a, b, mode, **options), first, second, empty=False)


@examples
@hypothesis.given(st.sampled_from(sorted(EXTENSIONS)), st.data())
def test_resampled_signals_are_those_of_the_whole_array(mode, data):
    draw = data.draw
    shape, up, down = (
        (draw(st.integers(1, 4)), draw(st.integers(1, 20))),
        *(draw(st.integers(1, 4)) for _ in range(2)),
    )
    x, h = (whole_numbers(seed, n) for seed, n in ((0, shape), (1, (draw(st.integers(1, 9)),))))
    compare(draw, lambda x, h: signal.upfirdn(h, x, up, down, axis=1, mode=mode, cval=2), x, h, empty=False)


def whole_numbers(seed, shape):
    """Return small whole numbers as floats, of which sums are exact."""
    return np.random.default_rng([seed, *shape]).integers(-9, 9, shape).astype(np.float64)


@examples
@hypothesis.given(st.data())
def test_convolvers_are_those_of_the_whole_array(data):
    draw = data.draw
    name, shape, kernel, options = draw(geometries(2, pairs=True))
    hypothesis.assume(is_small(shape, options))
    mode = options.pop("mode", None)
    terms = [[numbers(3 * seed + n, (k,), "int8").astype("int64") for n, k in enumerate(kernel)] for seed in range(2)]
    x = numbers(9, shape, "int64")
    has_factors = draw(st.booleans())
    keywords = {**options, "correlate": name == "correlate"}

    def call(x, _):
        if has_factors:
            return arrayconv.Convolver.from_factors(terms, mode, **keywords)(x)
        dense = sum(np.multiply.outer(*term) if len(term) == 2 else _outer3(*term) for term in terms)
        return arrayconv.Convolver(dense, mode, **keywords)(x)

    compare(draw, call, x, np.zeros(1))


def _outer3(a, b, c):
    return np.multiply.outer(np.multiply.outer(a, b), c)
