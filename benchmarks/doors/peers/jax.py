"""For JAX arrays, compiled by jax.jit: jax.scipy.signal, XLA's convolution, dm-pix; and SciPy's functions on them."""

from functools import partial
from importlib import import_module

import jax
import jax.numpy as jnp
import jax.scipy.signal
import numpy as np

from benchmarks.doors.contender import Contender
from benchmarks.doors.ours import MODES
from benchmarks.doors.peers import filters, require
from benchmarks.doors.peers import numpy as on_numpy

PADDING = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}
MAX_MACS = 3 * 10**8  # of XLA's direct convolution on a CPU: more take a second


def scipy_function(row, arrays, hosts):
    """SciPy's function on JAX arrays, as it comes: it can't be traced."""
    require(row.function != "oaconvolve", "its results on JAX arrays are other numbers than on NumPy's")
    contender = on_numpy.scipy_function(row, arrays, hosts, library="jax")
    return contender._replace(is_compiled=False)


def jax_signal(row, arrays, hosts):
    names = {"convolve", "correlate", "fftconvolve", "convolve2d", "correlate2d"}
    name = "convolve" if row.function == "vjp" else row.function
    require(row.door in ("core", "signal") and name in names, "it has no such function")
    require(row.options.get("boundary") is None, "it has no such boundary")
    require(row.function == "fftconvolve" or _macs(row) <= MAX_MACS, "it would take too long")
    function = getattr(jax.scipy.signal, name)
    return Contender(partial(function, mode="same"), tuple(arrays.values()), "jax")


def _macs(row):
    return float(np.prod([np.prod(shape) for shape in row.operands.values()]))


def convolutions(row, arrays, hosts):
    """jax.lax.conv_general_dilated, as users write a layer, a filter or a convolution of one channel."""
    if row.door == "ndimage":
        return _filter(row, arrays, hosts)
    if row.door == "core":
        return _core(row, arrays)
    if row.door == "nn.grad":
        return Contender(partial(_gradient, row.options), tuple(arrays.values()), "jax")
    require(row.door == "nn" and row.function not in ("fold", "unfold"), "it has no such function")
    is_transposed = row.function.startswith("conv_transpose")
    call = _transposed if is_transposed else _layer
    return Contender(partial(call, row.options), tuple(arrays.values()), "jax")


def _core(row, arrays):
    if row.function == "einconv":
        return Contender(partial(_layer, {"padding": row.options["padding"]}), tuple(arrays.values()), "jax")
    require(row.function == "Convolver", "jax.scipy.signal calls it")
    require(_macs(row) <= MAX_MACS, "it would take too long")
    taps = jnp.flip(arrays["kernel"])
    return Contender(lambda x: _convolved(x[None, None], taps, "constant")[0, 0], (arrays["x"],), "jax")


def _layer(options, x, weight):
    ndim = weight.ndim - 2
    pads = [(options["padding"],) * 2] * ndim
    return jax.lax.conv_general_dilated(x, weight, (1,) * ndim, pads)


def _gradient(options, operand, grad_output):
    """The gradient of a layer by its input or its weight, as users have it: the transpose of a linear function."""
    is_of_input = "input_size" in options
    shape = options["input_size" if is_of_input else "weight_size"]

    def layer(other):
        return _layer(options, *((other, operand) if is_of_input else (operand, other)))

    of = jax.ShapeDtypeStruct(shape, grad_output.dtype)
    return jax.linear_transpose(layer, of)(grad_output)[0]


def _transposed(options, x, weight):
    """torch's transposed convolution: one of x with zeros between its samples, by the reversed kernel."""
    ndim = weight.ndim - 2
    sizes = weight.shape[2:]
    pads = [(k - 1 - options["padding"], k - 1 - options["padding"] + options["output_padding"]) for k in sizes]
    taps = jnp.swapaxes(jnp.flip(weight, tuple(range(2, ndim + 2))), 0, 1)
    return jax.lax.conv_general_dilated(x, taps, (1,) * ndim, pads, lhs_dilation=(options["stride"],) * ndim)


def _filter(row, arrays, hosts):
    require(row.dtype in ("float32", "float64"), "it needs kernels of the input's dtype")
    each = [
        [[jnp.asarray(stage.astype(row.dtype)) for stage in term] for term in filters.stages(kernel)]
        for kernel in filters.kernels(row, hosts)
    ]

    def run(x):
        results = [sum(_stages(x[None, None], term) for term in terms)[0, 0] for terms in each]
        return results[0] if len(results) == 1 else jnp.sqrt(results[0] * results[0] + results[1] * results[1])

    return Contender(run, (arrays["input"],), "jax")


def _stages(x, term):
    for taps in term:
        x = _convolved(x, taps, PADDING[MODES["jax"]])
    return x


def _convolved(x, taps, mode):
    widths = [(0, 0), (0, 0), *((size // 2,) * 2 for size in taps.shape)]
    padded = jnp.pad(x, widths, mode=mode)
    return jax.lax.conv_general_dilated(padded, taps[None, None], (1,) * taps.ndim, "VALID")


def dm_pix(row, arrays, hosts):
    """dm-pix pads with zeros, so the image is padded by our boundary before."""
    pix = import_module("dm_pix")
    require(row.door == "ndimage" and row.function == "gaussian_filter", "it has no such function")
    require(row.dtype in ("float32", "float64"), "it takes floats")
    sigma, mode = row.options["sigma"], PADDING[MODES["jax"]]
    radius = int(4 * sigma + 0.5)

    def run(x):
        padded = jnp.pad(x, radius, mode=mode)[:, :, None]
        return pix.gaussian_blur(padded, sigma, 2 * radius + 1, padding="VALID")[:, :, 0]

    return Contender(run, (arrays["input"],), "jax")
