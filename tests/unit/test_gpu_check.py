"""The GPU check without a GPU: its status, its rehearsal, and that it can fail."""

import json
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

import arrayconv
from tools.gpu_check import __main__ as tool
from tools.gpu_check import bench, cases, checks, driver, few, report, sanitizers
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
    tool.run_phase(arguments, "bench", "torch", 0)
    row = report.results(tmp_path)[-1]
    assert (row["phase"], row["outcome"]) == ("bench", "unfinished")
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
    assert {outcomes[method] for method in checks.STANDARD_ONLY} == {"failed"}


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
    assert {row["outcome"] for row in rows if row["method"] in checks.STANDARD_ONLY} == {"failed"}
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
    assert {row["outcome"] for row in rows if row["method"] in checks.STANDARD_ONLY} == {"failed"}


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


# ---- the phases besides correctness ----


def test_ceilings_and_bench_are_rehearsed_on_the_hosts_clock(machine, recorded):
    rows, record = recorded
    bench.ceilings(machine, record, "")
    (limits,) = [row["ceilings"] for row in rows]
    assert all(number > 0 for number in limits.values())
    bench.bench(machine, record, "7 x 7, reflect", limits)
    timed = [row for row in rows if row.get("outcome") == "ok" and "microseconds" in row]
    assert {row["method"] for row in timed} == {"arrayconv", "fft", "scipy.ndimage.convolve"}
    assert all(row["copy"] > 0 and row["multiply_adds"] > 0 for row in timed)
    text = "\n".join(report.lines([{"library": "cupy", "phase": "bench", **row} for row in rows], "", True))
    assert "multiply-adds" in text
    assert "| cupy | 256 x 256 by 7 x 7, reflect | float32 | arrayconv |" in text


def test_torchs_convolutions_are_timed_beside_ours(recorded):
    rows, record = recorded
    bench.bench(Machine("torch", rehearse=True), record, "3 channels")
    assert {row["method"] for row in rows if row["outcome"] == "ok"} >= {"arrayconv", "torch conv2d"}


@pytest.mark.parametrize("problem", list(bench.problems(True)), ids=lambda problem: problem.name)
def test_problems_are_calls_that_can_be_planned(problem):
    options = {"call": arrayconv.nn.conv2d} if problem.has_channels else {}
    explained = arrayconv.explain(problem.x, problem.kernel, dtype=problem.dtype, **options, **problem.options)
    assert np.prod(explained.output_shape) == problem.outputs


def test_waits_are_found_by_the_detector_and_nothing_is_fetched(machine, recorded, monkeypatch):
    rows, record = recorded
    active = []

    @contextmanager
    def detector():
        active.append(True)
        yield
        active.pop()

    monkeypatch.setattr(machine, "waits_refused", detector, raising=False)
    monkeypatch.setattr(machine, "host", None, raising=False)
    checks.waits(machine, record, "dilation 3")
    assert {row["outcome"] for row in rows} == {"ok", "refused"}

    def convolve(*operands, **options):
        raise RuntimeError("it waits" if active else "")

    monkeypatch.setattr(checks, "arrayconv", SimpleNamespace(convolve=convolve, correlate=convolve))
    rows.clear()
    checks.waits(machine, record, "dilation 3")
    assert {(row["outcome"], row["message"]) for row in rows} == {("failed", "RuntimeError: it waits")}


def test_few_calls_run_under_a_tool_that_may_fail(machine, recorded, tmp_path, monkeypatch):
    rows, record = recorded
    monkeypatch.setattr(sanitizers, "CHECKS", ("memcheck",))
    monkeypatch.setenv("PATH", str(tmp_path))
    sanitizers.sanitizer(machine, record, "")
    assert (rows[-1]["case"], rows[-1]["outcome"]) == ("memcheck", "skipped")
    path = tmp_path / sanitizers.TOOL
    for script, outcome in (('shift 4; exec "$@"', "ok"), ("echo a race; exit 9", "failed")):
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        sanitizers.sanitizer(machine, record, "")
        assert rows[-1]["outcome"] == outcome, rows[-1]
    assert rows[-1]["message"] == "a race"


def test_streams_are_torchs(machine, recorded):
    rows, record = recorded
    sanitizers.streams(machine, record, "")
    assert rows[0]["outcome"] == "skipped"
    assert few.main("torch", True) == 0


def test_only_cards_of_the_driver_are_gpus(monkeypatch):
    card = driver.Card("NVIDIA H100 80GB HBM3", "GPU-1", "CUDA 13.0")
    monkeypatch.setattr(driver, "cards", lambda: [card])
    assert driver.why_not(card.name) == ""
    assert "'stand-in for CuPy'" in driver.why_not("stand-in for CuPy")
    text = "\n".join(report.lines([], "passed", False, report.cards()))
    assert "* NVIDIA H100 80GB HBM3, GPU-1, driver for CUDA 13.0" in text
    assert f"sha256 {report.sources_hash()}" in text

    def absent():
        raise OSError("libcuda.so.1: cannot open")

    monkeypatch.setattr(driver, "cards", absent)
    assert driver.why_not(card.name).startswith("NVIDIA's driver lists no card (libcuda.so.1: cannot open)")
    assert report.cards() == []


def test_every_phase_has_its_function():
    for phase in tool.PHASES:
        module = {"bench": bench, "sanitizers": sanitizers, "checks": checks}[tool.MODULES.get(phase, "checks")]
        assert phase == "status" or callable(getattr(module, phase))


def test_bench_gets_the_ceilings_that_were_measured_and_conformance_a_file(tmp_path):
    tool.recorder(tmp_path, "ceilings", "cupy")(case="card", outcome="ok", ceilings={"mac_us": 1})
    words = ["--out", str(tmp_path), "--rehearse", "--library", "cupy", "--phase"]
    assert tool.more(tool.parse([*words, "bench"])) == {"limits": {"mac_us": 1}}
    assert tool.more(tool.parse([*words, "conformance"])) == {"report": tmp_path / "conformance-cupy.json"}
    (tmp_path / "conformance-cupy.json").write_text('{"passed": 3}')
    contents = report.files(report.results(tmp_path), tmp_path, {"kernels": "0"})
    assert contents["conformance.json"] == {"kernels": "0", "suites": {"cupy": {"passed": 3}}}
    assert [row["case"] for row in contents["bench.json"]["results"]] == ["card"]
