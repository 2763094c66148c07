"""`einconv`: labelled axes, checked against the exact result."""

import numpy as np
import pytest

from . import asserts, bounds, geometry, reference
from .cases import einconv as rows
from .checks import check_result, described, invoke, operand, random_operands, result_dtype


def _check(subject, pattern, x, kernel, options):
    __tracebackhide__ = True
    call = described("einconv", x, kernel, options, (pattern,))
    problem, (x_shape, kernel_shape), shape = geometry.labelled(pattern, x.host.shape, kernel.host.shape, options)
    hosts = x.host.reshape(x_shape), kernel.host.reshape(kernel_shape)
    exact = reference.evaluate(problem, *hosts, options.get("fill_value", 0))
    exact = exact.reshaped(shape)
    with asserts.reproducing(call, subject):
        out = invoke(subject, "einconv", (pattern,), x, kernel, options)
        check_result(subject, out, x, exact, result_dtype(x, kernel, options), options, call)
    return out


@pytest.mark.cross(("row", rows.PATTERNS), ("kind", ("real", "integer", "complex")))
def test_patterns(subject, row, kind):
    _, pattern, x_shape, kernel_shape, options = row
    name = "int32" if kind == "integer" else getattr(subject.backend, kind)
    x, kernel = random_operands(subject, x_shape, kernel_shape, (name, name))
    _check(subject, pattern, x, kernel, options)


@pytest.mark.cross(("row", rows.LONG), ("accuracy", ("normwise", "componentwise")))
def test_long(subject, row, accuracy):
    _, pattern, x_shape, kernel_shape, options = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, (subject.backend.real,) * 2)
    _check(subject, pattern, x, kernel, {**options, "accuracy": accuracy})


@pytest.mark.cross(("row", rows.XLA))
def test_padding_of_xla(subject, row):
    _, padding, expected = row
    name = subject.backend.real
    x, kernel = operand(subject, [1, 2, 3, 4, 5], name), operand(subject, [1, 10], name)
    out = _check(subject, "n, n -> n | n", x, kernel, {"padding": padding, "stride": 2})
    np.testing.assert_array_equal(subject.backend.host(out), expected)


@pytest.mark.cross(("row", rows.TORCH))
def test_agrees_with_torch(subject, row):
    """torch correlates, without conjugating, with zeros outside x."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    _, pattern, x_shape, kernel_shape, options, function = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, (subject.backend.real,) * 2)
    wide = [torch.asarray(np.asarray(each.host, "float64")) for each in (x, kernel)]
    other = getattr(torch.nn.functional, function)(*wide, **options).numpy()
    out = subject.backend.host(invoke(subject, "einconv", (pattern,), x, kernel, options))
    problem, _, shape = geometry.labelled(pattern, x_shape, kernel_shape, options)
    exact = reference.evaluate(problem, x.host, kernel.host).reshaped(shape)
    bound = bounds.allowed(exact, subject.backend.real, "normwise")
    asserts.within(out, other, 2 * bound, described("einconv", x, kernel, options, (pattern,)))


@pytest.mark.cross(
    ("dtypes", [("float16", "float16"), ("bfloat16", "bfloat16"), ("uint8", "int8"), ("int32", "float32")])
)
def test_dtypes(subject, dtypes):
    x, kernel = random_operands(subject, (2, 3, 9), (4, 3, 4), dtypes)
    _check(subject, "b c n, o c n -> b o n | n", x, kernel, {})


@pytest.mark.requires("nonfinite")
@pytest.mark.cross(("bad", ("nan", "inf")))
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_nonfinite(subject, bad):
    """A non-finite sample contaminates its windows in every filter that sums its channel, and nothing else."""
    name = subject.backend.real
    x, kernel = random_operands(subject, (2, 3, 120), (2, 3, 40), (name, name))
    host = np.array(x.host)
    host[1, 2, 50] = float(bad)
    _check(subject, "b c n, o c n -> b o n | n", operand(subject, host, name), kernel, {"padding": "same"})


@pytest.mark.cross(("padding", ("full", "same", "valid")))
def test_is_convolve(subject, padding):
    """Two axes, flipped, is `convolve`; 'same' differs by XLA's centring of even kernels, so odd ones here."""
    x, kernel = random_operands(subject, (7, 6), (3, 5), (subject.backend.real,) * 2)
    pattern = "h w, h w -> h w | h w"
    out = _check(subject, pattern, x, kernel, {"padding": padding, "flip": True})
    other = invoke(subject, "convolve", (), x, kernel, {"mode": padding})
    call = described("einconv", x, kernel, {"padding": padding, "flip": True}, (pattern,))
    asserts.equal("out.shape", tuple(out.shape), tuple(other.shape), call)


@pytest.mark.cross(
    (
        "row",
        [
            ("b (g c) n, (g o) c n -> b (g o) n | n", (2, 6, 7), (4, 3, 3), {"g": 2}),
            ("b (g c) n, g o c n -> b (g o) n | n", (2, 6, 7), (2, 2, 3, 3), {"g": 2}),
            ("b (n p), n p -> b n | n", (2, 12), (3, 2), {"p": 2}),
        ],
    )
)
def test_sizes_follow_from_the_other_operand(subject, row):
    """Sizes inside parentheses follow from the shapes where these determine them."""
    pattern, x_shape, kernel_shape, sizes = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, (subject.backend.real,) * 2)
    expected = subject.backend.host(_check(subject, pattern, x, kernel, sizes))
    np.testing.assert_array_equal(subject.backend.host(invoke(subject, "einconv", (pattern,), x, kernel, {})), expected)
