"""Repeated calls of `signal` and `ndimage`: looked up before they are translated, with the result of the first."""

from functools import partial

import numpy as np
import pytest

from arrayconv import ndimage, signal
from arrayconv._calls import cache
from tests.conftest import make_library

RANDOM = np.random.default_rng(0)

PAIR, PLANES = [(9,), (4,)], [(6, 7), (3, 2)]
# function, shapes of its arrays, options
CALLS = {
    "convolve": (signal.convolve, PLANES, {"mode": "same"}),
    "convolve-swapped": (signal.convolve, PAIR[::-1], {}),
    "convolve-fft": (signal.convolve, PAIR, {"method": "fft"}),
    "correlate": (signal.correlate, PLANES, {"mode": "valid"}),
    "correlate-swapped": (signal.correlate, PAIR[::-1], {}),
    "fftconvolve": (signal.fftconvolve, PLANES, {"axes": (1, 0)}),
    "fftconvolve-lines": (signal.fftconvolve, [(6, 7), (6, 2)], {"axes": 1}),
    "oaconvolve": (signal.oaconvolve, PLANES, {"mode": "same"}),
    "convolve2d": (signal.convolve2d, PLANES, {"fillvalue": 2}),
    "convolve2d-wrapped": (signal.convolve2d, PLANES, {"boundary": "wrap"}),
    "correlate2d": (signal.correlate2d, PLANES, {"mode": "same", "boundary": "symm"}),
    "upfirdn": (signal.upfirdn, [(4,), (2, 9)], {"up": 2, "down": 3}),
    "upfirdn-extended": (signal.upfirdn, [(4,), (2, 9)], {"up": 2, "mode": "smooth", "cval": 0.5}),
    "savgol_filter": (signal.savgol_filter, [(2, 9)], {"window_length": 5, "polyorder": 2}),
    "savgol_filter-even": (
        signal.savgol_filter,
        [(9, 2)],
        {"window_length": 4, "polyorder": 1, "axis": 0},
    ),
    "resample_poly": (signal.resample_poly, [(9, 2)], {"up": 3, "down": 2}),
    "resample_poly-line": (signal.resample_poly, [(9,)], {"up": 3, "down": 2, "padtype": "line"}),
    "resample_poly-mean": (signal.resample_poly, [(9,)], {"up": 3, "down": 2, "padtype": "mean"}),
    "decimate": (signal.decimate, [(2, 40)], {"q": 3, "ftype": "fir"}),
    "sepfir2d": (signal.sepfir2d, [(6, 7), (3,), (5,)], {}),
    "ndimage.correlate": (ndimage.correlate, PLANES, {"origin": (1, 0), "mode": "wrap"}),
    "ndimage.convolve": (ndimage.convolve, PLANES, {"mode": "constant", "cval": 1.5}),
    "ndimage.convolve-axes": (ndimage.convolve, [(6, 7), (3,)], {"axes": 0}),
    "ndimage.convolve1d": (ndimage.convolve1d, [(6, 7), (3,)], {"axis": 0, "output": "complex128"}),
    "ndimage.correlate1d": (ndimage.correlate1d, [(6, 7), (3,)], {"mode": "nearest"}),
    "weights-in-a-list": (partial(ndimage.correlate, weights=[[1, 2.5], [-1, 0]]), [(6, 7)], {}),
    "weights-in-a-tuple": (partial(ndimage.convolve1d, weights=(1, 2, 4)), [(6, 7)], {}),
    "gaussian_filter": (ndimage.gaussian_filter, [(9, 8)], {"sigma": (0.5, 1.25), "truncate": 2.0}),
    "gaussian_filter-none": (ndimage.gaussian_filter, [(9, 8)], {"sigma": 0}),
    "gaussian_filter1d": (ndimage.gaussian_filter1d, [(9, 8)], {"sigma": 0.75, "order": 1}),
    "uniform_filter": (ndimage.uniform_filter, [(9, 8)], {"size": 3, "mode": "mirror"}),
    "uniform_filter1d": (ndimage.uniform_filter1d, [(9, 8)], {"size": 4, "axis": 0}),
    "sobel": (ndimage.sobel, [(9, 8)], {}),
    "prewitt": (ndimage.prewitt, [(9, 8)], {"axis": 0, "mode": ("wrap", "nearest")}),
}


pytestmark = pytest.mark.usefixtures("empty_cache")


def operands(shapes, dtype, library):
    arrays = [8 * RANDOM.standard_normal(shape) for shape in shapes]
    if dtype == "complex128":
        arrays = [array + 1j * array[..., ::-1] for array in arrays]
    return [library.asarray(array.astype(dtype)) for array in arrays]


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float32", "float64", "complex128"])
@pytest.mark.parametrize("name", CALLS)
def test_a_repeated_call_is_not_translated_and_equals_the_first(library, dtype, name, untranslated):
    function, shapes, options = CALLS[name]
    if options.get("output") and dtype != "complex128":
        options = {**options, "output": "float64"}
    backend = make_library(library)
    first_operands, second_operands = operands(shapes, dtype, backend), operands(shapes, dtype, backend)
    first, expected = function(*first_operands, **options), function(*second_operands, **options)
    cache._calls.clear()
    function(*first_operands, **options)
    untranslated()
    for arrays, result in ((second_operands, expected), (first_operands, first)):
        y = function(*arrays, **options)
        assert type(y) is type(result)
        assert y.dtype == result.dtype
        np.testing.assert_array_equal(backend.numpy(y), backend.numpy(result))


def test_no_array_of_the_caller_is_cached():
    x, weights = (RANDOM.standard_normal(shape) for shape in PLANES)
    for function in (signal.convolve, signal.correlate2d, ndimage.correlate):
        function(x, weights)
    stack, visited = list(cache._calls.values()), set()
    while stack:
        one = stack.pop()
        assert one is not x
        assert one is not weights
        if id(one) not in visited:
            visited.add(id(one))
            own = type(one).__module__.startswith("arrayconv")
            stack += one if isinstance(one, (tuple, list)) else vars(one).values() if own else ()


def test_weights_in_an_array_are_read_at_every_call():
    x, weights = RANDOM.standard_normal((6, 7)), np.ones((3, 2), np.float32)
    ndimage.correlate(x, weights)
    weights[...] = 0
    assert not ndimage.correlate(x, weights).any()


def test_weights_in_a_list_are_distinguished_by_their_numbers():
    x, weights = RANDOM.standard_normal(9), [1.0, 2.0, 3.0]
    ndimage.correlate1d(x, weights)
    weights[:] = [0.0, 0.0, 0.0]
    assert not ndimage.correlate1d(x, weights).any()


@pytest.mark.parametrize("cval", [0.0, -0.0, 1.0, np.nan, np.inf])
def test_every_fill_is_a_call_of_its_own(cval):
    call = partial(ndimage.correlate1d, RANDOM.standard_normal(4), np.ones(3), mode="constant")
    expected = call(cval=cval)
    cache._calls.clear()
    for other in (0.0, 1.0, -0.0):
        call(cval=other)
    for _ in range(2):
        np.testing.assert_array_equal(call(cval=cval), expected)


def test_an_output_that_is_promoted_warns_every_time():
    x = np.ones((4, 5), np.complex128)
    for _ in range(3):
        with pytest.warns(UserWarning, match="promoting specified output dtype to complex"):
            ndimage.uniform_filter(x, 3, output=np.float64)


def test_an_output_array_is_written_every_time_and_not_cached():
    x, out = RANDOM.standard_normal((6, 7)), np.empty((6, 7))
    expected = ndimage.uniform_filter(x, 3)
    for _ in range(2):
        out[...] = 0
        assert ndimage.uniform_filter(x, 3, output=out) is out
        np.testing.assert_array_equal(out, expected)


def test_a_wrong_option_that_equals_a_cached_one_is_refused():
    x = RANDOM.standard_normal((6, 7))
    ndimage.sobel(x, 1)
    with pytest.raises(TypeError, match="axis"):
        ndimage.sobel(x, 1.0)
