"""NumPy arrays are convolved in a forked child as in its parent, without libraries whose threads are lost there."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("libraries", ["", "torch,scipy.fft,ducc0"])
def test_a_child_computes_what_its_parent_does(libraries):
    missing = [name for name in filter(None, libraries.split(",")) if not importlib.util.find_spec(name.split(".")[0])]
    if missing:
        pytest.skip(f"{missing} are not installed")
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.forked", libraries]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "done"), ended.stderr
