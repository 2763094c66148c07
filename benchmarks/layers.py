"""Rows of `arrayconv.nn`, forward alone and with both gradients: on torch tensors against torch's functions, on JAX
arrays against XLA's convolution, both under `jax.jit`.

Their kind is the name of a function of `nn`. A row with the tag 'backward' times the call and the gradients of x and
the kernel, which it returns one after the other in one array.
"""

from functools import partial

import arrayconv
from arrayconv import nn

BATCHES = (1, 8)
SHAPES = {  # name -> function, shape of an image, of the kernel, options
    "conv1d 5": ("conv1d", (16, 1024), (32, 16, 5), {"padding": 2}),
    "conv2d 3^2": ("conv2d", (32, 28, 28), (32, 32, 3, 3), {"padding": 1}),
    "conv2d 1^2": ("conv2d", (64, 28, 28), (64, 64, 1, 1), {}),
    "depthwise 3^2": ("conv2d", (32, 28, 28), (32, 1, 3, 3), {"padding": 1, "groups": 32}),
    "grouped 3^2": ("conv2d", (32, 28, 28), (32, 8, 3, 3), {"padding": 1, "groups": 4}),
    "dilated 3^2": ("conv2d", (16, 28, 28), (16, 16, 3, 3), {"padding": 2, "dilation": 2}),
    "strided 3^2": ("conv2d", (16, 56, 56), (32, 16, 3, 3), {"padding": 1, "stride": 2}),
    "transposed 3^2": (
        "conv_transpose2d", (32, 14, 14), (32, 16, 3, 3), {"padding": 1, "stride": 2, "output_padding": 1}
    ),
    "conv3d 3^3": ("conv3d", (8, 12, 12, 12), (8, 8, 3, 3, 3), {"padding": 1}),
}  # fmt: skip


def rows(problem):
    """Return the rows; `problem` is the type of a row."""
    return tuple(
        problem(
            f"nn {name}, batch {batch}{', gradients' if backward else ''}",
            function,
            (batch, *image),
            kernel,
            dtype,
            options,
            frozenset({"layers", "backward" if backward else "forward", "small" if batch == 1 else "large"}),
            ("torch", "jax"),
        )
        for backward in (False, True)
        for dtype in ("float32", "float64")
        for batch in BATCHES
        for name, (function, image, kernel, options) in SHAPES.items()
    )


def is_row(problem):
    """Whether a row is one of these."""
    return "layers" in problem.tags


def ours(problem, method):
    """Return our function of both operands."""
    return _timed(problem, partial(getattr(nn, problem.kind), method=method, **problem.options))


def torchs(problem, x, kernel):
    """Return torch's call, without arguments."""
    from torch.nn import functional

    return partial(_timed(problem, partial(getattr(functional, problem.kind), **problem.options)), x, kernel)


def lax(problem, x, kernel):
    """Return the call of XLA's convolution that computes the same, without arguments."""
    import jax

    return partial(jax.jit(_timed(problem, partial(_lax, problem))), x, kernel)


def _lax(problem, x, kernel):
    from jax import lax, numpy

    options, axes = problem.options, kernel.ndim - 2
    padding, stride = options.get("padding", 0), (options.get("stride", 1),) * axes
    pads, layout = [(padding, padding)] * axes, ("NC" + "DHW"[:axes], "OI" + "DHW"[:axes])
    more = {"rhs_dilation": (options.get("dilation", 1),) * axes, "feature_group_count": options.get("groups", 1)}
    if problem.kind.startswith("conv_transpose"):  # of x with zeros between its samples, by the reversed kernel
        kernel = numpy.flip(kernel.swapaxes(0, 1), range(2, kernel.ndim))
        pads = [(taps - 1 - padding, taps - 1 - padding + options["output_padding"]) for taps in kernel.shape[2:]]
        stride, more["lhs_dilation"] = (1,) * axes, stride
    return lax.conv_general_dilated(x, kernel, stride, pads, dimension_numbers=(*layout, layout[0]), **more)


def _timed(problem, function):
    return partial(_with_gradients, function) if "backward" in problem.tags else function


def _with_gradients(function, x, kernel):
    return (_torch_gradients if hasattr(x, "detach") else _jax_gradients)(function, x, kernel)


def _jax_gradients(function, x, kernel):
    """Return the gradients of half the sum of y squared, x's and then the kernel's, in one array."""
    import jax

    y, pullback = jax.vjp(function, x, kernel)
    return jax.numpy.concatenate([part.reshape(-1) for part in pullback(y)])


def _torch_gradients(function, x, kernel):
    """Return the gradients of the sum of y, x's and then the kernel's, in one array."""
    import torch

    x, kernel = x.detach().requires_grad_(), kernel.detach().requires_grad_()
    y = function(x, kernel)
    gradients = torch.autograd.grad(y, (x, kernel), torch.ones_like(y))
    return torch.cat([part.reshape(-1) for part in gradients])


def explained(problem, x, kernel, method, dtype):
    """Return the explanation of our call, on shapes where x is None."""
    call = getattr(nn, problem.kind)
    if x is None:
        return arrayconv.explain(
            problem.x, problem.kernel, call=call, method=method, dtype=dtype, like=None, **problem.options
        )
    return arrayconv.explain(x, kernel, call=call, method=method, **problem.options)
