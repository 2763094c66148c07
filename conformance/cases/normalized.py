"""Data with gaps for `normalized_convolve`: (id, (x, kernel), share of the samples that are missing, options)."""

CALLS = [
    ("full", ((12,), (3,)), 0.3, {"mode": "full"}),
    ("same-even", ((12,), (4,)), 0.5, {"mode": "same"}),
    ("2d", ((6, 7), (2, 3)), 0.4, {"mode": "same"}),
    ("mostly-gaps", ((9, 9), (3, 3)), 0.9, {"mode": "valid"}),
    ("stride-dilation", ((20,), (3,)), 0.3, {"mode": "same", "stride": 3, "dilation": 2}),
    ("boundary", ((5, 4), (3, 4)), 0.4, {"mode": "same", "boundary": ("wrap", "reflect")}),
    ("edge", ((9,), (5,)), 0.6, {"mode": "full", "boundary": "edge"}),
    ("axes", ((3, 9), (4,)), 0.3, {"axes": 1, "mode": "full"}),
    ("long", ((700,), (90,)), 0.2, {"mode": "same", "method": "fft"}),
    ("zero-taps", ((30,), (7,)), 0.8, {"mode": "same", "method": "direct"}),
    ("nothing", ((8,), (3,)), 1.0, {"mode": "same"}),
]
