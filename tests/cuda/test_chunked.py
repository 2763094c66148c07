"""Dask arrays whose chunks are CuPy arrays, on the stand-in: chunks stay CuPy arrays, with NumPy's results."""

import cupy
import dask
import dask.array as da
import numpy as np
import pytest

import arrayconv
from arrayconv._chunked import strips
from tests.calls import CALLS, QUOTIENTS, filled
from tests.cuda.standin import allowed

RESULTS = 1e-12  # largest difference from NumPy's result, of numbers near 1
EVERY = {**CALLS, **QUOTIENTS}
SUMMED = [name for name in EVERY if name.endswith("_weight")]  # over all chunks: refused


def host_array(sizes):
    return np.random.default_rng(len(sizes)).standard_normal(sizes)


def in_chunks(sizes):
    with allowed():
        x = cupy.asarray(host_array(sizes))
    return da.from_array(x, chunks=tuple(-(-size // 2) for size in sizes), asarray=False)


def compare(y, expected):
    """Compare a Dask array with NumPy's result; its chunks must be CuPy's arrays."""
    assert isinstance(y._meta, cupy.ndarray)
    with dask.config.set(scheduler="synchronous"), allowed():
        blocks = dask.compute(*y.to_delayed().ravel())
        assert {type(block) for block in blocks} == {cupy.ndarray}
        value = np.empty(y.shape, y.dtype)
        for place, block in zip(np.ndindex(y.numblocks), blocks, strict=True):
            starts = [sum(sizes[:at]) for sizes, at in zip(y.chunks, place, strict=True)]
            index = [slice(start, start + size) for start, size in zip(starts, block.shape, strict=True)]
            value[tuple(index)] = block.get()
    np.testing.assert_allclose(value, expected, rtol=RESULTS, atol=RESULTS)


@pytest.mark.parametrize("least", [1, strips.LEAST_CHUNK], ids=["strips", "whole"])
@pytest.mark.parametrize("name", [name for name in EVERY if name not in SUMMED])
def test_chunks_of_cupy_arrays_have_numpys_results(name, least, monkeypatch):
    monkeypatch.setattr(strips, "LEAST_CHUNK", least)
    monkeypatch.setattr(strips, "LARGEST_SHARE", 1)
    function, arguments, options = EVERY[name]
    each, keywords = filled(arguments, options, in_chunks)
    y = function(*each, **keywords)
    each, keywords = filled(arguments, options, host_array)
    compare(y, function(*each, **keywords))


def test_masks_in_chunks_of_cupy_arrays_have_numpys_results():
    x, value, kernel = in_chunks((20, 31)), host_array((20, 31)), [[1.0, 1.0, 1.0]] * 3
    options = {"min_weight": 0.4, "return_weight": True, "fill_value": 1}
    results = arrayconv.normalized_convolve(x, kernel, "same", where=x > 0, **options)
    expected = arrayconv.normalized_convolve(value, kernel, "same", where=value > 0, **options)
    assert np.isnan(expected[0]).any()
    for y, one in zip(results, expected, strict=True):
        compare(y, one)
