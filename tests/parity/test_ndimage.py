"""`arrayconv.ndimage` against `scipy.ndimage` on host copies: values, dtypes, shapes, on every library.

Floats may differ by what two float64 sums and one rounding per pass can: eps times the sums of |taps|. Integers are
equal, but for taps that are no whole numbers where the exact result is within that bound of a whole number.
"""

import inspect
import subprocess
import sys
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from arrayconv import ndimage
from tests.cases import numbers

reference = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")

MODES = ("reflect", "mirror", "nearest", "wrap", "constant", "grid-mirror", "grid-wrap", "grid-constant")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
FLOATS = ("float32", "float64", "complex64", "complex128")
EPS = float(np.finfo("float64").eps)


class Case:
    """One call: a function, its arguments after the input, and what bounds its rounding."""

    def __init__(self, name, *arguments, id, gain, terms, passes=1, **options):
        self.name, self.arguments, self.options, self.id = name, arguments, options, id
        self.gain, self.terms, self.passes = gain, terms, passes  # product of sums of |taps|, most taps, passes

    def __call__(self, module, x, convert=np.asarray, **more):
        arguments = [convert(a) if isinstance(a, np.ndarray) else a for a in self.arguments]
        return getattr(module, self.name)(x, *arguments, **self.options, **more)

    def bound(self, x, y, fill=0.0):
        """Return the largest allowed difference of two results."""
        rounding = float(np.finfo(y.dtype).eps) if y.dtype.kind in "fc" else 0
        parts = 8 if y.dtype.kind == "c" else 1  # SciPy rounds every product of parts by itself
        largest = max(float(np.max(np.abs(x), initial=0)), abs(fill))
        return parts * 2 * self.passes * ((self.terms + 2) * EPS + rounding) * largest * self.gain


def second(x, axis, output, mode, cval, scale, module=None):
    return module.correlate1d(x, [scale, -2 * scale, scale], axis, output, mode, cval)


def first(x, axis, output, mode, cval, module=None):
    return module.sobel(x, axis, output, mode, cval)


RANDOM = np.random.default_rng(0)
SQUARE = RANDOM.integers(-4, 5, (3, 4)).astype(float)
REAL = RANDOM.standard_normal((3, 2))
COMPLEX = REAL + 1j * RANDOM.standard_normal((3, 2))

# Whole taps, or whole sums and one division: integers are equal without exception.
WHOLE = [
    Case("correlate", SQUARE, id="correlate", gain=np.abs(SQUARE).sum(), terms=12),
    Case("convolve", SQUARE, id="convolve", gain=np.abs(SQUARE).sum(), terms=12, mode="mirror"),
    Case("correlate1d", [1, 2, -3], id="correlate1d", gain=6, terms=3, axis=0),
    Case("convolve1d", [1, 2, -3, 4], id="convolve1d", gain=10, terms=4, mode="wrap"),
    Case("uniform_filter1d", 4, id="uniform_filter1d", gain=1, terms=40, axis=0, origin=1),
    Case("uniform_filter", 3, id="uniform_filter", gain=1, terms=40, passes=2, mode=["nearest", "wrap"]),
    Case("uniform_filter", (4, 1), id="uniform_filter-sizes", gain=1, terms=40, origin=(-2, 0), mode="constant"),
    Case("sobel", id="sobel", gain=8, terms=3, passes=2),
    Case("sobel", 0, id="sobel-axis", gain=8, terms=3, passes=2, mode=("constant", "mirror"), cval=2.0),
    Case("prewitt", id="prewitt", gain=6, terms=3, passes=2, axis=0),
    Case("laplace", id="laplace", gain=8, terms=3, passes=2, mode=("reflect", "wrap")),
    Case("laplace", id="laplace-axes", gain=4, terms=3, axes=-1),
    Case("generic_laplace", second, id="generic_laplace", gain=24, terms=3, passes=2, extra_arguments=(3,)),
]
SMOOTH = [
    Case("correlate", REAL, id="correlate-real", gain=np.abs(REAL).sum(), terms=6, origin=(1, -1)),
    Case("correlate1d", [0.23, 0.1, 1.57], id="correlate1d-real", gain=2, terms=3, mode="nearest"),
    Case("gaussian_filter1d", 1.2, id="gaussian_filter1d", gain=1, terms=11),
    Case("gaussian_filter1d", 0.8, id="gaussian_filter1d-order", gain=3, terms=9, axis=0, order=1, truncate=5.0),
    Case("gaussian_filter1d", 1.0, id="gaussian_filter1d-radius", gain=4, terms=5, order=3, radius=2, mode="mirror"),
]
CHAINS = [
    Case("gaussian_filter", 1.5, id="gaussian_filter", gain=1, terms=13, passes=2),
    Case("gaussian_filter", (0, 2), id="gaussian_filter-sigmas", gain=1, terms=17, mode=["wrap", "nearest"]),
    Case("gaussian_filter", 0, id="gaussian_filter-none", gain=1, terms=1),
    Case("gaussian_filter", 1, id="gaussian_filter-orders", gain=4, terms=9, passes=2, order=(1, 2), truncate=3.0),
    Case("gaussian_laplace", 1.1, id="gaussian_laplace", gain=4, terms=11, passes=4, mode=("constant", "reflect")),
    Case("gaussian_laplace", (2, 1), id="gaussian_laplace-axes", gain=4, terms=17, passes=4, axes=(1, 0), radius=3),
]
LENGTHS = [
    Case("gaussian_gradient_magnitude", 1.3, id="gaussian_gradient_magnitude", gain=4, terms=13, passes=6),
    Case("gaussian_gradient_magnitude", (1, 2), id="magnitude-axes", gain=4, terms=17, passes=6, axes=(0,)),
    Case("generic_gradient_magnitude", first, id="generic_gradient_magnitude", gain=16, terms=3, passes=6),
]
ALL = [*WHOLE, *SMOOTH, *CHAINS, *LENGTHS]
each = {"ids": lambda case: case.id}


def data(dtype, shape=(7, 6)):
    """Return numbers of a dtype: all of a byte's range, integers small enough for exact float64 sums."""
    random = np.random.default_rng(list(np.dtype(dtype).name.encode()))
    if np.dtype(dtype) == bool:
        return random.random(shape) < 0.5
    if np.dtype(dtype).kind in "iu" and np.dtype(dtype).itemsize > 1:
        return random.integers(0, 30000, shape).astype(dtype)
    return numbers(random, shape, dtype)


def ours(case, library, x, **more):
    """Return this package's result on the host, having checked that it is the library's own array."""
    options = {**more}
    if case.name.startswith("generic"):
        options["extra_keywords"] = {"module": ndimage}
    array = library.asarray(x)
    y = case(ndimage, array, library.asarray, **options)
    assert type(y) is type(array)
    assert y.shape == array.shape
    return library.numpy(y)


def scipys(case, x, **more):
    """Return SciPy's result, without its warnings about its own arithmetic."""
    if case.name.startswith("generic"):
        more["extra_keywords"] = {"module": reference}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return case(reference, x, **more)


def assert_close(y, expected, bound):
    assert y.dtype == expected.dtype, f"dtype {y.dtype}, but should be {expected.dtype}"
    assert y.shape == expected.shape, f"shape {y.shape}, but should be {expected.shape}"
    worst = np.max(np.abs(y - expected), initial=0)
    assert worst <= bound, f"error {worst:.3g}, but the bound is {bound:.3g}"


def thinned(library, rows, every):
    """Return all rows for NumPy, every so many for others, fewer where each shape is compiled first."""
    return rows[:: {"numpy": 1, "jax": 2 * every}.get(library.name, every)]


# Every function, on every dtype.


@pytest.mark.parametrize("case", ALL, **each)
def test_floats_are_within_the_bound(library, case):
    for dtype in FLOATS if library.name != "jax" else ("float32", "complex128"):
        x = data(dtype)
        expected = scipys(case, x)
        assert_close(ours(case, library, x), expected, case.bound(x, expected, case.options.get("cval", 0)))


@pytest.mark.parametrize("case", WHOLE, **each)
def test_integers_are_equal(library, case):
    for dtype in thinned(library, ["bool", *INTEGERS], every=2):
        x = data(dtype)
        y, expected = ours(case, library, x), scipys(case, x)
        assert y.dtype == expected.dtype
        np.testing.assert_array_equal(y, expected.astype(bool) if dtype == "bool" else expected)


@pytest.mark.parametrize("case", SMOOTH, **each)
def test_cut_integers_are_equal_where_the_cut_is_certain(library, case):
    for dtype in thinned(library, INTEGERS, every=2):
        x = data(dtype)
        y, expected = ours(case, library, x), scipys(case, x)
        exact = scipys(case, x, output="float64")
        assert y.dtype == expected.dtype
        whole = np.round(exact)
        uncertain = (np.abs(exact - whole) <= case.bound(x, exact)) & (whole != 0)
        apart = y.astype(object) - expected.astype(object)
        assert np.all((apart == 0) | uncertain)
        assert np.all(np.isin(apart, [0, 1, -1]) | (y == 0) | (expected == 0))
        assert np.mean(uncertain) < 0.1  # the test says something


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_integer_chains_cut_once_per_pass(library, dtype):
    x = data(dtype)
    chain = library.asarray(x)
    for axis, (sigma, order) in enumerate([(1.5, 1), (0.7, 0)]):
        chain = ndimage.gaussian_filter1d(chain, sigma, axis, order)
    whole = ndimage.gaussian_filter(library.asarray(x), (1.5, 0.7), (1, 0))
    np.testing.assert_array_equal(library.numpy(whole), library.numpy(chain))


@pytest.mark.parametrize("case", [*CHAINS, *LENGTHS], **each)
def test_integer_chains_follow_scipy(library, case):
    # A pass may differ by 1 where its cut is uncertain, and the next one spread it: random data has no such place.
    for dtype in thinned(library, ["int32", "uint16", "int64"], every=2):
        x = data(dtype) // 100  # its squares do not wrap to negative sums, which have no root
        np.testing.assert_array_equal(ours(case, library, x), scipys(case, x))


# The window's position, and the samples beyond the ends.


@pytest.mark.parametrize("function", ["correlate", "convolve", "correlate1d", "convolve1d", "uniform_filter1d"])
def test_sizes_origins_and_modes(library, function):
    x = data("int32", (5,))
    rows = [
        (taps, origin, mode)
        for taps, mode in product((1, 2, 3, 4, 6, 7, 13), MODES)
        for origin in range(-(taps // 2), (taps - 1) // 2 + 1)
    ]
    for taps, origin, mode in thinned(library, rows, every=31):
        argument = taps if function == "uniform_filter1d" else np.arange(1, taps + 1)
        case = Case(function, argument, id="", gain=1, terms=1, origin=origin, mode=mode, cval=7)
        np.testing.assert_array_equal(ours(case, library, x), scipys(case, x), str((taps, origin, mode)))


@pytest.mark.parametrize("axes", [None, 1, (-1,), (0, 2), (2, 0), (2, 1, 0), ()], ids=str)
@pytest.mark.parametrize("function", ["correlate", "convolve", "gaussian_filter", "uniform_filter", "laplace"])
def test_axes(library, function, axes):
    count = 3 if axes is None else 1 if axes == 1 else len(axes)
    x = data("float64", (4, 5, 3))
    options = {"axes": axes}
    if function == "gaussian_filter":
        options |= {"sigma": [0.5, 1, 2][:count], "order": [0, 1, 2][:count], "mode": MODES[:count]}
    elif function == "uniform_filter":
        options |= {"size": [2, 3, 4][:count], "origin": [0, 1, -1][:count], "mode": MODES[1 : count + 1]}
    elif function == "laplace":
        options |= {"mode": MODES[:count]}
    else:
        kernel = RANDOM.standard_normal((2, 3, 4)[:count])
        options |= {"origin": (-1, 0, 1)[:count]}
    arguments = (kernel,) if function in ("correlate", "convolve") else ()
    case = Case(function, *arguments, id="", gain=200, terms=40, passes=3, **options)
    expected = scipys(case, x)
    assert_close(ours(case, library, x), expected, case.bound(x, expected))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (1, 1)], ids=str)
def test_empty_and_single(library, shape):
    x = np.ones(shape)
    for function, *arguments in [("gaussian_filter", 1), ("correlate", np.ones((3,) * len(shape))), ("sobel",)]:
        case = Case(function, *arguments, id="", gain=100, terms=9, mode="mirror")
        assert_close(ours(case, library, x), scipys(case, x), 1e-12)


def test_arrays_without_axes(library):
    x = library.asarray(np.float64(3))
    for y, expected in [
        (ndimage.correlate(x, 2.0), 6),
        (ndimage.gaussian_filter(x, 1), 3),
        (ndimage.laplace(x), 3),
        (ndimage.gaussian_gradient_magnitude(x, 1), 3),
    ]:
        assert y.shape == ()
        assert float(y) == expected


def test_lists_become_numpy_arrays():
    y = ndimage.correlate1d([2, 8, 0, 4, 1, 9, 9, 0], weights=[1, 3])
    assert type(y) is np.ndarray
    assert y.dtype == np.asarray([1]).dtype
    assert y.tolist() == [8, 26, 8, 12, 7, 28, 36, 9]


# Dtypes and outputs.


@pytest.mark.parametrize("kernel", [COMPLEX, REAL], ids=["complex", "real"])
@pytest.mark.parametrize("function", ["correlate", "convolve"])
def test_complex_operands(library, function, kernel):
    for dtype in ("int16", "int32", "float32", "float64", "complex64", "complex128"):
        x = data(dtype)
        if kernel is REAL and x.dtype.kind != "c":
            continue
        fill = 1 - 2j if x.dtype.kind == "c" else 1.5
        gain = np.abs(kernel).sum()
        case = Case(function, kernel, id="", gain=gain, terms=12, mode="constant", cval=fill, origin=(0, -1))
        expected = scipys(case, x)
        assert_close(ours(case, library, x), expected, case.bound(x, expected, fill))


def test_complex_lines_conjugate_in_correlation_only(library):
    x, taps = data("complex128"), COMPLEX[:, 0]
    for function in ("correlate1d", "convolve1d"):
        case = Case(function, taps, id="", gain=np.abs(taps).sum(), terms=6)
        expected = scipys(case, x)
        assert_close(ours(case, library, x), expected, case.bound(x, expected))


def test_output_dtypes(library):
    x = data("int16")
    for name in ("uint8", "int64", "float32", "float64"):
        expected = reference.correlate1d(x, [1, -3], output=np.dtype(name))
        for output in (name, np.dtype(name), getattr(library.xp, name)):
            y = ndimage.correlate1d(library.asarray(x), [1, -3], output=output)
            np.testing.assert_array_equal(library.numpy(y), expected)
            assert library.numpy(y).dtype == name


@pytest.mark.parametrize("python", [int, float, bool], ids=lambda kind: kind.__name__)
def test_output_as_a_python_type(library, python):
    x = data("int16")
    y = library.numpy(ndimage.correlate1d(library.asarray(x), [1, -3], output=python))
    expected = reference.correlate1d(x, [1, -3], output=python)
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(y, expected.astype(y.dtype))


@pytest.mark.without("jax", reason="its arrays are immutable")
def test_output_arrays_are_written_and_returned(library):
    x = data("float32")
    for case, name in product(ALL, ("float64", "float32", "int32")):
        out = library.asarray(np.full(x.shape, 99, dtype=name))
        options = {"extra_keywords": {"module": ndimage}} if case.name.startswith("generic") else {}
        assert case(ndimage, library.asarray(x), library.asarray, output=out, **options) is out
        expected = ours(case, library, x, output=getattr(library.xp, name))
        np.testing.assert_array_equal(library.numpy(out), expected)


@pytest.mark.without("jax", reason="its arrays are immutable")
@pytest.mark.parametrize("case", ALL, **each)
def test_output_may_be_the_input_or_overlap_it(library, case):
    options = {"extra_keywords": {"module": ndimage}} if case.name.startswith("generic") else {}
    whole = library.asarray(data("float64", (8, 6)))
    for source, target in ((whole[1:, :], whole[1:, :]), (whole[1:, :], whole[:-1, :])):
        expected = case(ndimage, library.xp.asarray(source, copy=True), library.asarray, **options)
        y = case(ndimage, source, library.asarray, output=target, **options)
        assert y is target
        np.testing.assert_array_equal(library.numpy(y), library.numpy(expected))


def test_output_of_a_numpy_view_need_not_be_contiguous():
    whole = np.zeros((12, 14))
    x = data("float64", (6, 7))
    ndimage.gaussian_filter(x, 1, output=whole[::2, ::-2])
    np.testing.assert_array_equal(whole[::2, ::-2], ndimage.gaussian_filter(x, 1))
    assert not whole[1::2].any()


def test_floats_that_an_integer_cannot_hold(library):
    x = np.array([-1.5, -200.7, 300.2, 70000.9, 2.0**31 + 5.5, 2.0**32 + 7, -(2.0**31) - 9, 2.0**40 + 3, 1e20, np.nan])
    for name in ("bool", *INTEGERS):
        samples = x[:-2] if name == "uint64" else x  # what is beyond a uint64 differs within SciPy
        with np.errstate(all="ignore"):
            expected = reference.correlate1d(samples, [1.0], output=np.dtype(name))
        y = ndimage.correlate1d(library.asarray(samples), [1.0], output=getattr(library.xp, name))
        np.testing.assert_array_equal(library.numpy(y), expected.astype(bool) if name == "bool" else expected, name)


def test_a_fill_need_not_be_whole(library):
    x = data("int32", (6,))
    for fill in (0.5, np.float32(-2.25), np.nan):
        case = Case("correlate1d", [1, 2, 3], id="", gain=1, terms=1, mode="constant", cval=fill)
        np.testing.assert_array_equal(ours(case, library, x), scipys(case, x))


def test_float32_sums_are_formed_in_double(library):
    x = np.array([1e8, 1, -1e8, 3], dtype="float32")
    y = library.numpy(ndimage.correlate1d(library.asarray(x), [1, 1, 1], mode="wrap"))
    assert y.dtype == np.float32
    assert y.tolist() == reference.correlate1d(x, [1, 1, 1], mode="wrap").tolist()


def test_a_real_dtype_is_promoted_with_a_warning(library):
    x = library.asarray(data("complex128"))
    calls = [
        lambda: ndimage.correlate(x, [[1.0]], output=library.xp.float32),
        lambda: ndimage.convolve1d(x, [1.0], output=library.xp.float32),
        lambda: ndimage.uniform_filter(x, 2, output=library.xp.float32),
        lambda: ndimage.gaussian_filter1d(x, 1, output=library.xp.float32),
    ]
    for call in calls:
        with pytest.warns(UserWarning, match="promoting specified output dtype to complex") as caught:
            assert call().dtype == library.xp.complex64
        assert caught[0].filename == __file__


# Refusals: of SciPy's type, with its phrase, before anything is written.

X = np.arange(12.0).reshape(3, 4)
TWO_AXES = np.ones((2, 2))
REFUSALS = [
    ("correlate", (X, [1, 2]), {}, RuntimeError, r"weights.ndim \(1\) must match len\(axes\) \(2\)"),
    ("correlate", (X, np.ones((0, 2))), {}, RuntimeError, "filter weights array has incorrect shape"),
    ("convolve", (X, np.ones((2, 2, 2))), {"axes": (0, 1)}, RuntimeError, r"weights.ndim \(3\) must match"),
    ("correlate", (X, TWO_AXES), {"origin": (1, 0)}, ValueError, "Invalid origin; origin must satisfy"),
    ("convolve", (X, TWO_AXES), {"origin": 1}, ValueError, "Invalid origin"),
    ("correlate", (X, TWO_AXES), {"origin": (0, 0, 0)}, RuntimeError, "sequence argument must have length equal to"),
    ("correlate", (X, TWO_AXES), {"mode": ["wrap", "wrap"]}, RuntimeError, "A sequence of modes is not supported"),
    ("correlate", (X, TWO_AXES), {"mode": "edge"}, RuntimeError, "boundary mode not supported"),
    ("correlate", (X, TWO_AXES), {"cval": 1j}, TypeError, "must be real number, not complex"),
    ("correlate", (X, TWO_AXES * 1j), {"cval": 1j}, ValueError, "Cannot provide a complex-valued cval when the input"),
    ("correlate", (X, TWO_AXES), {"cval": "a"}, TypeError, "must be real number, not str"),
    ("correlate", (X, TWO_AXES), {"output": "complex128"}, RuntimeError, "array type not supported"),
    ("correlate", (X * 1j, TWO_AXES), {"output": "float64"}, RuntimeError, "output must have complex dtype"),
    ("correlate", (X * 1j, TWO_AXES), {"output": np.zeros((3, 4))}, RuntimeError, "output must have complex dtype"),
    ("correlate", (X, TWO_AXES), {"output": "bool"}, RuntimeError, "output must have numeric dtype"),
    ("correlate", (X, TWO_AXES), {"output": "no such"}, TypeError, "not understood"),
    ("correlate", (X, TWO_AXES), {"output": np.zeros((4, 3))}, RuntimeError, "output shape not correct"),
    ("correlate", (X.astype("float16"), TWO_AXES), {}, RuntimeError, "array type not supported"),
    ("correlate", (X, TWO_AXES), {"output": "float16"}, RuntimeError, "array type not supported"),
    ("correlate1d", (X, []), {}, RuntimeError, "no filter weights given"),
    ("convolve1d", (X, TWO_AXES), {}, RuntimeError, "no filter weights given"),
    ("correlate1d", (X, [1, 2]), {"axis": 2}, np.exceptions.AxisError, "axis 2 is out of bounds for array of dimens"),
    ("convolve1d", (X, [1, 2]), {"origin": -2}, ValueError, "Invalid origin"),
    ("convolve1d", (X, [1, 2, 3]), {"mode": ["wrap"]}, RuntimeError, "boundary mode not supported"),
    ("gaussian_filter1d", (X, 1), {"order": -1}, ValueError, "order must be non-negative"),
    ("gaussian_filter1d", (X, 1), {"radius": -1}, ValueError, "Radius must be a nonnegative integer"),
    ("gaussian_filter1d", (X, 1), {"radius": 1.5}, ValueError, "Radius must be a nonnegative integer"),
    ("gaussian_filter1d", (X, -1), {}, ValueError, "Radius must be a nonnegative integer"),
    ("gaussian_filter", (X, 1), {"radius": [1]}, RuntimeError, "sequence argument must have length equal to input"),
    ("gaussian_filter", (X, [1, 2, 3]), {}, RuntimeError, "sequence argument must have length equal to input rank"),
    ("gaussian_filter", (X, 1), {"axes": (0, -2)}, ValueError, "axes must be unique"),
    ("gaussian_filter", (X, 1), {"axes": (0, 2)}, ValueError, "specified axis: 2 is out of range"),
    ("gaussian_filter", (X, 1), {"axes": 0.5}, TypeError, "cannot be interpreted as an integer"),
    ("gaussian_filter", (X * 1j, 1), {"output": np.float64}, RuntimeError, "output must have complex dtype"),
    ("uniform_filter1d", (X, 0), {}, RuntimeError, "incorrect filter size"),
    ("uniform_filter1d", (X, 3), {"origin": 2}, ValueError, "invalid origin"),
    ("uniform_filter", (X, 3), {"origin": [0, -2]}, ValueError, "invalid origin"),
    ("uniform_filter", (X, 3), {"mode": "edge"}, RuntimeError, "boundary mode not supported"),
    ("sobel", (X,), {"axis": -3}, np.exceptions.AxisError, "axis -3 is out of bounds for array of dimension 2"),
    ("prewitt", (X,), {"mode": ["wrap"]}, RuntimeError, "sequence argument must have length equal to input rank"),
    ("laplace", (X * 1j,), {"output": float}, RuntimeError, "output must have complex dtype"),
    ("gaussian_laplace", (X, [1]), {}, RuntimeError, "sequence argument must have length equal to input rank"),
]


@pytest.mark.parametrize(("function", "arguments", "options", "kind", "phrase"), REFUSALS)
def test_refusals(library, function, arguments, options, kind, phrase):
    with pytest.raises(kind):
        getattr(reference, function)(*arguments, **options)
    if library.name == "jax" and isinstance(options.get("output"), np.ndarray):
        pytest.skip("JAX's arrays are immutable")
    if library.name == "array_api_strict" and arguments[0].dtype == "float16":
        pytest.skip("array-api-strict has no float16")

    def as_operand(value):
        return library.asarray(value) if isinstance(value, np.ndarray) else value

    options = {name: as_operand(value) for name, value in options.items()}
    with pytest.raises(kind, match=phrase) as refusal:
        getattr(ndimage, function)(*map(as_operand, arguments), **options)
    assert str(refusal.value).startswith(f"{function}: ")


@pytest.mark.without("jax", reason="its arrays are immutable")
def test_nothing_is_written_before_a_refusal(library):
    out = library.asarray(np.full((3, 4), 7.0))
    with pytest.raises(RuntimeError, match="boundary mode"):
        ndimage.sobel(library.asarray(X), output=out, mode=("reflect", "edge"))
    assert np.all(library.numpy(out) == 7)


def test_immutable_arrays_are_no_output():
    jnp = pytest.importorskip("jax.numpy", reason="jax is not installed")
    with pytest.raises(TypeError, match="immutable"):
        ndimage.sobel(jnp.ones((3, 3)), output=jnp.ones((3, 3)))


def test_read_only_arrays_are_no_output():
    out = np.zeros(3)
    out.flags.writeable = False
    with pytest.raises(ValueError, match=r"output array is read-only\."):
        ndimage.correlate1d(np.ones(3), [1.0], output=out)


def test_two_libraries_are_refused():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(TypeError, match=r"one array library\. Got torch and numpy"):
        ndimage.correlate(torch.ones(3), np.ones(2))
    with pytest.raises(TypeError, match="must be a numpy array"):
        ndimage.correlate(np.ones(3), [1.0], output=torch.ones(3))


# Gradients and tracing.


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_torch_differentiates(dtype):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = torch.asarray(data(dtype, (4, 5))).requires_grad_()
    w = torch.asarray(COMPLEX if dtype == "complex128" else REAL).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: ndimage.gaussian_filter(x, 1, mode="mirror"), (x,))
    assert torch.autograd.gradcheck(lambda x: ndimage.sobel(x, mode=("wrap", "nearest")), (x,))
    assert torch.autograd.gradcheck(lambda x, w: ndimage.convolve(x, w, mode="constant", cval=2), (x, w))


def test_torch_keeps_the_gradient_of_float32():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = torch.ones(6, requires_grad=True)
    ndimage.uniform_filter1d(x, 3).sum().backward()
    assert x.grad.dtype == torch.float32
    np.testing.assert_allclose(x.grad.numpy(), np.ones(6), rtol=4 * np.finfo("float32").eps)


def test_torch_refuses_an_output_that_would_lose_the_gradient():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(TypeError, match="would lose the gradient"):
        ndimage.sobel(torch.ones((3, 3), requires_grad=True), output=torch.ones(3, 3))


@pytest.mark.parametrize("function", ["gaussian_filter", "sobel", "laplace", "gaussian_laplace", "uniform_filter"])
def test_jax_compiles_and_differentiates(function):
    jax = pytest.importorskip("jax", reason="jax is not installed")
    arguments = (1.0,) if "gaussian" in function else ()
    x = jax.numpy.asarray(data("float64", (5, 6)))

    def call(x):
        return getattr(ndimage, function)(x, *arguments)

    np.testing.assert_allclose(jax.jit(call)(x), call(x), rtol=1e-13, atol=1e-13)
    y = jax.numpy.asarray(data("float64", (5, 6)).T.reshape(5, 6))
    gradient = jax.grad(lambda x: (call(x) * y).sum())(x)
    slope = float((gradient * x).sum())  # the filter is linear: <gradient, x> = <call(x), y>
    assert abs(slope - float((call(x) * y).sum())) <= 1e-12 * float(abs(x).sum() * abs(y).sum())


@pytest.mark.parametrize("case", [*WHOLE[:4], *CHAINS[:1], *LENGTHS[:1]], **each)
def test_jax_compiles_integers(case):
    jax = pytest.importorskip("jax", reason="jax is not installed")
    x = data("uint8")
    y = jax.jit(lambda x: case(ndimage, x, jax.numpy.asarray))(jax.numpy.asarray(x))
    np.testing.assert_array_equal(np.asarray(y), case(ndimage, x))


def test_jax_without_float64_computes_in_float32():
    pytest.importorskip("jax", reason="jax is not installed")
    code = """
import jax.numpy as jnp, numpy as np
from scipy import ndimage as reference
from arrayconv import ndimage
x = np.random.default_rng(0).integers(0, 200, (9, 8))
for dtype in ("float32", "int32", "uint8", "uint32", "bool"):
    given = x.astype(dtype)
    for function, arguments in (("sobel", ()), ("uniform_filter", ()), ("gaussian_filter", (0,))):
        if (dtype, function) == ("uint32", "sobel"):
            continue  # float32 cannot hold what a negative number wraps to
        y = getattr(ndimage, function)(jnp.asarray(given), *arguments)
        expected = getattr(reference, function)(given, *arguments)
        assert y.dtype == dtype, (function, y.dtype, dtype)
        np.testing.assert_allclose(np.asarray(y), expected.astype(dtype), rtol=1e-6, err_msg=function + dtype)
y = ndimage.correlate(jnp.asarray(x.astype("int32")), [[1j]])
assert y.dtype == "complex64"
print("done")
"""
    root = Path(__file__).parents[2]
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout == "done\n"


# What is the same by construction, and what differs on purpose.


@pytest.mark.parametrize("name", ndimage.__all__)
def test_signatures_are_scipy_s(name):
    ours = inspect.signature(getattr(ndimage, name)).parameters.values()
    expected = inspect.signature(getattr(reference, name)).parameters.values()
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in expected]


def test_a_derivative_is_handed_a_dtype(library):
    calls = []

    def derivative(x, axis, output, mode, cval, *more, **options):
        calls.append((axis, output, mode, cval, more, options))
        return ndimage.correlate1d(x, [1, 2], axis, output, mode, cval)

    x = library.asarray(np.ones((2, 3), dtype="float32"))
    out = np.float64 if library.name == "jax" else library.asarray(np.zeros((2, 3)))
    ndimage.generic_laplace(x, derivative, out, ["wrap", "mirror"], 5, (6,), {"seven": 7})
    dtype = library.asarray(np.zeros(1)).dtype
    assert calls == [(0, dtype, "wrap", 5, (6,), {"seven": 7}), (1, dtype, "mirror", 5, (6,), {"seven": 7})]


def test_tiny_weights_count(library):
    x = np.array([1.0, 2, 3, 4])
    y = library.numpy(ndimage.correlate(library.asarray(x), [0, 1e-20, 0]))
    np.testing.assert_allclose(y, 1e-20 * x, rtol=4 * EPS)
    y = library.numpy(ndimage.correlate1d(library.asarray(x), [1e-17, 2e-17, 3e-17], mode="wrap"))
    np.testing.assert_allclose(y, 1e17**-1 * np.array([12, 14, 20, 14]), rtol=8 * EPS)


def test_nan_reaches_only_the_windows_that_contain_it(library):
    x = np.ones(16)
    x[5] = np.nan
    for call in (lambda x: ndimage.uniform_filter1d(x, 3), lambda x: ndimage.correlate(x, [0, 1, 0])):
        y = library.numpy(call(library.asarray(x)))
        assert np.flatnonzero(np.isnan(y)).tolist() == [4, 5, 6]
        np.testing.assert_array_equal(y[[0, 3, 7, 15]], 1)


@pytest.mark.parametrize("sigma", [0.5, 1, 1.2, 2.5, 3, 7, 10])
def test_flat_integers_survive_a_gaussian(library, sigma):
    levels = np.repeat(np.arange(256, dtype="uint8")[:, None], 3, axis=1)
    y = library.numpy(ndimage.gaussian_filter1d(library.asarray(levels), sigma))
    np.testing.assert_array_equal(y, levels)


@pytest.mark.parametrize("size", [3, 10, 49])  # 49 * (1 / 49) < 1, which is how XLA divides
def test_flat_integers_survive_a_mean(library, size):
    levels = np.repeat(np.arange(256, dtype="uint8")[:, None], 3, axis=1)
    y = library.numpy(ndimage.uniform_filter1d(library.asarray(levels), size))
    np.testing.assert_array_equal(y, levels)
    np.testing.assert_array_equal(y, reference.uniform_filter1d(levels, size))


def test_a_sigma_of_zero_is_a_value_error(library):
    with pytest.raises(ValueError, match="sigma"):
        ndimage.gaussian_filter1d(library.asarray(np.ones(3)), 0)
