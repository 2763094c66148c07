"""A memory-mapped array larger than the cap is filtered block by block; nothing copies the whole of it first."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import arrayconv
from tests.memory.mapped import CAP, SHAPES

ROOT = Path(__file__).parents[2]
OBJECTS = 128 * 1024  # plans, views and Python's own objects, of which no formula knows

if not sys.platform.startswith("linux"):
    pytest.skip("Linux counts and limits a process' private memory without the pages of files", allow_module_level=True)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mapped")
    command = [sys.executable, "-m", "tests.memory.mapped", str(folder)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert process.returncode == 0, process.stderr  # a MemoryError is a copy that should not have been made
    return [json.loads(line) for line in process.stdout.splitlines()]


@pytest.mark.parametrize("array", SHAPES)
def test_a_mapped_array_larger_than_the_cap_is_filtered_within_it(rows, array):
    by_method = {row["method"]: row for row in rows if row["array"] == array and row["method"] != "copy"}
    assert {"auto", "direct", "im2col", "banded", "fft", "overlap_save"} <= set(by_method)
    for row in by_method.values():
        assert row["traced"] <= CAP + OBJECTS, row
        assert row["worst"] <= 1, row
        assert row["type"] == "numpy.ndarray", row


@pytest.mark.parametrize("array", SHAPES)
def test_a_copy_of_the_mapped_array_would_have_been_refused_its_memory(rows, array):
    assert [row["failed"] for row in rows if row["array"] == array and row["method"] == "copy"] == [True]


@pytest.mark.parametrize("offset", [0, 3])  # 3: no element is at an aligned address
@pytest.mark.parametrize("mode", ["r", "c", "r+"])
def test_read_only_and_unaligned_maps_give_what_arrays_give(tmp_path, mode, offset):
    x = np.random.default_rng(0).standard_normal((30, 40))
    (tmp_path / "x").write_bytes(b"\0" * offset + x.tobytes())
    mapped = np.memmap(tmp_path / "x", "float64", mode, offset=offset, shape=x.shape)
    kernel = np.ones((3, 3))
    plan = arrayconv.explain(x, kernel, "same")
    for row in plan.candidates:
        if row.refusal is None:
            y = arrayconv.convolve(mapped, kernel, "same", method=row.name)
            assert type(y) is np.ndarray
            np.testing.assert_array_equal(y, arrayconv.convolve(x, kernel, "same", method=row.name))
    np.testing.assert_array_equal(mapped, x)
