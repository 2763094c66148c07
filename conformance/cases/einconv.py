"""Patterns for `einconv`: (id, pattern, x's shape, kernel's shape, options)."""

PATTERNS = [
    # Roles of labels.
    ("1d", "n, n -> n | n", (8,), (3,), {}),
    ("channels-first", "b c n, o c n -> b o n | n", (2, 3, 7), (4, 3, 3), {}),
    ("channels-last", "b h w c, h w c o -> b h w o | h w", (2, 5, 6, 3), (3, 2, 3, 4), {}),
    ("3d", "b c t h w, o c t h w -> b o t h w | t h w", (1, 2, 4, 3, 5), (2, 2, 2, 2, 3), {}),
    ("depthwise", "b c n, c n -> b c n | n", (2, 3, 7), (3, 4), {}),  # c is a group
    ("groups", "b (g c) n, (g o) c n -> b (g o) n | n", (2, 6, 7), (4, 3, 3), {"g": 2}),
    ("groups-named", "b g c n, g o c n -> b g o n | n", (2, 2, 3, 6), (2, 2, 3, 3), {}),
    ("per-sample", "b n, b n -> b n | n", (3, 7), (3, 2), {}),
    ("per-sample-filters", "b c n, b o c n -> b o n | n", (2, 3, 6), (2, 2, 3, 3), {}),
    ("filters", "n, o n -> o n | n", (9,), (3, 4), {}),
    ("batch-summed", "b n, n -> n | n", (3, 7), (2,), {}),
    ("filters-summed", "n, o n -> n | n", (7,), (3, 2), {}),
    ("channels-summed", "c n, c n -> n | n", (3, 7), (3, 2), {}),
    ("no-convolution", "b c, c o -> b o |", (3, 4), (4, 2), {}),  # plain einsum
    # Positions of labels.
    ("transposed-x", "n b, n -> b n | n", (7, 2), (3,), {}),
    ("transposed-y", "b c h w, o c h w -> o h b w | h w", (2, 2, 5, 4), (3, 2, 2, 3), {}),
    ("transposed-kernel", "b h w, w h -> b w h | h w", (2, 5, 6), (2, 3), {}),
    ("bar-order", "h w, h w -> h w | w h", (6, 7), (2, 3), {"stride": (1, 2)}),  # options follow the bar
    ("merged-output", "b c n, o c n -> (b o) n | n", (2, 2, 5), (3, 2, 2), {}),
    ("split-batch", "(a b) n, n -> a b n | n", (6, 5), (2,), {"a": 2}),
    # Steps.
    ("stride", "b n, n -> b n | n", (2, 9), (4,), {"stride": 2}),
    ("stride-by-name", "h w, h w -> h w | h w", (7, 8), (2, 3), {"stride": {"w": 3}}),
    ("dilation-by-name", "h w, h w -> h w | h w", (7, 8), (2, 3), {"dilation": {"h": 2, "w": 3}}),
    ("upsample", "b n, n -> b n | n", (2, 5), (3,), {"upsample": 2}),
    ("upsample-more-than-taps", "n, n -> n | n", (4,), (2,), {"upsample": 5, "padding": 3}),
    ("upsample-stride", "n, n -> n | n", (6,), (5,), {"upsample": 3, "stride": 2, "padding": 4}),
    ("upsample-dilation", "n, n -> n | n", (6,), (3,), {"upsample": 3, "dilation": 2, "padding": "full"}),
    ("upsample-both-even", "n, n -> n | n", (6,), (4,), {"upsample": 4, "stride": 2, "padding": 2}),
    ("transpose", "b c n, c o n -> b o n | n", (2, 3, 4), (3, 2, 4), {"upsample": 2, "padding": "full", "flip": True}),
    # Padding.
    ("padding", "n, n -> n | n", (6,), (3,), {"padding": 1}),
    ("padding-pair", "n, n -> n | n", (6,), (3,), {"padding": (0, 2)}),
    ("padding-negative", "n, n -> n | n", (9,), (3,), {"padding": (-2, -1)}),  # crops
    ("padding-ints", "h w, h w -> h w | h w", (5, 6), (3, 3), {"padding": (1, 2)}),
    ("padding-by-name", "h w, h w -> h w | h w", (5, 6), (3, 3), {"padding": {"h": (0, 2), "w": "same"}}),
    ("full", "n, n -> n | n", (5,), (4,), {"padding": "full"}),
    ("same", "n, n -> n | n", (6,), (4,), {"padding": "same"}),
    ("same-lower", "n, n -> n | n", (6,), (4,), {"padding": "same_lower"}),
    ("same-stride-odd", "n, n -> n | n", (5,), (3,), {"padding": "same", "stride": 2}),  # pads 1 and 1
    ("same-stride-even", "n, n -> n | n", (6,), (3,), {"padding": "same", "stride": 2}),  # pads 0 and 1
    ("same-lower-stride", "n, n -> n | n", (6,), (3,), {"padding": "same_lower", "stride": 2}),
    # Boundaries, flips and conjugates.
    ("wrap", "b n, n -> b n | n", (2, 5), (4,), {"padding": 3, "boundary": "wrap"}),
    ("wrap-wide", "n, n -> n | n", (3,), (4,), {"padding": 8, "boundary": "wrap"}),
    ("boundary-by-name", "h w, h w -> h w | h w", (4, 5), (3, 3), {"padding": 2, "boundary": {"w": "reflect"}}),
    ("boundary-upsample", "n, n -> n | n", (4,), (3,), {"padding": 5, "boundary": "symmetric", "upsample": 2}),
    ("fill", "n, n -> n | n", (4,), (3,), {"padding": 2, "fill_value": 3}),
    ("fill-upsample", "n, n -> n | n", (4,), (3,), {"padding": 4, "fill_value": 3, "upsample": 2}),
    ("flip", "h w, h w -> h w | h w", (5, 6), (2, 3), {"flip": True}),
    ("conj", "b c n, o c n -> b o n | n", (2, 2, 6), (2, 2, 3), {"conj": True}),
]

# torch.nn.functional's names for these, where torch is installed: (id, pattern, x, kernel, options, function).
TORCH = [
    ("conv1d", "b c n, o c n -> b o n | n", (2, 3, 9), (4, 3, 3), {"stride": 2, "padding": 1}, "conv1d"),
    (
        "conv2d",
        "b c h w, o c h w -> b o h w | h w",
        (2, 3, 6, 5),
        (4, 3, 2, 3),
        {"dilation": 2, "padding": 2},
        "conv2d",
    ),
]

# XLA's padding: x = 1..5, kernel [1, 10], stride 2: (id, padding, result).
XLA = [("same", "same", [21, 43, 5]), ("same-lower", "same_lower", [10, 32, 54]), ("valid", "valid", [21, 43])]

# Long enough for every method: checked with each that is not refused.
LONG = [
    ("long", "b c n, o c n -> b o n | n", (2, 2, 300), (3, 2, 65), {"padding": "same"}),
    ("depthwise-long", "b c n, c n -> b c n | n", (2, 3, 300), (3, 80), {"padding": 20, "boundary": "wrap"}),
]
