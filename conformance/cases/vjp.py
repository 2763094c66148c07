"""Gradients of `vjp`: (id, function, shapes by parameter, options). Small: the definition runs once per entry."""

CALLS = [
    ("full", "convolve", {"x": (6,), "kernel": (3,)}, {}),
    ("same-even", "convolve", {"x": (5, 4), "kernel": (2, 3)}, {"mode": "same"}),
    ("stride", "correlate", {"x": (9,), "kernel": (3,)}, {"mode": "valid", "stride": 2}),
    ("dilation", "correlate", {"x": (9,), "kernel": (3,)}, {"mode": "same", "dilation": 2}),
    ("wrap-wide", "correlate", {"x": (3,), "kernel": (5,)}, {"mode": "same", "boundary": "wrap"}),
    ("reflect", "convolve", {"x": (4, 3), "kernel": (3, 2)}, {"mode": "same", "boundary": "reflect"}),
    ("edge", "convolve", {"x": (5,), "kernel": (4,)}, {"boundary": "edge"}),
    ("batch", "correlate", {"x": (2, 6), "kernel": (3,)}, {"axes": 1, "mode": "valid"}),
    ("shared-kernel", "convolve", {"x": (2, 5), "kernel": (1, 3)}, {"axes": 1}),
    ("lags", "correlate", {"x": (7,), "kernel": (3,)}, {"lags": (-1, 3)}),
    (
        "channels",
        "einconv",
        {"x": (1, 2, 5), "kernel": (2, 2, 3)},
        {"pattern": "b c n, o c n -> b o n | n", "padding": "same"},
    ),
    ("layer", "nn.conv2d", {"input": (1, 2, 4, 3), "weight": (2, 1, 2, 2), "bias": (2,)}, {"groups": 2, "stride": 2}),
    (
        "transposed",
        "nn.conv_transpose1d",
        {"input": (1, 2, 3), "weight": (2, 2, 3), "bias": (2,)},
        {"stride": 2, "output_padding": 1},
    ),
]
