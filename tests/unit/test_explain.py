"""`explain` says what a call will do, from shapes and dtypes alone, and computes nothing."""

import dataclasses

import array_api_strict
import jax.numpy
import numpy as np
import pytest
import torch

import arrayconv
from arrayconv import _plan
from arrayconv._algorithms import ALGORITHMS
from tests.conftest import make_library

METHODS = list(ALGORITHMS)


@pytest.fixture
def inert(monkeypatch):
    """Make every computation raise."""

    def computed(*_, **__):
        raise AssertionError("something was computed")

    for name, algorithm in ALGORITHMS.items():
        monkeypatch.setitem(ALGORITHMS, name, dataclasses.replace(algorithm, run=computed, prepare=computed))
    for name in ("execute", "_cut", "_oriented", "put"):
        monkeypatch.setattr(_plan, name, computed)


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
        found = arrayconv.explain([1.0, 2.0, 3.0], [1.0, 1.0])
        assert (found.output_shape, found.dtype) == ((4,), "float64")

    def test_shapes_mean_float64_unless_told(self):
        assert arrayconv.explain(100, 3).dtype == "float64"
        for dtype in ("int16", np.int16, np.dtype("int16")):
            assert arrayconv.explain(100, 3, dtype=dtype).dtype == "int16"

    def test_array_beside_a_shape_lends_its_dtype(self):
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
        found = arrayconv.explain((64, 64), (3, 3), like=like)
        assert (found.backend, found.device, found.dtype) == (backend, device, "float64")

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
            assert {row.name for row in rows} == set(METHODS)
            costs = [row.cost_ns for row in rows if row.refusal is None]
            assert costs == sorted(costs)

    def test_refused_ones_come_last_with_a_reason(self):
        rows = arrayconv.explain((64, 64), (3, 3), accuracy="componentwise").candidates
        assert [row.name for row in rows[2:]] == ["fft", "overlap_save"]
        assert all(row.refusal is None for row in rows[:2])
        assert {row.refusal for row in rows[2:]} == {
            "its error is bounded by norm, and accuracy='componentwise' was asked for"
        }

    def test_auto_takes_the_first(self):
        found = arrayconv.explain((512, 512), (31, 31))
        assert found.method == found.candidates[0].name

    def test_long_kernels_go_by_fft_and_short_ones_do_not(self):
        assert arrayconv.explain(10**6, 10**4).method in ("fft", "overlap_save")
        assert arrayconv.explain((2048, 2048), (63, 63)).method in ("fft", "overlap_save")
        assert arrayconv.explain(10**6, 3).method in ("direct", "im2col")

    @pytest.mark.parametrize("method", METHODS)
    def test_forced_method_is_explained(self, method):
        found = arrayconv.explain((128, 128), (9, 9), method=method)
        assert found.method == method
        row = next(row for row in found.candidates if row.name == method)
        assert found.workspace == row.workspace

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

    def test_dtype_changes_the_answer(self):
        assert arrayconv.explain(10**5, 100, dtype="int64") != arrayconv.explain(10**5, 100)

    @pytest.mark.parametrize("method", ["auto", *METHODS])
    @pytest.mark.parametrize("backend", ["numpy", "torch", "array_api_strict"])
    def test_call_runs_what_was_explained(self, method, monkeypatch, backend):
        library = make_library(backend)
        ran = []
        for name, algorithm in ALGORITHMS.items():

            def run(*arguments, name=name, algorithm=algorithm):
                ran.append(name)
                return algorithm.run(*arguments)

            monkeypatch.setitem(ALGORITHMS, name, dataclasses.replace(algorithm, run=run))
        x, kernel = library.asarray(np.ones((20, 30))), library.asarray(np.ones((4, 3)))
        found = arrayconv.explain(x, kernel, "same", method=method)
        arrayconv.convolve(x, kernel, "same", method=method)
        assert ran == [found.method] * found.steps


class TestNumbers:
    def test_output_shape_and_multiply_adds(self):
        found = arrayconv.explain((2, 10, 12), (3, 4), "valid", axes=(1, 2), stride=(1, 2))
        assert found.output_shape == (2, 8, 5)
        assert found.macs == 2 * 8 * 5 * 3 * 4

    def test_lags_are_those_of_correlate(self):
        assert arrayconv.explain(10, 3, lags=4).output_shape == (9,)
        assert arrayconv.explain((10, 10), (3, 3), lags=((0, 1), 2)).output_shape == (2, 5)
        assert "conjugated" in arrayconv.explain(10, 3, lags=4).lowering

    def test_workspace_is_capped_by_blocks(self):
        free = arrayconv.explain((1000, 1000), (31, 31), method="fft")
        capped = arrayconv.explain((1000, 1000), (31, 31), method="fft", max_workspace=free.workspace // 5)
        assert capped.workspace <= free.workspace // 5
        assert capped.steps > free.steps == 1
        assert capped.output_shape == free.output_shape

    def test_explanation_is_a_value(self):
        found = arrayconv.explain(100, 3)
        assert hash(found) == hash(arrayconv.explain(100, 3))
        with pytest.raises(dataclasses.FrozenInstanceError):
            found.method = "fft"

    def test_a_huge_problem_allocates_nothing(self):
        found = arrayconv.explain((16384, 16384), (3, 3), "same")  # 2 GB of float64
        assert found.output_shape == (16384, 16384)


class TestText:
    def test_says_chosen_slower_and_refused(self):
        text = str(arrayconv.explain((512, 512), (3, 3), accuracy="componentwise"))
        lines = text.splitlines()
        words = [line.split()[0] for line in lines[-4:]]
        assert sorted(words[:2]) == ["chosen", "slower"]
        assert words[2:] == ["refused", "refused"]
        assert "its error is bounded by norm" in lines[-1]
        assert {line.split()[1] for line in lines[-4:]} == set(METHODS)

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
