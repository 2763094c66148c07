"""Dtypes of the operands, and of the result: (x, kernel)."""

from .. import dtypes

SAME = [(name, name) for name in dtypes.FLOATS]
INTEGERS = [(name, name) for name in dtypes.INTEGERS]

MIXED = [
    ("float32", "float64"),
    ("float64", "float32"),
    ("float16", "float32"),
    ("float16", "bfloat16"),  # float32
    ("complex64", "complex128"),
    ("float32", "complex64"),
    ("complex64", "float64"),  # complex128
    ("int8", "int32"),
    ("uint8", "int8"),  # int16
    ("uint8", "uint32"),
    ("int32", "uint32"),  # int64
    ("int32", "float32"),  # the libraries disagree: NumPy says float64
    ("float32", "int64"),
    ("int64", "float16"),
    ("uint8", "bfloat16"),
    ("int16", "complex64"),
    ("float64", "int8"),
    ("uint64", "float32"),
]

# `dtype=` widens the sums and the result: (x, kernel, dtype).
WIDENED = [
    ("uint8", "uint8", "int32"),
    ("int8", "int8", "int64"),
    ("int32", "int32", "float64"),
    ("float32", "float32", "float64"),
    ("float16", "float16", "float32"),
    ("bfloat16", "bfloat16", "float32"),
    ("float32", "float32", "complex64"),
    ("int16", "float32", "float64"),
    ("uint64", "uint64", "uint64"),
]

# (x, kernel): no common dtype.
REFUSED = [("uint64", "int8"), ("int64", "uint64")]

# Shapes for every dtype: (id, x, kernel, options).
PROBES = [
    ("1d", (9,), (4,), {}),
    ("2d-same", (6, 5), (3, 2), {"mode": "same", "boundary": "reflect"}),
    ("long", (400,), (150,), {"mode": "valid"}),
]
