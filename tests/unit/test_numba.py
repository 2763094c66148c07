"""Compiled loops agree with the definition in every pass they are made of, and are compiled once."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import arrayconv
from arrayconv._accel import AcceleratorFailed
from arrayconv._accel import _threads as threads
from tests import cases, oracle, running
from tests.conftest import make_library

pytest.importorskip("numba", reason="numba is not installed")
shared = importlib.import_module("arrayconv._accel._rows")
ROOT = Path(arrayconv.__file__).parent.parent


def agrees(x, w, spec, dtype):
    library = make_library("numpy")
    plan = running.planned(library, spec, dtype, "numba")
    y = running.run(library, plan, x, w)
    exact = oracle.operation(oracle.exact(x), oracle.exact(w), spec, 0)
    running.assert_contract(y, exact, x, w, spec, dtype, accuracy="componentwise")


def operands(spec, dtype):
    random = np.random.default_rng(7)
    return cases.numbers(random, spec.input_shape, dtype), cases.numbers(random, spec.kernel_shape, dtype)


TERMS = {  # what the passes of nine, three and one term are made of
    "one": cases.spec(cases.axis(9, 1)),
    "one-and-one": cases.spec(cases.axis(9, 2)),
    "three": cases.spec(cases.axis(9, 3)),
    "three-three-one": cases.spec(cases.axis(12, 7)),
    "nine": cases.spec(cases.axis(7, 3), cases.axis(6, 3)),
    "nine-nine-three-three-one": cases.spec(cases.axis(8, 5), cases.axis(9, 5)),
    "channels": cases.spec(cases.axis(8, 3), cases.axis(9, 2), channels=4, filters=2, groups=2, batch=2),
    "strided": cases.spec(cases.axis(9, 3), cases.axis(17, 4, stride=3, dilation=2)),
    "a-column": cases.spec(cases.axis(40, 3), cases.axis(4, 4)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("name", TERMS)
def test_passes_equal_the_definition(name, dtype):
    if dtype in ("complex64", "int16") and name != "nine":
        pytest.skip("one row compiles the loop; other dtypes run every pass")
    agrees(*operands(TERMS[name], dtype), TERMS[name], dtype)


MEMORY = {  # how x may lie in memory
    "reversed": lambda x: x[..., ::-1, ::-1],
    "every-other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "columns-first": lambda x: np.asfortranarray(x),
    "batch-adjacent": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0),
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "unaligned": lambda x: np.frombuffer(b"?" + x.tobytes(), x.dtype, offset=1).reshape(x.shape),
    "in-records": lambda x: np.rec.fromarrays([x, np.zeros(x.shape, "int8")]).f0,
}


@pytest.mark.parametrize("lie", MEMORY)
def test_any_memory_layout_is_read_in_place_or_copied(lie):
    spec = cases.spec(cases.axis(7, 3), cases.axis(5, 2, stride=2), batch=20)
    x, w = operands(spec, "float32")
    agrees(MEMORY[lie](x), w, spec, "float32")


def test_rows_longer_than_a_block_and_shared_by_threads(monkeypatch):
    monkeypatch.setattr(shared, "_ROW_BYTES", 64)
    monkeypatch.setattr(shared, "_SHARE", 1)
    spec = cases.spec(cases.axis(9, 3), cases.axis(50, 3), batch=2)
    agrees(*operands(spec, "float64"), spec, "float64")


@pytest.mark.parametrize("step", [1, 2, -1])
def test_the_answer_is_written_where_the_caller_wants_it(step):
    spec = cases.spec(cases.axis(9, 3), cases.axis(9, 3), batch=2)
    x, w = operands(spec, "float64")
    into = np.full((2, 7, 16), np.nan)[..., ::step][..., :7]
    y = arrayconv.correlate(x[:, 0, 0], w[0, 0], "valid", axes=(1, 2), method="numba", out=into)
    assert y is into
    np.testing.assert_allclose(y, arrayconv.correlate(x[:, 0, 0], w[0, 0], "valid", axes=(1, 2), method="direct"))


@pytest.mark.parametrize("shape", [(900, 700), (3, 900, 300)])
def test_borders_of_large_arrays_equal_direct(shape):
    random = np.random.default_rng(1)
    x, w = random.standard_normal(shape), random.standard_normal((3,) * len(shape))
    for boundary in ("constant", "reflect"):
        y = arrayconv.convolve(x, w, "same", boundary=boundary, method="numba")
        expected = arrayconv.convolve(x, w, "same", boundary=boundary, method="direct")
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


def test_the_first_axis_of_an_image_gives_a_contiguous_answer():
    x = np.random.default_rng(2).standard_normal((50, 40))
    y = arrayconv.convolve(x, [1.0, 2.0, 1.0], "valid", axes=0, method="numba")
    assert y.flags.c_contiguous
    np.testing.assert_allclose(y, arrayconv.convolve(x, [1.0, 2.0, 1.0], "valid", axes=0, method="direct"))


def test_a_nan_reaches_only_the_outputs_whose_window_holds_it():
    x = np.ones((40, 50))
    x[10, 20] = np.nan
    y = arrayconv.convolve(x, np.zeros((3, 3)), "same", method="numba")
    expected = np.zeros(x.shape)
    expected[9:12, 19:22] = np.nan
    np.testing.assert_array_equal(y, expected)


def test_small_problems_are_charged_for_compiling():
    chosen = {size: arrayconv.explain((size, size), (3, 3), "valid", dtype="float32").method for size in (8, 64)}
    assert "numba" not in chosen.values()


def test_a_failure_to_compile_is_told_as_such(monkeypatch):
    kernels = importlib.import_module("arrayconv._accel.numba_kernels")

    def broken(dtype):
        raise ValueError("no compiler here")

    monkeypatch.setattr(kernels, "kernel", broken)
    jit = importlib.import_module("arrayconv._accel._jit")
    jit.loop.cache_clear()
    with pytest.raises(AcceleratorFailed, match="the accelerator 'numba' failed: ValueError: no compiler here"):
        jit.loop("numba_kernels", "float32")
    jit.loop.cache_clear()


def test_a_second_process_compiles_nothing(tmp_path):
    code = """
from arrayconv._accel import numba_kernels
stats = numba_kernels.kernel("int64").stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)}
    printed = [
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=120
        ).stdout.split()
        for _ in range(2)
    ]
    assert printed == [["0", "1"], ["1", "0"]]
    assert list(tmp_path.rglob("*.nbc"))


@pytest.mark.parametrize("units", [1, 2, 3, 100])
def test_every_unit_is_computed_once_by_any_number_of_threads(monkeypatch, units):
    monkeypatch.setattr(threads, "usable", lambda: 2)
    seen = []
    threads.share(lambda first, stop: seen.extend(range(first, stop)), units, 100)
    assert sorted(seen) == list(range(units))


def test_an_error_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(threads, "usable", lambda: 2)

    def part(first, stop):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        threads.share(part, 10, 10)
