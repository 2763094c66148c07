"""A thin selection of SciPy's own tests passes on our functions; `make parity` runs all, and writes docs/parity.md."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="SciPy's tests need SciPy")
pytest.importorskip("hypothesis", reason="SciPy's tests need hypothesis")

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools"
PASSED = {"outcome": "passed", "functions": ["signal.convolve"], "called": ["signal.convolve"]}
FAILED = {**PASSED, "outcome": "failed"}


def parity(*arguments):
    command = [sys.executable, TOOLS / "parity.py", "--backend", "numpy", "--fast", "--alone", "-n", "1", *arguments]
    return subprocess.run(command, text=True, capture_output=True, timeout=300)


def test_selection_passes():
    process = parity("--suite", "scipy", "--suite", "astropy")  # skimage's come from PyPI
    assert process.returncode == 0, process.stdout + process.stderr


def test_missing_functions_fail():
    process = parity("--target", "json", "--function", "ndimage.prewitt")
    assert process.returncode == 1, process.stdout + process.stderr
    assert "No module named 'json.ndimage'" in process.stdout


@pytest.fixture
def tools(monkeypatch):
    """Return the package of the tool."""
    monkeypatch.syspath_prepend(TOOLS)
    import parity
    import parity.figures
    import parity.page

    return parity


@pytest.fixture
def expected(tools):
    return tools.expected


@pytest.mark.parametrize(
    ("row", "listed", "problem"),
    [
        (PASSED, [], None),
        (FAILED, ["a.py::test[1]"], None),
        (FAILED, ["a.py::test[*"], None),
        (FAILED, ["a.*::*[1]"], None),
        (FAILED, ["a.py::*[2]"], "failed unknown"),
        (FAILED, ["a.py::test[?]"], "failed unknown"),
        (FAILED, [], "failed"),
        (PASSED, ["a.py::test[1]"], "passed"),
        (PASSED, ["a.py::other"], "unknown"),
        ({**PASSED, "called": []}, [], "idle"),
        ({**PASSED, "outcome": "skipped", "called": []}, ["a.py::test[*"], None),
    ],
)
def test_verdict_names_what_is_not_as_listed(expected, row, listed, problem):
    verdict = expected.judge({"a.py::test[1]": row}, listed, complete=True)
    assert [name for name, tests in verdict._asdict().items() if tests] == (problem or "").split()
    assert verdict.ok == (problem is None)


def test_known_failures_have_reasons(expected, tmp_path):
    (tmp_path / "numpy.txt").write_text("# one\n# reason\na.py::x\na.py::y\n\n# another\nb.py::z*\n")
    assert expected.read("numpy", tmp_path) == {"a.py::x": "one reason", "a.py::y": "one reason", "b.py::z*": "another"}
    (tmp_path / "torch.txt").write_text("a.py::x\n")
    with pytest.raises(ValueError, match="must say why it fails"):
        expected.read("torch", tmp_path)


def test_page_shows_the_figures(tools):
    figures = json.loads((ROOT / "tests/parity/figures.json").read_text())
    page = tools.page.text(figures)
    assert (ROOT / "docs/parity.md").read_text() == page
    assert tools.page.UNLISTED not in tools.page.reasons(figures), "a failure of the recorded runs has no reason"


def test_figures_of_a_run_replace_those_of_its_functions(tools, tmp_path):
    file = tmp_path / "figures.json"
    rows = {
        "a.py::test[1]": {**PASSED, "thinned": False},
        "a.py::test[2]": {**FAILED, "thinned": True},
        "a.py::other": {**PASSED, "functions": ["signal.correlate"], "thinned": False},
        "a.py::left_out": {**PASSED, "functions": ["signal.correlate"], "outcome": "skipped", "thinned": False},
    }
    tools.figures.record(file, "scipy", "1.17", "numpy", rows, None)
    tools.figures.record(file, "scipy", "1.18", "numpy", rows, ["correlate"])
    functions = json.loads(file.read_text())["scipy"]["numpy"]
    versions = {name: row["scipy"] for name, row in functions.items()}
    assert versions == {"all": "1.17", "signal.convolve": "1.17", "signal.correlate": "1.18"}
    assert functions["signal.convolve"]["failed"] == ["a.py::test[2]"]
    cells = {name: tools.page.cell(row) for name, row in functions.items()}
    assert cells == {"all": "2 / 3\\*", "signal.convolve": "1 / 2\\*", "signal.correlate": "1 / 1"}
    left_out = {"passed": 0, "failed": [], "skipped": 3, "thinned": False}
    assert [tools.page.cell(row) for row in (left_out, None)] == ["-", ""]
    assert list(tools.page.reasons({"scipy": {"numpy": functions}})) == [tools.page.UNLISTED]


def test_figures_of_a_thin_run_are_refused():
    process = parity("--json", "figures.json")
    assert process.returncode == 2
    assert "--json must not be combined with --fast" in process.stderr
