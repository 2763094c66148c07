"""What a call takes around its convolutions: its Python, its gradients', array operations of its own."""

import numpy as np
import pytest

import arrayconv
from arrayconv import ndimage, nn, signal
from arrayconv._accel.native import loader, native_filters
from arrayconv._arrays.namespace import compat_namespace
from arrayconv._arrays.traits import traits, traits_on_card
from arrayconv._calls import around
from arrayconv._calls.around import Arrays
from arrayconv._costs import cost_table
from arrayconv._costs.cost_table import CallCost

NUMPY = traits("numpy", "cpu", compat_namespace("numpy"), "float32")
TRIAL = {
    "numpy": CallCost(1000, 100, 10_000, 10, 2000),
    "numpy/ndimage": CallCost(3000, 100, 1, 1, 1),
    "other": CallCost(7000, 1, 1, 1, 1),
}


@pytest.fixture(autouse=True)
def _trial(monkeypatch):
    tables = cost_table.shipped()._replace(call_costs=TRIAL)

    def call_cost(*names):
        with cost_table.using_tables(tables):
            return cost_table.call_cost(*names)

    monkeypatch.setattr(around, "call_cost", call_cost)


def test_a_call_takes_its_python_passes_after_the_first_and_its_own_array_operations():
    assert around.call_ns(NUMPY, "signal", 1) == around.call_ns(NUMPY, "signal", 0) == 1000
    assert around.call_ns(NUMPY, "signal", 4) == 1300
    assert around.call_ns(NUMPY, "signal", 4, Arrays(5, 3)) == 1300 + 50 + 6


def test_a_module_may_have_a_row_of_its_own_and_unknown_libraries_have_the_row_other():
    assert around.call_ns(NUMPY, "ndimage", 1) == 3000
    assert around.call_ns(NUMPY._replace(backend="abacus"), "ndimage", 1) == 7000


def test_views_of_another_library_cost_what_its_calls_cost():
    assert around.call_ns(NUMPY._replace(origin="abacus"), "ndimage", 1) == 7000


def test_a_gradient_takes_its_own_constant_and_array_operations():
    assert around.gradient_ns(NUMPY) == 10_000
    assert around.gradient_ns(NUMPY, Arrays(1, 1)) == 10_012


@pytest.mark.parametrize("other", [traits_on_card("cupy", "float32", "H100"), NUMPY._replace(chunk_backend="numpy")])
def test_gpus_and_tasks_of_lazy_arrays_take_nothing_around(other):
    assert around.call_ns(other, "ndimage", 3, Arrays(5, 3)) == around.gradient_ns(other, Arrays(5, 3)) == 0


def test_explanations_include_what_is_around():
    plain = arrayconv.explain(1000, 9)
    assert plain.overhead_ns == 1000
    assert plain.cost_ns == plain.candidates[0].cost_ns + 1000
    assert "1 us of it not to convolve" in str(plain)
    layer = arrayconv.explain((2, 4, 9), (8, 4, 3), call=nn.conv1d, derivatives=True)
    assert layer.overhead_ns == 1000
    assert [gradient.overhead_ns for _, gradient in layer.gradients] == [10_000, 10_000]
    whole = arrayconv.Convolver(np.arange(9.0).reshape(3, 3) ** 2).explain((9, 9))
    assert (whole.passes, whole.cost_ns) == ((), whole.candidates[0].cost_ns + 1000)


def test_array_operations_of_a_match_grow_with_the_image():
    small, large = (arrayconv.explain((n, n), (5, 5), call=arrayconv.match_template) for n in (32, 64))
    assert small.overhead_ns > 1000 + 400
    assert 2 < (large.overhead_ns - 1800) / (small.overhead_ns - 1800) < 5


@pytest.mark.skipif(not loader.built(), reason="without the compiled loops passes run one by one in any case")
def test_a_filter_whose_gradients_are_explained_runs_pass_by_pass():
    """A tape and torch's graph need each of the passes, which one call of compiled code does not record."""
    fused, apart = (
        arrayconv.explain((32, 32), 2.0, call=ndimage.gaussian_filter, derivatives=derivatives)
        for derivatives in (False, True)
    )
    assert {step.method for step in fused.passes} == {native_filters.NAME}
    assert native_filters.NAME not in {step.method for step in apart.passes}


@pytest.mark.parametrize("boundary", ["constant", "reflect"])
def test_gradients_of_extended_axes_are_folded_at_a_cost(boundary):
    mode = {"constant": "constant", "reflect": "mirror"}[boundary]
    explanation = arrayconv.explain((64,), 2.0, call=ndimage.gaussian_filter1d, mode=mode, derivatives=True)
    overheads = [gradient.overhead_ns for _, gradient in explanation.gradients]
    assert (overheads[0] > overheads[1]) == (boundary == "reflect")


def test_filters_of_several_chains_have_the_cost_of_each():
    """Of complex samples the derivatives of a Laplacian run one by one, each in a call of compiled code."""
    x = np.ones((40, 40), np.complex64)
    one = arrayconv.explain(x, 2.0, call=ndimage.gaussian_filter)
    both = arrayconv.explain(x, 2.0, call=ndimage.gaussian_laplace)
    steps = [step.cost_ns for step in both.passes]
    assert len(steps) == 2 * len(one.passes)
    assert sum(steps) == pytest.approx(2 * sum(step.cost_ns for step in one.passes), rel=0.01)


def test_a_function_without_convolutions_takes_its_call():
    explanation = arrayconv.explain((8, 9), 0.0, call=ndimage.gaussian_filter)
    assert explanation.cost_ns == explanation.overhead_ns == 3000
    assert arrayconv.explain(8, 3, call=signal.convolve).overhead_ns == 1000


def test_a_cast_of_the_samples_is_part_of_the_call():
    """`lfilter` sums float32 in float64 beside a denominator that is a Python float, as SciPy does."""
    b, x = np.ones(5, np.float32), np.ones(100, np.float32)
    cast = arrayconv.explain(b, 1.0, x, call=signal.lfilter)
    plain = arrayconv.explain(b, np.ones(1, np.float32), x, call=signal.lfilter)
    assert (cast.accumulator, plain.accumulator) == ("float64", "float32")
    assert plain.overhead_ns == 1000
    assert cast.overhead_ns == 1000 + 12 * 10  # in memory of earlier calls, so that its bytes take nothing
