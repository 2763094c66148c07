"""Shapes and options for `convolve` and `correlate`: (id, x, kernel, options)."""

MODES = ("full", "same", "valid")
FUNCTIONS = ("convolve", "correlate")
# Each boundary, by what scipy.ndimage calls it, and some by what scipy.signal.convolve2d does.
NDIMAGE = {"constant": "constant", "edge": "nearest", "symmetric": "reflect", "reflect": "mirror", "wrap": "wrap"}
SIGNAL = {"constant": "fill", "symmetric": "symm", "wrap": "wrap"}
BOUNDARIES = tuple(NDIMAGE)

# Crossed with both functions and all modes; the kernel fits into x.
FITTING = [
    ("odd", (7,), (3,), {}),
    ("even", (7,), (4,), {}),  # the centring of 'same' is decided here
    ("even-even", (8,), (2,), {}),
    ("one-tap", (6,), (1,), {}),
    ("one-sample", (1,), (1,), {}),
    ("equal", (5,), (5,), {}),
    ("equal-even", (6,), (6,), {}),
    ("2d", (7, 6), (3, 2), {}),
    ("2d-even", (6, 5), (2, 4), {}),
    ("row", (4, 9), (1, 3), {}),
    ("column", (9, 2), (4, 1), {}),
    ("3d", (4, 5, 3), (2, 3, 2), {}),
    ("4d", (3, 4, 3, 2), (2, 3, 1, 2), {}),  # more axes than the libraries' own convolutions have
]

# Crossed with both functions, 'full' and 'same'.
LONGER_KERNEL = [
    ("short-x", (3,), (5,), {}),  # numpy's 'same' would follow the kernel
    ("short-x-even", (2,), (6,), {}),
    ("one-axis-longer", (5, 4), (2, 7), {}),  # no operand covers the other
    ("single", (1,), (4,), {}),
]

# Crossed with both functions and all modes.
STEPS = [
    ("stride", (9,), (4,), {"stride": 2}),
    ("stride-remainder", (10,), (3,), {"stride": 4}),
    ("stride-beyond", (5,), (2,), {"stride": 10}),  # one output
    ("stride-per-axis", (8, 7), (3, 2), {"stride": (2, 3)}),
    ("dilation", (11,), (3,), {"dilation": 2}),
    ("dilation-even", (10,), (2,), {"dilation": 3}),
    ("dilation-per-axis", (9, 8), (2, 3), {"dilation": (3, 2)}),
    ("both", (13,), (3,), {"stride": 2, "dilation": 3}),
    ("both-2d", (9, 8), (2, 3), {"stride": (3, 1), "dilation": (1, 2)}),
]

# Which axes are convolved, and how the others broadcast. Crossed with both functions and all modes.
AXES = [
    ("rows", (3, 8), (4,), {"axes": 1}),
    ("last", (3, 8), (3,), {"axes": -1}),
    ("columns", (8, 3), (4,), {"axes": 0}),
    ("middle", (2, 7, 3), (2,), {"axes": (1,)}),
    ("inner-pair", (2, 6, 5, 2), (3, 2), {"axes": (1, 2)}),
    ("swapped-pair", (2, 6, 5), (2, 3), {"axes": (2, 1)}),  # kernel axis 0 runs along x's last
    ("kernel-repeats", (3, 6), (1, 4), {"axes": 1}),
    ("x-repeats", (1, 6), (3, 2), {"axes": 1}),  # a filter bank: (3, n)
    ("pairwise", (3, 6), (3, 4), {"axes": 1}),  # each row has its own kernel
    ("outer", (2, 1, 6), (1, 3, 2), {"axes": 2}),  # every row with every kernel
    ("same-ndim-named", (5, 6), (2, 3), {"axes": (1, 0)}),  # axes pair by position all the same
    ("options-follow-axes", (7, 6), (2, 3), {"axes": (1, 0), "stride": (2, 1), "dilation": (1, 3)}),
    ("one-of-three", (2, 6, 2), (1, 3, 2), {"axes": 1}),
]

# Long enough for transforms and blocks to be chosen. Crossed with both functions and all modes.
LONG = [
    ("long", (1500,), (131,), {}),
    ("long-even", (513,), (64,), {}),
    ("wide", (40, 33), (9, 8), {}),
    ("batched", (4, 500), (61,), {"axes": 1}),
]

# Empty axes give empty results, or zeros where 'full' still has outputs.
EMPTY = [
    ("empty-full", (0,), (3,), {"mode": "full"}),
    ("empty-same", (0,), (3,), {"mode": "same"}),
    ("empty-batch", (0, 5), (3,), {"axes": 1}),
    ("empty-2d", (0, 4), (2, 2), {"mode": "full"}),
    ("empty-row", (4, 0), (3, 1), {"mode": "same"}),
]

# Boundaries: crossed with all five, 'full' and 'same', both functions.
EXTENDED = [
    ("narrow", (6,), (3,), {}),
    ("even", (5,), (4,), {}),
    ("wider-than-x", (4,), (11,), {}),  # mirrors and wraps more than once
    ("much-wider", (3,), (14,), {}),
    ("one-sample", (1,), (4,), {}),
    ("2d", (3, 4), (4, 3), {}),
    ("2d-wider", (2, 3), (7, 8), {}),
    ("fill", (5,), (4,), {"fill_value": 3}),
    ("stride", (7,), (4,), {"stride": 3}),
    ("dilation", (5,), (3,), {"dilation": 4}),
    ("batch", (2, 5), (4,), {"axes": 1}),
]

# A boundary per axis. Crossed with 'full' and 'same', both functions.
MIXED = [
    ("wrap-reflect", (4, 5), (3, 4), {"boundary": ("wrap", "reflect")}),
    ("fill-edge", (3, 4), (4, 3), {"boundary": ("constant", "edge"), "fill_value": -2}),
    ("symmetric-fill", (3, 4), (2, 5), {"boundary": ("symmetric", "constant"), "fill_value": 1}),
    ("follows-axes", (4, 5), (2, 3), {"axes": (1, 0), "boundary": ("edge", "wrap")}),
    ("three", (3, 2, 4), (2, 3, 3), {"boundary": ("wrap", "symmetric", "reflect")}),
]

# Long kernels with a boundary: where a transform might wrap around by itself.
LONG_EXTENDED = [("long", (500,), (127,), {}), ("wide", (20, 16), (9, 12), {})]
