"""Numbers that need no guard: finite, and neither huge nor tiny where a method scales."""

import numpy as np
import pytest

from arrayconv._ops import contain

SIZES = [1, 7, contain._ONE_THREAD, contain._ONE_THREAD + 1]
# Numbers among ones -> whether all are finite, and of a magnitude that needs no scaling.
NUMBERS = {
    "ones": ([], True, True),
    "a zero": ([0.0], True, True),
    "NaN": ([np.nan], False, False),
    "infinity": ([np.inf], False, False),
    "infinities that cancel": ([np.inf, -np.inf], False, False),
    "huge": ([-(2.0**49)], True, False),
    "largest": ([-(2.0**48)], True, True),
    "a square beyond the range": ([1e30], True, False),
    "a sum beyond the range": ([3e38] * 4, True, False),
}


def among_ones(values, size, dtype):
    """Return an array of ones with `values` at its end, as far as it is long."""
    x = np.ones(size, dtype)
    x[size - len(values[:size]) :] = values[:size]
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("name", NUMBERS)
def test_plain_numbers_are_finite_and_of_moderate_size(library, name, dtype):
    values, finite, moderate = NUMBERS[name]
    for size in SIZES:
        x = library.asarray(among_ones(values, size, dtype))
        with np.errstate(all="ignore"):
            assert contain.is_safe(x, False, library.name, xp=library.xp) is finite
            assert contain.is_safe(x, True, library.name, xp=library.xp) is moderate


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("alone", [True, False])
def test_one_pass_is_right_or_undecided(library, name, alone):
    for size in SIZES:
        for scales, expected in zip((False, True), NUMBERS[name][1:], strict=True):
            x = library.asarray(among_ones(NUMBERS[name][0], size, "float32"))
            with np.errstate(all="ignore"):
                is_safe = contain.by_one_pass(x, scales, library.name, may_use_threads=alone)
            assert is_safe in (expected, None)


@pytest.mark.parametrize(("backend", "scales"), [("numpy", False), ("torch", False), ("torch", True)])
def test_one_pass_tells_of_ordinary_numbers(backend, scales):
    random = np.random.default_rng(0)
    for shape in [(0,), (3,), (70, 80)]:
        x = random.standard_normal(shape)
        views = [x, x.T, x[::-1].astype("float32"), x + 1j]
        if backend == "torch":
            torch = pytest.importorskip("torch", reason="torch is not installed")
            views = [torch.asarray(np.ascontiguousarray(view)) for view in views]
        assert [contain.by_one_pass(view, scales, backend) for view in views] == [True] * len(views)


@pytest.mark.parametrize("scales", [False, True])
def test_nothing_and_zeros_alone_are_plain(library, scales):
    for shape in [(0,), (2, 0, 3), (5,)]:
        assert contain.is_safe(library.asarray(np.zeros(shape)), scales, library.name, xp=library.xp)


def test_tiny_numbers_are_scaled(library):
    x = library.asarray(np.full(9, 2.0**-49))
    assert not contain.is_safe(x, True, library.name, xp=library.xp)
    assert contain.is_safe(x, False, library.name, xp=library.xp)
