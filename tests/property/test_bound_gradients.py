"""Calls of CPU tensors that are bound with their gradients: the results of `direct`'s plans and of torch."""

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import torch.nn.functional as F  # noqa: E402

import arrayconv  # noqa: E402
from arrayconv import nn  # noqa: E402
from arrayconv._calls import binding  # noqa: E402
from arrayconv._runtime import caches  # noqa: E402

CALLS = {  # function, shapes of x and the kernel, options
    "conv1d": ("conv1d", (2, 4, 30), (6, 4, 5), {"padding": 2}),
    "conv2d": ("conv2d", (3, 4, 9, 11), (6, 4, 3, 3), {"padding": 1}),
    "unbatched": ("conv2d", (4, 9, 11), (6, 4, 3, 2), {}),
    "one-tap": ("conv2d", (2, 5, 9, 11), (7, 5, 1, 1), {}),
    "one-tap-strided": ("conv2d", (2, 5, 9, 11), (7, 5, 1, 1), {"stride": 2}),
    "one-tap-grouped": ("conv1d", (2, 6, 40), (9, 2, 1), {"groups": 3}),
    "depthwise": ("conv2d", (2, 8, 20, 20), (8, 1, 3, 3), {"padding": 1, "groups": 8}),
    "grouped": ("conv2d", (2, 6, 9, 11), (9, 2, 3, 3), {"padding": (1, 2), "groups": 3}),
    "dilated": ("conv2d", (2, 3, 14, 15), (4, 3, 3, 3), {"padding": 2, "dilation": (2, 3)}),
    "strided": ("conv2d", (2, 3, 14, 15), (4, 3, 3, 3), {"padding": 1, "stride": (3, 2)}),
    "transposed": (
        "conv_transpose2d", (2, 4, 7, 6), (4, 3, 3, 3), {"padding": 1, "stride": 2, "output_padding": 1}
    ),
    "transposed-grouped": ("conv_transpose1d", (2, 4, 12), (4, 3, 3), {"groups": 2, "stride": 3, "dilation": 2}),
    "conv3d": ("conv3d", (2, 3, 5, 6, 7), (4, 3, 3, 2, 3), {"padding": 1}),
    "wide": ("conv2d", (2, 40, 18, 18), (48, 40, 3, 3), {"padding": 1}),
}  # fmt: skip
WAYS = ("auto", "torch_conv", "native_loops", "native_images", "im2col")


def tensors(*shapes, dtype):
    random = np.random.default_rng(7)
    return [torch.tensor(random.standard_normal(shape), dtype=dtype, requires_grad=True) for shape in shapes]


def channels(name, kernel, options):
    return kernel[1] * options.get("groups", 1) if "transpose" in name else kernel[0]


def ways(name):
    """Return the methods that support a call on tensors."""
    function, x, kernel, options = CALLS[name]
    call = getattr(nn, function)
    rows = arrayconv.explain(*(torch.zeros(shape) for shape in (x, kernel)), call=call, **options).candidates
    return [method for method in WAYS if method == "auto" or {row.name: row for row in rows}[method].refusal is None]


def gradients(call, arrays, dy, requested):
    y = call(*arrays)
    return y, *torch.autograd.grad(y, [array for array, wants in zip(arrays, requested, strict=True) if wants], dy)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_gradients_are_torchs(name, dtype):
    function, x, kernel, options = CALLS[name]
    bias = (channels(function, kernel, options),)
    for shapes in ((x, kernel), (x, kernel, bias)):
        arrays = tensors(*shapes, dtype=dtype)
        theirs = partial(getattr(F, function), **options)
        shape = theirs(*arrays).shape
        for dy in (
            torch.ones((), dtype=dtype).expand(shape),
            torch.randn(shape[::-1], dtype=dtype).permute(*range(len(shape))[::-1]),
        ):
            for requested in ((True, True, True), (True, False, False), (False, True, False)):
                requested = requested[: len(arrays)]
                expected = gradients(theirs, arrays, dy, requested)
                for method in ways(name):
                    ours = partial(getattr(nn, function), method=method, **options)
                    for got, exact in zip(gradients(ours, arrays, dy, requested), expected, strict=True):
                        assert got.shape == exact.shape
                        assert got.dtype == dtype
                        error = (got - exact).abs().max() / exact.abs().max()
                        assert error < (2e-5 if dtype == torch.float32 else 1e-13), method


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize("name", CALLS)
def test_derivatives_of_first_and_second_order_are_right(name, method):
    function, x, kernel, options = CALLS[name]
    if method not in ways(name) or name == "wide":
        pytest.skip("the method does not support it, or it is too large")
    arrays = tensors(x, kernel, (channels(function, kernel, options),), dtype=torch.float64)
    call = partial(getattr(nn, function), method=method, **options)
    assert torch.autograd.gradcheck(call, arrays, fast_mode=True, check_forward_ad=True, check_batched_grad=True)
    assert torch.autograd.gradgradcheck(call, arrays, fast_mode=True)


@pytest.mark.parametrize("boundary", ["wrap", "reflect", "edge"])
def test_boundaries_fold_their_gradients(boundary):
    arrays = tensors((2, 3, 9, 8), (4, 3, 3, 3), dtype=torch.float64)
    assert torch.autograd.gradcheck(partial(nn.conv2d, padding=2, boundary=boundary), arrays, fast_mode=True)


def test_other_doors_are_bound_too():
    for call, shapes in (
        (arrayconv.convolve, ((12, 13), (3, 4))),
        (partial(arrayconv.einconv, "b h w c, h w c o -> b h w o | h w", padding="same"), ((2, 7, 6, 3), (3, 3, 3, 4))),
    ):
        arrays = tensors(*shapes, dtype=torch.float64)
        assert type(call(*arrays).grad_fn).__name__ == "_BoundConvolutionBackward"
        assert torch.autograd.gradcheck(call, arrays, fast_mode=True)


def test_torchs_own_convolution_is_differentiated_by_torch():
    arrays = tensors((8, 64, 14, 14), (64, 64, 3, 3), dtype=torch.float32)
    y = nn.conv2d(*arrays, padding=1, method="torch_conv")
    assert type(y.grad_fn).__name__ == "ConvolutionBackward0"
    with torch.no_grad():
        arrays[1][3, 2, 0, 0] = torch.nan  # multiplied by a zero beyond the ends, of which torch knows nothing
    y = nn.conv2d(*arrays, padding=1, method="torch_conv")
    assert torch.isnan(y[:, 3]).all()
    assert not torch.isnan(y[:, :3]).any()


@pytest.mark.parametrize("name", CALLS)
def test_pullback_of_numpy_arrays_is_torchs(name):
    function, x, kernel, options = CALLS[name]
    arrays = tensors(x, kernel, dtype=torch.float64)
    y = getattr(F, function)(*arrays, **options)
    expected = torch.autograd.grad(y, arrays, torch.ones_like(y))
    _, pullback = arrayconv.vjp(getattr(nn, function), *(array.detach().numpy() for array in arrays), **options)
    for got, exact in zip(pullback(np.ones(y.shape)), expected, strict=True):
        np.testing.assert_allclose(got, exact, rtol=0, atol=1e-12 * exact.abs().max().item())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_kernel_at_an_odd_address_is_read_from_a_copy(dtype):
    """Both gradients and both operands of dot products, with an array that starts one byte after another."""
    random = np.random.default_rng(7)
    x, kernel = random.standard_normal((1, 3)).astype(dtype), random.standard_normal((1, 2)).astype(dtype)
    memory = np.empty(kernel.nbytes + 1, np.uint8)
    odd = memory[1:].view(dtype).reshape(kernel.shape)
    odd[...] = kernel
    assert not odd.flags.aligned
    for method in ("native_dots", "auto"):
        y, pullback = arrayconv.vjp(arrayconv.convolve, x, odd, method=method)
        expected, expected_pullback = arrayconv.vjp(arrayconv.convolve, x, kernel, method=method)
        np.testing.assert_array_equal(y, expected)
        for ours, theirs in zip(pullback(y), expected_pullback(y), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["convolve", "correlate", "Convolver"])
def test_an_output_that_earlier_calls_wrote_never_loses_a_gradient(name):
    x, kernel, out = torch.ones(9), torch.ones(3), torch.empty(9)
    if name == "Convolver":
        call = arrayconv.Convolver(kernel, mode="same")
    else:
        call = partial(getattr(arrayconv, name), kernel=kernel, mode="same")
    for _ in range(2):
        assert call(x, out=out) is out
    with pytest.raises(TypeError, match="`out` would lose the gradient"):
        call(torch.ones(9, requires_grad=True), out=out)


def test_a_call_of_tensors_is_bound_to_one_direct_function(monkeypatch):
    calls = []
    caches.clear()
    monkeypatch.setattr("arrayconv.convolution.bind", lambda *a, **k: calls.append(binding.bind(*a, **k)) or calls[-1])
    arrayconv.convolve(torch.ones(7919), torch.ones(3))
    calls[0]._direct = binding._UNBOUND
    direct = calls[0].bind()
    assert direct is not None
    assert calls[0].bind() is direct
