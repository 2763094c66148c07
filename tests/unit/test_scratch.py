"""Cached memory is used again only when no array refers to it, and its size is bounded."""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from arrayconv._arrays import scratch

SIZE = scratch.LEAST // 4  # elements of float32


@pytest.fixture(autouse=True)
def _no_memory(monkeypatch):
    monkeypatch.setattr(scratch, "_own", scratch._Own())


def place(array):
    return array.__array_interface__["data"][0]


def test_memory_of_a_deleted_array_is_used_again():
    first = scratch.empty((SIZE,), "float32")
    at = place(first)
    del first
    again = scratch.empty((4, SIZE // 8), "float64")
    assert (place(again), again.shape, again.dtype) == (at, (4, SIZE // 8), "float64")


REFERENCES = {
    "the array": lambda array: array,
    "a slice": lambda array: array[5:],
    "a view of a view": lambda array: array.reshape(2, -1).T,
    "a buffer": memoryview,
}


@pytest.mark.parametrize("refer", REFERENCES.values(), ids=REFERENCES)
def test_memory_with_a_reference_is_not_used_again(refer):
    first = scratch.empty((SIZE,), "float32")
    first[...] = 7
    reference = refer(first)
    del first
    others = [scratch.empty((SIZE,), "float32") for _ in range(3)]
    for other in others:
        other[...] = 0
    assert np.all(np.asarray(reference) == 7)


@pytest.mark.parametrize("size", [0, 1, SIZE // 2, scratch.MOST // 4 + 1])
def test_small_and_large_arrays_are_new(size):
    array = scratch.empty((size,), "float32")
    assert array.base is None
    assert not scratch._own.memory.blocks


def test_cached_memory_is_bounded():
    for size in range(SIZE, 40 * SIZE, SIZE):
        scratch.empty((size,), "float32")
        assert sum(block.nbytes for block in scratch._own.memory.blocks) <= scratch._TOTAL
    blocks = [scratch.empty((scratch.MOST // 4,), "float32") for _ in range(5)]  # more than is cached
    del blocks
    gc.collect()
    assert sum(block.nbytes for block in scratch._own.memory.blocks) <= scratch._TOTAL


def test_much_larger_memory_is_not_used_for_little():
    large = place(scratch.empty((16 * SIZE,), "float32"))
    assert place(scratch.empty((SIZE,), "float32")) != large


def test_each_thread_has_its_own():
    mine = place(scratch.empty((SIZE,), "float32"))
    with ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(lambda: place(scratch.empty((SIZE,), "float32"))).result()
    assert theirs != mine


def test_without_a_lock_nothing_is_cached(monkeypatch):
    monkeypatch.setattr(scratch, "_COUNTS", False)
    assert scratch.empty((SIZE,), "float32").base is None
