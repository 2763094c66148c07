"""Calls of `ndimage`: (id, function, shapes by parameter, options)."""


def _on(*shape):
    return {"input": shape}


MODES = ("reflect", "constant", "nearest", "mirror", "wrap", "grid-mirror", "grid-constant", "grid-wrap")

# One correlation: every output is bounded element by element.
WEIGHTED = [
    ("even", "correlate", {"input": (7, 6), "weights": (2, 4)}, {}),
    ("origin", "correlate", {"input": (7, 6), "weights": (3, 4)}, {"origin": (1, -2)}),
    ("one-axis", "correlate", {"input": (4, 7), "weights": (4,)}, {"axes": 1, "origin": 1}),
    ("even", "convolve", {"input": (7, 6), "weights": (2, 4)}, {}),
    ("origin", "convolve", {"input": (6, 7), "weights": (4, 3)}, {"origin": (1, -1)}),
    ("3d", "convolve", {"input": (4, 3, 5), "weights": (3, 2, 2)}, {"mode": "mirror"}),
    ("one-axis", "convolve", {"input": (7, 4), "weights": (4,)}, {"axes": (0,), "mode": "wrap"}),
    ("even", "correlate1d", {"input": (3, 8), "weights": (4,)}, {}),
    ("axis-origin", "correlate1d", {"input": (8, 3), "weights": (5,)}, {"axis": 0, "origin": -2}),
    ("even", "convolve1d", {"input": (3, 8), "weights": (4,)}, {"mode": "nearest"}),
    ("axis-origin", "convolve1d", {"input": (8, 3), "weights": (4,)}, {"axis": 0, "origin": 1}),
    ("single", "uniform_filter1d", _on(3, 8), {"size": 5}),
    ("even-origin", "uniform_filter1d", _on(8, 2), {"size": 4, "axis": 0, "origin": 1}),
]

# Each mode, also wider than the data: (id, function, shapes, options).
EXTENDED = [
    (f"{mode}{note}", "correlate1d", {"input": (size,), "weights": (7,)}, {"mode": mode, "cval": 1.5})
    for mode in MODES
    for note, size in (("", 9), ("-wide", 2))
]

# Chains of passes, sums of chains, and roots of sums.
CHAINS = [
    ("even", "uniform_filter", _on(6, 7), {"size": 2}),
    ("sizes", "uniform_filter", _on(6, 7), {"size": (4, 3), "origin": (1, -1)}),
    ("constant", "uniform_filter", _on(5, 6), {"size": 3, "mode": "constant", "cval": 2.5}),
    ("modes", "uniform_filter", _on(5, 6), {"size": 3, "mode": ("wrap", "mirror")}),
    ("one-axis", "uniform_filter", _on(5, 6), {"size": 4, "axes": 0}),
    ("columns", "sobel", _on(6, 5), {}),
    ("rows", "sobel", _on(6, 5), {"axis": 0, "mode": "wrap"}),
    ("3d", "sobel", _on(4, 3, 5), {"axis": 1}),
    ("columns", "prewitt", _on(6, 5), {"mode": "nearest"}),
    ("rows", "prewitt", _on(6, 5), {"axis": 0}),
    ("plain", "laplace", _on(6, 5), {}),
    ("constant", "laplace", _on(4, 5), {"mode": "constant", "cval": 2}),
    ("one-axis", "laplace", _on(4, 5), {"axes": 1}),
    ("plain", "gaussian_filter1d", _on(3, 12), {"sigma": 1.3}),
    ("slope", "gaussian_filter1d", _on(12, 2), {"sigma": 0.9, "axis": 0, "order": 1, "mode": "nearest"}),
    ("curvature", "gaussian_filter1d", _on(14), {"sigma": 1.5, "order": 2, "mode": "wrap"}),
    ("third", "gaussian_filter1d", _on(14), {"sigma": 1.5, "order": 3}),
    ("truncate", "gaussian_filter1d", _on(20), {"sigma": 1.5, "truncate": 2.5}),
    ("radius", "gaussian_filter1d", _on(9), {"sigma": 2.0, "radius": 3}),
    ("plain", "gaussian_filter", _on(9, 8), {"sigma": 1.1}),
    ("sigmas", "gaussian_filter", _on(9, 8), {"sigma": (0.8, 1.6), "order": (0, 1)}),
    ("constant", "gaussian_filter", _on(6, 7), {"sigma": 0.7, "mode": "constant", "cval": -1.5}),
    ("one-axis", "gaussian_filter", _on(6, 7), {"sigma": 1.2, "axes": (1,)}),
    ("plain", "gaussian_laplace", _on(8, 7), {"sigma": 0.9}),
    ("mirror", "gaussian_laplace", _on(8, 7), {"sigma": 1.2, "mode": "mirror"}),
    ("plain", "gaussian_gradient_magnitude", _on(8, 7), {"sigma": 0.9}),
    ("wrap", "gaussian_gradient_magnitude", _on(8, 7), {"sigma": 1.1, "mode": "wrap"}),
]

# With a function of the door as callback: (id, function, the callback's parameter, mode).
GENERIC = [
    ("laplace", "generic_laplace", "derivative2", "mirror"),
    ("gradient", "generic_gradient_magnitude", "derivative", "wrap"),
]

# Integers are cut toward zero and wrap once per pass; the divisions are exact: (id, function, shapes, options).
INTEGERS = [
    ("weights", "correlate", {"input": (6, 5), "weights": (3, 2)}, {}),
    ("flipped", "convolve1d", {"input": (9,), "weights": (4,)}, {"mode": "mirror"}),
    ("halves", "uniform_filter", _on(6, 5), {"size": 2}),
    ("quarters", "uniform_filter1d", _on(9), {"size": 4, "mode": "wrap"}),
    ("passes", "sobel", _on(6, 5), {}),
    ("sum", "laplace", _on(6, 5), {"mode": "nearest"}),
]
