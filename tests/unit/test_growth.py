"""How the planned work grows with the data and the kernel: counted from the plan, so that no clock is needed."""

from math import log2, prod

import pytest

from arrayconv._algorithms.fft import lengths_of as fft_lengths
from arrayconv._algorithms.overlap_save import _lengths as tile_lengths
from arrayconv._algorithms.overlap_save import _tiles
from arrayconv._arrays.traits import Traits
from arrayconv._plan.plan import make
from arrayconv._plan.rank import TABLE, Budget
from tests.cases import axis, spec

NUMPY = Traits("numpy", "cpu", "float32", "float32", readable=True, writable=True, transforms="scipy")
CUTS = {  # of a step: how many transforms of its data, and their lengths
    "fft": lambda step: (1, fft_lengths(step)),
    "overlap_save": lambda step: (_tiles(step, False), tile_lengths(step, False)),
}


SERIES = [(1, range(12, 23), 63), (2, range(7, 13), 31), (3, range(5, 9), 7)]  # axes, log2 of their sizes, taps


def same(n, k, dims):
    """Return a 'same' problem of n samples and k taps on each axis."""
    return spec(*(axis(n, k, n, before=(k - 1) // 2) for _ in range(dims)))


def operations(problem, method, budget=None):
    """Return the steps of all transforms of a plan's data: points times log2 of a transform's length."""
    cuts = [CUTS[method](step.spec) for step in make(problem, NUMPY, method, Budget(budget), True).partition.pieces()]
    return sum(count * prod(lengths) * log2(prod(lengths) + 1) for count, lengths in cuts)


@pytest.mark.parametrize("method", CUTS)
@pytest.mark.parametrize(("dims", "sizes", "taps"), SERIES)
def test_transforms_grow_no_faster_than_n_log_n(method, dims, sizes, taps):
    for power in sizes:
        n = 2 ** (power * dims)
        most = 2 ** (dims + 1) * (n + taps**dims) * (log2(n) + 1)  # tiles of twice the reach on every axis
        assert operations(same(2**power, taps, dims), method) <= most


@pytest.mark.parametrize(("dims", "n", "powers"), [(1, 1 << 20, range(3, 17)), (2, 1 << 11, range(2, 9))])
def test_the_cheaper_transform_grows_no_faster_than_the_logarithm_of_the_kernel(dims, n, powers):
    for power in powers:
        k, samples = 2**power - 1, n**dims
        least = min(operations(same(n, k, dims), method) for method in CUTS)
        assert least <= 4 * samples * (dims * log2(k) + 4)


@pytest.mark.parametrize("method", TABLE)
@pytest.mark.parametrize("budget", [None, 1 << 21])
def test_blocks_repeat_no_multiply_add_of_the_definition(method, budget):
    problem = same(1 << 16, 9, 1) if method in ("dot", "numpy_convolve") else same(700, 9, 2)
    plan = make(problem, NUMPY._replace(accelerators=frozenset(["numpy", "native"])), method, Budget(budget), True)
    if not hasattr(plan, "partition"):
        pytest.skip(next(row.refusal for row in plan.candidates if row.name == method))
    assert sum(step.spec.macs for step in plan.partition.pieces()) == problem.macs


@pytest.mark.parametrize("method", CUTS)
def test_a_cap_costs_at_most_the_halos_of_its_blocks(method):
    problem = same(1 << 20, 255, 1)
    free = operations(problem, method)
    for budget in (1 << 24, 1 << 22, 1 << 20):
        assert operations(problem, method, budget) <= 1.5 * free
