"""`nn.grad` on tensors by torch's own backward: exact sums, contained non-finite values, and its own gradients."""

import numpy as np
import pytest

from arrayconv import nn
from arrayconv._calls import cache, gradients

torch = pytest.importorskip("torch", reason="torch is not installed")

SHAPES = {1: ((2, 4, 12), (6, 2, 3)), 2: ((2, 4, 7, 8), (6, 2, 3, 2)), 3: ((1, 4, 5, 6, 5), (2, 2, 2, 3, 3))}
OPTIONS = {"stride": 2, "padding": 1, "groups": 2}


@pytest.fixture(autouse=True)
def always_torchs(monkeypatch):
    """Let torch's backward cost less than any plan."""
    cache._calls.clear()
    monkeypatch.setattr(gradients, "_GRADIENT_MARGIN", (0, 1))
    yield
    cache._calls.clear()


def operands(axes, dtype, seed=0):
    """Return small integers as tensors of x, the kernel and the gradient of the result."""
    random, (x_shape, kernel_shape) = np.random.default_rng(seed), SHAPES[axes]
    x, kernel = (torch.from_numpy(random.integers(-9, 9, shape).astype(dtype)) for shape in (x_shape, kernel_shape))
    shape = getattr(torch.nn.functional, f"conv{axes}d")(x, kernel, **OPTIONS).shape
    return x, kernel, torch.from_numpy(random.integers(-9, 9, tuple(shape)).astype(dtype))


def of_x(axes, x, kernel, dy):
    return getattr(nn.grad, f"conv{axes}d_input")(tuple(x.shape), kernel, dy, **OPTIONS)


def of_kernel(axes, x, kernel, dy):
    return getattr(nn.grad, f"conv{axes}d_weight")(x, tuple(kernel.shape), dy, **OPTIONS)


def in_numpy(arrays, dtype=None):
    return [array.numpy() if dtype is None else array.numpy().astype(dtype) for array in arrays]


def last_call():
    return list(cache._calls.values())[-1]


@pytest.mark.parametrize("gradient", [of_x, of_kernel])
@pytest.mark.parametrize("axes", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_of_small_integers_are_exact(gradient, axes, dtype):
    arrays = operands(axes, dtype)
    y = gradient(axes, *arrays)
    assert type(last_call()) is gradients.TorchsGradient
    assert y.dtype == getattr(torch, dtype)
    np.testing.assert_array_equal(y.numpy(), gradient(axes, *in_numpy(arrays, "int64")))


@pytest.mark.parametrize("gradient", [of_x, of_kernel])
@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_outputs_are_non_finite_as_by_our_own_loops(gradient, number, bad):
    arrays = operands(2, "float32")
    gradient(2, *arrays)
    arrays[number].view(-1)[0] = bad
    y = gradient(2, *arrays)
    assert type(last_call()) is gradients.TorchsGradient
    np.testing.assert_array_equal(np.isfinite(y.numpy()), np.isfinite(gradient(2, *in_numpy(arrays))))


@pytest.mark.parametrize("gradient", [of_x, of_kernel])
def test_a_gradient_is_differentiable_itself(gradient):
    x, kernel, dy = operands(2, "float64")
    gradient(2, x, kernel, dy)
    dy.requires_grad_()
    (second,) = torch.autograd.grad(gradient(2, x, kernel, dy).square().sum(), dy)
    linear = gradient(2, x, kernel, dy.detach())
    step = torch.ones_like(dy)
    slope = (2 * linear * gradient(2, x, kernel, step)).sum()
    assert second.sum() == slope


def test_a_vmap_maps_the_call():
    x, kernel, dy = operands(1, "float64")
    alone = of_x(1, x, kernel, dy)
    mapped = torch.func.vmap(lambda dy: of_x(1, x, kernel, dy))(torch.stack([dy, 2 * dy]))
    assert torch.equal(mapped, torch.stack([alone, 2 * alone]))
