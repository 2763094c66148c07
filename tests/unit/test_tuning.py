"""A user's own table of constants: its path, what is read, what is refused, and what the choice makes of it."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import arrayconv
from arrayconv import _accel, config
from arrayconv.__main__ import main
from arrayconv._accel.native import native_filters
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import compat_namespace
from arrayconv._calls import cache, prepare
from arrayconv._cli import method_costs, primitive_costs, tune
from arrayconv._costs import cost_table, user_file
from arrayconv._costs.cost_table import KINDS, Costs, MethodCost, PrimitiveCosts
from arrayconv._plan import plan

ROOT = Path(arrayconv.__file__).parent.parent
PRIMITIVE_COSTS = dict.fromkeys(PrimitiveCosts._fields, 100)
GOOD = {
    "version": 1,
    "date": "2026-01-02",
    "machine": {"cores": 2, "packages": {"numpy": "2.4.6"}},
    "tables": {
        "PRIMITIVE_COSTS": {"numpy/cpu": PRIMITIVE_COSTS},
        "METHOD_COSTS": {"numpy_convolve-short": {"call_ns": 5, "cache_line_mac": 6}},
    },
}


def changed(**parts):
    return json.dumps({**GOOD, **parts})


def with_rates(**fields):
    return changed(tables={"PRIMITIVE_COSTS": {"numpy/cpu": {**PRIMITIVE_COSTS, **fields}}})


def fresh():
    """Clear what this process caches of constants and of choices made by them."""
    for function in (cost_table.active_table, plan.make, prepare.plan):
        function.cache_clear()
    cache._calls.clear()


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Return the path of the user's table, in a folder that is not there yet."""
    monkeypatch.setenv("ARRAYCONV_CACHE_DIR", str(tmp_path / "cache"))
    fresh()
    yield tmp_path / "cache" / "cost_table.json"
    fresh()


def put(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


# ---- where ----

HOME = Path("/home/me")
PLACES = [  # platform, variables, folder
    ("linux", {}, HOME / ".cache/arrayconv"),
    ("linux", {"XDG_CACHE_HOME": "/var/mine"}, Path("/var/mine/arrayconv")),
    ("linux", {"XDG_CACHE_HOME": "relative"}, HOME / ".cache/arrayconv"),  # has to be absolute, says its standard
    ("linux", {"XDG_CACHE_HOME": ""}, HOME / ".cache/arrayconv"),
    ("linux", {"ARRAYCONV_CACHE_DIR": "/here", "XDG_CACHE_HOME": "/var/mine"}, Path("/here")),
    ("linux", {"ARRAYCONV_CACHE_DIR": ""}, HOME / ".cache/arrayconv"),
    ("darwin", {"XDG_CACHE_HOME": "/var/mine"}, HOME / "Library/Caches/arrayconv"),
    ("darwin", {"ARRAYCONV_CACHE_DIR": "/here"}, Path("/here")),
    ("win32", {"LOCALAPPDATA": "/me/local"}, Path("/me/local/arrayconv")),
    ("win32", {}, HOME / "AppData/Local/arrayconv"),
]


@pytest.mark.parametrize(("system", "variables", "folder"), PLACES)
def test_the_table_lies_in_the_platform_s_cache_folder(system, variables, folder, monkeypatch):
    for name in ("ARRAYCONV_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(Path, "home", lambda: HOME)
    assert user_file.table_path() == folder / "cost_table.json"


def test_without_a_home_there_is_no_table(monkeypatch, capsys):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    for name in ("ARRAYCONV_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "home", homeless)
    fresh()
    assert cost_table.active_table().source == "shipped table"
    fresh()
    assert main(["tune", "--path"]) == 2
    assert "Set ARRAYCONV_CACHE_DIR to a folder" in capsys.readouterr().err


# ---- what is read ----


def test_without_a_file_the_shipped_table_is_active(table):
    active = cost_table.active_table()
    assert active == cost_table.shipped()
    assert not table.parent.exists(), "nothing is made by looking"


@pytest.mark.parametrize(
    ("extensions", "wide"),
    [
        (["X86_V3", "X86_V4"], True),
        (["SSE42", "AVX2", "AVX512F", "AVX512_SKX"], True),
        (["X86_V3"], False),
        (["SSE42", "AVX2", "FMA3"], False),
        (["NEON", "ASIMD"], False),
        ([], False),
    ],
)
def test_the_shipped_table_is_that_of_the_kind_of_processor(extensions, wide, monkeypatch):
    monkeypatch.setattr(np, "show_config", lambda mode: {"SIMD Extensions": {"found": extensions}})
    cost_table.has_avx512.cache_clear()
    try:
        shipped = cost_table.shipped().method_costs
    finally:
        cost_table.has_avx512.cache_clear()
    assert shipped == cost_table.METHOD_COSTS | ({} if wide else cost_table.METHOD_COSTS_AVX2)
    assert set(cost_table.METHOD_COSTS_AVX2) <= set(cost_table.METHOD_COSTS)
    assert cost_table.shipped().source == "shipped table"


def test_a_file_s_rows_stand_in_for_the_shipped_ones(table):
    put(table, json.dumps(GOOD))
    assert cost_table.primitive_costs("numpy/cpu") == PrimitiveCosts(*[100] * len(PrimitiveCosts._fields))
    assert cost_table.method_cost("numpy_convolve-short") == MethodCost(5, 6, 0)
    assert cost_table.primitive_costs("torch/cpu") == cost_table.PRIMITIVE_COSTS["torch/cpu"]
    assert cost_table.primitive_costs("never measured") == cost_table.PRIMITIVE_COSTS["other"]
    assert cost_table.method_cost("native_loops-float") == cost_table.shipped().method_costs["native_loops-float"]


@pytest.mark.parametrize(("cores", "threads"), [(5, 5), (0, 2), (True, 2), ("many", 2), (None, 2)])
def test_the_cores_of_a_file_are_the_threads_its_transforms_had(cores, threads, table):
    put(table, changed(machine={} if cores is None else {"cores": cores}))
    assert cost_table.threads() == threads


def test_rows_of_names_this_version_does_not_know_are_kept_and_never_met(table):
    put(
        table,
        changed(
            tables={
                "PRIMITIVE_COSTS": {"abacus/wood": PRIMITIVE_COSTS},
                "METHOD_COSTS": {"later-method": {"call_ns": 1, "cache_line_mac": 2}},
            }
        ),
    )
    assert cost_table.primitive_costs("abacus/wood").call_ns == 100
    assert cost_table.primitive_costs("numpy/cpu") == cost_table.PRIMITIVE_COSTS["numpy/cpu"]


def test_a_file_is_read_once(table):
    put(table, json.dumps(GOOD))
    before = arrayconv.explain(50, 3)
    table.unlink()
    assert arrayconv.explain(51, 3).costs == before.costs == f"{table}, tuned 2026-01-02"


def test_explain_names_the_table_and_costs_follow_it(table):
    shipped = arrayconv.explain(100, 3, method="direct")
    assert shipped.costs == "shipped table"
    assert "\n  costs: shipped table\n" in str(shipped)
    fresh()
    rows = {name: dict.fromkeys(PrimitiveCosts._fields, 10**6) for name in cost_table.PRIMITIVE_COSTS}
    put(table, changed(tables={"PRIMITIVE_COSTS": rows}))
    tuned = arrayconv.explain(100, 3, method="direct")
    assert f"\n  costs: {table}, tuned 2026-01-02\n" in str(tuned)
    costs = [next(row.cost_ns for row in plan.candidates if row.name == "direct") for plan in (shipped, tuned)]
    assert costs[0] < costs[1]


# ---- what is refused ----

WRONG = {  # content -> what the warning says
    "truncated": (json.dumps(GOOD)[:-9], "it is not JSON"),
    "empty": ("", "it is not JSON"),
    "not-utf-8": (b'{"version": "\xff"}', "it is not UTF-8 (invalid start byte at byte 13)"),
    "a-list": ("[]", "it must be an object with the keys date, machine, tables, version"),
    "a-number": ("7", "it must be an object with the keys"),
    "deep": ("[" * 200_000, "it is not a table (nested too deeply)"),
    "large": (json.dumps(GOOD) + " " * (1 << 20), "it is larger than 1048576 bytes"),
    "no-version": (json.dumps({k: v for k, v in GOOD.items() if k != "version"}), "with the keys date"),
    "another-key": (changed(more=1), "with the keys date, machine, tables, version"),
    "version-2": (changed(version=2), "`version` must be 1. Got 2"),
    "version-true": (changed(version=True), "`version` must be 1. Got True"),
    "version-text": (changed(version="1"), "`version` must be 1. Got '1'"),
    "no-date": (changed(date="yesterday"), "`date` must be a date such as 2026-11-22. Got 'yesterday'"),
    "date-number": (changed(date=20260102), "`date` must be a date such as 2026-11-22. Got 20260102"),
    "machine-text": (changed(machine="mine"), "`machine` must be an object. Got 'mine'"),
    "tables-list": (changed(tables=[]), "`tables` must be an object. Got []"),
    "unknown-table": (
        changed(tables={"GUESSES": {}}),
        "`tables` must be of PRIMITIVE_COSTS, METHOD_COSTS, CALL_COSTS, CEILINGS. Got GUESSES",
    ),
    "table-list": (changed(tables={"PRIMITIVE_COSTS": []}), "`PRIMITIVE_COSTS` must be an object. Got []"),
    "row-list": (
        changed(tables={"PRIMITIVE_COSTS": {"numpy/cpu": [1, 2]}}),
        "`PRIMITIVE_COSTS['numpy/cpu']` must be an object",
    ),
    "unknown-field": (with_rates(more=1), "`PRIMITIVE_COSTS['numpy/cpu']` must have the fields call_ns, "),
    "missing-field": (
        changed(tables={"METHOD_COSTS": {"a": {"call_ns": 1}}}),
        "`METHOD_COSTS['a']` must have the fields call_ns, ",
    ),
    "zero": (
        with_rates(call_ns=0),
        "`PRIMITIVE_COSTS['numpy/cpu'].call_ns` must be a whole number from 1 to 1000000000. Got 0",
    ),
    "negative": (with_rates(call_ns=-1), "from 1 to 1000000000. Got -1"),
    "huge": (with_rates(call_ns=10**9 + 1), "from 1 to 1000000000. Got 1000000001"),
    "very-huge": (with_rates(call_ns="#").replace('"#"', "1" * 5000), "it is not JSON"),
    "float": (with_rates(call_ns=1.0), "from 1 to 1000000000. Got 1.0"),
    "true": (with_rates(call_ns=True), "from 1 to 1000000000. Got True"),
    "text": (with_rates(call_ns="1"), "from 1 to 1000000000. Got '1'"),
    "null": (with_rates(call_ns=None), "from 1 to 1000000000. Got None"),
    "nan": (with_rates(call_ns=float("nan")), "from 1 to 1000000000. Got nan"),
    "infinity": (with_rates(call_ns=float("inf")), "from 1 to 1000000000. Got inf"),
    "negative-output": (
        changed(tables={"METHOD_COSTS": {"a": {"call_ns": 1, "cache_line_mac": 1, "output": -1}}}),
        "`METHOD_COSTS['a'].output` must be a whole number from 0 to 1000000000. Got -1",
    ),
}


def ignored(path, says):
    """Check that the file is ignored as a whole, with one warning that names it, what is wrong, and the way out."""
    with pytest.warns(RuntimeWarning) as caught:
        active = cost_table.active_table()
    (text,) = [str(warning.message) for warning in caught]
    assert text.startswith(f"arrayconv: the cost table {path} is ignored: ")
    assert says in text
    assert text.endswith("`python -m arrayconv tune --write`.")
    assert active == cost_table.shipped()
    np.testing.assert_array_equal(arrayconv.convolve([1, 2], [1, 1]), [1, 3, 2])  # warnings are errors here: no second


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_ignored_with_one_warning(name, table):
    content, says = WRONG[name]
    put(table, content)
    ignored(table, says)


def test_a_folder_in_the_file_s_place_is_ignored_with_one_warning(table):
    table.mkdir(parents=True)
    ignored(table, "it is not a file")


def test_a_file_that_may_not_be_read_is_ignored_with_one_warning(table, monkeypatch):
    def closed(*_):
        raise PermissionError(13, "Permission denied")

    put(table, json.dumps(GOOD))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", closed)  # the mode of a file does not stop every user
        ignored(table, "it cannot be read (Permission denied)")


@pytest.mark.parametrize("folder", [os.devnull, __file__, "no/such/folder"])
def test_a_folder_that_is_none_holds_no_table(folder, monkeypatch):
    monkeypatch.setenv("ARRAYCONV_CACHE_DIR", folder)
    fresh()
    assert cost_table.active_table().source == "shipped table"
    fresh()


def test_import_reads_no_table_and_the_first_plan_does(table):
    put(table, "not a table")
    code = "import sys, arrayconv; print('imported'); arrayconv.convolve([1.0, 2.0], [1.0]); print('planned')"
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.stdout == "imported\n"
    assert "RuntimeWarning: arrayconv: the cost table" in process.stderr


# ---- what is written ----


def measured(**tables):
    return user_file.CostFile("2026-01-02", {"cores": 2}, tables)


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "a/b/cost_table.json"
    for count in (1, 2):  # the second replaces the first
        rows = measured(
            PRIMITIVE_COSTS={"numpy/cpu": PrimitiveCosts(*range(count, count + len(PrimitiveCosts._fields)))},
            METHOD_COSTS={"x": MethodCost(1, 2)},
        )
        user_file.save(path, rows, KINDS)
        assert user_file.load(path, KINDS) == rows
    assert [entry.name for entry in path.parent.iterdir()] == [path.name], "no other file is left"


def test_what_would_be_refused_is_not_written(tmp_path):
    path = tmp_path / "cost_table.json"
    with pytest.raises(ValueError, match=r"`METHOD_COSTS\['x'\].call_ns` must be a whole number"):
        user_file.save(path, measured(METHOD_COSTS={"x": MethodCost(0, 1)}), KINDS)
    assert not list(tmp_path.iterdir())


def test_a_failing_replacement_leaves_the_old_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "cost_table.json"
    user_file.save(path, measured(), KINDS)
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        user_file.save(path, measured(METHOD_COSTS={"x": MethodCost(1, 1)}), KINDS)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("table", KINDS)
def test_the_shipped_rows_would_be_accepted(table):
    user_file.render(measured(**{table: getattr(cost_table, table)}), KINDS)


# ---- the command ----


@pytest.fixture
def quick(monkeypatch):
    """Measure numpy.convolve alone, in two rounds."""
    monkeypatch.setattr(method_costs, "_ROUNDS", 2)
    monkeypatch.setattr(primitive_costs, "_LIBRARIES", ())
    rows = {name: row for name, row in method_costs.ROWS.items() if row.method == "numpy_convolve"}
    monkeypatch.setattr(method_costs, "ROWS", rows)


@pytest.mark.usefixtures("quick")
def test_tune_shows_what_was_and_what_is_and_keeps_nothing(table, capsys):
    assert main(["tune"]) == 0
    output = capsys.readouterr().out
    assert "Compared with: shipped table" in output
    assert "numpy_convolve-short" in output
    assert "Nothing was saved. Run with --write, on an idle machine, to save it." in output
    assert not table.exists()


@pytest.mark.usefixtures("quick")
def test_tune_writes_what_a_later_process_chooses_by(table, capsys):
    assert main(["tune", "--write"]) == 0
    assert f"Wrote {table}." in capsys.readouterr().out
    saved = user_file.load(table, KINDS)
    assert set(saved.tables["METHOD_COSTS"]) == {
        "numpy_convolve-short",
        "numpy_convolve-float",
        "numpy_convolve-integer",
    }
    assert saved.machine["packages"]["numpy"] == np.__version__
    code = "import arrayconv; print(arrayconv.explain(100, 3).costs)"
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout == f"{table}, tuned {saved.date}\n"


def test_path_and_remove_say_what_there_is(table, capsys):
    for words, output in ((["--path"], f"{table} (there is none)\n"), (["--remove"], f"there is no {table}\n")):
        assert main(["tune", *words]) == 0
        assert capsys.readouterr().out == output
    put(table, "anything")  # what is wrong can be removed, too
    assert main(["tune", "--path"]) == 0
    assert capsys.readouterr().out == f"{table}\n"
    assert main(["tune", "--remove"]) == 0
    assert capsys.readouterr().out == f"removed {table}\n"
    assert not table.exists()


def test_the_three_ways_exclude_each_other(capsys):
    assert main(["tune", "--write", "--remove"]) == 2
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.usefixtures("quick", "table")
@pytest.mark.parametrize(("load", "message"), [(0.0, ""), (64.0, "The machine is busy: load 64.0 on ")])
def test_tune_says_when_the_machine_is_busy(load, message, monkeypatch, capsys):
    monkeypatch.setattr(tune, "_load", lambda: load)
    assert main(["tune"]) == 0
    err = capsys.readouterr().err
    assert err.startswith(message)
    assert bool(err) == bool(message)


# ---- the measurements ----


def test_measured_rates_are_rows_of_the_table(monkeypatch):
    monkeypatch.setattr(primitive_costs, "_ROUNDS", 1)
    monkeypatch.setattr(primitive_costs, "_LIBRARIES", ("numpy",))
    messages = []
    costs = primitive_costs.measure(messages.append)
    assert "numpy/cpu" in costs
    assert set(costs) <= set(cost_table.PRIMITIVE_COSTS)
    assert messages == [f"measuring {row}" for row in costs]
    user_file.render(measured(PRIMITIVE_COSTS=costs), KINDS)


def test_a_library_that_cannot_compute_is_told_and_left_out(monkeypatch):
    def broken(name):
        raise RuntimeError("no driver. Buy one")

    monkeypatch.setattr(primitive_costs, "_LIBRARIES", ("numpy",))
    monkeypatch.setattr(primitive_costs, "compat_namespace", broken)
    messages = []
    assert primitive_costs.measure(messages.append) == {}
    assert messages == ["numpy is not measured: no driver"]


SMALLER = {  # row: the library without which it is left out
    "numpy_convolve-float": "numpy",
    "native_loops-strided": "numpy",
    "native_tiles": "numpy",
    "torch_conv-depthwise": "torch",
    "torch_conv-float64": "torch",
    "xla_conv-channels": "jax",
}


def test_every_accelerated_row_has_its_trials():
    assert set(method_costs.ROWS) == set(cost_table.METHOD_COSTS)
    # Loops that XLA calls take their call from xla_tiles and the rest from the native methods; xla_gpu_conv has the
    # row of xla_conv, cudnn_conv a card's ceilings.
    without = {"xla_loops", "xla_images", "xla_dots", "xla_winograd", "xla_gpu_conv", "cudnn_conv"}
    methods = {*_accel.ACCELERATED, native_filters.NAME} - without
    methods = {name for name in methods if not name.startswith("cuda_")}  # their costs are shares of a card's ceilings
    assert {row.partition("-")[0] for row in method_costs.ROWS} == methods


@pytest.mark.parametrize("row", method_costs.ROWS)
def test_trials_are_ranked_by_their_row(row):
    fit_case = method_costs.ROWS[row]
    if not importlib.util.find_spec(fit_case.library):
        pytest.skip(f"{fit_case.library} is not installed")
    xp = compat_namespace(fit_case.library)
    origin = method_costs.Platform(fit_case.library, xp, device_of(xp.zeros(1)))
    for problem in fit_case.problems:
        known = origin.traits(fit_case.dtypes[0])._replace(accelerators=frozenset(config.ACCELERATORS))
        free, *units = method_costs.coefficients(cost_table.active_table(), row, problem.spec, known, fit_case.method)
        assert free < 10**9
        assert units[0] == 1
        assert units[1] > 0


@pytest.mark.parametrize("row", SMALLER)
def test_measured_method_costs_are_rows_of_the_table(row, monkeypatch):
    if not importlib.util.find_spec(SMALLER[row]):
        pytest.skip(f"{SMALLER[row]} is not installed")
    monkeypatch.setattr(method_costs, "_ROUNDS", 1)
    monkeypatch.setattr(method_costs, "ROWS", {row: method_costs.ROWS[row]})
    messages = []
    costs = method_costs.measure(messages.append, {})
    assert list(costs) == [row]
    assert messages == [f"measuring {row}"]
    user_file.render(measured(METHOD_COSTS=costs), KINDS)


def test_a_method_that_cannot_run_is_told_and_left_out(monkeypatch):
    monkeypatch.setattr(
        method_costs,
        "ROWS",
        {"native_loops-float": method_costs.ROWS["native_loops-float"]._replace(library="array_api_strict")},
    )
    pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    messages = []
    assert method_costs.measure(messages.append, {}) == {}
    assert messages[0] == "measuring native_loops-float"
    assert messages[1].startswith("native_loops-float is not measured: ")


TRUE = MethodCost(700, 3, 40)


@pytest.mark.parametrize("disturbed", [1.0, 1.05])
def test_constants_are_those_that_predict_the_times(disturbed):
    spread = [(1000, 1, 0.2, 0.5), (1000, 1, 0.4, 0.5), (1000, 1, 5000, 900), (1000, 1, 80_000, 900)]
    times = [
        free + call * TRUE.call_ns + mac * TRUE.cache_line_mac + out * TRUE.output for free, call, mac, out in spread
    ]
    times[-1] *= disturbed
    fitted = method_costs.fit(spread, [round(time) for time in times], 2)
    assert fitted.cache_line_mac == TRUE.cache_line_mac
    assert fitted.output == pytest.approx(TRUE.output, rel=0.2)
    assert fitted.call_ns == pytest.approx(TRUE.call_ns, rel=0.05)


def test_constants_are_never_below_what_a_table_may_hold():
    assert method_costs.fit([(1000, 1, 1, 1), (1000, 1, 50, 50)], [10, 1500], 1).call_ns == 1
    assert method_costs.fit([(1000, 1, 1, 0), (1000, 1, 50, 0)], [1100, 900], 1) == MethodCost(99, 1, 0)


def test_tables_on_trial_are_used_until_they_are_put_away():
    row = MethodCost(1, 2, 3)
    with cost_table.using_tables(Costs({}, {"native_loops-float": row}, "trial")):
        assert cost_table.method_cost("native_loops-float") == row
    assert cost_table.method_cost("native_loops-float") == cost_table.shipped().method_costs["native_loops-float"]


@pytest.mark.parametrize("field", ["call_ns", "pass_byte", "copy_byte", "gemm_mac", "integer_mac"])
def test_numpy_s_own_work_costs_the_same_whatever_library_provides_the_transforms(field):
    costs = [getattr(row, field) for name, row in cost_table.PRIMITIVE_COSTS.items() if name.startswith("numpy")]
    assert len(costs) == 4
    assert max(costs) <= 2 * min(costs)
