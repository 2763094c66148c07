"""Pieces side by side: the results of pieces one after the other, within the same limit; errors are raised."""

from functools import lru_cache

import numpy as np
import pytest

import arrayconv
from arrayconv import config
from arrayconv._algorithms import Cuts
from arrayconv._arrays.products import product_of_rows
from arrayconv._plan.rank import TABLE
from arrayconv._runtime.threads import parallel_for, usable

SHARING = tuple(name for name, algorithm in TABLE.items() if algorithm.cuts.shares is not Cuts().shares)
PROBLEMS = {
    "image": ((1500, 1200), (5, 4), {"mode": "same"}),
    "reflected": ((1500, 1200), (5, 4), {"mode": "same", "boundary": "reflect"}),
    "cut-both-ways": ((3000, 3100), (3, 3), {}),
    "signal": ((600_000,), (31,), {}),
    "batch": ((40, 30_000), (1, 15), {"axes": (1,), "stride": 2}),
}


IMAGES = (16, 32, 64, 64), (64, 32, 3, 3), {"pattern": "b c h w, o c h w -> b o h w | h w", "padding": "same"}


def candidate(x, kernel, method, options):
    explanation = arrayconv.explain(x, kernel, method=method, **options)
    return next(row for row in explanation.candidates if row.name == method)


@lru_cache(1)  # the arrays are large, and the methods of a problem follow each other
def on_one_thread(name):
    """Return the operands of a problem, and its result by 'direct' in one thread."""
    shape, taps, options = PROBLEMS[name]
    random = np.random.default_rng(0)
    x, kernel = random.standard_normal(shape), random.standard_normal(taps)
    with config.using(threads=1):
        return x, kernel, arrayconv.convolve(x, kernel, method="direct", **options)


@pytest.mark.parametrize("method", SHARING)
@pytest.mark.parametrize("name", PROBLEMS)
def test_pieces_side_by_side_give_the_result(name, method):
    options = PROBLEMS[name][2]
    x, kernel, alone = on_one_thread(name)
    y = arrayconv.convolve(x, kernel, method=method, **options)
    np.testing.assert_allclose(y, alone, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(arrayconv.convolve(x, kernel, method=method, **options), y)
    out = np.full(y.shape, np.nan)
    np.testing.assert_array_equal(arrayconv.convolve(x, kernel, method=method, out=out, **options), y)


@pytest.mark.parametrize("method", SHARING)
def test_a_nan_contaminates_its_windows_on_every_thread(method):
    x, kernel = np.ones((1500, 1200)), np.ones((5, 4))
    places = ((3, 7), (749, 600), (1400, 1199))
    for place in places:
        x[place] = np.nan
    y = arrayconv.convolve(x, kernel, "same", method=method)
    expected = np.zeros(x.shape, bool)
    for row, column in places:
        expected[max(row - 2, 0) : row + 3, max(column - 1, 0) : column + 3] = True
    np.testing.assert_array_equal(np.isnan(y), expected)


@pytest.mark.parametrize(
    ("a", "b"),
    [((2000, 300), (300, 16)), ((3, 2000, 300), (300, 16)), ((2, 700, 300), (2, 300, 16)), ((5, 3), (3, 2))],
)
def test_a_product_of_a_few_rows_at_a_time_is_the_product(a, b):
    random = np.random.default_rng(1)
    a, b = random.standard_normal(a), random.standard_normal(b)
    y = np.full((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), np.nan)
    assert product_of_rows(a, b, y) is y
    np.testing.assert_allclose(y, a @ b, rtol=0, atol=1e-11)


@pytest.mark.parametrize("method", SHARING)
def test_the_sum_of_their_workspaces_stays_within_the_limit(method):
    shape, taps, options = IMAGES if TABLE[method].cuts.tiles_images else PROBLEMS["image"]
    free = candidate(shape, taps, method, options)
    if usable() == 1:
        pytest.skip("one core runs one piece at a time")
    assert free.num_parallel > 1
    limit = free.workspace // 2
    assert candidate(shape, taps, method, {**options, "max_workspace": limit}).workspace <= limit
    with config.using(threads=1):
        assert candidate(shape, taps, method, options).num_parallel == 1


def test_small_problems_run_on_one_thread():
    assert all(row.num_parallel == 1 for row in arrayconv.explain((100, 100), (3, 3)).candidates)


def test_an_error_of_any_piece_is_raised():
    def part(first, stop):
        if stop == 40:
            raise ValueError("the last piece")

    with pytest.raises(ValueError, match="the last piece"):
        parallel_for(part, 40, 2)


def test_an_error_on_a_thread_of_torchs_is_raised():
    pytest.importorskip("torch", reason="torch is not installed, whose threads these are")
    with pytest.raises(ValueError, match="invalid literal"):
        parallel_for(lambda first, stop: int("no part"), 40, 2, on_torchs=True)


def test_float_errors_are_ignored_on_every_thread():
    x = np.full((1500, 1200), 1e300)
    kernel = np.full((3, 3), 1e300)
    with np.errstate(all="raise"):
        y = arrayconv.convolve(x, kernel, "same", method="direct")
    assert np.isinf(y).all()
