"""Small rules of planning and running: what is cut, what is a view, which axes and texts are refused."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

import arrayconv
from arrayconv._accel.native import loader
from arrayconv._algorithms import Context
from arrayconv._calls import binding
from arrayconv._costs import parallel
from arrayconv._nn import shapes as nn_shapes
from arrayconv._nn.arguments import Window
from arrayconv._ops import contain
from arrayconv._plan import plan as plan_module
from arrayconv._plan import rank as rank_module
from arrayconv._plan.rank import TABLE, Candidate
from arrayconv._problem import axes as axes_module
from arrayconv._problem import split
from arrayconv._problem.boundary import BOUNDARIES, FILL, Run, reads_samples, runs
from arrayconv._problem.layout import Permutation
from arrayconv._run.operands import _data_position, _read, orientation, reader, wrap_fill
from arrayconv._run.pieces import joins_in_view
from arrayconv._run.steps import Kernels
from arrayconv._runtime import caches
from arrayconv._signal import shapes as signal_shapes
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
        problem = spec(axis(90, taps, 50, upsample=upsample), filters=2)
        phased = rank_module._Phased(problem, rank_module._largest_phase(problem), {})
        return rank_module._CostModel(TABLE["direct"], phased, traits, frozenset()).phases_cost

    assert cost(30, 2) == 3 * cost(10, 2) > 0
    assert cost(30, 1) == 0
    assert cost(30, 2, NUMPY._replace(backend="cupy", device="cuda")) == 0


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


# ---- operands ----


@pytest.mark.parametrize("casts", [False, True])
def test_operands_are_cast_where_the_method_does_not(casts):
    problem = spec(axis(9, 3), flip=True)
    context = Context(np, "cpu", NUMPY, None)
    x, kernel = np.arange(9, dtype="float32").reshape(1, 1, 1, 9), np.ones((1, 1, 1, 3), "float32")
    piece = split.undivided_piece(problem)
    for result in (
        reader(piece, problem, context, casts=casts)(x),
        orientation(problem, context, casts=casts)(kernel),
    ):
        assert result.dtype == ("float64" if casts else "float32")
    assert reader(piece, problem, context, casts=casts)(x.astype("float64")).dtype == "float64"


@pytest.mark.parametrize(
    ("value", "number"), [(2, 2), (2.5, 2.5), (np.float32(2.5), 2.5), (np.asarray(3), 3), (True, 1)]
)
def test_real_numbers_are_numbers_or_arrays_without_axes(value, number):
    assert axes_module.real("f", "fill", value) == number
    assert axes_module.real("f", "fill", 2**63) == 2.0**63


@pytest.mark.parametrize("value", ["5", b"5", np.ones(1), np.ones((1, 1)), [5], None, 1j])
def test_other_values_are_no_real_numbers(value):
    with pytest.raises(TypeError, match=r"^f: `fill` must be a real number\. Got "):
        axes_module.real("f", "fill", value)


def test_integers_and_positions_have_64_bits():
    assert [axes_module.integer("f", "n", value) for value in (2**63 - 1, -(2**63))] == [2**63 - 1, -(2**63)]
    for value in (2**63, -(2**63) - 1):
        with pytest.raises(OverflowError, match="must fit 64 bits"):
            axes_module.integer("f", "n", value)
    axes_module.check_positions("f", axis(3, 1, 2**63 - 1))
    with pytest.raises(OverflowError, match="must be counted in 64 bits"):
        axes_module.check_positions("f", axis(3, 1, 2**63))


@pytest.mark.parametrize(
    ("joined", "joins"), [((2, 3), False), ((1, 2, 1, 3), False), ((6,), True), ((2, 1, 3), False), ((2, 3, 1), False)]
)
def test_axes_of_length_1_join_nothing(joined, joins):
    for order, split_shape in (((0, 1), (2, 3)), ((1, 0), (3, 2)), ((0, 2, 1), (2, 1, 3))):
        assert Permutation(split_shape, order, joined).joins is joins
        assert Permutation(split_shape, order, joined).reorders is (order == (1, 0))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_only_axes_without_samples_have_none_to_extend(boundary):
    for size in (0, 1, 2):
        one = axis(size, 1, 3, before=1, boundary=boundary)
        if size == 0 and reads_samples(boundary):
            with pytest.raises(ValueError, match="extends the data, but the axis has 0 samples"):
                axes_module.checked("f", one)
            assert axes_module.checked("f", one._replace(outputs=0)).outputs == 0
        else:
            assert axes_module.checked("f", one) == one


@pytest.mark.parametrize("itemsize", [1, 2, 4, 8])
def test_a_fill_is_wrapped_to_a_signed_integer(itemsize):
    count = 1 << (8 * itemsize)
    traits = NUMPY._replace(accumulator=f"int{8 * itemsize}", output=f"int{8 * itemsize}")
    assert (traits.exact, traits.itemsize) == (True, itemsize)
    for fill in (0, 1, -1, count // 4, count // 2 - 1, count // 2, -count // 2, count - 1, count, 5 * count + 3):
        wrapped = wrap_fill(fill, traits)
        assert (wrapped - fill) % count == 0
        assert -count // 2 <= wrapped < count // 2
    assert wrap_fill(300.5, NUMPY) == 300.5


def test_samples_that_constants_surround_have_one_position():
    def row(*parts):
        return tuple(Run(*part) for part in parts)

    whole, padded = row((0, 1, 4)), row((FILL, 0, 2), (0, 1, 5), (FILL, 0, 1))
    assert _data_position((padded, whole)) == (slice(2, 7), slice(0, 4))
    assert _data_position((whole, row((3, 1, 2), (FILL, 0, 1)))) == (slice(0, 4), slice(0, 2))
    assert _data_position((whole, whole)) is None  # nothing is padded
    assert _data_position((padded, row((4, -1, 3), (FILL, 0, 1)))) is None
    assert _data_position((padded, row((0, 0, 3), (FILL, 0, 1)))) is None
    assert _data_position((padded, row((0, 1, 3), (1, 1, 2)))) is None
    assert _data_position((padded, row((FILL, 0, 3)))) is None
    assert _data_position((padded, runs(2, 0, 200, "wrap"))) is None


def test_no_sample_is_read_that_no_run_copies():
    assert _read((Run(FILL, 0, 3),))[0] == slice(0, 0)
    assert _read((Run(FILL, 0, 3), Run(2, 1, 4)))[0] == slice(2, 6)
    assert _read((Run(6, -1, 3), Run(4, 1, 1))) == (slice(4, 7), (Run(2, -1, 3), Run(0, 1, 1)))
    assert _read((Run(FILL, 0, 3), Run(2, 1, 4)))[1] == (Run(FILL, 0, 3), Run(0, 1, 4))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_axes_of_no_element_join_in_a_view(order):
    for shape in ((0, 3, 4), (3, 0, 4)):
        sizes = [shape[number] for number in order]
        assert joins_in_view(np.zeros(shape), Permutation(shape, order, (sizes[0] * sizes[1], sizes[2])))


@pytest.mark.parametrize(("n", "k"), [(0, 0), (1, 0), (0, 1), (3, 0), (5, 2)])
def test_shapes_of_empty_convolutions_follow_the_formulas(n, k):
    shapes = (n, 4), (k, 2)
    assert signal_shapes.empty_shape("f", shapes, "same") == (n, 4)
    assert signal_shapes.empty_shape("f", shapes, "valid") == (abs(n - k) + 1, 3)
    if n + k == 0:
        with pytest.raises(ValueError, match=r"^f: negative dimensions are not allowed\. Got shapes \(0, 4\) and"):
            signal_shapes.empty_shape("f", shapes, "full")
    else:
        assert signal_shapes.empty_shape("f", shapes, "full") == (n + k - 1, 5)


@pytest.mark.parametrize(
    ("weight", "refused"), [((0, 1, 3), True), ((2, 1, 0), True), ((0, 1, 0), True), ((2, 1, 3), False)]
)
def test_weights_have_a_filter_and_a_tap(weight, refused):
    window = Window((1,), ("valid",), (1,), 1, ("constant",))
    if refused:
        with pytest.raises(ValueError, match="must have at least one filter and one tap on every axis"):
            nn_shapes.specified("f", (1, 1, 9), weight, window)
    else:
        assert nn_shapes.specified("f", (1, 1, 9), weight, window).output_shape == (1, 1, 2, 7)


@pytest.mark.parametrize(
    ("n", "k", "mode"), [(0, 0, "full"), (0, 1, "full"), (0, 3, "full"), (0, 3, "same"), (1, 1, "valid")]
)
def test_there_are_as_many_lags_as_outputs(n, k, mode):
    count = max(n + k - 1, 0) if mode == "full" else n
    assert len(signal_shapes.lags("f", n, k, mode)) == count


def test_every_stride_th_output_is_counted_from_the_first():
    for outputs in range(9):
        for stride in range(1, 5):
            assert axes_module.strided(outputs, stride) == len(range(0, outputs, stride))


@pytest.mark.parametrize("stride", [2, (1, 2), (2, 1), (2, 2)])
def test_lags_exclude_a_stride_on_any_axis(stride):
    x, kernel = np.ones((5, 5)), np.ones((2, 2))
    with pytest.raises(ValueError, match="it excludes `mode` and `stride`"):
        arrayconv.correlate(x, kernel, lags=1, stride=stride)
    assert arrayconv.correlate(x, kernel, lags=1, stride=(1, 1)).shape == (3, 3)


# ---- texts ----


@pytest.mark.parametrize("mode", ["best", "", None, 1, ["full"]])
def test_lags_of_an_unknown_mode_are_refused(mode):
    with pytest.raises(ValueError, match=r"^f: Mode .* is invalid: `mode` must be one of"):
        signal_shapes.lags("f", 5, 3, mode)


def test_a_cap_that_no_copy_reduces_is_named_alone():
    with pytest.raises(ValueError, match=r"max_workspace` is too small for any piece\. Got 1 bytes\. its smallest"):
        arrayconv.convolve(np.ones(9), np.ones(3), method="direct", max_workspace=1)


@pytest.mark.parametrize(
    ("pattern", "value", "carets"),
    [("c n, c n -> n | n", (2, 3), 16 * " " + "^"), ("c n, c n -> c n", (2,), 15 * " " + "^"),
     ("n m, n m -> n m | n m", (2,), 18 * " " + "^ ^")],
)  # fmt: skip
def test_carets_are_at_the_labels_of_which_there_are_more_or_fewer_than_values(pattern, value, carets):
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="one per convolved label") as refusal:
        arrayconv.einconv(pattern, x, x, stride=value)
    assert str(refusal.value).splitlines()[1:3] == [f"  {pattern}", f"  {carets}"]


@pytest.mark.parametrize("padding", [(1, "full"), ("full", 1), ("full", "valid"), (1, 2, 3)])
def test_a_padding_of_one_label_is_one_name_or_a_pair_of_ints(padding):
    x = np.ones((2, 9))
    with pytest.raises(ValueError, match=r"`padding` must be one value, one per convolved label.* Got [23] values"):
        arrayconv.einconv("b n, n -> b n | n", x, x[0], padding=padding)
    assert arrayconv.einconv("b n, n -> b n | n", x, x[0], padding=(1, 2)).shape == (2, 4)


@pytest.mark.parametrize(("dtype", "itemsize"), [("float16", 4), ("float64", 8), ("int8", 1)])
def test_bytes_of_a_copied_operand_are_those_of_the_sums(dtype, itemsize):
    x, kernel = np.ones((6, 5, 4), dtype), np.ones((3,), dtype)
    text = str(arrayconv.explain(x, kernel, pattern="a n b, n -> a n b | n"))
    assert f"transposed and copied ({itemsize * 6 * 5 * 4} bytes)" in text


@pytest.mark.parametrize(
    ("pattern", "label", "carets"),
    [
        ("c n, c n -> n | n", "c", "^    ^"),
        ("c n, c n -> n | n", "z", "                ^"),
        ("c n, c n -> n", "z", "             ^"),
    ],
)
def test_carets_are_at_the_label_that_is_not_convolved_or_else_at_the_bar(pattern, label, carets):
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="names a label that is not convolved") as refusal:
        arrayconv.einconv(pattern, x, x, stride={label: 2})
    assert str(refusal.value).splitlines()[1:3] == [f"  {pattern}", f"  {carets}"]
