"""`arrayconv.nn` against torch.nn.functional and torch.nn.grad: random calls over every option that torch takes.

Shapes and dtypes are equal, windows and integers equal exactly. Floats may differ by what two sums of products can:
eps times the terms of one output times the norms of both operands.
"""

import inspect
import re
from math import prod

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torch.nn.grad as G
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arrayconv import nn
from tests.cases import numbers
from tests.conftest import make_library

pytestmark = pytest.mark.filterwarnings(
    "ignore:Using padding='same' with even kernel lengths:UserWarning"
)  # torch's own
EPS = float(np.finfo("float64").eps)
EXAMPLES = {"numpy": 100, "torch": 30, "array_api_strict": 30, "jax": 3}  # per function; JAX compiles every one
BATCHES = st.sampled_from([None, 1, 2, 3, 0])


@pytest.fixture(params=EXAMPLES)
def library(request):
    return make_library(request.param)


SEEDS = st.integers(0, 999)


def thorough(library, check, cases):
    """Call check(library, case, seed) for as many cases as the library is given."""

    @settings(
        max_examples=EXAMPLES[library.name],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(cases, SEEDS)
    def run(case, seed):
        check(library, case, seed)

    run()


def host(seed, shape, dtype="float64"):
    return numbers(np.random.default_rng(seed), shape, dtype)


def tensor(array):
    return torch.asarray(np.array(array))


def close(y, expected, terms, *operands):
    """Raise unless y is the torch tensor `expected`, up to the rounding of sums of `terms` products of the operands."""
    expected = expected.detach().numpy()
    assert y.shape == expected.shape
    assert y.dtype == expected.dtype
    factor = 8 if expected.dtype.kind == "c" else 2
    bound = factor * (terms + 2) * EPS * prod(float(np.linalg.norm(operand)) for operand in operands)
    assert np.max(np.abs(y - expected), initial=0) <= bound


def per_axis(draw, values, count):
    """Draw an option as torch takes it: an int, one per axis, or (for convolutions) a single one in a tuple."""
    form = draw(st.sampled_from(["int", "axes", "one"]))
    if form == "int":
        return draw(values)
    return tuple(draw(st.lists(values, min_size=count, max_size=count))) if form == "axes" else (draw(values),)


def spelled_out(value, count):
    """Return one value per axis."""
    return value * (count // len(value)) if isinstance(value, tuple) else (value,) * count


@st.composite
def convolutions(draw, count, *, padding_names=True):
    """Return input and weight shapes, whether there is a bias, and the options."""
    groups, channels, filters = (draw(st.integers(1, 3)) for _ in range(3))
    options = {"stride": per_axis(draw, st.integers(1, 3), count), "dilation": per_axis(draw, st.integers(1, 3), count)}
    options["padding"] = per_axis(draw, st.integers(0, 3), count)
    if padding_names and draw(st.integers(0, 4)) == 0:
        options["padding"] = draw(st.sampled_from(["same", "valid"]))
        if options["padding"] == "same":
            options["stride"] = 1  # torch knows 'same' with no other
    kernel = tuple(draw(st.lists(st.integers(1, 4 if count < 3 else 3), min_size=count, max_size=count)))
    paddings = (0,) * count if isinstance(options["padding"], str) else spelled_out(options["padding"], count)
    sizes = [
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 6 if count < 3 else 2))
        for d, k, p in zip(spelled_out(options["dilation"], count), kernel, paddings, strict=True)
    ]
    shape = (groups * channels, *sizes)
    batch = draw(BATCHES)
    return (
        shape if batch is None else (batch, *shape),
        (groups * filters, channels, *kernel),
        draw(st.booleans()),
        {**options, "groups": groups},
    )


@st.composite
def transposed(draw, count):
    """Return input and weight shapes, whether there is a bias, and the options; some outputs are left."""
    groups, channels, filters = (draw(st.integers(1, 3)) for _ in range(3))
    stride, dilation = (per_axis(draw, st.integers(1, 3), count) for _ in range(2))
    strides, dilations = spelled_out(stride, count), spelled_out(dilation, count)
    kernel = tuple(draw(st.lists(st.integers(1, 3), min_size=count, max_size=count)))
    sizes = tuple(draw(st.lists(st.integers(1, 5 if count < 3 else 3), min_size=count, max_size=count)))
    extra = tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(strides, dilations, strict=True))
    outputs = [
        (n - 1) * s + d * (k - 1) + 1 + e
        for n, s, d, k, e in zip(sizes, strides, dilations, kernel, extra, strict=True)
    ]
    padding = tuple(draw(st.integers(0, min(3, (out - 1) // 2))) for out in outputs)
    if len(set(extra)) == len(set(padding)) == 1 and draw(st.booleans()):
        extra, padding = extra[0], padding[:1]
    shape = (groups * channels, *sizes)
    batch = draw(BATCHES)
    options = {"stride": stride, "dilation": dilation, "padding": padding, "output_padding": extra, "groups": groups}
    return (
        shape if batch is None else (batch, *shape),
        (groups * channels, filters, *kernel),
        draw(st.booleans()),
        options,
    )


@st.composite
def windows(draw):
    """Return an image's shape and the options of its windows."""
    kernel = per_axis(draw, st.integers(1, 3), 2)
    if isinstance(kernel, tuple):
        kernel = spelled_out(kernel, 2)  # torch's windows take an int or two
    options = {
        name: draw(st.one_of(values, st.tuples(values, values)))
        for name, values in (
            ("dilation", st.integers(1, 3)),
            ("padding", st.integers(0, 2)),
            ("stride", st.integers(1, 3)),
        )
    }
    sizes = [
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 5))
        for k, d, p in zip(*(spelled_out(o, 2) for o in (kernel, options["dilation"], options["padding"])), strict=True)
    ]
    shape = (draw(st.integers(1, 3)), *sizes)
    batch = draw(st.sampled_from([None, 1, 2]))
    return shape if batch is None else (batch, *shape), kernel, options


def mixed(seed, options):
    """Return torch's arguments after weight and bias, some of them by position, the others by name."""
    names = ("stride", "padding", "dilation", "groups")
    if "output_padding" in options:
        names = ("stride", "padding", "output_padding", "groups", "dilation")
    count = seed % (len(names) + 1)
    return [options[name] for name in names[:count]], {name: options[name] for name in names[count:]}


def check_convolution(name, any_name, *, dtype="float64"):
    def check(library, case, seed):
        x_shape, w_shape, has_bias, options = case
        filters = w_shape[1] * options["groups"] if "transpose" in name else w_shape[0]
        arrays = [host(seed, x_shape, dtype), host(seed + 1, w_shape, dtype)]
        arrays += [host(seed + 2, (filters,), dtype)] if has_bias else []
        positional, named = mixed(seed, options)
        positional = [None] * (not has_bias and bool(positional)) + positional
        expected = getattr(F, name)(*map(tensor, arrays), *positional, **named)
        function = getattr(nn, any_name if seed % 2 else name)
        y = library.numpy(function(*map(library.asarray, arrays), *positional, **named))
        terms = prod(w_shape[1:] if "transpose" not in name else (w_shape[0], *w_shape[2:])) + 1
        if dtype == "int64":
            np.testing.assert_array_equal(y, expected.numpy(), strict=True)
            return
        largest = np.append(np.ravel(arrays[2]), 1.0) if has_bias else np.ones(1)
        close(y, expected, terms, np.append(np.ravel(arrays[0]), 1.0), np.append(np.ravel(arrays[1]), 1.0), largest)

    return check


@pytest.mark.parametrize("count", [1, 2, 3])
def test_convolutions_are_torch_s(library, count):
    check = check_convolution(f"conv{count}d", "conv")
    thorough(library, check, convolutions(count))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_transposed_convolutions_are_torch_s(library, count):
    check = check_convolution(f"conv_transpose{count}d", "conv_transpose")
    thorough(library, check, transposed(count))


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose1d", "conv_transpose2d", "conv3d"])
def test_integers_are_torch_s_to_the_bit(name):
    count = int(re.search(r"\d", name).group())
    cases = transposed(count) if "transpose" in name else convolutions(count)
    check = check_convolution(name, "conv_transpose" if "transpose" in name else "conv", dtype="int64")
    thorough(make_library("numpy"), check, cases)


@pytest.mark.parametrize("name", ["conv1d", "conv2d", "conv_transpose2d"])
def test_complex_numbers_are_torch_s(name):
    count = int(re.search(r"\d", name).group())
    cases = transposed(count) if "transpose" in name else convolutions(count)
    check = check_convolution(name, "conv_transpose" if "transpose" in name else "conv", dtype="complex128")
    thorough(make_library("numpy"), check, cases)


def test_windows_are_torch_s(library):
    def check(library, case, seed):
        shape, kernel, options = case
        x = host(seed, shape)
        expected = F.unfold(tensor(x), kernel, **options).numpy()
        columns = library.numpy(nn.unfold(library.asarray(x), kernel, **options))
        np.testing.assert_array_equal(columns, expected, strict=True)

    thorough(library, check, windows())


def test_windows_are_added_up_as_torch_does(library):
    def check(library, case, seed):
        shape, kernel, options = case
        sizes = shape[-2:] if shape[-1] != shape[-2] or seed % 2 else shape[-1]
        columns = host(seed, F.unfold(torch.ones(shape), kernel, **options).shape)
        expected = F.fold(tensor(columns), sizes, kernel, **options)
        y = library.numpy(nn.fold(library.asarray(columns), sizes, kernel, **options))
        close(y, expected, prod(spelled_out(kernel, 2)), columns)

    thorough(library, check, windows())


def check_gradients(count):
    def check(library, case, seed):
        x_shape, w_shape, _, options = case
        x_shape = x_shape if len(x_shape) == count + 2 else (1, *x_shape)  # torch.nn.grad knows batches only
        x, w = host(seed, x_shape), host(seed + 1, w_shape)
        options = {name: spelled_out(value, count) if name != "groups" else value for name, value in options.items()}
        shape = getattr(F, f"conv{count}d")(tensor(x), tensor(w), **options).shape
        dy = host(seed + 2, tuple(shape))
        positional, named = mixed(seed, options)
        name, terms = f"conv{count}d", prod(dy.shape)
        expected = getattr(G, f"{name}_input")(x_shape, tensor(w), tensor(dy), *positional, **named)
        dx = getattr(nn.grad, f"{name}_input")(x_shape, library.asarray(w), library.asarray(dy), *positional, **named)
        close(library.numpy(dx), expected, terms, w, dy)
        expected = getattr(G, f"{name}_weight")(tensor(x), w_shape, tensor(dy), *positional, **named)
        dw = getattr(nn.grad, f"{name}_weight")(library.asarray(x), w_shape, library.asarray(dy), *positional, **named)
        close(library.numpy(dw), expected, terms, x, dy)

    return check


@pytest.mark.parametrize("count", [1, 2, 3])
def test_gradients_are_torch_s(library, count):
    thorough(library, check_gradients(count), convolutions(count, padding_names=False))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_complex_gradients_are_those_of_torch_s_autograd(count):
    def check(library, case, seed):
        x_shape, w_shape, _, options = case
        name = f"conv{count}d"
        x, w = (
            tensor(host(seed + n, shape, "complex128")).requires_grad_() for n, shape in enumerate((x_shape, w_shape))
        )
        y = getattr(F, name)(x, w, **options)
        dy = tensor(host(seed + 2, tuple(y.shape), "complex128"))
        expected = torch.autograd.grad(y, (x, w), dy)
        x, w, dy = (array.detach().numpy() for array in (x, w, dy))
        close(getattr(nn.grad, f"{name}_input")(x_shape, w, dy, **options), expected[0], prod(dy.shape), w, dy)
        close(getattr(nn.grad, f"{name}_weight")(x, w_shape, dy, **options), expected[1], prod(dy.shape), x, dy)

    thorough(make_library("numpy"), check, convolutions(count))


@pytest.mark.parametrize(
    "name", ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]
)
def test_parameters_are_torch_s(name):
    signature = re.search(rf"{name}\((.*?)\) -> Tensor", getattr(F, name).__doc__).group(1)
    theirs = [part.split("=") for part in signature.replace(" ", "").split(",")]
    ours = parameters(getattr(nn, name))
    assert ours == [(part[0], part[1] if len(part) > 1 else None) for part in theirs]


@pytest.mark.parametrize("name", ["unfold", "fold"])
def test_parameters_of_windows_are_torch_s(name):
    assert parameters(getattr(nn, name)) == parameters(getattr(F, name))


@pytest.mark.parametrize("name", nn.grad.__all__)
def test_parameters_of_gradients_are_torch_s(name):
    assert parameters(getattr(nn.grad, name)) == parameters(getattr(G, name))


def parameters(function):
    """Return the names of the positional parameters with their defaults, as text."""
    listed = inspect.signature(function).parameters.values()
    return [
        (p.name, None if p.default is p.empty else str(p.default)) for p in listed if p.kind is p.POSITIONAL_OR_KEYWORD
    ]
