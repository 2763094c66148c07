"""A contender of a row: a function of arrays, compiled and differentiated as its library does it.

The same code binds ours, the imitated function and every peer, so that they differ in the function alone.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from benchmarks.peers import Unsuitable


class Contender(NamedTuple):
    """A function of arrays, and how its result compares with ours."""

    function: Callable[..., Any]  # of the arrays
    arrays: tuple[Any, ...]
    library: str  # of the arrays
    scale: float = 1.0  # ours over its result
    is_flipped: bool = False  # its kernel is ours reversed, so the gradient of the kernel is too
    rounds: bool = False  # it rounds integers to nearest, where ours are cut toward zero once per pass
    is_compiled: bool = True  # jax.jit traces it


def bind(contender, gradients, shape):
    """Return a call without arguments: the result, or the gradients of the first operands by a seeded one."""
    function, arrays, library = contender.function, contender.arrays, contender.library
    if not gradients:
        compiled = import_module("jax").jit(function) if library == "jax" and contender.is_compiled else function
        return partial(compiled, *arrays)
    if library == "torch":
        return _torch_gradients(function, arrays, gradients, shape)
    if library == "jax":
        if not contender.is_compiled:
            raise Unsuitable("it has no gradients")
        return _jax_gradients(function, arrays, gradients)
    raise Unsuitable("it has no gradients")


def seed(shape, dtype):
    """Return the gradient of the result, as a NumPy array."""
    random = np.random.default_rng(1)
    return random.standard_normal(shape).astype(dtype)


def _torch_gradients(function, arrays, gradients, shape):
    torch = import_module("torch")
    inputs, rest = [array.detach().clone().requires_grad_() for array in arrays[:gradients]], arrays[gradients:]
    leaves = [*inputs, *function.parameters()] if isinstance(function, torch.nn.Module) else inputs
    y = function(*inputs, *rest)
    if not isinstance(y, torch.Tensor) or not y.requires_grad:
        raise Unsuitable("it has no gradients")
    dy = torch.from_numpy(seed(shape, "float64")).to(y.dtype).reshape(y.shape)

    def run():
        return torch.autograd.grad(function(*inputs, *rest), leaves, dy)

    return run


def _jax_gradients(function, arrays, gradients):
    jax = import_module("jax")
    rest = arrays[gradients:]

    def run(dy, *leaves):
        y, pullback = jax.vjp(lambda *leaves: function(*leaves, *rest), *leaves)
        return pullback(dy.reshape(y.shape).astype(y.dtype)), y  # else XLA would leave the result out

    y = jax.eval_shape(function, *arrays)
    dy = jax.numpy.asarray(seed(y.shape, "float64"))
    compiled, leaves = jax.jit(run), arrays[:gradients]
    return lambda: compiled(dy, *leaves)[0]


def hosts(result, contender):
    """Return the result or the gradients as NumPy arrays, scaled and oriented as ours."""
    is_pair = isinstance(result, (tuple, list)) and not isinstance(result, str)
    values = [_host(value) for value in (result if is_pair else [result])]
    if is_pair and contender.is_flipped and len(values) > 1:
        values[1] = np.flip(values[1])
    return [value if contender.scale == 1 else value * contender.scale for value in values]


def _host(value):
    if hasattr(value, "detach"):
        value = value.detach().resolve_conj()
    return np.asarray(value)
