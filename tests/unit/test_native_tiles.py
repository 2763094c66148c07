"""The compiled register tiles agree with the definition in every pass, at every boundary, in any memory."""

from itertools import product

import numpy as np
import pytest

import arrayconv
from arrayconv._accel.native import tiles as shared
from arrayconv._calls import cache
from arrayconv._costs import parallel
from arrayconv._problem.boundary import BOUNDARIES
from tests import cases, running
from tests.conftest import make_library
from tests.unit.test_native_loops import MEMORY, needs_code

pytestmark = [pytest.mark.usefixtures("ends"), needs_code]


@pytest.fixture
def method():
    return "native_tiles"


def agrees(x, w, spec, dtype, method, fill=0):
    running.assert_definition(make_library("numpy"), x, w, spec, dtype, method, fill)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 11])
@pytest.mark.parametrize("columns", [1, 2, 3, 4, 7])
def test_every_pass_equals_the_definition(rows, columns, dtype, method):
    spec = cases.spec(cases.axis(rows + 7, rows), cases.axis(columns + 3, columns))
    agrees(*cases.operands(spec, dtype), spec, dtype, method)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("height", [1, 5, 6, 7, 13])
@pytest.mark.parametrize("width", [1, 8, 15, 16, 17, 40])
def test_rows_and_columns_left_over_are_written_once(height, width, dtype, method):
    spec = cases.spec(cases.axis(height, 3, height, before=1), cases.axis(width, 2, width, before=1))
    agrees(*cases.operands(spec, dtype), spec, dtype, method)


@pytest.mark.parametrize(("first", "second"), [*product(BOUNDARIES, BOUNDARIES)])
def test_every_boundary_is_followed_inside(first, second, method):
    spec = cases.spec(cases.axis(4, 3, 11, before=5, boundary=first), cases.axis(3, 4, 12, before=4, boundary=second))
    agrees(*cases.operands(spec, "float64"), spec, "float64", method, fill=2.5)


SPECS = {
    "planes": cases.spec(
        cases.axis(4, 3, 5, before=2, stride=1), cases.axis(7, 3, 7, before=1), cases.axis(6, 2, 6), channels=2
    ),
    "leading-stride": cases.spec(cases.axis(9, 2, stride=3, dilation=2), cases.axis(8, 3), cases.axis(6, 3)),
    "leading-wrap": cases.spec(cases.axis(3, 3, 5, before=2, boundary="wrap"), cases.axis(8, 3), cases.axis(6, 3)),
    "groups": cases.spec(cases.axis(8, 3), cases.axis(9, 2), channels=2, filters=3, groups=2, batch=2),
    "strides": cases.spec(cases.axis(19, 3, 9, before=1, stride=2), cases.axis(30, 4, 10, before=2, stride=3)),
    "column-dilation": cases.spec(cases.axis(8, 3), cases.axis(19, 4, 19, dilation=3, before=4)),
    "beyond": cases.spec(cases.axis(4, 3, 4, before=9), cases.axis(9, 3, 3, before=-2)),
    "upsampled": cases.spec(cases.axis(5, 4, 9, upsample=2, before=2), cases.axis(6, 3, 11, upsample=2, before=1)),
}


@pytest.mark.parametrize("fill", [0, -1.5])
@pytest.mark.parametrize("name", SPECS)
def test_counts_and_axes_equal_the_definition(name, fill, method):
    agrees(*cases.operands(SPECS[name], "float64"), SPECS[name], "float64", method, fill)


@pytest.mark.parametrize("lie", MEMORY)
def test_any_memory_layout_is_read_in_place_or_copied(lie, method):
    spec = cases.spec(cases.axis(7, 3, 7, before=1), cases.axis(9, 2), batch=3)
    x, w = cases.operands(spec, "float32")
    agrees(MEMORY[lie](x), w, spec, "float32", method)


def test_blocks_of_a_large_array_shared_by_threads(monkeypatch, method):
    monkeypatch.setattr(shared, "_BLOCK_ROWS", 12)
    monkeypatch.setattr(shared, "_BLOCK_BYTES", 64)
    monkeypatch.setattr(shared, "threads_of", lambda spec, traits: parallel.Threads(2, 2))
    shared.job.cache_clear()
    spec = cases.spec(cases.axis(40, 3, 40, before=1), cases.axis(50, 4, 50, before=2, boundary="reflect"), batch=2)
    try:
        agrees(*cases.operands(spec, "float64"), spec, "float64", method)
    finally:
        shared.job.cache_clear()


@pytest.fixture
def short_ways(monkeypatch):
    """Make the cache's ways short, so that rows of few samples conflict and are copied."""
    monkeypatch.setattr(shared, "_WAY", 64)
    monkeypatch.setattr(shared, "_FEW_LINES", 1)
    monkeypatch.setattr(shared, "_BLOCK_ROWS", 12)
    monkeypatch.setattr(shared, "_BLOCK_BYTES", 128)
    shared.job.cache_clear()
    yield
    shared.job.cache_clear()


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("dtype", "width"), [("float32", 48), ("float64", 40)])
def test_rows_that_conflict_in_the_cache_are_copied(dtype, width, boundary, method, short_ways):
    rows = cases.axis(50, 5, 50, before=2, boundary=boundary)
    spec = cases.spec(rows, cases.axis(width, 4, width, before=2, boundary=boundary), batch=2)
    agrees(*cases.operands(spec, dtype), spec, dtype, method, fill=0.5)


@pytest.mark.parametrize(
    ("itemsize", "step", "taps", "copies"),
    [(8, 512, 4, 1), (4, 2048, 9, 1), (8, 512, 3, 0), (8, 520, 9, 0), (4, 512, 9, 0)],
)
def test_rows_are_copied_where_they_would_evict_each_other(itemsize, step, taps, copies):
    spec = cases.spec(cases.axis(500, taps), cases.axis(step, 5))
    sizes = spec.output_size
    head, table, _, _, row_cuts, _ = shared.job(spec, (0, 0, 0, step, 1), (0, 0, 0, sizes[1], 1), 0, 0, itemsize).parts
    assert table.copies == copies
    assert head.copy_row * itemsize // 64 % 2 == 1
    assert head.copy_size == max(np.diff(row_cuts) + taps - 1) * head.copy_row


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("step", [1, 2, -1])
def test_the_result_is_written_to_out_of_any_step(step, stride, method):
    x, w = np.random.default_rng(0).standard_normal((2, 9, 9)), np.random.default_rng(1).standard_normal((3, 3))
    into = np.full((2, 7, 16), np.nan)[:, ::stride, ::step][..., : (7, 4)[stride - 1]]
    options = {"mode": "valid", "axes": (1, 2), "stride": stride}
    y = arrayconv.correlate(x, w, method=method, out=into, **options)
    assert y is into
    np.testing.assert_allclose(y, arrayconv.correlate(x, w, method="direct", **options))


def test_a_nan_reaches_only_the_outputs_whose_window_holds_it(method):
    running.assert_contains_nan(method)


@pytest.mark.parametrize("shape", [(1, 2), (30, 40), (64, 1)])
@pytest.mark.parametrize("function", [arrayconv.convolve, arrayconv.correlate])
@pytest.mark.parametrize("fill", [0, 3])
def test_repeated_calls_give_the_same_bits(function, shape, fill, monkeypatch, method):
    """Later calls are bound, to contiguous memory and to any other."""
    cache._calls.clear()
    random = np.random.default_rng(0)
    x, w = random.standard_normal(shape), random.standard_normal((3, 4))
    options = {"mode": "same", "method": method, "fill_value": fill}
    first = function(x, w, **options)
    assert running.bound(x, w) is not None
    np.testing.assert_array_equal(function(x, w, **options), first)
    np.testing.assert_array_equal(function(np.asfortranarray(x), w, **options), first)
    np.testing.assert_allclose(first, function(x, w, **{**options, "method": "direct"}), rtol=1e-12, atol=1e-12)


def test_a_repeated_call_on_a_part_of_the_array_gives_that_part(monkeypatch, method):
    cache._calls.clear()
    x, w = np.random.default_rng(0).standard_normal((9, 30, 40)), np.ones((2, 3, 3))
    for _ in range(3):
        y = arrayconv.convolve(x, w, "valid", stride=(3, 1, 1), method=method)
        np.testing.assert_allclose(y, arrayconv.convolve(x, w, "valid", method="direct")[::3], rtol=1e-12, atol=1e-12)
        y = arrayconv.correlate(x, w, lags=2, method=method)
        expected = arrayconv.correlate(x, w, lags=2, method="direct")
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


REFUSALS = {
    "it sums in float32 or float64. Got int64": ((9, 9), (3, 3), {"dtype": "int64"}),
    "it supports two convolved axes or more. Got 1": ((9,), (3,), {"dtype": "float32"}),
    "it supports dilation 1 on the last axis but one. Got dilation 2": ((9, 9), (3, 3), {"dilation": 2}),
    "it supports numpy arrays": ((9, 9), (3, 3), {"like": "array_api_strict"}),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_refusals_say_why(reason, method):
    x, kernel, options = REFUSALS[reason]
    if options.get("like") == "array_api_strict":
        pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    rows = {row.name: row.refusal for row in arrayconv.explain(x, kernel, **options).candidates}
    assert (rows[method] or "").startswith(reason)
