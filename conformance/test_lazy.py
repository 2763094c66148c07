"""Compilers and derivatives: `jax.jit` returns the same results, and torch and JAX differentiate them.

A gradient is checked by its definition: for a convolution y, which is linear in x and in the kernel, and any u,
<u, y(dx)> = <gradient of <u, y>, dx> for real data. Everywhere else the calls are eager, except on JAX.
"""

import numpy as np
import pytest

from . import asserts, bounds, dtypes
from .backends import numbers
from .cases import lazy as rows
from .checks import check_result, described, exact_result, random_operands


def _operands(subject, row, kind="real"):
    _, function, x_shape, kernel_shape, options = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, (getattr(subject.backend, kind),) * 2)
    return getattr(subject.target, function), x, kernel, options, described(function, x, kernel, options)


@pytest.mark.cross(("row", rows.CALLS))
def test_eager(subject, row):
    """Without a compiler: the tests of other files compile on JAX."""
    function, x, kernel, options, call = _operands(subject, row)
    exact = exact_result(row[1], x.host, kernel.host, options)
    with asserts.reproducing(call, subject):
        check_result(subject, function(x.array, kernel.array, **options), x, exact, subject.backend.real, options, call)


@pytest.mark.only("jax")
@pytest.mark.cross(("row", rows.CALLS), ("kind", ("real", "complex")))
@pytest.mark.requires("tracing")
def test_jit_agrees_with_eager(subject, row, kind):
    function, x, kernel, options, call = _operands(subject, row, kind)
    eager = function(x.array, kernel.array, **options)
    compiled = subject.backend.jit(lambda x, kernel: function(x, kernel, **options))(x.array, kernel.array)
    asserts.form(compiled, eager, subject.backend.dtype_name(eager), eager.shape, subject, call)
    exact = exact_result(row[1], x.host, kernel.host, options)
    bound = bounds.allowed(exact, getattr(subject.backend, kind), "normwise")
    asserts.within(subject.backend.host(compiled), subject.backend.host(eager), 2 * bound, call)


@pytest.mark.only("jax")
@pytest.mark.requires("tracing")
def test_shapes_without_values(subject):
    """Tracing needs shapes alone."""
    jax = pytest.importorskip("jax", reason="jax is not installed")
    x, kernel = jax.ShapeDtypeStruct((3, 50), "float32"), jax.ShapeDtypeStruct((4, 7), "float32")
    out = jax.eval_shape(lambda x, kernel: subject.target.convolve(x[:1], kernel, axes=1, mode="same"), x, kernel)
    asserts.equal("out.shape", out.shape, (4, 50), "eval_shape(convolve)")
    asserts.equal("out.dtype", str(out.dtype), "float32", "eval_shape(convolve)")


@pytest.mark.only("torch", "jax")
@pytest.mark.cross(("row", rows.CALLS), ("operand", (0, 1)))
@pytest.mark.requires("gradients")
def test_gradient(subject, row, operand):
    """The gradient of <u, y> is the adjoint applied to u: checked against moves along random directions."""
    function, x, kernel, options, call = _operands(subject, row)
    name = subject.backend.real
    u = numbers(7, exact_result(row[1], x.host, kernel.host, options).shape, name)
    arrays = [x.array, kernel.array]
    gradient = subject.backend.host(
        _gradient(subject, function, arrays, operand, subject.backend.array(u, name), options)
    )
    hosts = [x.host, kernel.host]
    asserts.equal("gradient.shape", gradient.shape, hosts[operand].shape, call)
    for seed in range(3):
        hosts[operand] = numbers(20 + seed, gradient.shape, name)
        moved = exact_result(row[1], *hosts, options)
        got, expected = np.sum(gradient * hosts[operand]), np.sum(u * moved.values)
        scale = np.linalg.norm(u) * moved.norm_x * moved.norm_kernel
        bound = dtypes.eps(name) * (moved.terms + 8 * np.log2(4 * moved.span) + u.size) * scale
        asserts.within(np.asarray([got]), np.asarray([expected]), np.asarray([bound]), call)


def _gradient(subject, function, arrays, operand, u, options):
    if subject.backend.name == "jax":
        jax = pytest.importorskip("jax", reason="jax is not installed")
        return jax.jit(jax.grad(lambda *pair: (function(*pair, **options) * u).sum(), argnums=operand))(*arrays)
    arrays[operand] = arrays[operand].clone().requires_grad_()
    out = function(*arrays, **options)
    assert out.requires_grad, "requires_grad was lost on the way"
    (out * u).sum().backward()
    return arrays[operand].grad


@pytest.mark.only("torch")
@pytest.mark.cross(("row", rows.CALLS[:3]))
@pytest.mark.requires("gradients")
def test_gradient_survives_on_torch(subject, row):
    """The result requires a gradient where an operand does; otherwise nothing is recorded."""
    function, x, kernel, options, call = _operands(subject, row)
    assert not function(x.array, kernel.array, **options).requires_grad
    for pair in ((x.array.clone().requires_grad_(), kernel.array), (x.array, kernel.array.clone().requires_grad_())):
        out = function(*pair, **options)
        assert out.requires_grad, f"out.requires_grad=False, but should be True [{call}]"
        asserts.raises(
            TypeError, ["out"], lambda pair=pair, out=out: function(*pair, out=out.detach(), **options), call
        )
