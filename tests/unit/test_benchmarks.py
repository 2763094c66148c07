"""The benchmarks: the table of problems, the agreement of all contenders, the statements about the times."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from arrayconv import config
from arrayconv._accel.native import loader
from arrayconv._calls import cache, prepare
from arrayconv._costs import cost_table
from arrayconv._plan import plan
from arrayconv._plan.rank import TABLE
from arrayconv._runtime import threads as cores
from tests.conftest import LIBRARIES

for package in ("matplotlib", "rich", "scipy"):
    pytest.importorskip(
        package, reason=f"{package} is not installed, and the benchmarks draw, print or compare with it"
    )

from benchmarks import contenders, fit, page, peers, picks, pictures, remembered, report, run, timing  # noqa: E402, once they can be imported
from benchmarks.doors import field as door_field  # noqa: E402
from benchmarks.doors import ours as door_calls  # noqa: E402
from benchmarks.doors import predict as door_predict  # noqa: E402
from benchmarks.doors import report as door_report  # noqa: E402
from benchmarks.doors import rows as door_rows  # noqa: E402
from benchmarks.doors import run as door_run  # noqa: E402
from benchmarks.doors.rows import MODULES, NOT_TIMED  # noqa: E402
from benchmarks.doors.table import ROWS, select  # noqa: E402
from benchmarks.problems import EVERYWHERE, PROBLEMS, explained, operands, work  # noqa: E402

ROOT = Path(__file__).parents[2]
CHECKED = (  # small rows, one of each kind
    "10^2 x 5 float64",
    "10^2 x 15 float32",
    "64^2 x 3^2 float32",
    "2 x 4 x 16^2, 8 of 3^2 float64",
)


def problem(label):
    return next(row for row in PROBLEMS if row.label == label)


def row(name, dtype="float32", *, auto=2e6, plain=4e6, peers=None, methods=None, **more):
    """Return a row of a result, with times in nanoseconds."""
    return {
        "name": name,
        "dtype": dtype,
        "kind": "convolve",
        "x": [512, 512],
        "kernel": [3, 3],
        "tags": ["2-D", "large", "single-channel"],
        "macs": 10**7,
        "bytes": 10**6,
        "method": "fft",
        "plain_method": "direct",
        "ours": {"auto": auto, "plain": plain, "pure": 2 * plain},
        "methods": {"fft": 2e6, "direct": 3e6} if methods is None else methods,
        "peers": {"scipy.ndimage.convolve": 3e6, "cv2.filter2D": 1e6} if peers is None else peers,
        "left_out": {},
        **more,
    }


def result(*rows, library="numpy"):
    return {
        "library": library,
        "date": "2026-01-02",
        "seconds": 1.0,
        "machine": {"cpu": "a processor", "cores": 2, "load": 0.0, "loops": "avx2"},
        "versions": {"python": "3.11", "numpy": "2.4"},
        "ceilings": {"copy": 1e10, "float32": 1e11, "float64": 5e10},
        "rows": list(rows),
    }


def line(samples, taps, method="fft", **more):
    return row(f"{samples} x {taps}", x=[samples], kernel=[taps], tags=["1-D", "single-channel"], method=method, **more)


SMALL = result(
    *(row(f"512^2 x {taps}^2", kernel=[taps, taps]) for taps in (3, 7, 15)),
    row("512^2 x 3^2", "float64"),
    *(line(10**power, 15, auto=10.0**power) for power in (3, 4, 5, 6, 7)),
    *(line(10**6, taps) for taps in (101, 1001)),
)


@pytest.mark.parametrize("row", PROBLEMS, ids=lambda row: row.label)
def test_problem_is_well_formed(row):
    macs, moved = work(row)
    assert macs > 0
    assert moved > 0
    assert set(row.libraries) <= set(EVERYWHERE)
    assert row.tags & {"single-channel", "channels", "lags", "layers"}
    assert len(row.tags & {"small", "large"}) == 1
    assert explained(row).method in TABLE


def test_labels_are_unique():
    labels = [row.label for row in PROBLEMS]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("library", EVERYWHERE)
def test_every_library_has_a_quick_problem_and_every_group_rows(library):
    rows = [row for row in PROBLEMS if library in row.libraries]
    assert any("quick" in row.tags for row in rows)
    for group in report.GROUPS[library]:
        assert any(group.tags <= {*row.tags, row.dtype} for row in rows), group.title


def test_operands_repeat():
    for first, second in zip(operands(PROBLEMS[0]), operands(PROBLEMS[0]), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("label", CHECKED)
@pytest.mark.parametrize("library", [name for name in EVERYWHERE if name in LIBRARIES])
def test_contenders_agree(library, label):
    if library not in problem(label).libraries:
        pytest.skip(f"the row is not timed on {library} arrays")
    field = contenders.field(problem(label), library, every_method=library != "jax")
    assert field.ours["auto"]
    assert field.peers
    assert field.method in TABLE
    assert set(peers.of(library)) | set(TABLE if library != "jax" else ()) == {
        *field.peers,
        *field.methods,
        *field.left_out,
    }


def test_transposed_row_is_explained_as_it_runs():
    row = next(row for row in PROBLEMS if row.kind == "transposed")
    assert explained(row).output_shape == (8, 32, 64, 64)


@pytest.mark.parametrize(("dtype", "error"), [("float32", 1e-3), ("float64", 1e-6), ("int32", 1)])
def test_a_wrong_contender_is_refused(dtype, error):
    row = problem("10^2 x 5 float64")._replace(dtype=dtype)
    reference = np.arange(1, 6).astype(dtype)
    contenders.agree(reference, reference, row, "right")
    with pytest.raises(AssertionError, match=r"wrong differs by"):
        contenders.agree(reference + np.asarray(5 * error, dtype), reference, row, "wrong")
    with pytest.raises(AssertionError, match=r"wrong has shape \(4,\), ours \(5,\)"):
        contenders.agree(reference[1:], reference, row, "wrong")


def test_a_peer_that_its_library_refuses_is_left_out_with_the_reason():
    def refuses():
        raise NotImplementedError("not for you\nand more")

    rivals, left_out = {"it": timing.Timed(refuses)}, {}
    contenders._check(rivals, np.ones(3), PROBLEMS[0], "numpy", left_out)
    assert (rivals, left_out) == ({}, {"it": "not for you"})


def test_interleaved_rounds_time_everyone_and_the_hopeless_a_few_times():
    counts = {"quick": 0, "slow": 0}

    def count(name, iterations):
        counts[name] += 1
        sum(range(iterations))

    row = {name: timing.Timed(lambda n=name, i=i: count(n, i)) for name, i in (("quick", 10), ("slow", 10**6))}
    best = timing.interleaved(row, 0.0, warm_ns=10**6)
    assert best["quick"] < best["slow"]
    assert 2 <= counts["slow"] <= timing.TRIALS
    assert counts["quick"] > timing.ROUNDS


def test_rivals_near_the_fastest_go_on_for_more_rounds():
    called, queries = [], []

    def wait(name, seconds):
        called.append(name)
        time.sleep(seconds)

    times = {"ours": 0.01, "peer": 0.0101, "slow": 0.03}
    row = {name: timing.Timed(partial(wait, name, took)) for name, took in times.items()}

    def rivals(names):
        queries.append(sorted(names))
        return len(queries) <= 5

    timing.interleaved(row, 0.0, warm_ns=0, rivals=rivals)
    assert queries == [["ours", "peer"]] * 6
    assert sorted(called[-10:]) == ["ours"] * 5 + ["peer"] * 5
    assert "slow" in called[-13:-10]


@pytest.mark.parametrize(("took", "rounds"), [((1, 1, 1), 10), ((1, 1.02, 1.04), 40)])
def test_rivals_go_on_until_their_shortest_turns_are_close(took, rounds, monkeypatch):
    queries, turns = [], iter([*took] + [2.0] * 50)
    monkeypatch.setattr(timing, "once", lambda *arguments: 1.0)
    monkeypatch.setattr(timing, "_turn", lambda *arguments: next(turns))
    timing.interleaved({"ours": timing.Timed(None)}, 0.0, warm_ns=0, rivals=lambda names: queries.append(1) or True)
    assert timing.ROUNDS + len(queries) == rounds


def test_near_rows_are_those_that_noise_could_decide():
    groups = [group for group in report.GROUPS["numpy"] if group.ours != "pure"]
    peers = {"cv2.filter2D": 9e6, "scipy.ndimage.convolve": 9e6}
    assert not report.is_near(row("clear", peers=peers), groups)
    assert report.is_near(row("near", peers=peers | {"cv2.filter2D": 2.2e6}), groups)
    assert report.is_near(row("alone", plain=8e6, peers=peers), groups)
    assert report.is_near(row("chosen", peers=peers, methods={"fft": 3e6, "direct": 1e6}), groups)
    assert not report.is_near(row("elsewhere", peers=peers | {"cv2.filter2D": 2e6}), ())


def test_page_says_which_commit_was_timed():
    one, other = result() | {"commit": "abc"}, result(library="torch")
    assert page._commits([one, other | {"commit": "abc"}]) == ", commit abc"
    assert page._commits([one, other | {"commit": "def"}]) == ", numpy of commit abc, torch of commit def"
    assert page._commits([one, other]) == ", numpy of commit abc"
    assert page._commits([other]) == ""


def test_leaders_are_ours_and_all_that_are_not_far_behind():
    times = row("512^2", auto=2e6, plain=4e6, peers={"near": 6e6, "far": 7e6}, methods={"fft": 2e6, "slow": 9e6})
    ours = {("ours", name) for name in ("auto", "plain", "pure")}
    assert report.leaders(times) == ours | {("peer", "near"), ("method", "fft")}


def test_the_shorter_of_two_times_counts():
    first = row("512^2", auto=2e6, peers={"a": 3e6, "b": 5e6})
    again = row("512^2", auto=3e6, plain=3e6, peers={"a": 2e6}, methods={})
    shortest = report.shortest(first, again)
    assert shortest["ours"] == {"auto": 2e6, "plain": 3e6, "pure": 6e6}
    assert shortest["peers"] == {"a": 2e6, "b": 5e6}
    assert shortest["methods"] == first["methods"]


def test_rows_of_doors_that_are_off_are_timed_again(monkeypatch):
    def timed(row, library, is_quick=False):
        times[row.label].append(library)
        took = 4000.0 if len(times[row.label]) == 1 and row is options.rows[1] else 1000.0
        one = {"label": row.label, "method": "fft", "cost_ns": 1000, "ours": took}
        return one | {"peers": {"SciPy": took + len(times[row.label])}}

    options = door_run.parse(["--library", "numpy", "--door", "astronomy"])
    times = {row.label: [] for row in options.rows}
    monkeypatch.setattr(door_run, "timed", timed)
    result = door_run.measure(options, lambda text: None)
    assert [len(each) for each in times.values()] == [1, 2, *[1] * (len(times) - 2)]
    assert (result["rows"][1]["ours"], result["rows"][1]["peers"]) == (1000.0, {"SciPy": 1002.0})


def test_close_races_are_run_in_three_processes(monkeypatch):
    timed = []

    def apart(function, problem, *more):
        timed.append((problem.name, more[-1]))
        return row("near", auto=2e6 - len(timed), peers={"cv2.filter2D": 2e6})

    monkeypatch.setattr(run, "apart", apart)
    options = run.parse(["--filter", "10^2 x 5"])
    rows = [row("clear", auto=1e6, plain=1e6, peers={"cv2.filter2D": 9e6}, methods={}), row("near", methods={})]
    run.again(rows, options, lambda text: None)
    near = options.problems[1]
    assert [name for name, _ in timed] == [near.name] * 2
    assert ("peer", "cv2.filter2D") in timed[0][1]
    assert rows[1]["ours"]["auto"] == 2e6 - 2


def test_a_field_can_hold_a_few():
    field = contenders.field(problem("10^2 x 5 float64"), "numpy", only={("ours", "auto"), ("peer", "numpy.convolve")})
    assert set(field.timed) == {("ours", "auto"), ("peer", "numpy.convolve")}


def test_a_race_is_open_between_ours_and_others():
    assert run.is_open([("ours", "auto"), ("peer", "scipy.signal")])
    assert run.is_open([("method", "fft"), ("peer", "scipy.signal")])
    assert not run.is_open([("ours", "auto"), ("method", "fft")])
    assert not run.is_open([("peer", "torch.fft"), ("peer", "scipy.signal")])


def test_ratio_is_the_best_peer_over_ours():
    assert report.best_peer(SMALL["rows"][0]) == ("cv2.filter2D", 1e6)
    assert report.ratio(SMALL["rows"][0]) == 0.5
    assert report.ratio(SMALL["rows"][0], "plain", report.ALONE) == 0.75
    assert report.ratio(row("without peers", peers={})) is None


def test_standing_is_the_geometric_mean_and_the_least():
    rows = [row("a", auto=1e6), row("b", auto=4e6), row("c", peers={}), row("d", tags=["channels"], auto=1.0)]
    standing = report.standing(rows, next(group for group in report.GROUPS["numpy"] if group.ours == "auto"))
    assert standing.count == 2
    assert standing.mean == pytest.approx(0.5)
    assert (standing.least, standing.where) == (0.25, "b float32")


def test_choices_name_the_faster_method():
    far = row("far", auto=4.2e6, methods={"fft": 4e6, "banded": 2e6})
    lines = report.choice_lines([SMALL["rows"][0], far, row("untimed", methods={})])
    assert lines == [
        "auto is within 1.25 x of the fastest method in 1 of 2 problems",
        "  far float32: fft takes 2.00 x banded",
    ]


def test_shares_of_the_ceilings():
    limits = timing.Ceilings(copy=1e9, float32=1e10, float64=5e9)
    assert limits.shares(5 * 10**6, 10**6, 2e6, "float32") == pytest.approx((0.5, 0.25))
    assert limits.shares(5 * 10**6, 10**6, 2e6, "float64") == pytest.approx((0.5, 0.5))
    assert limits.shares(5 * 10**6, 10**6, 2e6, "int32")[1] is None


def test_labels_are_spread_around_their_centre():
    assert pictures._apart([0, 1, 50], 10) == [-4.5, 5.5, 50]


def test_fit_finds_the_power():
    assert pictures._fit([1, 10, 100], [3, 300, 30000]) == pytest.approx((2, 3))


def test_page_is_written_from_json(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/numpy.json").write_text(json.dumps(SMALL))
    (tmp_path / "results/torch.json").write_text(json.dumps(result(row("512^2 x 3^2"), library="torch")))
    page.main(["--results", str(tmp_path / "results"), "--page", str(tmp_path / "docs/benchmarks.md")])
    text = (tmp_path / "docs/benchmarks.md").read_text()
    assert "a processor, 2 cores; Python 3.11, NumPy 2.4" in text
    assert "| 512^2 x 3^2 float32 | 2 ms | fft | 1 ms | cv2.filter2D | 0.50 | 0.75 |" in text
    assert "| torch | one channel | 1 | 0.50 | 0.50 | 512^2 x 3^2 float32 |" in text
    for name in ("bench_map", "bench_taps", "bench_growth"):
        assert f"(images/{name}.png)" in text
        assert (tmp_path / f"docs/images/{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_published_page_is_that_of_the_published_results(tmp_path, monkeypatch):
    for draw in ("draw_map", "draw_taps", "draw_growth"):
        monkeypatch.setattr(pictures, draw, lambda *_: True)
    page.main(["--page", str(tmp_path / "benchmarks.md")])
    assert (tmp_path / "benchmarks.md").read_text() == page.PAGE.read_text(), "run python -m benchmarks.page"


def test_page_says_the_short_of_other_machines(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "numpy.json").write_text(json.dumps(SMALL))
    slower = {**SMALL, "rows": [row("512^2 x 3^2", auto=4e6)]}
    (tmp_path / "other/numpy.json").write_text(json.dumps(slower))
    page.main(["--results", str(tmp_path), "--page", str(tmp_path / "docs/benchmarks.md")])
    first, _, other = (tmp_path / "docs/benchmarks.md").read_text().partition("## On another machine")
    assert "| 1 | 0.25 | 0.25 | 512^2 x 3^2 float32 |" in other.partition("## Reading the tables")[0]
    assert "0.25" not in first


def test_page_has_a_section_on_bound_calls(tmp_path):
    methods = {"auto": {"convolve": [4.25, 4.5], "out=": [None, 7.0]}, "direct": {"out=": [10.0, 30.0]}}
    calls = {"date": "2026-11-29", "commit": "0123abc", "libraries": {"numpy": {"floor": 1.25, "methods": methods}}}
    page.write([SMALL], tmp_path / "benchmarks.md", calls=calls)
    text = (tmp_path / "benchmarks.md").read_text()
    assert "commit 0123abc" in text
    assert "| numpy, floor 1.2 | convolve | out= |" in text
    assert "| auto | 4.2 / 4.5 | 7.0 |" in text
    assert "| direct | - | 10.0 / 30.0 |" in text


def test_page_leaves_out_pictures_without_rows(tmp_path):
    page.write([result(row("512^2 x 3^2"))], tmp_path / "benchmarks.md")
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["bench_map.png"]


def test_page_without_results_says_what_to_run(tmp_path, capsys):
    with pytest.raises(SystemExit):
        page.main(["--results", str(tmp_path)])
    assert "Run make bench." in capsys.readouterr().err


def test_quick_run_prints_and_writes(tmp_path):
    file = tmp_path / "numpy.json"
    command = [sys.executable, "-m", "benchmarks.run", "--quick", "--filter", "10^2 x 5", "--json", str(file)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr
    assert "numpy.convolve" in process.stdout
    result = json.loads(file.read_text())
    assert [row["name"] for row in result["rows"]] == ["10^2 x 5", "10^2 x 5"]
    assert all(row["ours"]["auto"] > 0 for row in result["rows"])
    assert report.standings(result)


def test_each_problem_of_a_run_has_a_new_process():
    from benchmarks import run

    others = {run.apart(os.getpid) for _ in range(2)}
    assert len(others) == 2
    assert os.getpid() not in others


def test_run_refuses_a_filter_that_matches_nothing(capsys):
    from benchmarks import run

    with pytest.raises(SystemExit):
        run.main(["--filter", "nothing of the kind"])
    assert "--filter must occur in a problem on numpy arrays. Got 'nothing of the kind'." in capsys.readouterr().err


def test_bound_calls_are_a_table_with_a_dash_for_refusals(tmp_path, capsys):
    file = tmp_path / "remembered.json"
    methods = ["direct", "numpy_convolve", "xla_conv"]
    arguments = ["--library", "numpy", "--methods", *methods, "--doors", "convolve", "convolve 1-D"]
    remembered.main([*arguments, "--seconds", "0.01", "--json", str(file)])
    rows = json.loads(file.read_text())["libraries"]["numpy"]["methods"]
    assert rows["direct"].keys() == {"convolve", "convolve 1-D"}
    assert rows["numpy_convolve"].keys() == {"convolve 1-D"}
    assert "xla_conv" not in rows
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "numpy_convolve" in line]
    assert " - " in line


def test_bound_calls_are_profiled(monkeypatch, capsys):
    monkeypatch.setattr(remembered, "PROFILED", 3)
    remembered.main(["--library", "numpy", "--methods", "auto", "--doors", "ndimage.correlate", "--profile"])
    output = capsys.readouterr().out
    assert "ndimage.correlate by auto: 3 calls" in output
    assert "tottime" in output


def test_the_grid_of_picks_is_of_2744_problems_with_labels_of_their_own():
    labels = [label for label, *_ in picks.grid()]
    assert len(labels) == len(set(labels)) == 2744


def test_picks_of_two_commits_are_compared():
    before = {"AVX2": {"a": "fft", "b": "direct"}}
    after = {"AVX2": {"a": "fft", "b": "im2col", "c": "dot"}}
    assert picks.changes(before, after) == ["AVX2 b: direct -> im2col", "AVX2 c: not in the grid -> dot"]
    assert picks.counts({"AVX2": {"convolve 1": "fft", "convolve 2": "fft"}})[0] == "AVX2 convolve 2: fft 2"


def test_picks_are_those_of_explain(tmp_path, capsys):
    file = tmp_path / "picks.json"
    label = "convolve 100^1 * 3^1 float32"
    picks.main(["--filter", label, "--json", str(file)])
    tables = json.loads(file.read_text())
    assert tables.keys() == picks.TABLES.keys()
    assert all(methods.keys() == {label} and methods[label] in TABLE for methods in tables.values())
    picks.main(["--filter", label, "--against", str(file)])
    assert "0 picks changed" in capsys.readouterr().out


# ---- doors ----


def door_row(label="sobel 64^2", *, ours=100_000.0, cost=100_000, peers=None, **more):
    """Return a row of a result of the doors, with times in nanoseconds."""
    return {
        "door": "ndimage",
        "function": "sobel",
        "label": label,
        "dtype": "float32",
        "gradients": 0,
        "method": "passes",
        "cost_ns": cost,
        "ours": ours,
        "peers": {"SciPy": 400_000.0, "OpenCV": 50_000.0} if peers is None else peers,
        "left_out": {},
        "wrong": {},
        **more,
    }


def door_result(*rows, library="numpy"):
    return result(*rows, library=library) | {"commit": "abc", "part": ""}


@pytest.mark.parametrize("door", MODULES)
@pytest.mark.parametrize("part", ["", "quick"])
def test_every_public_function_is_timed(door, part):
    """On some library at least, in the default run and in the quick one."""
    module = importlib.import_module(MODULES[door][0])
    timed = {row.function for library in EVERYWHERE for row in select(library, door, part)}
    assert timed == set(module.__all__) - set(NOT_TIMED.get(door, ()))


def test_rows_of_doors_are_named_apart_and_not_timed_names_exist():
    assert len({row.label for row in ROWS}) == len(ROWS)
    for door, names in NOT_TIMED.items():
        assert set(names) <= set(importlib.import_module(MODULES[door][0]).__all__)


@pytest.mark.parametrize("library", [name for name in EVERYWHERE if name in LIBRARIES])
@pytest.mark.parametrize(
    "label",
    [
        "ndimage.gaussian_filter 64^2 float32",
        "ndimage.gaussian_gradient_magnitude 64^2 float32",
        "ndimage.convolve1d 10^3 x 9 float32",
        "signal.correlate 64^2 x 9^2 float32",
        "nn.conv_transpose1d (2, 4, 64) x (4, 4, 3) float32, with gradients",
        "Convolver 64^2 x 15^2 float32, separable",
        "einconv (2, 4, 16, 16) x (8, 4, 3, 3) float32, with gradients",
        "vjp 64^2 x 7^2 float32, with gradients",
    ],
)
def test_peers_of_a_door_agree_with_ours(library, label):
    (row,) = [row for row in ROWS if row.label == label]
    contenders = door_field.field(row, library)
    assert contenders.peers, contenders.left_out
    assert not contenders.wrong
    assert (contenders.cost_ns is not None) == door_calls.is_explained(row, library)


@pytest.mark.parametrize("row", select("numpy", "astronomy", "quick"), ids=lambda row: row.label)
def test_astropys_functions_agree_with_ours(row):
    pytest.importorskip("astropy", reason="astropy is not installed")
    contenders = door_field.field(row, "numpy")
    assert set(contenders.peers) == {"astropy"}, contenders.left_out
    assert not contenders.wrong
    assert contenders.cost_ns is None


@pytest.mark.parametrize("taps", [101, 10**4])
def test_streams_agree_with_scipy(taps):
    row = next(row for row in ROWS if "chunk" in row.options and row.operands["kernel"] == (taps,))
    contenders = door_field.field(row._replace(operands={**row.operands, "x": (2048,)}), "numpy")
    assert set(contenders.peers) == {"SciPy", "SciPy, chunks at once"}
    assert not contenders.wrong
    assert contenders.cost_ns is None


@pytest.mark.parametrize("dtype", ["uint8", "int16", "complex64"])
@pytest.mark.parametrize("function", ["uniform_filter", "sobel", "laplace", "correlate"])
def test_filters_of_every_dtype_agree(function, dtype):
    row = next(r for r in ROWS if (r.function, r.dtype) == (function, dtype) and not r.gradients)
    small = row._replace(operands={**row.operands, "input": (24, 20)})
    contenders = door_field.field(small, "numpy")
    assert not contenders.wrong
    assert set(contenders.peers) == ({"SciPy"} if dtype == "complex64" else {"SciPy", "OpenCV"})


def test_a_peer_that_rounds_integers_may_differ_by_a_unit_for_each_pass_and_one_for_the_sum():
    row = next(row for row in ROWS if row.function == "gaussian_filter" and row.dtype == "uint8")
    reference = np.arange(9, dtype=np.uint8)
    door_field.agree([reference + 3], [reference], row, "OpenCV", rounds=True)
    for difference, rounds in ((2, False), (4, True)):
        with pytest.raises(AssertionError, match=f"differs by {difference} where"):
            door_field.agree([reference + np.uint8(difference)], [reference], row, "it", rounds)


def test_wrong_results_are_not_timed_and_are_said(monkeypatch):
    right = door_calls.options
    monkeypatch.setattr(door_calls, "options", lambda *arguments: right(*arguments) | {"size": 3})
    row = next(row for row in ROWS if row.label == "ndimage.uniform_filter 64^2 float32")
    contenders = door_field.field(row, "numpy")
    assert "OpenCV" in contenders.wrong
    assert "OpenCV" not in contenders.peers
    assert "OpenCV differs by" in contenders.wrong["OpenCV"]


def test_predictions_are_off_where_a_time_is_twice_them_or_half():
    rows = [
        door_row("near", ours=190_000.0),
        door_row("slow", ours=210_000.0),
        door_row("quick", ours=30_000.0),
        door_row("short", ours=19_000.0, cost=1000),
        door_row("unknown", cost=None),
    ]
    assert [one.label for one in door_report.off(rows)] == ["short", "quick", "slow"]
    assert door_report.predictions(rows) == 4


BUDGET = 3  # rows of the published times that may be off: those that have become faster since


@pytest.fixture
def like_published(monkeypatch):
    """Return a function that reads a library's published times, on whose machine prices are then those of this one."""

    def read(library):
        published = json.loads((ROOT / f"benchmarks/results/doors-{library}.json").read_text())
        is_wide = published["machine"]["loops"] == "avx512"
        monkeypatch.setattr(cost_table, "has_avx512", lambda: is_wide)
        monkeypatch.setenv("ARRAYCONV_CACHE_DIR", os.devnull)  # no user's table
        fresh()
        return published

    def fresh():
        for function in (cost_table.active_table, plan.make, prepare.plan):
            function.cache_clear()
        cache._calls.clear()

    yield read
    monkeypatch.undo()
    fresh()


@pytest.mark.skipif(not loader.built(), reason="the published times are those of the compiled loops")
@pytest.mark.skipif(importlib.util.find_spec("ducc0") is None, reason="the published times are with its transforms")
@pytest.mark.parametrize("library", [name for name in EVERYWHERE if name in LIBRARIES])
def test_almost_no_prediction_is_off_for_the_published_times(library, like_published):
    today = door_predict.predictions(like_published(library))
    off = [f"{one.label}: {one.factor:.2f}" for one in door_report.off(today.rows)]
    assert len(off) <= BUDGET, off
    assert len(today.rows) > 200


def test_predictions_are_recomputed_for_the_times_of_a_file(tmp_path, capsys):
    (row,) = [row for row in ROWS if row.label == "ndimage.sobel 64^2 float32"]
    method, cost = door_calls.explained(row, "numpy", door_calls.contender(row, "numpy", door_rows.draw(row)))
    near, far = door_row(row.label, method=method, ours=float(cost), cost=1), door_row("gone", cost=1)
    file = tmp_path / "doors.json"
    file.write_text(json.dumps(door_result(near, far)))
    assert door_run.main(["--predict", str(file)]) == 0
    assert "0 of 1 predictions are off" in capsys.readouterr().out
    file.write_text(json.dumps(door_result({**near, "ours": 3.0 * cost})))
    assert door_run.main(["--predict", str(file)]) == 1
    assert door_run.main(["--predict", str(file), "--lenient"]) == 0
    file.write_text(json.dumps(door_result({**near, "method": "fft"})))
    capsys.readouterr()
    assert door_run.main(["--predict", str(file)]) == 0
    assert f"another method: {row.label}: fft -> {method}" in capsys.readouterr().out


def test_calls_are_fitted_to_what_is_around_convolutions():
    """Each constant is the median of what remains of a function's time without its convolutions."""
    rows = [row for row in ROWS if row.label.startswith("convolve 10^3") or row.label.startswith("convolve 64^2")]
    rows = [row for row in rows if not row.gradients]
    times = []
    for row in rows:
        described = door_calls.explanation(row, "numpy", None, *door_rows.draw(row).values())
        took = described.cost_ns - described.overhead_ns + 7000
        times.append(door_row(row.label, method=described.method, ours=took))
    result = door_result(*times)
    assert fit.fitted_calls([result])["numpy"].call_ns == 7000


@pytest.mark.skipif(not loader.built(), reason="the published times are those of the compiled loops")
@pytest.mark.parametrize("library", [name for name in EVERYWHERE if name in LIBRARIES])
def test_auto_is_near_the_fastest_method_in_the_published_times(library, like_published):
    """What the page states of the choices, with today's prices."""
    cores = like_published(library)["machine"]["cores"]
    published = json.loads((ROOT / f"benchmarks/results/{library}.json").read_text())
    with config.using(threads=cores):
        rows = list(fit.ranked(published))
    _, far = fit.loss(rows, cost_table.active_table())
    assert len(rows) > 20
    assert len(far) <= 1, far


@pytest.mark.parametrize(
    ("row", "options", "status"),
    [
        (door_row(), [], 0),
        (door_row(cost=1000), [], 1),
        (door_row(cost=1000), ["--lenient"], 0),
        (door_row(wrong={"OpenCV": "sobel: OpenCV differs by 3"}), ["--lenient"], 1),
    ],
)
def test_a_prediction_that_is_off_fails_the_run(row, options, status, monkeypatch, capsys):
    monkeypatch.setattr(door_run, "measure", lambda options, say: door_result(row))
    assert door_run.main(["--library", "numpy", *options]) == status
    assert ("WRONG" in capsys.readouterr().out) == bool(row["wrong"])


def test_quick_run_of_a_door_prints_and_writes(tmp_path):
    file = tmp_path / "doors-numpy.json"
    words = ["--door", "ndimage", "--quick", "--filter", "sobel", "--lenient", "--json", str(file)]
    command = [sys.executable, "-m", "benchmarks.doors", "--library", "numpy", *words]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr
    assert "Where peers are ahead" in process.stdout
    (row,) = json.loads(file.read_text())["rows"]
    assert row["label"] == "ndimage.sobel 64^2 float32"
    assert row["ours"] > 0
    assert row["peers"]["SciPy"] > 0


def test_the_page_begins_each_door_with_where_peers_are_ahead(tmp_path):
    rows = (
        door_row(),
        door_row("prewitt 64^2", ours=300_000.0),
        door_row("laplace", peers={}, wrong={"it": "it differs"}),
    )
    (tmp_path / "numpy.json").write_text(json.dumps(SMALL))
    (tmp_path / "doors-numpy.json").write_text(json.dumps(door_result(*rows)))
    page.main(["--results", str(tmp_path), "--page", str(tmp_path / "docs/benchmarks.md")])
    text = (tmp_path / "docs/benchmarks.md").read_text().partition("### ndimage")[2]
    ahead, _, statistics = text.partition("| arrays |")
    assert "* prewitt 64^2 on numpy arrays: OpenCV, 0.17\n* sobel 64^2 on numpy arrays: OpenCV, 0.50" in ahead
    assert "| numpy | 2 | 0.29 | 0.17 | prewitt 64^2 | 2 |" in statistics
    assert "Not timed: it differs." in statistics
    assert "* numpy: 1 of 3\n  * prewitt 64^2, passes: 3.00 times the predicted time" in statistics


def _calibrate():
    spec = importlib.util.spec_from_file_location("calibrate", ROOT / "benchmarks/calibrate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows_of(text):
    """Return the tables of the text of a cost table."""
    names = {"__name__": "table"}
    exec(compile(text, "table", "exec"), names)
    return {
        name: {key: tuple(row) for key, row in names[name].items()}
        for name in ("PRIMITIVE_COSTS", "METHOD_COSTS", "METHOD_COSTS_AVX2")
    }


@pytest.mark.parametrize(("wide", "table_name"), [(True, "METHOD_COSTS"), (False, "METHOD_COSTS_AVX2")])
def test_calibration_replaces_what_it_measured_and_keeps_the_rest(wide, table_name, monkeypatch):
    monkeypatch.setattr(cost_table, "has_avx512", lambda: wide)
    table = (ROOT / "arrayconv/_costs/cost_table.py").read_text()
    primitive_costs = {
        "torch/cpu": cost_table.PrimitiveCosts(1, 2, 3, 4, 5, 6),
        "new/cpu": cost_table.PrimitiveCosts(6, 5, 4, 3, 2, 1),
    }
    method_costs = {"numpy_convolve-float": cost_table.MethodCost(1, 2, 3)}
    text = _calibrate().rendered(primitive_costs, method_costs, "numpy 0")
    before, after = rows_of(table), rows_of(text)
    assert after["PRIMITIVE_COSTS"] == {
        **before["PRIMITIVE_COSTS"],
        **{name: tuple(row) for name, row in primitive_costs.items()},
    }
    for name in ("METHOD_COSTS", "METHOD_COSTS_AVX2"):
        changed = method_costs if name == table_name else {}
        assert after[name] == {**before[name], **{row: tuple(method_cost) for row, method_cost in changed.items()}}
    assert "numpy 0.\n" in text
    assert text.count(f"\nTHREADS = {cores.usable()} ") == 1
    assert text.count("#") == table.count("#")
