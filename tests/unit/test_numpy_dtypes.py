"""NumPy's promotion on names: every pair of NumPy's own dtypes, and bfloat16's place among them."""

from itertools import product

import numpy as np
import pytest

from arrayconv._arrays import numpy_dtypes
from arrayconv._arrays.dtypes import DTYPES

NAMES = ["bool", *(name for name in DTYPES if name != "bfloat16")]


@pytest.mark.parametrize("first", NAMES)
def test_pairs_promote_as_numpy_does(first):
    for second in NAMES:
        combined = np.ones(1, first) * np.ones(1, second)
        assert numpy_dtypes.result_type(first, second) == combined.dtype.name, second


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("bool", "bool"), "bool"),
        (("int32", "float32"), "float64"),
        (("int16", "float32"), "float32"),
        (("uint64", "int8"), "float64"),
        (("int64", "complex64"), "complex128"),
        (("int8", "uint8", "float32"), "float32"),  # three at once: no detour by int16
        (("int8", "uint16", "float32"), "float32"),
    ],
)
def test_kinds_mix_by_size(names, expected):
    assert numpy_dtypes.result_type(*names) == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("bfloat16", "bfloat16"),
        ("bool", "bfloat16"),
        ("uint8", "bfloat16"),
        ("int16", "float32"),
        ("int32", "float64"),
        ("float16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
        ("complex64", "complex64"),
    ],
)
def test_bfloat16_promotes_like_float16(other, expected):
    assert numpy_dtypes.result_type("bfloat16", other) == expected
    assert numpy_dtypes.result_type(other, "bfloat16") == expected


def test_order_does_not_matter():
    for names in product(NAMES, repeat=2):
        assert numpy_dtypes.result_type(*names) == numpy_dtypes.result_type(*names[::-1])


def test_unknown_names_are_refused():
    with pytest.raises(TypeError):
        numpy_dtypes.result_type("float64", "quaternion")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("bool", "float64"), ("int8", "float64"), ("uint64", "float64"), ("float16", "float32"), ("bfloat16", "float32")]
    + [(name, name) for name in ("float32", "float64", "complex64", "complex128")],
)
def test_transforms_are_of_floats(name, expected):
    assert numpy_dtypes.floating(name) == expected


def test_halves_stand_in():
    assert [numpy_dtypes.narrower(name) for name in ("float64", "complex128", "int64", "int32")] == [
        "float32",
        "complex64",
        "int32",
        None,
    ]
