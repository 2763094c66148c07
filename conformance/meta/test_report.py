"""Levels, totals, exit statuses and reports: what they count is what ran."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from .. import comparisons, crossing, levels, outcomes, page, report, totals
from ..asserts import Call
from ..backends import load
from ..verdict import NOTHING_RAN, Verdict
from .test_runner import SUITE, run

COLUMNS = [("dtypes", [("float64",), ("float32",), ("bfloat16",)]), ("row", [(str(i), i) for i in range(9)])]


def _rows(**changes):
    return crossing.crossed(COLUMNS, load("numpy")._replace(**changes))[1]


def _skipped(rows):
    return [row for row in rows if getattr(row, "marks", ())]


def test_dtypes_that_the_device_lacks_are_skipped_and_counted():
    (skipped, *_) = _skipped(_rows())
    assert len(_rows()) == crossing.combinations(COLUMNS) == 27
    assert len(_skipped(_rows())) == 9
    assert skipped.marks[0].kwargs["reason"] == "numpy has no bfloat16 on cpu"


@pytest.mark.parametrize(("most", "ran"), [(None, 9), (4, 3)])
def test_few_rows_are_each_row_once_or_a_part(most, ran):
    rows = _rows(few=True, most=most)
    assert (len(rows) - len(_skipped(rows)), len(_skipped(rows))) == (ran, 1)


def _config(level, **options):
    values = {"level": level, "seed": 0, "budget": None, "max_examples": None, **options}
    option = SimpleNamespace(**values)
    return SimpleNamespace(
        option=option, stash={}, getoption=lambda name: getattr(option, name.removeprefix("--").replace("-", "_"))
    )


@pytest.mark.parametrize(
    ("level", "slow", "few", "most", "examples"),
    [
        ("quick", False, True, None, 8),
        ("quick", True, True, 3, 2),
        ("default", False, False, None, 60),
        ("default", True, True, None, 4),
        ("thorough", True, False, None, 8),
    ],
)
def test_levels(level, slow, few, most, examples, monkeypatch):
    profiles = {}
    fake = SimpleNamespace(
        register_profile=lambda name, **values: profiles.update(values), load_profile=lambda name: None
    )
    monkeypatch.setattr(levels, "settings", fake)  # this run keeps its own
    backend = levels.begin(_config(level), load("numpy")._replace(few=slow))
    assert (backend.few, backend.most, profiles["max_examples"]) == (few, most, examples)


def test_only_thorough_repeats_random_tests():
    assert levels.rounds(_config("default")) == levels.rounds(_config("quick", budget=5)) == 1
    assert levels.rounds(_config("thorough", budget=5)) == 300


def _geometries(seed):
    numbers = []

    @given(st.integers())
    def test(number):
        numbers.append(number)

    config = _config("default", seed=seed)
    levels.prepare(SimpleNamespace(config=config, obj=test, name="test"))
    test()
    return numbers


def test_the_seed_varies_the_random_geometries():
    assert _geometries(0) == _geometries(0)
    assert _geometries(0) != _geometries(1)


@pytest.mark.parametrize(
    ("error", "bound", "where", "share"),
    [
        ([0.0, 1.0], [2.0, 4.0], True, 0.25),
        ([0.0], [0.0], True, 0.0),
        ([1e-9], [0.0], True, comparisons.LARGEST),
        ([np.nan], [1.0], True, comparisons.LARGEST),
        ([5.0, 1.0], [1.0, 2.0], np.array([False, True]), 0.5),
        ([], [], True, 0.0),
    ],
)
def test_share_of_the_bound(error, bound, where, share):
    assert comparisons.largest_share(np.array(error), np.array(bound), where) == share


def test_a_call_names_its_claims_and_its_dtype():
    names = {"x": "int32", "kernel": "float16"}
    operands = {"x": np.zeros(5), "kernel": np.zeros(3)}
    options = {"mode": "same", "boundary": ("wrap",), "stride": 2, "lags": None}
    call = Call("correlate", operands, names, options)
    comparisons.begin()
    comparisons.note(call)
    words = {"correlate", "mode:same", "boundary:wrap", "per_axis", "stride", "integers", "half", "mixed", "1d"}
    assert set(comparisons.claims()) == words
    comparisons.note(call, share=0.25)
    comparisons.note(call, share=0.125)
    comparisons.note("signature of lags")
    assert comparisons.calls() == [("correlate", "float16", 0.25), ("lags", None, None)]


def _test(outcome, **values):
    return {"file": "test_a.py", "test": "test", "case": "", "claims": [], "outcome": outcome, "why": "", **values}


def _outcomes(*rows):
    own = outcomes.Outcomes({}, {"all": 0, "selected": 0})
    own.rows = {str(i): row for i, row in enumerate(rows)}
    return own


@pytest.mark.parametrize(
    ("rows", "status", "expected"),
    [
        (("passed",), 0, 0),
        (("passed", "skipped"), 0, 0),
        (("xfailed",), 0, 0),
        (("skipped", "skipped"), 0, NOTHING_RAN),
        (("passed", "failed"), 0, 1),
        (("skipped",), 2, 2),
        ((), 5, 5),
    ],
)
def test_status(rows, status, expected):
    assert Verdict(_outcomes(*map(_test, rows))).status(status) == expected


def test_a_test_that_never_ended_is_counted_and_is_no_success():
    own = _outcomes(_test("passed"))
    own.collected = {"0", "test_lags.py::test_lost[1]", "meta/test_c.py::test"}
    own.finish()
    assert totals.not_run(own.tests()) == [{"reason": outcomes.LOST, "tests": 1}]
    assert Verdict(own).status(0) == 1


@pytest.mark.parametrize(
    ("nodeid", "counted"),
    [
        ("conformance/test_lags.py::test_peak[even]", True),
        ("test_lags.py::test_peak[even]", True),
        ("conformance/meta/test_asserts.py::test_a", False),
        ("meta/test_asserts.py::test_a", False),
        ("tests/unit/test_lags.py::test_peak", False),
    ],
)
def test_only_tests_of_the_suite_are_counted(nodeid, counted):
    own = _outcomes()
    crash = SimpleNamespace(
        nodeid=nodeid, outcome="failed", when="???", duration=0, longrepr="crashed", user_properties=[]
    )
    own.pytest_runtest_logreport(crash)
    assert [row["why"] for row in own.tests()] == ["crashed"] * counted


def test_totals_count_every_test_under_its_claims_and_dtypes():
    calls = [["convolve", "float32", 0.5], ["convolve", "float64", 0.25], ["lags", None, None]]
    tests = [
        _test("passed", calls=calls, claims=["convolve", "lags"]),
        _test("failed", calls=calls[:1], claims=["convolve"]),
        _test("skipped", function="einconv", dtype="int8", why="not claimed: einconv, stride"),
    ]
    sums = totals.everything(tests)
    assert sums["all"] == {"passed": 1, "failed": 1, "xfailed": 0, "skipped": 1}
    assert {key: row["skipped"] for key, row in sums["by_claim"].items() if row["skipped"]} == {
        "einconv": 1,
        "stride": 1,
    }
    assert sums["by_dtype"]["float32"] == {"passed": 1, "failed": 1, "xfailed": 0, "skipped": 0}
    shares = {(cell["function"], cell["dtype"]): cell["worst_share"] for cell in totals.grid(tests)}
    assert shares["convolve", "float64"] == 0.25
    assert shares["einconv", "int8"] is None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The reports of a target with a fault."""
    path = tmp_path_factory.mktemp("report")
    tests = (f"{SUITE}/test_values.py::test_by_hand", f"{SUITE}/test_dtypes.py::test_mixed_dtypes")
    process = run(
        *tests, "--target", "wrong_same", "--level", "quick", "--seed", "5", "--report", str(path), "--progress"
    )
    assert process.returncode == pytest.ExitCode.TESTS_FAILED, process.stdout
    assert "seed 5" in process.stdout.splitlines()[0]
    assert "conformance: totals" in process.stdout
    return path


def test_json_has_the_documented_keys_and_its_own_sums(folder):
    content = json.loads((folder / "report.json").read_text())
    documented = re.findall(r"^\| `(\w+)` \|", (SUITE / "README.md").read_text().partition("## The report")[2], re.M)
    assert set(content) == set(documented)
    assert content["schema"] == report.SCHEMA
    assert (content["level"], content["seed"], content["exit_status"]) == ("quick", 5, 1)
    assert content["totals"] == totals.everything(content["tests"])
    assert content["totals"]["by_area"]["test_values.py"]["failed"] > 0
    assert content["combinations"]["selected"] < content["combinations"]["all"]
    assert {"reason": "numpy has no bfloat16 on cpu", "tests": 2} in content["not_run"]


def test_snippet_of_a_failure_runs_as_it_is(folder):
    tests = json.loads((folder / "report.json").read_text())["tests"]
    snippets = [row["snippet"] for row in tests if "snippet" in row]
    assert snippets
    for snippet in snippets:
        exec(snippet.replace("wrong_same", "arrayconv"), {})


def test_page_has_the_grid_and_the_failures_and_loads_nothing(folder):
    text = (folder / "report.html").read_text()
    assert re.search(r'<th>convolve</th><td class="fail" title="[^"]*">\d+ failed</td>', text)
    assert "test_values.py::test_by_hand</code>" in text
    assert '<pre class="paste"># target wrong_same' in text
    assert "numpy has no bfloat16 on cpu" in text
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"https?:|url\(|@import|src=|<script|<link", text)


def test_reports_merge_into_one_matrix(folder, tmp_path):
    content = json.loads((folder / "report.json").read_text())
    (tmp_path / "other.json").write_text(json.dumps({**content, "backend": "torch", "target": "<other>"}))
    merged = report.merge([folder / "report.json", tmp_path / "other.json"])
    report.save(merged, tmp_path / "merged.json", tmp_path / "merged.html")
    again = report.merge([tmp_path / "merged.json", folder / "report.json"])
    assert [run["backend"] for run in again["runs"]] == ["numpy", "torch", "numpy"]
    text = (tmp_path / "merged.html").read_text()
    assert text.count('<section id="run-') == 2
    assert "&lt;other&gt; on torch, cpu" in text.partition('<section id="run-0"')[0]


def test_a_file_of_another_schema_is_not_merged(tmp_path):
    (tmp_path / "old.json").write_text('{"tests": []}')
    with pytest.raises(ValueError, match="is no report of schema"):
        report.merge([tmp_path / "old.json"])


@pytest.mark.parametrize(
    ("share", "appearance"),
    [
        (None, ("exact", "passed")),
        (0.0, ("exact", "exact")),
        (0.005, ("s0", "0.005")),
        (0.5, ("s3", "0.5")),
        (0.93, ("s4", "0.93")),
    ],
)
def test_colour_is_the_share_of_the_bound(share, appearance):
    sums = {"passed": 1, "failed": 0, "xfailed": 0, "skipped": 3}
    assert page._appearance(sums, share) == appearance
    assert page._appearance({**sums, "failed": 2}, share)[0] == "fail"


def test_a_spent_budget_is_a_reason_and_no_success():
    process = run(f"{SUITE}/test_values.py::test_random_geometry", "--level", "thorough", "--budget", "1e-9")
    assert process.returncode == NOTHING_RAN
    assert "the time budget of 1e-09 minutes is spent" in process.stdout
