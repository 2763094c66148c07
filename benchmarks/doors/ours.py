"""Our call of a row, and the time that `explain` predicts for it."""

from functools import partial
from importlib import import_module

import numpy as np

import arrayconv
from arrayconv._cli import libraries
from benchmarks.doors.contender import Contender, bind, seed
from benchmarks.doors.rows import MODULES, Function

DEVICES = {"numpy": "cpu", "torch": "cpu", "jax": "cpu:0"}
MODES = {"numpy": "reflect", "torch": "mirror", "jax": "reflect"}  # of filters: what the peers of a library can do too
OPERANDS = ("x", "kernel")  # of a convolution, as `explain` names their gradients
# They convolve nothing, or convolutions are a part of them: `explain` predicts neither their masks nor their quotients.
PLAIN = ("choose_conv_method", "correlation_lags", "fold", "normalized_convolve", "unfold")
PLAIN_DOORS = ("astronomy",)


def to_library(library, operands):
    """Return {name: array of the library} of {name: NumPy array}."""
    return {name: libraries.array(library, DEVICES[library], a, a.dtype.name) for name, a in operands.items()}


def options(row, module, library):
    """Return the options of a row for a module, whose own functions replace the names of functions."""
    resolved = {
        name: getattr(module, value.name) if isinstance(value, Function) else value
        for name, value in row.options.items()
    }
    return {"mode": MODES[library], **resolved} if row.door == "ndimage" else resolved


def named(function, names, **fixed):
    """Return a function of arrays by position that passes them by name."""

    def call(*arrays):
        return function(**dict(zip(names, arrays, strict=True)), **fixed)

    return call


def contender(row, library, operands):
    """Return our contender: operands as {name: array of the library}."""
    arrays = tuple(operands.values())
    if "chunk" in row.options:
        return Contender(_streamed(operands["kernel"], row.options["chunk"]), arrays[:1], library)
    if row.function == "Convolver":
        return Contender(arrayconv.Convolver(operands["kernel"], **row.options), arrays[:1], library)
    if row.door == "nn.modules":
        return Contender(layer(row, "arrayconv.nn.modules"), arrays, library)
    module = import_module(MODULES[row.door][0])
    function = arrayconv.convolve if row.function == "vjp" else getattr(module, row.function)
    return Contender(named(function, tuple(operands), **options(row, module, library)), arrays, library)


def _streamed(kernel, size):
    """Return a function of x that pushes it in chunks to a new stream: as many causal outputs as samples."""
    stream = arrayconv.Convolver(kernel).stream(max_latency=size - 1)

    def run(x):
        stream.reset()
        return np.concatenate([stream.push(x[at : at + size]) for at in range(0, x.shape[0], size)])

    return run


def layer(row, module):
    """Return a layer whose parameters are the same for every module."""
    torch = import_module("torch")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return getattr(import_module(module), row.function)(**row.options)


def call(row, ours, shape):
    """Return our call without arguments; on NumPy arrays and in `vjp` rows the gradients are those of `vjp`."""
    if row.gradients and (row.function == "vjp" or ours.library == "numpy"):
        return _by_vjp(row, ours, shape)
    return bind(ours, row.gradients, shape)


def _by_vjp(row, ours, shape):
    module = import_module(MODULES[row.door][0])
    function = arrayconv.convolve if row.function == "vjp" else getattr(module, row.function)
    fixed = options(row, module, ours.library)
    dy = to_library(ours.library, {"dy": seed(shape, row.dtype)})["dy"]

    def run(dy, *arrays):
        positional = (fixed["pattern"], *arrays) if "pattern" in fixed else arrays
        rest = {name: value for name, value in fixed.items() if name != "pattern"}
        return arrayconv.vjp(function, *positional, **rest)[1](dy)

    compiled = import_module("jax").jit(run) if ours.library == "jax" else run
    return partial(compiled, dy, *ours.arrays)


def explained(row, library, ours):
    """Return (method, predicted nanoseconds) of our call.

    ('', None) where `explain` does not predict the whole call, or a function of the user's takes most of the time.
    """
    if not is_explained(row, library):
        return "", None
    explanations = []

    def describe(*arrays):
        explanations.append(explanation(row, library, ours, *arrays))

    if library == "jax":  # traced, as the call is
        import_module("jax").eval_shape(describe, *ours.arrays)
    else:
        describe(*ours.arrays)
    (described,) = explanations
    return described.method, predicted(row, described)


def is_explained(row, library):
    """Whether `explain` knows our call, and no function of the user's takes most of its time.

    On tensors it describes gradients by torch, not those of `vjp`.
    """
    has_no_prediction = row.function in PLAIN or row.door in PLAIN_DOORS or (row.function, library) == ("vjp", "torch")
    return not (has_no_prediction or row.function.startswith("generic_") or "chunk" in row.options)


def explanation(row, library, ours, *arrays):
    """Return the explanation of our call on arrays."""
    derivatives = bool(row.gradients)
    if row.function == "Convolver":
        return ours.function.explain(*arrays, derivatives=derivatives)
    if row.door == "nn.modules":
        return arrayconv.explain(*arrays, call=ours.function, derivatives=derivatives)
    module = import_module(MODULES[row.door][0])
    function = arrayconv.convolve if row.function == "vjp" else getattr(module, row.function)
    operands = dict(zip(row.operands, arrays, strict=True))
    return arrayconv.explain(call=function, derivatives=derivatives, **operands, **options(row, module, library))


def predicted(row, described):
    """Return the predicted nanoseconds of a call and of the gradients that a row computes."""
    return described.cost_ns + sum(gradient.cost_ns for gradient in gradients(row, described))


def gradients(row, described):
    """Return the explanations of the gradients that a row computes, of every pass, and of a layer's parameters."""
    names = OPERANDS if row.gradients and row.door == "nn.modules" else OPERANDS[: row.gradients]
    each = [*described.gradients, *(one for step in described.passes for one in step.explanation.gradients)]
    return [gradient for name, gradient in each if name in names]
