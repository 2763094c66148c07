"""Graphs of calls on Dask arrays: their size, what their tasks hold, names, meta, and what is refused."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest

import arrayconv
from arrayconv import config, ndimage, nn
from tests.calls import CALLS, filled

ROOT = Path(__file__).parents[2]
X = da.from_array(np.arange(120.0).reshape(12, 10), chunks=(4, 5))
KERNEL = np.ones((3, 3))
SUMMED = [name for name in CALLS if name.endswith("_weight")]  # over all chunks: refused


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def tasks(y):
    """Return the tasks of the last layer of a graph, by key."""
    return dict(y.dask.layers[y.name])


def host_array(sizes):
    return np.random.default_rng(len(sizes)).standard_normal(sizes)


def in_chunks(sizes):
    return da.from_array(host_array(sizes), chunks=tuple(-(-size // 2) for size in sizes))


@pytest.mark.parametrize("name", [name for name in CALLS if name not in SUMMED])
def test_every_door_is_lazy(name):
    function, arguments, options = CALLS[name]

    def computed(*_, **__):
        raise AssertionError("something was computed")

    each, keywords = filled(arguments, options, in_chunks)
    with dask.config.set(scheduler=computed):
        y = function(*each, **keywords)
    assert isinstance(y, da.Array)
    each, keywords = filled(arguments, options, host_array)
    expected = function(*each, **keywords)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(y.compute(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", SUMMED)
def test_gradients_of_weights_are_refused(name):
    function, arguments, options = CALLS[name]
    each, keywords = filled(arguments, options, in_chunks)
    with pytest.raises(NotImplementedError, match=r"sums over all chunks of a Dask array"):
        function(*each, **keywords)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: arrayconv.convolve(x, np.ones(5), "same", boundary="reflect"),
        lambda x: arrayconv.Convolver(np.ones(5), "full")(x),
        lambda x: ndimage.gaussian_filter(x, 1.0),
    ],
    ids=["convolve", "Convolver", "gaussian_filter"],
)
def test_a_graph_has_one_task_per_chunk(call):
    for count in (10, 100, 1000):
        y = call(da.zeros(20 * count, chunks=20))
        assert len(tasks(y)) == count
        assert sum(map(len, y.dask.layers.values())) <= 2 * count + 2  # x, the kernel, the result
        assert max(len(task.dependencies) for task in tasks(y).values()) <= 4  # neighbours and the kernel


def test_a_kernel_longer_than_chunks_joins_several():
    y = arrayconv.convolve(da.zeros(200, chunks=5), np.ones(41), "same")
    assert y.chunks == ((5,) * 40,)
    assert {len(task.dependencies) for task in tasks(y).values()} >= {10}  # 45 samples in 9 chunks, and the kernel
    assert max(len(task.dependencies) for task in tasks(y).values()) == 10


def test_chunks_are_kept_where_the_shape_is():
    for options in ({"mode": "same"}, {"mode": "same", "boundary": "wrap"}):
        assert arrayconv.convolve(X, KERNEL, **options).chunks == X.chunks
    assert ndimage.sobel(X).chunks == X.chunks
    assert arrayconv.convolve(X, KERNEL).chunks == ((5, 4, 5), (6, 6))
    assert arrayconv.convolve(X, KERNEL, "valid").chunks == ((3, 4, 3), (4, 4))
    assert arrayconv.convolve(X, KERNEL, "same", stride=2).chunks == ((2, 2, 2), (3, 2))


def test_a_part_of_the_result_needs_the_chunks_under_its_windows_alone():
    blocks = []

    def noted(block, block_info=None):
        blocks.append(block_info[0]["chunk-location"])
        return block

    x = da.zeros(1000, chunks=10).map_blocks(noted, dtype=float, meta=np.empty(0))
    arrayconv.convolve(x, np.ones(3), "same")[500:510].compute()
    assert sorted(blocks) == [(49,), (50,), (51,)]


def test_tasks_are_small_and_can_be_pickled():
    y = arrayconv.convolve(X, KERNEL, "same", boundary="wrap")
    for task in tasks(y).values():
        assert len(pickle.dumps(task)) < 8192
    smoothed = ndimage.gaussian_filter(X, 1.0)
    copy = pickle.loads(pickle.dumps(smoothed))
    np.testing.assert_array_equal(copy.compute(), smoothed.compute())


def test_equal_calls_have_equal_names():
    names = [arrayconv.convolve(X, KERNEL, "same", boundary=name).name for name in ("edge", "edge", "wrap")]
    assert names[0] == names[1] != names[2]
    assert arrayconv.convolve(X, KERNEL + 1, "same", boundary="edge").name not in names
    fills = [arrayconv.convolve(X, KERNEL, "same", fill_value=fill).name for fill in (0, 1)]
    assert fills[0] != fills[1]


def test_settings_are_those_of_the_context_that_built_the_graph(monkeypatch):
    seen_threads = []
    current = config.using

    def noted(**settings):
        seen_threads.append((settings["threads"], settings["max_workspace"]))
        return current(**settings)

    with config.using(threads=1, max_workspace=1 << 20):
        y = arrayconv.convolve(X, KERNEL, "same")
    monkeypatch.setattr(config, "using", noted)
    y.compute()
    assert set(seen_threads) == {(1, 1 << 20)}


def test_a_kernel_may_be_a_dask_array_of_any_chunks():
    kernel = np.arange(9.0).reshape(3, 3)
    expected = arrayconv.convolve(X.compute(), kernel, method="direct")
    for chunks in (3, 2, 1):
        y = arrayconv.convolve(X, da.from_array(kernel, chunks=chunks), method="direct")
        np.testing.assert_allclose(y.compute(), expected, rtol=1e-14)


def test_half_precision_bias_is_added_as_eagerly():
    x, weight, bias = (host_array(shape).astype("float16") for shape in ((2, 4, 9), (6, 2, 3), (6,)))
    y = nn.conv1d(da.from_array(x, chunks=(1, 2, 4)), weight, bias, groups=2)
    expected = nn.conv1d(x, weight, bias, groups=2)
    assert y.dtype == expected.dtype == np.float16
    np.testing.assert_array_equal(y.compute(), expected)


REFUSALS = {
    "out": (lambda: arrayconv.convolve(X, KERNEL, out=np.empty((14, 12))), TypeError, r"^convolve: `out` .*store"),
    "output": (lambda: ndimage.sobel(X, output=np.empty((12, 10))), TypeError, r"^sobel: `output` .*store"),
    "vjp": (lambda: arrayconv.vjp(arrayconv.convolve, X, KERNEL), TypeError, r"^vjp: convolve of Dask arrays"),
    "vjp-Convolver": (lambda: arrayconv.vjp(arrayconv.Convolver(KERNEL), X), TypeError, r"^vjp: Convolver of Dask"),
    "x-of-NumPy": (
        lambda: arrayconv.convolve(KERNEL, X),
        TypeError,
        r"^convolve: `x` must be a Dask array where `kernel` is one\. .*from_array",
    ),
    "unknown": (lambda: arrayconv.convolve(X[X > 3], [1.0]), ValueError, r"Call x\.compute_chunk_sizes\(\) first"),
    "masked": (lambda: arrayconv.convolve(da.ma.masked_equal(X, 1), KERNEL), TypeError, r"`x` is a numpy\.ma"),
    "Convolver": (lambda: arrayconv.Convolver(X), TypeError, r"^Convolver: `kernel` must have values"),
    "factors": (lambda: arrayconv.Convolver.from_factors([(X[0], X[0])]), TypeError, r"`terms` must have values"),
    "method": (lambda: arrayconv.convolve(X, KERNEL, method="numpy_convolve"), NotImplementedError, "cannot run this"),
    "bool": (lambda: arrayconv.convolve(X, X > 0), TypeError, "`kernel` has dtype bool"),
    "measure": (lambda: arrayconv.explain(X, KERNEL, measure=True), ValueError, "`measure` runs on arrays"),
    "derivatives": (lambda: arrayconv.explain(X, KERNEL, derivatives=True), TypeError, "have no gradients"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_name_the_way_out(name):
    call, error, text = REFUSALS[name]
    with pytest.raises(error, match=text):
        call()


def test_unknown_sizes_can_be_computed():
    x = X[X > 3]
    x.compute_chunk_sizes()
    np.testing.assert_array_equal(
        arrayconv.convolve(x, [1.0, 2.0]).compute(), arrayconv.convolve(x.compute(), [1.0, 2.0])
    )


def test_an_explanation_is_that_of_the_largest_chunk():
    explained = arrayconv.explain(X, KERNEL, "same")
    assert explained.output_shape == (12, 10)
    assert "x 6 x 7 * kernel 3 x 3 -> 4 x 5" in str(explained)
    assert "6 tasks" in explained.remarks[0]
    assert "read x 1.92 times" not in explained.remarks[1]
    assert any("larger chunks would pay" in text for text in arrayconv.explain(X.rechunk(1), KERNEL, "same").remarks)
    assert not any("larger" in text for text in arrayconv.explain(da.zeros((400, 400)), KERNEL, "same").remarks)
    by_call = arrayconv.explain(X, KERNEL, "same", call=arrayconv.convolve)
    assert (by_call.method, by_call.remarks) == (explained.method, explained.remarks)
    assert arrayconv.Convolver(KERNEL, "same").explain(X).remarks == explained.remarks
    passes = arrayconv.explain(X, 0.5, call=ndimage.gaussian_filter)
    assert any("all passes of a chunk run in one task" in text for text in passes.remarks)


LIMITED = """
import resource, numpy as np, dask, dask.array as da, arrayconv
from arrayconv import ndimage
warm = da.zeros((64, 64), chunks=32)
convolve = lambda x: arrayconv.convolve(x, np.ones((5, 5)), "same", boundary="wrap")
calls = [convolve, lambda x: ndimage.uniform_filter(x, 5)]
with dask.config.set(scheduler="synchronous"), arrayconv.config.using(threads=1):
    [call(warm).sum().compute() for call in calls]
    pages = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    limit = pages + (48 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        np.ones((8192, 2048))
    except MemoryError:
        print("the whole array exceeds the limit")
    for call in calls:
        print(call(da.ones((8192, 2048), chunks=(512, 512)))[::2, ::2].sum().compute())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits a process' memory so")
def test_no_task_holds_the_whole_array():
    """The array has 128 MiB, of which a process with 48 MiB left convolves every chunk."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.run(
        [sys.executable, "-c", LIMITED], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    texts = process.stdout.splitlines()
    assert texts[0] == "the whole array exceeds the limit"
    assert [float(text) for text in texts[1:]] == [25.0 * 8192 * 2048 / 4, 8192 * 2048 / 4]
