"""The dtype rule on names, against NumPy where NumPy follows the standard."""

from itertools import product

import numpy as np
import pytest

from arrayconv._arrays import dtypes

STANDARD = [name for name in dtypes.DTYPES if name not in ("float16", "bfloat16")]


@pytest.mark.parametrize(("first", "second"), list(product(STANDARD, STANDARD)))
def test_like_kinds_promote_by_the_standard(first, second):
    kinds = {dtypes.kind(first), dtypes.kind(second)}
    got = dtypes.promote(first, second)
    if kinds == {"integer"} and np.result_type(first, second).kind == "f":
        assert got is None  # uint64 with a signed integer: NumPy invents float64, the standard has nothing
    elif "integer" in kinds and len(kinds) == 2:
        assert got == (second if dtypes.kind(first) == "integer" else first)
    else:
        assert got == np.result_type(first, second).name


@pytest.mark.parametrize("other", ["float16", "bfloat16", "float32", "float64", "complex64"])
def test_half_precision_promotes_to_the_wider(other):
    wider = "bfloat16" if other == "bfloat16" else "float32" if other == "float16" else other
    assert dtypes.promote("bfloat16", other) == dtypes.promote(other, "bfloat16") == wider


@pytest.mark.parametrize(
    ("result", "requested", "allowed"),
    [
        ("uint8", "int32", True),
        ("uint8", "int8", False),
        ("int32", "uint32", False),
        ("int64", "float32", True),  # a wider kind, if fewer digits: what float32 data does with integers
        ("float32", "float64", True),
        ("float64", "float32", False),
        ("float64", "complex64", False),
        ("float64", "complex128", True),
        ("complex64", "float64", False),
        ("float32", "float32", True),
    ],
)
def test_widens(result, requested, allowed):
    assert dtypes.widens(result, requested) is allowed


@pytest.mark.parametrize("name", dtypes.DTYPES)
def test_accumulator_has_the_kind_and_at_least_the_width(name):
    sums = dtypes.accumulator(name)
    assert dtypes.kind(sums) == dtypes.kind(name)
    assert dtypes.itemsize(sums) >= dtypes.itemsize(name)
    if dtypes.kind(name) == "integer":
        assert sums == f"int{dtypes.DTYPES[name].bits}"


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "complex64", "complex128"])
def test_eps_and_tiny_are_numpys(name):
    assert dtypes.eps(name) == np.finfo(name).eps
    assert dtypes.tiny(name) == np.finfo(name).tiny


def test_numbers_that_a_dtype_cannot_hold_get_one_as_precise():
    assert dtypes.widened("int16", "real", has_float64=True) == "float64"
    assert dtypes.widened("int16", "complex", has_float64=False) == "complex64"
    assert dtypes.widened("float32", "complex", has_float64=True) == "complex64"
    assert dtypes.widened("float64", "complex", has_float64=True) == "complex128"
