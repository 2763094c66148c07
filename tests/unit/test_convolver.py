"""`Convolver`: what it caches, what it must not cache, and that it computes what `convolve` and `correlate` do."""

import copy
import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import arrayconv
from arrayconv import Convolver, config, kernels, testing
from arrayconv._convolver import store
from arrayconv._plan import plan
from arrayconv._runtime import caches

RANDOM = np.random.default_rng(2)
X, KERNEL = RANDOM.standard_normal((12, 14)), RANDOM.standard_normal((3, 4))
OPTIONS = {  # name: options of one call
    "full": {},
    "same": {"mode": "same", "boundary": ("wrap", "edge")},
    "stride": {"mode": "valid", "stride": (2, 3), "dilation": 2},
    "fill": {"fill_value": 2.5, "method": "direct"},
    "componentwise": {"accuracy": "componentwise", "mode": "same"},
    "capped": {"max_workspace": 1 << 20, "method": "fft"},
    "axes": {"axes": (1, 0), "stride": (1, 2)},
}
METHODS = [name for name in plan.TABLE if name not in ("auto",)]


@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("name", OPTIONS)
def test_computes_what_the_functions_do(library, name, correlate):
    x, kernel = library.asarray(X), library.asarray(KERNEL)
    function = arrayconv.correlate if correlate else arrayconv.convolve
    convolver = Convolver(kernel, correlate=correlate, **OPTIONS[name])
    expected = library.numpy(function(x, kernel, **OPTIONS[name]))
    for _ in range(3):
        np.testing.assert_allclose(library.numpy(convolver(x)), expected, rtol=1e-12, atol=1e-13)


def test_lags_are_a_correlation_s():
    np.testing.assert_array_equal(Convolver([1, 10], correlate=True, lags=(0, 1))([1, 2, 3]), [21, 32])
    with pytest.raises(ValueError, match=r"`lags` are those of a correlation. Got lags=2. Add correlate=True"):
        Convolver([1, 10], lags=2)


@pytest.mark.parametrize("method", METHODS)
def test_kernel_is_prepared_once_per_kind_of_x(monkeypatch, method):
    explained = arrayconv.explain(X[0], KERNEL[0])
    if next(row for row in explained.candidates if row.name == method).refusal:
        pytest.skip(next(row for row in explained.candidates if row.name == method).refusal)
    calls, algorithm = [], plan.TABLE[method]

    def bind(spec, context):
        prepare = algorithm.preparation.bind(spec, context)

        def counted(kernel):
            calls.append(method)
            return prepare(kernel)

        return counted

    def without_addresses(spec, context):
        return algorithm.bind(spec, context._replace(memory=None))

    preparation = algorithm.preparation._replace(bind=bind)
    counting = dataclasses.replace(algorithm, preparation=preparation, bind=without_addresses)
    monkeypatch.setitem(plan.TABLE, method, counting)
    plan.make.cache_clear()
    convolver = Convolver(KERNEL[0], method=method)
    for row in X:
        exact = testing.reference("convolve", row, KERNEL[0])
        assert (np.abs(convolver(row) - exact) <= testing.error_bound("convolve", row, KERNEL[0])).all()
    once = len(calls)
    assert once >= 1
    convolver(X[0] + 1)
    assert len(calls) == once
    convolver(X[0, :-1])
    assert len(calls) > once
    convolver.clear()
    assert convolver.nbytes == 0


def test_caller_s_kernel_may_change_afterwards(library):
    host = KERNEL.copy()
    kernel = library.asarray(host)
    convolver = Convolver(kernel, "same")
    before = library.numpy(convolver(library.asarray(X)))
    if library.name != "jax":
        kernel[...] = library.asarray(np.zeros(host.shape))
    np.testing.assert_array_equal(library.numpy(convolver(library.asarray(X))), before)
    np.testing.assert_array_equal(library.numpy(convolver(library.asarray(X[:9]))).shape, (9, 14))
    assert np.abs(before).max() > 0


def test_results_of_earlier_calls_stay():
    convolver = Convolver(KERNEL, "same", method="direct")
    first = convolver(X)
    copied = first.copy()
    convolver(2 * X)
    np.testing.assert_array_equal(first, copied)


def test_store_is_bounded_in_entries():
    convolver = Convolver(KERNEL, "same", method="fft")
    for size in range(4, 4 + 2 * store.MAX_ENTRIES):
        convolver(np.ones((size, 5)))
    assert len(convolver._store) == store.MAX_ENTRIES
    assert convolver.nbytes > 0


def test_store_is_bounded_in_bytes():
    convolver = Convolver(KERNEL, "same", method="fft")
    config.cache_clear()
    try:
        config.cache_limit(0)
        for size in range(12, 20):
            convolver(np.ones((size, 14)))
            assert len(convolver._store) <= 1
    finally:
        config.cache_limit(caches.LIMIT)


def test_least_recently_used_entry_is_evicted_first(monkeypatch):
    monkeypatch.setattr(store, "MAX_ENTRIES", 2)
    convolver = Convolver(KERNEL, "same", method="fft")
    for rows in (X, X[:9], X, X[:8]):
        convolver(rows)
    assert [key[2] for key in convolver._store._entries] == [(12, 14), (8, 14)]


def test_settings_in_force_count():
    convolver = Convolver(KERNEL, "same")
    convolver(X)
    with config.using(accelerators=set()):
        expected = arrayconv.convolve(X, KERNEL, "same")
        np.testing.assert_array_equal(convolver(X), expected)
    assert len(convolver._store) == 2


def test_threads_share_one():
    convolver = Convolver(KERNEL, "same", method="fft")
    shapes = [X[:rows, :columns] for rows in range(5, 12) for columns in range(5, 12)]
    expected = [arrayconv.convolve(x, KERNEL, "same", method="fft") for x in shapes]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(convolver, shapes * 4))
    for result, right in zip(results, expected * 4, strict=True):
        np.testing.assert_allclose(result, right, rtol=1e-12, atol=1e-12)
    assert len(convolver._store) == store.MAX_ENTRIES


@pytest.mark.parametrize("separable", [False, True])
def test_out_is_filled(separable):
    kernel = kernels.gaussian(0.5)
    convolver, expected = Convolver(kernel, "same", separable=separable), arrayconv.convolve(X, kernel, "same")
    for out in (np.empty(X.shape), np.empty(X.shape[::-1]).T, X.copy()):
        assert convolver(X, out=out) is out
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-13)
    overlapping = X.copy()
    assert convolver(overlapping, out=overlapping) is overlapping
    np.testing.assert_allclose(overlapping, expected, rtol=1e-12, atol=1e-13)
    with pytest.raises(ValueError, match=r"Convolver: `out` must have shape \(12, 14\). Got \(12, 13\)"):
        convolver(X, out=np.empty((12, 13)))


def test_lists_become_arrays_like_x(library):
    convolver = Convolver([[1, 2], [2, 4]], "same")
    y = convolver(library.asarray(np.ones((3, 3), "float32")))
    assert library.numpy(y).dtype == np.float32
    np.testing.assert_array_equal(convolver([[1, 2], [3, 4]]), [[1, 4], [5, 18]])
    assert convolver.shape == (2, 2)


BAD = {  # name: what is wrong, arguments, error, its text
    "mode": ((KERNEL, "sames"), {}, ValueError, "Convolver: `mode` must be one of"),
    "boundary": ((KERNEL,), {"boundary": "zero"}, ValueError, "Convolver: `boundary` must be one of"),
    "stride": ((KERNEL,), {"stride": (1, 0)}, ValueError, "Convolver: `stride` must be"),
    "dilation": ((KERNEL,), {"dilation": (1, 2, 3)}, ValueError, "Convolver: `dilation` must"),
    "method": ((KERNEL,), {"method": "dft"}, ValueError, "Convolver: `method` must be one of"),
    "accuracy": ((KERNEL,), {"accuracy": "best"}, ValueError, "Convolver: `accuracy` must be one of"),
    "workspace": ((KERNEL,), {"max_workspace": 0}, ValueError, "Convolver: `max_workspace` must be at least 1"),
    "fill": ((KERNEL,), {"fill_value": "0"}, TypeError, "Convolver: `fill_value` must be a number"),
    "dtype": ((KERNEL,), {"dtype": "float8"}, TypeError, "Convolver: `dtype` must be one of"),
    "lags": ((KERNEL, "same"), {"lags": 1, "correlate": True}, ValueError, "excludes `mode` and `stride`"),
    "separable": ((KERNEL,), {"separable": "yes"}, ValueError, "Convolver: `separable` must be one of"),
    "bool": ((KERNEL > 0,), {}, TypeError, "Convolver: `kernel` has dtype bool"),
    "object": (("abc",), {}, TypeError, "Convolver: `kernel` must be an array or a nested list"),
    "empty": ((np.ones((3, 0)),), {}, ValueError, "Convolver: `kernel` must have at least one tap"),
    "ragged": (([[1, 2], [3]],), {}, ValueError, "Convolver: `kernel` must be a nested list of equal lengths"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_options_are_refused_when_it_is_built(name):
    arguments, options, error, text = BAD[name]
    with pytest.raises(error, match=text):
        Convolver(*arguments, **options)


CALLS = {  # name: x, options, error, its text
    "axes": (X[0], {}, ValueError, "Convolver: without `axes` the kernel must have as many axes as x"),
    "valid": (X[:2], {"mode": "valid"}, ValueError, "Convolver: mode 'valid' needs a kernel no longer than x"),
    "object": ("abc", {}, TypeError, "Convolver: `x` must be an array"),
    "bool": (X > 0, {}, TypeError, "Convolver: `x` has dtype bool"),
    "masked": (np.ma.array(X), {}, TypeError, "Convolver: `x` is a numpy.ma"),
    "narrow": (X, {"dtype": "float32"}, TypeError, "Convolver: `dtype` widens"),
    "fill": (X, {"fill_value": 1j}, TypeError, "Convolver: `fill_value` must fit"),
}


@pytest.mark.parametrize("name", CALLS)
def test_bad_calls_are_refused_as_by_convolve(name):
    x, options, error, text = CALLS[name]
    with pytest.raises(error, match=text):
        Convolver(KERNEL, **options)(x)


def test_libraries_are_not_mixed():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(TypeError, match=r"Convolver: `x` and `kernel` must come from one array library. Got torch and"):
        Convolver(KERNEL)(torch.ones(4, 4))


def test_devices_are_not_mixed():
    strict = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    convolver = Convolver(strict.ones((3, 3), device=strict.Device("device1")))
    with pytest.raises(TypeError, match=r"Convolver: `x` and `kernel` must be on one device"):
        convolver(strict.ones((4, 4)))


@pytest.mark.parametrize("argument", ["kernel", "factors", "lists"])
def test_copies_and_pickles_compute_the_same(argument):
    options = {"boundary": "wrap", "correlate": True}
    convolver = Convolver(kernels.gaussian(0.5), "same", **options)
    if argument == "factors":
        convolver = Convolver.from_factors(kernels.separate(kernels.log(0.5)), "same", **options)
    elif argument == "lists":
        convolver = Convolver.from_factors([([1, 2], [3, 4])], "same", **options)
    y = convolver(X)
    for again in (copy.copy(convolver), copy.deepcopy(convolver), pickle.loads(pickle.dumps(convolver))):
        assert repr(again) == repr(convolver)
        np.testing.assert_array_equal(again(X), y)


def test_repr_names_options_that_are_not_default():
    assert repr(Convolver(np.ones((3, 3), "float32"))) == "Convolver(<kernel (3, 3) float32>)"
    text = repr(Convolver(np.ones(3), "same", boundary="edge", correlate=True))
    assert text == "Convolver(<kernel (3,) float64>, mode='same', correlate=True, boundary='edge')"
    assert repr(Convolver.from_factors([([1], [2])])) == "Convolver(<factors of (1, 1) int64>)"


class TestPasses:
    def test_run_where_they_are_cheaper(self):
        convolver = Convolver(kernels.gaussian(3.0), "same", boundary="reflect")
        explanation = convolver.explain((400, 400))
        assert (explanation.method, explanation.rank, [step.axis for step in explanation.passes]) == (
            "separable",
            1,
            [0, 1],
        )
        assert explanation.cost_ns < min(row.cost_ns for row in explanation.candidates if row.refusal is None)
        assert "chosen   separable" in str(explanation)

    def test_do_not_run_where_they_are_dearer(self):
        explanation = Convolver(kernels.sobel(), "same").explain((5, 5))
        assert explanation.passes == ()
        assert "would take longer" in explanation.separable
        assert explanation.separable in str(explanation)

    @pytest.mark.parametrize(
        ("options", "reason"),
        [({"separable": False}, "separable=False"), ({"method": "direct"}, "method='direct' was requested")],
    )
    def test_do_not_run_where_they_are_switched_off(self, options, reason):
        assert reason in Convolver(kernels.gaussian(3.0), "same", **options).explain((400, 400)).separable

    def test_run_by_the_requested_method_where_they_are_demanded(self):
        convolver = Convolver(kernels.gaussian(1.0), "same", separable=True, method="banded")
        assert [step.method for step in convolver.explain((40, 40)).passes] == ["banded", "banded"]

    def test_shrinking_axis_comes_first(self):
        convolver = Convolver(kernels.gaussian(1.0), "same", separable=True, stride=(1, 4))
        assert [step.axis for step in convolver.explain((40, 40)).passes] == [1, 0]

    def test_count_the_arrays_between_them_as_workspace(self):
        kernel = kernels.gaussian(1.0)
        with pytest.raises(ValueError, match="a pass is refused"):
            Convolver(kernel, "same", separable=True, max_workspace=8 * 100 * 100)(np.ones((100, 100)))
        whole = Convolver(kernel, "same", max_workspace=8 * 100 * 100)
        assert "a pass is refused" in whole.explain((100, 100)).separable

    def test_factors_are_cached(self, monkeypatch):
        convolver = Convolver(kernels.log(1.0), "same", separable=True, method="fft")
        convolver(X)
        nbytes = convolver.nbytes
        assert nbytes > 0
        convolver(X + 1)
        assert convolver.nbytes == nbytes


class TestFactors:
    def test_compute_what_their_kernel_does(self, library):
        kernel = kernels.log(0.5)
        terms = [tuple(map(library.asarray, term)) for term in kernels.separate(kernel)]
        options = {"boundary": ("constant", "wrap"), "fill_value": 1.5, "stride": (2, 1)}
        convolver = Convolver.from_factors(terms, "same", **options)
        exact = testing.reference("convolve", X, kernel, "same", **options)
        y = library.numpy(convolver(library.asarray(X)))
        np.testing.assert_allclose(y, exact.astype(float), rtol=1e-12, atol=1e-13)

    def test_of_one_tap_hold_numbers(self):
        x = np.arange(20).reshape(4, 5)
        y = Convolver.from_factors([([3], [1, 10])], "same", axes=(0, 1), fill_value=2)(x)
        np.testing.assert_array_equal(y, arrayconv.convolve(x, [[3, 30]], "same", fill_value=2))

    @pytest.mark.parametrize(
        ("terms", "error", "text"),
        [
            ([], ValueError, "must be a sequence of tuples"),
            ([([1, 2],), ([1], [2])], ValueError, r"tuples of \[1, 2\] factors"),
            ([([1, 2], [1]), ([1], [1])], ValueError, "of the same sizes"),
            ([([[1, 2]], [1])], ValueError, "one-dimensional"),
            ([(np.ones(2), [1.0])], TypeError, "of one library"),
            ([(np.ones(2), np.ones(2, "float32"))], TypeError, "of one dtype"),
            ([([], [1.0])], ValueError, "at least one tap"),
        ],
    )
    def test_that_do_not_go_together_are_refused(self, terms, error, text):
        with pytest.raises(error, match=text):
            Convolver.from_factors(terms)


class TestSeparate:
    def test_factors_are_of_the_kernel_s_kind(self, library):
        kernel = library.asarray(kernels.gaussian(1.0).astype("float32"))
        [(down, across)] = kernels.separate(kernel)
        assert down.dtype == across.dtype == kernel.dtype
        np.testing.assert_allclose(
            np.multiply.outer(library.numpy(down), library.numpy(across)), library.numpy(kernel), rtol=1e-6
        )

    def test_the_message_has_the_nearest_product(self):
        with pytest.raises(ValueError, match=r"at most 1 products .* off by 0.062 of the largest tap"):
            kernels.separate(kernels.laplacian(), max_rank=1)
        with pytest.raises(ValueError, match="Cast it to a float"):
            kernels.separate(kernels.laplacian(dtype="int64"))
        assert len(kernels.separate(kernels.laplacian(), tolerance=0.1)) == 1

    @pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 1, 2), (1, 1)])
    def test_every_axis_has_a_factor(self, shape):
        kernel = np.full(shape, 2)
        [term] = kernels.separate(kernel)
        assert tuple(len(factor) for factor in term) == shape
        assert np.prod([factor[0] for factor in term]) == 2


class TestTorch:
    torch = pytest.importorskip("torch", reason="torch is not installed")

    @pytest.mark.parametrize("separable", [False, True])
    def test_gradients_reach_x(self, separable):
        torch, kernel = self.torch, self.torch.asarray(kernels.log(0.5))
        x = torch.asarray(X).requires_grad_()
        convolver = Convolver(kernel, "same", boundary="edge", separable=separable)
        mine, theirs = (
            torch.autograd.grad((y**2).sum(), x)[0]
            for y in (convolver(x), arrayconv.convolve(x, kernel, "same", boundary="edge"))
        )
        torch.testing.assert_close(mine, theirs)
        torch.testing.assert_close(torch.func.vmap(convolver)(torch.stack([x, x])), torch.stack([convolver(x)] * 2))

    def test_kernel_that_needs_autodiff_is_no_copy_and_read_at_every_call(self):
        torch, x = self.torch, self.torch.asarray(X)
        weight = torch.nn.Parameter(torch.asarray(KERNEL))
        convolver = Convolver(weight, "same")
        y = convolver(x)
        y.sum().backward()
        assert weight.grad is not None
        with torch.no_grad():
            weight.mul_(3)
            torch.testing.assert_close(convolver(x), 3 * y)
        assert len(convolver._store) == 0
        assert "differentiated" in Convolver(weight, separable="auto").explain(x).separable

    def test_values_are_copied_unless_they_need_autodiff(self):
        weight = self.torch.nn.Parameter(self.torch.asarray(KERNEL))
        convolver = Convolver(weight.detach(), "same")
        y = convolver(self.torch.asarray(X))
        with self.torch.no_grad():
            weight.mul_(3)
        self.torch.testing.assert_close(convolver(self.torch.asarray(X)), y)

    def test_gradients_reach_factors(self):
        torch = self.torch
        u, v = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([1.0, 3.0])
        (du,) = torch.autograd.grad(Convolver.from_factors([(u, v)])(torch.ones(4, 4)).sum(), u)
        assert du.tolist() == [64, 64]
        with pytest.raises(ValueError, match="a fill other than 0"):
            Convolver.from_factors([(u, v)], fill_value=1.0)(torch.ones(4, 4))

    @pytest.mark.parametrize(
        "options", [{"separable": True, "method": "banded"}, {"separable": False, "method": "fft"}]
    )
    def test_compiles_without_a_break(self, options):
        torch = self.torch
        convolver = Convolver(torch.asarray(kernels.log(0.5)), "same", fill_value=2.0, **options)
        compiled = torch.compile(lambda x: convolver(x), fullgraph=True, backend="aot_eager")
        for rows in (12, 9):
            x = torch.asarray(X[:rows])
            torch.testing.assert_close(compiled(x), convolver(x))
        torch._dynamo.reset()


class TestJax:
    jax = pytest.importorskip("jax", reason="jax is not installed")

    @pytest.mark.parametrize("separable", [False, True])
    def test_traces_what_it_computes(self, separable):
        jax = self.jax
        x, kernel = jax.numpy.asarray(X), jax.numpy.asarray(kernels.log(0.5))
        convolver = Convolver(kernel, "same", separable=separable)
        expected = np.asarray(arrayconv.convolve(x, kernel, "same"))
        np.testing.assert_allclose(np.asarray(jax.jit(convolver)(x)), expected, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(jax.vmap(convolver)(jax.numpy.stack([x, x]))[1], expected, rtol=1e-12, atol=1e-13)
        mine, theirs = (
            jax.grad(lambda x, f=f: (f(x) ** 2).sum())(x)
            for f in (convolver, lambda x: arrayconv.convolve(x, kernel, "same"))
        )
        np.testing.assert_allclose(np.asarray(mine), np.asarray(theirs), rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize("separable", [False, True])
    def test_nothing_of_a_trace_is_cached(self, separable):
        jax = self.jax
        x = jax.numpy.asarray(X)  # not traced inside the function, but all values computed from it there are
        convolver = Convolver(jax.numpy.asarray(kernels.log(0.5)), "same", separable=separable)
        inside = jax.jit(lambda y: y + convolver(x))(1.0)
        np.testing.assert_allclose(np.asarray(convolver(x)) + 1, np.asarray(inside), rtol=1e-12)

    def test_gradients_reach_a_traced_kernel(self):
        x, kernel = self.jax.numpy.asarray(X), self.jax.numpy.asarray(KERNEL)
        mine = self.jax.grad(lambda kernel: Convolver(kernel, "valid")(x).sum())(kernel)
        theirs = self.jax.grad(lambda kernel: arrayconv.convolve(x, kernel, "valid").sum())(kernel)
        np.testing.assert_allclose(np.asarray(mine), np.asarray(theirs), rtol=1e-12)


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("warm", [False, True])
def test_vjp_gives_the_gradient_of_x(library, separable, warm):
    kernel, x = library.asarray(kernels.log(0.5)), library.asarray(X)
    convolver = Convolver(kernel, "same", boundary="reflect", separable=separable)
    if warm:
        convolver(x)
    y, pullback = arrayconv.vjp(convolver, x)
    _, expected = arrayconv.vjp(arrayconv.convolve, x, kernel, "same", boundary="reflect")
    (dx,) = pullback(y)
    np.testing.assert_allclose(library.numpy(dx), library.numpy(expected(y)[0]), rtol=1e-11, atol=1e-12)


def test_explain_says_what_arrayconv_explain_says():
    mine, theirs = Convolver(KERNEL, "same").explain(X), arrayconv.explain(X, KERNEL, "same")
    assert (mine.method, mine.candidates, mine.output_shape) == (theirs.method, theirs.candidates, theirs.output_shape)
    assert Convolver(KERNEL, "same").explain((9, 9), like="array_api_strict").backend == "array_api_strict"
