"""The options of a run: skips have reasons, excuses are checked, a report is written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).parents[1]


def run(*arguments):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--assert=plain",
        "--tb=short",
    ]
    return subprocess.run([*command, *arguments], cwd=SUITE.parent, capture_output=True, text=True)


def test_unknown_backend_is_an_error():
    done = run(f"{SUITE}/test_signatures.py", "--backend", "nunpy")
    assert done.returncode == 4
    assert (
        "--backend must be one of numpy, torch, jax, array_api_strict, cupy. Got 'nunpy'." in done.stdout + done.stderr
    )


def test_unknown_target_is_an_error():
    done = run(f"{SUITE}/test_signatures.py", "--target", "nothing_of_that_name")
    assert done.returncode == 4
    assert "--target: No module named 'nothing_of_that_name'" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("backend", "device", "reason"),
    [("numpy", "cuda", "numpy has no device 'cuda'"), ("array_api_strict", "device9", "has no device 'device9'")],
)
def test_missing_device_skips_everything(backend, device, reason):
    done = run(f"{SUITE}/test_signatures.py", f"{SUITE}/test_lags.py", "--backend", backend, "--device", device)
    assert done.returncode == 0
    assert "passed" not in done.stdout
    assert reason in done.stdout


def test_no_gpu_skips_everything():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    if cupy.is_available():
        pytest.skip("there is a GPU")
    done = run(f"{SUITE}", "--backend", "cupy")
    assert done.returncode == 0
    assert "no GPU: " in done.stdout
    last = done.stdout.strip().splitlines()[-1]
    assert "skipped" in last
    assert not any(word in last for word in ("passed", "failed", "error"))


def test_own_table_of_constants_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "cost_table.json").write_text("not a table, which would be a warning, and warnings are errors")
    monkeypatch.setenv("ARRAYCONV_CACHE_DIR", str(tmp_path))
    done = run(f"{SUITE}/test_values.py", "-k", "test_by_hand")
    assert done.returncode == 0, done.stdout


def test_report(tmp_path):
    done = run(f"{SUITE}/test_signatures.py", "--report", str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    assert done.returncode in (0, 1)
    assert (report["target"], report["backend"], report["device"]) == ("arrayconv", "numpy", "cpu")
    row = next(row for row in report["tests"] if row["test"] == "test_kernel")
    assert set(row) >= {"file", "test", "case", "outcome", "seconds"}


def _excused(folder, text, backend="numpy"):
    (folder / f"wrong_zero-{backend}.txt").write_text(text)
    test = f"{SUITE}/test_values.py"
    return run(test, "-k", "test_by_hand or excuse", "--target", "wrong_zero", "--xfails", str(folder))


def test_excused_failure_is_no_failure(tmp_path):
    done = _excused(tmp_path, "# zeros, on purpose\ntest_values.py::test_by_hand[full]\n")
    assert "1 xfailed" in done.stdout


def test_excused_success_fails(tmp_path):
    done = _excused(tmp_path, "# zeros are right here\ntest_signatures.py::test_every_function_explains_itself\n")
    assert "xfailed" not in done.stdout  # its file was not collected: neither matched nor missed
    (tmp_path / "arrayconv-numpy.txt").write_text("# works\ntest_signatures.py::test_every_function_explains_itself\n")
    done = run(f"{SUITE}/test_signatures.py", "--xfails", str(tmp_path))
    assert done.returncode == 1
    assert "[XPASS(strict)] works" in done.stdout


def test_excuse_without_a_test_fails(tmp_path):
    done = _excused(tmp_path, "# renamed since\ntest_values.py::test_by_hand[no-such-row]\n")
    assert done.returncode == 1
    assert "matches no test" in done.stdout


def test_excuse_without_a_reason_is_an_error(tmp_path):
    done = _excused(tmp_path, "test_values.py::test_by_hand[full]\n")
    assert done.returncode not in (0, 1)
    assert "must say why it fails" in done.stdout + done.stderr
