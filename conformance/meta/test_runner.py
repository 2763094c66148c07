"""The options of a run: skips have reasons, excuses are checked, a report is written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ..verdict import NOTHING_RAN

SUITE = Path(__file__).parents[1]
BARE = f"{__package__}.bare_namespace"


def run(*arguments, workers=("-p", "no:xdist")):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *workers,
        "--assert=plain",
        "--tb=short",
    ]
    return subprocess.run([*command, *arguments], cwd=SUITE.parent, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("name", "got"),
    [
        ("nunpy", "'nunpy', and there is no module of that name."),
        ("numpy.nothing", "'numpy.nothing', and there is no module of that name."),
        ("json", "'json', which is no array namespace: it lacks asarray, zeros, astype, reshape."),
    ],
)
def test_unknown_backend_is_an_error(name, got):
    process = run(f"{SUITE}/test_signatures.py", "--backend", name)
    assert process.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"an importable namespace of the array API standard. Got {got}" in process.stdout + process.stderr


@pytest.mark.parametrize(
    ("name", "known", "device"),
    [
        ("array_api_compat.numpy", "numpy", ()),
        (BARE, BARE, ("--device", "cpu")),
        (f"{BARE}.inner", f"{BARE}.inner", ()),
    ],
)
def test_any_namespace_is_a_backend(tmp_path, name, known, device):
    tests = (f"{SUITE}/test_values.py", f"{SUITE}/test_errors.py", "-k", "test_by_hand or test_mixed_libraries")
    process = run(*tests, "--backend", name, *device, "--report", str(tmp_path / "report.json"))
    assert process.returncode == 0, process.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["backend"], report["device"]) == (known, "cpu")
    assert {row["outcome"] for row in report["tests"]} == {"passed"}


def test_unknown_target_is_an_error():
    process = run(f"{SUITE}/test_signatures.py", "--target", "nothing_of_that_name")
    assert process.returncode == 4
    assert "--target: No module named 'nothing_of_that_name'" in process.stdout + process.stderr


ONE, TWO = ("-p", "no:xdist"), ("-n", "2")


@pytest.mark.parametrize(
    ("backend", "device", "reason", "workers"),
    [
        ("numpy", "cuda", "numpy has no device 'cuda'", ONE),
        ("array_api_strict", "device9", "has no device 'device9'", ONE),
        (BARE, "cuda", "has no device 'cuda', only 'cpu'", ONE),
        (BARE, "cuda", "has no device 'cuda', only 'cpu'", TWO),
    ],
    ids=["numpy", "array_api_strict", "any", "any-xdist"],
)
def test_a_run_in_which_no_test_ran_is_no_success(backend, device, reason, workers):
    tests = (f"{SUITE}/test_signatures.py", f"{SUITE}/test_lags.py")
    process = run(*tests, "--backend", backend, "--device", device, workers=workers)
    assert process.returncode == NOTHING_RAN
    assert "passed" not in process.stdout
    assert "conformance: no test ran" in process.stdout
    assert reason in process.stdout


def test_tests_of_the_suite_itself_do_not_count_as_a_run():
    tests = (f"{SUITE}/test_signatures.py", f"{SUITE}/meta/test_asserts.py")
    process = run(*tests, "--backend", "numpy", "--device", "cuda")
    assert " passed" in process.stdout
    assert process.returncode == NOTHING_RAN


def test_failures_and_excused_failures_count_as_a_run(tmp_path):
    test = f"{SUITE}/test_values.py"
    process = run(test, "-k", "test_by_hand", "--target", "wrong_zero")
    assert process.returncode == pytest.ExitCode.TESTS_FAILED
    (tmp_path / "wrong_zero-numpy.txt").write_text("# zeros, on purpose\ntest_values.py::test_by_hand[full]\n")
    process = run(f"{test}::test_by_hand[full]", "--target", "wrong_zero", "--xfails", str(tmp_path))
    assert "1 xfailed" in process.stdout
    assert process.returncode == 0


def test_no_gpu_runs_nothing():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    if cupy.is_available():
        pytest.skip("there is a GPU")
    process = run(f"{SUITE}", "--backend", "cupy")
    assert process.returncode == NOTHING_RAN
    assert "no GPU: " in process.stdout
    last = process.stdout.strip().splitlines()[-1]
    assert "skipped" in last
    assert not any(word in last for word in ("passed", "failed", "error"))


def test_own_table_of_constants_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "cost_table.json").write_text("not a table, which would be a warning, and warnings are errors")
    monkeypatch.setenv("ARRAYCONV_CACHE_DIR", str(tmp_path))
    process = run(f"{SUITE}/test_values.py", "-k", "test_by_hand")
    assert process.returncode == 0, process.stdout


def test_report(tmp_path):
    process = run(f"{SUITE}/test_signatures.py", "--report", str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    assert process.returncode in (0, 1)
    assert (report["target"], report["backend"], report["device"]) == ("arrayconv", "numpy", "cpu")
    row = next(row for row in report["tests"] if row["test"] == "test_kernel")
    assert set(row) >= {"file", "test", "case", "outcome", "seconds"}


def _excused(folder, text, backend="numpy"):
    (folder / f"wrong_zero-{backend}.txt").write_text(text)
    test = f"{SUITE}/test_values.py"
    return run(test, "-k", "test_by_hand or excuse", "--target", "wrong_zero", "--xfails", str(folder))


def test_excused_failure_is_no_failure(tmp_path):
    process = _excused(tmp_path, "# zeros, on purpose\ntest_values.py::test_by_hand[full]\n")
    assert "1 xfailed" in process.stdout


def test_excused_success_fails(tmp_path):
    process = _excused(tmp_path, "# zeros are right here\ntest_signatures.py::test_every_function_explains_itself\n")
    assert "xfailed" not in process.stdout  # its file was not collected: neither matched nor missed
    (tmp_path / "arrayconv-numpy.txt").write_text("# works\ntest_signatures.py::test_every_function_explains_itself\n")
    process = run(f"{SUITE}/test_signatures.py", "--xfails", str(tmp_path))
    assert process.returncode == 1
    assert "[XPASS(strict)] works" in process.stdout


def test_excuse_without_a_test_fails(tmp_path):
    process = _excused(tmp_path, "# renamed since\ntest_values.py::test_by_hand[no-such-row]\n")
    assert process.returncode == 1
    assert "matches no test" in process.stdout


def test_excuse_without_a_reason_is_an_error(tmp_path):
    process = _excused(tmp_path, "test_values.py::test_by_hand[full]\n")
    assert process.returncode not in (0, 1)
    assert "must say why it fails" in process.stdout + process.stderr
