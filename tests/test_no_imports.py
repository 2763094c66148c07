"""`import arrayconv` imports NumPy and array_api_compat, nothing optional, and is quick about it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from arrayconv._arrays.libraries import LIBRARIES

ROOT = Path(__file__).parent.parent
OPTIONAL = (*(name for name in LIBRARIES if name != "numpy"), "scipy", "matplotlib", "rich", "skimage", "PIL")
MOST_MS = 60  # beyond NumPy's own import


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


def test_import_is_quick(tmp_path):
    """With bytecode cached, as an installed package has it.

    On a machine busy enough to slow NumPy's own import, the limit grows with that.
    """
    code = """
import time
start = time.process_time()  # what else the machine does must not count
import numpy
middle = time.process_time()
import arrayconv
print(1000 * (middle - start), 1000 * (time.process_time() - middle))
"""
    cached = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    runs = [tuple(map(float, in_process(code, **cached).split())) for _ in range(8)]
    numpys, ours = (min(times) for times in zip(*runs, strict=True))
    assert ours < max(MOST_MS, 0.75 * numpys), f"{ours:.0f} ms beyond the {numpys:.0f} ms of NumPy's own import"
