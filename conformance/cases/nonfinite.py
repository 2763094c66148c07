"""NaN, infinities and large numbers: (id, x's shape, kernel's shape, where x is non-finite, options)."""

NONFINITE = [
    ("first", (12,), (3,), [0], {}),
    ("middle", (16,), (3,), [7], {}),
    ("last-same", (16,), (4,), [15], {"mode": "same"}),
    ("two", (30,), (5,), [3, 20], {"mode": "valid"}),
    ("long-kernel", (800,), (200,), [400], {"mode": "same"}),  # a transform would contaminate every output
    ("blocks", (5000,), (64,), [10, 4000], {}),
    ("2d", (9, 8), (3, 4), [(4, 5)], {}),
    ("2d-long", (40, 36), (13, 12), [(20, 30)], {"mode": "same"}),
    ("dilated", (20,), (3,), [9], {"dilation": 3}),  # outputs between the taps stay finite
    ("strided", (20,), (2,), [9], {"stride": 3, "mode": "valid"}),
    ("batch", (3, 12), (4,), [(1, 6)], {"axes": 1}),  # the other rows stay finite
    ("edge", (10,), (5,), [0], {"boundary": "edge", "mode": "same"}),
    ("wrap", (10,), (5,), [0], {"boundary": "wrap", "mode": "same"}),  # in windows at both ends
    ("reflect", (10,), (5,), [1], {"boundary": "reflect"}),
    ("everything", (8,), (3,), list(range(8)), {"mode": "same"}),
]
BAD = ("nan", "inf", "-inf")

# Finite where the direct sum is finite, although squares or transforms of such numbers overflow:
# (id, x's shape, kernel's shape, scale of x, scale of the kernel, options).
LARGE = [
    ("large-x", (40,), (5,), 1e36, 1.0, {}),
    ("large-x-long", (900,), (250,), 1e35, 1.0, {"mode": "same"}),
    ("large-kernel", (900,), (250,), 1.0, 1e35, {"mode": "valid"}),
    ("large-2d", (36, 33), (13, 14), 1e35, 1.0, {}),
    ("small-by-large", (900,), (250,), 1e-20, 1e36, {}),
    ("large-by-small", (60,), (9,), 1e37, 1e-12, {"mode": "same"}),
    ("small", (900,), (250,), 1e-15, 1e-15, {}),
]
