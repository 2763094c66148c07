"""Dask arrays whose chunks are CuPy arrays, on the stand-in: chunks stay CuPy arrays, with NumPy's results."""

import cupy
import dask
import dask.array as da
import numpy as np
import pytest

from arrayconv._chunked import strips
from tests.calls import CALLS, filled
from tests.cuda.standin import allowed

RESULTS = 1e-12  # largest difference from NumPy's result, of numbers near 1
# Dask's own functions of elements go through NumPy's protocol for ufuncs, which the stand-in lacks.
LACKING = ("match_template", "match_template-padded")
SUMMED = [name for name in CALLS if name.endswith("_weight")]  # over all chunks: refused


def host_array(sizes):
    return np.random.default_rng(len(sizes)).standard_normal(sizes)


def in_chunks(sizes):
    with allowed():
        x = cupy.asarray(host_array(sizes))
    return da.from_array(x, chunks=tuple(-(-size // 2) for size in sizes), asarray=False)


@pytest.mark.parametrize("least", [1, strips.LEAST_CHUNK], ids=["strips", "whole"])
@pytest.mark.parametrize("name", [name for name in CALLS if name not in (*SUMMED, *LACKING)])
def test_chunks_of_cupy_arrays_have_numpys_results(name, least, monkeypatch):
    monkeypatch.setattr(strips, "LEAST_CHUNK", least)
    monkeypatch.setattr(strips, "LARGEST_SHARE", 1)
    function, arguments, options = CALLS[name]
    each, keywords = filled(arguments, options, in_chunks)
    y = function(*each, **keywords)
    assert isinstance(y._meta, cupy.ndarray)
    with dask.config.set(scheduler="synchronous"), allowed():
        blocks = dask.compute(*y.to_delayed().ravel())
        assert {type(block) for block in blocks} == {cupy.ndarray}
        value = np.empty(y.shape, y.dtype)
        for place, block in zip(np.ndindex(y.numblocks), blocks, strict=True):
            starts = [sum(sizes[:at]) for sizes, at in zip(y.chunks, place, strict=True)]
            index = [slice(start, start + size) for start, size in zip(starts, block.shape, strict=True)]
            value[tuple(index)] = block.get()
    each, keywords = filled(arguments, options, host_array)
    np.testing.assert_allclose(value, function(*each, **keywords), rtol=RESULTS, atol=RESULTS)
