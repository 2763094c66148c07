"""`out=`: returned itself, exact, safe beside the operands, written through any strides, refused otherwise."""

import itertools
import re

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import arrayconv
from arrayconv._algorithms import ALGORITHMS
from tests.conftest import make_library

METHODS = ["auto", *ALGORITHMS]
RNG = np.random.default_rng(0)


@pytest.fixture(params=["numpy", "torch", "array_api_strict"])  # JAX arrays are immutable
def writable(request):
    return make_library(request.param)


# ---- any strides ----

# Of a result's shape: an array of another layout that looks like it.
LAYOUTS = {
    "contiguous": lambda shape, make: make(shape),
    "steps": lambda shape, make: make([2 * n for n in shape])[tuple(slice(None, None, 2) for _ in shape)],
    "offset": lambda shape, make: make([n + 3 for n in shape])[tuple(slice(2, 2 + n) for n in shape)],
    "transposed": lambda shape, make: make(shape[::-1]).transpose(*range(len(shape))[::-1]),
    "swapped": lambda shape, make: np.swapaxes(make((shape[1], shape[0], *shape[2:])), 0, 1),
    "reversed": lambda shape, make: make(shape)[tuple(slice(None, None, -1) for _ in shape)],
}

# Problems: (x, kernel, options). Batch axes are merged in the middle of the computation.
PROBLEMS = {
    "plain": ((6, 7), (3, 2), {}),
    "batches": ((3, 4, 9), (3,), {"axes": 2}),
    "batches-apart": ((3, 9, 4), (3,), {"axes": 1}),
    "groups": ((3, 4, 9), (3, 4, 3), {"axes": 2}),
    "filters": ((1, 1, 9), (3, 4, 3), {"axes": 2}),
    "mixed": ((3, 1, 2, 9), (1, 4, 2, 3), {"axes": 3}),
    "one-sample": ((1, 1, 9), (1, 1, 3), {"axes": 2}),
    "strided": ((3, 4, 20), (3,), {"axes": 2, "stride": 2, "boundary": "edge"}),
    "axes-in-another-order": ((6, 3, 7), (3, 2), {"axes": (2, 0)}),
}


def problem(name, dtype=np.int64):
    x_shape, kernel_shape, options = PROBLEMS[name]
    return RNG.integers(0, 50, x_shape).astype(dtype), RNG.integers(0, 50, kernel_shape).astype(dtype), options


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_numpy_out_of_any_strides(name, layout):
    x, kernel, options = problem(name)
    expected = arrayconv.convolve(x, kernel, "same", **options)
    out = LAYOUTS[layout](expected.shape, lambda shape: np.full(shape, -7))
    assert arrayconv.convolve(x, kernel, "same", out=out, **options) is out
    assert np.array_equal(out, expected)


@pytest.mark.parametrize("layout", ["contiguous", "steps", "offset", "swapped"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_torch_out_of_any_strides(name, layout):
    x, kernel, options = problem(name)
    expected = arrayconv.convolve(x, kernel, "same", **options)
    host = LAYOUTS[layout](expected.shape, lambda shape: np.full(shape, -7))
    out = torch.from_numpy(host)  # shares the memory and the strides
    assert arrayconv.convolve(torch.asarray(x), torch.asarray(kernel), "same", out=out, **options) is out
    assert np.array_equal(out.numpy(), expected)


@pytest.mark.parametrize("name", PROBLEMS)
def test_out_on_every_writable_library(name, writable):
    host_x, host_kernel, options = problem(name)
    x, kernel = writable.asarray(host_x), writable.asarray(host_kernel)
    expected = arrayconv.convolve(host_x, host_kernel, "same", **options)
    out = writable.asarray(np.full(expected.shape, -7))
    assert arrayconv.convolve(x, kernel, "same", out=out, **options) is out
    assert np.array_equal(writable.numpy(out), expected)
    transposed = writable.xp.permute_dims(
        writable.asarray(np.full(expected.shape[::-1], -7)), tuple(range(expected.ndim))[::-1]
    )
    assert arrayconv.convolve(x, kernel, "same", out=transposed, **options) is transposed
    assert np.array_equal(writable.numpy(transposed), expected)


def test_samples_around_a_sliced_out_stay():
    x, kernel, base = np.arange(8), np.array([1, 10]), np.full((3, 12), -7)
    arrayconv.convolve(x, kernel, out=base[1, 2:11])
    assert base[1, 2:11].tolist() == arrayconv.convolve(x, kernel).tolist()
    base[1, 2:11] = -7
    assert (base == -7).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "complex128"])
def test_every_method_writes_what_it_returns(method, dtype, writable):
    x, kernel, options = problem("strided", dtype)
    x, kernel = writable.asarray(x), writable.asarray(kernel)
    expected = writable.numpy(arrayconv.correlate(x, kernel, method=method, **options))
    out = writable.asarray(np.full(expected.shape, 3, dtype=dtype))
    assert arrayconv.correlate(x, kernel, method=method, out=out, **options) is out
    assert np.array_equal(writable.numpy(out), expected)


@pytest.mark.parametrize("method", METHODS)
def test_out_is_written_where_no_tap_multiplies_a_sample(method):
    x, kernel = np.array([3, 4]), np.array([5])
    out = np.full(4, -7)
    arrayconv.einconv("n, n -> n | n", x, kernel, upsample=3, out=out, method=method)
    assert out.tolist() == [15, 0, 0, 20]


@pytest.mark.parametrize("shape", [(), (3,)])
def test_out_of_a_call_without_axes(shape):
    out = np.full(shape, -7.0)
    x = np.arange(3.0) if shape else np.array(2.0)
    assert arrayconv.convolve(x, np.full(shape and (1,), 5.0), out=out, axes=()) is out
    assert np.array_equal(out, x * 5)


def test_empty_out():
    out = np.ones((0, 5))
    assert arrayconv.convolve(np.ones((0, 4)), np.ones(2), axes=1, out=out) is out


def test_out_takes_a_widened_dtype():
    x, kernel = np.array([200, 200], dtype=np.uint8), np.array([2], dtype=np.uint8)
    out = np.zeros(2, dtype=np.int32)
    assert arrayconv.convolve(x, kernel, dtype="int32", out=out).tolist() == [400, 400]


# ---- beside the operands ----

OVERLAPS = {
    "same": lambda base: (base[4:16], base[4:16]),
    "shifted-up": lambda base: (base[4:16], base[6:18]),
    "shifted-down": lambda base: (base[4:16], base[2:14]),
    "reversed": lambda base: (base[4:16], base[4:16][::-1]),
    "reversed-x": lambda base: (base[4:16][::-1], base[4:16]),
    "interleaved": lambda base: (base[0:24:2], base[1:24:2]),
    "steps": lambda base: (base[0:24:2], base[4:16]),
}


@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("boundary", ["constant", "wrap"])
def test_numpy_out_may_overlap_x(overlap, method, boundary):
    x, out = OVERLAPS[overlap](RNG.integers(0, 99, 24))
    kernel = np.array([1, 2, 3, 4, 5])
    expected = arrayconv.convolve(x.copy(), kernel, "same", boundary=boundary, method=method)
    assert arrayconv.convolve(x, kernel, "same", boundary=boundary, method=method, out=out) is out
    assert np.array_equal(out, expected)


@pytest.mark.parametrize("overlap", ["same", "shifted-up", "shifted-down", "interleaved"])
def test_torch_out_may_overlap_x(overlap):
    x, out = OVERLAPS[overlap](torch.arange(24) ** 2 % 37)
    kernel = torch.tensor([1, 2, 3, 4, 5])
    expected = arrayconv.convolve(x.clone(), kernel, "same")
    assert arrayconv.convolve(x, kernel, "same", out=out) is out
    assert torch.equal(out, expected)


def test_strict_out_may_be_x(writable):
    host, kernel = np.arange(12) ** 2 % 37, np.array([1, 2, 3])
    x = writable.asarray(host)
    assert arrayconv.convolve(x, writable.asarray(kernel), "same", out=x) is x
    assert np.array_equal(writable.numpy(x), arrayconv.convolve(host, kernel, "same"))


@pytest.mark.parametrize("method", METHODS)
def test_out_may_be_a_view_of_x_transposed(method):
    base = RNG.integers(0, 99, (9, 9))
    expected = arrayconv.convolve(base.copy(), np.ones((3, 2), dtype=int), "same", method=method)
    out = base.T
    assert arrayconv.convolve(base, np.ones((3, 2), dtype=int), "same", out=out, method=method) is out
    assert np.array_equal(out, expected)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("turn", [1, -1])
def test_out_may_overlap_the_kernel(method, turn):
    kernel = RNG.integers(0, 99, 12)
    x = RNG.integers(0, 99, 12)
    expected = arrayconv.correlate(x, kernel.copy(), "same", method=method)
    out = kernel[::turn]
    assert arrayconv.correlate(x, kernel, "same", method=method, out=out) is out
    assert np.array_equal(out, expected)


def test_out_may_overlap_both_operands():
    base = RNG.integers(0, 99, 12)
    expected = arrayconv.convolve(base.copy(), base.copy(), "same")
    assert arrayconv.convolve(base, base, "same", out=base) is base
    assert np.array_equal(base, expected)


def test_einconv_out_may_overlap():
    x = RNG.integers(0, 99, (4, 4))
    expected = arrayconv.einconv("a n, n -> n a | n", x.copy(), [1, 2, 3], padding="same")
    assert arrayconv.einconv("a n, n -> n a | n", x, [1, 2, 3], padding="same", out=x) is x
    assert np.array_equal(x, expected)


@pytest.mark.parametrize("method", ALGORITHMS)
def test_blocks_do_not_read_what_earlier_ones_wrote(method):
    x, kernel = RNG.integers(0, 99, (60, 50)), RNG.integers(0, 99, (5, 4))
    options = {"mode": "same", "boundary": "wrap", "method": method}
    space = arrayconv.explain(x, kernel, **options).workspace
    options["max_workspace"] = space // 4 + x.nbytes  # a quarter of what one step takes, and a copy of the result
    assert arrayconv.explain(x, kernel, **options).steps > 1
    expected = arrayconv.convolve(x.copy(), kernel, **options)
    assert arrayconv.convolve(x, kernel, out=x, **options) is x
    assert np.array_equal(x, expected)


@pytest.mark.parametrize("method", ALGORITHMS)
@pytest.mark.parametrize("which", ["x", "kernel"])
@pytest.mark.parametrize("flip", [True, False])
def test_phases_do_not_read_what_earlier_ones_wrote(method, which, flip):
    operands = {"x": RNG.integers(0, 99, 12), "kernel": RNG.integers(0, 99, 12)}
    options = {"upsample": 2, "flip": flip, "method": method}  # one step per phase, each with taps of its own
    expected = arrayconv.einconv("n, n -> n | n", *(array.copy() for array in operands.values()), **options)
    out = operands[which]
    assert arrayconv.einconv("n, n -> n | n", **operands, out=out, **options) is out
    assert np.array_equal(out, expected)


# ---- refusals ----

X, KERNEL = np.arange(8.0), np.ones(3)


def nothing_written(out):
    return np.all(np.asarray(out) == -7)


@pytest.mark.parametrize("function", ["convolve", "correlate"])
@pytest.mark.parametrize(
    ("out", "error", "text"),
    [
        (np.full(9, -7.0), ValueError, "`out` must have shape (10,). Got (9,)."),
        (np.full((1, 10), -7.0), ValueError, "`out` must have shape (10,). Got (1, 10)."),
        (np.full(10, -7, dtype=np.float32), TypeError, "`out` must have the result's dtype float64. Got float32."),
        (np.full(10, -7, dtype=complex), TypeError, "`out` must have the result's dtype float64. Got complex128."),
        (np.full(10, -7), TypeError, "`out` must have the result's dtype float64. Got int64."),
        ([-7.0] * 10, TypeError, "`out` must be a numpy array like x. Got list."),
        (torch.full((10,), -7.0, dtype=torch.float64), TypeError, "`out` must be a numpy array like x. Got torch."),
        (jnp.full(10, -7.0), TypeError, "`out` must be a numpy array like x. Got jax."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_wrong_out_is_refused(function, out, error, text):
    with pytest.raises(error) as refusal:
        getattr(arrayconv, function)(X, KERNEL, out=out)
    assert str(refusal.value) == f"{function}: {text}"
    assert nothing_written(out)


def test_read_only_out_is_refused():
    out = np.full(10, -7.0)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only") as refusal:
        arrayconv.convolve(X, KERNEL, out=out)
    assert str(refusal.value) == "convolve: `out` is read-only. Pass a writeable array of shape (10,)."
    assert nothing_written(out)


def test_out_whose_samples_share_memory_is_refused():
    shared = np.lib.stride_tricks.as_strided(np.full(1, -7.0), (10,), (0,))
    with pytest.raises(ValueError, match=r"^convolve: `out` .*"):
        arrayconv.convolve(X, KERNEL, out=shared)
    with pytest.raises(ValueError, match=r"^convolve: `out` .*"):
        arrayconv.convolve(torch.asarray(X), torch.asarray(KERNEL), out=torch.zeros(1, dtype=torch.float64).expand(10))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_masked_and_matrix_out_are_refused():
    for out in (np.ma.masked_all((2, 4)), np.matrix(np.full((2, 4), -7.0))):
        with pytest.raises(TypeError, match=r"^convolve: `out` is a numpy\.(ma\.MaskedArray|matrix), "):
            arrayconv.convolve(np.ones((2, 4)), np.ones((1, 1)), out=out)


@pytest.mark.parametrize("device", ["CPU_DEVICE", "device2"])
def test_out_on_another_device_is_refused(device):
    here, there = array_api_strict.Device("device1"), array_api_strict.Device(device)
    x, kernel = (array_api_strict.ones(n, dtype=array_api_strict.float64, device=here) for n in (8, 3))
    out = array_api_strict.full(10, -7.0, dtype=array_api_strict.float64, device=there)
    with pytest.raises(TypeError) as refusal:
        arrayconv.convolve(x, kernel, out=out)
    assert str(refusal.value) == f"convolve: `out` must be on the device {here}. Got {there}."


def test_torch_out_on_another_device_is_refused():
    out = torch.full((10,), -7.0, dtype=torch.float64, device="meta")
    with pytest.raises(TypeError) as refusal:
        arrayconv.convolve(torch.asarray(X), torch.asarray(KERNEL), out=out)
    assert str(refusal.value) == "convolve: `out` must be on the device cpu. Got meta."


IMMUTABLE = "convolve: `out` cannot be written: jax arrays are immutable here. Leave out=None."


def test_jax_out_is_refused():
    with pytest.raises(TypeError) as refusal:
        arrayconv.convolve(jnp.asarray(X), jnp.asarray(KERNEL), out=jnp.zeros(10))
    assert str(refusal.value) == IMMUTABLE


def test_traced_out_is_refused():
    with pytest.raises(TypeError) as refusal:
        jax.jit(lambda x: arrayconv.convolve(x, x, out=jnp.zeros(15)))(jnp.asarray(X))
    assert str(refusal.value) == IMMUTABLE


@pytest.mark.parametrize("which", ["x", "kernel", "out"])
def test_out_that_would_lose_a_gradient_is_refused(which):
    arrays = {"x": torch.ones(8), "kernel": torch.ones(3), "out": torch.full((10,), -7.0)}
    arrays[which].requires_grad_()
    with pytest.raises(TypeError) as refusal:
        arrayconv.convolve(**arrays)
    if which == "out":
        assert re.match(r"convolve: `out` .*itself requires a gradient.* Got ", str(refusal.value))
    else:
        assert str(refusal.value) == (
            "convolve: `out` would lose the gradient that x or the kernel requires. Leave out=None."
        )
    assert nothing_written(arrays["out"].detach())


def test_gradients_turned_off_allow_out():
    x, out = torch.ones(8, requires_grad=True), torch.empty(10)
    with torch.no_grad():
        assert arrayconv.convolve(x, torch.ones(3), out=out) is out
    assert out.tolist() == [1, 2, 3, 3, 3, 3, 3, 3, 2, 1]


def test_contradictions_are_refused_before_anything_is_written():
    out = np.full(10, -7.0)
    for options in ({"method": "fft", "accuracy": "componentwise"}, {"max_workspace": 1}, {"fill_value": 1j}):
        with pytest.raises((NotImplementedError, ValueError, TypeError)):
            arrayconv.convolve(X, KERNEL, out=out, **options)
        assert nothing_written(out)


def test_out_is_part_of_the_workspace_rule():
    x, kernel = np.ones((50, 40)), np.ones((3, 3))
    limit = arrayconv.explain(x, kernel, "same", method="direct").workspace // 2
    out = np.empty((50, 40))
    for method, cap in itertools.product(("direct", "im2col"), (limit, 20 * limit)):
        assert arrayconv.convolve(x, kernel, "same", method=method, max_workspace=cap, out=out) is out
        assert np.array_equal(out, arrayconv.convolve(x, kernel, "same"))
