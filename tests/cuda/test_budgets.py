"""A call's launches and bytes stay within a budget: what would be slow on a GPU fails here. Nothing runs on one."""

import pathlib

import pytest

from tests.cuda import budgets

PAGE = pathlib.Path(__file__).parents[2] / "docs/gpu.md"
ROWS = (*budgets.ROWS, *budgets.FILTERS)
MOST_OF_A_CONVOLVER = {"fft": 79, "cuda_fft": 10}  # launches, with the kernel's spectrum kept


@pytest.mark.parametrize("kernels", [True, False], ids=["kernels", "standard-only"])
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_call_stays_within_its_budget(row, kernels):
    launches, images = budgets.measured(row, kernels=kernels)
    most_launches, most_images = row.most if kernels else row.most_standard
    assert launches <= most_launches
    assert images <= most_images


@pytest.mark.parametrize("name", budgets.CALLS)
def test_call_of_other_shapes_stays_within_its_budget(name):
    call = budgets.CALLS[name]
    launches, images = budgets.costs(call)
    assert launches <= call.most[0]
    assert images <= call.most[1]


@pytest.mark.parametrize("method", MOST_OF_A_CONVOLVER)
def test_convolver_transforms_its_kernel_once(method):
    assert budgets.of_convolver(method)[0] <= MOST_OF_A_CONVOLVER[method]


def test_the_page_has_these_numbers():
    assert set(budgets.table() + budgets.table_of_calls()) <= set(PAGE.read_text().splitlines())
