"""The ranking: integers only, the same for the same key, with a reason for every refusal."""

from itertools import product
from math import prod

import pytest

from arrayconv._accel.native import rows as loops
from arrayconv._algorithms import ALGORITHMS
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import MethodCost
from arrayconv._plan import rank as rank_module
from arrayconv._plan.rank import TABLE, Budget, rank
from arrayconv._problem.split import live_phases
from tests.cases import CASES, axis, spec

NUMPY = Traits("numpy", "cpu", "float64", "float64", readable=True, writable=True, transforms="scipy")
IMAGE = spec(axis(512, 3, 512, before=1), axis(512, 3, 512, before=1))


def named(rows):
    return {row.name: row for row in rows}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ranking_is_sorted_and_complete(case):
    rows = rank(case.spec, NUMPY, Budget(), zero_fill=case.fill == 0)
    assert sorted(row.name for row in rows) == sorted(TABLE)
    costs = [row.cost_ns for row in rows if row.refusal is None]
    assert costs == sorted(costs)
    assert all(isinstance(row.cost_ns, int) and isinstance(row.workspace, int) for row in rows)
    assert rows == rank(case.spec, NUMPY, Budget(), zero_fill=case.fill == 0)


def test_long_kernels_go_to_the_spectrum_and_short_ones_do_not():
    large = spec(axis(512, 63, 512, before=31), axis(512, 63, 512, before=31))
    assert rank(IMAGE, NUMPY, Budget(), zero_fill=True)[0].name in ("direct", "im2col", "banded")
    assert rank(large, NUMPY, Budget(), zero_fill=True)[0].name in ("fft", "overlap_save")


def test_componentwise_accuracy_keeps_the_spectrum_out():
    rows = named(rank(IMAGE, NUMPY, Budget(accuracy="componentwise"), zero_fill=True))
    assert rows["fft"].refusal == "its error is bounded by norm, and accuracy='componentwise' was requested"
    assert rows["direct"].refusal is None


@pytest.mark.parametrize("budget", [30_000, 300_000, 3_000_000])
def test_every_runnable_row_fits_the_budget(budget):
    for case in [*CASES]:
        for row in rank(case.spec, NUMPY, Budget(budget), zero_fill=True):
            assert row.refusal is not None or row.workspace <= budget
    assert named(rank(IMAGE, NUMPY, Budget(budget), zero_fill=True))["direct"].refusal is None


def test_a_budget_too_small_names_both_numbers():
    row = named(rank(IMAGE, NUMPY, Budget(100), zero_fill=True))["direct"]
    assert row.refusal is not None
    assert "bytes of workspace, more than max_workspace=100" in row.refusal


def test_integers_that_would_not_be_exact_are_refused_with_the_bound():
    exact = NUMPY._replace(accumulator="int64", output="int64")
    long = spec(axis(1 << 22, 1 << 16, 1 << 22))
    assert "the rounding bound is" in (named(rank(long, exact, Budget(), zero_fill=True))["fft"].refusal or "")
    no_double = exact._replace(float64=False)
    assert "need float64" in (named(rank(IMAGE, no_double, Budget(), zero_fill=True))["fft"].refusal or "")


def test_im2col_needs_an_integer_product():
    cuda = NUMPY._replace(backend="torch", device="cuda", accumulator="int32", output="int32", integer_matmul=False)
    refusal = named(rank(IMAGE, cuda, Budget(), zero_fill=True))["im2col"].refusal
    assert refusal == "torch on cuda has no integer matrix product"


def test_blocks_stay_in_the_cache_on_a_cpu_and_whole_elsewhere():
    large = spec(axis(4096, 3, 4096, before=1), axis(4096, 3, 4096, before=1))
    cpu = named(rank(large, NUMPY, Budget(), zero_fill=True))["direct"]
    gpu = named(rank(large, NUMPY._replace(backend="cupy", device="cuda"), Budget(), zero_fill=True))["direct"]
    assert cpu.block[2] * cpu.block[3] * 8 <= TABLE["direct"].cuts.tile_bytes
    assert gpu.block == (1, 1, 4096, 4096)


@pytest.mark.parametrize("method", ALGORITHMS)
def test_pieces_do_not_multiply_with_the_data(method):
    huge = spec(axis(10**6, 3, 10**6, before=1), axis(10**6, 3, 10**6, before=1))
    row = named(rank(huge, NUMPY, Budget(), zero_fill=True))[method]
    assert (10**6 // row.block[2]) * (10**6 // row.block[3]) <= 10_000


LONG = {  # name: spec of a kernel about as long as half the data
    "image": spec(*[axis(4096, 2001, 4096, before=1000)] * 2),
    "small-image": spec(*[axis(512, 255, 512, before=127)] * 2),
    "signal": spec(axis(1 << 22, 1 << 20, 1 << 22)),
    "strided": spec(axis(1 << 20, 1 << 18, 1 << 16, stride=8)),
}


@pytest.mark.parametrize("name", LONG)
def test_pieces_for_the_cache_are_not_shorter_than_the_reach(name):
    row = named(rank(LONG[name], NUMPY, Budget(), zero_fill=True))["overlap_save"]
    for outputs, one in zip(row.block[2:], LONG[name].axes, strict=True):
        assert outputs * one.stride >= one.reach
    whole = TABLE["fft"].cost(LONG[name], NUMPY)
    assert row.cost_ns <= 4 ** len(LONG[name].axes) * whole, "a piece reads at most twice its length per axis"


def test_pieces_that_a_cap_makes_short_cost_what_their_halos_do():
    image, mebibyte = LONG["image"], 1 << 20
    free = named(rank(image, NUMPY, Budget(), zero_fill=True))
    capped = named(rank(image, NUMPY, Budget(600 * mebibyte), zero_fill=True))
    pieces = prod(-(-4096 // outputs) for outputs in capped["overlap_save"].block[2:])
    assert max(capped["overlap_save"].block) < 2001
    assert capped["overlap_save"].cost_ns > pieces / 2 * TABLE["fft"].cost(spec(*[axis(2001, 2001, 1)] * 2), NUMPY)
    assert capped["overlap_save"].cost_ns > 4 * free["overlap_save"].cost_ns


SIGNALS_GAIN = 1 + 3 * 0.8  # of four threads


@pytest.mark.parametrize(
    ("outputs", "taps", "gain"), [(129, 1 << 20, 1), (1 << 20, 129, SIGNALS_GAIN)], ids=["few", "many"]
)
def test_loops_are_expected_to_gain_from_as_many_threads_as_there_are_blocks_of_outputs(outputs, taps, gain):
    problem, method_cost = spec(axis(outputs + taps - 1, taps)), MethodCost(0, 1000)
    alone, shared = (loops.cost(problem, NUMPY._replace(threads=threads), method_cost) for threads in (1, 4))
    assert alone / shared == pytest.approx(gain, rel=0.05)


def test_a_block_is_halved_until_there_are_enough_pieces_and_no_further():
    for sizes, block in product([(1, 1, 100), (5, 2, 30, 7)], [60, 100, 3]):
        whole = tuple(min(n, block) for n in sizes)
        reaches = [3] * (len(sizes) - 2)
        for parts in (1, 2, 3, 8):
            count = pieces(sizes, rank_module._split_block(whole, sizes, reaches, parts))
            assert parts <= count <= max(pieces(sizes, whole), 2 * parts)
    assert rank_module._split_block((1, 1, 60), (1, 1, 100), [3], 2) == (1, 1, 60)
    assert rank_module._split_block((2, 1, 60), (2, 1, 60), [3], 2) == (1, 1, 60)
    assert rank_module._split_block((1, 1, 8, 60), (1, 1, 8, 60), [4, 3], 2) == (1, 1, 8, 30)
    assert rank_module._split_block((1, 1, 9, 60), (1, 1, 9, 60), [4, 3], 2) == (1, 1, 5, 60)


def pieces(sizes, block):
    return prod(-(-n // size) for n, size in zip(sizes, block, strict=True))


def test_samples_of_a_piece_are_those_that_its_windows_span():
    for one in [one for case in CASES for one in case.spec.axes if one.outputs and one.upsample == 1]:
        windows = [range(one.stride * p, one.stride * p + one.reach) for p in range(one.outputs)]
        assert rank_module._samples(one) == max(map(max, windows)) - min(map(min, windows)) + 1


def test_bytes_of_a_piece_are_its_samples_kernel_and_result_and_the_workspace():
    inside, extended = spec(axis(50, 5, 46), channels=3), spec(axis(50, 5, 50, before=2), channels=3)
    for problem, samples, copies in ((inside, 50, 1), (extended, 54, 2)):
        method = ALGORITHMS["direct"]
        expected = 8 * (copies * 3 * samples + 2 * 3 * 5 + problem.outputs) + method.workspace(problem, NUMPY)
        assert rank_module._piece_bytes(method, problem, problem, NUMPY) == expected


@pytest.mark.parametrize(
    ("one", "count"), [(axis(10, 3, 8), 2 * 3), (axis(5, 4, 10, upsample=2), 2 * 2 * 2), (axis(10, 3, 0), 2 * 1)]
)
def test_pieces_are_counted_over_all_phases(one, count):
    problem = spec(one, batch=3)
    phased = rank_module._Phased(problem, rank_module._largest_phase(problem), {})
    model = rank_module._CostModel(ALGORITHMS["direct"], phased, NUMPY, frozenset())
    assert model.count((2, 1, 3)) == count


def test_the_phase_with_the_most_work_represents_all():
    for one in [one for case in CASES for one in case.spec.axes if live_phases(one)]:
        largest = rank_module._largest(one)
        assert largest.taps * largest.outputs == max(p.axis.taps * p.axis.outputs for p in live_phases(one))
    uneven = axis(5, 5, 3, upsample=2)  # 3 taps for 2 outputs, 2 taps for 1
    assert (rank_module._largest(uneven).taps, rank_module._largest(uneven).outputs) == (3, 2)
