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
from arrayconv import astronomy, config, ndimage, nn, signal
from tests.calls import CALLS, QUOTIENTS, filled

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


def computed(*_, **__):
    raise AssertionError("something was computed")


def equals(y, expected):
    assert isinstance(y, da.Array)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(y.compute(), expected, rtol=1e-12, atol=1e-12)


DOORS = {name: call for name, call in {**CALLS, **QUOTIENTS}.items() if name not in SUMMED}


@pytest.mark.parametrize("name", DOORS)
def test_every_door_is_lazy(name):
    function, arguments, options = DOORS[name]
    each, keywords = filled(arguments, options, in_chunks)
    with dask.config.set(scheduler=computed):
        y = function(*each, **keywords)
    each, keywords = filled(arguments, options, host_array)
    equals(y, function(*each, **keywords))


TAPS = np.array([1.0, 3.0, 2.0])
GAPS = np.where(np.random.default_rng(5).random((12, 10)) < 0.4, np.nan, np.arange(120.0).reshape(12, 10))
GAPS[6:, :4] = np.nan  # without support
WEIGHTS = np.array([[1.0, 2.0, 1.0], [2.0, 0.0, 2.0], [1.0, 2.0, 1.0]])
BESIDE = {  # calls of an array with gaps or without; all else are NumPy's arrays and lists
    "lfilter": (lambda x: signal.lfilter(TAPS, 2.0, x), False),
    "lfilter-list": (lambda x: signal.lfilter([1, 3], [2], x, axis=0), False),
    "lfilter-gain": (lambda x: signal.lfilter(TAPS, np.array([2.0]), x), False),
    "lfilter-state": (lambda x: signal.lfilter(TAPS, 1.0, x, zi=np.ones((12, 2)))[0], False),
    "lfilter-last-state": (lambda x: signal.lfilter(TAPS, 1.0, x, zi=np.ones((12, 2)))[1], False),
    "sepfir2d": (lambda x: signal.sepfir2d(x, TAPS, TAPS[1:2]), False),
    "sepfir2d-list": (lambda x: signal.sepfir2d(x, [1, 2, 1], [1]), False),
    "resample_poly": (lambda x: signal.resample_poly(x, 2, 3, window=TAPS), False),
    "upfirdn": (lambda x: signal.upfirdn(TAPS, x, 2, 3), False),
    "match_template": (lambda x: arrayconv.match_template(x, WEIGHTS), False),
    "normalized_convolve": (lambda x: arrayconv.normalized_convolve(x, WEIGHTS, "same"), True),
    "normalized_convolve-fill": (lambda x: arrayconv.normalized_convolve(x, TAPS, axes=1, fill_value=3), True),
    "normalized_convolve-where": (lambda x: arrayconv.normalized_convolve(x, TAPS, axes=0, where=x > 5), True),
    "normalized_convolve-share": (lambda x: arrayconv.normalized_convolve(x, WEIGHTS, min_weight=0.5), True),
    "normalized_convolve-weight": (
        lambda x: arrayconv.normalized_convolve(x, WEIGHTS, return_weight=True, boundary="wrap")[1],
        True,
    ),
    "normalized_convolve-propagate": (
        lambda x: arrayconv.normalized_convolve(x, TAPS, axes=0, nan_policy="propagate"),
        True,
    ),
    "astronomy.convolve": (lambda x: astronomy.convolve(x, WEIGHTS, boundary="extend", preserve_nan=True), True),
    "astronomy.convolve-fill": (lambda x: astronomy.convolve(x, WEIGHTS, nan_treatment="fill"), True),
    "astronomy.convolve-inside": (lambda x: astronomy.convolve(x, WEIGHTS, boundary=None), False),
    "astronomy.convolve_fft": (lambda x: astronomy.convolve_fft(x, WEIGHTS), True),
    "astronomy.convolve_fft-wrap": (lambda x: astronomy.convolve_fft(x, WEIGHTS, boundary="wrap"), True),
    "astronomy.convolve_fft-whole": (lambda x: astronomy.convolve_fft(x, WEIGHTS, crop=False), True),
    "astronomy.interpolate_replace_nans": (lambda x: astronomy.interpolate_replace_nans(x, WEIGHTS), True),
}


@pytest.mark.filterwarnings("ignore:nan_treatment='interpolate', however:UserWarning")
@pytest.mark.parametrize("name", BESIDE)
def test_taps_beside_a_graph_need_no_graph(name):
    call, has_gaps = BESIDE[name]
    x = GAPS if has_gaps else X.compute()
    with dask.config.set(scheduler=computed):
        y = call(da.from_array(x, chunks=(5, 4)))
    equals(y, call(x))


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_graph_of_means_marks_the_outputs_without_support(share):
    x = da.from_array(GAPS, chunks=(5, 4))
    y, weight = arrayconv.normalized_convolve(x, WEIGHTS, "same", min_weight=share, return_weight=True)
    expected, weights = arrayconv.normalized_convolve(GAPS, WEIGHTS, "same", min_weight=share, return_weight=True)
    assert np.isnan(expected).any()
    np.testing.assert_array_equal(np.isnan(y.compute()), np.isnan(expected))
    np.testing.assert_array_equal(weight.compute() == 0, weights == 0)


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


@pytest.mark.parametrize(("shape", "taps"), [((0,), (30,)), ((0, 3), (2, 2))])
def test_an_array_without_samples_has_outputs_of_the_fill(shape, taps):
    x, kernel = np.zeros(shape, np.int32), np.ones(taps, np.int32)
    expected = arrayconv.convolve(x, kernel, fill_value=282)
    assert expected.size
    y = arrayconv.convolve(da.from_array(x, chunks=2), kernel, fill_value=282)
    np.testing.assert_array_equal(y.compute(), expected)


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
    "read": (
        lambda: arrayconv.normalized_convolve(X, KERNEL, nan_policy="raise"),
        TypeError,
        r"^normalized_convolve: nan_policy='raise' .*Dask computes later\. Use 'omit'",
    ),
    "taps": (
        lambda: signal.lfilter(X[0], 1.0, KERNEL[0]),
        TypeError,
        r"^lfilter: `x` and `b` must come from one array library\. Got numpy and dask",
    ),
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
