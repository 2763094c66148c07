"""Settings: nested, restored, private to a thread or task, checked, and honoured by every call.

The default cap on workspace is a wish: a call that cannot keep to it exceeds it. A requested cap is a limit.
"""

import asyncio
import contextvars
import dataclasses
import importlib
import sys
import threading
from functools import partial

import numpy as np
import pytest

import arrayconv
from arrayconv import _accel, _fft, config
from arrayconv._accel.native import loader, team
from arrayconv._algorithms import ALGORITHMS
from arrayconv._arrays import failures
from arrayconv._arrays.traits import Traits
from arrayconv._calls import cache
from arrayconv._costs import parallel
from arrayconv._plan import plan
from arrayconv._plan.rank import TABLE
from arrayconv._problem.spec import Axis, Spec
from arrayconv.testing import error_bound

KNOWN = sorted(config.ACCELERATORS)
DEFAULT = config.Settings(frozenset(config.ACCELERATORS), 1 << 30, threads=None, capped=False)


def test_default_allows_everything():
    assert config.current() == DEFAULT


def test_settings_nest_and_return():
    with config.using(max_workspace=1000):
        assert config.current() == DEFAULT._replace(max_workspace=1000, capped=True)
        with config.using(accelerators=set()):
            assert config.current() == config.Settings(frozenset(), 1000, None, True)
            with config.using(max_workspace=2000, threads=3):
                assert config.current() == config.Settings(frozenset(), 2000, 3, True)
            assert config.current() == config.Settings(frozenset(), 1000, None, True)
        assert config.current() == DEFAULT._replace(max_workspace=1000, capped=True)
    assert config.current() == DEFAULT


def test_settings_return_after_an_error():
    with pytest.raises(KeyError), config.using(max_workspace=1000):
        raise KeyError
    assert config.current() == DEFAULT


def test_settings_are_hashable_values():
    assert hash(DEFAULT) == hash(config.Settings())
    with config.using(accelerators=set(config.ACCELERATORS)):
        assert config.current() == DEFAULT


def test_nothing_given_changes_nothing():
    with config.using():
        assert config.current() == DEFAULT


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"accelerators": {"ducc1"}},
            ValueError,
            f"using: `accelerators` must be among {sorted(config.ACCELERATORS)}. Got ['ducc1']. Did you mean 'ducc0'?",
        ),
        (
            {"accelerators": {"scipy", "b", "a"}},
            ValueError,
            f"using: `accelerators` must be among {KNOWN}. Got ['a', 'b'].",
        ),
        (
            {"accelerators": {"scipy", "numba"}},
            ValueError,
            f"using: `accelerators` must be among {KNOWN}. Got ['numba']. 'numba' was removed: use 'native'.",
        ),
        ({"max_workspace": 0}, ValueError, "using: `max_workspace` must be at least 1 byte. Got 0."),
        ({"max_workspace": -5}, ValueError, "using: `max_workspace` must be at least 1 byte. Got -5."),
        ({"max_workspace": 1.5}, TypeError, "using: `max_workspace` must be an integer. Got 1.5."),
        ({"max_workspace": "1"}, TypeError, "using: `max_workspace` must be an integer. Got '1'."),
        ({"max_workspace": float("inf")}, TypeError, "using: `max_workspace` must be an integer. Got inf."),
        ({"threads": 0}, ValueError, "using: `threads` must be at least 1. Got 0."),
        ({"threads": -1}, ValueError, "using: `threads` must be at least 1. Got -1."),
        ({"threads": 2.0}, TypeError, "using: `threads` must be an integer. Got 2.0."),
        ({"threads": "all"}, TypeError, "using: `threads` must be an integer. Got 'all'."),
    ],
)
def test_refusals(options, error, text):
    with pytest.raises(error) as refusal, config.using(**options):
        pass
    assert str(refusal.value) == text
    assert config.current() == DEFAULT


def test_threads_do_not_see_each_other_s_settings():
    limits, inside, end = {}, threading.Barrier(3), threading.Barrier(3)

    def work(name, limit):
        with config.using(max_workspace=limit):
            inside.wait(10)
            limits[name] = config.current().max_workspace
            end.wait(10)

    with config.using(max_workspace=5):
        threads = [threading.Thread(target=work, args=(n, limit)) for n, limit in (("a", 100), ("b", 200))]
        for thread in threads:
            thread.start()
        inside.wait(10)
        limits["main"] = config.current().max_workspace
        end.wait(10)
        for thread in threads:
            thread.join(10)
    assert limits == {"a": 100, "b": 200, "main": 5}


def test_tasks_do_not_see_each_other_s_settings():
    async def work(limit):
        with config.using(max_workspace=limit):
            await asyncio.sleep(0)
            inside = config.current().max_workspace
            await asyncio.sleep(0)
        return inside, config.current().max_workspace

    async def both():
        return await asyncio.gather(work(100), work(200))

    assert asyncio.run(both()) == [(100, 1 << 30), (200, 1 << 30)]


def test_a_copied_context_keeps_its_settings():
    with config.using(max_workspace=100):
        context = contextvars.copy_context()
    assert context.run(config.current).max_workspace == 100
    assert config.current() == DEFAULT


def test_workspace_of_the_settings_is_the_default():
    free = arrayconv.explain((1000, 1000), (9, 9), method="fft")
    limit = free.workspace // 8
    with config.using(max_workspace=limit):
        capped = arrayconv.explain((1000, 1000), (9, 9), method="fft")
        assert capped.workspace <= limit
        assert capped.steps > free.steps
        assert capped == arrayconv.explain((1000, 1000), (9, 9), method="fft", max_workspace=limit)
        assert arrayconv.explain((1000, 1000), (9, 9), method="fft", max_workspace=1 << 40) == free
    assert arrayconv.explain((1000, 1000), (9, 9), method="fft") == free


def test_workspace_of_the_settings_is_refused_in_the_call_s_name():
    with (
        config.using(max_workspace=1),
        pytest.raises(ValueError, match=r"^correlate: `max_workspace` is too small .* Got 1 bytes\."),
    ):
        arrayconv.correlate(np.ones(4), np.ones(2))


@pytest.mark.parametrize("method", ["auto", *ALGORITHMS])
def test_plans_keep_to_the_default_cap_where_they_can(method):
    size = (1 << 13, 1 << 13)  # half a GiB of float64
    lifted = arrayconv.explain(size, (9, 9), method=method, max_workspace=sys.maxsize)
    capped = arrayconv.explain(size, (9, 9), method=method)
    assert capped.workspace <= config.DEFAULT_WORKSPACE
    assert (capped.steps > lifted.steps) == (lifted.workspace > config.DEFAULT_WORKSPACE)
    with config.using(max_workspace=sys.maxsize):
        assert arrayconv.explain(size, (9, 9), method=method) == lifted


@pytest.mark.parametrize("method", ["auto", "direct", "fft"])
def test_a_method_that_needs_more_than_the_default_cap_exceeds_it(method):
    size = 1 << 28  # a kernel of 2 GiB, which no piece does without
    assert arrayconv.explain(size, size, "valid", method=method).workspace > config.DEFAULT_WORKSPACE
    with pytest.raises(ValueError, match=r"^explain: `max_workspace` is too small .* Got 1073741824 bytes"):
        arrayconv.explain(size, size, "valid", method=method, max_workspace=1 << 30)
    with config.using(max_workspace=1 << 30), pytest.raises(ValueError, match="Got 1073741824 bytes"):
        arrayconv.explain(size, size, "valid", method=method)  # the same number, requested


@pytest.fixture
def tiny_default(monkeypatch):
    """Make the default cap too small for any call."""
    cache._calls.clear()
    token = config._settings.set(DEFAULT._replace(max_workspace=10))
    yield
    config._settings.reset(token)


@pytest.mark.usefixtures("tiny_default")
class TestDefaultCap:
    def test_calls_exceed_it(self):
        x, kernel = np.arange(20.0).reshape(4, 5), np.arange(3.0)
        expected = [np.convolve(row, kernel) for row in x]
        np.testing.assert_allclose(arrayconv.convolve(x, kernel, axes=1), expected)
        np.testing.assert_allclose(arrayconv.convolve(x.T, kernel, axes=0), np.transpose(expected))
        out = np.empty((4, 5))
        arrayconv.convolve(out := x.copy(), kernel, "same", axes=1, out=out)  # takes a copy beside its workspace
        np.testing.assert_allclose(out, [np.convolve(row, kernel, "same") for row in x])

    def test_gradients_exceed_it(self):
        x, kernel, dy = np.arange(5.0), np.arange(3.0), np.ones(7)
        _, back = arrayconv.vjp(arrayconv.convolve, x, kernel)
        dx, dkernel = back(dy)
        np.testing.assert_allclose(dx, np.full(5, kernel.sum()))
        np.testing.assert_allclose(dkernel, np.full(3, x.sum()))

    def test_a_refusal_for_another_reason_stays_one(self):
        with pytest.raises(NotImplementedError, match="its error is bounded by norm"):
            arrayconv.convolve(np.ones(9), np.ones(3), method="fft", accuracy="componentwise")

    def test_a_cap_of_the_call_is_a_limit(self):
        with pytest.raises(ValueError, match="`max_workspace` is too small"):
            arrayconv.convolve(np.ones(9), np.ones(3), max_workspace=10)


CORES = 2
TRAITS = Traits("numpy", "cpu", "float64", "float64")


@pytest.fixture
def two_cores(monkeypatch):
    """Let this process use two cores, whatever it has."""
    cache._calls.clear()
    monkeypatch.setattr(parallel, "usable", lambda: CORES)


@pytest.mark.usefixtures("two_cores")
class TestThreads:
    @pytest.mark.parametrize(
        ("traits", "requested", "threads"),
        [
            (TRAITS, None, CORES),
            (TRAITS, 1, 1),
            (TRAITS, 2, 2),
            (TRAITS, 1000, CORES),
            (TRAITS._replace(backend="torch"), None, 1),  # they have threads of their own
            (TRAITS._replace(backend="cupy", device="cuda"), 2, 1),
        ],
    )
    def test_there_are_as_many_as_requested_and_never_more_than_cores(self, traits, requested, threads):
        assert plan.with_accelerators(traits, frozenset(), requested).threads == threads

    @pytest.mark.parametrize(
        ("requested", "size", "each"),
        [(1, 100, 1), (2, 100, 2), (1, 1500, 1), (2, 1500, 1)],
        ids=["one", "whole", "one-large", "side-by-side"],
    )
    def test_transforms_get_their_number(self, requested, size, each, monkeypatch):
        counts = []
        namespace = _fft.namespace
        monkeypatch.setattr(_fft, "namespace", lambda *arguments: counts.append(arguments[-1]) or namespace(*arguments))
        with config.using(threads=requested):
            arrayconv.convolve(np.ones((size, size)), np.ones((9, 9)), method="fft")
        assert set(counts) == {each}

    @pytest.mark.parametrize("requested", [1, 2])
    def test_compiled_loops_are_shared_by_no_more(self, requested, monkeypatch):
        if not loader.built():
            pytest.skip("the loops were not built: no C compiler")
        counts = [1]
        assemble = team.Team.assemble
        for module in (loader, team):
            monkeypatch.setattr(module, "usable", lambda: CORES)
        monkeypatch.setattr(
            team.Team,
            "assemble",
            lambda self, threads, **where: counts.append(threads.most) or assemble(self, threads, **where),
        )
        with config.using(threads=requested):
            arrayconv.convolve(np.ones((300, 300)), np.ones((9, 9)), fill_value=1, method="native_loops")
        assert max(counts) == requested

    @pytest.mark.parametrize("method", [name for name in TABLE if name != "numpy_convolve"])
    def test_another_number_changes_the_last_bits_only_and_the_same_number_none(self, method):
        rng = np.random.default_rng(2)
        x, kernel = rng.standard_normal((300, 310)), rng.standard_normal((9, 9))
        call = partial(arrayconv.convolve, x, kernel, "same", method=method)
        row = next(row for row in arrayconv.explain(x, kernel, "same").candidates if row.name == method)
        if row.refusal is not None:
            pytest.skip(row.refusal)
        results = {}
        for count in (1, 2):
            with config.using(threads=count):
                results[count] = call()
                np.testing.assert_array_equal(call(), results[count])
        bound = error_bound("convolve", x, kernel, "same")
        assert np.all(np.abs(results[1] - results[2]) <= 2 * bound)

    def test_a_loop_is_predicted_to_take_longer_on_one(self):
        if not loader.built():
            pytest.skip("the loops were not built: no C compiler")
        costs = []
        for count in (1, 2):
            with config.using(threads=count):
                explanation = arrayconv.explain((1000, 1000), (5, 5), method="native_loops")
            costs.append(next(row.cost_ns for row in explanation.candidates if row.name == "native_loops"))
        assert costs[0] > 1.5 * costs[1]

    @pytest.mark.parametrize(("shape", "factor"), [((2000, 2000), 1.6), ((100, 100), 1)])
    @pytest.mark.parametrize("library", ["scipy", "ducc0"])
    def test_large_provided_transforms_are_predicted_to_take_longer_on_one(self, library, shape, factor):
        spec = Spec(1, 1, 1, 1, tuple(Axis(n, 31, n, before=15) for n in shape))
        provided = TRAITS._replace(transforms=library)
        one, two = (TABLE["fft"].cost(spec, provided._replace(threads=count)) for count in (1, 2))
        own = [TABLE["fft"].cost(spec, TRAITS._replace(threads=count)) for count in (1, 2)]
        kernel = TABLE["fft"].preparation.cost(spec, provided)  # on one thread in either
        assert one - kernel == pytest.approx(factor * (two - kernel), rel=0.1)
        assert own[0] == own[1]

    @pytest.mark.parametrize("library", _fft.PROVIDERS)
    def test_transforms_are_predicted_to_have_threads_where_they_do(self, library):
        pytest.importorskip(library, reason=f"{library} is not installed")
        provider = importlib.import_module(_fft.PROVIDERS[library].module)
        assert (provider.with_threads(2).slabs is not None) == (library in _fft.THREAD_BOUND)


def test_capped_call_gives_the_same_numbers():
    rng = np.random.default_rng(0)
    x, kernel = rng.integers(-99, 99, (40, 50)), rng.integers(-99, 99, (5, 6))
    expected = arrayconv.convolve(x, kernel)
    with config.using(max_workspace=20000):
        for method in ALGORITHMS:
            assert np.array_equal(arrayconv.convolve(x, kernel, method=method), expected), method


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("method", ["fft", "overlap_save"])
def test_accelerators_change_the_last_bits_only(dtype, method):
    rng = np.random.default_rng(1)
    x, kernel = rng.standard_normal((60, 40)).astype(dtype), rng.standard_normal((7, 5)).astype(dtype)
    fast = arrayconv.convolve(x, kernel, method=method)
    with config.using(accelerators=set()):
        plain = arrayconv.convolve(x, kernel, method=method)
    assert fast.dtype == plain.dtype == dtype
    bound = 2 * error_bound("convolve", x, kernel)
    assert np.all(np.abs(fast - plain) <= bound)


def test_accelerators_leave_integers_as_they_are():
    x, kernel = np.arange(300) ** 3, np.arange(40) ** 5
    fast = arrayconv.convolve(x, kernel, method="fft")
    with config.using(accelerators=set()):
        assert np.array_equal(arrayconv.convolve(x, kernel, method="fft"), fast)


def provided_by(library):
    """Return two arrays that `library` transforms, and the accelerators for it."""
    pytest.importorskip(library, reason=f"{library} is not installed")
    x, kernel = np.ones(64), np.ones(8)
    if library != "torch":
        return x, kernel, {library}
    torch = importlib.import_module("torch")
    return torch.from_numpy(x), torch.from_numpy(kernel), {"numpy", "torch"}


@pytest.mark.parametrize("library", _fft.PROVIDERS)
def test_transforms_turned_off_are_not_called(monkeypatch, library):
    def called(*_):
        raise AssertionError(f"{library} was called")

    x, kernel, allowed = provided_by(library)
    monkeypatch.setattr(importlib.import_module(_fft.PROVIDERS[library].module), "with_threads", called)
    with config.using(accelerators=allowed), pytest.raises(AssertionError, match=f"{library} was called"):
        arrayconv.convolve(x, kernel, method="fft")
    with config.using(accelerators=set(config.ACCELERATORS) - {library}):
        arrayconv.convolve(x, kernel, method="fft")


@pytest.mark.parametrize("library", _fft.PROVIDERS)
def test_a_provider_that_cannot_be_imported_is_left_alone_with_one_warning(monkeypatch, library):
    x, kernel, allowed = provided_by(library)
    monkeypatch.setattr(failures, "failures", {})
    nowhere = _fft.PROVIDERS[library]._replace(module="arrayconv._fft.nowhere")
    monkeypatch.setitem(_fft.PROVIDERS, library, nowhere)
    with config.using(accelerators=allowed):
        with pytest.warns(RuntimeWarning, match=f"the accelerator '{library}' failed: ModuleNotFoundError") as caught:
            y = arrayconv.convolve(x, kernel, method="fft")
        assert len(caught) == 1
        np.testing.assert_allclose(y, np.convolve(x, kernel), rtol=0, atol=1e-12)
        np.testing.assert_allclose(arrayconv.convolve(x, kernel, method="fft"), y, rtol=0, atol=1e-12)


class TestFailingAccelerator:
    """A library that can't be imported or can't compile: `auto` takes another method, with one warning."""

    @pytest.fixture(autouse=True)
    def _broken(self, monkeypatch):
        def bind(*_):
            raise _accel.AcceleratorFailed("numpy", "it is broken today")

        monkeypatch.setattr(failures, "failures", {})
        broken = dataclasses.replace(TABLE["numpy_convolve"], bind=bind)
        monkeypatch.setitem(TABLE, "numpy_convolve", broken)
        cache._calls.clear()

    def test_auto_takes_another_method_and_warns_once(self):
        x, kernel = np.arange(100.0), np.arange(5.0)
        with config.using(accelerators={"numpy"}):
            with pytest.warns(RuntimeWarning, match="'numpy' failed: it is broken today. Method '.*' runs instead"):
                y = arrayconv.convolve(x, kernel)
            np.testing.assert_allclose(y, np.convolve(x, kernel), rtol=1e-14)
            np.testing.assert_allclose(arrayconv.convolve(x, kernel), y, rtol=1e-14)  # warnings are errors here
            assert arrayconv.explain(x, kernel).method != "numpy_convolve"

    def test_a_forced_method_raises(self):
        with pytest.raises(RuntimeError, match=r"method 'numpy_convolve' cannot run: .* Use method='auto'\."):
            arrayconv.convolve(np.arange(100.0), np.arange(5.0), method="numpy_convolve")
