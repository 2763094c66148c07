"""Large problems, beyond what the oracle can loop over: methods, shortcuts, borders and blocks agree.

The size past which borders become slabs is lowered, so that 'dot', with its product per output, takes seconds.
"""

import numpy as np
import pytest

import arrayconv
from arrayconv import testing
from arrayconv._algorithms import ALGORITHMS
from arrayconv._problem import partition
from tests.running import by_content

reference, error_bound = by_content(testing.reference), by_content(testing.error_bound)

METHODS = tuple(ALGORITHMS)
# What each row varies: sizes past the limit where borders become slabs, every boundary, long and short kernels.
PROBLEMS = {
    "slabs-2d": ((300, 260), (5, 4), {"boundary": ("reflect", "wrap")}),
    "slabs-stride": ((300, 260), (3, 6), {"boundary": "symmetric", "stride": (2, 3), "dilation": (2, 1)}),
    "slabs-1d": ((70_000,), (33,), {"boundary": "edge"}),
    "slabs-fill": ((300, 260), (5, 5), {"fill_value": 1.5}),
    "many-tiles": ((300, 260), (17, 9), {"boundary": "constant"}),
    "batch": ((40, 3000), (1, 21), {"axes": 1, "boundary": "wrap"}),
    "3d": ((30, 40, 50), (3, 5, 4), {"boundary": ("edge", "constant", "reflect")}),
}


LARGE = 1 << 16  # samples, in place of partition.SMALL


@pytest.fixture(scope="module")
def random():
    return np.random.default_rng(20261122)


@pytest.fixture
def slabs(monkeypatch):
    """Return a function that sets the samples up to which all of x is extended."""

    def set_limit(samples):
        monkeypatch.setattr(partition, "SMALL", samples)
        arrayconv._plan.plan.make.cache_clear()

    yield set_limit
    arrayconv._plan.plan.make.cache_clear()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_methods_agree_with_reference_on_large_problems(name, method, slabs):
    slabs(LARGE)
    shape, taps, options = PROBLEMS[name]
    random = np.random.default_rng(list(name.encode()))  # the same for every method, so that the reference is too
    x, kernel = random.standard_normal(shape), random.standard_normal(taps)
    y = arrayconv.convolve(x, kernel, "same", method=method, **options)
    if name.startswith("slabs-") and ALGORITHMS[method].cuts.slabs and "fill_value" not in options:
        assert arrayconv.explain(x, kernel, "same", method=method, **options).steps > 1
    exact = reference("convolve", x, kernel, "same", **options)
    bound = error_bound("convolve", x, kernel, "same", accuracy=ALGORITHMS[method].accuracy, **options)
    assert y.shape == exact.shape
    assert np.all(np.abs(y - exact) <= bound)


@pytest.mark.parametrize("method", METHODS)
def test_slabs_give_what_whole_extension_gives(method, slabs, random):
    x, kernel = random.integers(-9, 9, (40, 30)), random.integers(-9, 9, (5, 3))
    options = {"boundary": ("wrap", "reflect"), "method": method}
    whole = arrayconv.convolve(x, kernel, **options)
    slabs(0)
    np.testing.assert_array_equal(arrayconv.convolve(x, kernel, **options), whole)
    steps = arrayconv.explain((40, 30), (5, 3), dtype="int64", **options).steps
    assert steps == (5 if ALGORITHMS[method].cuts.slabs else 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("budget", [40_000, 200_000, 3_000_000])
def test_blocks_within_a_budget_give_the_same_integers(budget, method, random):
    x, kernel = random.integers(-99, 99, (3, 120, 90)), random.integers(-99, 99, (2, 3, 5))[:1]
    whole = arrayconv.correlate(x, kernel, "same", axes=(1, 2), boundary="symmetric")
    plan = arrayconv.explain(x, kernel, "same", axes=(1, 2), boundary="symmetric", max_workspace=budget)
    refused = {row.name: row.refusal for row in plan.candidates}[method]
    if refused:
        pytest.skip(refused)
    y = arrayconv.correlate(x, kernel, "same", axes=(1, 2), boundary="symmetric", method=method, max_workspace=budget)
    np.testing.assert_array_equal(y, whole)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("method", ["fft", "overlap_save"])
def test_scipy_transforms_agree_with_numpy_transforms(method, dtype, random):
    x = random.standard_normal((90, 70)).astype(dtype)
    kernel = random.standard_normal((11, 7)).astype(dtype)
    fast = arrayconv.convolve(x, kernel, method=method)
    with arrayconv.config.using(accelerators=set()):
        plain = arrayconv.convolve(x, kernel, method=method)
    assert fast.dtype == plain.dtype == dtype
    bound = testing.error_bound("convolve", x, kernel)
    assert np.all(np.abs(fast - plain) <= 2 * bound)
