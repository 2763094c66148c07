"""`explain` says what a call will do, from shapes and dtypes alone, and computes nothing unless told to measure."""

import dataclasses
import time
from itertools import product

import array_api_strict
import jax.numpy
import numpy as np
import pytest
import torch

import arrayconv
from arrayconv import config
from arrayconv._algorithms import ALGORITHMS, Bound
from arrayconv._calls import timing
from arrayconv._plan.rank import TABLE
from arrayconv._run import execute
from tests.conftest import make_library

METHODS = list(ALGORITHMS)


@pytest.fixture
def inert(monkeypatch):
    """Make every computation raise."""

    def computed(*_, **__):
        raise AssertionError("something was computed")

    for name, algorithm in TABLE.items():
        monkeypatch.setitem(TABLE, name, dataclasses.replace(algorithm, bind=computed))
    for name in ("execute", "reader", "orientation", "set_at"):
        monkeypatch.setattr(execute, name, computed)


@pytest.mark.usefixtures("inert")
class TestInputs:
    def test_shapes_and_arrays_explain_the_same(self):
        from_shapes = arrayconv.explain((64, 48), (3, 5), "same")
        assert arrayconv.explain(np.ones((64, 48)), np.ones((3, 5)), "same") == from_shapes
        assert arrayconv.explain(np.ones((64, 48)), (3, 5), "same") == from_shapes
        assert arrayconv.explain((64, 48), (3, 5), "same", like=np.ones(1)) == from_shapes

    def test_int_is_the_shape_of_one_axis(self):
        assert arrayconv.explain(1000, 9) == arrayconv.explain((1000,), (9,))
        assert arrayconv.explain(np.int64(1000), 9) == arrayconv.explain((1000,), (9,))

    def test_list_is_data(self):
        explanation = arrayconv.explain([1.0, 2.0, 3.0], [1.0, 1.0])
        assert (explanation.output_shape, explanation.dtype) == ((4,), "float64")

    def test_shapes_mean_float64_unless_told(self):
        assert arrayconv.explain(100, 3).dtype == "float64"
        for dtype in ("int16", np.int16, np.dtype("int16")):
            assert arrayconv.explain(100, 3, dtype=dtype).dtype == "int16"

    def test_the_dtype_beside_a_shape_is_that_of_the_array(self):
        single = np.ones(100, dtype=np.float32)
        assert arrayconv.explain(single, 3).dtype == "float32"
        assert arrayconv.explain(100, single[:3]).dtype == "float32"

    def test_dtypes_of_arrays_follow_the_one_rule(self):
        x, kernel = np.ones(100, dtype=np.uint8), np.ones(3, dtype=np.int16)
        assert arrayconv.explain(x, kernel).dtype == "int16"
        assert arrayconv.explain(x, kernel, dtype="int32").dtype == "int32"

    @pytest.mark.parametrize(
        ("like", "backend", "device"),
        [
            (None, "numpy", "cpu"),
            ("numpy", "numpy", "cpu"),
            (np, "numpy", "cpu"),
            ("torch", "torch", "cpu"),
            (torch, "torch", "cpu"),
            (torch.ones(1, device="meta", dtype=torch.float64), "torch", "meta"),
            ("jax", "jax", "cpu"),
            (jax.numpy, "jax", "cpu"),
            ("array_api_strict", "array_api_strict", "array_api_strict.Device('CPU_DEVICE')"),
            (array_api_strict, "array_api_strict", "array_api_strict.Device('CPU_DEVICE')"),
        ],
        ids=[
            "default",
            "numpy-name",
            "numpy",
            "torch-name",
            "torch",
            "tensor",
            "jax-name",
            "jax",
            "strict-name",
            "strict",
        ],
    )
    def test_like_names_a_library(self, like, backend, device):
        explanation = arrayconv.explain((64, 64), (3, 3), like=like)
        assert (explanation.backend, explanation.device, explanation.dtype) == (backend, device, "float64")

    def test_like_takes_the_dtype_of_an_array(self):
        assert arrayconv.explain(100, 3, like=torch.ones(1, dtype=torch.bfloat16)).dtype == "bfloat16"
        assert arrayconv.explain(100, 3, like=torch.ones(1, dtype=torch.bfloat16)).accumulator == "float32"

    def test_meta_tensors_are_enough(self):
        x, kernel = (torch.ones(shape, device="meta") for shape in ((64, 48), (3, 5)))
        assert arrayconv.explain(x, kernel, "same").output_shape == (64, 48)

    def test_zero_axes_and_zero_samples(self):
        assert arrayconv.explain((), ()).output_shape == ()
        assert arrayconv.explain((0, 5), (2, 2)).output_shape == (1, 6)
        assert arrayconv.explain((0, 5), 2, axes=1).output_shape == (0, 6)


class TestChoice:
    def test_candidates_are_the_whole_table_cheapest_first(self):
        for x, kernel in ((1000, 3), (100000, 1000), ((512, 512), (31, 31)), ((512, 512), (3, 3))):
            rows = arrayconv.explain(x, kernel).candidates
            assert {row.name for row in rows} == set(TABLE)
            costs = [row.cost_ns for row in rows if row.refusal is None]
            assert costs == sorted(costs)

    def test_refused_ones_come_last_with_a_reason(self):
        rows = arrayconv.explain((64, 64), (3, 3), accuracy="componentwise").candidates
        refused = {row.name: row.refusal for row in rows if row.refusal is not None}
        assert [row.name for row in rows[-len(refused) :]] == list(refused)
        reason = "its error is bounded by norm, and accuracy='componentwise' was requested"
        assert (refused["fft"], refused["overlap_save"]) == (reason, reason)

    def test_auto_takes_the_first(self):
        explanation = arrayconv.explain((512, 512), (31, 31))
        assert explanation.method == explanation.candidates[0].name

    def test_long_kernels_go_by_fft_and_short_ones_do_not(self):
        assert arrayconv.explain(10**6, 10**4).method in ("fft", "overlap_save")
        assert arrayconv.explain((2048, 2048), (63, 63)).method in ("fft", "overlap_save")
        assert TABLE[arrayconv.explain(10**6, 3).method].accuracy == "componentwise"

    @pytest.mark.parametrize("method", METHODS)
    def test_forced_method_is_explained(self, method):
        explanation = arrayconv.explain((128, 128), (9, 9), method=method)
        assert explanation.method == method
        row = next(row for row in explanation.candidates if row.name == method)
        assert explanation.workspace == row.workspace

    def test_choice_depends_on_shapes_and_dtypes_only(self):
        rng = np.random.default_rng(0)
        x, kernel = rng.standard_normal((128, 96)), rng.standard_normal((9, 9))
        expected = arrayconv.explain(x, kernel)
        separable = np.outer(np.ones(9), np.ones(9))
        for other, weights in (
            (np.zeros_like(x), np.zeros_like(kernel)),
            (np.full_like(x, np.nan), kernel),
            (x * 1e300, separable),
            (x[::-1, ::-1], kernel.T),
            (np.asfortranarray(x), kernel),
        ):
            assert arrayconv.explain(other, weights) == expected

    def test_dtype_changes_the_explanation(self):
        assert arrayconv.explain(10**5, 100, dtype="int64") != arrayconv.explain(10**5, 100)

    @pytest.mark.parametrize("method", ["auto", *METHODS])
    @pytest.mark.parametrize("backend", ["numpy", "torch", "array_api_strict"])
    def test_call_runs_what_was_explained(self, method, monkeypatch, backend):
        library = make_library(backend)
        ran = []
        for name, algorithm in TABLE.items():

            def bind(spec, context, name=name, algorithm=algorithm):
                bound = algorithm.bind(spec, context._replace(memory=None))

                def run(*arguments):
                    ran.append(name)
                    return bound.run(*arguments)

                return Bound(run)

            monkeypatch.setitem(TABLE, name, dataclasses.replace(algorithm, bind=bind))
        x, kernel = library.asarray(np.ones((20, 30))), library.asarray(np.ones((4, 3)))
        explanation = arrayconv.explain(x, kernel, "same", method=method)
        arrayconv.convolve(x, kernel, "same", stride=[1, 1], method=method)  # a list: no shortcut past the plan's steps
        assert ran == [explanation.method] * explanation.steps


class TestNumbers:
    def test_output_shape_and_multiply_adds(self):
        explanation = arrayconv.explain((2, 10, 12), (3, 4), "valid", axes=(1, 2), stride=(1, 2))
        assert explanation.output_shape == (2, 8, 5)
        assert explanation.macs == 2 * 8 * 5 * 3 * 4

    def test_lags_are_those_of_correlate(self):
        assert arrayconv.explain(10, 3, lags=4).output_shape == (9,)
        assert arrayconv.explain((10, 10), (3, 3), lags=((0, 1), 2)).output_shape == (2, 5)
        assert "conjugated" in arrayconv.explain(10, 3, lags=4).lowering

    def test_workspace_is_capped_by_blocks(self):
        with config.using(threads=1):
            free = arrayconv.explain((1000, 1000), (31, 31), method="fft")
            capped = arrayconv.explain((1000, 1000), (31, 31), method="fft", max_workspace=free.workspace // 5)
        assert capped.workspace <= free.workspace // 5
        assert capped.steps > free.steps == 1
        assert capped.output_shape == free.output_shape

    def test_explanation_is_a_value(self):
        explanation = arrayconv.explain(100, 3)
        assert hash(explanation) == hash(arrayconv.explain(100, 3))
        with pytest.raises(dataclasses.FrozenInstanceError):
            explanation.method = "fft"

    def test_a_huge_problem_allocates_nothing(self):
        explanation = arrayconv.explain((16384, 16384), (3, 3), "same")  # 2 GB of float64
        assert explanation.output_shape == (16384, 16384)


class TestText:
    def test_says_chosen_slower_and_refused(self):
        text = str(arrayconv.explain((512, 512), (3, 3), accuracy="componentwise"))
        lines = text.splitlines()[-len(TABLE) :]
        words = [line.split()[0] for line in lines]
        refusals = words.index("refused")
        assert sorted(words[:refusals]) == ["chosen"] + ["slower"] * (refusals - 1)
        assert set(words[refusals:]) == {"refused"}
        assert "its error is bounded by norm" in text
        assert {line.split()[1] for line in lines} == set(TABLE)

    def test_says_what_the_call_becomes(self):
        text = str(arrayconv.explain((2, 64, 48), (3, 5), "same", axes=(1, 2), boundary="edge", stride=(2, 1)))
        assert text.startswith("2-d  x 64 x 48 * kernel 3 x 5 -> 32 x 48  (batch 2, groups 1, channels 1, filters 1)")
        assert ", kernel flipped" in text
        assert "axis 0: stride 2, reads 1 before and 0 after by edge" in text
        assert "axis 1: reads 2 before and 2 after by edge" in text
        assert "on numpy/cpu, float64 (accumulated in float64), 46080 multiply-adds, 1 step, " in text

    def test_forced_method_marks_the_quicker_ones_unused(self):
        text = str(arrayconv.explain(10**6, 10**4, method="direct"))
        words = {line.split()[1]: line.split()[0] for line in text.splitlines() if " est " in line}
        assert words["direct"] == "chosen"
        assert words["fft"] == "unused"

    def test_names_every_method_once(self):
        lines = str(arrayconv.explain((64, 64), (3, 3))).splitlines()
        for method in METHODS:
            assert sum(line.split()[1:2] == [method] for line in lines) == 1


GROUPED = "b h w (g c), h w c (g o) -> b h w (g o) | h w"
LABELLED = [  # pattern, x, kernel, options, roles, moves of x, the kernel and the output
    (
        "b c n, o c n -> b o n | n",
        (2, 3, 9),
        (4, 3, 3),
        {},
        {"batch": "b", "channels": "c", "filters": "o", "convolved": "n"},
        ("view", "view", "view"),
    ),
    (
        "b h w c, h w c o -> b h w o | h w",
        (2, 6, 7, 3),
        (3, 2, 3, 4),
        {"stride": {"h": 2}, "padding": "same"},
        {"batch": "b", "channels": "c", "filters": "o", "convolved": "h w"},
        ("transposed view", "transposed view", "transposed view"),
    ),
    (
        GROUPED,
        (2, 6, 7, 6),
        (3, 2, 3, 4),
        {"stride": 2},
        {"batch": "b", "groups": "g", "channels": "c", "filters": "o", "convolved": "h w"},
        ("transposed view", "transposed view", "transposed and copied (384 bytes)"),
    ),
    (
        "a n b, n -> (a b) n | n",
        (2, 9, 3),
        (3,),
        {},
        {"batch": "a b", "convolved": "n"},
        ("transposed and copied (432 bytes)", "view", "view"),
    ),
    (
        "a b c n, d n -> n c | n",
        (2, 3, 4, 9),
        (5, 3),
        {"flip": True},
        {"batch": "c", "convolved": "n", "summed away": "a b d"},
        ("summed over a, b, then view", "summed over d, then view", "transposed view"),
    ),
    ("a b, b c -> a c", (2, 3), (3, 4), {}, {"batch": "a", "channels": "b", "filters": "c"}, None),
    (
        "b (h p), h p -> b h | h",
        (2, 12),
        (2, 3),
        {"upsample": 2, "padding": 1},
        {"batch": "b", "channels": "p", "convolved": "h"},
        None,
    ),
]


@pytest.mark.usefixtures("inert")
class TestLabels:
    @pytest.mark.parametrize(
        ("pattern", "x", "kernel", "options", "roles", "ways"), LABELLED, ids=[row[0] for row in LABELLED]
    )
    def test_says_what_every_label_became(self, pattern, x, kernel, options, roles, ways):
        explanation = arrayconv.explain(x, kernel, pattern=pattern, **options)
        assert explanation.pattern == pattern
        names = ("batch", "groups", "channels", "filters", "convolved", "summed away")
        assert explanation.roles == tuple((name, tuple(roles.get(name, "").split())) for name in names)
        text = str(explanation).splitlines()
        for role, labels in roles.items():
            (line,) = [line for line in text if line.startswith(f"    {role:<11}  ")]
            assert [word.split("=")[0].split()[0] for word in line[17:].split(", ")] == labels.split()
        if ways:
            assert tuple(way for *_, way in explanation.moves) == ways

    def test_sizes_are_those_of_the_operands_and_the_output(self):
        explanation = arrayconv.explain((2, 6, 7, 6), (3, 2, 3, 4), pattern=GROUPED, stride=2)
        assert dict(explanation.sizes) == {"b": (2,), "h": (6, 3, 2), "w": (7, 2, 3), "g": (2,), "c": (3,), "o": (2,)}
        assert explanation.output_shape == (2, 2, 3, 4)
        assert explanation.macs == 2 * 2 * 3 * 4 * 3 * (3 * 2)

    def test_moves_name_the_shapes_on_both_ends(self):
        explanation = arrayconv.explain((2, 6, 7, 6), (3, 2, 3, 4), pattern=GROUPED, stride=2)
        assert [move[:3] for move in explanation.moves] == [
            ("x", (2, 6, 7, 6), (2, 2, 3, 6, 7)),
            ("kernel", (3, 2, 3, 4), (2, 2, 3, 3, 2)),
            ("output", (2, 2, 2, 2, 3), (2, 2, 3, 4)),
        ]

    def test_text_shows_the_pattern_and_the_lowering(self):
        text = str(arrayconv.explain((2, 6, 7, 6), (3, 2, 3, 4), pattern=GROUPED, stride=2, flip=True, conj=True))
        assert text.startswith("2-d  x 6 x 7 * kernel 3 x 2 -> 2 x 3  (batch 2, groups 2, channels 3, filters 2)")
        assert ", kernel flipped, conjugated" in text
        assert f"\n  {GROUPED}\n    batch        b=2\n    groups       g=2\n" in text
        assert "\n    convolved    h 6 * 3 -> 2, w 7 * 2 -> 3\n" in text
        assert "\n    kernel       (3, 2, 3, 4) -> (2, 2, 3, 3, 2): transposed view\n" in text
        assert " of workspace\n" in text

    def test_sizes_come_in_a_dict(self):
        pattern = "(g b) n c, n c (g o) -> b n (g o) | n"
        explanation = arrayconv.explain((4, 9, 3), (3, 3, 4), pattern=pattern, sizes={"g": 2})
        assert dict(explanation.roles)["groups"] == ("g",)
        assert explanation.output_shape == (2, 7, 4)
        with pytest.raises(TypeError, match=r"^explain: `sizes` must be a dict of label sizes. Got \['g'\].$"):
            arrayconv.explain((4, 9, 3), (3, 3, 4), pattern=pattern, sizes=["g"])

    def test_arrays_and_shapes_explain_the_same(self):
        from_shapes = arrayconv.explain((2, 3, 9), (4, 3, 3), pattern="b c n, o c n -> b o n | n")
        arrays = np.ones((2, 3, 9)), np.ones((4, 3, 3))
        assert arrayconv.explain(*arrays, pattern="b c n, o c n -> b o n | n") == from_shapes
        assert hash(from_shapes) == hash(arrayconv.explain(*arrays, pattern="b c n, o c n -> b o n | n"))

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            (
                {"mode": "same"},
                "explain: `pattern` names the axes and `padding` the outputs, so there is no `mode`. Got mode='same'. "
                "Pass `padding`, or leave `pattern` out.",
            ),
            (
                {"axes": 0, "lags": 3},
                "explain: `pattern` names the axes and `padding` the outputs, so there is no `axes`, `lags`. "
                "Got axes=0, lags=3. Pass `padding`, or leave `pattern` out.",
            ),
        ],
        ids=["mode", "axes-lags"],
    )
    def test_options_of_numbered_axes_are_refused(self, options, text):
        with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the full text is compared
            arrayconv.explain(9, 3, pattern="n, n -> n | n", **options)
        assert str(refusal.value) == text

    @pytest.mark.parametrize(
        "options",
        [{"padding": "full"}, {"upsample": 2}, {"flip": True}, {"conj": True}, {"sizes": {}}, {"padding": {"h": 1}}],
        ids=str,
    )
    def test_options_of_labels_need_a_pattern(self, options):
        (name,) = options
        with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the full text is compared
            arrayconv.explain(9, 3, **options)
        assert str(refusal.value) == (
            f"explain: without `pattern`, which makes it a call of `einconv`, there is no `{name}`. "
            f"Got {name}={options[name]!r}. Pass `pattern`, or use `mode` or `lags`."
        )

    def test_unlabelled_calls_have_no_roles(self):
        explanation = arrayconv.explain(9, 3)
        assert (explanation.pattern, explanation.roles, explanation.sizes, explanation.moves) == ("", (), (), ())


@pytest.mark.parametrize("row", LABELLED, ids=[row[0] for row in LABELLED])
def test_explained_shape_is_that_of_the_call(row):
    pattern, x, kernel, options, *_ = row
    y = arrayconv.einconv(pattern, np.ones(x), np.ones(kernel), **options)
    assert arrayconv.explain(x, kernel, pattern=pattern, **options).output_shape == y.shape


@pytest.fixture
def brief(monkeypatch):
    """Measure in one round, however busy the machine is."""
    monkeypatch.setattr(timing, "_ROUNDS", 1)
    monkeypatch.setattr(timing, "_TOTAL_NS", 10**12)


CALLS = {  # x, kernel, options
    "convolve": ((40, 30), (3, 5), {"mode": "same", "boundary": "reflect", "stride": (2, 1)}),
    "lags": (200, 9, {"lags": (-3, 5)}),
    "einconv": ((2, 3, 16), (4, 3, 5), {"pattern": "b c n, o c n -> b o n | n", "padding": "same"}),
    "filled": ((20, 20), (3, 3), {"fill_value": 2}),
    "no-outputs": ((0, 5), 2, {"axes": 1}),
    "scalars": ((), (), {}),
}


def judge(explanation):
    """Check that exactly what is not refused, and not predicted to take too long, was measured."""
    assert explanation.measured
    for row in explanation.candidates:
        runs = row.refusal is None and row.cost_ns <= timing.TOO_LONG_NS
        assert (row.measured_ns is not None) == runs, row
        assert row.measured_ns is None or row.measured_ns > 0
    plain = tuple(row._replace(measured_ns=None) for row in explanation.candidates)
    return dataclasses.replace(explanation, measured=False, candidates=plain)


@pytest.mark.usefixtures("brief")
class TestMeasured:
    @pytest.mark.parametrize(
        ("name", "like"),
        [*product(CALLS, ["numpy", "torch", "array_api_strict"]), ("lags", "jax")],  # compiling takes JAX seconds each
    )
    def test_every_method_that_runs_is_timed_and_the_rest_stays(self, name, like):
        x, kernel, options = CALLS[name]
        explanation = arrayconv.explain(x, kernel, like=like, measure=True, **options)
        assert explanation.backend == like
        assert judge(explanation) == arrayconv.explain(x, kernel, like=like, **options)

    @pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float16", "float32", "complex64"])
    def test_numbers_are_made_in_any_dtype(self, dtype):
        explanation = arrayconv.explain(50, 3, dtype=dtype, measure=True)
        assert explanation.dtype == dtype
        judge(explanation)

    @pytest.mark.parametrize("name", ["numpy", "torch", "array_api_strict"])
    def test_a_shape_beside_an_array_becomes_one_like_it(self, name):
        library = make_library(name)
        x = library.asarray(np.ones((20, 30), "float32"))
        for explanation in (
            arrayconv.explain(x, (3, 3), measure=True),
            arrayconv.explain((20, 30), x[:3, :3], measure=True),
        ):
            assert (explanation.backend, explanation.dtype) == (library.name, "float32")
            judge(explanation)

    def test_arrays_themselves_are_run(self, monkeypatch):
        operands = []
        run = timing.run_unrecorded
        monkeypatch.setattr(
            timing,
            "run_unrecorded",
            lambda explanation, *more: operands.append((explanation.x, explanation.kernel)) or run(explanation, *more),
        )
        x, kernel = np.arange(50.0), [1.0, 2.0]
        judge(arrayconv.explain(x, kernel, measure=True))
        assert operands
        for data, weights in operands:
            np.testing.assert_array_equal(data.ravel(), x)
            np.testing.assert_array_equal(weights.ravel(), kernel)

    def test_a_forced_method_and_options_are_kept_for_all(self):
        explanation = arrayconv.explain(500, 9, method="direct", accuracy="componentwise", measure=True)
        assert explanation.method == "direct"
        assert {row.name for row in explanation.candidates if row.measured_ns is None} >= {"fft", "overlap_save"}
        judge(explanation)

    def test_text_has_the_times_in_a_column(self):
        explanation = arrayconv.explain(500, 9, measure=True)
        ran = [line for line in str(explanation).splitlines() if line.split()[0] in ("chosen", "slower")]
        assert ran
        assert all(" took " in line for line in ran)
        assert " took " not in str(arrayconv.explain(500, 9))

    def test_methods_predicted_to_be_slow_are_not_run_and_said_to_be(self, monkeypatch):
        free = arrayconv.explain(2000, 100)
        monkeypatch.setattr(timing, "TOO_LONG_NS", free.candidates[0].cost_ns)
        explanation = arrayconv.explain(2000, 100, measure=True)
        assert [row.name for row in explanation.candidates if row.measured_ns is not None] == [free.method]
        assert f"took {'not run':>9}" in str(explanation)
        assert str(explanation).endswith("not run: predicted to take over 3 s, or the time for measuring was up")

    def test_no_method_is_started_when_the_time_is_up(self, monkeypatch):
        monkeypatch.setattr(timing, "_TOTAL_NS", -1)
        explanation = arrayconv.explain(2000, 100, measure=True)
        assert all(row.measured_ns is None for row in explanation.candidates)
        assert explanation.measured

    def test_nothing_is_recorded_for_a_gradient(self):
        def measured(x, kernel):
            arrayconv.explain(x, kernel, measure=True)
            return arrayconv.convolve(x, kernel)

        x, kernel = np.arange(5.0), np.arange(3.0)
        y, pullback = arrayconv.vjp(measured, x, kernel)
        np.testing.assert_allclose(y, np.convolve(x, kernel))
        np.testing.assert_allclose(pullback(np.ones(7))[0], np.full(5, kernel.sum()))

    def test_arrays_without_values_are_refused(self):
        def text(where):
            return (
                f"explain: `measure` needs operands that have values. Got arrays that {where}. "
                f"Pass their shapes and `like`, outside of what is traced, or measure=False."
            )

        def traced(x):
            arrayconv.explain(x, x[:3], measure=True)
            return x

        with pytest.raises(ValueError, match="needs operands that have values") as refusal:
            jax.jit(traced)(jax.numpy.ones(9))
        assert str(refusal.value) == text("are traced by jax")
        blank = torch.ones(9, device="meta")
        with pytest.raises(ValueError, match="needs operands that have values") as refusal:
            arrayconv.explain(blank, blank[:3], measure=True)
        assert str(refusal.value) == text("are on the meta device")


def test_the_shortest_of_the_rounds_counts():
    naps = {"a": iter([0.02, 0.001, 0.02]), "b": iter([0.001, 0.02, 0.02])}
    calls = [lambda name=name: time.sleep(next(naps[name])) for name in naps]
    best = timing.shortest(calls, 3, 10**10)
    assert all(10**6 <= took < 2 * 10**7 for took in best)
    assert next(naps["a"], None) is None  # three rounds


def test_rounds_end_with_the_time():
    counts = [0]

    def call():
        counts[0] += 1

    timing.shortest([call], 1000, -1)
    assert counts == [1]
