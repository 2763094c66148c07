"""`nn`: torch's convolutions by their own names, their patches and their gradients, against exact sums and torch."""

import numpy as np
import pytest

from . import asserts, bounds, definitions, gradients
from .cases import nn as rows
from .checks import operand
from .doors import check, described, function, invoke, operands_of


def _check(subject, row, dtype, small=False, **more):
    _, name, shapes, options = row
    operands = operands_of(subject, shapes, dtype, small)
    return check(subject, f"nn.{name}", operands, {**options, **more}, more.get("accuracy", "normwise"))


@pytest.mark.cross(("row", rows.CALLS), ("accuracy", ("normwise", "componentwise")))
def test_call(subject, row, accuracy):
    _check(subject, row, subject.backend.real, accuracy=accuracy)


@pytest.mark.cross(("row", rows.CALLS[::3]), few=5)
def test_complex(subject, row):
    """Unlike `correlate`, torch's convolutions conjugate nothing."""
    _check(subject, row, subject.backend.complex)


@pytest.mark.cross(("row", rows.CALLS[::4]), ("dtypes", [("int8",), ("int32",)]), few=4)
def test_integers_are_exact_and_wrap(subject, row, dtypes):
    _check(subject, row, dtypes[0])


UNBIASED = [row for row in rows.CALLS if "bias" not in row[2]]


@pytest.mark.cross(("row", UNBIASED[::3]), ("dtypes", [("float16",), ("bfloat16",), ("float32",)]), few=4)
def test_narrow(subject, row, dtypes):
    _check(subject, row, dtypes[0])


@pytest.mark.cross(("narrow", [("float16", 2048), ("bfloat16", 256)]))
def test_half_precision_with_a_bias_is_rounded_once(subject, narrow):
    """n + 1 + 1, where the dtype has n and n + 2 but not n + 1, to which a second rounding would add nothing."""
    name, n = narrow
    if not subject.backend.has(name):
        pytest.skip(f"{subject.backend.name} has no {name} on {subject.backend.device_name}")
    hosts = {"input": [[[n, 1]]], "weight": [[[1, 1]]], "bias": [1]}
    operands = {key: operand(subject, np.asarray(host, float), name) for key, host in hosts.items()}
    check(subject, "nn.conv1d", operands, {}, "componentwise")


def _in_torch(row):
    """torch pads with zeros, equally at both ends, and has one to three axes."""
    _, name, _, options = row
    padding = options.get("padding", 0)
    plain = isinstance(padding, int) or (isinstance(padding, tuple) and isinstance(padding[0], int))
    return plain and name[-1] == "d" and not {"boundary", "fill_value"} & set(options)


@pytest.mark.only("numpy")  # a check of the definition, which is the same on every backend
@pytest.mark.cross(("row", list(filter(_in_torch, rows.CALLS))))
def test_agrees_with_torch(subject, row):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    _, name, shapes, options = row
    operands = operands_of(subject, shapes, subject.backend.real)
    out = subject.backend.host(invoke(subject, f"nn.{name}", operands, options))
    hosts = {key: each.host.astype("float64") for key, each in operands.items()}
    other = getattr(torch.nn.functional, name)(*map(torch.from_numpy, hosts.values()), **options).numpy()
    bound = bounds.allowed(definitions.exact(f"nn.{name}", hosts, options), subject.backend.real, "normwise")
    asserts.within(out, other, 2 * bound, described(f"nn.{name}", operands, options))


def _columns(host, options):
    """unfold's result: copies of the windows, and zeros beyond the ends."""
    sources, shape = definitions.windows(host.shape, **options)
    out = np.zeros(shape, host.dtype)
    for place, source in sources.items():
        out[place] = 0 if source is None else host[source]
    return out


def _folded(columns, shape, options):
    sources, _ = definitions.windows(shape, **options)
    out = np.zeros(shape, columns.dtype)
    for place, source in sources.items():
        if source is not None:
            out[source] += columns[place]
    return out


def _per_sample(compute, host, ndim):
    return np.stack([compute(sample) for sample in host]) if host.ndim > ndim else compute(host)


@pytest.mark.cross(("row", rows.PATCHES), ("dtypes", [("float32",), ("int16",), ("complex64",)]), few=3)
def test_unfold(subject, row, dtypes):
    """Copies: every number is the same."""
    _, shape, options = row
    operands = operands_of(subject, {"input": shape}, dtypes[0])
    x, call = operands["input"], described("nn.unfold", operands, options)
    ndim = 1 + _count(shape, options)
    expected = _per_sample(lambda sample: _columns(sample, options), x.host, ndim)
    out = invoke(subject, "nn.unfold", operands, options)
    asserts.form(out, x.array, dtypes[0], expected.shape, subject, call)
    asserts.identical(subject.backend.host(out), expected, call)


def _count(shape, options):
    kernel = options["kernel_size"]
    return len(kernel) if isinstance(kernel, tuple) else 2


@pytest.mark.cross(("row", rows.PATCHES), ("dtypes", [("float32",), ("int8",), ("complex64",)]), few=3)
def test_fold(subject, row, dtypes):
    """The exact adjoint of unfold on small integers, whose sums are exact in every dtype."""
    _, shape, options = row
    count = _count(shape, options)
    _, columns = definitions.windows(shape[-1 - count :], **options)
    operands = operands_of(subject, {"input": (*shape[: -1 - count], *columns)}, dtypes[0], small=True)
    x, options = operands["input"], {"output_size": shape[-count:], **options}
    window = {name: value for name, value in options.items() if name != "output_size"}
    expected = _per_sample(lambda sample: _folded(sample, shape[-1 - count :], window), x.host, 2)
    call = described("nn.fold", operands, options)
    out = invoke(subject, "nn.fold", operands, options)
    asserts.form(out, x.array, dtypes[0], expected.shape, subject, call)
    asserts.identical(subject.backend.host(out), expected, call)


@pytest.mark.cross(("row", rows.GRADIENTS), ("name", ("input", "weight")), few=2)
def test_gradient(subject, row, name):
    """<A x, dy> = <x, A* dy> for integers: every entry of A* dy from the definition of the forward call."""
    _, forward, shapes, options = row
    path, dtype = f"nn.grad.{forward}_{name}", subject.backend.real
    function(subject, path)
    hosts = {key: each.host for key, each in operands_of(subject, shapes, dtype, small=True).items()}
    shape = definitions.exact(f"nn.{forward}", hosts, options).shape
    other = "weight" if name == "input" else "input"
    operands = operands_of(subject, {"grad_output": shape, other: shapes[other]}, dtype, small=True)
    hosts[other], dy = operands[other].host, operands["grad_output"].host
    call_options = {f"{name}_size": shapes[name], **options}
    call = described(path, operands, call_options)
    with asserts.reproducing(call, subject):
        out = invoke(subject, path, operands, call_options)
        asserts.form(out, operands[other].array, dtype, shapes[name], subject, call)
        expected = gradients.exact(f"nn.{forward}", hosts, options, dy, name)
        bound = gradients.bound(f"nn.{forward}", hosts, options, dy, name, dtype)
        asserts.within(subject.backend.host(out), expected, bound, call)
