"""Derivatives of the public functions: torch's checks, the adjoint identity, and one result from every library."""

import importlib
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pytest

import arrayconv
from arrayconv import ndimage, nn, testing
from arrayconv._algorithms import ALGORITHMS
from arrayconv._problem.boundary import BOUNDARIES
from tests.cases import numbers
from tests.conftest import make_library


@dataclass(frozen=True)
class Call:
    """A public call of two arrays; `leading` are arguments before them."""

    name: str
    function: Any
    shapes: tuple[tuple[int, ...], ...]
    options: dict = field(default_factory=dict)
    leading: tuple = ()
    dtype: str = "float64"

    def arrays(self, library=None):
        random = np.random.default_rng(list(self.name.encode()))
        host = [numbers(random, shape, self.dtype) for shape in self.shapes]
        return host if library is None else [library.asarray(array) for array in host]

    def __call__(self, *arrays):
        return self.function(*self.leading, *arrays, **self.options)


PLANE = ((5, 6), (3, 2))
GROUPED = "b (g c) h w, g o c h w -> b g o h w | h w"
CALLS = [
    Call("convolve", arrayconv.convolve, PLANE),
    Call("same", arrayconv.convolve, PLANE, {"mode": "same"}),
    Call("valid-strided", arrayconv.correlate, PLANE, {"mode": "valid", "stride": 2}),  # a remainder is left over
    Call("dilated", arrayconv.correlate, ((8, 7), (3, 2)), {"dilation": (2, 3)}),
    Call("boundaries", arrayconv.convolve, PLANE, {"boundary": ("wrap", "reflect"), "stride": (2, 1)}),
    Call("wider-than-x", arrayconv.correlate, ((2, 3), (5, 4)), {"boundary": ("symmetric", "edge")}),
    Call("fill", arrayconv.correlate, PLANE, {"fill_value": 1.5, "stride": (1, 2)}),
    Call("lags", arrayconv.correlate, ((9,), (4,)), {"lags": (-2, 3)}),
    Call("batch", arrayconv.convolve, ((2, 5), (1, 3)), {"axes": 1, "mode": "same"}),
    Call("filters", arrayconv.convolve, ((1, 5), (4, 3)), {"axes": 1}),
    Call("complex", arrayconv.correlate, PLANE, {"boundary": "wrap", "stride": 2}, dtype="complex128"),
    Call("complex-fill", arrayconv.convolve, PLANE, {"fill_value": 1 - 2j}, dtype="complex128"),
    *(Call(f"by-{method}", arrayconv.convolve, PLANE, {"method": method}) for method in ALGORITHMS),
    Call("blocks", arrayconv.convolve, ((30, 20), (3, 3)), {"max_workspace": 60_000}),
    Call("channels-last", arrayconv.einconv, ((2, 5, 4, 3), (2, 3, 3, 2)), {"stride": 2, "padding": "same"},
         ("b h w c, h w c o -> b h w o | h w",)),
    Call("grouped", arrayconv.einconv, ((2, 4, 4, 3), (2, 3, 2, 2, 2)), {"upsample": {"h": 2}, "padding": "full"},
         (GROUPED,)),
    Call("summed-away", arrayconv.einconv, ((2, 5, 3), (4, 2, 3)), {}, ("b n e, n f c -> n c | n",)),
    Call("complex-einconv", arrayconv.einconv, ((2, 5), (3, 3)), {"conj": True, "boundary": "reflect", "padding": 1},
         ("b n, o n -> o n b | n",), "complex128"),
    Call("conv2d", nn.conv2d, ((2, 4, 5, 4), (6, 2, 3, 2)), {"groups": 2, "padding": 1, "stride": (2, 1)}),
    Call("conv1d-bias", nn.conv1d, ((2, 3, 6), (2, 3, 3), (2,)), {"stride": 2}),
    Call("conv_transpose1d-bias", nn.conv_transpose1d, ((3, 4), (3, 2, 3), (2,))),
    Call("conv1d-circular", nn.conv1d, ((2, 3, 6), (2, 3, 3)), {"padding": 4, "boundary": "wrap"}),
    Call("conv_transpose2d", nn.conv_transpose2d, ((2, 4, 2, 3), (4, 3, 3, 2)),
         {"groups": 2, "stride": 2, "padding": 1, "output_padding": (1, 0)}),
]  # fmt: skip
ids = {"ids": lambda call: call.name}


def named(*names):
    return [call for call in CALLS if call.name in names]


LINEAR = [call for call in CALLS if "fill_value" not in call.options and len(call.shapes) == 2]


def torch_arrays(call):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    return [torch.tensor(array, requires_grad=True) for array in call.arrays()]


@pytest.mark.parametrize("call", CALLS, **ids)
def test_torch_derivatives_of_first_and_second_order_are_right(call):
    torch, arrays = pytest.importorskip("torch", reason="torch is not installed"), torch_arrays(call)
    big = sum(array.numel() for array in arrays) > 200
    assert torch.autograd.gradcheck(call, arrays, check_forward_ad=True, fast_mode=big)
    assert torch.autograd.gradgradcheck(call, arrays, fast_mode=True)


@pytest.mark.parametrize("call", LINEAR, **ids)
def test_pullback_is_the_adjoint_in_both_operands(call):
    x, kernel = call.arrays()
    y, pullback = arrayconv.vjp(call.function, *call.leading, x, kernel, **call.options)
    dy = numbers(np.random.default_rng(5), y.shape, y.dtype)
    testing.check_adjoint(lambda x: call(x, kernel), lambda dy: pullback(dy, 0)[0], x, dy)
    conjugates = call.function is arrayconv.correlate or "conj" in call.options
    if not (conjugates and call.dtype == "complex128"):  # a conjugated kernel is no linear operand
        testing.check_adjoint(lambda kernel: call(x, kernel), lambda dy: pullback(dy, 1)[0], kernel, dy)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize(
    ("boundary", "stride", "dilation", "upsample", "groups"),
    list(product(BOUNDARIES, (1, 2, 3), (1, 2), (1, 2, 3), (1, 2))),
)
def test_every_option_keeps_the_adjoint_identity(boundary, stride, dilation, upsample, groups, dtype):
    random = np.random.default_rng(stride + 10 * dilation + 100 * upsample + 1000 * groups)
    x, kernel = numbers(random, (2, groups * 3, 7), dtype), numbers(random, (groups, 2, 3, 3), dtype)
    for padding in ((2, 5), "same", (9, 8)):
        options = {"stride": stride, "dilation": dilation, "upsample": upsample, "padding": padding}
        y, pullback = arrayconv.vjp(
            arrayconv.einconv, "b (g c) n, g o c n -> b g o n | n", x, kernel, boundary=boundary, **options
        )
        dy = numbers(random, y.shape, dtype)
        dx, dkernel = pullback(dy)
        scale = np.linalg.norm(y) * np.linalg.norm(dy)
        for operand, gradient in ((x, dx), (kernel, dkernel)):
            assert abs(np.vdot(dy, y) - np.vdot(gradient, operand)) <= 1e-12 * scale


@pytest.mark.parametrize("call", CALLS, **ids)
def test_pullback_gives_what_torch_does(call):
    torch, arrays = pytest.importorskip("torch", reason="torch is not installed"), torch_arrays(call)
    y, pullback = arrayconv.vjp(call.function, *call.leading, *call.arrays(), **call.options)
    dy = numbers(np.random.default_rng(5), y.shape, y.dtype)
    call(*arrays).backward(torch.tensor(dy))
    for gradient, array in zip(pullback(dy), arrays, strict=True):
        assert gradient.dtype == call.dtype
        np.testing.assert_allclose(gradient, array.grad.numpy(), rtol=0, atol=1e-11)


@pytest.mark.parametrize("call", named("boundaries", "fill", "complex", "grouped"), **ids)
def test_jax_transposes_without_conjugating(call):
    jax = pytest.importorskip("jax", reason="jax is not installed")
    library = make_library("jax")
    x, kernel = call.arrays(library)
    y, pullback = jax.vjp(call, x, kernel)
    dy = numbers(np.random.default_rng(5), y.shape, np.dtype(call.dtype))
    host, ours = arrayconv.vjp(call.function, *call.leading, *call.arrays(), **call.options)
    for got, expected in zip(pullback(library.asarray(dy.conj())), ours(dy), strict=True):
        np.testing.assert_allclose(np.asarray(got).conj(), expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(np.asarray(y), host, rtol=0, atol=1e-12)


@pytest.mark.parametrize("call", named("boundaries", "grouped", "conv_transpose2d"), **ids)
def test_jax_composes_its_transforms(call):
    jax = pytest.importorskip("jax", reason="jax is not installed")
    check_grads = importlib.import_module("jax.test_util").check_grads
    x, kernel = call.arrays(make_library("jax"))

    @jax.jit  # or JAX compiles every operation of its derivatives by itself
    def loss(x, kernel):
        return (call(x, kernel) ** 3).sum()

    forward, backward = jax.jit(jax.jacfwd(call, 1))(x, kernel), jax.jit(jax.jacrev(call, 1))(x, kernel)
    np.testing.assert_allclose(forward, backward, rtol=0, atol=1e-11)
    xs = jax.numpy.stack([x, -2 * x])
    mapped = jax.jit(jax.vmap(jax.grad(loss, 1), (0, None)))(xs, kernel)
    np.testing.assert_allclose(mapped[1], jax.grad(loss, 1)(xs[1], kernel), rtol=1e-11, atol=1e-10)
    check_grads(loss, (x, kernel), 2, modes=("fwd", "rev"), rtol=1e-4)


@pytest.mark.parametrize("call", named("boundaries", "fill", "complex", "grouped", "conv2d"), **ids)
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")  # torch has no batched conjugate
def test_torch_func_composes(call):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, kernel = call.arrays(make_library("torch"))
    if not x.is_complex():  # torch has Jacobians of real functions only
        forward, backward = torch.func.jacfwd(call, 1)(x, kernel), torch.func.jacrev(call, 1)(x, kernel)
        np.testing.assert_allclose(forward, backward, rtol=0, atol=1e-11)

    def loss(x, kernel):
        return (call(x, kernel).abs() ** 2).sum()

    xs, kernels = torch.stack([x, -2 * x]), torch.stack([kernel, kernel**2])
    one = torch.func.grad(loss, argnums=(0, 1))
    for dims, arrays in (((0, 0), (xs, kernels)), ((0, None), (xs, kernel)), ((None, 0), (x, kernels))):
        mapped = torch.func.vmap(one, in_dims=dims)(*arrays)
        for number in range(2):
            alone = one(*(array if dim is None else array[number] for dim, array in zip(dims, arrays, strict=True)))
            for got, expected in zip(mapped, alone, strict=True):
                np.testing.assert_allclose(got[number], expected, rtol=1e-11, atol=1e-10)


@pytest.mark.parametrize("call", named("same", "channels-last", "conv2d", "conv_transpose2d"), **ids)
def test_compiled_backward_is_the_eager_one(call):
    torch, arrays = pytest.importorskip("torch", reason="torch is not installed"), torch_arrays(call)

    def loss(*arrays):
        return (call(*arrays) ** 2).sum()

    expected = torch.autograd.grad(loss(*arrays), arrays)
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    for got, exact in zip(torch.autograd.grad(compiled(*arrays), arrays), expected, strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-12, atol=1e-12)


def test_backward_runs_plans():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = torch.ones(4, 5, requires_grad=True)
    y = arrayconv.convolve(x, torch.ones(2, 2))
    names, nodes = [], [y.grad_fn]
    while nodes:
        node = nodes.pop()
        names.append(type(node).__name__)
        nodes += [parent for parent, _ in node.next_functions if parent is not None]
    assert "_BoundConvolutionBackward" in names
    assert not any(name.startswith(("Mm", "Bmm", "Mul", "Fft")) for name in names)


def test_gaussian_filter_has_its_gradients():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = torch.tensor(np.random.default_rng(3).standard_normal((5, 4)), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: ndimage.gaussian_filter(x, 0.8, mode="mirror"), x, check_forward_ad=True)
    jax = pytest.importorskip("jax", reason="jax is not installed")
    got = jax.jit(jax.grad(lambda x: (ndimage.gaussian_filter(x, 0.8, mode="mirror") ** 2).sum()))
    (ndimage.gaussian_filter(x, 0.8, mode="mirror") ** 2).sum().backward()
    np.testing.assert_allclose(got(jax.numpy.asarray(x.detach().numpy())), x.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32"])
def test_gradients_keep_their_operands_dtype(name):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    dtype = getattr(torch, name)
    x, kernel = torch.ones(5, 6, dtype=dtype, requires_grad=True), torch.ones(3, 2, dtype=dtype, requires_grad=True)
    arrayconv.convolve(x, kernel).sum().backward()
    assert (x.grad.dtype, kernel.grad.dtype) == (dtype, dtype)
    np.testing.assert_array_equal(x.grad.float(), np.full((5, 6), 6))
    np.testing.assert_array_equal(kernel.grad.float(), np.full((3, 2), 30))


def test_real_operand_of_a_complex_result_has_a_real_gradient():
    x, kernel = np.arange(5.0), np.array([1 + 2j, 3 - 1j])
    y, pullback = arrayconv.vjp(arrayconv.convolve, x, kernel)
    dx, dkernel = pullback(np.ones_like(y))
    assert (dx.dtype, dkernel.dtype) == (np.float64, np.complex128)
    np.testing.assert_allclose(dx, np.full(5, 4.0))


def test_autocast_leaves_the_digits_alone():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, kernel = torch.rand(3, 9, 9), torch.rand(2, 3, 3, 3)
    for method in ALGORITHMS:
        expected = nn.conv2d(x, kernel, method=method)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            got = nn.conv2d(x, kernel, method=method)
        assert got.dtype == torch.float32
        np.testing.assert_array_equal(got, expected)
