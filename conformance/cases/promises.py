"""One call of every public function that computes: (id, function, shapes by parameter, options)."""


def _pair(in1, in2):
    return {"in1": in1, "in2": in2}


def _layer(x, weight, bias=None):
    shapes = {"input": x, "weight": weight}
    return shapes if bias is None else {**shapes, "bias": bias}


def _gradient(name, x, weight, dy):
    if name == "input":
        return {"weight": weight, "grad_output": dy}, {"input_size": x}
    return {"input": x, "grad_output": dy}, {"weight_size": weight}


CALLS = [
    ("convolve", {"x": (40,), "kernel": (5,)}, {"mode": "same"}),
    ("correlate", {"x": (6, 9), "kernel": (3, 4)}, {"mode": "same", "boundary": "reflect"}),
    ("einconv", {"x": (2, 3, 9), "kernel": (4, 3, 3)}, {"pattern": "b c n, o c n -> b o n | n", "padding": "same"}),
    ("signal.convolve", _pair((300,), (80,)), {"method": "fft"}),
    ("signal.correlate", _pair((30,), (7,)), {"mode": "same"}),
    ("signal.fftconvolve", _pair((200,), (61,)), {}),
    ("signal.oaconvolve", _pair((900,), (31,)), {"mode": "same"}),
    ("signal.convolve2d", _pair((7, 6), (3, 2)), {"boundary": "wrap"}),
    ("signal.correlate2d", _pair((7, 6), (2, 3)), {"boundary": "symm", "mode": "same"}),
    ("signal.upfirdn", {"x": (3, 9), "h": (7,)}, {"up": 3, "down": 2}),
    ("ndimage.correlate", {"input": (7, 6), "weights": (3, 2)}, {}),
    ("ndimage.convolve", {"input": (7, 6), "weights": (3, 2)}, {"mode": "wrap"}),
    ("ndimage.correlate1d", {"input": (3, 9), "weights": (4,)}, {}),
    ("ndimage.convolve1d", {"input": (3, 9), "weights": (4,)}, {"mode": "mirror"}),
    ("ndimage.gaussian_filter1d", {"input": (3, 9)}, {"sigma": 1.0}),
    ("ndimage.gaussian_filter", {"input": (7, 9)}, {"sigma": 1.0}),
    ("ndimage.uniform_filter1d", {"input": (3, 9)}, {"size": 4}),
    ("ndimage.uniform_filter", {"input": (7, 9)}, {"size": 3}),
    ("ndimage.sobel", {"input": (7, 9)}, {}),
    ("ndimage.prewitt", {"input": (7, 9)}, {"axis": 0}),
    ("ndimage.laplace", {"input": (7, 9)}, {}),
    ("ndimage.gaussian_laplace", {"input": (7, 9)}, {"sigma": 0.8}),
    ("ndimage.gaussian_gradient_magnitude", {"input": (7, 9)}, {"sigma": 0.8}),
    ("nn.conv1d", _layer((2, 4, 9), (4, 2, 3), (4,)), {"groups": 2, "padding": 1}),
    ("nn.conv2d", _layer((2, 3, 6, 5), (4, 3, 3, 2), (4,)), {"padding": 1}),
    ("nn.conv3d", _layer((1, 2, 4, 3, 5), (2, 2, 2, 2, 2)), {}),
    ("nn.conv", _layer((1, 2, 9), (2, 2, 4)), {"padding": "same", "boundary": "wrap"}),
    ("nn.conv_transpose1d", _layer((2, 2, 6), (2, 3, 3), (3,)), {"stride": 2}),
    ("nn.conv_transpose2d", _layer((1, 2, 4, 3), (2, 2, 2, 3)), {"stride": 2, "padding": 1}),
    ("nn.conv_transpose3d", _layer((1, 2, 2, 3, 2), (2, 2, 2, 2, 2)), {}),
    ("nn.conv_transpose", _layer((1, 2, 6), (2, 3, 3)), {"stride": 2, "output_padding": 1}),
    ("nn.unfold", {"input": (2, 3, 5, 6)}, {"kernel_size": (2, 3), "padding": 1}),
    ("nn.fold", {"input": (2, 12, 12)}, {"output_size": (4, 5), "kernel_size": 2}),
    ("nn.grad.conv1d_input", *_gradient("input", (2, 3, 9), (4, 3, 3), (2, 4, 7))),
    ("nn.grad.conv1d_weight", *_gradient("weight", (2, 3, 9), (4, 3, 3), (2, 4, 7))),
    ("nn.grad.conv2d_input", *_gradient("input", (1, 2, 5, 6), (2, 2, 2, 3), (1, 2, 4, 4))),
    ("nn.grad.conv2d_weight", *_gradient("weight", (1, 2, 5, 6), (2, 2, 2, 3), (1, 2, 4, 4))),
    ("nn.grad.conv3d_input", *_gradient("input", (1, 1, 3, 4, 3), (2, 1, 2, 2, 2), (1, 2, 2, 3, 2))),
    ("nn.grad.conv3d_weight", *_gradient("weight", (1, 1, 3, 4, 3), (2, 1, 2, 2, 2), (1, 2, 2, 3, 2))),
]
CALLS = [(path, path, shapes, options) for path, shapes, options in CALLS]

# Their exact sums are in `definitions`.
DEFINED = [row for row in CALLS if row[1] not in ("nn.unfold", "nn.fold") and ".grad." not in row[1]]

# A root of squares, which float32 can't hold for such numbers, may overflow.
SCALED = [row for row in DEFINED if "magnitude" not in row[1]]
EXPONENTS = (100, -100)  # of two, for float32: squares overflow and underflow

# Functions with `max_workspace`, on arrays beyond the limits: (id, function, shapes, options).
LIMITED = [
    ("convolve", "convolve", {"x": (3000,), "kernel": (90,)}, {"mode": "same"}),
    ("correlate-2d", "correlate", {"x": (50, 40), "kernel": (5, 4)}, {"mode": "same", "boundary": "wrap"}),
    ("conv1d", "nn.conv1d", _layer((1, 2, 900), (2, 2, 30), (2,)), {"padding": "same"}),
    ("conv2d", "nn.conv2d", _layer((1, 2, 40, 30), (2, 2, 3, 3)), {"stride": 2}),
    ("conv_transpose1d", "nn.conv_transpose1d", _layer((1, 2, 300), (2, 2, 20)), {"stride": 2}),
]
LIMITS = (1, 5000, 200_000)

# `out` of these, and of `ndimage` as `output`: (id, function, the parameter, shapes, options).
OUT = [
    ("convolve", "convolve", "out", {"x": (9, 8), "kernel": (3, 2)}, {"mode": "same"}),
    ("correlate", "correlate", "out", {"x": (9, 8), "kernel": (3, 2)}, {"mode": "valid"}),
    ("einconv", "einconv", "out", {"x": (2, 9), "kernel": (3, 2)}, {"pattern": "b n, o n -> b o n | n"}),
    ("ndimage.correlate", "ndimage.correlate", "output", {"input": (9, 8), "weights": (3, 2)}, {}),
    ("ndimage.gaussian_filter", "ndimage.gaussian_filter", "output", {"input": (9, 8)}, {"sigma": 1.0}),
]
