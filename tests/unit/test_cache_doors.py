"""Repeated calls of `einconv` and `nn` equal the first, and wrong arguments are refused every time."""

from functools import partial

import numpy as np
import pytest

import arrayconv
from arrayconv import config, einconv, nn
from arrayconv._calls import cache
from tests.conftest import make_library

RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _empty_cache():
    cache._calls.clear()


@pytest.fixture(params=["numpy", "torch"])
def eager(request):
    """Return a library whose calls are bound and cached."""
    return make_library(request.param)


def normal(*shape):
    return RANDOM.standard_normal(shape)


def labelled(pattern):
    """Return `einconv` of a pattern."""
    return partial(einconv, pattern)


# function, shapes of its arrays, options: the name says what varies
CALLS = {
    "1d": (nn.conv1d, [(2, 2, 9), (3, 2, 3)], {}),
    "2d": (nn.conv2d, [(2, 4, 8, 9), (6, 4, 3, 2)], {"padding": 1}),
    "2d-bias": (nn.conv2d, [(2, 4, 8, 9), (6, 4, 3, 2), (6,)], {"padding": 1}),
    "2d-unbatched": (nn.conv2d, [(4, 8, 9), (6, 4, 3, 2), (6,)], {"stride": 2}),
    "2d-groups": (nn.conv2d, [(2, 4, 8, 9), (6, 2, 3, 2), (6,)], {"padding": (1, 0), "groups": 2, "dilation": 2}),
    "2d-depthwise": (nn.conv2d, [(1, 6, 8, 9), (6, 1, 3, 3)], {"padding": "same", "groups": 6}),
    "2d-pairs": (nn.conv2d, [(1, 1, 5, 4), (2, 1, 3, 2), (2,)], {"padding": ((2, 0), (0, 1)), "stride": (1, 2)}),
    "2d-wrapped": (nn.conv2d, [(1, 3, 5, 4), (3, 3, 3, 2), (3,)], {"boundary": "wrap", "padding": 2}),
    "2d-filled": (nn.conv2d, [(1, 3, 5, 4), (3, 3, 3, 2), (3,)], {"fill_value": 3, "padding": 2}),
    "2d-one-tap": (nn.conv2d, [(2, 4, 5, 6), (3, 4, 1, 1), (3,)], {}),
    "2d-more-padding-than-taps": (nn.conv2d, [(1, 2, 4, 4), (2, 2, 3, 3), (2,)], {"padding": 5, "stride": 3}),
    "3d": (nn.conv3d, [(1, 2, 4, 3, 4), (2, 2, 2, 3, 1), (2,)], {"padding": 1}),
    "4d": (nn.conv, [(1, 2, 3, 3, 2, 3), (2, 2, 2, 2, 1, 2), (2,)], {"stride": (1, 2, 1, 1)}),
    "no-axes": (nn.conv, [(3, 4), (2, 4), (2,)], {}),
    "transposed-1d": (nn.conv_transpose1d, [(2, 2, 9), (2, 3, 4)], {"stride": 3}),
    "transposed-2d": (nn.conv_transpose2d, [(2, 4, 5, 4), (4, 3, 3, 2), (3,)], {"stride": 2, "padding": 1}),
    "transposed-groups": (
        nn.conv_transpose2d,
        [(2, 4, 5, 4), (4, 3, 3, 2), (6,)],
        {"stride": (2, 1), "output_padding": (1, 0), "groups": 2},
    ),
    "transposed-stride-1": (nn.conv_transpose2d, [(4, 5, 4), (4, 3, 3, 2), (3,)], {"dilation": 2}),
    "transposed-3d": (nn.conv_transpose3d, [(1, 2, 3, 2, 3), (2, 2, 2, 3, 1)], {"stride": 2, "dilation": 3}),
    "of-the-input": (
        lambda *a, **o: nn.grad.conv2d_input((2, 4, 8, 9), *a, **o),
        [(6, 2, 3, 2), (2, 6, 4, 5)],
        {"groups": 2, "stride": 2, "padding": 1},
    ),
    "of-the-weight": (
        lambda x, dy, **o: nn.grad.conv2d_weight(x, (6, 2, 3, 2), dy, **o),
        [(2, 4, 8, 9), (2, 6, 4, 5)],
        {"groups": 2, "stride": 2, "padding": 1},
    ),
    "channels-last": (labelled("b h w c, h w c o -> b h w o | h w"), [(2, 7, 8, 4), (3, 2, 4, 5)], {"padding": "same"}),
    "by-label": (
        labelled("b c h w, o c h w -> b o h w | h w"),
        [(2, 4, 7, 8), (5, 4, 3, 2)],
        {"padding": {"h": 1}, "stride": {"w": 2}},
    ),
    "flipped": (
        labelled("b c h w, o c h w -> o b h w | h w"),
        [(2, 4, 7, 8), (5, 4, 3, 2)],
        {"flip": True, "padding": "full"},
    ),
    "split-groups": (labelled("b (g c) n, (g o) c n -> b (g o) n | n"), [(2, 6, 9), (4, 3, 3)], {}),
    "split-groups-told": (labelled("b (g c) n, (g o) c n -> b (g o) n | n"), [(2, 6, 9), (4, 3, 3)], {"g": 2}),
    "upsampled": (
        labelled("b h w c, h w c o -> b h w o | h w"),
        [(2, 4, 3, 4), (3, 3, 4, 5)],
        {"upsample": 2, "padding": 1},
    ),
    "upsampled-flipped": (
        labelled("b c n, c o n -> b o n | n"),
        [(2, 4, 5), (4, 5, 4)],
        {"upsample": (3,), "padding": 3, "flip": True},
    ),
    "summed-away": (labelled("b c n, n -> n | n"), [(2, 4, 9), (3,)], {}),
}


@pytest.mark.parametrize("method", ["auto", "direct", "im2col", "torch_conv"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_a_repeated_call_equals_the_first(eager, name, dtype, method):
    function, shapes, options = CALLS[name]
    if method == "torch_conv" and (name in ("4d", "no-axes")):
        pytest.skip("torch has no convolution over so many axes")
    pytest.importorskip("torch" if method == "torch_conv" else "numpy", reason="torch is not installed")
    arrays = [normal(*shape).astype(dtype) for shape in shapes]
    operands = list(map(eager.asarray, arrays))
    forced = {} if "of-the" in name else {"method": method}  # torch's gradients have no such option
    first, *later = [function(*operands, **options, **forced) for _ in range(3)]
    assert len(cache._calls) == 1
    for y in later:
        assert type(y) is type(first)
        np.testing.assert_array_equal(eager.numpy(y), eager.numpy(first))
    with config.using(accelerators=set()):
        expected = function(*arrays, **options, **forced and {"method": "direct"})
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(eager.numpy(first), expected, rtol=tolerance, atol=30 * tolerance)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "complex128"])
@pytest.mark.parametrize("name", CALLS)
def test_repeated_exact_and_complex_calls_equal_the_first(name, dtype):
    function, shapes, options = CALLS[name]
    arrays = [RANDOM.integers(0, 100, shape).astype(dtype) for shape in shapes]
    if dtype == "complex128":
        arrays = [array + 1j * normal(*array.shape) for array in arrays]
    first, *later = [function(*arrays, **options) for _ in range(3)]
    assert first.dtype == dtype
    for y in later:
        np.testing.assert_array_equal(y, first)


@pytest.mark.parametrize("layout", ["transposed", "backwards", "read-only", "every-second"])
def test_arrays_may_have_any_layout_in_memory(eager, layout):
    x, w, bias = normal(2, 4, 8, 8), normal(6, 4, 3, 3), normal(6)
    expected = nn.conv2d(x, w, bias, padding=1, method="direct")
    place = {
        "transposed": lambda a: np.asfortranarray(a),
        "backwards": lambda a: a[..., ::-1].copy()[..., ::-1],
        "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
        "every-second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    }[layout]
    if eager.name == "torch":
        if layout in ("backwards", "read-only"):
            pytest.skip("torch has no such tensors")
        operands = [eager.xp.from_numpy(place(array)) for array in (x, w, bias)]
    else:
        operands = [place(array) for array in (x, w, bias)]
    for method in ("auto", "im2col", "torch_conv"):
        pytest.importorskip("torch" if method == "torch_conv" else "numpy", reason="torch is not installed")
        for _ in range(2):
            y = nn.conv2d(*operands, padding=1, method=method)
            np.testing.assert_allclose(eager.numpy(y), expected, rtol=1e-12, atol=1e-12)


def test_different_calls_have_different_entries(eager):
    x, w, bias = (eager.asarray(normal(*shape)) for shape in ((1, 2, 6, 6), (2, 2, 2, 2), (2,)))
    single = [eager.xp.astype(array, eager.xp.float32) for array in (x, w, bias)]
    calls = [
        ((x, w), {}),
        ((x, w, bias), {}),
        ((x, w, single[2]), {}),
        ((single[0], single[1]), {}),
        ((single[0], w, bias), {}),
        ((x, w), {"padding": 1}),
        ((x, w), {"padding": "same"}),
        ((x, w), {"padding": "same_lower"}),
        ((x, w), {"padding": ((1, 0), (1, 0))}),
        ((x, w), {"padding": ((0, 1), (1, 0))}),
        ((x, w), {"padding": (1, 1)}),
        ((x, w), {"stride": 2}),
        ((x, w), {"dilation": 2}),
        ((x, w), {"padding": 1, "boundary": "edge"}),
        ((x, w), {"padding": 1, "boundary": ("edge", "wrap")}),
        ((x, w), {"padding": 1, "fill_value": 2}),
        ((x, w), {"dtype": "float64"}),
        ((x, w), {"method": "direct"}),
        ((x[:, :, 1:], w), {}),
        ((x[0], w), {}),
    ]
    cold = []
    for arrays, options in calls:
        cache._calls.clear()
        cold.append(nn.conv2d(*arrays, **options))
    cache._calls.clear()
    for _ in range(2):
        for (arrays, options), expected in zip(calls, cold, strict=True):
            y = nn.conv2d(*arrays, **options)
            assert (y.dtype, y.shape) == (expected.dtype, expected.shape)
            np.testing.assert_array_equal(eager.numpy(y), eager.numpy(expected))
    assert len(cache._calls) == len(calls)


X, W, BIAS = normal(1, 2, 6, 6), normal(2, 2, 2, 2), normal(2)
PATTERN = "b c h w, o c h w -> b o h w | h w"

REFUSED = {  # function, the cached call, the refused call after it, part of the text
    "stride": (nn.conv2d, {"stride": 2}, {"stride": 2.0}, TypeError, "`stride` must be an integer"),
    "strides": (nn.conv2d, {"stride": (2, 1)}, {"stride": (2.0, 1)}, TypeError, "`stride` must be an integer"),
    "padding": (nn.conv2d, {"padding": 1}, {"padding": 1.0}, TypeError, "`padding` must be"),
    "groups": (nn.conv2d, {"groups": 1}, {"groups": 1.0}, TypeError, "`groups` must be an integer"),
    "cap": (nn.conv2d, {"max_workspace": 10**6}, {"max_workspace": 1e6}, TypeError, "must be an integer"),
    "fill": (nn.conv2d, {"fill_value": 1}, {"fill_value": None}, TypeError, "`fill_value` must be a number"),
    "upsample": (labelled(PATTERN), {"upsample": 2}, {"upsample": 2.0}, TypeError, "must be an integer"),
    "by-label": (labelled(PATTERN), {"stride": {"h": 2}}, {"stride": {"h": 2.0}}, TypeError, "integer"),
    "label": (labelled(PATTERN), {"stride": {"h": 2}}, {"stride": {"o": 2}}, ValueError, "not convolved"),
    "size": (labelled(PATTERN), {"c": 2}, {"c": 3}, ValueError, "c"),
    "weight": (
        lambda x, w, s: nn.grad.conv2d_input(s, w, np.ones((1, 2, 5, 5))),
        {"s": (1, 2, 6, 6)},
        {"s": (1, 2, 6.0, 6)},
        TypeError,
        "`input_size` must be an integer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_option_that_equals_a_cached_one_is_refused_every_time(name):
    function, fine, wrong, error, text = REFUSED[name]
    function(X, W, **fine)
    texts = set()
    for _ in range(2):
        with pytest.raises(error, match=text) as refused:
            function(X, W, **wrong)
        texts.add(str(refused.value))
    assert len(texts) == 1


def test_numbers_that_equal_bools_are_calls_of_their_own():
    first = einconv(PATTERN, X, W)
    flipped = einconv(PATTERN, X, W, flip=True)
    assert not np.array_equal(first, flipped)
    for number in (0, 1):
        with pytest.raises(TypeError, match="`flip` must be True or False"):
            einconv(PATTERN, X, W, flip=number)
    assert len(cache._calls) == 2
    nn.conv2d(X, W, stride=((1), (1)))
    nn.conv2d(X, W, stride=(True, 1))
    assert len(cache._calls) == 4


def test_a_bias_of_the_wrong_kind_is_refused_after_one_of_the_right():
    nn.conv2d(X, W, BIAS)
    for bias, error in ((BIAS[:1], ValueError), (BIAS.astype("complex128"), TypeError), (BIAS[None], ValueError)):
        for _ in range(2):
            with pytest.raises(error, match="conv2d: `bias` must"):
                nn.conv2d(X, W, bias)
    assert len(cache._calls) == 1


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("method", ["im2col", "torch_conv"])
def test_bound_and_first_calls_give_the_same_bits(eager, method, padding):
    pytest.importorskip("torch" if method == "torch_conv" else "numpy", reason="torch is not installed")
    x, w = eager.asarray(X), eager.asarray(W)
    for function in (nn.conv2d, nn.conv_transpose2d):
        short = function(x, w, padding=padding, stride=2, method=method)
        long = function(x, w, padding=padding, stride=[2], method=method)  # a list is not cached
        np.testing.assert_array_equal(eager.numpy(short), eager.numpy(long))


def test_calls_with_lists_are_not_cached():
    nn.conv2d(X, W, [1.0, 2.0])
    nn.conv2d(X, W, BIAS, stride=[2, 1])
    einconv(PATTERN, X.tolist(), W)
    assert not cache._calls


def test_no_array_is_cached():
    nn.conv2d(X, W, BIAS)
    (call,) = cache._calls.values()
    assert call.operands.x is call.operands.kernel is None
    assert not any(part is BIAS for part in call.postprocess)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["x", "kernel"])
@pytest.mark.parametrize("padding", [0, 2])
def test_non_finite_numbers_contaminate_as_much_as_in_the_first_call(eager, where, padding, bad):
    x, w = normal(2, 3, 9, 8), normal(4, 3, 3, 3)
    fine = [eager.asarray(array) for array in (x, w)]
    (x if where == "x" else w)[1, 1, 2, 2] = bad
    with np.errstate(invalid="ignore"):
        expected = np.isfinite(nn.conv2d(x, w, padding=padding, method="direct"))
    for method in ("auto", "im2col"):
        nn.conv2d(*fine, padding=padding, method=method)
        with np.errstate(invalid="ignore"):
            y = nn.conv2d(eager.asarray(x), eager.asarray(w), padding=padding, method=method)
        np.testing.assert_array_equal(np.isfinite(eager.numpy(y)), expected)


@pytest.mark.parametrize("function", [nn.conv2d, nn.conv_transpose2d])
def test_recorded_calls_take_the_long_way(function):
    expected = [function(X, W, BIAS, stride=2) for _ in range(2)][1]
    y, pullback = arrayconv.vjp(function, X, W, BIAS, stride=2)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    shapes = [gradient.shape for gradient in pullback(np.ones_like(y))]
    assert shapes == [X.shape, W.shape, BIAS.shape]


def test_a_complex_gradient_is_conjugated_every_time():
    x, dy = X + 1j * X[::-1], normal(1, 2, 5, 5) * (1 - 2j)
    first, second = (nn.grad.conv2d_weight(x, W.shape, dy) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    torch = pytest.importorskip("torch", reason="torch is not installed")
    weight = torch.zeros(W.shape, dtype=torch.complex128, requires_grad=True)
    torch.nn.functional.conv2d(torch.tensor(x), weight).backward(torch.tensor(dy))
    np.testing.assert_allclose(first, weight.grad.numpy(), rtol=1e-12)


@pytest.fixture
def tensors():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    return torch, [torch.tensor(array) for array in (X, W, BIAS)]


@pytest.mark.parametrize("function", [nn.conv2d, nn.conv_transpose2d])
@pytest.mark.parametrize("argument", range(3))
def test_gradients_are_recorded_after_a_call_without_them(tensors, function, argument):
    torch, arrays = tensors
    plain = [function(*arrays, stride=2, method="torch_conv") for _ in range(2)][1]
    tracked = [array.clone().requires_grad_(number == argument) for number, array in enumerate(arrays)]
    y = function(*tracked, stride=2, method="torch_conv")
    torch.testing.assert_close(y.detach(), plain)
    y.sum().backward()
    assert tracked[argument].grad.shape == arrays[argument].shape
    with torch.no_grad():
        assert not function(*tracked, stride=2, method="torch_conv").requires_grad


def test_parameters_share_the_entries_of_tensors(tensors):
    torch, (x, w, bias) = tensors
    expected = nn.conv2d(x, w, bias)
    with torch.no_grad():
        y = nn.conv2d(x, torch.nn.Parameter(w), torch.nn.Parameter(bias))
    assert torch.equal(y, expected)
    assert len(cache._calls) == 1
    assert nn.conv2d(x, torch.nn.Parameter(w), bias).requires_grad


def test_mapped_and_dual_numbers_take_the_long_way(tensors):
    torch, (x, w, bias) = tensors
    nn.conv2d(x, w, bias, method="torch_conv")
    mapped = torch.vmap(lambda b: nn.conv2d(x, w, b, method="torch_conv"))(torch.stack([bias, 2 * bias]))
    torch.testing.assert_close(mapped[1] - mapped[0], bias[:, None, None].expand_as(mapped[0]))
    _, tangent = torch.func.jvp(lambda a: nn.conv2d(a, w, bias, method="torch_conv"), (x,), (torch.ones_like(x),))
    torch.testing.assert_close(tangent, nn.conv2d(torch.ones_like(x), w))


def test_autocast_costs_no_digit(eager):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, w, bias = (eager.asarray(array.astype("float32")) for array in (X, W, BIAS))
    for function in (nn.conv2d, nn.conv_transpose2d):
        call = {"stride": 2, "method": "torch_conv"}
        expected = function(x, w, bias, **call)
        with torch.autocast("cpu"):
            for _ in range(2):
                y = function(x, w, bias, **call)
                assert y.dtype == expected.dtype
                np.testing.assert_allclose(eager.numpy(y), eager.numpy(expected), rtol=1e-5, atol=1e-5)


def test_devices_have_entries_of_their_own(tensors):
    _, (x, w, bias) = tensors
    nn.conv2d(x, w, bias)
    assert nn.conv2d(x.to("meta"), w.to("meta"), bias.to("meta")).device.type == "meta"
    for operands in ((x, w.to("meta"), bias), (x, w, bias.to("meta"))):
        with pytest.raises(TypeError, match="must be on one device"):
            nn.conv2d(*operands)


def test_a_remembered_call_is_torchs_own(tensors, monkeypatch):
    _, (x, w, bias) = tensors
    nn.conv2d(x, w, bias, padding=1, method="torch_conv")
    monkeypatch.setattr("arrayconv._calls.binding.run_plan", None)  # not by the bound call
    nn.conv2d(x, w, bias, padding=1, method="torch_conv")
