"""Calls under a compiler or an automatic derivative: (id, function, x's shape, kernel's shape, options)."""

CALLS = [
    ("same", "convolve", (9,), (4,), {"mode": "same"}),
    ("full-2d", "correlate", (5, 6), (2, 3), {}),
    ("boundary", "convolve", (5, 4), (3, 6), {"mode": "same", "boundary": ("wrap", "reflect")}),
    ("steps", "correlate", (12,), (3,), {"stride": 2, "dilation": 2, "boundary": "edge"}),
    ("lags", "correlate", (9,), (4,), {"lags": (-2, 3)}),
    ("rows", "convolve", (3, 7), (2,), {"axes": 1}),
    ("filters", "correlate", (1, 8), (2, 3), {"axes": 1}),
    ("long", "convolve", (300,), (70,), {"mode": "valid"}),
]
