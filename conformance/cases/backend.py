"""The library's own functions on which an implementation may build, on arrays a, b of integers or deviates.

(id, function, shapes, dtype or kind, arguments behind the arrays): NumPy's function of the same name is the reference.
"""

# Exact: copies, signs, comparisons, integers.
EXACT = [
    ("concat", "concat", ((3, 4), (2, 4)), "real", {"axis": 0}),
    ("stack", "stack", ((3, 4), (3, 4)), "real", {"axis": 1}),
    ("flip", "flip", ((3, 4),), "real", {"axis": 1}),
    ("roll", "roll", ((9,),), "real", {"shift": 2}),
    ("permute", "permute_dims", ((2, 3, 4),), "real", {"axes": (2, 0, 1)}),
    ("expand", "expand_dims", ((3, 4),), "real", {"axis": 1}),
    ("broadcast", "broadcast_to", ((3, 1),), "real", {"shape": (2, 3, 4)}),
    ("reshape", "reshape", ((3, 4),), "real", {"shape": (2, 6)}),
    ("conj", "conj", ((5,),), "complex", {}),
    ("real", "real", ((5,),), "complex", {}),
    ("imag", "imag", ((5,),), "complex", {}),
    ("isfinite", "isfinite", ((5,),), "real", {}),
    ("add-wraps", "add", ((9,), (9,)), "int8", {}),
    ("multiply-wraps", "multiply", ((9,), (9,)), "int32", {}),
    ("multiply-uint8", "multiply", ((9,), (9,)), "uint8", {}),
    ("sum-int64", "sum", ((3, 9),), "int64", {"axis": 1}),
    ("matmul-int32", "matmul", ((3, 4), (4, 2)), "int32", {}),
]

# Floor division rounds down for either sign: (dividends, divisor).
FLOOR = [([-7, -6, -1, 0, 1, 6, 7], 3), ([-7, -6, -1, 0, 1, 6, 7], -3)]

# Casts: (from, to, numbers), all of which both dtypes hold, or which round to even.
CASTS = [
    ("int32", "float64", [-(2**31), -1, 0, 2**31 - 1]),
    ("int64", "int32", [-(2**31), -1, 0, 2**31 - 1]),
    ("uint8", "int16", [0, 127, 128, 255]),
    ("float64", "float32", [1 + 2.0**-24, 1 + 3 * 2.0**-24, 2.0**-130, -0.1]),
    ("float64", "int32", [-2.0, -1.75, 1.75, 2.0]),  # toward zero
    ("float32", "float16", [1 + 2.0**-11, 1 + 3 * 2.0**-11, 65504.0]),
    ("float32", "complex64", [1.5, -2.0]),
]

# Rounded, within the bounds of sums: (id, function, shapes, kind).
SUMS = [
    ("matmul", "matmul", ((5, 40), (40, 3)), "real"),
    ("matmul-batch", "matmul", ((2, 3, 8), (2, 8, 4)), "float32"),
    ("matmul-complex", "matmul", ((3, 20), (20, 2)), "complex"),
    ("matmul-float32", "matmul", ((5, 300), (300, 3)), "float32"),
]

# Transforms against the sums of their definition: (id, function, points, kind of the input).
TRANSFORMS = [
    ("fft", "fft", 24, "complex"),
    ("ifft", "ifft", 24, "complex"),
    ("rfft", "rfft", 24, "real"),
    ("rfft-odd", "rfft", 35, "real"),
    ("irfft", "irfft", 24, "complex"),
    ("rfft-prime", "rfft", 31, "float32"),
    ("rfft-two", "rfft", 128, "float32"),
]
