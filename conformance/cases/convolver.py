"""Kernels of `Convolver` and an x for each: (id, function, (x, kernel), options)."""

CALLS = [
    ("even-same", "convolve", ((9,), (4,)), {"mode": "same"}),
    ("correlate", "correlate", ((9,), (4,)), {"mode": "same"}),
    ("2d", "convolve", ((6, 7), (2, 3)), {"mode": "full"}),
    ("long", "convolve", ((700,), (90,)), {"mode": "valid"}),
    ("stride-dilation", "convolve", ((20,), (3,)), {"mode": "same", "stride": 3, "dilation": 2}),
    ("boundary", "correlate", ((5, 4), (3, 4)), {"mode": "same", "boundary": ("wrap", "reflect")}),
    ("axes", "convolve", ((3, 9), (4,)), {"axes": 1, "mode": "full"}),
    ("lags", "correlate", ((9,), (4,)), {"lags": (-2, 5)}),
    ("fill", "convolve", ((6,), (3,)), {"mode": "same", "fill_value": 2}),
]

# Of a stream: (id, function, (x, kernel), options, the axis of x that arrives in chunks).
STREAMS = [
    *(
        (f"{boundary}-{mode}", "convolve", ((17,), (5,)), {"mode": mode, "boundary": boundary}, 0)
        for boundary in ("constant", "edge", "symmetric", "reflect")
        for mode in ("same", "full")
    ),
    ("valid", "correlate", ((17,), (4,)), {"mode": "valid"}, -1),
    ("fill-even", "convolve", ((17,), (6,)), {"mode": "same", "fill_value": 2}, 0),
    ("stride", "convolve", ((18,), (4,)), {"mode": "full", "stride": 3}, 0),
    ("stride-reflect", "correlate", ((19,), (5,)), {"mode": "same", "stride": 2, "boundary": "reflect"}, 0),
    ("stride-beyond", "convolve", ((20,), (3,)), {"mode": "same", "stride": 7}, 0),
    ("dilation-edge", "convolve", ((18,), (3,)), {"mode": "same", "dilation": 3, "boundary": "edge"}, 0),
    ("rows", "convolve", ((2, 16), (4,)), {"mode": "same", "axes": 1, "boundary": "symmetric"}, -1),
    ("other-axis-wraps", "convolve", ((16, 3), (3, 2)), {"mode": "same", "boundary": ("edge", "wrap")}, 0),
    ("long", "convolve", ((120,), (70,)), {"mode": "same", "boundary": "edge"}, 0),
]
# Sizes of chunks, repeated until the axis ends: (id, sizes).
CHUNKS = [("one-sample", (1,)), ("varied", (0, 2, 1, 7)), ("five", (5,))]
