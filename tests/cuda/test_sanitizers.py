"""The kernels under sanitizers: no access outside arrays, no undefined behaviour, no race. Nothing runs on a GPU."""

import subprocess
import sys
from pathlib import Path

import pytest

from arrayconv._accel.cuda import launch
from tests.cuda import sanitized
from tests.cuda.standin import raw_module
from tests.cuda.test_faults import FAULTS, FILTERS, compare_dots, compare_images, compare_signals
from tests.cuda.test_kernels import check, numbers

# Threads of the spectral kernels may all write one value to a summary; the checker reports that as a race.
RACES = [name for name, (*_, method) in FAULTS.items() if "barrier" in name and method != "cuda_fft"]


@pytest.fixture(scope="module")
def outcomes():
    """Return the outcome of each case by name."""
    environment = sanitized.environment()
    if environment is None:
        pytest.skip(sanitized.MISSING)
    root = Path(__file__).parents[2]
    process = subprocess.run(
        [sys.executable, "-m", "tests.cuda.sanitized"], env=environment, capture_output=True, text=True, cwd=root
    )
    assert process.returncode == 0, process.stderr
    return dict(line.split(": ", 1) for line in process.stdout.splitlines())


@pytest.mark.parametrize("method", sanitized.DTYPES)
def test_kernel_is_clean_under_sanitizers(method, outcomes):
    assert outcomes[method] == "clean"


@pytest.mark.parametrize("fault", sanitized.FAULTS)
def test_planted_fault_is_reported(fault, outcomes):
    assert sanitized.FAULTS[fault].report in outcomes[fault]


@pytest.fixture
def checked_for_races(monkeypatch):
    """Kernels of this test are compiled with the checker of `races.h`."""
    monkeypatch.setattr(raw_module, "FLAGS", raw_module.RACES)
    launch.compiled.cache_clear()
    yield
    launch.compiled.cache_clear()


def run(method):
    """Run a kernel on more than one tile or chunk, and on several channels."""
    others = {"cuda_line": compare_signals, "cuda_dots": compare_dots, **FILTERS}
    if method in others:
        others[method]()
        return
    check(method, numbers((40, 150), "float32", 1), numbers((7, 7), "float32", 2), {"mode": "same"})
    compare_images(method)


@pytest.mark.usefixtures("checked_for_races")
@pytest.mark.parametrize("method", [*sanitized.DTYPES, "gaussian", "magnitude"])
def test_no_threads_race(method):
    run(method)


@pytest.mark.usefixtures("checked_for_races")
@pytest.mark.parametrize("fault", RACES)
def test_lost_barrier_is_a_race(fault, sources_with):
    file, text, replacement, method = FAULTS[fault]
    sources_with(file, text, replacement)
    with pytest.raises(AssertionError, match="race for a word of memory"):
        run(method)
