"""Settings: nested, restored, private to a thread or task, checked, and honoured by every call."""

import asyncio
import contextvars
import dataclasses
import importlib
import threading

import numpy as np
import pytest

import arrayconv
from arrayconv import _accel, _warm, config
from arrayconv._algorithms import ALGORITHMS
from arrayconv._select import TABLE
from arrayconv.testing import error_bound

KNOWN = sorted(config.ACCELERATORS)
DEFAULT = config.Settings(accelerators=frozenset(config.ACCELERATORS), max_workspace=None)


def test_default_allows_everything():
    assert config.current() == DEFAULT


def test_settings_nest_and_return():
    with config.using(max_workspace=1000):
        assert config.current() == DEFAULT._replace(max_workspace=1000)
        with config.using(accelerators=set()):
            assert config.current() == config.Settings(frozenset(), 1000)
            with config.using(max_workspace=2000):
                assert config.current() == config.Settings(frozenset(), 2000)
            assert config.current() == config.Settings(frozenset(), 1000)
        assert config.current() == DEFAULT._replace(max_workspace=1000)
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
            f"using: `accelerators` must be among {sorted(config.ACCELERATORS)}. Got ['ducc1'].",
        ),
        (
            {"accelerators": {"scipy", "b", "a"}},
            ValueError,
            f"using: `accelerators` must be among {KNOWN}. Got ['a', 'b'].",
        ),
        ({"max_workspace": 0}, ValueError, "using: `max_workspace` must be at least 1 byte. Got 0."),
        ({"max_workspace": -5}, ValueError, "using: `max_workspace` must be at least 1 byte. Got -5."),
        ({"max_workspace": 1.5}, TypeError, "using: `max_workspace` must be an integer. Got 1.5."),
        ({"max_workspace": "1"}, TypeError, "using: `max_workspace` must be an integer. Got '1'."),
    ],
)
def test_refusals(options, error, text):
    with pytest.raises(error) as refusal, config.using(**options):
        pass
    assert str(refusal.value) == text
    assert config.current() == DEFAULT


def test_threads_do_not_see_each_other_s_settings():
    seen, inside, done = {}, threading.Barrier(3), threading.Barrier(3)

    def work(name, limit):
        with config.using(max_workspace=limit):
            inside.wait(10)
            seen[name] = config.current().max_workspace
            done.wait(10)

    with config.using(max_workspace=5):
        threads = [threading.Thread(target=work, args=(n, limit)) for n, limit in (("a", 100), ("b", 200))]
        for thread in threads:
            thread.start()
        inside.wait(10)
        seen["main"] = config.current().max_workspace
        done.wait(10)
        for thread in threads:
            thread.join(10)
    assert seen == {"a": 100, "b": 200, "main": 5}


def test_tasks_do_not_see_each_other_s_settings():
    async def work(limit):
        with config.using(max_workspace=limit):
            await asyncio.sleep(0)
            found = config.current().max_workspace
            await asyncio.sleep(0)
        return found, config.current().max_workspace

    async def both():
        return await asyncio.gather(work(100), work(200))

    assert asyncio.run(both()) == [(100, None), (200, None)]


def test_a_copied_context_keeps_its_settings():
    with config.using(max_workspace=100):
        context = contextvars.copy_context()
    assert context.run(config.current).max_workspace == 100
    assert config.current() == DEFAULT


def test_workspace_of_the_settings_is_the_default():
    free = arrayconv.explain((4000, 4000), (9, 9), method="fft")
    assert free.steps == 1
    limit = free.workspace // 8
    with config.using(max_workspace=limit):
        capped = arrayconv.explain((4000, 4000), (9, 9), method="fft")
        assert capped.workspace <= limit
        assert capped.steps > 1
        assert capped == arrayconv.explain((4000, 4000), (9, 9), method="fft", max_workspace=limit)
        assert arrayconv.explain((4000, 4000), (9, 9), method="fft", max_workspace=1 << 40) == free
    assert arrayconv.explain((4000, 4000), (9, 9), method="fft") == free


def test_workspace_of_the_settings_is_refused_in_the_call_s_name():
    with (
        config.using(max_workspace=1),
        pytest.raises(ValueError, match=r"^correlate: `max_workspace` is too small .* Got 1 bytes\."),
    ):
        arrayconv.correlate(np.ones(4), np.ones(2))


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


def test_accelerator_turned_off_is_not_called(monkeypatch):
    def called(*_, **__):
        raise AssertionError("scipy.fft was called")

    pytest.importorskip("scipy", reason="scipy is not installed")
    numpy_accelerator = importlib.import_module("arrayconv._accel.numpy")
    for name in ("rfftn", "irfftn", "fftn", "ifftn"):
        monkeypatch.setattr(numpy_accelerator, name, called)
    x, kernel = np.ones(64), np.ones(8)
    with pytest.raises(AssertionError, match=r"scipy\.fft was called"):
        arrayconv.convolve(x, kernel, method="fft")
    with config.using(accelerators=set()):
        arrayconv.convolve(x, kernel, method="fft")


class TestFailingAccelerator:
    """A library that can't be imported or can't compile: `auto` answers by another route, with one warning."""

    @pytest.fixture(autouse=True)
    def _broken(self, monkeypatch):
        def run(*_):
            raise _accel.AcceleratorFailed("numpy", "it is broken today")

        monkeypatch.setattr(_accel, "_failed", set())
        broken = dataclasses.replace(TABLE["numpy_convolve"], run=run, shortcut=None)
        monkeypatch.setitem(TABLE, "numpy_convolve", broken)
        monkeypatch.setattr(_warm, "_known", {})

    def test_auto_answers_and_warns_once(self):
        x, kernel = np.arange(100.0), np.arange(5.0)
        with pytest.warns(RuntimeWarning, match="'numpy' failed: it is broken today. Method '.*' serves instead"):
            y = arrayconv.convolve(x, kernel)
        np.testing.assert_allclose(y, np.convolve(x, kernel), rtol=1e-14)
        np.testing.assert_allclose(arrayconv.convolve(x, kernel), y, rtol=1e-14)  # warnings are errors here
        assert arrayconv.explain(x, kernel).method != "numpy_convolve"

    def test_a_forced_method_raises(self):
        with pytest.raises(RuntimeError, match=r"method 'numpy_convolve' cannot run: .* Use method='auto'\."):
            arrayconv.convolve(np.arange(100.0), np.arange(5.0), method="numpy_convolve")
