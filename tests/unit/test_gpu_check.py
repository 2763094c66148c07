"""The GPU check without a GPU: its status, its rehearsal, and that it can fail."""

import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

import arrayconv
from tools.gpu_check import __main__ as tool
from tools.gpu_check import cases, checks, report
from tools.gpu_check.cases import Case
from tools.gpu_check.machine import Machine, why_unusable


@pytest.fixture
def recorded():
    """A list, and the function that fills it."""
    rows = []
    return rows, lambda **fields: rows.append(fields)


@pytest.fixture
def machine():
    return Machine("cupy", rehearse=True)


@pytest.fixture
def convolving_as(monkeypatch):
    """A function that puts another `convolve` in the place of ours."""

    def replace(function):
        monkeypatch.setattr(checks, "arrayconv", SimpleNamespace(convolve=function, explain=arrayconv.explain))

    return replace


def run(rows, record):
    for labels, check in rows:
        checks.recorded(record, check, **labels)


def test_without_a_gpu_the_status_is_3_and_nothing_passed(tmp_path, capsys):
    if not all(why_unusable(library, rehearse=False) for library in tool.LIBRARIES):
        pytest.skip("there is a GPU here")
    assert tool.main(["--out", str(tmp_path)]) == report.NO_GPU
    text = (tmp_path / "report.md").read_text()
    assert "no GPU" in text
    assert "passed" not in text
    assert text.strip() == capsys.readouterr().out.strip()
    assert json.loads((tmp_path / "results.json").read_text())["verdict"] == "no GPU"
    assert "numpy" in (tmp_path / "env.txt").read_text()


def test_rehearsal_runs_the_cases_and_says_that_it_is_one(tmp_path, capsys):
    words = ["--out", str(tmp_path), "--rehearse", "--libraries", "cupy", "--phases", "smoke,correctness"]
    assert tool.main([*words, "--only", "stride 2"]) == 0
    text = (tmp_path / "report.md").read_text()
    assert text.startswith("# GPU check: rehearsal on CPU, all as expected")
    assert "passed" not in text
    rows = [r for r in json.loads((tmp_path / "results.json").read_text())["results"] if r["phase"] == "correctness"]
    assert {row["case"] for row in rows} == {"stride 2"}
    assert {row["dtype"] for row in rows} == set(cases.DTYPES)
    assert {row["method"] for row in rows} == set(checks.METHODS)
    capsys.readouterr()


def test_a_phase_past_its_deadline_is_on_record(tmp_path):
    (tmp_path / "results.jsonl").write_text('{"phase": "smoke", "cut off\n')
    arguments = tool.parse(["--out", str(tmp_path), "--rehearse"])
    tool.run_phase(arguments, "timing", "torch", 0)
    row = report.results(tmp_path)[-1]
    assert (row["phase"], row["outcome"]) == ("timing", "unfinished")
    assert report.judged([row], usable=True, rehearse=False)[1] == 1


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
    sentence, code = report.judged([{"outcome": outcome} for outcome in outcomes], usable, rehearse)
    assert sentence.startswith(verdict)
    assert code == status


def test_case_names_are_unique():
    names = [case.name for case in cases.table()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("dtype", ["float32", "int64", "float16"])
def test_wrong_results_fail(dtype, machine, recorded, convolving_as):
    convolving_as(lambda x, kernel, **options: np.roll(arrayconv.convolve(x, kernel, **options), 1))
    rows, record = recorded
    run(checks.of_case(machine, Case("shifted", (50,), (5,), {"mode": "same"}), dtype), record)
    outcomes = {row["method"]: row["outcome"] for row in rows}
    assert {outcomes[method] for method in checks.METHODS} == {"failed"}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda y: y[:-1], "out.shape=(49,), but should be (50,)"),
        (lambda y: y.astype(np.float64), "out.dtype=float64, but should be float32"),
        (np.ndarray.tolist, "type(out)=builtins.list"),
    ],
    ids=["shape", "dtype", "type"],
)
def test_results_of_another_form_fail(fault, message, machine, recorded, convolving_as):
    convolving_as(lambda x, kernel, **options: fault(arrayconv.convolve(x, kernel, **options)))
    rows, record = recorded
    expected = checks.Expected(case := Case("form", (50,), (5,), {"mode": "same"}), *case.operands("float32"))
    checks.recorded(record, lambda: checks.compared(machine, expected, "auto"))
    assert rows[0]["outcome"] == "failed"
    assert message in rows[0]["message"]


def test_errors_just_above_the_bound_fail():
    case = Case("", (50,), (5,), {"mode": "same"})
    expected = checks.Expected(case, *case.operands("float64"))
    bound = expected.bound("componentwise")
    assert bound.max() < 1e-13
    assert checks.judged(expected.value + 0.9 * bound, expected.value, bound).keys() == {"ratio"}
    record = checks.judged(expected.value + 1.1 * bound, expected.value, bound)
    assert (record["outcome"], record["message"]) == ("failed", "error is 1.1 times its bound")
    assert checks.excess(np.full_like(expected.x, np.nan), expected.value, expected.bound("normwise")) == np.inf


def test_nan_in_every_output_and_crashes_fail(machine, recorded, convolving_as):
    def crash(*operands, **options):
        raise RuntimeError("the card fell off")

    rows, record = recorded
    convolving_as(lambda x, kernel, **options: arrayconv.convolve(x, kernel, **options) + 0 * x.sum())
    with np.errstate(invalid="ignore"):
        run(checks.containment(machine), record)
    assert {row["outcome"] for row in rows} == {"failed"}
    rows.clear()
    convolving_as(crash)
    checks.correctness(machine, record, "batch")
    assert {(row["outcome"], row["message"]) for row in rows} == {("failed", "RuntimeError: the card fell off")}


def test_a_refusal_that_explain_does_not_list_fails(machine, recorded, convolving_as):
    def refuse(*operands, **options):
        raise NotImplementedError("not today")

    rows, record = recorded
    convolving_as(refuse)
    run(checks.of_case(machine, Case("", (50,), (5,), {}), "int64"), record)
    assert {row["outcome"] for row in rows} == {"failed"}


def test_refusals_and_out_hold(machine, recorded):
    rows, record = recorded
    run(checks.refusals(machine), record)
    run(checks.out(machine), record)
    assert [row for row in rows if row["outcome"] != "ok"] == []


def test_a_missing_refusal_fails(machine, recorded, convolving_as):
    convolving_as(lambda *operands, **options: None)
    rows, record = recorded
    run(checks.refusals(machine), record)
    assert {row["outcome"] for row in rows} == {"failed"}


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
    checks.read_outcome(line, Counter(), record)
    assert [(row["case"], row["outcome"]) for row in rows] == ([(test, outcome)] if test else [])


@pytest.mark.parametrize("words", [["--libraries", "jax"], ["--phases", "lunch"], []])
def test_wrong_arguments_are_refused(words, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        tool.main(words and [*words, "--out", str(tmp_path)])
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err
