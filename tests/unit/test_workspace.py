"""What a call really allocates stays within the formula, and so within max_workspace."""

import tracemalloc

import numpy as np
import pytest

import arrayconv
from arrayconv._algorithms import ALGORITHMS

PROBLEMS = {
    "image": ((300, 250), (7, 5), {"boundary": "reflect"}),
    "signal": ((100_000,), (65,), {}),
    "large-kernel": ((100, 100), (41, 41), {"boundary": "wrap"}),
    "strided": ((250, 250), (9, 9), {"stride": 3, "dilation": 2}),
}
SLACK = 64 * 1024  # plans, views and Python's own objects


def peak(call):
    """Return the bytes a call holds at most, beyond what it returns; NumPy reports its arrays to tracemalloc."""
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
    with arrayconv.config.using(accelerators=set()):  # SciPy allocates where tracemalloc sees only a part
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
