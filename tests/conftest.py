"""The array libraries every test runs on, as one fixture, and how arrays get there and back."""

import ctypes
import dataclasses
import gc
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arrayconv._arrays.host import copied
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.libraries import LIBRARIES as ROWS
from arrayconv._arrays.namespace import compat_namespace

# The shipped constants decide in every test, and in the processes that tests start: the developer may have own ones.
os.environ["ARRAYCONV_CACHE_DIR"] = os.devnull  # in which there is no file

# Threads of torch and BLAS that wait for work sleep: spinning would take the cores that the other workers need.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # read when NumPy is imported: in workers and child processes

LIBRARIES = tuple(row.name for row in ROWS.values() if row.array_types and not row.gpu_only and not row.lazy)

# XLA compiles the tests' many small programs a quarter faster without its costly passes. What users run is compiled
# with all of them by the conformance suite.
_QUICK_XLA = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
os.environ["XLA_FLAGS"] = " ".join(filter(None, (_QUICK_XLA, os.environ.get("XLA_FLAGS"))))

if importlib.util.find_spec("jax"):
    import jax

    jax.config.update(
        "jax_enable_x64", True
    )  # before the first array; tests/unit has one of JAX's default in a process


@dataclasses.dataclass(frozen=True)
class Library:
    """An array library under test, with a device that is not the default where it has one."""

    name: str
    xp: Any
    device: Any

    def asarray(self, host):
        """Return a host array as this library's, on its device."""
        if self.name == "jax":
            return jax.device_put(np.array(host), self.device)  # asarray compiles two programs for every shape
        return self.xp.asarray(np.array(host), device=self.device)

    def numpy(self, array):
        """Return an array of this library on the host."""
        return copied(self.name, array)


def make_library(name):
    """Return the library called `name`, or skip with what is missing."""
    if not importlib.util.find_spec(name):
        pytest.skip(f"{name} is not installed")
    xp = compat_namespace(name)
    device = device_of(xp.zeros(1))
    if name == "array_api_strict":
        device = xp.Device("device1")  # shows arrays that are created on the default device by mistake
    return Library(name, xp, device)


@pytest.fixture(params=LIBRARIES)
def library(request):
    return make_library(request.param)


@pytest.fixture(params=["copied", "apart"])
def ends(request, monkeypatch):
    """Copy the samples of every block of small planes, the default, or of the blocks at their ends alone."""
    tiles = importlib.import_module("arrayconv._accel.native.tiles")
    if request.param == "apart":
        monkeypatch.setattr(tiles, "_COPY_OUTPUTS", 0)
    tiles.job.cache_clear()
    yield request.param
    tiles.job.cache_clear()


@pytest.fixture
def empty_cache():
    """Drop the calls that other tests cached."""
    importlib.import_module("arrayconv._calls.cache")._calls.clear()


@pytest.fixture
def untranslated(monkeypatch):
    """Return a function after which every translation of a call of `signal` or `ndimage` is an error."""

    def refuse(*args, **kwargs):
        raise AssertionError("the call is translated again")

    def forbid():
        for name in ("_signal.convolution.pair", "_signal.resampling.pair"):
            monkeypatch.setattr(f"arrayconv.{name}", refuse)
        for module in ("filters", "combined"):
            monkeypatch.setattr(f"arrayconv._ndimage.{module}.validate_input", refuse)

    return forbid


def pytest_collection_modifyitems(config, items):
    """Leave out the combinations of parameters that a mark says have no test, so that no report is full of skips."""
    absent = [item for item in items if not is_present(item)]
    config.hook.pytest_deselected(items=absent)
    left_out = set(absent)
    items[:] = [item for item in items if item not in left_out]


def is_present(item):
    values = item.callspec.params if hasattr(item, "callspec") else {}
    library = values.get("library")
    if any(library in mark.args for mark in item.iter_markers("without")):
        return False
    if not all(mark.kwargs["where"](**values) for mark in item.iter_markers("rows")):
        return False
    rows = [mark.kwargs for mark in item.iter_markers("jax_rows")]
    return library != "jax" or all(values[name] in row[name] for row in rows for name in row)


# ---- memory of a worker ----

_LIMIT = 1300 << 20  # bytes resident, from which compiled programs are dropped: JAX and torch keep all they compiled
_STEP = 128 << 20  # that memory grows by until it is looked at again, where dropping them freed little
_bounds = [_LIMIT]
_peaks = {}


def memory(field):
    """Return bytes that Linux counts for this process: VmRSS now, VmHWM at most; 0 on other systems."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(field)), 0)


def pytest_collection_finish():
    """Keep the garbage collector from walking through all tests and libraries again and again.

    Compilers make millions of objects, few of them in cycles: at the default threshold they take a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_runtest_teardown():
    """Drop what compilers keep once it is much: a later test compiles what it needs."""
    if memory("VmRSS") <= _bounds[0]:
        return
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
    if "torch._dynamo" in sys.modules:
        sys.modules["torch._dynamo"].reset()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    _bounds[0] = max(_LIMIT, memory("VmRSS") + _STEP)


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["peak"] = memory("VmHWM") >> 20


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Note the most memory that a worker of pytest-xdist held."""
    _peaks[node.gateway.id] = node.workeroutput.get("peak", 0) if hasattr(node, "workeroutput") else 0


def pytest_terminal_summary(terminalreporter):
    if _peaks:
        peaks = ", ".join(f"{name} {peak} MiB" for name, peak in sorted(_peaks.items()))
        terminalreporter.write_line(f"peak memory of the workers: {peaks}")
