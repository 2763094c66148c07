"""Tests are trusted once they have failed: every seeded fault is found, by the test meant for it."""

import json

import pytest

from ..meta.test_runner import SUITE, run

# (target, backend, tests that must find it)
FAULTS = [
    ("wrong_flip", "numpy", "test_values.py::test_by_hand"),
    ("wrong_same", "numpy", "test_values.py::test_by_hand"),
    ("wrong_boundary", "numpy", "test_boundaries.py::test_agrees_with_ndimage"),
    ("wrong_conjugate", "numpy", "test_values.py::test_complex"),
    ("wrong_zero", "numpy", "test_values.py::test_modes"),
    ("wrong_one", "numpy", "test_values.py::test_modes"),
    ("wrong_dtype", "numpy", "test_dtypes.py::test_same_dtype"),
    ("wrong_library", "array_api_strict", "test_values.py::test_by_hand"),
    ("wrong_precision", "numpy", "test_values.py::test_modes"),
    ("wrong_integers", "numpy", "test_dtypes.py::test_integers_wrap"),
    ("wrong_containment", "numpy", "test_nonfinite.py::test_contaminates_only_its_windows"),
    ("wrong_stride", "numpy", "test_values.py::test_stride_and_dilation"),
    ("wrong_mutation", "numpy", "test_methods.py::test_operands_are_left_alone"),
    ("wrong_error", "numpy", "test_errors.py::test_options"),
    ("wrong_lags", "numpy", "test_lags.py::test_lags"),
    ("wrong_einconv", "numpy", "test_einconv.py::test_patterns"),
    ("wrong_kernels", "numpy", "test_kernels.py::test_taps"),
    ("wrong_missing", "numpy", "test_einconv.py::test_padding_of_xla"),
]


def outcomes(target, backend, tests, report):
    """Run tests of the suite in a process of their own: case -> outcome and why."""
    options = ["--target", target, "--backend", backend, "--report", str(report)]
    process = run(*(f"{SUITE}/{test}" for test in tests), *options)
    assert process.returncode in (0, 1), process.stdout + process.stderr
    rows = json.loads(report.read_text())["tests"]
    return {(row["file"], row["test"], row["case"]): (row["outcome"], row.get("why", "")) for row in rows}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """{backend: cases that a right implementation passes}: only among them a failure shows a fault."""
    passing = {}
    for backend in sorted({backend for _, backend, _ in FAULTS}):
        tests = sorted({test for _, of, test in FAULTS if of == backend})
        rows = outcomes("arrayconv", backend, tests, tmp_path_factory.mktemp("sound") / "report.json")
        passing[backend] = {case for case, (outcome, _) in rows.items() if outcome == "passed"}
    return passing


@pytest.mark.parametrize(("target", "backend", "test"), FAULTS, ids=[target for target, *_ in FAULTS])
def test_fault_is_found(target, backend, test, sound, tmp_path):
    rows = outcomes(target, backend, [test], tmp_path / "report.json")
    failures = {case: why for case, (outcome, why) in rows.items() if outcome == "failed" and case in sound[backend]}
    assert failures, f"{test} passes {target} on {backend}"
    assert any("but should" in why or "is not defined in" in why for why in failures.values()), next(
        iter(failures.values())
    )
