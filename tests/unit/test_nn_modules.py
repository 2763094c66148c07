"""The layers of arrayconv.nn.modules: torch.nn's outputs, gradients, parameters and state, and their additions."""

import copy
import doctest
import inspect
import io
import itertools
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
nn = torch.nn

# After torch, which nn.modules needs at its import.
from arrayconv import nn as functions  # noqa: E402
from arrayconv._errors import listed  # noqa: E402
from arrayconv._plan.rank import METHODS  # noqa: E402

ours = functions.modules

SIZES = {1: (11,), 2: (7, 8), 3: (5, 4, 6)}
CONV = ["Conv1d", "Conv2d", "Conv3d"]
TRANSPOSED = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]
EVEN = "ignore:Using padding='same' with even kernel lengths:UserWarning"  # torch's own

# Options of torch's layers too: name, class, arguments after the channels (4 in, 6 out).
ROWS = [
    *((f"plain-{name}", name, {"kernel_size": 3}) for name in CONV + TRANSPOSED),
    *((f"strided-{name}", name, {"kernel_size": 2, "stride": 2}) for name in CONV + TRANSPOSED),
    *((f"grouped-{name}", name, {"kernel_size": 2, "groups": 2, "bias": False}) for name in CONV + TRANSPOSED),
    ("per-axis", "Conv2d", {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 2), "dilation": (1, 3)}),
    ("remainder", "Conv2d", {"kernel_size": 3, "stride": 3, "padding": 1}),
    ("dilated", "Conv1d", {"kernel_size": 4, "padding": 3, "dilation": 2}),
    ("depthwise", "Conv1d", {"kernel_size": 3, "groups": 2, "padding": 1}),
    ("same", "Conv2d", {"kernel_size": (3, 4), "padding": "same", "dilation": (2, 1)}),
    ("valid", "Conv3d", {"kernel_size": 2, "padding": "valid"}),
    ("output-padding", "ConvTranspose2d", {"kernel_size": 3, "stride": (3, 2), "padding": 1, "output_padding": (2, 1)}),
    ("transposed-dilated", "ConvTranspose1d", {"kernel_size": 3, "stride": 2, "dilation": 3, "padding": 2}),
    ("transposed-per-axis", "ConvTranspose3d", {"kernel_size": (1, 2, 3), "stride": (1, 2, 1), "padding": (0, 1, 2)}),
    *((f"{mode}-1d", "Conv1d", {"kernel_size": 5, "padding": 2, "padding_mode": mode})
      for mode in ("reflect", "replicate", "circular")),
    *((f"{mode}-2d", "Conv2d", {"kernel_size": 3, "padding": (2, 1), "padding_mode": mode, "stride": 2})
      for mode in ("reflect", "replicate", "circular")),
    *((f"{mode}-same", "Conv2d", {"kernel_size": (4, 3), "padding": "same", "padding_mode": mode})
      for mode in ("reflect", "replicate", "circular")),
    ("circular-3d", "Conv3d", {"kernel_size": 3, "padding": 1, "padding_mode": "circular"}),
]  # fmt: skip
rows = pytest.mark.parametrize(("name", "options"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])


def pair(name, dtype=torch.float64, **options):
    """Return our layer and torch's with the same parameters, which went through a state dict."""
    mine, theirs = (getattr(module, name)(4, 6, dtype=dtype, **options) for module in (ours, nn))
    mine.load_state_dict(theirs.state_dict(), strict=True)
    return mine, theirs


def sample(name, dtype=torch.float64, batch=(2,)):
    generator = torch.Generator().manual_seed(3)
    return torch.randn((*batch, 4, *SIZES[int(name[-2])]), dtype=dtype, generator=generator)


def trained(layer, x):
    """Return the output and the gradients of a loss that weighs every output differently."""
    x = x.clone().requires_grad_()
    y = layer(x)
    loss = (y * torch.arange(1, y.numel() + 1, dtype=torch.float64).reshape(y.shape).cos()).sum()
    (loss.abs() if loss.is_complex() else loss).backward()
    return y.detach(), x.grad, *(parameter.grad for parameter in layer.parameters())


# Equal to torch's


@pytest.mark.filterwarnings(EVEN)
@rows
def test_outputs_and_gradients_are_torch_s(name, options):
    mine, theirs = pair(name, **options)
    for own, reference in zip(trained(mine, sample(name)), trained(theirs, sample(name)), strict=True):
        torch.testing.assert_close(own, reference, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", CONV + TRANSPOSED)
def test_unbatched_input(name):
    mine, theirs = pair(name, kernel_size=2, stride=2)
    x = sample(name, batch=())
    torch.testing.assert_close(mine(x), theirs(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
def test_complex_layers(name):
    mine, theirs = pair(name, torch.complex128, kernel_size=2, stride=2)
    x = sample(name, torch.complex128)
    for own, reference in zip(trained(mine, x), trained(theirs, x), strict=True):
        torch.testing.assert_close(own, reference, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("output_size", [(20, 22), (19, 23), (2, 6, 19, 23)], ids=str)
def test_output_size_chooses_the_size(output_size):
    mine, theirs = pair("ConvTranspose2d", kernel_size=4, stride=3, padding=2, output_padding=1)
    x = sample("ConvTranspose2d")
    y = mine(x, output_size)
    assert y.shape[2:] == output_size[-2:]
    torch.testing.assert_close(y, theirs(x, output_size=output_size), rtol=1e-12, atol=1e-12)


def test_conv_forward_takes_other_parameters():
    mine, theirs = pair("Conv2d", kernel_size=3, padding=1)  # what weight standardisation calls
    x, weight = sample("Conv2d"), torch.ones(6, 4, 3, 3, dtype=torch.float64)
    torch.testing.assert_close(mine._conv_forward(x, weight, None), theirs._conv_forward(x, weight, None))


# Parameters and state


@rows
def test_state_dicts_load_both_ways(name, options):
    mine, theirs = (getattr(module, name)(4, 6, **options) for module in (ours, nn))
    assert isinstance(mine, getattr(nn, name))
    assert list(mine.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict(mine.state_dict(), strict=True)
    assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), theirs.parameters(), strict=True))
    file = io.BytesIO()
    torch.save(theirs.state_dict(), file)
    file.seek(0)
    mine.load_state_dict(torch.load(file), strict=True)


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.complex64], ids=str)
def test_initialisation_is_torch_s(name, dtype):
    layers = []
    for module in (ours, nn):
        torch.manual_seed(5)
        layers.append(getattr(module, name)(4, 6, 3, groups=2, dtype=dtype))
    for own, reference in zip(*(layer.parameters() for layer in layers), strict=True):
        assert torch.equal(own, reference)


def test_a_network_loads_into_one_of_ours():
    def network(module):
        return nn.Sequential(module.Conv2d(1, 4, 3), nn.ReLU(), module.ConvTranspose2d(4, 1, 3)).double()

    mine, theirs = network(ours), network(nn)
    assert not any(mine.load_state_dict(theirs.state_dict()))
    x = torch.randn(2, 1, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(mine(x), theirs(x), rtol=1e-12, atol=1e-12)


COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda layer: pickle.loads(pickle.dumps(layer)),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Conv2d", {"boundary": ("wrap", "edge"), "padding": "same", "stride": 2, "method": "direct"}),
        ("ConvTranspose2d", {"stride": 2, "accuracy": "componentwise"}),
    ],
    ids=["Conv2d", "ConvTranspose2d"],
)
def test_copies_compute_the_same(name, options, way):
    layer = getattr(ours, name)(4, 6, 3, dtype=torch.float64, **options)
    other = COPIES[way](layer)
    assert type(other) is type(layer)
    assert repr(other) == repr(layer)
    assert torch.equal(other(sample(name)), layer(sample(name)))


def test_to_casts_the_parameters():
    layer = ours.Conv2d(4, 6, 3).to(torch.float64)
    assert layer(sample("Conv2d")).dtype == torch.float64
    assert layer.half()(sample("Conv2d", torch.float16)).dtype == torch.float16


# What torch's layers refuse


@pytest.mark.parametrize(
    ("name", "kernel_size", "stride"), [("Conv1d", 4, 3), ("Conv2d", (3, 2), (2, 3))], ids=["1d", "2d"]
)
def test_same_with_a_stride_is_xla_s(name, kernel_size, stride):
    jax = pytest.importorskip("jax", reason="jax is not installed")
    layer = getattr(ours, name)(4, 6, kernel_size, stride=stride, padding="same", bias=False, dtype=torch.float64)
    x, weight = sample(name), layer.weight.detach()
    xla = jax.lax.conv_general_dilated(x.numpy(), weight.numpy(), layer.stride, "SAME")
    np.testing.assert_allclose(layer(x).detach().numpy(), xla, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular", "symmetric"])
def test_padding_of_any_width(mode):
    boundary = {"zeros": "constant", "replicate": "edge", "circular": "wrap"}.get(mode, mode)
    layer = ours.Conv1d(4, 6, 5, padding=13, padding_mode=mode, dtype=torch.float64)  # of 11 samples
    x = np.pad(sample("Conv1d").numpy(), ((0, 0), (0, 0), (13, 13)), boundary)
    expected = nn.functional.conv1d(torch.asarray(x), layer.weight, layer.bias)
    torch.testing.assert_close(layer(sample("Conv1d")), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("boundary", "padding_mode"),
    [
        ("edge", "replicate"),
        ("symmetric", "symmetric"),
        (("constant", "wrap"), ("zeros", "circular")),
        (["wrap", "wrap"], "circular"),
    ],
    ids=str,
)
def test_boundary_is_padding_mode_in_other_words(boundary, padding_mode):
    torch.manual_seed(0)
    layer = ours.Conv2d(4, 6, 3, padding=2, boundary=boundary)
    assert layer.padding_mode == padding_mode
    assert layer.boundary == ((boundary, boundary) if isinstance(boundary, str) else tuple(boundary))
    torch.manual_seed(0)
    other = ours.Conv2d(4, 6, 3, padding=2, padding_mode=padding_mode)
    assert torch.equal(layer(sample("Conv2d", torch.float32)), other(sample("Conv2d", torch.float32)))


def test_padding_mode_may_change_later():
    layer = ours.Conv2d(4, 6, 3, padding=1)
    zeros = layer(sample("Conv2d", torch.float32))
    layer.padding_mode = "circular"
    assert layer.boundary == ("wrap", "wrap")
    assert not torch.equal(layer(sample("Conv2d", torch.float32)), zeros)


@pytest.mark.parametrize(
    "options",
    [
        {"padding": ((1, 2), (0, 3))},
        {"padding": "full", "stride": 2},
        {"padding": "same_lower", "stride": 2},
        {"padding": 2, "fill_value": 1.5},
        {"padding": 1, "method": "fft"},
        {"padding": 1, "accuracy": "componentwise", "max_workspace": 100_000},
    ],
    ids=str,
)
def test_options_are_those_of_the_function(options):
    layer = ours.Conv2d(4, 6, 3, dtype=torch.float64, **options)
    expected = functions.conv2d(sample("Conv2d"), layer.weight, layer.bias, **options)
    assert torch.equal(layer(sample("Conv2d")), expected)


def test_integer_input():
    layer = ours.Conv1d(4, 6, 3)
    x = torch.arange(40, dtype=torch.int16).reshape(1, 4, 10)
    torch.testing.assert_close(layer(x), nn.functional.conv1d(x.float(), layer.weight, layer.bias))


# repr


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": (1, 0), "groups": 2, "bias": False}], ids=str)
def test_repr_is_torch_s(name, options):
    assert repr(getattr(ours, name)(4, 6, 3, **options)) == repr(getattr(nn, name)(4, 6, 3, **options))


@pytest.mark.parametrize(
    ("layer", "shown"),
    [
        (ours.Conv1d(4, 6, 3, stride=2, padding="same"), "4, 6, kernel_size=(3,), stride=(2,), padding=same"),
        (ours.Conv1d(4, 6, 3, padding=((1, 2),)), "4, 6, kernel_size=(3,), stride=(1,), padding=((1, 2),)"),
        (
            ours.Conv2d(4, 6, 3, padding=(1,), boundary=("wrap", "edge"), max_workspace=2000),
            "4, 6, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), padding_mode=('circular', 'replicate'), "
            "max_workspace=2000",
        ),
        (
            ours.Conv1d(4, 6, 3, fill_value=0.5, method="fft", accuracy="normwise"),
            "4, 6, kernel_size=(3,), stride=(1,), fill_value=0.5, method='fft'",
        ),
        (
            ours.ConvTranspose1d(4, 6, 3, accuracy="componentwise"),
            "4, 6, kernel_size=(3,), stride=(1,), accuracy='componentwise'",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_repr_shows_what_torch_has_not(layer, shown):
    assert layer.extra_repr() == shown


# Inside torch


def rounded(layer, x, dtype):
    """Return the exact output of operands rounded to `dtype`, and the sum of its terms' magnitudes."""
    double = copy.deepcopy(layer).to(dtype).to(torch.float64)
    x = x.to(dtype).to(torch.float64)
    exact = double(x)
    for parameter in double.parameters():
        parameter.data.abs_()
    return exact.detach(), double(x.abs()).detach()


@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "ConvTranspose2d"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_autocast_sums_in_float32(name, dtype):
    mine, theirs = pair(name, torch.float32, kernel_size=3)
    x = sample(name, torch.float32)
    with torch.autocast("cpu", dtype):
        y, reference = mine(x), theirs(x)
    assert y.dtype == reference.dtype == dtype
    exact, size = rounded(mine, x, dtype)
    allowed = torch.finfo(dtype).eps * size  # half of it for the sum, half for the bias; and float32's share
    assert ((y.double() - exact).abs() <= allowed).all()
    y.sum().backward()
    assert mine.weight.grad.dtype == torch.float32


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.complex64, torch.complex128], ids=str
)
def test_autocast_casts_what_torch_casts(dtype):
    mine, theirs = pair("Conv2d", dtype, kernel_size=2)
    with torch.autocast("cpu", torch.bfloat16):
        assert mine(sample("Conv2d", dtype)).dtype == theirs(sample("Conv2d", dtype)).dtype


def test_autocast_of_another_device_changes_nothing():
    layer, x = ours.Conv2d(4, 6, 3), sample("Conv2d", torch.float32)
    with torch.autocast("xpu", enabled=False), torch.autocast("cpu", torch.bfloat16, enabled=False):
        assert layer(x).dtype == torch.float32


COMPILED = {
    "conv": lambda: ours.Conv2d(4, 6, 3, padding=1),
    "same-strided": lambda: ours.Conv2d(4, 6, 3, stride=2, padding="same", boundary=("wrap", "edge")),
    "transposed": lambda: ours.ConvTranspose2d(4, 6, 3, stride=2, groups=2),
}


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("autocast", [False, True], ids=["float32", "autocast"])
def test_compiled_layers_compute_the_same(name, autocast):
    layer = COMPILED[name]()
    compiled = torch.compile(copy.deepcopy(layer), fullgraph=True, backend="aot_eager")
    x = sample("Conv2d", torch.float32)
    for each in (layer, compiled):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            y = each(x)
        y.sum().backward()
        assert y.dtype == (torch.bfloat16 if autocast else torch.float32)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        torch.testing.assert_close(compiled(x), layer(x))
    for own, reference in zip(compiled.parameters(), layer.parameters(), strict=True):
        # What a compiler makes of the gradient's parts may round to bfloat16 more than once.
        off = 2 * torch.finfo(torch.bfloat16).eps if autocast else 1e-5
        torch.testing.assert_close(own.grad, reference.grad, rtol=off, atol=off * float(reference.grad.abs().max()))


def test_compiled_output_size():
    layer = ours.ConvTranspose1d(4, 6, 3, stride=2)
    compiled = torch.compile(lambda x: layer(x, output_size=(24,)), fullgraph=True, backend="aot_eager")
    x = sample("ConvTranspose1d", torch.float32)
    torch.testing.assert_close(compiled(x), layer(x, (24,)))


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
def test_functional_call_and_vmap(name):
    layer = getattr(ours, name)(4, 6, 3, stride=2, dtype=torch.float64)
    parameters = {key: value.detach() for key, value in layer.named_parameters()}
    x = sample(name)

    def loss(parameters, x):
        return torch.func.functional_call(layer, parameters, (x,)).square().sum()

    per_sample = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(parameters, x)
    for number, each in enumerate(x):
        alone = torch.func.grad(loss)(parameters, each)
        for key in parameters:
            torch.testing.assert_close(per_sample[key][number], alone[key])
    torch.testing.assert_close(torch.func.vmap(layer)(x), layer(x))


def test_training_lowers_the_loss():
    torch.manual_seed(0)
    network = nn.Sequential(
        ours.Conv2d(1, 4, 3, stride=2, padding="same", boundary="symmetric"),
        nn.Tanh(),
        ours.ConvTranspose2d(4, 1, 2, stride=2),
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    x = torch.randn(8, 1, 8, 8)
    losses = []
    for _ in range(20):
        loss = (network(x) - x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(later < earlier for earlier, later in itertools.pairwise(losses))
    assert losses[-1] < 0.9 * losses[0]


def test_parametrized_weights():
    mine, theirs = pair("Conv1d", kernel_size=3)
    for layer in (mine, theirs):
        nn.utils.parametrizations.weight_norm(layer)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    torch.testing.assert_close(mine(sample("Conv1d")), theirs(sample("Conv1d")), rtol=1e-12, atol=1e-12)


# Refusals

NEVER = [
    ("Conv2d", {"groups": 3}, ValueError,
     "Conv2d: `in_channels` must be a multiple of `groups`. Got in_channels=4, groups=3: 4 % 3 = 1."),
    ("Conv1d", {"groups": 4}, ValueError,
     "Conv1d: `out_channels` must be a multiple of `groups`. Got out_channels=6, groups=4: 6 % 4 = 2."),
    ("ConvTranspose3d", {"groups": 0}, ValueError, "ConvTranspose3d: `groups` must be at least 1. Got 0."),
    ("Conv2d", {"stride": (1, 0)}, ValueError, "Conv2d: `stride` must be at least 1 on every axis. Got (1, 0)."),
    ("Conv2d", {"kernel_size": (3, 3, 3)}, ValueError,
     "Conv2d: `kernel_size` must be one value or one per convolved axis. Got 3 values (3, 3, 3) for 2 axes."),
    ("Conv2d", {"kernel_size": 2.5}, TypeError, "Conv2d: `kernel_size` must be an integer. Got 2.5."),
    ("Conv3d", {"padding": -1}, ValueError,
     "Conv3d: `padding` must be at least 0 on every side. Got -1. Slice the input."),
    ("Conv2d", {"padding": "sames"}, ValueError,
     "Conv2d: `padding` must be one of 'valid', 'full', 'same', 'same_lower', an int or a (before, after) pair. "
     "Got 'sames'. Did you mean 'same'?"),
    ("Conv2d", {"padding_mode": "wrap"}, ValueError,
     "Conv2d: `padding_mode` must be one of 'zeros', 'replicate', 'symmetric', 'reflect', 'circular'. Got 'wrap'."),
    ("Conv2d", {"boundary": "circular"}, ValueError,
     "Conv2d: `boundary` must be one of 'constant', 'edge', 'symmetric', 'reflect', 'wrap'. Got 'circular'. "
     "It is called 'wrap' here."),
    ("Conv2d", {"boundary": "wrap", "padding_mode": "circular"}, ValueError,
     "Conv2d: `boundary` replaces `padding_mode`, so only one of them may be passed. "
     "Got boundary='wrap', padding_mode='circular'."),
    ("Conv2d", {"method": "karatsuba"}, ValueError,
     f"Conv2d: `method` must be one of {listed(METHODS)}. Got 'karatsuba'."),
    ("Conv2d", {"max_workspace": 0}, ValueError, "Conv2d: `max_workspace` must be at least 1 byte. Got 0."),
    ("ConvTranspose2d", {"padding_mode": "circular"}, ValueError,
     "ConvTranspose2d: `padding_mode` must be one of 'zeros'. Got 'circular'."),
    ("ConvTranspose2d", {"padding": "same"}, TypeError,
     "ConvTranspose2d: `padding` must be an integer. Got 'same'."),
    ("ConvTranspose2d", {"accuracy": "exact"}, ValueError,
     "ConvTranspose2d: `accuracy` must be one of 'normwise', 'componentwise'. Got 'exact'."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "error", "text"), NEVER, ids=[row[3][:50] for row in NEVER])
def test_constructor_refusals(name, options, error, text):
    with pytest.raises(error) as caught:
        getattr(ours, name)(4, 6, **{"kernel_size": 3, **options})
    assert str(caught.value) == text


UNFIT = [
    ("Conv2d", {}, torch.ones(2, 3, 8, 8), {}, ValueError,
     "Conv2d: `weight.shape[1] * groups` must equal the input channels. Got weight (6, 4, 3, 3), groups=1, "
     "input (2, 3, 8, 8): 4 * 1 != 3."),
    ("Conv2d", {}, torch.ones(4, 8), {}, ValueError,
     "Conv2d: `input` must have 4 axes (batch, channels, *size), or 3 without the batch. Got shape (4, 8)."),
    ("Conv1d", {}, torch.ones(2, 4, 2), {}, ValueError,
     "Conv1d: the padded axis must hold the kernel. Got 2 samples, upsample 1, padding (0, 0): 2 samples for 3 taps "
     "with dilation 1 (reach 3). Pad more or use a shorter kernel."),
    ("Conv2d", {}, np.ones((2, 4, 8, 8), np.float32), {}, TypeError,
     "Conv2d: `input` must be a torch tensor. Got ndarray. Convert it first, or call the function of `arrayconv.nn`, "
     "which takes arrays of every library."),
    ("ConvTranspose2d", {}, [[1.0]], {}, TypeError,
     "ConvTranspose2d: `input` must be a torch tensor. Got list. Convert it first, or call the function of "
     "`arrayconv.nn`, which takes arrays of every library."),
    ("ConvTranspose1d", {}, torch.ones(2, 3, 8), {}, ValueError,
     "ConvTranspose1d: `weight.shape[0]` must equal the input channels. Got weight (4, 6, 3), "
     "input (2, 3, 8): 4 != 3."),
    ("ConvTranspose2d", {"stride": 2}, torch.ones(2, 4, 8, 8), {"output_size": (17, 20)}, ValueError,
     "ConvTranspose2d: `output_size` must fit the input and the layer. Got: requested an output size of [17, 20], but "
     "valid sizes range from [17, 17] to [18, 18] (for an input of torch.Size([8, 8]))."),
    ("ConvTranspose2d", {}, torch.ones(8, 8), {"output_size": (17, 20)}, ValueError,
     "ConvTranspose2d: `input` must have 4 axes (batch, channels, *size), or 3 without the batch. Got shape (8, 8)."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "x", "more", "error", "text"), UNFIT, ids=[row[5][:50] for row in UNFIT])
def test_forward_refusals(name, options, x, more, error, text):
    layer = getattr(ours, name)(4, 6, 3, **options)
    with pytest.raises(error) as caught:
        layer(x, **more)
    assert str(caught.value) == text


# The module


def test_modules_are_imported_on_first_use():
    code = (
        "import sys, arrayconv\n"
        "assert arrayconv.nn.conv2d and 'torch' not in sys.modules\n"
        "import torch\n"
        "assert isinstance(arrayconv.nn.modules.Conv2d(1, 1, 1), torch.nn.Conv2d)\n"
        "try: arrayconv.nn.layers\n"
        "except AttributeError as error: print(error)\n"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == "module 'arrayconv.nn' has no attribute 'layers'"


@pytest.mark.parametrize("part", ["convolutions", "transposed"])
def test_docstring_examples_run(part):
    result = doctest.testmod(getattr(ours, part), optionflags=doctest.FAIL_FAST)
    assert result.failed == 0
    assert result.attempted


@pytest.mark.parametrize("name", CONV + TRANSPOSED)
def test_a_layer_describes_every_argument(name):
    """An editor shows the docstring of the class, and at a call that of `__init__`: torch's, if there were none."""
    layer = getattr(ours, name)
    for docstring in (inspect.getdoc(layer), inspect.cleandoc(layer.__init__.__doc__)):
        listed = docstring.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
        names = [part for line in re.findall(r"^(\w[^:\n]*?)(?: :.*)?$", listed, re.M) for part in line.split(", ")]
        assert names == [*inspect.signature(layer).parameters]
    shape = ", ".join(f"k_{axis + 1}" for axis in range(layer._count)) if layer._count > 1 else "k"
    assert f"groups, {shape})" in inspect.getdoc(layer)


def test_names_are_torch_s():
    assert ours.__all__ == CONV + TRANSPOSED
    assert all(issubclass(getattr(ours, name), getattr(nn, name)) for name in ours.__all__)
