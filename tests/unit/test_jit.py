"""Loops by numba are compiled once, kept on disk, charged for, and a failure to compile is told as such."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import arrayconv
from arrayconv import config
from arrayconv._accel import AcceleratorFailed

pytest.importorskip("numba", reason="numba is not installed")
jit = importlib.import_module("arrayconv._accel._jit")
ROOT = Path(arrayconv.__file__).parent.parent


@pytest.mark.parametrize("size", [8, 64])
def test_small_problems_are_charged_for_compiling(size):
    with config.using(accelerators=set(config.ACCELERATORS) - {"native"}):
        assert "numba" not in arrayconv.explain((size, size), (3, 3), "valid", dtype="float32").method


def test_a_failure_to_compile_is_told_as_such(monkeypatch):
    kernels = importlib.import_module("arrayconv._accel.numba_kernels")

    def broken(dtype):
        raise ValueError("no compiler here")

    monkeypatch.setattr(kernels, "kernel", broken)
    jit.loop.cache_clear()
    with pytest.raises(AcceleratorFailed, match="the accelerator 'numba' failed: ValueError: no compiler here"):
        jit.loop("numba_kernels", "float32")
    jit.loop.cache_clear()


@pytest.mark.parametrize("module", ["numba_kernels", "tile_kernels"])
def test_loops_are_compiled_by_what_keeps_them_on_disk(monkeypatch, module):
    kernels = importlib.import_module(f"arrayconv._accel.{module}")
    monkeypatch.setattr(kernels, "machine_code", lambda function, signature: (function, signature))
    function, _ = kernels.kernel.__wrapped__("float32")  # not one that an earlier test compiled
    assert callable(function)


def test_a_second_process_compiles_nothing(tmp_path):
    """Of the shorter loop: the longer one goes the same way, and takes a minute to compile."""
    code = """
from arrayconv._accel import numba_kernels
stats = numba_kernels.kernel("int64").stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)}
    printed = [
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=240
        ).stdout.split()
        for _ in range(2)
    ]
    assert printed == [["0", "1"], ["1", "0"]]
    assert list(tmp_path.rglob("*.nbc"))
