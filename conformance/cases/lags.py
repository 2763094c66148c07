"""`correlate(lags=...)`: (id, x, kernel, options)."""

WINDOWS = [
    ("int", (9,), (4,), {"lags": 2}),
    ("zero", (9,), (4,), {"lags": 0}),
    ("pair", (9,), (4,), {"lags": (1, 3)}),
    ("one", (9,), (4,), {"lags": (2, 2)}),
    ("negative", (9,), (4,), {"lags": (-3, -1)}),
    ("all", (9,), (4,), {"lags": (-3, 8)}),
    ("beyond", (5,), (3,), {"lags": (-6, 9)}),  # zeros outside
    ("nowhere", (5,), (3,), {"lags": (20, 22)}),
    ("kernel-longer", (3,), (6,), {"lags": (-4, 1)}),
    ("dilated", (9,), (3,), {"lags": (-2, 2), "dilation": 2}),
    ("wrap", (5,), (3,), {"lags": 6, "boundary": "wrap"}),
    ("edge", (5,), (3,), {"lags": (-4, 7), "boundary": "edge"}),
    ("per-axis", (5, 6), (2, 3), {"lags": ((-1, 2), (0, 3))}),
    ("int-2d", (5, 6), (3, 2), {"lags": 1}),
    ("one-axis", (3, 8), (4,), {"lags": (-1, 2), "axes": 1}),
    ("long", (1500,), (1200,), {"lags": 20}),
]

SIZES = tuple(range(1, 7))
STEPS = [("plain", 1, 1), ("stride", 3, 1), ("dilation", 1, 2), ("both", 2, 3)]  # (id, stride, dilation)
