"""The GPU check without a GPU: its status, its rehearsal, and that it can fail."""

import importlib.util
import itertools
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import arrayconv

PATH = Path(__file__).parents[2] / "tools" / "gpu_check.py"


def _load():
    spec = importlib.util.spec_from_file_location("gpu_check", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["gpu_check"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


tool = _load()


@pytest.fixture
def recorded():
    """A list, and the function that fills it."""
    rows = []
    return rows, lambda **fields: rows.append(fields)


@pytest.fixture
def machine():
    return tool.Machine("cupy", rehearse=True)


def _loops(case, x, kernel):
    """One-dimensional convolution or correlation by nested loops over the extended signal."""
    (window,) = [tool._window(case, len(x), len(kernel), 0, 1)]
    wide = np.pad(x, 100, mode=case.options.get("boundary", "constant"))
    kernel = kernel.conj() if case.function == "correlate" else kernel[::-1]
    answer = []
    for p in range(window.outputs):
        start = 100 + window.stride * p - window.before
        answer.append(sum(kernel[t] * wide[start + window.dilation * t] for t in range(len(kernel))))
    return np.array(answer)


def test_without_a_gpu_the_status_is_3_and_nothing_is_said_to_have_passed(tmp_path, capsys):
    if not all(tool.why_unusable(library, rehearse=False) for library in tool.LIBRARIES):
        pytest.skip("there is a GPU here")
    assert tool.main(["--out", str(tmp_path)]) == tool.NO_GPU
    report = (tmp_path / "report.md").read_text()
    assert "no GPU" in report
    assert "passed" not in report
    assert report.strip() == capsys.readouterr().out.strip()
    assert json.loads((tmp_path / "results.json").read_text())["verdict"] == "no GPU"
    assert "numpy" in (tmp_path / "env.txt").read_text()


def test_rehearsal_runs_the_cases_and_says_that_it_is_one(tmp_path, capsys):
    words = ["--out", str(tmp_path), "--rehearse", "--libraries", "cupy", "--phases", "smoke,correctness"]
    assert tool.main([*words, "--only", "stride 2"]) == 0
    report = (tmp_path / "report.md").read_text()
    assert report.startswith("# GPU check: rehearsal on CPU, all as expected")
    assert "passed" not in report
    rows = [r for r in json.loads((tmp_path / "results.json").read_text())["results"] if r["phase"] == "correctness"]
    assert {row["case"] for row in rows} == {"stride 2"}
    assert {row["dtype"] for row in rows} == set(tool.DTYPES)
    assert {row["method"] for row in rows} == set(tool.METHODS)
    capsys.readouterr()


def test_a_phase_past_its_deadline_is_on_record(tmp_path):
    (tmp_path / "results.jsonl").write_text('{"phase": "smoke", "cut off\n')
    arguments = tool.parse(["--out", str(tmp_path), "--rehearse"])
    tool.run_phase(arguments, "timing", "torch", 0)
    row = tool.results(tmp_path)[-1]
    assert (row["phase"], row["outcome"]) == ("timing", "unfinished")
    assert tool.judged([row], usable=True, rehearse=False)[1] == 1


@pytest.mark.parametrize(
    ("outcomes", "usable", "rehearse", "verdict", "status"),
    [
        (["ok", "refused", "skipped"], True, False, "passed", 0),
        (["ok", "failed"], True, False, "failed", 1),
        (["ok", "absent"], True, False, "failed", 1),
        (["absent", "absent"], False, False, "no GPU", 3),
        (["ok"], True, True, "rehearsal on CPU", 0),
        (["failed"], True, True, "rehearsal on CPU", 1),
    ],
)
def test_verdict(outcomes, usable, rehearse, verdict, status):
    said, found = tool.judged([{"outcome": outcome} for outcome in outcomes], usable, rehearse)
    assert said.startswith(verdict)
    assert found == status


def test_case_names_are_unique():
    names = [case.name for case in tool.cases()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("function", ["convolve", "correlate"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_definition_is_nested_loops(function, mode):
    for k, stride, dilation, boundary in itertools.product((1, 4, 5), (1, 3), (1, 2), tool.BOUNDARIES):
        options = {"mode": mode, "stride": stride, "dilation": dilation, "boundary": boundary}
        case = tool.Case("", (11,), (k,), options, function)
        x, kernel = tool.data((11,), "complex128", 1), tool.data((k,), "complex128", 2)
        np.testing.assert_allclose(tool.definition(case, x, kernel)[0], _loops(case, x, kernel), atol=1e-13)


def test_definition_of_lags_is_nested_loops():
    for lags in (3, (-2, 4), (2, 5), (-9, -4)):
        case = tool.Case("", (11,), (4,), {"lags": lags}, "correlate")
        x, kernel = tool.data((11,), "float64", 1), tool.data((4,), "float64", 2)
        np.testing.assert_allclose(tool.definition(case, x, kernel)[0], _loops(case, x, kernel), atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "int64", "float16"])
def test_wrong_answers_fail(dtype, machine, recorded, monkeypatch):
    def shifted(x, kernel, **options):
        return np.roll(arrayconv.convolve(x, kernel, **options), 1)

    monkeypatch.setattr(tool, "arrayconv", lambda: SimpleNamespace(convolve=shifted, explain=arrayconv.explain))
    rows, record = recorded
    tool._run_case(machine, record, tool.Case("shifted", (50,), (5,), {"mode": "same"}), dtype)
    outcomes = {row["method"]: row["outcome"] for row in rows}
    assert {outcomes[method] for method in tool.METHODS} == {"failed"}


def test_errors_just_above_the_bound_fail(machine, recorded):
    case = tool.Case("", (50,), (5,), {"mode": "same"})
    x, kernel = tool.data((50,), "float64", 1), tool.data((5,), "float64", 2)
    answer = tool.exact(case, x, kernel)
    bound = 7 * 2.0**-52 * answer.spread
    assert tool.far(answer.value + 0.9 * bound, answer, x.dtype, normwise=False) < 1
    assert tool.far(answer.value + 1.1 * bound, answer, x.dtype, normwise=False) > 1
    assert tool.far(np.full_like(x, np.nan), answer, x.dtype, normwise=True) == np.inf


def test_smeared_nan_and_crashes_fail(machine, recorded, monkeypatch):
    def smeared(x, kernel, **options):
        return arrayconv.convolve(x, kernel, **options) + 0 * x.sum()

    def crash(*operands, **options):
        raise RuntimeError("the card fell off")

    rows, record = recorded
    monkeypatch.setattr(tool, "arrayconv", lambda: SimpleNamespace(convolve=smeared, explain=arrayconv.explain))
    with np.errstate(invalid="ignore"):
        tool._containment(machine, record)
    assert {row["outcome"] for row in rows} == {"failed"}
    rows.clear()
    monkeypatch.setattr(tool, "arrayconv", lambda: SimpleNamespace(convolve=crash, explain=arrayconv.explain))
    tool.correctness(machine, record, "batch")
    assert {(row["outcome"], row["message"]) for row in rows} == {("failed", "RuntimeError: the card fell off")}


def test_a_refusal_that_explain_does_not_list_fails(machine, recorded, monkeypatch):
    def refuse(*operands, **options):
        raise NotImplementedError("not today")

    rows, record = recorded
    monkeypatch.setattr(tool, "arrayconv", lambda: SimpleNamespace(convolve=refuse, explain=arrayconv.explain))
    tool._run_case(machine, record, tool.Case("", (50,), (5,), {}), "int64")
    assert {row["outcome"] for row in rows} == {"failed"}


def test_refusals_and_out_hold(machine, recorded):
    rows, record = recorded
    tool._refusals(machine, record)
    tool._out(machine, record)
    assert [row for row in rows if row["outcome"] != "ok"] == []


@pytest.mark.parametrize(
    ("line", "test", "outcome"),
    [
        ("conformance/test_a.py::test_b[x y] PASSED      [ 50%]", "conformance/test_a.py::test_b[x y]", "ok"),
        ("[gw0] [ 50%] PASSED conformance/test_a.py::test_b[x]", "conformance/test_a.py::test_b[x]", "ok"),
        ("conformance/test_a.py::test_b SKIPPED (why)  [ 50%]", "conformance/test_a.py::test_b", "skipped"),
        ("FAILED conformance/test_a.py::test_b - assert 1 == 2", "conformance/test_a.py::test_b", "failed"),
        ("conformance/test_a.py::test_b[x]", None, None),
        ("=== 3 passed in 1.2s ===", None, None),
    ],
)
def test_conformance_outcomes_are_read_from_what_pytest_prints(line, test, outcome, recorded):
    rows, record = recorded
    tool._read_outcome(line, tool.Counter(), record)
    assert [(row["case"], row["outcome"]) for row in rows] == ([(test, outcome)] if test else [])


@pytest.mark.parametrize("words", [["--libraries", "jax"], ["--phases", "lunch"], []])
def test_wrong_arguments_are_refused(words, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        tool.main(words and [*words, "--out", str(tmp_path)])
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err
