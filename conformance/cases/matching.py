"""Template matching: (id, image's shape, template's shape, options)."""

CALLS = [
    ("line", (12,), (4,), {}),
    ("plane", (6, 7), (2, 3), {}),
    ("volume", (4, 5, 4), (2, 2, 3), {}),
    ("plain", (6, 7), (3, 2), {"score": "ncc"}),
    ("products", (9,), (3,), {"score": "cc"}),
    ("centred-products", (6, 7), (2, 3), {"score": "zcc"}),
    ("differences", (6, 7), (2, 3), {"score": "ssd"}),
    ("normalised-differences", (6, 7), (2, 3), {"score": "nssd"}),
    ("padded", (6, 7), (3, 2), {"pad_input": True}),
    ("padded-reflect", (6, 7), (2, 3), {"pad_input": True, "mode": "reflect"}),
    ("one-axis", (3, 9), (3,), {"axes": 1}),
    ("direct", (6, 7), (2, 3), {"accuracy": "componentwise"}),
]
