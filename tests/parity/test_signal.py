"""arrayconv.signal against scipy.signal on host copies: values within computed bounds, dtypes and shapes exactly.

Tables say what varies; a test runs one function on one library over a whole table, since most of the time of a
library's first call goes into starting it.
"""

import subprocess
import sys
import textwrap
from itertools import product

import numpy as np
import pytest
import scipy.signal

import arrayconv.signal
from arrayconv import testing
from arrayconv._arrays.dtypes import eps
from arrayconv._arrays.identify import device_of
from tests.running import by_content

error_bound = by_content(testing.error_bound)
MODES = ("full", "same", "valid")
DOUBLE = {"f": np.float64, "c": np.complex128}

SHAPES = [
    ((7,), (4,)),  # even kernel
    ((7,), (3,)),  # odd
    ((4,), (7,)),  # the kernel is longer: 'valid' exchanges the inputs
    ((5,), (5,)),
    ((5,), (1,)),
    ((6, 5), (3, 2)),
    ((3, 2), (6, 5)),
    ((3, 6), (5, 2)),  # longer on one axis each: no 'valid'
    ((2, 3, 4), (2, 2, 3)),
]
DTYPES = [
    ("bool", "int16"),
    ("uint8", "uint8"),  # wraps
    ("uint8", "int8"),
    ("uint16", "uint16"),  # torch has little arithmetic for it
    ("int64", "int64"),
    ("uint64", "int64"),  # float64
    ("int32", "float32"),  # float64
    ("int16", "float32"),
    ("float32", "float32"),
    ("float32", "float64"),
    ("float64", "complex64"),  # complex128
    ("complex64", "float32"),
    ("complex128", "complex128"),
    ("int16", "complex64"),
]
ONE_AXIS = [("bool", "bool"), ("float16", "float16"), ("int8", "float16")]  # SciPy's N-D functions refuse these

METHODS = {
    f"{name}-{method}": (name, {"method": method})
    for name in ("convolve", "correlate")
    for method in ("auto", "direct", "fft")
}
CALLS = {**METHODS, "fftconvolve": ("fftconvolve", {}), "oaconvolve": ("oaconvolve", {})}


def random(shape, dtype, seed=0):
    """Return a host array: small integers, or normal numbers."""
    rng = np.random.default_rng((seed, *shape))
    if np.dtype(dtype).kind in "biu":
        return rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def both(library, name, *args, **options):
    """Return SciPy's result and ours, on the host; ours on the library's device.

    SciPy's dtype and shape are those it gives; its floating values are computed from double copies, without the
    rounding of its float32 transforms.
    """
    expected = np.asarray(getattr(scipy.signal, name)(*args, **options))
    if expected.dtype.kind in "fc":
        doubles = (arg.astype(DOUBLE[expected.dtype.kind]) if isinstance(arg, np.ndarray) else arg for arg in args)
        expected = np.asarray(getattr(scipy.signal, name)(*doubles, **options)).astype(expected.dtype)
    ours = getattr(arrayconv.signal, name)(
        *(library.asarray(arg) if isinstance(arg, np.ndarray) else arg for arg in args), **options
    )
    if isinstance(ours, np.generic):
        return expected, np.asarray(ours)
    assert device_of(ours) == library.device
    return expected, library.numpy(ours)


def assert_like_scipy(y, expected, bound, label):
    expected = np.asarray(expected)
    assert y.dtype == expected.dtype, f"dtype {y.dtype}, but should be {expected.dtype} [{label}]"
    assert y.shape == expected.shape, f"shape {y.shape}, but should be {expected.shape} [{label}]"
    if y.dtype.kind in "biu":
        np.testing.assert_array_equal(y, expected, err_msg=str(label))
        return
    wide = DOUBLE[y.dtype.kind]
    error = np.max(np.abs(y.astype(wide) - expected.astype(wide)), initial=0)
    assert error <= bound, f"error {error:.3g}, but the bound is {bound:.3g} [{label}]"


def bound_of(in1, in2, dtype, **options):
    """Bound by norm the difference of a result of dtype `dtype` and SciPy's in double precision."""
    if np.dtype(dtype).kind in "biu":
        return 0
    doubles = [array.astype(DOUBLE["c" if np.iscomplexobj(array) else "f"]) for array in (in1, in2)]
    return 2 * np.max(error_bound("convolve", *doubles, dtype=np.dtype(dtype).name, **options), initial=0)


def thinned(library, rows, seed):
    """Return the rows a library runs: of JAX, which compiles every operation for every shape, one chosen by `seed`."""
    rows = list(rows)
    if library.name == "array_api_strict":
        rows = [row for row in rows if "float16" not in str(row)]  # has none
    return rows if library.name != "jax" else [rows[sum(map(ord, seed)) % len(rows)]]


def skips(name, mode, shapes):
    """Whether SciPy refuses 'valid' for these shapes."""
    pairs = list(zip(*shapes, strict=True))
    return mode == "valid" and not (all(n >= k for n, k in pairs) or all(n <= k for n, k in pairs))


@pytest.mark.parametrize("call", CALLS)
def test_shapes_and_modes(library, call):
    name, options = CALLS[call]
    for shapes, mode, dtype in thinned(library, product(SHAPES, MODES, ("int32", "float64", "complex128")), call):
        if skips(name, mode, shapes):
            continue
        in1, in2 = (random(shape, dtype, seed) for seed, shape in enumerate(shapes))
        expected, y = both(library, name, in1, in2, mode=mode, **options)
        assert_like_scipy(y, expected, bound_of(in1, in2, expected.dtype), (call, shapes, mode, dtype))


@pytest.mark.parametrize("call", CALLS)
def test_dtypes(library, call):
    name, options = CALLS[call]
    line, plane = ((6,), (3,)), ((3, 2), (4, 5))
    rows = [*product(DTYPES, (line, plane)), *product(ONE_AXIS, (line,))]
    for (first, second), shapes in thinned(library, rows, call):
        if options.get("method") == "fft" and first == second == "bool":
            continue  # SciPy takes rounding errors for True; see the test of bool by FFT
        in1, in2 = random(shapes[0], first, 1), random(shapes[1], second, 2)
        expected, y = both(library, name, in1, in2, **options)
        assert_like_scipy(y, expected, bound_of(in1, in2, expected.dtype), (call, first, second, shapes))


@pytest.mark.parametrize("name", ["convolve", "correlate", "convolve2d", "correlate2d"])
def test_planes_of_bool_and_float16_work(library, name):
    in1, in2 = random((5, 4), "bool"), random((2, 3), "bool", 1)
    counts = getattr(scipy.signal, name)(in1.astype(int), in2.astype(int))
    y = library.numpy(getattr(arrayconv.signal, name)(library.asarray(in1), library.asarray(in2)))
    assert y.dtype == bool
    np.testing.assert_array_equal(y, counts != 0)
    if library.name == "array_api_strict":  # has no float16
        return
    in1, in2 = random((5, 4), "float16"), random((2, 3), "float16", 1)
    exact = getattr(scipy.signal, name)(in1.astype(float), in2.astype(float))
    y = library.numpy(getattr(arrayconv.signal, name)(library.asarray(in1), library.asarray(in2)))
    assert_like_scipy(y, exact.astype(np.float16), bound_of(in1, in2, "float16"), name)


@pytest.mark.parametrize("method", ["auto", "direct", "fft"])
def test_integers_are_exact_by_every_method(library, method):
    in1, in2 = (np.array([2**62, -(2**62) + 1, 3, 2**31]), np.array([7, -5, 2**40 + 1]))
    y = library.numpy(arrayconv.signal.convolve(library.asarray(in1), library.asarray(in2), method=method))
    np.testing.assert_array_equal(y, np.convolve(in1, in2))


def test_bool_is_logical_by_fft():
    in1, in2 = np.zeros(4000, bool), np.zeros(900, bool)
    in1[[5, 1700]] = in2[[0, 899]] = True
    y = arrayconv.signal.convolve(in1, in2, method="fft")
    assert np.flatnonzero(y).tolist() == [5, 904, 1700, 2599]


def test_valid_takes_the_larger_input_as_data(library):
    small, large = (library.asarray(np.array(values)) for values in ([1, 2, 3], [1, 0, 0, 0, 10]))
    call = arrayconv.signal.convolve
    np.testing.assert_array_equal(
        library.numpy(call(small, large, "valid")), library.numpy(call(large, small, "valid"))
    )
    call = arrayconv.signal.correlate
    assert library.numpy(call(small, large, "valid")).tolist() == [30, 0, 1]
    assert library.numpy(call(large, small, "valid")).tolist() == [1, 0, 30]


@pytest.mark.parametrize("name", ["correlate", "correlate2d"])
def test_exchanged_correlation_is_reversed_and_conjugated(library, name):
    shape = (3, 4) if name == "correlate2d" else (4,)
    in1, in2 = random(shape, "complex128"), random(tuple(2 * n for n in shape), "complex128", 1)
    correlate = getattr(arrayconv.signal, name)
    for mode in ("full", "valid"):
        forth = library.numpy(correlate(library.asarray(in1), library.asarray(in2), mode))
        back = library.numpy(correlate(library.asarray(in2), library.asarray(in1), mode))
        np.testing.assert_allclose(forth, np.flip(back).conj(), atol=bound_of(in1, in2, "complex128"))


@pytest.mark.parametrize(
    ("name", "kernel", "expected"),
    [
        ("convolve", [1, 10], [1, 12, 23, 34, 45]),
        ("convolve2d", [1, 10], [1, 12, 23, 34, 45]),
        ("correlate", [1, 10], [10, 21, 32, 43, 54]),
        ("correlate2d", [1, 10], [21, 32, 43, 54, 5]),
        ("correlate", [1, 10, 100, 1000], [2100, 3210, 4321, 5432, 543]),
        ("correlate2d", [1, 10, 100, 1000], [3210, 4321, 5432, 543, 54]),
    ],
)
def test_same_is_centred_as_each_function_does(library, name, kernel, expected):
    x, k = np.arange(1, 6), np.array(kernel)
    if name.endswith("2d"):
        x, k = x[None], k[None]
    y = getattr(arrayconv.signal, name)(library.asarray(x), library.asarray(k), "same")
    assert library.numpy(y).ravel().tolist() == expected


BOUNDARIES = {
    "fill": "constant",
    "pad": "constant",
    "wrap": "wrap",
    "circular": "wrap",
    "symm": "symmetric",
    "symmetric": "symmetric",
}
PLANES = [((5, 4), (3, 3)), ((5, 4), (2, 4)), ((4, 6), (4, 1)), ((2, 3), (7, 6)), ((3, 2), (4, 2)), ((2, 5), (5, 2))]


@pytest.mark.parametrize("name", ["convolve2d", "correlate2d"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_boundaries(library, name, boundary):
    planes = PLANES if boundary in ("fill", "wrap", "symm") else PLANES[:1]  # the others are second names
    rows = product(planes, MODES, ("int32", "float64", "complex64"), (0, 3) if boundary == "fill" else (0,))
    for shapes, mode, dtype, fill in thinned(library, rows, name + boundary):
        conjugates = mode == "valid" and shapes[0] < shapes[1] and dtype == "complex64"
        if skips(name, mode, shapes) or (conjugates and name == "correlate2d"):
            continue  # SciPy does not conjugate what it exchanged; see the test of exchanged correlations
        in1, in2 = (random(shape, dtype, seed) for seed, shape in enumerate(shapes))
        expected, y = both(library, name, in1, in2, mode, boundary, fill)
        bound = bound_of(in1, in2, dtype, boundary=BOUNDARIES[boundary], fill_value=fill)
        assert_like_scipy(y, expected, bound, (name, shapes, mode, dtype, boundary, fill))


@pytest.mark.parametrize("fill", [2.0, 2.5, -1, True, np.float32(2), [3], np.array([[4.0]]), 1 - 2j])
def test_fillvalue_is_a_number_or_holds_one(library, fill):
    dtype = "complex128" if isinstance(fill, complex) else "float64"
    in1, in2 = random((3, 4), dtype), random((2, 2), dtype, 1)
    expected, y = both(library, "convolve2d", in1, in2, "full", fillvalue=fill)
    bound = bound_of(in1, in2, dtype, fill_value=4)
    assert_like_scipy(y, expected, bound, fill)


@pytest.mark.parametrize("fill", [2.0, -3, True, [5]])
def test_fillvalue_of_integers_is_whole(library, fill):
    in1, in2 = random((3, 4), "int16"), random((2, 2), "int16", 1)
    expected, y = both(library, "correlate2d", in1, in2, "full", "fill", fill)
    assert_like_scipy(y, expected, 0, fill)


AXES = [
    ((4, 7), (4, 3), 1),
    ((4, 7), (1, 3), -1),
    ((1, 7), (4, 3), [1]),
    ((4, 7, 3), (2, 7, 2), (2, 0)),
    ((4, 7, 3), (2, 1, 2), (0, -1)),
    ((1, 5), (3, 2), None),  # no kernel runs along an axis of length 1, so 'valid' fits
    ((5, 1), (1, 4), None),
    ((1, 1), (3, 2), None),
    ((3, 3), (3, 3), 0),
]


@pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
def test_axes_and_broadcasting(library, name):
    for (first, second, axes), mode, dtype in thinned(
        library, product(AXES, MODES, ("int16", "float32", "complex128")), name
    ):
        if mode == "same" and axes is not None and len(first) == 2 and first[0] < second[0]:
            continue  # SciPy drops rows; the next test
        in1, in2 = random(first, dtype), random(second, dtype, 1)
        expected, y = both(library, name, in1, in2, mode, axes)
        assert_like_scipy(y, expected, bound_of(in1, in2, expected.dtype), (name, first, second, axes, mode, dtype))


@pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
def test_same_keeps_the_rows_of_either_input(library, name):
    in1, in2 = random((1, 9), "float64"), random((3, 4), "float64", 1)
    y = getattr(arrayconv.signal, name)(library.asarray(in1), library.asarray(in2), "same", axes=1)
    rows = np.stack([np.convolve(in1[0], row, "same") for row in in2])
    np.testing.assert_allclose(library.numpy(y), rows, atol=bound_of(in1, in2, "float64"))


def test_long_signals(library):
    sizes = [(3000, 60), (60, 3000), (1200, 1100)]
    rows = product(("convolve", "fftconvolve", "oaconvolve"), sizes, MODES)
    for name, (n, k), mode in thinned(library, rows, ""):
        in1, in2 = random((n,), "float32"), random((k,), "float32", 1)
        expected, y = both(library, name, in1, in2, mode)
        assert_like_scipy(y, expected, bound_of(in1, in2, "float32"), (name, n, k, mode))


def test_scalars(library):
    for name, (first, second) in product(
        ("convolve", "correlate", "fftconvolve", "oaconvolve"),
        [("int32", "int32"), ("float32", "complex64"), ("bool", "bool")],
    ):
        in1, in2 = (np.array(random((1,), dtype, seed)[0]) for seed, dtype in enumerate((first, second)))
        expected, y = both(library, name, in1, in2)
        assert_like_scipy(y, expected, 4 * eps("float32") * abs(expected), (name, first))
    assert isinstance(arrayconv.signal.convolve(1289, 4567), np.int64)


EMPTY = [
    ((0,), (3,)),
    ((3,), (0,)),
    ((0,), (0,)),
    ((0, 3), (2, 2)),
    ((2, 2), (0, 3)),
    ((2, 0), (2, 2)),
    ((2, 2), (2, 0)),
]


@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d"])
def test_empty_inputs(library, name):
    for (first, second), mode in product(EMPTY, MODES):
        in1, in2 = np.zeros(first, "float32"), np.zeros(second, "float32")
        try:
            with np.errstate(all="ignore"):
                expected = getattr(scipy.signal, name)(in1, in2, mode)
        except ValueError:
            with pytest.raises(ValueError):  # noqa: PT011 - SciPy's texts are of whatever broke first
                getattr(arrayconv.signal, name)(library.asarray(in1), library.asarray(in2), mode)
            continue
        y = library.numpy(getattr(arrayconv.signal, name)(library.asarray(in1), library.asarray(in2), mode))
        assert (y.shape, y.dtype) == (expected.shape, expected.dtype), (first, second, mode)
        assert not y.any()


def test_an_empty_image_has_no_edges_to_extend(library):
    for boundary in ("wrap", "symm"):
        with pytest.raises(ValueError, match="extends in1"):
            arrayconv.signal.convolve2d(
                library.asarray(np.zeros((0, 3))), library.asarray(np.ones((2, 2))), boundary=boundary
            )


def test_lists_become_arrays_like_the_other_input(library):
    x, values = np.arange(5, dtype="float32"), [1, 2]
    bound = bound_of(x, np.array(values), "float64")
    for name in ("convolve", "correlate", "fftconvolve", "oaconvolve"):
        function, reference = getattr(arrayconv.signal, name), getattr(scipy.signal, name)
        for y, expected in (
            (function(library.asarray(x), values), reference(x.astype(float), values)),
            (function(values, library.asarray(x)), reference(values, x.astype(float))),
        ):
            assert device_of(y) == library.device
            assert_like_scipy(library.numpy(y), expected, bound, name)
    y = arrayconv.signal.upfirdn([1.0, 2.0], library.asarray(x))
    assert_like_scipy(library.numpy(y), scipy.signal.upfirdn([1.0, 2.0], x), 1e-14, "upfirdn")


def test_two_lists_make_a_numpy_array():
    assert isinstance(arrayconv.signal.convolve2d([[1, 2]], [[1.5]]), np.ndarray)


# Function, arguments, exception, and the words of SciPy's that its users match. SciPy raises the same type.
A, B = np.ones((2, 3)), np.ones((3, 2))
LINE = np.ones(3)
ERRORS = {
    "convolve dimensions": (
        "convolve",
        (A, LINE),
        {},
        ValueError,
        "volume and kernel should have the same dimensionality",
    ),
    "correlate dimensions": ("correlate", (A, LINE), {}, ValueError, "in1 and in2 should have the same dimensionality"),
    "fftconvolve dimensions": (
        "fftconvolve",
        (A, LINE),
        {},
        ValueError,
        "in1 and in2 should have the same dimensionality",
    ),
    "oaconvolve dimensions": (
        "oaconvolve",
        (1.0, LINE),
        {},
        ValueError,
        "in1 and in2 should have the same dimensionality",
    ),
    "convolve mode": (
        "convolve",
        (A, B, "spam"),
        {},
        ValueError,
        "Acceptable mode flags are 'valid', 'same', or 'full'",
    ),
    "correlate mode": (
        "correlate",
        (A, B, "spam"),
        {},
        ValueError,
        "Acceptable mode flags are 'valid', 'same', or 'full'",
    ),
    "convolve2d mode": (
        "convolve2d",
        (A, B, "spam"),
        {},
        ValueError,
        "Acceptable mode flags are 'valid', 'same', or 'full'",
    ),
    "fftconvolve mode": (
        "fftconvolve",
        (A, B, "spam"),
        {},
        ValueError,
        "acceptable mode flags are 'valid', 'same', or 'full'",
    ),
    "oaconvolve mode": (
        "oaconvolve",
        (A, B, "spam"),
        {},
        ValueError,
        "acceptable mode flags are 'valid', 'same', or 'full'",
    ),
    "choose mode": (
        "choose_conv_method",
        (A, B, "spam"),
        {},
        ValueError,
        "Acceptable mode flags are 'valid', 'same', or 'full', not mode=spam",
    ),
    "lags mode": ("correlation_lags", (5, 2, "spam"), {}, ValueError, "Mode spam is invalid"),
    "convolve method": (
        "convolve",
        (A, B),
        {"method": "bacon"},
        ValueError,
        "Acceptable method flags are 'auto', 'direct', or 'fft'",
    ),
    "correlate method": (
        "correlate",
        (A, B),
        {"method": "bacon"},
        ValueError,
        "Acceptable method flags are 'auto', 'direct', or 'fft'",
    ),
    **{
        f"{name} valid": (
            name,
            (A, B, "valid"),
            {},
            ValueError,
            "For 'valid' mode, one must be at least as large as the other in every dimension",
        )
        for name in ("convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d")
    },
    "axes empty": ("fftconvolve", (A, A), {"axes": []}, ValueError, "when provided, axes cannot be empty"),
    "axes outside": ("fftconvolve", (A, A), {"axes": [2]}, ValueError, "axes exceeds dimensionality of input"),
    "axes twice": ("oaconvolve", (A, A), {"axes": [0, -2]}, ValueError, "all axes must be unique"),
    "axes fraction": ("oaconvolve", (A, A), {"axes": 1.5}, ValueError, "axes must be a scalar or iterable of integers"),
    "axes name": ("fftconvolve", (A, A), {"axes": "a"}, ValueError, "axes must be a scalar or iterable of integers"),
    "axes broadcast": (
        "fftconvolve",
        (A, np.ones((3, 3))),
        {"axes": 1},
        ValueError,
        "incompatible shapes for in1 and in2",
    ),
    "convolve2d lines": ("convolve2d", (LINE, LINE), {}, ValueError, "convolve2d inputs must both be 2-D arrays"),
    "correlate2d lines": ("correlate2d", (A, LINE), {}, ValueError, "correlate2d inputs must both be 2-D arrays"),
    "boundary": (
        "convolve2d",
        (A, A),
        {"boundary": "nope"},
        ValueError,
        "Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' (or 'symm')",
    ),
    "boundary reflect": ("convolve2d", (A, A), {"boundary": "reflect"}, ValueError, None),
    "fill complex": (
        "convolve2d",
        (A, A),
        {"fillvalue": 1j},
        ValueError,
        "could not cast `fillvalue` directly to the output type",
    ),
    "fill not a number": (
        "convolve2d",
        (A.astype(int), A.astype(int)),
        {"fillvalue": np.nan},
        ValueError,
        "could not cast `fillvalue` directly to the output type",
    ),
    "fill pair": (
        "convolve2d",
        (A, A),
        {"fillvalue": [1, 2]},
        ValueError,
        "`fillvalue` must be scalar or an array with one element",
    ),
    "fill none": ("correlate2d", (A, A), {"fillvalue": []}, ValueError, "`fillvalue` cannot be an empty array"),
    "h plane": ("upfirdn", (A, LINE), {}, ValueError, "h must be 1-D with non-zero length"),
    "h empty": ("upfirdn", (LINE[:0], LINE), {}, ValueError, "h must be 1-D with non-zero length"),
    "up": ("upfirdn", (LINE, LINE), {"up": 0}, ValueError, "Both up and down must be >= 1"),
    "down": ("upfirdn", (LINE, LINE), {"down": -1}, ValueError, "Both up and down must be >= 1"),
    "upfirdn mode": ("upfirdn", (LINE, LINE), {"mode": "spam"}, ValueError, "Unknown mode: spam"),
    "upfirdn axis": ("upfirdn", (LINE, LINE), {"axis": 1}, IndexError, "tuple index out of range"),
    "upfirdn scalar": ("upfirdn", (LINE, 3.0), {}, IndexError, "tuple index out of range"),
    "cval complex": ("upfirdn", (LINE, LINE), {"cval": 1j}, TypeError, None),
    "cval text": ("upfirdn", (LINE, LINE), {"cval": "a"}, TypeError, None),
}


@pytest.mark.parametrize("row", ERRORS)
@pytest.mark.filterwarnings("ignore")  # SciPy casts a fill before it looks at it
def test_errors_are_of_scipys_type_and_hold_its_words(library, row):
    name, args, options, kind, words = ERRORS[row]
    with pytest.raises(kind) as theirs:
        getattr(scipy.signal, name)(*args, **options)
    arrays = (library.asarray(arg) if isinstance(arg, np.ndarray) else arg for arg in args)
    with pytest.raises(kind) as ours:
        getattr(arrayconv.signal, name)(*arrays, **options)
    assert str(ours.value).startswith(f"{name}: ")
    for text in (ours, theirs):
        assert words is None or words in str(text.value)


# What SciPy takes or truncates and we refuse, on purpose.
REFUSED = {
    "object": ("convolve", (LINE.astype(object), LINE), {}, TypeError, "has dtype object"),
    "longdouble": ("fftconvolve", (LINE.astype(np.longdouble), LINE), {}, TypeError, "has no convolution here"),
    "masked": ("convolve", (np.ma.array(LINE), LINE), {}, TypeError, "mask"),
    "fill fraction": ("convolve2d", (A.astype(int), A.astype(int)), {"fillvalue": 0.5}, ValueError, "could not cast"),
    "fill nothing": ("convolve2d", (A, A), {"fillvalue": None}, ValueError, "could not cast"),
    "up fraction": ("upfirdn", (LINE, LINE), {"up": 2.5}, ValueError, "whole numbers"),
    "scalar mode": ("convolve", (2.0, 3.0), {"mode": "spam"}, ValueError, "mode flags"),
    "choose dimensions": ("choose_conv_method", (A, LINE), {}, ValueError, "same dimensionality"),
    "lags fraction": ("correlation_lags", (5.0, 2), {}, TypeError, "must be an integer"),
    "ragged": ("convolve", ([[1, 2], [3]], LINE), {}, ValueError, "nested list of equal lengths"),
    "text": ("convolve", ("abc", LINE), {}, TypeError, "must be an array or a nested list of numbers"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_refusals_on_purpose(row):
    name, args, options, kind, words = REFUSED[row]
    with pytest.raises(kind, match=words):
        getattr(arrayconv.signal, name)(*args, **options)


def test_two_libraries_are_refused():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(TypeError, match="one array library"):
        arrayconv.signal.convolve(LINE, torch.ones(3))


UPFIRDN = ("constant", "symmetric", "reflect", "edge", "wrap", "smooth", "line", "antisymmetric", "antireflect")


def upfirdn_bound(h, x, dtype):
    """Bound the difference of two filterings: an extension is no larger than x times the samples it may climb."""
    largest = np.max(np.abs(x.astype(complex)), initial=1) * 2 * (h.size + 3)
    return 4 * (h.size + 4) * eps(np.dtype(dtype).name) * largest * np.sum(np.abs(h.astype(complex)))


@pytest.mark.parametrize("mode", UPFIRDN)
def test_upfirdn_extends_and_resamples(library, mode):
    sizes = [(8, 4), (8, 5), (5, 26), (2, 7), (3, 1)]  # (samples, taps), also far beyond the ends
    rates = [(1, 1), (3, 1), (2, 3), (1, 4), (5, 2)]
    rows = product(sizes, rates, ("float32", "complex128"))
    for (size, taps), (up, down), dtype in thinned(library, rows, mode):
        h, x = random((taps,), "float64" if dtype == "complex128" else dtype, 1), random((size,), dtype)
        expected, y = both(library, "upfirdn", h, x, up, down, mode=mode, cval=0)
        assert_like_scipy(y, expected, upfirdn_bound(h, x, dtype), (mode, size, taps, up, down, dtype))


@pytest.mark.parametrize("mode", ["constant", "wrap", "antireflect", "line"])
def test_upfirdn_filters_any_axis(library, mode):
    h, x = random((5,), "float64", 1), random((3, 4, 6), "float64")
    for axis in (0, 1, 2, -1, -2):
        expected, y = both(library, "upfirdn", h, x, 3, 2, axis, mode)
        assert_like_scipy(y, expected, upfirdn_bound(h, x, "float64"), (mode, axis))


def test_upfirdn_dtypes(library):
    for first, second in thinned(library, [*DTYPES, *ONE_AXIS, ("uint16", "int8"), ("int8", "int8")], ""):
        h, x = random((3,), first, 1), random((6,), second)
        expected, y = both(library, "upfirdn", h, x, 2, 1)
        assert_like_scipy(y, expected, upfirdn_bound(h, x, expected.dtype), (first, second))


@pytest.mark.parametrize("cval", [2.5, -1, np.float32(3), np.nan])
def test_upfirdn_goes_on_with_cval(library, cval):
    h, x = random((4,), "float64", 1), random((5,), "float64")
    expected, y = both(library, "upfirdn", h, x, 2, 3, cval=cval)
    np.testing.assert_allclose(y, expected, rtol=1e-13)


@pytest.mark.parametrize(("taps", "up"), [(2, 1), (3, 1), (7, 2), (3, 2), (1, 5)])
def test_upfirdn_of_nothing(library, taps, up):
    y = library.numpy(arrayconv.signal.upfirdn(library.asarray(np.ones(taps)), library.asarray(np.zeros(0)), up))
    assert y.shape == (max(0, taps - up),)
    for mode in ("wrap", "smooth"):
        if taps > up:
            with pytest.raises(ValueError, match="extends the data"):
                arrayconv.signal.upfirdn(library.asarray(np.ones(taps)), library.asarray(np.zeros(0)), up, mode=mode)


@pytest.mark.parametrize("mode", ["reflect", "antireflect", "smooth", "line"])
def test_upfirdn_continues_a_single_sample_as_a_constant(library, mode):
    y = arrayconv.signal.upfirdn(library.asarray(np.ones(3)), library.asarray(np.array([3.0])), mode=mode)
    assert library.numpy(y).tolist() == [9.0, 9.0, 9.0]


def test_upfirdn_mode_is_case_insensitive():
    np.testing.assert_array_equal(arrayconv.signal.upfirdn([1, 1], [1, 2], mode="Wrap"), [3.0, 3.0, 3.0])


@pytest.mark.parametrize("mode", MODES)
def test_lags_are_those_of_correlate(mode):
    for n, k in product(range(1, 8), repeat=2):
        lags = arrayconv.signal.correlation_lags(n, k, mode)
        data, taps = np.arange(n) + 1j, np.arange(k) + 2j
        expected = [sum(data[i + lag] * taps[i].conj() for i in range(k) if 0 <= i + lag < n) for lag in lags]
        np.testing.assert_allclose(arrayconv.signal.correlate(data, taps, mode), expected)
        if not (mode == "same" and n % 2 and not k % 2):  # SciPy is off by one there
            np.testing.assert_array_equal(lags, scipy.signal.correlation_lags(n, k, mode))
        assert lags.dtype == np.int64


def test_choice_is_the_plans(library):
    choose = arrayconv.signal.choose_conv_method
    assert choose(library.asarray(np.ones(8)), library.asarray(np.ones(3))) == "direct"
    assert choose(library.asarray(np.ones(20000)), library.asarray(np.ones(20000))) == "fft"
    assert choose(library.asarray(np.full(20000, np.nan)), library.asarray(np.ones(20000))) == "fft"  # not of values
    method, times = choose(library.asarray(np.ones(8)), library.asarray(np.ones(3)), measure=True)
    assert method == min(times, key=times.get)
    assert set(times) == {"fft", "direct"}
    assert all(seconds > 0 for seconds in times.values())


@pytest.mark.parametrize("call", CALLS)
def test_nan_stays_in_its_window(library, call):
    name, options = CALLS[call]
    x = random((400,), "float64")
    x[200] = np.nan
    y = library.numpy(getattr(arrayconv.signal, name)(library.asarray(x), library.asarray(np.ones(30)), **options))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(y)), np.arange(200, 230))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("convolve", {"method": "direct"}),
        ("correlate", {"method": "direct"}),
        ("convolve2d", {}),
        ("correlate2d", {}),
        ("upfirdn", {"axis": 0}),
    ],
)
def test_direct_sums_lose_nothing_to_large_neighbours(library, name, options):
    x, k = np.ones((60, 40)), np.ones((25, 1) if library.name == "jax" else (25, 20))
    x[0, 0] = 2.0**52  # a transform would leave its rounding error everywhere
    if name == "upfirdn":
        k, x = np.ones(20 if library.name == "jax" else 400), np.concatenate((x, np.ones((2940, 40))))[:, :2]
        expected, y = both(library, name, k, x, **options)
    else:
        expected, y = both(library, name, x, k, **options)
    np.testing.assert_array_equal(y, expected)


# ------------------------------------------------------------------------------------------------- gradients, tracing


def differentiable(torch):
    """Return functions of two small double tensors."""
    signal = arrayconv.signal
    return {
        "convolve": (signal.convolve, (7,), (3,)),
        "convolve swapped": (signal.convolve, (3,), (7,)),
        "correlate swapped": (lambda a, b: signal.correlate(a, b, "valid"), (3, 2), (4, 5)),
        "fft": (lambda a, b: signal.convolve(a, b, method="fft"), (6,), (4,)),
        "fftconvolve axes": (lambda a, b: signal.fftconvolve(a, b, "same", axes=1), (1, 6), (2, 3)),
        "oaconvolve": (signal.oaconvolve, (40,), (3,)),
        "convolve2d": (lambda a, b: signal.convolve2d(a, b, "same", "symm"), (4, 3), (2, 3)),
        "correlate2d": (lambda a, b: signal.correlate2d(a, b, "full", "wrap"), (3, 3), (2, 4)),
        "upfirdn": (lambda a, b: signal.upfirdn(b, a, 3, 2), (5,), (7,)),
        "upfirdn antireflect": (lambda a, b: signal.upfirdn(b, a, 1, 2, mode="antireflect"), (4,), (9,)),
        "upfirdn line": (lambda a, b: signal.upfirdn(b, a, mode="line"), (4,), (3,)),
    }


@pytest.mark.parametrize("row", differentiable(None))
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_torch_gradients(row, dtype):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    function, first, second = differentiable(torch)[row]
    inputs = [
        torch.tensor(random(shape, dtype, seed), requires_grad=True) for seed, shape in enumerate((first, second))
    ]
    assert function(*inputs).requires_grad
    assert torch.autograd.gradcheck(function, inputs)


@pytest.mark.parametrize("row", differentiable(None))
def test_jax_jits_and_differentiates(row):
    jax = pytest.importorskip("jax", reason="jax is not installed")
    function, first, second = differentiable(None)[row]
    a, b = (jax.numpy.asarray(random(shape, "float64", seed)) for seed, shape in enumerate((first, second)))
    y = function(a, b)
    weights = jax.numpy.asarray(random(y.shape, "float64", 2))

    @jax.jit
    def loss(a, b):
        return jax.numpy.sum(weights * function(a, b))

    np.testing.assert_allclose(jax.jit(function)(a, b), y, atol=1e-12)
    gradients = jax.jit(jax.grad(loss, (0, 1)))(a, b)
    for number, (gradient, shape) in enumerate(zip(gradients, (first, second), strict=True)):
        step = jax.numpy.asarray(random(shape, "float64", 3))
        ahead, behind = ((a + s * step, b) if number == 0 else (a, b + s * step) for s in (1.0, -1.0))
        slope = (loss(*ahead) - loss(*behind)) / 2  # exact up to rounding: bilinear
        np.testing.assert_allclose(np.sum(np.asarray(gradient) * np.asarray(step)), slope, rtol=1e-9, atol=1e-9)


def test_vmap_maps():
    torch, jax = (
        pytest.importorskip("torch", reason="torch is not installed"),
        pytest.importorskip("jax", reason="jax is not installed"),
    )
    x, k = random((3, 6), "float64"), random((4,), "float64", 1)
    for name in ("convolve", "correlate", "fftconvolve", "oaconvolve"):
        function = getattr(arrayconv.signal, name)
        rows = np.stack([getattr(scipy.signal, name)(row, k) for row in x])
        y = jax.vmap(function, (0, None))(jax.numpy.asarray(x), jax.numpy.asarray(k))
        np.testing.assert_allclose(y, rows, atol=bound_of(x, k[None], "float64"))
        y = torch.func.vmap(function, (0, None))(torch.tensor(x), torch.tensor(k))
        np.testing.assert_allclose(y, rows, atol=bound_of(x, k[None], "float64"))
    h, signals = random((5,), "float64", 2), torch.tensor(x)
    y = torch.func.vmap(lambda row: arrayconv.signal.upfirdn(torch.tensor(h), row, 3, 2, mode="antireflect"))(signals)
    np.testing.assert_allclose(y, scipy.signal.upfirdn(h, x, 3, 2, mode="antireflect"), atol=1e-13)


def test_measuring_under_a_trace_is_refused():
    jax = pytest.importorskip("jax", reason="jax is not installed")

    def measured(x):
        arrayconv.signal.choose_conv_method(x, x, measure=True)
        return x

    with pytest.raises(NotImplementedError, match="needs values"):
        jax.jit(measured)(jax.numpy.ones(3))


def test_nothing_is_read_from_the_device():
    """Tensors without values: whatever went by way of NumPy would raise."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, k = torch.ones((300, 40), device="meta"), torch.ones((20, 30), device="meta")
    for name in ("convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d"):
        for mode in MODES:
            assert getattr(arrayconv.signal, name)(x, k, mode).device.type == "meta"
    assert arrayconv.signal.choose_conv_method(x, k) in ("direct", "fft")
    for mode in UPFIRDN:
        assert arrayconv.signal.upfirdn([1.0, 2.0, 3.0], x, 3, 2, mode=mode).device.type == "meta"


def test_jax_without_float64_takes_the_nearest_dtype():
    pytest.importorskip("jax", reason="jax is not installed")
    code = """
        import warnings

        import jax.numpy as jnp

        from arrayconv import signal

        warnings.simplefilter("error")
        x, k = jnp.arange(5), jnp.ones(2)
        assert signal.convolve(x, x).dtype == "int32"
        assert signal.convolve(x, k).dtype == signal.fftconvolve(x, x).dtype == signal.upfirdn(k, x).dtype == "float32"
        assert signal.convolve(x, [1.0, 2.0]).dtype == "float32"
        assert signal.convolve([1, 2], x).dtype == "int32"
        assert signal.correlate(x, [1j]).dtype == "complex64"
        assert signal.fftconvolve(jnp.ones(0), k).dtype == "float32"
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


EMPTIES = [((0,), (3,)), ((3,), (0,)), ((0,), (0,)), ((0, 3), (2, 2)), ((3, 3), (2, 0)), ((0, 0), (0, 0))]


@pytest.mark.filterwarnings("ignore")  # SciPy's of values it casts
@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_empty_inputs_give_scipys_dtype_and_shape(name, mode):
    """Every pair of kinds; where SciPy fails on a pair that it could compute, only its shape or error is left open."""
    for shapes, *dtypes in product(EMPTIES, ("f4", "f8", "c8", "c16", "i4"), ("f4", "f8", "c8", "c16", "i4")):
        operands = [np.ones(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
        try:
            theirs = getattr(scipy.signal, name)(*operands, mode)
        except Exception as error:
            if "cast" not in str(error) and "reduction" not in str(error):  # these are SciPy's way to its methods
                with pytest.raises(type(error)):
                    getattr(arrayconv.signal, name)(*operands, mode)
            continue
        ours = getattr(arrayconv.signal, name)(*operands, mode)
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), (shapes, dtypes)
