"""`explain(call=...)`: every public function that convolves says by which methods it would, and computes nothing."""

import dataclasses
import importlib.util
import tracemalloc

import numpy as np
import pytest

import arrayconv
from arrayconv import astronomy, ndimage, nn, signal
from arrayconv._accel.jax.xla_filters import XlaFilters
from arrayconv._accel.native import gaps, native_filters
from arrayconv._accel.native.native_filters import BoundFilters
from arrayconv._accel.torch.whole import Whole
from arrayconv._algorithms import Bound
from arrayconv._autodiff import ENGINES
from arrayconv._calls import cache, dry_call, dry_run
from arrayconv._missing import compiled
from arrayconv._plan.rank import TABLE
from arrayconv._run import execute
from tests.calls import CALLS, QUOTIENTS, filled
from tests.conftest import make_library

LIBRARIES = ["numpy", "torch", "array_api_strict"]  # each JAX call takes seconds to compile


SEVERAL = {  # the axes of the passes
    "signal.savgol_filter": [1, 1, 2, 1, 2],
    "signal.sepfir2d": [1, 0],
    "match_template": [(0, 1), 0, 1, 0, 1],
    "match_template-padded": [0] * 7,
    "ndimage.gaussian_filter": [0, 1],
    "ndimage.gaussian_filter-nothing": [],
    "ndimage.uniform_filter": [0, 1],
    "ndimage.sobel": [1, 0, 2],
    "ndimage.prewitt": [1, 0],
    "ndimage.laplace": [0, 1],
    "ndimage.gaussian_laplace": [0, 1, 0, 1],
    "ndimage.gaussian_gradient_magnitude": [0, 1, 0, 1],
    "ndimage.generic_laplace": [0, 1, 1, 0],
    "ndimage.generic_gradient_magnitude": [0, 1, 1, 0],
}


def bare(arguments, options):
    """Return the arguments of a call with plain tuples as shapes."""
    return filled(arguments, options, tuple)


def array_of(library):
    """Return what makes arrays of a library."""
    return lambda sizes: library.asarray(np.random.default_rng(len(sizes)).standard_normal(sizes))


@pytest.fixture
def runs(monkeypatch):
    """Return the list of the methods that run."""
    methods = []
    for name, algorithm in TABLE.items():

        def bind(spec, context, name=name, algorithm=algorithm):
            bound = algorithm.bind(spec, context._replace(memory=None))

            def run(*arguments):
                methods.append(name)
                return bound.run(*arguments)

            return Bound(run)

        monkeypatch.setitem(TABLE, name, dataclasses.replace(algorithm, bind=bind))
    run_filters, at_addresses = BoundFilters.__call__, BoundFilters.at_addresses

    def note(bound):
        axes = [axis for chain in bound.chains.chains for window in chain for axis in window.axes]
        methods.extend([native_filters.NAME] * len(axes))

    def fused(self, *arguments, **where):
        note(self)
        return run_filters(self, *arguments, **where)

    def noted_at_addresses(self):
        at = at_addresses(self)

        def run(*addresses):
            note(self)
            at(*addresses)

        return run

    run_whole = Whole.__call__

    def whole(self, *arguments):
        y = run_whole(self, *arguments)
        methods.extend([] if y is None else ["torch_conv"])
        return y

    monkeypatch.setattr(BoundFilters, "__call__", fused)
    monkeypatch.setattr(BoundFilters, "at_addresses", noted_at_addresses)
    monkeypatch.setattr(Whole, "__call__", whole)
    cache._calls.clear()
    yield methods
    cache._calls.clear()


@pytest.fixture
def plans(monkeypatch):
    """Return the list of the plans that are bound."""
    bound = []
    initialise = execute.BoundPlan.__init__

    def recorded(self, plan, *arguments, **options):
        bound.append((plan.spec, plan.method))
        initialise(self, plan, *arguments, **options)

    run_filters = XlaFilters.run

    def filtered(self, *arguments):
        bound.append((self.chains, native_filters.NAME))
        return run_filters(self, *arguments)

    monkeypatch.setattr(execute.BoundPlan, "__init__", recorded)
    monkeypatch.setattr(XlaFilters, "run", filtered)
    return bound


@pytest.fixture
def inert(monkeypatch):
    """Make every computation raise."""

    def computed(*_, **__):
        raise AssertionError("something was computed")

    for library, engine in ENGINES.items():  # imported now: later they would import what is set below, for good
        if importlib.util.find_spec(library):
            importlib.import_module(engine)
    for name, algorithm in TABLE.items():
        monkeypatch.setitem(TABLE, name, dataclasses.replace(algorithm, bind=computed))
    for name in ("execute", "reader", "orientation"):
        monkeypatch.setattr(execute, name, computed)


def methods_of(explanation):
    """Return the method of every step, in the order in which they run."""
    if not explanation.passes:
        return [explanation.method] * explanation.steps
    return [step.method for step in explanation.passes for _ in range(step.explanation.steps)]


def planned(call, arguments, options):
    """Return what a dry run plans."""
    with dry_run.recording() as record:
        call(*arguments, **options)
    return [(one.plan.spec, one.plan.method) for one in record.calls if one.fused is None]


class TestTable:
    def test_every_public_function_that_convolves_is_in_it(self):
        public = {
            getattr(importlib.import_module(f"arrayconv.{module}"), name)
            for module in dry_call.MODULES
            for name in importlib.import_module(f"arrayconv.{module}").__all__
        }
        others = {
            signal.choose_conv_method,
            signal.correlation_lags,
            signal.savgol_coeffs,
            nn.fold,
            nn.unfold,
            arrayconv.lags,
        }
        assert {call for call, *_ in {**CALLS, **QUOTIENTS}.values()} == public - others

    @pytest.mark.parametrize("name", LIBRARIES)
    @pytest.mark.parametrize("case", CALLS)
    def test_methods_explained_are_the_methods_that_run(self, case, name, runs):
        call, arguments, options = CALLS[case]
        arguments, options = filled(arguments, options, array_of(make_library(name)))
        explanation = arrayconv.explain(*arguments, call=call, **options)
        assert runs == []
        y = call(*arguments, **options)
        expected = methods_of(explanation)
        assert list(dict.fromkeys(runs)) == list(dict.fromkeys(expected))
        assert len(runs) >= len(expected)
        assert (explanation.output_shape, explanation.backend) == (tuple(y.shape), name)
        assert explanation.dtype == str(y.dtype).rpartition(".")[2]

    @pytest.mark.parametrize("name", LIBRARIES)
    @pytest.mark.parametrize("case", CALLS)
    def test_plans_are_those_that_are_bound(self, case, name, plans):
        call, arguments, options = CALLS[case]
        arguments, options = filled(arguments, options, array_of(make_library(name)))
        expected = planned(call, arguments, options)
        assert plans == []
        cache._calls.clear()
        call(*arguments, **options)
        assert set(plans) == set(expected)
        assert (planned(call, arguments, options), len(plans)) == (expected, len(plans))  # the call is in the cache now

    @pytest.mark.usefixtures("inert")
    @pytest.mark.parametrize("name", LIBRARIES)
    @pytest.mark.parametrize("case", CALLS)
    def test_shapes_and_arrays_explain_the_same_and_nothing_is_computed(self, case, name):
        call, arguments, options = CALLS[case]
        make = array_of(make_library(name))
        from_arrays = filled(arguments, options, make)
        from_shapes = bare(arguments, options)
        explanation = arrayconv.explain(*from_arrays[0], call=call, **from_arrays[1])
        assert explanation == arrayconv.explain(*from_shapes[0], call=call, **from_shapes[1], like=make((1,)))
        assert hash(explanation)
        assert explanation.cost_ns >= 0

    @pytest.mark.parametrize("case", CALLS)
    def test_passes_have_axes_costs_and_explanations_of_their_own(self, case):
        call, arguments, options = CALLS[case]
        arguments, options = bare(arguments, options)
        explanation = arrayconv.explain(*arguments, call=call, **options)
        assert [step.axis for step in explanation.passes] == SEVERAL.get(case, [])
        assert bool(explanation.candidates) == (case not in SEVERAL)
        if explanation.passes:
            assert explanation.method == "passes"
            assert explanation.cost_ns == explanation.overhead_ns + sum(step.cost_ns for step in explanation.passes)
            assert explanation.overhead_ns > 0
            assert explanation.workspace == max(step.workspace for step in explanation.passes)
            assert explanation.steps == sum(step.explanation.steps for step in explanation.passes)
            text = str(explanation)
            assert f": {len(explanation.passes)} passes\n" in text
            for number, step in enumerate(explanation.passes):
                assert f"\n  pass {number + 1:<2}  {step.method}" in text
                assert f"{'axes' if isinstance(step.axis, tuple) else 'axis'} {step.axis}, {step.taps} taps" in text
                assert step.explanation.method == step.method

    @pytest.mark.parametrize("case", [case for case in CALLS if case != "ndimage.prewitt"])
    def test_gradients_are_planned_as_vjp_runs_them(self, case, monkeypatch):
        call, arguments, options = CALLS[case]
        shapes = bare(arguments, options)
        explanation = arrayconv.explain(*shapes[0], call=call, **shapes[1], derivatives=True)
        each = [step.explanation for step in explanation.passes] if not explanation.candidates else [explanation]
        assert all([name for name, _ in one.gradients] == ["x", "kernel"] for one in each)
        assert all(dict(one.gradients)["x"].method for one in each)
        derivable = ("arrayconv.convolution", "arrayconv.einconv", "arrayconv.nn.")
        if case.startswith("nn.grad.") or not call.__module__.startswith(derivable):
            return
        arguments, options = filled(arguments, options, np.ones)
        y, pullback = arrayconv.vjp(call, *arguments, **options)
        methods = []
        execution = execute.BoundPlan.__init__

        def recorded(self, plan, *arguments, **options):
            methods.append(plan.method)
            execution(self, plan, *arguments, **options)

        monkeypatch.setattr(execute.BoundPlan, "__init__", recorded)
        dx, dkernel, *_ = pullback(np.ones_like(y))
        assert methods == [gradient.method for _, gradient in explanation.gradients]
        assert [gradient.output_shape for _, gradient in explanation.gradients] == [dx.shape, dkernel.shape]
        assert "\ngradient of x\n" in str(explanation)


@pytest.mark.parametrize(
    "case", ["convolve", "nn.conv2d", "signal.correlate", "signal.upfirdn-extended", "ndimage.sobel", "ndimage.prewitt"]
)
def test_jax_is_explained_without_computing(case, plans):
    jax = pytest.importorskip("jax", reason="jax is not installed")
    call, arguments, options = CALLS[case]
    from_arrays = filled(arguments, options, lambda sizes: jax.numpy.ones(sizes, "float32"))
    from_shapes = bare(arguments, options)
    explanation = arrayconv.explain(*from_arrays[0], call=call, **from_arrays[1])
    assert explanation == arrayconv.explain(*from_shapes[0], call=call, **from_shapes[1], like="jax", dtype="float32")
    assert plans == []
    jax.clear_caches()  # programs of other tests, whose plans were bound then
    y = call(*from_arrays[0], **from_arrays[1])
    assert (explanation.backend, explanation.dtype, explanation.output_shape) == ("jax", str(y.dtype), y.shape)
    each = [explanation] if explanation.candidates else [step.explanation for step in explanation.passes]
    assert {method for _, method in plans} == {one.method for one in each}


class TestQuotients:
    """Of two convolutions, which run in one call where both read zeros outside the array."""

    @pytest.mark.parametrize("name", LIBRARIES)
    @pytest.mark.parametrize("case", QUOTIENTS)
    def test_methods_explained_are_the_methods_that_run(self, case, name, runs):
        call, arguments, options = QUOTIENTS[case]
        arguments, options = filled(arguments, options, array_of(make_library(name)))
        explanation = arrayconv.explain(*arguments, call=call, **options)
        assert runs == []
        y = call(*arguments, **options)
        assert runs == methods_of(explanation)
        assert explanation.output_shape == tuple(y.shape)
        assert explanation.dtype == str(y.dtype).rpartition(".")[2]

    @pytest.mark.usefixtures("inert")
    @pytest.mark.parametrize("case", QUOTIENTS)
    def test_shapes_are_explained_and_nothing_is_computed(self, case):
        call, arguments, options = QUOTIENTS[case]
        arguments, options = bare(arguments, options)
        for like in ("numpy", "torch"):
            explanation = arrayconv.explain(*arguments, call=call, **options, like=like, dtype="float32")
            assert (explanation.output_shape[-1], explanation.backend) == (31, like)
            assert explanation.dtype == ("float64" if call is astronomy.convolve_fft else "float32")

    def test_the_compiled_loop_is_explained_where_it_runs(self, monkeypatch):
        x, kernel = np.ones((300, 400)), np.ones((3, 5))
        explanation = arrayconv.explain(x, kernel, "same", call=arrayconv.normalized_convolve)
        ran, run = [], gaps.run
        monkeypatch.setattr(gaps, "run", lambda *arguments: (ran.append(compiled.NAME), run(*arguments)))
        arrayconv.normalized_convolve(x, kernel, "same")
        assert ran == [explanation.method] == [compiled.NAME]
        assert explanation.workspace > 0

    def test_an_array_with_gaps_is_a_quotient_and_one_without_a_convolution(self):
        x = np.ones((20, 30))
        whole = arrayconv.explain(x, np.ones((3, 3)), call=astronomy.convolve)
        assert (whole.remarks, len(whole.passes)) == ((), 0)
        x[3, 4] = np.nan
        assert len(arrayconv.explain(x, np.ones((3, 3)), call=astronomy.convolve).passes) == 2

    def test_flags_may_be_shapes(self):
        shapes = (20, 31), (3, 4), "same"
        explanation = arrayconv.explain(*shapes, call=arrayconv.normalized_convolve, where=(20, 1), return_weight=True)
        assert explanation.output_shape == (20, 31)

    def test_nothing_is_allocated_for_shapes(self):
        tracemalloc.start()
        try:
            for call in (arrayconv.normalized_convolve, *(getattr(astronomy, name) for name in astronomy.__all__)):
                assert arrayconv.explain((7000, 7000), (3, 3), call=call).output_shape[0] >= 7000
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 1 << 24


class TestForms:
    def test_a_call_of_convolve_is_what_no_call_is(self):
        shapes = (64, 48), (3, 5)
        options = {"mode": "same", "boundary": "wrap", "max_workspace": 1 << 20}
        assert arrayconv.explain(*shapes, call=arrayconv.convolve, **options) == arrayconv.explain(*shapes, **options)
        lagged = {"lags": (-2, 3)}
        assert arrayconv.explain(90, 3, call=arrayconv.correlate, **lagged) == arrayconv.explain(90, 3, **lagged)
        assert arrayconv.explain(90, 3, derivatives=True) == arrayconv.explain(
            90, 3, call=arrayconv.convolve, derivatives=True
        )

    def test_a_call_of_einconv_says_what_labels_became(self):
        pattern, x, kernel = "b (g c) n, (g o) c n -> b (g o) n | n", (2, 6, 9), (4, 3, 3)
        options = {"stride": {"n": 2}, "padding": "same"}
        explanation = arrayconv.explain(pattern, x, kernel, call=arrayconv.einconv, **options, g=2)
        assert explanation == arrayconv.explain(x, kernel, pattern=pattern, **options, sizes={"g": 2})

    def test_a_convolver_explains_itself(self):
        blur = arrayconv.Convolver(arrayconv.kernels.gaussian(3.0), "same")
        assert arrayconv.explain((400, 400), call=blur) == blur.explain((400, 400))
        explanation = arrayconv.explain((400, 400), call=blur, derivatives=True)
        assert [[name for name, _ in step.explanation.gradients] for step in explanation.passes] == [["x"], ["x"]]
        whole = arrayconv.Convolver(np.ones((3, 3)), separable=False)
        ((name, gradient),) = arrayconv.explain((40, 50), call=whole, derivatives=True).gradients
        assert (name, gradient.output_shape) == ("x", (40, 50))
        with pytest.raises(TypeError, match="explain: a Convolver has its dtype already"):
            arrayconv.explain((400, 400), call=blur, dtype="float32")

    def test_a_layer_is_explained_as_it_is_called(self):
        torch = pytest.importorskip("torch", reason="torch is not installed")
        layer = nn.modules.Conv2d(3, 8, 5, padding=2, boundary="symmetric", method="direct")
        explanation = arrayconv.explain((2, 3, 20, 21), call=layer)
        assert (explanation.method, explanation.output_shape, explanation.backend) == (
            "direct",
            (2, 8, 20, 21),
            "torch",
        )
        assert explanation.dtype == "float32"
        with torch.autocast("cpu", torch.bfloat16):
            assert arrayconv.explain((2, 3, 20, 21), call=layer).dtype == "bfloat16"
        transposed = nn.modules.ConvTranspose2d(3, 4, 4, stride=2)
        explanation = arrayconv.explain(torch.ones(2, 3, 5, 5), call=transposed, output_size=(13, 13))
        assert explanation.output_shape == tuple(transposed(torch.ones(2, 3, 5, 5), (13, 13)).shape)

    def test_like_and_dtype_say_what_shapes_stand_for(self):
        explanation = arrayconv.explain((2, 3, 9), (4, 3, 3), call=nn.conv1d, like="torch", dtype="float32")
        assert (explanation.backend, explanation.dtype) == ("torch", "float32")
        single = np.ones((2, 3, 9), "float32")
        assert arrayconv.explain(single, (4, 3, 3), call=nn.conv1d).dtype == "float32"
        assert arrayconv.explain((9, 9), call=ndimage.sobel, dtype="uint8").dtype == "uint8"

    def test_bools_are_explained_too(self):
        explanation = arrayconv.explain(np.ones(9, bool), np.ones(3, bool), call=signal.convolve)
        assert (explanation.output_shape, explanation.accumulator) == ((11,), "int32")
        assert "method 'auto' is 'direct' for bools" in str(explanation)

    def test_remarks_say_what_the_function_decided(self):
        swapped = arrayconv.explain((5,), (40,), call=signal.correlate)
        assert any("in2 is x" in text for text in swapped.remarks)
        refused = arrayconv.explain(np.ones(2**22, "int64"), (2**20,), call=signal.convolve, method="fft")
        assert "method 'fft' is refused, so the next one is tried" in refused.remarks
        extended = arrayconv.explain((7,), (40,), call=signal.upfirdn, mode="line")
        assert "  remark: x is extended in a copy first, by 6 samples before and 6 after\n" in str(extended)

    def test_nothing_is_allocated_for_shapes(self):
        tracemalloc.start()
        try:
            for call in (ndimage.sobel, ndimage.laplace, ndimage.uniform_filter):
                for dtype in ("uint8", "float64"):
                    explanation = arrayconv.explain((16384, 16384), call=call, dtype=dtype)
                    assert explanation.output_shape == (16384, 16384)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 1 << 24

    def test_a_dry_run_leaves_nothing_in_the_cache(self):
        cache._calls.clear()
        blur = arrayconv.Convolver(np.ones((3, 3)), separable=False)
        with dry_run.recording() as record:
            arrayconv.convolve(np.ones(9), np.ones(3))
            blur(np.ones((9, 9)))
        assert len(record.calls) == 2
        assert len(cache._calls) == 0
        assert blur.nbytes == 0
        assert len(blur._store) == 0
        np.testing.assert_array_equal(arrayconv.convolve(np.ones(3), np.ones(2)), [1, 2, 2, 1])


class TestRefusals:
    @pytest.mark.parametrize(
        "call", [np.convolve, nn.unfold, signal.choose_conv_method, arrayconv.lags, "conv2d", 3, list]
    )
    def test_what_does_not_convolve_is_refused_with_a_list_of_what_does(self, call):
        with pytest.raises(TypeError, match="explain: `call` must be one of arrayconv") as refusal:
            arrayconv.explain((9,), (3,), call=call)
        for name in ("convolve", "einconv", "conv2d", "upfirdn", "gaussian_filter", "conv1d_weight", "Convolver"):
            assert name in str(refusal.value)
        assert "unfold" not in str(refusal.value).partition(" Got ")[0]

    def test_arguments_are_those_of_the_function(self):
        with pytest.raises(TypeError, match=r"explain: the arguments must be those of conv2d\(input.* Got: missing"):
            arrayconv.explain((1, 1, 9, 9), call=nn.conv2d)
        with pytest.raises(TypeError, match=r"Got: got an unexpected keyword argument 'mode'"):
            arrayconv.explain((1, 1, 9, 9), (1, 1, 3, 3), call=nn.conv2d, mode="same")

    def test_errors_are_those_of_the_function(self):
        with pytest.raises(ValueError, match=r"^conv2d: `weight.shape\[1\] \* groups` must equal the input channels"):
            arrayconv.explain((1, 2, 9, 9), (1, 3, 3, 3), call=nn.conv2d)
        with pytest.raises(NotImplementedError, match=r"^convolve: method 'numpy_convolve' cannot run this"):
            arrayconv.explain((9, 9), (3, 3), call=arrayconv.convolve, method="numpy_convolve")

    @pytest.mark.parametrize(("name", "call"), [("out", arrayconv.convolve), ("output", ndimage.convolve)])
    def test_no_array_is_written(self, name, call):
        target = np.full((9, 9), 7.0)
        with pytest.raises(TypeError, match=f"explain: `{name}` must not be an array"):
            arrayconv.explain(np.ones((9, 9)), np.ones((3, 3)), call=call, **{name: target})
        assert (target == 7).all()

    def test_measuring_is_for_the_other_form(self):
        with pytest.raises(ValueError, match="explain: `measure` is for calls without `call`"):
            arrayconv.explain((9,), (3,), call=arrayconv.convolve, measure=True)

    def test_integers_have_no_derivatives(self):
        for options in ({}, {"call": arrayconv.convolve}):
            with pytest.raises(TypeError, match="explain: integers have no derivative"):
                arrayconv.explain((9,), (3,), dtype="int64", derivatives=True, **options)
