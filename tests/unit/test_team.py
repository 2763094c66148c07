"""Threads that share the blocks of a loop: each block is written once, and helpers come and go as they should."""

import ctypes
import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

import arrayconv
from arrayconv import ndimage
from arrayconv._accel.native import dots, loader, team, winograd
from arrayconv._accel.native.in_place import address, contiguous_steps
from arrayconv._accel.native.loader import NotFinite
from arrayconv._arrays.traits import Traits
from arrayconv._costs.parallel import ONE, Threads
from arrayconv._runtime import openmp
from tests import cases

pytestmark = pytest.mark.skipif(not loader.built(), reason="the loops were not built: no C compiler")
SPEC = cases.spec(cases.axis(9, 3), cases.axis(50, 3), batch=3, groups=2, filters=9)
FUNCTION, ARGUMENT = ctypes.c_void_p, ctypes.c_void_p
PARALLEL = ctypes.CFUNCTYPE(None, FUNCTION, ARGUMENT, ctypes.c_uint, ctypes.c_uint)


class Rows:
    """A loop over many rows with integers in float64, and what it must write."""

    def __init__(self):
        self.x, self.w = cases.operands(SPEC, "float64")
        self.y = np.empty(SPEC.output_shape)
        steps = contiguous_steps(SPEC.kernel_shape)
        self.job = dots.job(SPEC, contiguous_steps(SPEC.input_shape), steps, contiguous_steps(SPEC.output_shape), 8)
        self.run(loader.on_threads(self.job, "float64", 0, ONE))
        self.expected = self.y.copy()

    def run(self, at):
        self.y[...] = np.nan
        at(address(self.x), address(self.w), address(self.y))

    def check(self, at):
        self.run(at)
        np.testing.assert_array_equal(self.y, self.expected)


@pytest.fixture
def rows():
    return Rows()


@pytest.fixture
def cores(monkeypatch):
    """Let loops use four threads, whatever the machine has."""
    for module in (loader, team):
        monkeypatch.setattr(module, "usable", lambda: 4)


@pytest.fixture
def own(monkeypatch, cores):
    """A team of this test alone."""
    code = loader.loaded()
    alone = team.Team(ctypes.CDLL(str(loader._PATH)))
    monkeypatch.setattr(loader, "loaded", lambda: code._replace(team=alone))
    yield alone
    if "_pool" in vars(alone):
        alone._pool.shutdown()


@pytest.mark.parametrize("threads", [2, 3, 4, 100])
@pytest.mark.usefixtures("own")
def test_every_block_is_written_once_by_any_number_of_threads(threads, rows):
    at = loader.on_threads(rows.job, "float64", 0, Threads(threads, threads))
    for _ in range(50):
        rows.check(at)


def test_helpers_take_part(own, rows, monkeypatch):
    """They alone write: the calling thread's share is what they leave."""
    monkeypatch.setattr(team, "_WAIT_NS", 10**9)
    at = loader.on_threads(rows.job, "float64", 0, Threads(2, 2))
    running = []
    for _ in range(2000):
        rows.check(at)
        running.append(own._helpers[0].running())
    assert any(running)
    assert len(own._helpers) == 1


@pytest.mark.usefixtures("cores")
def test_loops_of_more_threads_than_slots_are_right(rows):
    """Twelve callers at a time: those that get no slot run alone."""
    at = loader.on_threads(rows.job, "float64", 0, Threads(3, 3))
    x, w, expected = address(rows.x), address(rows.w), rows.expected

    def call(_):
        for _ in range(50):
            y = np.full(SPEC.output_shape, np.nan)
            at(x, w, address(y))
            np.testing.assert_array_equal(y, expected)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(call, range(12)))


def test_threads_of_an_openmp_runtime_run_loops_on_tensors(own, rows, monkeypatch):
    calls, runners = [], []

    def parallel(function, argument, threads, flags):
        calls.append((threads, flags))
        run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(function)
        others = [threading.Thread(target=run, args=[argument]) for _ in range(threads)]
        for each in others:
            each.start()
        for each in others:
            each.join()
        runners.extend(others)

    standin = PARALLEL(parallel)
    monkeypatch.setattr(openmp, "address", lambda: ctypes.cast(standin, ctypes.c_void_p).value)
    rows.check(loader.on_threads(rows.job, "float64", 0, Threads(3, 3), on_torchs=True))
    assert calls == [(3, 0)]
    assert not own._helpers
    rows.check(loader.on_threads(rows.job, "float64", 0, Threads(3, 3)))
    assert calls == [(3, 0)]
    assert own._helpers


def test_torchs_own_runtime_runs_loops_on_tensors(own):
    torch = pytest.importorskip("torch", reason="torch is not installed, whose threads these are")
    if not openmp.address():
        pytest.skip("this torch has another runtime than GNU's")
    shares, assemble = [], own.assemble
    own.assemble = lambda threads, **where: shares.append(assemble(threads, **where)) or shares[-1]
    x, kernel = np.ones((600, 600)), np.ones((31, 31))
    of_arrays = arrayconv.convolve(x, kernel, "same", method="native_tiles")
    of_tensors = arrayconv.convolve(torch.from_numpy(x), torch.from_numpy(kernel), "same", method="native_tiles")
    np.testing.assert_array_equal(of_tensors.numpy(), of_arrays)
    assert [bool(share.openmp) for share in shares] == [False, True]


def test_an_output_that_is_not_finite_stops_a_loop_on_any_thread(own):
    spec = cases.spec(cases.axis(64, 3), cases.axis(64, 3), batch=4, channels=4, filters=8)
    x, _ = cases.operands(spec, "float64")
    x[3, 0, 0, 40, 40] = np.inf
    steps = contiguous_steps(spec.input_shape), contiguous_steps(spec.output_shape)
    tiling = winograd.tiles_of(spec)
    assert tiling is not None
    job = winograd.job(tiling, *steps, Traits("numpy", "cpu", "float64", "float64"), True)
    factors = np.ones((16, *spec.kernel_shape[:3]))
    y = np.empty(spec.output_shape)
    at = loader.on_threads(job, "float64", 0, Threads(4, 4))
    for _ in range(20):
        with pytest.raises(NotFinite):
            at(address(x), address(factors), address(y))
    x[3, 0, 0, 40, 40] = 1
    at(address(x), address(factors), address(y))


@pytest.fixture
def fake(monkeypatch):
    """A team that calls no thread, at a time that the test sets, and the threads it would have called."""
    monkeypatch.setattr(team, "openmp", SimpleNamespace(address=lambda: 64))
    library = SimpleNamespace(
        arrayconv_help=SimpleNamespace(), arrayconv_forked=SimpleNamespace(argtypes=[], restype=None)
    )
    monkeypatch.setattr(team.os, "register_at_fork", lambda **_: None, raising=False)
    fake, called = team.Team(library), []

    def submit(function, nanoseconds):
        called.append(nanoseconds)
        return Future()  # which never ends

    vars(fake)["_pool"] = SimpleNamespace(submit=submit)
    monkeypatch.setattr(team, "perf_counter_ns", lambda: fake.time)
    fake.time, fake.called = 10**9, called
    return fake


@pytest.mark.parametrize(
    ("threads", "after_ns", "on_torchs", "share", "calls"),
    [
        (Threads(4, 1), team._WAIT_NS, False, (1, 0), 0),
        (Threads(4, 1), team._WAIT_NS, True, (1, 0), 0),
        (Threads(4, 3), team._WAIT_NS, False, (4, 0), 2),
        (Threads(4, 3), team._WAIT_NS, True, (3, 64), 0),
        (Threads(4, 1), 1000, False, (4, 0), 1),
        (Threads(4, 1), 1000, True, (4, 64), 0),
        (Threads(4, 3), 1000, False, (4, 0), 2),
    ],
    ids=["small", "small-tensor", "large", "large-tensor", "follows", "follows-tensor", "large-follows"],
)
def test_threads_that_sleep_are_woken_where_that_pays(threads, after_ns, on_torchs, share, calls, fake):
    fake.ended()
    fake.time += after_ns
    assert fake.assemble(threads, on_torchs=on_torchs) == share
    assert len(fake.called) == calls


def test_loops_that_follow_each_other_call_one_more_helper_each(fake):
    counts = []
    for _ in range(5):
        fake.assemble(Threads(4, 1), on_torchs=False)
        fake.ended()
        fake.time += 1000
        counts.append(len(fake.called))
    assert counts == [0, 1, 2, 3, 3]


def test_two_threads_that_call_helpers_at_a_time_both_go_on(fake):
    """While one looks for helpers that have left, the other has dropped them."""

    questions = []

    def is_absent():
        questions.append(None)
        if len(questions) == 1:
            fake._call_helpers(1)
        return True

    absent = SimpleNamespace(done=is_absent)
    fake._helpers.append(absent)
    fake._call_helpers(1)
    assert len(questions) == 2
    assert absent not in fake._helpers
    assert fake.called


def run_python(code):
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout


SHARED = """
import os, time
import numpy as np
from arrayconv import ndimage
from arrayconv._accel.native import loader, team
loader.usable = team.usable = lambda: 2
team._WAIT_NS = {wait}
x = np.random.default_rng(0).random((900, 900))
expected = ndimage.gaussian_filter(x, 2)
for _ in range(3):
    np.testing.assert_array_equal(ndimage.gaussian_filter(x, 2), expected)
assert loader.loaded().team._helpers
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_helpers_of_its_own():
    out = run_python(
        SHARED.format(wait=10**8)
        + """
child = os.fork()
if child == 0:
    assert not loader.loaded().team._helpers
    for _ in range(3):
        np.testing.assert_array_equal(ndimage.gaussian_filter(x, 2), expected)
    assert loader.loaded().team._helpers
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    )
    assert out.split() == ["7"]


def test_helpers_that_wait_end_with_the_process():
    out = run_python(SHARED.format(wait=3 * 10**8) + "print(loader.loaded().team._helpers[0].done())")
    assert out.split() == ["False"]


def test_after_the_main_thread_the_calling_thread_does_all_of_the_work():
    out = run_python(
        SHARED.format(wait=1000)
        + """
import atexit, threading
def late():
    threading.main_thread().join()
    time.sleep(0.2)
    np.testing.assert_array_equal(ndimage.gaussian_filter(x, 2), expected)
    print("late")
threading.Thread(target=late).start()
"""
    )
    assert out.split() == ["late"]


def test_filters_of_one_size_run_at_once_on_several_threads():
    x = np.random.default_rng(1).random((400, 400)).astype("float32")
    expected = ndimage.gaussian_filter(x, 1.5)
    with ThreadPoolExecutor(6) as pool:
        for y in pool.map(lambda _: ndimage.gaussian_filter(x, 1.5), range(200)):
            np.testing.assert_array_equal(y, expected)
