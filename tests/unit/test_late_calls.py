"""Calls after the main thread has ended, and while the interpreter shuts down, run on the thread that makes them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CALLS = {
    "tiles": "arrayconv.convolve(X, np.ones((5, 5)))",
    "rows": "arrayconv.convolve(np.ones(3_000_000), np.ones(31))",
    "products": "arrayconv.convolve(X, np.ones((7, 7)), 'same', method='banded')",
    "pieces side by side": "arrayconv.convolve(np.ones((64, 300, 300)), np.ones((9, 9)), axes=(1, 2), method='direct')",
    "transforms": "arrayconv.convolve(X, np.ones((63, 63)), method='fft')",
    "blocks of transforms": "arrayconv.convolve(X, np.ones((63, 63)), method='overlap_save')",
    "filter": "ndimage.gaussian_filter(X, 3)",
}
SETUP = """
import atexit, threading
import numpy as np
import arrayconv
from arrayconv import ndimage
X = np.ones((1500, 1500))
CALLS = [{calls}]
def show():
    for number, call in enumerate(CALLS):
        try:
            print("right" if np.allclose(call(), EXPECTED[number]) else "wrong", flush=True)
        except BaseException as failure:
            print(type(failure).__name__, failure, flush=True)
"""
WAYS = {
    "a thread that outlives the main one": """
def late():
    threading.main_thread().join()
    show()
threading.Thread(target=late).start()
""",
    "atexit": """
atexit.register(show)
""",
}
EXPECTED = {  # whether threads were started before
    "later calls": "EXPECTED = [call() for call in CALLS]",
    "first calls": "with arrayconv.config.using(threads=1):\n    EXPECTED = [call() for call in CALLS]",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("calls", EXPECTED)
def test_calls_at_the_end(calls, way):
    setup = SETUP.format(calls=", ".join(f"lambda: {call}" for call in CALLS.values()))
    script = "\n".join([setup, EXPECTED[calls], WAYS[way]])
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert process.returncode == 0, process.stderr
    assert not process.stderr
    assert dict(zip(CALLS, process.stdout.splitlines(), strict=True)) == dict.fromkeys(CALLS, "right")
