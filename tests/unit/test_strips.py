"""Strips in graphs of Dask arrays: how many there are, what tasks read in place of chunks, and what stays whole."""

from math import prod

import dask
import dask.array as da
import numpy as np
import pytest

import arrayconv
from arrayconv import ndimage
from arrayconv._chunked import strips

TAPS = np.ones((3, 3), np.float32)


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def any_size(monkeypatch):
    """Cut strips from chunks of any size."""
    monkeypatch.setattr(strips, "LEAST_CHUNK", 1)


def tasks(y):
    """Return the tasks of the last layer of a graph, by key."""
    return dict(y.dask.layers[y.name])


def strip_tasks(y):
    """Return the tasks that cut strips, by key."""
    layers = [layer for name, layer in y.dask.layers.items() if name.startswith("strips-")]
    return {key: task for layer in layers for key, task in layer.items()}


def strip_size(task):
    """Return the samples of the strips that a task cuts."""
    return sum(prod(stop - first for first, stop in box) for box in task.args[1])


def read_around(y, x, index):
    """Return the samples of all dependencies of a task that are of other chunks than its own: strips and chunks."""
    cut, size = strip_tasks(y), 0
    for key in tasks(y)[(y.name, *index)].dependencies:
        if key in cut:
            size += strip_size(cut[key])
        elif key[0] == x.name and key[1:] != index:
            size += prod(along[number] for along, number in zip(x.chunks, key[1:], strict=True))
    return size


def test_tasks_read_strips_of_large_neighbours():
    x = da.zeros((4096, 4096), chunks=1024, dtype=np.float32)  # 4 MiB each
    y = arrayconv.convolve(x, TAPS, "same", boundary="wrap")
    assert len(strip_tasks(y)) == 16
    assert {read_around(y, x, index) for index in np.ndindex(4, 4)} == {8 * 4 * 1024}
    assert {len(task.dependencies) for task in tasks(y).values()} == {8 + 2}  # its own chunk and the kernel
    smooth = ndimage.gaussian_filter(x, 2.0)
    assert len(strip_tasks(smooth)) == 16
    assert read_around(smooth, x, (1, 1)) == 8 * (8 * 4 - 6) * 1024  # no strips at the ends of the image


def test_large_strips_travel_alone():
    x = da.zeros((4096, 4096), chunks=1024, dtype=np.float32)
    for halo, alone in ((64, False), (65, True)):  # of 1 MiB together, and beyond
        y = arrayconv.convolve(x, np.ones((2 * halo + 1,) * 2, np.float32), "same", boundary="wrap")
        assert len(strip_tasks(y)) == (64 if alone else 16)
        # a row or a column of each: a corner is in one
        assert read_around(y, x, (1, 2)) == (8 if alone else 8 * 4) * halo * 1024
        assert {len(task.dependencies) for task in tasks(y).values()} == {8 + 2}


def test_small_neighbours_are_read_whole():
    size = strips.LEAST_CHUNK // 4
    for sizes, count in (((3 * 512, size // 512), 3), ((3 * 512, size // 512 - 1), 0)):
        x = da.zeros(sizes, chunks=(512, -1), dtype=np.float32)
        y = arrayconv.convolve(x, TAPS, "same")
        assert len(strip_tasks(y)) == count
        assert read_around(y, x, (1, 0)) == (2 if count else 2 * 512) * sizes[1]


def test_each_chunk_is_measured_by_itself():
    x = da.zeros((3000, 1024), chunks=((1024, 1024, 200, 752), -1), dtype=np.float32)  # 4, 4, 0.8 and 2.9 MiB
    y = arrayconv.convolve(x, TAPS, "same")
    assert {key[1] for key in strip_tasks(y)} == {0, 1, 3}
    assert read_around(y, x, (1, 0)) == 1024 + 200 * 1024
    assert read_around(y, x, (2, 0)) == (2 + 1) * 1024


@pytest.mark.parametrize(("halo", "length"), [(127, 2 * 127), (128, 2 * 128), (129, 1024)])
def test_a_halo_beyond_an_eighth_is_read_from_the_whole_chunk(halo, length):
    x = da.zeros((512, 5120), chunks=(-1, 1024), dtype=np.float64)
    y = arrayconv.convolve(x, np.ones((1, 2 * halo + 1)), "same")
    assert read_around(y, x, (0, 2)) == 2 * 512 * length


CALLS = {
    "edge": (lambda x: arrayconv.convolve(x, np.ones((3,) * x.ndim), "same", boundary="edge"), 20),
    "wrap": (lambda x: arrayconv.convolve(x, np.ones((3,) * x.ndim), "same", boundary="wrap"), 20),
    "reflect": (lambda x: arrayconv.convolve(x, np.ones((4,) * x.ndim), boundary="reflect"), 20),
    "stride": (lambda x: arrayconv.convolve(x, np.ones((3,) * x.ndim), "same", stride=3), 20),
    "dilation": (lambda x: arrayconv.convolve(x, np.ones((3,) * x.ndim), "valid", dilation=2), 20),
    "long": (lambda x: arrayconv.convolve(x, np.ones((45,) * x.ndim), "same", boundary="symmetric"), 20),
    "lags": (
        lambda x: arrayconv.correlate(
            x, np.ones((2,) * x.ndim), lags=((41, 62),) * x.ndim, axes=tuple(range(x.ndim)), boundary="wrap"
        ),
        20,
    ),
    "uneven": (lambda x: arrayconv.convolve(x, np.ones((9,) * x.ndim), "same"), (16, 40, 3, 21)),
    "gaussian_filter": (lambda x: ndimage.gaussian_filter(x, 0.5), 20),
}


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("name", CALLS)
def test_a_chunk_has_two_strips_per_axis_at_most(name, ndim, together, monkeypatch):
    if not together:
        monkeypatch.setattr(strips, "MOST_TOGETHER", 0)
    call, sizes = CALLS[name]
    if isinstance(sizes, int):
        sizes = (sizes,) * 4
    x = da.ones((sum(sizes),) * ndim, chunks=(sizes,) * ndim, dtype=np.int32)
    y = call(x)
    cut = strip_tasks(y)
    of_chunk = {}
    for key, task in cut.items():
        (source,) = task.dependencies
        of_chunk.setdefault(source, []).append(key)
    assert cut
    assert max(map(len, of_chunk.values())) <= (1 if together else 2 * ndim)
    assert max(len(task.args[1]) for task in cut.values()) <= (2 * ndim if together else 1)
    assert any(cut.keys() & task.dependencies for task in tasks(y).values())
    for task in tasks(y).values():
        from_whole = {key for key in task.dependencies if key[0] == x.name}
        from_strips = {source for key in cut.keys() & task.dependencies for source in cut[key].dependencies}
        assert not from_whole & from_strips  # what is there whole is not cut


@pytest.mark.usefixtures("any_size")
def test_a_strip_does_not_hold_its_chunk():
    y = arrayconv.convolve(da.zeros((64, 64), chunks=32), TAPS, "same")
    chunk = np.arange(1024.0).reshape(32, 32)
    for task in strip_tasks(y).values():
        (source,) = task.dependencies
        for strip, box in zip(task({source: chunk}), task.args[1], strict=True):
            assert strip.base is None
            np.testing.assert_array_equal(strip, chunk[tuple(slice(*along) for along in box)])


@pytest.mark.usefixtures("any_size")
def test_calls_share_the_strips_of_equal_windows():
    x = da.zeros((64, 64), chunks=16)
    calls = [arrayconv.convolve(x, TAPS, "same", boundary=name) for name in ("constant", "edge")]
    one, both = (len(strip_tasks(y)) for y in (calls[0], sum(calls)))
    assert one == both == 4 * 4
    assert len(strip_tasks(sum([*calls, arrayconv.convolve(x, np.ones((5, 3)), "same")]))) == 2 * one


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("shape", [(96,), (96, 80)])
@pytest.mark.parametrize("index", [..., slice(20, 36), slice(16, 17)])
def test_optimized_graphs_read_each_chunk_once(shape, index):
    chunks = []

    def noted(block, block_info=None):
        chunks.append(block_info[0]["chunk-location"])
        return block + 1

    x = da.random.default_rng(0).integers(0, 99, shape, chunks=16)
    lazy = x.map_blocks(noted, dtype=x.dtype, meta=np.empty((0,) * x.ndim, x.dtype))
    kernel = np.ones((3,) * x.ndim, int)
    y = arrayconv.convolve(lazy, kernel, "same", boundary="reflect")[index]
    (y,) = dask.optimize(y)
    value = y.compute()
    assert len(chunks) == len(set(chunks))
    expected = arrayconv.convolve(x.compute() + 1, kernel, "same", boundary="reflect")
    np.testing.assert_array_equal(value, expected[index])


@pytest.mark.usefixtures("any_size")
def test_a_part_of_the_result_needs_no_strip_beside_its_windows():
    x = da.zeros((1000, 10), chunks=(50, -1))
    (y,) = dask.optimize(arrayconv.convolve(x, TAPS, "same")[500:550])
    kinds = [key[0].split("-")[0] for key in y.dask if not isinstance(key, str)]
    assert kinds.count("strips") == 2


@pytest.mark.usefixtures("any_size")
def test_an_explanation_counts_strips():
    x = da.zeros((64, 64), chunks=16)
    (remark,) = (text for text in arrayconv.explain(x, TAPS, "same").remarks if "strips" in text)
    assert remark.startswith(f"{len(strip_tasks(arrayconv.convolve(x, TAPS, 'same')))} more tasks cut strips")
