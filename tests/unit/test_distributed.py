"""Graphs of calls on the processes of dask.distributed: equal results, a killed worker, and memory limits."""

import os
import signal as signals
import time

import dask
import dask.array as da
import numpy as np
import pytest

import arrayconv
from arrayconv import ndimage, signal
from arrayconv._chunked import strips

distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")

SETTINGS = {
    "distributed.worker.memory.target": 0.05,  # of the limit: data beyond are on disk
    "distributed.worker.memory.spill": False,  # by the size of the data, not by that of the process
    "distributed.worker.memory.pause": False,
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
}
LIMIT = 512 << 20  # bytes per worker


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Return a client of two processes of one thread each."""
    folder = tmp_path_factory.mktemp("workers")
    with (
        dask.config.set({**SETTINGS, "temporary-directory": str(folder)}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit=LIMIT, dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def image(seed=0, shape=(120, 90)):
    return np.random.default_rng(seed).standard_normal(shape)


TAPS = image(1, (7, 5))
CALLS = {
    "convolve": lambda x: arrayconv.convolve(x, TAPS, "same", boundary="wrap"),
    "gaussian_filter": lambda x: ndimage.gaussian_filter(x, 2.0),
    "lfilter": lambda x: signal.lfilter(TAPS[0], 1.0, x),
    "normalized_convolve": lambda x: arrayconv.normalized_convolve(x, abs(TAPS), "same", where=x > 0),
}


def test_workers_are_processes(client):
    pids = client.run(os.getpid)
    assert len(set(pids.values()) | {os.getpid()}) == 3
    assert set(client.run(lambda: arrayconv.__file__).values()) == {arrayconv.__file__}


@pytest.mark.parametrize("least", [1, strips.LEAST_CHUNK], ids=["strips", "whole"])
@pytest.mark.parametrize("name", CALLS)
def test_results_equal_the_eager_call(client, name, least, monkeypatch):
    monkeypatch.setattr(strips, "LEAST_CHUNK", least)
    x = image()
    y = client.compute(CALLS[name](da.from_array(x, chunks=(50, 40)))).result(timeout=60)
    np.testing.assert_allclose(y, CALLS[name](x), rtol=1e-12, atol=1e-12)


def test_results_beyond_the_memory_limit_are_on_disk(client):
    size = 2048
    x = da.ones((3 * size, size), chunks=(size // 2, size), dtype=np.float64)  # 96 MiB, 51 MiB stay in memory
    y = client.persist(ndimage.uniform_filter(x, 5))
    distributed.wait(y, timeout=60)
    spilled = client.run(lambda dask_worker: dask_worker.data.spilled_total.disk)
    assert all(client.run(lambda dask_worker: dask_worker.memory_manager.memory_limit == LIMIT).values())
    assert sum(spilled.values()) > 32 << 20
    assert float(y.sum().compute(scheduler=client)) == pytest.approx(3 * size * size, rel=1e-12)


def test_a_killed_worker_loses_nothing(client):
    x = image()
    lazy = da.from_array(x, chunks=20).map_blocks(lambda block: time.sleep(0.05) or block, dtype=float)
    future = client.compute(ndimage.gaussian_filter(lazy, 1.0))
    pids = client.run(os.getpid)
    victim = min(pids)
    while not client.run(lambda dask_worker: len(dask_worker.data), workers=[victim])[victim] > 3:
        time.sleep(0.01)
    assert future.status == "pending"
    os.kill(pids[victim], signals.SIGKILL)
    np.testing.assert_array_equal(future.result(timeout=60), ndimage.gaussian_filter(x, 1.0))
