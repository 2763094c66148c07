"""`import arrayconv` imports NumPy and array_api_compat, nothing optional, and is quick about it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OPTIONAL = (
    "torch",
    "cupy",
    "jax",
    "dask",
    "scipy",
    "numba",
    "matplotlib",
    "rich",
    "array_api_strict",
    "skimage",
    "PIL",
)
MOST_MS = 60  # beyond NumPy's own import


def in_process(code):
    """Return what a fresh interpreter prints."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("library", OPTIONAL)
def test_import_leaves_a_library_out(library):
    assert in_process(f"import sys, arrayconv; print({library!r} in sys.modules)") == "False"


def test_numpy_arrays_bring_in_scipy_alone():
    code = f"""
import sys, numpy, arrayconv
arrayconv.convolve(numpy.ones(64), numpy.ones(8), method="fft")
arrayconv.einconv("n, n -> n | n", numpy.ones(8), numpy.ones(3))
arrayconv.explain((64, 64), (3, 3))
print(*sorted(name for name in {OPTIONAL} if name in sys.modules))
"""
    assert in_process(code) in ("scipy", "")


def test_numpy_arrays_bring_in_nothing_without_accelerators():
    code = f"""
import sys, numpy, arrayconv
with arrayconv.config.using(accelerators=set()):
    arrayconv.convolve(numpy.ones(64), numpy.ones(8), method="fft")
print(*sorted(name for name in {OPTIONAL} if name in sys.modules))
"""
    assert in_process(code) == ""


def test_import_is_quick():
    code = """
import time, numpy
start = time.process_time()  # what else the machine does must not count
import arrayconv
print(1000 * (time.process_time() - start))
"""
    assert min(float(in_process(code)) for _ in range(6)) < MOST_MS
