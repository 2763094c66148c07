"""Small rules of planning: what is cut into which pieces, and what those cost."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

import arrayconv
from arrayconv._accel.native import loader
from arrayconv._calls import binding
from arrayconv._costs import parallel
from arrayconv._ops import contain
from arrayconv._plan import plan as plan_module
from arrayconv._plan import rank as rank_module
from arrayconv._plan.rank import TABLE, Candidate
from arrayconv._problem import split
from arrayconv._run.steps import Kernels
from arrayconv._runtime import caches
from tests import running
from tests.cases import axis, spec
from tests.conftest import make_library
from tests.unit.test_select import NUMPY

# ---- how a problem is cut ----


@pytest.mark.skipif(not loader.built(), reason="the loops were not built: no C compiler")
def test_an_upsampled_problem_is_one_piece_of_a_method_that_supports_it_whole():
    library, along = make_library("numpy"), axis(9, 3, 17, upsample=2, before=1)
    problem = spec(along, along, channels=8, filters=8)
    plan = running.planned(library, problem, "float32", "native_images")
    assert plan.candidate.undivided
    assert plan.candidate.block == (1, 1, 17, 17)
    assert plan.is_whole
    least = plan.candidate.workspace
    assert running.planned(library, problem, "float32", "native_images", max_workspace=least).is_whole
    smaller = running.planned(library, problem, "float32", "native_images", max_workspace=least - 1)
    assert not smaller.is_whole
    assert smaller.candidate.workspace < least


def test_one_undivided_piece_applies_flip_and_conj_to_the_whole_kernel():
    problem = spec(axis(9, 3, 5, upsample=2), batch=2, groups=3, flip=True, conj=True)
    piece = split.undivided_piece(problem)
    assert (piece.spec.flip, piece.spec.conj) == (False, False)
    assert (piece.batch, piece.groups) == ((0, 2), (0, 3))
    assert range(9)[slice(piece.source[0][0].start, piece.source[0][0].length)] == range(9)
    assert (range(3)[piece.taps[0]], range(5)[piece.target[0]]) == (range(3), range(5))


@pytest.mark.parametrize(
    ("boundaries", "zero_fill", "on_gpu", "pieces"),
    [
        (("constant", "constant"), True, False, 1),
        (("constant", "constant"), False, False, 5),
        (("constant", "reflect"), True, False, 5),
        (("reflect", "reflect"), True, False, 5),
        (("reflect", "reflect"), True, True, 1),
    ],
)
def test_borders_are_slabs_unless_the_method_pads_every_axis(boundaries, zero_fill, on_gpu, pieces):
    along = [axis(1000, 3, 1000, before=1, boundary=boundary) for boundary in boundaries]
    row = Candidate("banded", 1, (1, 1, 1000, 1000), 1, None)
    cut = plan_module._partition(spec(*along), row, TABLE["banded"], zero_fill, on_gpu=on_gpu)
    assert cut.num_pieces == pieces


@pytest.mark.parametrize(
    ("size", "reach", "stride", "outputs", "circular"),
    [
        (8, 3, 1, 8, True),
        (8, 3, 1, 9, False),
        (8, 8, 1, 8, True),
        (8, 9, 1, 8, False),
        (8, 3, 2, 4, True),
        (8, 3, 2, 5, False),
        (7, 3, 1, 7, False),  # no fast transform
    ],
)
def test_circular_axes_have_no_longer_kernel_and_no_more_outputs(size, reach, stride, outputs, circular):
    one = axis(size, reach, outputs, stride=stride, before=1, boundary="wrap")
    assert split.handles_wrap(one, {"wrap"}) is circular
    assert not split.handles_wrap(one, {"zero"})
    assert not split.handles_wrap(one._replace(boundary="reflect"), {"wrap"})


def test_a_phase_that_represents_others_is_not_upsampled():
    for one in (axis(4, 1, 3, upsample=3, stride=3, before=1), axis(5, 3, 0, upsample=2)):
        assert not split.live_phases(one)
        assert rank_module._largest(one).upsample == 1
    assert rank_module._largest(axis(4, 2, 3, upsample=6, stride=6, dilation=6, before=1)).taps == 1


@pytest.mark.parametrize(("difference", "count"), [(-1, 2), (0, 1), (1, 1)])
def test_pieces_run_in_parallel_where_that_is_faster(difference, count, monkeypatch):
    problem, threads = spec(axis(4096, 3, 4096, before=1)), 2
    traits = NUMPY._replace(threads=threads)
    phased = rank_module._Phased(problem, problem, {})
    model = rank_module._CostModel(TABLE["direct"], phased, traits, frozenset())
    row = Candidate("direct", 1000, (1, 1, 4096), model.bytes((1, 1, 4096)), None)
    monkeypatch.setattr(parallel, "pieces_ns", lambda *_: row.cost_ns + difference)
    faster = rank_module._parallel_row(row, model, 1 << 40, [2])
    assert faster.num_parallel == count
    if count == 2:
        assert (faster.block, faster.cost_ns) == ((1, 1, 2048), 999)
        assert faster.workspace == 2 * model.bytes(faster.block)
    else:
        assert faster == row


def converting(name):
    """Return a method with the cuts of one that reads the caller's arrays, whatever their dtype."""
    cuts = TABLE[name].cuts._replace(extends=frozenset({"all"}), converts=True)
    return dataclasses.replace(TABLE[name], cuts=cuts)


def test_a_piece_of_a_method_that_reads_the_callers_arrays_takes_its_workspace_alone():
    problem, method = spec(axis(90, 3, 90, before=1), channels=8), converting("im2col")
    assert rank_module._piece_bytes(method, problem, problem, NUMPY) == method.workspace(problem, NUMPY) > 0


@pytest.mark.parametrize(("workspace", "pieces"), [(0, 1), (8, 9)])
def test_a_method_that_reads_the_callers_arrays_and_needs_no_memory_is_cut_into_no_blocks(workspace, pieces):
    row = Candidate("direct", 1, (1, 1, 10), workspace, None)
    problem = spec(axis(30, 1), batch=3)
    assert plan_module._partition(problem, row, converting("direct"), True, on_gpu=False).num_pieces == pieces
    assert plan_module._partition(problem, row, TABLE["direct"], True, on_gpu=False).num_pieces == 9


@pytest.mark.parametrize(("outputs", "repetitive"), [(30, True), (20, False), (35, False), (45, True), (55, True)])
def test_a_plan_is_repetitive_with_more_than_twice_as_many_steps_as_different_ones(outputs, repetitive):
    plan = running.planned(make_library("numpy"), spec(axis(outputs, 1)), "float64", "direct")
    row = plan.candidate._replace(block=(1, 1, 10))
    plan = plan._replace(partition=plan_module._partition(plan.spec, row, TABLE["direct"], True, on_gpu=False))
    assert plan.partition.num_pieces == -(-outputs // 10)
    assert plan.is_repetitive is repetitive


def test_an_axis_that_a_method_extends_whole_is_read_as_it_is():
    padded, circular = axis(8, 3, 8, before=1), axis(8, 3, 8, before=1, boundary="wrap")
    for one, extends in ((padded, {"all"}), (circular, {"all"}), (padded, {"zero"}), (circular, {"wrap"})):
        assert rank_module._block_axis(one, 8, frozenset(extends)) == one
        assert rank_module._block_axis(one, 5, frozenset(extends)) == one._replace(outputs=5, size=7, before=0)
        assert rank_module._block_axis(one, 8, frozenset()) == one._replace(size=10, before=0)


def test_a_piece_is_copied_once_and_again_where_any_axis_is_extended():
    inside, extended, method = axis(50, 5), axis(50, 5, 50, before=2), TABLE["direct"]
    for problem, samples, copies in (
        (spec(inside, inside, batch=2), 50 * 50, 1),
        (spec(inside, extended, batch=2), 50 * 54, 2),
        (spec(extended, inside, batch=2), 54 * 50, 2),
    ):
        expected = 8 * (copies * 2 * samples + 2 * 25 + problem.outputs) + method.workspace(problem, NUMPY)
        assert rank_module._piece_bytes(method, problem, problem, NUMPY) == expected


@pytest.mark.parametrize("method", [name for name in ("fft", "overlap_save", "banded") if TABLE[name].spreads])
def test_a_guarded_piece_is_copied_four_times_with_two_flags_a_sample(method):
    problem = spec(axis(50, 5), channels=3, filters=2)
    samples, taps, outputs = 3 * 50, 3 * 2 * 5, 2 * 46
    expected = samples * (4 * 8 + 2) + 6 * taps * 8 + outputs * 8 + TABLE[method].workspace(problem, NUMPY)
    assert rank_module._piece_bytes(TABLE[method], problem, problem, NUMPY) == expected


@pytest.mark.parametrize("is_whole", [False, True])
def test_pieces_of_some_methods_are_whole_images_however_large(is_whole):
    along = axis(1500, 5)
    problem, method = spec(along, along, batch=64), TABLE["direct"]
    method = dataclasses.replace(method, cuts=method.cuts._replace(tiles_images=is_whole))
    phased = rank_module._Phased(problem, problem, {})
    block = rank_module._cache_block(method, phased, NUMPY, (64, 1, 1496, 1496), (5, 5))
    assert block[:2] == (1, 1)
    assert (block[2:] == problem.output_size) is is_whole
    assert block[3] == 1496  # rows stay whole


def test_pieces_that_spread_non_finite_values_are_as_long_as_their_reach_under_a_stride():
    method = TABLE["direct"]
    method = dataclasses.replace(method, spreads="nonfinite", cuts=method.cuts._replace(tile_bytes=1))
    problem = spec(axis(123, 5, 60, stride=2))
    block = rank_module._cache_block(method, rank_module._Phased(problem, problem, {}), NUMPY, (1, 1, 60), (5,))
    assert block == (1, 1, 4)  # 2 outputs would span 4 samples, fewer than the reach


@pytest.fixture
def bound_call(monkeypatch):
    """Return the call that a function binds."""
    calls = []
    caches.clear()
    monkeypatch.setattr("arrayconv.convolution.bind", lambda *a, **k: calls.append(binding.bind(*a, **k)) or calls[-1])
    arrayconv.convolve(np.ones(7919), np.ones(3))
    return calls[0]


def test_a_call_is_bound_to_one_direct_function(bound_call):
    bound_call._direct = binding._UNBOUND
    direct = bound_call.bind()
    assert direct is not None
    assert bound_call.bind() is direct


def test_a_traced_call_has_no_direct_function(bound_call):
    plan, of = bound_call.plan(), (bound_call._dtypes, bound_call._shapes)
    assert binding._direct(bound_call, plan, *of) is not None
    traced = plan._replace(traits=plan.traits._replace(traced=True))
    assert binding._direct(bound_call, traced, *of) is None


def test_only_processors_take_time_to_start_a_piece():
    assert rank_module.step_ns(NUMPY) > 0
    assert rank_module.step_ns(NUMPY._replace(backend="cupy", device="cuda")) == 0


def test_a_method_that_refuses_has_no_cost_block_or_workspace():
    row = running_rows(axis(9, 3))["native_tiles"]
    assert row.refusal is not None
    assert (row.cost_ns, row.block, row.workspace) == (0, (), 0)


def test_copies_of_taps_cost_time_by_tap_where_an_axis_is_upsampled():
    def cost(taps, upsample, traits=NUMPY):
        problem = spec(axis(90, taps, 50, upsample=upsample), axis(3, 1), filters=2)
        phased = rank_module._Phased(problem, rank_module._largest_phase(problem), {})
        return rank_module._CostModel(TABLE["direct"], phased, traits, frozenset()).phases_cost

    assert cost(30, 2) == 3 * cost(10, 2) > 0
    assert cost(30, 1) == 0
    assert cost(30, 2, NUMPY._replace(backend="cupy", device="cuda")) == 0


def test_outputs_of_phases_along_the_last_axis_cost_time():
    def cost(outputs):
        problem = spec(axis(outputs, 3, outputs, upsample=2))
        phased = rank_module._Phased(problem, rank_module._largest_phase(problem), {})
        return rank_module._CostModel(TABLE["direct"], phased, NUMPY, frozenset()).phases_cost

    assert cost(3000) - cost(2000) == cost(2000) - cost(1000) > 1000


@pytest.mark.parametrize(("is_changed", "prepared"), [(False, 1), (True, 2)])
def test_a_kernel_that_the_guard_does_not_change_is_prepared_once(is_changed, prepared):
    kernel, calls = np.ones(3), []

    def guard(data):
        return contain.Guard(data.copy() if is_changed else data, None, None)

    def prepare(data):
        calls.append(data)
        return data

    kernels = Kernels(lambda: kernel, guard, None, shared=False)
    step = SimpleNamespace(kernel=0, taps=None, prepare=prepare)
    assert kernels.plain(step) is kernels.guarded(step)[1] or is_changed
    kernels.guarded(step), kernels.plain(step)
    assert len(calls) == prepared


def test_a_refusal_for_memory_names_the_bytes_of_a_piece_of_one_output():
    problem, method = spec(axis(60, 5), batch=3, channels=2), TABLE["direct"]
    rows = {row.name: row for row in rank_module.rank(problem, NUMPY, rank_module.Budget(1), zero_fill=True)}
    one = rank_module._piece_bytes(method, spec(axis(5, 5), channels=2), problem, NUMPY)
    assert rows["direct"].refusal == f"its smallest piece needs {one} bytes of workspace, more than max_workspace=1"


def test_a_derivative_that_no_piece_fits_names_the_cap_alone():
    task = plan_module.Task(spec(axis(60, 5)), NUMPY, "direct", rank_module.Budget(1))
    with pytest.raises(ValueError, match=r"^f: .* too small for any piece\. Got 1 bytes\. its smallest piece needs"):
        plan_module.plan_of("f", task, True)


@pytest.mark.parametrize(
    ("one", "writes_all"), [(axis(9, 3), True), (axis(4, 3, 9, upsample=2), True), (axis(4, 1, 10, upsample=3), False)]
)
def test_outputs_of_phases_without_taps_are_not_written(one, writes_all):
    assert running.planned(make_library("numpy"), spec(one), "float64", "direct").writes_all is writes_all


def running_rows(one):
    return {row.name: row for row in rank_module.rank(spec(one), NUMPY, rank_module.Budget(), zero_fill=True)}


def test_derivatives_are_planned_with_zeros_beyond_the_ends():
    task = plan_module.Task(spec(axis(9, 3, 9, before=1)), NUMPY, "native_tiles", rank_module.Budget())
    plan = plan_module.plan_bilinear(task)
    assert (plan.method == "native_tiles", plan.zero_fill, plan.copies_pieces) == (False, True, False)
    plan = plan_module.plan_bilinear(task._replace(method="direct"))
    assert (plan.method, plan.zero_fill) == ("direct", True)


def test_methods_without_a_separate_preparation_are_ranked_in_pieces_on_a_gpu():
    large = spec(axis(4096, 3, 4096, before=1), axis(4096, 3, 4096, before=1))
    on_gpu = NUMPY._replace(backend="cupy", device="cuda")
    for method in ("direct", "fft", "im2col"):
        whole, cut = (
            next(row for row in rank_module.rank(large, on_gpu, budget, zero_fill=True) if row.name == method)
            for budget in (rank_module.Budget(), rank_module.Budget(1 << 24))
        )
        assert whole.block == (1, 1, 4096, 4096)
        if cut.refusal is None:
            assert cut.workspace <= 1 << 24
            assert cut.cost_ns > whole.cost_ns


@pytest.mark.parametrize("boundary", ["constant", "reflect"])
def test_groups_in_pieces_are_extended_one_by_one(boundary):
    x, kernel = np.arange(4.0 * 50).reshape(4, 50) % 7, np.arange(1.0, 13).reshape(4, 3)
    options = {"axes": 1, "boundary": boundary, "method": "direct"}
    rows = np.pad(x, ((0, 0), (1, 1)), mode=boundary)
    expected = np.stack([np.convolve(row, taps, "valid") for row, taps in zip(rows, kernel, strict=True)])
    for cap in (None, 3000, 2000):
        y = arrayconv.convolve(x, kernel, "same", max_workspace=cap, **options)
        np.testing.assert_array_equal(y, expected)
    few = arrayconv.explain(x, kernel, "same", max_workspace=2000, **options)
    assert next(row for row in few.candidates if row.name == "direct").block[1] < 4
