"""Calls of `nn`: (id, function, shapes by parameter, options)."""


def _conv(x, weight, bias=None):
    shapes = {"input": x, "weight": weight}
    return shapes if bias is None else {**shapes, "bias": bias}


CALLS = [
    ("plain", "conv1d", _conv((2, 3, 9), (4, 3, 3), (4,)), {}),
    ("unbatched", "conv1d", _conv((3, 9), (4, 3, 2)), {}),
    ("groups", "conv1d", _conv((2, 6, 7), (4, 3, 3), (4,)), {"groups": 2, "padding": 1}),
    ("depthwise", "conv1d", _conv((2, 4, 9), (8, 1, 3)), {"groups": 4, "stride": 2, "padding": 2}),
    ("same-even", "conv1d", _conv((1, 2, 7), (2, 2, 4)), {"padding": "same"}),
    ("same-stride", "conv1d", _conv((1, 2, 8), (2, 2, 3)), {"padding": "same", "stride": 2}),
    ("same-lower", "conv1d", _conv((1, 2, 7), (2, 2, 4)), {"padding": "same_lower"}),
    ("pair", "conv1d", _conv((1, 2, 7), (2, 2, 3)), {"padding": ((1, 3),)}),
    ("wrap-wide", "conv1d", _conv((1, 2, 3), (2, 2, 4)), {"padding": 7, "boundary": "wrap"}),
    ("fill", "conv1d", _conv((1, 2, 5), (2, 2, 3)), {"padding": 2, "fill_value": 3}),
    ("long", "conv1d", _conv((1, 2, 500), (3, 2, 65), (3,)), {"padding": "same"}),
    ("plain", "conv2d", _conv((2, 3, 5, 6), (4, 3, 2, 3), (4,)), {}),
    (
        "per-axis",
        "conv2d",
        _conv((1, 2, 9, 8), (2, 2, 2, 3)),
        {"stride": (2, 3), "dilation": (3, 2), "padding": (1, 2)},
    ),
    ("groups", "conv2d", _conv((2, 4, 5, 4), (6, 2, 3, 2), (6,)), {"groups": 2, "padding": (1, 0)}),
    ("boundaries", "conv2d", _conv((1, 2, 4, 5), (2, 2, 3, 3)), {"padding": 2, "boundary": ("reflect", "edge")}),
    ("pairs", "conv2d", _conv((1, 1, 4, 5), (2, 1, 2, 2)), {"padding": ((1, 2), (0, 1)), "boundary": "symmetric"}),
    ("full", "conv2d", _conv((1, 2, 4, 5), (2, 2, 3, 2)), {"padding": "full"}),
    ("plain", "conv3d", _conv((1, 2, 4, 3, 5), (3, 2, 2, 2, 3), (3,)), {"padding": 1, "stride": (2, 1, 2)}),
    ("four-axes", "conv", _conv((1, 2, 3, 4, 3, 3), (2, 1, 2, 3, 1, 2), (2,)), {"groups": 2}),
    ("no-batch", "conv", _conv((0, 2, 6), (3, 2, 3)), {}),
    ("plain", "conv_transpose1d", _conv((2, 3, 5), (3, 4, 3), (4,)), {}),
    ("stride", "conv_transpose1d", _conv((1, 2, 5), (2, 3, 4)), {"stride": 3, "padding": 1}),
    (
        "output-padding",
        "conv_transpose1d",
        _conv((1, 2, 5), (2, 3, 3)),
        {"stride": 3, "output_padding": 2, "padding": 1},
    ),
    ("dilation", "conv_transpose1d", _conv((1, 2, 5), (2, 3, 3)), {"dilation": 2, "stride": 2}),
    ("groups", "conv_transpose1d", _conv((2, 4, 4), (4, 3, 2), (6,)), {"groups": 2, "stride": 2}),
    ("unbatched", "conv_transpose1d", _conv((2, 5), (2, 3, 3), (3,)), {"stride": 2}),
    (
        "per-axis",
        "conv_transpose2d",
        _conv((1, 2, 3, 4), (2, 3, 3, 2), (3,)),
        {"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2)},
    ),
    ("groups", "conv_transpose2d", _conv((1, 4, 3, 3), (4, 2, 2, 2)), {"groups": 2, "dilation": (1, 2)}),
    ("plain", "conv_transpose3d", _conv((1, 2, 2, 3, 2), (2, 2, 2, 2, 3), (2,)), {"stride": 2, "padding": 1}),
    ("four-axes", "conv_transpose", _conv((1, 2, 2, 3, 2, 2), (2, 1, 2, 1, 2, 2)), {"stride": (1, 2, 1, 2)}),
]

# (id, shape, options of unfold)
PATCHES = [
    ("1d", (2, 3, 7), {"kernel_size": (3,)}),
    ("2d", (2, 3, 5, 6), {"kernel_size": (2, 3)}),
    ("int", (1, 2, 5, 5), {"kernel_size": 2, "stride": 2}),
    ("per-axis", (1, 2, 7, 8), {"kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 2), "stride": (2, 3)}),
    ("3d", (1, 2, 3, 4, 3), {"kernel_size": (2, 2, 2), "padding": 1}),
    ("unbatched", (2, 5, 4), {"kernel_size": (3, 2), "stride": (1, 2)}),
]

# The gradients of nn.grad: (id, function without the argument, shapes of input and weight, options).
GRADIENTS = [
    ("plain", "conv1d", _conv((1, 2, 7), (3, 2, 3)), {}),
    ("stride", "conv1d", _conv((1, 2, 8), (2, 2, 3)), {"stride": 3, "padding": 1}),  # the last sample is never read
    ("dilation", "conv1d", _conv((1, 1, 9), (2, 1, 3)), {"dilation": 3, "padding": 2, "stride": 2}),
    ("groups", "conv1d", _conv((2, 4, 5), (4, 2, 2)), {"groups": 2}),
    (
        "per-axis",
        "conv2d",
        _conv((1, 1, 5, 6), (2, 1, 2, 3)),
        {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)},
    ),
    ("groups", "conv2d", _conv((1, 2, 4, 3), (2, 1, 2, 2)), {"groups": 2, "padding": 1}),
    ("plain", "conv3d", _conv((1, 1, 3, 4, 3), (2, 1, 2, 2, 2)), {"stride": 2, "padding": 1}),
]
