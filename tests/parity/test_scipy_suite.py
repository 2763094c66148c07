"""A thin selection of SciPy's own tests passes on our functions; `make parity` runs all of them."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="SciPy's tests need SciPy")
pytest.importorskip("hypothesis", reason="SciPy's tests need hypothesis")

TOOLS = Path(__file__).parents[2] / "tools"
PASSED = {"outcome": "passed", "functions": ["signal.convolve"], "called": ["signal.convolve"]}
FAILED = {**PASSED, "outcome": "failed"}


def parity(*arguments):
    command = [sys.executable, TOOLS / "parity.py", "--backend", "numpy", "--fast", "--alone", "-n", "1", *arguments]
    return subprocess.run(command, text=True, capture_output=True, timeout=300)


def test_selection_passes():
    process = parity()
    assert process.returncode == 0, process.stdout + process.stderr


def test_missing_functions_fail():
    process = parity("--target", "json", "--function", "ndimage.prewitt")
    assert process.returncode == 1, process.stdout + process.stderr
    assert "No module named 'json.ndimage'" in process.stdout


@pytest.fixture
def expected(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS)
    import parity.expected

    return parity.expected


@pytest.mark.parametrize(
    ("row", "listed", "problem"),
    [
        (PASSED, [], None),
        (FAILED, ["a.py::test[1]"], None),
        (FAILED, ["a.py::test[*"], None),
        (FAILED, [], "failed"),
        (PASSED, ["a.py::test[1]"], "passed"),
        (PASSED, ["a.py::other"], "unknown"),
        ({**PASSED, "called": []}, [], "idle"),
        ({**PASSED, "outcome": "skipped", "called": []}, ["a.py::test[*"], None),
    ],
)
def test_verdict_names_what_is_not_as_listed(expected, row, listed, problem):
    verdict = expected.judge({"a.py::test[1]": row}, listed, complete=True)
    assert [name for name, tests in verdict._asdict().items() if tests] == ([problem] if problem else [])
    assert verdict.ok == (problem is None)


def test_known_failures_have_reasons(expected, tmp_path):
    (tmp_path / "numpy.txt").write_text("# one\n# reason\na.py::x\na.py::y\n\n# another\nb.py::z*\n")
    assert expected.read("numpy", tmp_path) == {"a.py::x": "one reason", "a.py::y": "one reason", "b.py::z*": "another"}
    (tmp_path / "torch.txt").write_text("a.py::x\n")
    with pytest.raises(ValueError, match="must say why it fails"):
        expected.read("torch", tmp_path)
