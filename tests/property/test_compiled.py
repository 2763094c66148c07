"""Compiled calls return the same results: every front door inside `torch.compile(fullgraph=True)` and `jax.jit`.

A row is a call of an array, a kernel and their namespace. Most of what compiling takes is starting and guarding, so
the rows of one door are one compiled function, which returns all their results. Dynamo leaves sizes open at a second
shape, and the plan must still be the one for the actual sizes: some rows, of each way from shapes to a plan, say so.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import arrayconv
from arrayconv import kernels, ndimage, nn, signal
from arrayconv._algorithms import ALGORITHMS
from arrayconv._arrays.namespace import compat_namespace

NUMPY, TORCH = compat_namespace("numpy"), compat_namespace("torch")
SHAPES = [((6, 9), (2, 3)), ((11, 8), (3, 2))]  # of x and the kernel, first and second call


def by(method):
    return lambda x, k, xp: arrayconv.convolve(x, k, "same", boundary=("wrap", "constant"), method=method)


def first_difference(x, axis, output, mode, cval):
    return ndimage.correlate1d(x, [1, 0, -1], axis, output, mode, cval)


def second_difference(x, axis, output, mode, cval):
    return ndimage.correlate1d(x, [1, -2, 1], axis, output, mode, cval)


METHODS = {method: by(method) for method in ALGORITHMS}
CORE = {
    "full": lambda x, k, xp: arrayconv.convolve(x, k),
    "stride-boundary": lambda x, k, xp: arrayconv.correlate(
        x, k, "full", boundary=["reflect", "wrap"], stride=[2, 1], dilation=(1, 2)
    ),
    "lags": lambda x, k, xp: arrayconv.correlate(x, k, lags=[(0, 2), 1]),
    "fill": lambda x, k, xp: arrayconv.correlate(x, k, "full", fill_value=1.5),
    "axes": lambda x, k, xp: arrayconv.convolve(x, k[0, :], "valid", axes=-1),
    "integers": lambda x, k, xp: arrayconv.convolve(xp.astype(x, xp.int16), xp.astype(k, xp.int16), method="fft"),
    "list": lambda x, k, xp: arrayconv.convolve(x, [[1, 2.5], [0, -1]], "same"),
    "list-complex": lambda x, k, xp: arrayconv.convolve(x, [[1, 2j]], method="fft"),
    "einconv": lambda x, k, xp: arrayconv.einconv("b h, o h -> b o h | h", x, k, padding="same", upsample=2),
    "kernel": lambda x, k, xp: arrayconv.convolve(x, kernels.gaussian(0.5, xp=xp, dtype=x.dtype), "same"),
    "kernels": lambda x, k, xp: arrayconv.correlate(kernels.log(1.0, radius=2, xp=xp), kernels.sobel(xp=xp)),
    "gabor": lambda x, k, xp: kernels.gabor(0.4, sigma=(0.5, 1), part="real", xp=xp, dtype="float32"),
}
SIGNAL = {
    "convolve": lambda x, k, xp: signal.convolve(x, k, "same"),
    "correlate-swapped": lambda x, k, xp: signal.correlate(k, x, "valid", "fft"),
    "convolve-bool": lambda x, k, xp: signal.convolve(x > 0, [[True, False, True]]),
    "fftconvolve": lambda x, k, xp: signal.fftconvolve(x, k[:1, :], "full", axes=1),
    "fftconvolve-one-sample": lambda x, k, xp: signal.fftconvolve(x[:1, :1], k),  # by another method: no axis is left
    "oaconvolve": lambda x, k, xp: signal.oaconvolve(x, k),
    "convolve2d": lambda x, k, xp: signal.convolve2d(x, k, "same", "symm"),
    "correlate2d": lambda x, k, xp: signal.correlate2d([[1, 2]], x, "full", "fill", 1.5),
    "upfirdn": lambda x, k, xp: signal.upfirdn(k[0, :], x, 2, 3),
    "upfirdn-line": lambda x, k, xp: signal.upfirdn([1, 2, 1], x, 2, 1, axis=0, mode="line"),
}
NDIMAGE = {
    "gaussian_filter": lambda x, k, xp: ndimage.gaussian_filter(x, (0.8, 0.5), order=(0, 1), mode=["wrap", "mirror"]),
    "gaussian_filter-integer": lambda x, k, xp: ndimage.gaussian_filter(xp.astype(9 * x, xp.int16), 0.5, axes=[1]),
    "gaussian_laplace": lambda x, k, xp: ndimage.gaussian_laplace(x[0, :], 0.4),  # "laplace" adds up two axes
    "uniform_filter": lambda x, k, xp: ndimage.uniform_filter(x, [3, 2], origin=(1, 0), output=xp.float32),
    "sobel": lambda x, k, xp: ndimage.sobel(x, 0),
    "laplace": lambda x, k, xp: ndimage.laplace(x),
    "generic_laplace": lambda x, k, xp: ndimage.generic_laplace(x, second_difference),
    "magnitude": lambda x, k, xp: ndimage.generic_gradient_magnitude(x, first_difference),
    "magnitude-prewitt": lambda x, k, xp: ndimage.generic_gradient_magnitude(x[0, :], ndimage.prewitt),
    "correlate": lambda x, k, xp: ndimage.correlate(x, k, mode="constant", cval=2, origin=(0, -1)),
    "convolve1d-list": lambda x, k, xp: ndimage.convolve1d(x, [1, 2.5], output="float32"),
}
ROWS = {
    **{f"method-{name}": call for name, call in METHODS.items()},
    **CORE,
    **{f"signal-{name}": call for name, call in SIGNAL.items()},
    **{f"ndimage-{name}": call for name, call in NDIMAGE.items()},
}


def operands(shapes, asarray):
    random = np.random.default_rng(0)
    return [asarray(random.standard_normal(shape)) for shape in shapes]


def assert_same(got, expected):
    """Raise unless two arrays have one dtype and shape, and are equal up to rounding."""
    assert got.dtype == expected.dtype
    tolerance = 1e-5 if "float32" in str(got.dtype) else 1e-12
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=tolerance, atol=tolerance)


@pytest.fixture(autouse=True)
def reset_dynamo():
    """Share no compiled code, and no count of recompilations, between rows."""
    yield
    torch._dynamo.reset()


OPEN = (
    "method-direct", "method-fft", "stride-boundary", "lags", "einconv",
    "signal-correlate-swapped", "signal-upfirdn", "signal-upfirdn-line",
    "ndimage-gaussian_filter", "ndimage-correlate",
)  # fmt: skip
DOORS = {
    door: [name for name in ROWS if name.startswith(f"{door}-") or (door == "core" and name in CORE)]
    for door in ("method", "core", "signal", "ndimage")
}


def assert_compiles(names, shapes):
    """Raise unless rows compiled as one function give what they give eagerly, on one array and kernel per shape."""

    def results(x, k):
        return [ROWS[name](x, k, TORCH) for name in names]

    compiled = torch.compile(results, fullgraph=True, backend="aot_eager")
    for each in shapes:
        x, k = operands(each, torch.asarray)
        compiled_results = compiled(x, k)
        for name, got, expected in zip(names, compiled_results, results(x, k), strict=True):
            with_note(name, got, expected)


def with_note(name, got, expected):
    try:
        assert_same(got, expected)
    except AssertionError as failure:
        failure.add_note(f"row {name!r}")
        raise


def test_every_row_belongs_to_a_door():
    assert sorted(name for names in DOORS.values() for name in names) == sorted(ROWS)
    assert set(OPEN) <= set(ROWS)


@pytest.mark.parametrize("door", DOORS)
def test_torch_compiles_without_a_break(door):
    assert_compiles([name for name in DOORS[door] if name not in OPEN], SHAPES[:1])


def test_torch_compiles_open_sizes():
    """The first shape is compiled as it is, and the second with open sizes."""
    assert_compiles(OPEN, SHAPES)


def test_torch_compiles_to_machine_code():
    def call(x, k):
        return ndimage.sobel(arrayconv.convolve(x, k, "same", boundary="reflect"))

    x, k = operands(SHAPES[0], torch.asarray)
    assert_same(torch.compile(call, fullgraph=True)(x, k), call(x, k))


NUMBERS = {  # arguments that change between calls, which Dynamo leaves open too
    "sigma": (lambda x, value: ndimage.gaussian_filter(x[0, :], value), (0.5, 0.7, 0.9)),
    "weights": (lambda x, value: ndimage.correlate1d(x, [value, 2 * value, 3]), (0.5, 1.0, -1.0)),
    "fill": (lambda x, value: arrayconv.convolve(x, [[1, 2]], fill_value=value), (0.0, 1.0, 2.0)),
    "stride": (lambda x, value: arrayconv.correlate(x, [[1, 2]], "full", stride=value), (1, 2, 3)),
    "taps": (lambda x, value: kernels.gabor(value, part="real", xp=torch) * x[0, 0], (0.3, 0.4, 0.5)),
    "rates": (lambda x, value: signal.upfirdn([1.0, 2], x, value, 2), (1, 2, 3)),
    "padding": (
        lambda x, value: nn.conv2d(x[None, None], x[None, None, :2], padding=value, stride=value),
        (1, 2, 3),
    ),
    "windows": (lambda x, value: nn.unfold(x[None, None], 3, padding=value), (0, 1, 2)),
    "workspace": (lambda x, value: arrayconv.convolve(x, [[1, 2]], max_workspace=value), (9999, 99999, 999999)),
    "fillvalue": (lambda x, value: signal.convolve2d(x, [[1, 2]], fillvalue=value), (0.0, 1.0, 2.0)),
}


@pytest.mark.parametrize("kind", [float, int])
def test_torch_compiles_numbers_that_change(kind):
    """The rows of floats are one function, and those of integers."""
    rows = {name: row for name, row in NUMBERS.items() if isinstance(row[1][0], kind)}

    def results(x, *values):
        return [call(x, value) for (call, _), value in zip(rows.values(), values, strict=True)]

    compiled = torch.compile(results, fullgraph=True, backend="aot_eager")
    x, _ = operands(SHAPES[0], torch.asarray)
    for values in zip(*(values for _, values in rows.values()), strict=True):
        for name, got, expected in zip(rows, compiled(x, *values), results(x, *values), strict=True):
            with_note(name, got, expected)


JAX = [
    "method-fft", "method-overlap_save", "stride-boundary", "lags", "list", "einconv", "kernel", "gabor",
    "signal-convolve-bool", "signal-oaconvolve", "signal-upfirdn-line",
    "ndimage-gaussian_filter", "ndimage-uniform_filter", "ndimage-laplace", "ndimage-magnitude", "ndimage-correlate",
]  # fmt: skip


@pytest.mark.parametrize("name", JAX)
def test_jax_jits(name):
    x, k = operands(SHAPES[0], jnp.asarray)
    on_host = operands(SHAPES[0], np.asarray)
    y = jax.jit(lambda x, k: ROWS[name](x, k, jnp))(x, k)
    assert_same(y, ROWS[name](*on_host, NUMPY))
