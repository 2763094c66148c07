"""Calls of `signal`: (id, function, shapes by parameter, options)."""


def _pair(in1, in2):
    return {"in1": in1, "in2": in2}


CALLS = [
    ("odd", "convolve", _pair((9,), (3,)), {}),
    ("even-same", "convolve", _pair((9,), (4,)), {"mode": "same"}),
    ("longer-second-same", "convolve", _pair((4,), (7,)), {"mode": "same"}),  # relative to in1
    ("longer-second-valid", "convolve", _pair((3,), (8,)), {"mode": "valid"}),  # the larger input covers the other
    ("2d-same", "convolve", _pair((5, 6), (2, 3)), {"mode": "same"}),
    ("direct", "convolve", _pair((30,), (9,)), {"method": "direct"}),
    ("fft", "convolve", _pair((300,), (90,)), {"method": "fft", "mode": "same"}),
    ("odd", "correlate", _pair((9,), (3,)), {}),
    ("even-same", "correlate", _pair((9,), (4,)), {"mode": "same"}),
    ("longer-second-same", "correlate", _pair((4,), (7,)), {"mode": "same"}),
    ("longer-second-valid", "correlate", _pair((3,), (8,)), {"mode": "valid"}),
    ("2d-full", "correlate", _pair((4, 3), (2, 2)), {"mode": "full"}),
    ("3d-fft", "correlate", _pair((4, 5, 6), (2, 3, 2)), {"method": "fft"}),
    ("even-same", "fftconvolve", _pair((60,), (24,)), {"mode": "same"}),
    ("one-axis", "fftconvolve", _pair((3, 40), (1, 9)), {"axes": 1}),
    ("batches", "fftconvolve", _pair((1, 9), (2, 4)), {"axes": 1, "mode": "valid"}),
    ("axes", "fftconvolve", _pair((5, 2, 6), (2, 2, 3)), {"axes": (0, -1), "mode": "same"}),
    ("longer-second-valid", "fftconvolve", _pair((6,), (20,)), {"mode": "valid"}),
    ("long", "oaconvolve", _pair((700,), (33,)), {"mode": "full"}),
    ("even-same", "oaconvolve", _pair((2, 300), (2, 16)), {"mode": "same", "axes": -1}),
    ("2d-valid", "oaconvolve", _pair((30, 20), (4, 3)), {"mode": "valid"}),
    ("even-same", "convolve2d", _pair((6, 5), (2, 4)), {"mode": "same"}),
    ("symm", "convolve2d", _pair((5, 6), (3, 2)), {"boundary": "symm"}),
    ("symm-wide", "convolve2d", _pair((2, 3), (2, 3)), {"boundary": "symm", "mode": "same"}),
    ("wrap", "convolve2d", _pair((4, 5), (3, 4)), {"boundary": "wrap", "mode": "same"}),
    ("wrap-wide", "convolve2d", _pair((2, 3), (7, 8)), {"boundary": "wrap"}),  # beyond one period
    ("fill", "convolve2d", _pair((4, 5), (3, 2)), {"boundary": "fill", "fillvalue": 3}),
    ("valid-longer-second", "convolve2d", _pair((2, 3), (4, 5)), {"mode": "valid"}),
    ("even-same", "correlate2d", _pair((6, 5), (2, 4)), {"mode": "same"}),
    ("symm", "correlate2d", _pair((5, 6), (3, 2)), {"boundary": "symm"}),
    ("wrap-same", "correlate2d", _pair((4, 5), (2, 3)), {"boundary": "wrap", "mode": "same"}),
    ("fill", "correlate2d", _pair((4, 5), (3, 2)), {"fillvalue": -2}),
    ("valid-longer-second", "correlate2d", _pair((2, 3), (4, 5)), {"mode": "valid"}),
    ("odd", "sepfir2d", {"input": (6, 7), "hrow": (5,), "hcol": (3,)}, {}),
    ("down", "resample_poly", {"x": (20,), "window": (7,)}, {"up": 1, "down": 3}),
    ("up-down", "resample_poly", {"x": (9, 3), "window": (8,)}, {"up": 3, "down": 2}),
    (
        "up-down-edge",
        "resample_poly",
        {"x": (3, 9), "window": (9,)},
        {"up": 2, "down": 3, "axis": -1, "padtype": "edge"},
    ),
    ("plain", "upfirdn", {"h": (4,), "x": (9,)}, {}),
    ("up", "upfirdn", {"h": (5,), "x": (7,)}, {"up": 3}),
    ("down", "upfirdn", {"h": (5,), "x": (10,)}, {"down": 4}),
    ("up-down", "upfirdn", {"h": (7,), "x": (3, 8)}, {"up": 3, "down": 2}),
    ("more-up-than-taps", "upfirdn", {"h": (2,), "x": (6,)}, {"up": 5, "down": 3}),
    ("axis", "upfirdn", {"h": (3,), "x": (6, 2)}, {"up": 2, "axis": 0}),
    ("cval", "upfirdn", {"h": (5,), "x": (6,)}, {"up": 2, "cval": 3}),
    ("symmetric", "upfirdn", {"h": (9,), "x": (3,)}, {"mode": "symmetric", "up": 2}),
    ("reflect", "upfirdn", {"h": (8,), "x": (5,)}, {"mode": "reflect", "down": 2}),
    ("edge", "upfirdn", {"h": (4,), "x": (5,)}, {"mode": "edge"}),
    ("wrap", "upfirdn", {"h": (7,), "x": (4,)}, {"mode": "wrap", "up": 2}),
]

# A number `a` counts as float64, as in SciPy, so these are of the widest dtype: (id, function, shapes, options).
CAUSAL = [
    ("fir", "lfilter", {"b": (5,), "x": (3, 9)}, {"a": 1.0}),
    ("fir-short-axis", "lfilter", {"b": (7,), "x": (4, 2)}, {"a": 1.0, "axis": 0}),
]

# Extensions that compute new samples, on small integers, of which they are exact: (id, function, shapes, options).
CONTINUED = [
    (mode, "upfirdn", {"h": (5,), "x": (2, 5)}, {"mode": mode, "up": 2})
    for mode in ("smooth", "line", "antisymmetric", "antireflect")
]

# Long enough in each direction for blocks and transforms; integers stay exact by both: (id, function, shapes, options).
INTEGERS = [
    ("wraps", "convolve", _pair((40,), (20,)), {}),
    ("fft", "convolve", _pair((300,), (80,)), {"method": "fft"}),
    ("same", "correlate", _pair((40,), (7,)), {"mode": "same"}),
    ("symm", "convolve2d", _pair((5, 4), (3, 3)), {"boundary": "symm"}),
    ("wrap", "correlate2d", _pair((5, 4), (2, 3)), {"boundary": "wrap", "mode": "same"}),
]

# (id, in1_len, in2_len, mode, lags): SciPy's own differ in 'same' of an odd length with an even one.
LAGS = [
    ("full", 3, 2, "full", [-1, 0, 1, 2]),
    ("same-even", 5, 2, "same", [-1, 0, 1, 2, 3]),
    ("same-odd", 5, 3, "same", [-1, 0, 1, 2, 3]),
    ("same-longer-second", 2, 5, "same", [-2, -1]),
    ("valid", 5, 2, "valid", [0, 1, 2, 3]),
    ("valid-longer-second", 2, 5, "valid", [-3, -2, -1, 0]),
]

# Where SciPy is no reference: batches of different sizes, and a function that takes no keywords.
NO_SCIPY = {("fftconvolve", "batches"), ("sepfir2d", "odd")}
