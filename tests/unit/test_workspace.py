"""Allocations of a call stay within the formula, and so within max_workspace; refusals name a limit that works."""

import re
import tracemalloc

import numpy as np
import pytest

import arrayconv
from arrayconv._algorithms import ALGORITHMS
from arrayconv._plan.rank import TABLE

PROBLEMS = {
    "image": ((300, 250), (7, 5), {"boundary": "reflect"}),
    "signal": ((100_000,), (65,), {}),
    "large-kernel": ((100, 100), (41, 41), {"boundary": "wrap"}),
    "strided": ((250, 250), (9, 9), {"stride": 3, "dilation": 2}),
}
SLACK = 64 * 1024  # plans, views and Python's own objects


def peak(call):
    """Return the peak bytes of a call without its result; NumPy reports its arrays to tracemalloc."""
    call()  # plans are cached, modules imported
    tracemalloc.start()
    try:
        result = call()
        return tracemalloc.get_traced_memory()[1] - result.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int32"])
@pytest.mark.parametrize("method", ALGORITHMS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_allocated_bytes_stay_within_the_formula(name, method, dtype):
    shape, taps, options = PROBLEMS[name]
    x, kernel = np.ones(shape, dtype), np.ones(taps, dtype)
    with arrayconv.config.using(accelerators=set()):  # tracemalloc counts only a part of what SciPy allocates
        plan = arrayconv.explain(x, kernel, "same", method=method, **options)
        used = peak(lambda: arrayconv.convolve(x, kernel, "same", method=method, **options))
    assert used <= plan.workspace + SLACK


@pytest.mark.parametrize("method", ALGORITHMS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_max_workspace_is_honoured(name, method):
    shape, taps, options = PROBLEMS[name]
    x, kernel = np.ones(shape, "float32"), np.ones(taps, "float32")
    budget = 1 << 20
    used = peak(lambda: arrayconv.convolve(x, kernel, "same", method=method, max_workspace=budget, **options))
    assert used <= budget + SLACK


@pytest.mark.parametrize("method", ALGORITHMS)
def test_the_result_is_contiguous_and_keeps_no_larger_buffer(method):
    x, kernel = np.ones((40, 30)), np.ones((5, 3))
    for mode in ("full", "same", "valid"):
        y = arrayconv.convolve(x, kernel, mode, method=method)
        assert y.flags.c_contiguous
        assert y.base is None or y.base.nbytes == y.nbytes


@pytest.mark.parametrize("method", TABLE)
def test_a_cap_below_any_piece_is_refused_with_the_bytes_that_run(method):
    x, kernel = np.arange(60.0), np.ones(5)
    row = next(row for row in arrayconv.explain(x, kernel, "same").candidates if row.name == method)
    if row.refusal is not None:
        pytest.skip(row.refusal)
    with pytest.raises(ValueError, match=r"^convolve: `max_workspace` is too small .* Got 1 bytes") as refusal:
        arrayconv.convolve(x, kernel, "same", method=method, max_workspace=1)
    least = int(re.findall(r"needs (\d+) bytes", str(refusal.value))[-1])
    y = arrayconv.convolve(x, kernel, "same", method=method, max_workspace=least)
    np.testing.assert_allclose(y, np.convolve(x, kernel, "same"), rtol=1e-12)


def test_auto_is_refused_with_the_bytes_of_every_method():
    x, kernel = np.arange(60.0), np.ones(5)
    rows = arrayconv.explain(x, kernel, "same").candidates
    with pytest.raises(ValueError, match="Got 1 bytes") as refusal:
        arrayconv.convolve(x, kernel, "same", max_workspace=1)
    for row in rows:
        if row.refusal is None:
            assert re.search(rf"{row.name}: its smallest piece needs \d+ bytes", str(refusal.value)), row.name


@pytest.mark.parametrize("method", ["direct", "fft", "overlap_save"])
def test_one_prepared_kernel_is_held_at_a_time(method):
    x, kernel = np.ones((40, 60, 60)), np.ones((40, 9, 9))  # a kernel for every group
    options = {"axes": (1, 2), "method": method}
    budget = arrayconv.explain(x, kernel, "same", **options).workspace // 8
    used = peak(lambda: arrayconv.convolve(x, kernel, "same", max_workspace=budget, **options))
    assert used <= budget + SLACK


def test_labels_that_are_summed_away_count():
    x, kernel = np.ones((100, 50, 40), "float16"), np.ones((3, 3), "float16")
    pattern = "s h w, h w -> h w | h w"
    cast = 4 * x.size
    used = peak(lambda: arrayconv.einconv(pattern, x, kernel, max_workspace=2 * cast))
    assert cast <= used <= 2 * cast
    with pytest.raises(ValueError, match=r"must exceed the \d+ bytes that reordering the axes takes"):
        arrayconv.einconv(pattern, x, kernel, max_workspace=cast)
