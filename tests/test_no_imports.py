"""`import arrayconv` imports NumPy and array_api_compat, nothing optional, and is quick about it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from arrayconv._arrays.libraries import LIBRARIES

ROOT = Path(__file__).parent.parent
OPTIONAL = (*(name for name in LIBRARIES if name != "numpy"), "scipy", "matplotlib", "rich", "skimage", "PIL")
MOST_CALLS = 0.65  # beyond NumPy's own import, as a share of its calls; a table of named fields takes 230


def in_process(code, **environment):
    """Return what a fresh interpreter prints."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return process.stdout.strip()


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


def test_import_costs_little_beyond_numpys():
    """Counted in calls of functions, which are the same on every machine and under any load."""
    code = """
import sys

def calls(library):
    count = 0
    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")
    sys.setprofile(note)
    try:
        __import__(library)
    finally:
        sys.setprofile(None)
    return count

print(calls("numpy"), calls("arrayconv"))
"""
    numpys, ours = map(int, in_process(code).split())
    assert 0 < ours < MOST_CALLS * numpys, f"{ours} calls beyond the {numpys} of NumPy's own import"
