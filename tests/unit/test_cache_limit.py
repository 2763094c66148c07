"""Memory cached between calls is bounded in bytes, counted as it is allocated, and freed when it is cleared."""

import gc
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayconv
from arrayconv import config, ndimage, nn, signal
from arrayconv._accel.native import loader
from arrayconv._runtime import caches

SMALL = 1 << 20


@pytest.fixture(autouse=True)
def _empty_cache():
    config.cache_clear()
    yield
    config.cache_limit(caches.LIMIT)
    config.cache_clear()


@pytest.fixture
def traced():
    """Return the bytes that Python and NumPy have allocated since the test began."""
    gc.collect()
    gc.freeze()  # the objects of compilers, which no collection of the test then walks through
    tracemalloc.start()
    yield lambda: (gc.collect(), tracemalloc.get_traced_memory()[0])[1]
    tracemalloc.stop()


WEIGHTS = np.ones((128, 128, 2, 2), np.float32)
LOOPS = "native_images" if loader.built() else "auto"  # without a C compiler there are none


def transposed(n):
    nn.conv_transpose2d(np.ones((1, 128, 2, n), np.float32), WEIGHTS, stride=2, method=LOOPS)


# name: a call of a size, which is cached
CALLS = {
    "convolve": lambda n: arrayconv.convolve(np.ones((n + 3, 9)), np.ones((3, 3))),
    "a wide boundary": lambda n: arrayconv.convolve(np.ones((n + 3, 3)), np.ones((99, 99)), boundary="wrap"),
    "fft": lambda n: arrayconv.convolve(np.ones(n + 500), np.ones(63), method="fft"),
    "channels": lambda n: nn.conv2d(np.ones((1, 16, n + 3, 5)), np.ones((16, 16, 3, 3))),
    "conv_transpose2d": transposed,
    "Convolver": lambda n: arrayconv.Convolver(np.ones((5, 5)), method="fft")(np.ones((n + 20, 30))),
    "filter": lambda n: ndimage.gaussian_filter(np.ones((n + 3, 9)), 1),
    "signal": lambda n: signal.oaconvolve(np.ones(n + 999), np.ones(50)),
    "scratch": lambda n: arrayconv.convolve(np.ones((n + 300, 400)), np.ones((3, 3)), method="banded"),
}


def test_weights_of_ever_new_shapes_take_no_more_memory(traced):
    transposed(1)
    before = traced()
    for n in range(2, 42):
        transposed(n)
    assert traced() - before < 4 << 20  # 40 shapes; half a mebibyte for each would be 20


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(CALLS)), st.integers(1, 40)), max_size=12))
def test_all_kinds_together_keep_to_the_limit(calls):
    config.cache_clear()
    config.cache_limit(SMALL)
    for name, n in calls:
        CALLS[name](n)
        info = config.cache_info()
        newest = 40 * 400 * 8 * 9  # the last entry may be larger than the limit: the largest block of these calls
        assert info.total == info.calls + info.plans + info.constants + info.scratch
        assert info.total <= SMALL + newest
        assert info.limit == SMALL


@pytest.mark.parametrize("name", CALLS)
def test_counted_bytes_are_the_allocated_ones(name, traced):
    CALLS[name](1)
    config.cache_clear()
    before = traced()
    for n in range(2, 20):
        CALLS[name](n)
    allocated, counted = traced() - before, config.cache_info().total
    assert allocated <= 2 * counted + (1 << 20)
    config.cache_clear()
    assert config.cache_info().total == 0
    assert traced() - before < 1 << 20


def test_a_cleared_cache_changes_no_result():
    for call in (lambda: arrayconv.convolve(np.arange(50.0), np.arange(9.0)), lambda: ndimage.sobel(np.eye(9))):
        first = call()
        config.cache_clear()
        assert call().tobytes() == first.tobytes()


def test_convolvers_share_the_limit_and_keep_their_last_constants():
    config.cache_limit(SMALL)
    convolvers = [arrayconv.Convolver(np.ones((9, 9)), method="fft") for _ in range(12)]
    for convolver in convolvers:
        convolver(np.ones((200, 200)))
    one = convolvers[-1].nbytes
    assert one > 0
    assert one <= config.cache_info().constants <= SMALL + one < 12 * one
    large = arrayconv.Convolver(np.ones((9, 9)), method="fft")
    large(np.ones((600, 600)))
    assert config.cache_info().constants > SMALL
    del large
    gc.collect()
    assert config.cache_info().constants <= SMALL


def test_memory_of_a_thread_that_ended_is_not_counted():
    def work():
        CALLS["scratch"](1)

    thread = threading.Thread(target=work)
    with config.using(threads=1):
        thread.start()
        thread.join()
    gc.collect()
    assert config.cache_info().scratch == 0


def test_threads_may_add_and_clear_at_once():
    config.cache_limit(1 << 16)
    failures = []

    def work(start):
        try:
            for n in range(start, start + 40):
                CALLS["convolve"](n)
                CALLS["fft"](n)
                if n % 10 == 0:
                    config.cache_clear()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(7 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    config.cache_clear()
    assert config.cache_info().total == 0


@pytest.mark.parametrize(("size", "error"), [(-1, ValueError), (1.5, TypeError), ("1 MB", TypeError)])
def test_a_limit_is_a_number_of_bytes(size, error):
    with pytest.raises(error, match="cache_limit: `size`"):
        config.cache_limit(size)
