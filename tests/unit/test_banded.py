"""`banded` as one call on NumPy arrays, in chunks and as strips in one block; `dot` by blocks of one axis."""

import numpy as np
import pytest

import arrayconv
from arrayconv import config
from arrayconv._algorithms import ALGORITHMS, Context
from arrayconv._algorithms.banded.bands import bands_of
from arrayconv._algorithms.banded.matrix import band_matrices
from arrayconv._arrays.operands import operands as canonical_operands
from arrayconv._calls import cache
from arrayconv._problem.spec import Axis, Spec
from tests import running
from tests.conftest import make_library

random = np.random.default_rng(11)

SIZES = {  # x, kernel
    "one-output-row": ((7,), (3,)),
    "as-long-as-x": ((40,), (40,)),
    "longer-than-x": ((9,), (30,)),
    "even": ((1000,), (64,)),
    "many-rows-of-samples": ((5000,), (301,)),
    "in-chunks": ((300_000,), (33,)),
    "a-chunk-and-a-row": ((131_072 * 2 + 17,), (15,)),
    "image": ((40, 70), (5, 3)),
    "one-row": ((1, 90), (1, 9)),
    "one-column": ((90, 1), (9, 1)),
    "few-columns": ((60, 5), (3, 4)),
    "even-image": ((33, 64), (4, 6)),
    "kernel-larger": ((12, 14), (15, 17)),
}
DTYPES = ("float32", "float64", "complex64", "complex128")


def operands(sizes, dtype):
    arrays = []
    for shape in sizes:
        values = random.standard_normal(shape)
        arrays.append((values + 1j * random.standard_normal(shape) if "complex" in dtype else values).astype(dtype))
    return arrays


def assert_close(y, expected):
    eps = np.finfo(expected.dtype).eps
    np.testing.assert_allclose(y, expected, rtol=0, atol=300 * eps * np.max(np.abs(expected)))


@pytest.mark.parametrize("function", [arrayconv.convolve, arrayconv.correlate])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SIZES)
def test_the_single_call_equals_direct(name, dtype, mode, function):
    x, kernel = operands(SIZES[name], dtype)
    if mode == "valid" and any(k > n for n, k in zip(x.shape, kernel.shape, strict=True)):
        pytest.skip("a valid correlation does not fit")
    expected = function(x, kernel, mode, method="direct")
    for _ in range(2):
        assert_close(function(x, kernel, mode, method="banded"), expected)


@pytest.mark.parametrize("name", SIZES)
def test_a_bound_call_gives_the_bits_of_the_plan(name):
    x, kernel = operands(SIZES[name], "float64")
    cache._calls.clear()
    first = arrayconv.convolve(x, kernel, "same", method="banded")
    np.testing.assert_array_equal(running.bound(x, kernel), first)
    np.testing.assert_array_equal(running.by_the_engine(x, kernel), first)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["x", "kernel"])
@pytest.mark.parametrize("name", ["even", "in-chunks", "image"])
def test_non_finite_numbers_contaminate_their_windows_and_no_more(name, where, bad):
    x, kernel = operands(SIZES[name], "float64")
    place = tuple(n // 2 for n in (x if where == "x" else kernel).shape)
    (x if where == "x" else kernel)[place] = bad
    with np.errstate(invalid="ignore"):
        expected = arrayconv.convolve(x, kernel, "same", method="direct")
    for _ in range(2):
        y = arrayconv.convolve(x, kernel, "same", method="banded")
        np.testing.assert_array_equal(np.isfinite(y), np.isfinite(expected))
        finite = np.isfinite(expected)
        if finite.any():
            assert_close(y[finite], expected[finite])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("lines", "taps"), [((5, 40), 3), ((70, 4096), 31), ((3, 7), 7), ((2, 200_000), 5)])
def test_lines_of_a_batch_are_one_product(lines, taps, mode, dtype):
    x, kernel = operands((lines, (taps,)), dtype)
    expected = arrayconv.convolve(x, kernel, mode, axes=(-1,), method="direct")
    assert_close(arrayconv.convolve(x, kernel, mode, axes=(-1,), method="banded"), expected)
    x[1, 2] = np.nan
    y = arrayconv.convolve(x, kernel, mode, axes=(-1,), method="banded")
    expected = arrayconv.convolve(x, kernel, mode, axes=(-1,), method="direct")
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))


@pytest.mark.parametrize("large", [1e30, 1e38])
def test_large_numbers_stay_as_far_as_the_definition_does(large):
    x, kernel = np.full(100, large, np.float32), np.array([0.5, 0.25, 0.25], np.float32)
    np.testing.assert_allclose(arrayconv.convolve(x, kernel, "valid", method="banded"), np.full(98, large), rtol=1e-6)


@pytest.mark.parametrize("layout", ["transposed", "reversed", "every-other", "read-only"])
def test_any_layout_in_memory_is_read(layout):
    x, kernel = operands(((60, 80), (5, 5)), "float64")
    view = {"transposed": x.T, "reversed": x[::-1], "every-other": x[:, ::2], "read-only": x}[layout]
    view.flags.writeable = layout != "read-only"
    before = view.copy()
    for _ in range(2):
        assert_close(
            arrayconv.convolve(view, kernel, "same", method="banded"),
            arrayconv.convolve(before, kernel, "same", method="direct"),
        )
    np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize("shape", [(3, 20, 30), (2, 3, 9, 40), (1, 12, 11, 30)])
def test_strips_in_one_block_or_several_equal_direct(shape):
    for axes in ((-2, -1), (-3, -2, -1)):
        x, kernel = operands((shape, (3, 4, 5)[-len(axes) :]), "float64")
        expected = arrayconv.convolve(x, kernel, "same", axes=axes, method="direct")
        assert_close(arrayconv.convolve(x, kernel, "same", axes=axes, method="banded"), expected)


@pytest.mark.parametrize("boundary", ["edge", "symmetric", "wrap"])
def test_other_boundaries_are_slabs_and_not_copies_of_x(boundary):
    x, kernel = operands(((1200, 1000), (5, 5)), "float32")
    explanation = arrayconv.explain(x, kernel, "same", boundary=boundary, method="banded")
    assert explanation.steps > 1
    expected = arrayconv.convolve(x, kernel, "same", boundary=boundary, method="direct")
    assert_close(arrayconv.convolve(x, kernel, "same", boundary=boundary, method="banded"), expected)


@pytest.mark.parametrize("outputs", [2, 63, 64, 65, 129, 300])
@pytest.mark.parametrize("taps", [64, 65, 127, 128, 1000])
@pytest.mark.parametrize("dtype", [*DTYPES, "int32"])
def test_blocks_of_one_axis_equal_direct(outputs, taps, dtype):
    if dtype == "int32":
        x, kernel = random.integers(-99, 99, outputs + taps - 1), random.integers(-99, 99, taps)
        x, kernel = x.astype(dtype), kernel.astype(dtype)
    else:
        x, kernel = operands(((outputs + taps - 1,), (taps,)), dtype)
    y = arrayconv.correlate(x, kernel, "valid", method="dot")
    expected = arrayconv.correlate(x, kernel, "valid", method="direct")
    if dtype == "int32":
        np.testing.assert_array_equal(y, expected)
    else:
        assert_close(y, expected)


@pytest.mark.parametrize("taps", [64, 100, 500])
def test_blocks_slice_no_further_than_the_standard_allows(taps):
    strict = make_library("array_api_strict")
    x, kernel = operands(((taps + 130,), (taps,)), "float64")
    y = arrayconv.correlate(strict.asarray(x), strict.asarray(kernel), "valid", method="dot")
    assert_close(strict.numpy(y), arrayconv.correlate(x, kernel, "valid", method="direct"))


@pytest.mark.parametrize("where", ["x", "kernel"])
def test_blocks_contain_non_finite_numbers(where):
    x, kernel = operands(((400,), (200,)), "float64")
    (x if where == "x" else kernel)[50] = np.nan
    with np.errstate(invalid="ignore"):
        expected = arrayconv.correlate(x, kernel, "valid", method="direct")
        y = arrayconv.correlate(x, kernel, "valid", method="dot")
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("lead", [(), (5,), (2, 3)])
def test_band_matrices_hold_each_tap_at_stride_and_dilation(lead, stride, dilation):
    axes = tuple(Axis(40, taps, 10, stride, dilation) for taps in (*lead, 4))
    spec = Spec(1, 2, 3, 2, axes)
    kernel = random.integers(1, 100, spec.kernel_shape).astype("float64")
    xp = make_library("numpy").xp
    context = Context(xp, "cpu", canonical_operands("convolve", kernel, kernel).traits, None)
    bands, matrices = bands_of(spec), band_matrices(kernel, spec, context)
    height = 1 if len(axes) == 1 else bands.height
    span = bands.height * bands.span if len(axes) == 1 else bands.span
    taps = list(np.ndindex(*(axis.taps for axis in axes[:-2])))
    bands_by_tap = np.stack(matrices)  # for channels and leading taps, or the rows of samples of one axis
    bands_by_tap = bands_by_tap.reshape(3, len(taps), -1, 2, *bands_by_tap.shape[-2:])
    bands_by_tap = np.moveaxis(bands_by_tap, 3, 2).reshape(3, len(taps), 2, height, span, 2, bands.width)
    for c, t, g, o, j in np.ndindex(3, len(taps), 2, 2, bands.width):
        expected = np.zeros((height, span))
        rows = kernel[(g, o, c, *taps[t])].reshape(-1, 4)
        expected[: dilation * len(rows) : dilation, stride * j : stride * j + 3 * dilation + 1 : dilation] = rows
        np.testing.assert_array_equal(bands_by_tap[c, t, g, :, :, o, j], expected)


def test_methods_that_extend_zeros_have_no_slabs_for_them():
    assert "zero" in ALGORITHMS["banded"].cuts.extends
    with config.using(accelerators=set()):
        assert arrayconv.explain((2000, 500), (3, 3), "same", method="banded", dtype="float32").steps <= 4
