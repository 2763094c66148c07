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
