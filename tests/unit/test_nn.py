"""`arrayconv.nn`: refusals, exact integers, and cases that torch has not; `tests/parity/test_nn.py` has the rest.

The oracle sums over exact integers and fractions; torch's layouts and sizes alone are stated here again.
"""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import arrayconv
from arrayconv import _autodiff, config, nn
from arrayconv._algorithms import ALGORITHMS
from arrayconv._arrays.identify import device_of
from arrayconv._nn import patches
from arrayconv._plan.rank import METHODS
from arrayconv._problem.boundary import BOUNDARIES
from arrayconv._problem.spec import Axis, Spec
from tests import oracle
from tests.cases import numbers

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def host(seed, shape, dtype="float64"):
    return numbers(np.random.default_rng(seed), shape, dtype)


def each(value, count):
    return value if isinstance(value, tuple) else (value,) * count


def convolved(x, w, bias=None, *, stride=1, padding=0, dilation=1, groups=1, boundary="constant", fill=0):
    """Return the exact convolution of host arrays; x has its batch axis, `padding` is an int or one per axis."""
    count = x.ndim - 2
    axes = []
    options = (each(option, count) for option in (stride, padding, dilation, boundary))
    for n, k, s, p, d, b in zip(x.shape[2:], w.shape[2:], *options, strict=True):
        before, after = each(p, 2)
        axes.append(Axis(n, k, (n + before + after - d * (k - 1) - 1) // s + 1, s, d, 1, before, b))
    batch, rows = x.shape[:2]
    spec = Spec(batch, groups, rows // groups, w.shape[0] // groups, tuple(axes))
    y = oracle.operation(
        oracle.exact(x.reshape(spec.input_shape)), oracle.exact(w.reshape(spec.kernel_shape)), spec, fill
    )
    return added(y.reshape(batch, w.shape[0], *spec.output_size), bias)


def transposed(x, w, bias=None, *, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Return the exact transposed convolution: every sample puts a kernel, `stride` apart, then the ends are cut."""
    count, (batch, rows), filters = x.ndim - 2, x.shape[:2], w.shape[1]
    s, p, extra, d = (each(option, count) for option in (stride, padding, output_padding, dilation))
    sizes = [(n - 1) * s[a] + d[a] * (k - 1) + 1 for a, (n, k) in enumerate(zip(x.shape[2:], w.shape[2:], strict=True))]
    y = np.zeros((batch, groups * filters, *(size + e for size, e in zip(sizes, extra, strict=True))), dtype=object)
    x, w = oracle.exact(x), oracle.exact(w)
    for b, c, *n in np.ndindex(x.shape):
        for f, *k in np.ndindex(w.shape[1:]):
            out = c // (rows // groups) * filters + f
            at = [s[a] * n[a] + d[a] * k[a] for a in range(count)]
            y[(b, out, *at)] = y[(b, out, *at)] + x[(b, c, *n)] * w[(c, f, *k)]
    return added(y[(..., *(slice(a, y.shape[2 + i] - a) for i, a in enumerate(p)))], bias)


def added(y, bias):
    return y if bias is None else y + oracle.exact(bias).reshape(-1, *(1,) * (y.ndim - 2))


def close(y, exact):
    """Raise unless y, of up to some hundred terms near 1, is the exact result within the bound for 1000 terms."""
    expected = oracle.rounded(exact)
    assert y.shape == expected.shape
    scale = np.max(np.abs(expected), initial=1)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1000 * np.finfo(y.dtype).eps * scale)


# ------------------------------------------------------------------------------------------------- values, everywhere

# function, input, weight, options: the name says what varies
CALLS = {
    "1d": ("conv1d", (2, 2, 7), (3, 2, 3), {"stride": 2, "padding": 1, "dilation": 2}),
    "2d-groups": ("conv2d", (2, 4, 5, 6), (6, 2, 3, 2), {"padding": (1, 0), "groups": 2}),
    "2d-pairs": ("conv2d", (1, 1, 5, 4), (2, 1, 3, 2), {"padding": ((2, 0), (0, 1)), "stride": (1, 2)}),
    "2d-depthwise": ("conv2d", (1, 3, 5, 4), (3, 1, 3, 2), {"groups": 3, "boundary": "wrap", "padding": 2}),
    "3d": ("conv3d", (1, 2, 4, 3, 4), (2, 2, 2, 3, 1), {"padding": 1, "boundary": ("edge", "constant", "reflect")}),
    "4d": ("conv", (1, 2, 3, 3, 2, 3), (2, 2, 2, 2, 1, 2), {"padding": (0, 1, 0, 0), "stride": (1, 2, 1, 1)}),
    "no-axes": ("conv", (3, 4), (2, 4), {}),
}
TRANSPOSED = {
    "1d": ("conv_transpose1d", (2, 3, 4), (3, 2, 3), {"stride": 3, "padding": 1, "output_padding": 2}),
    "2d-groups": ("conv_transpose2d", (2, 4, 3, 2), (4, 3, 3, 2), {"groups": 2, "stride": (2, 1), "dilation": 2}),
    "3d": ("conv_transpose3d", (1, 2, 2, 3, 2), (2, 2, 2, 1, 2), {"stride": 2, "padding": (1, 0, 0)}),
    "4d": ("conv_transpose", (1, 1, 2, 2, 2, 2), (1, 2, 2, 1, 2, 1), {"stride": (2, 1, 1, 3)}),
}
ROWS = [(nn_call, convolved) for nn_call in CALLS.items()] + [(nn_call, transposed) for nn_call in TRANSPOSED.items()]
IDS = [f"{reference.__name__}-{name}" for (name, _), reference in ROWS]


def canonical_operands(call, dtype):
    name, x_shape, w_shape, options = call
    filters = w_shape[1] * options.get("groups", 1) if "transpose" in name else w_shape[0]
    arrays = host(1, x_shape, dtype), host(2, w_shape, dtype), host(3, (filters,), dtype)
    for array in arrays:
        array.flags.writeable = False  # nothing may be written to
    return getattr(nn, name), arrays, options


@pytest.mark.jax_rows(row=[row for row, _ in ROWS if row[0] == "2d-groups"])
@pytest.mark.parametrize(("row", "reference"), ROWS, ids=IDS)
def test_floats_match_the_definition(library, row, reference):
    function, arrays, options = canonical_operands(row[1], "float64")
    y = function(*map(library.asarray, arrays), **options)
    assert type(y) is type(library.asarray(arrays[0]))
    assert device_of(y) == library.device
    close(library.numpy(y), reference(*arrays, **options))


@pytest.mark.parametrize(("row", "reference"), ROWS, ids=IDS)
def test_integers_are_exact_and_wrap(row, reference):
    function, arrays, options = canonical_operands(row[1], "int64")
    y = function(*arrays, **options)
    np.testing.assert_array_equal(y, oracle.wrapped(reference(*arrays, **options), "int64"), strict=True)


@pytest.mark.jax_rows(dtype=["uint8", "int64"])
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", ["conv", "conv_transpose"])
def test_every_integer_dtype_is_exact_on_every_library(library, name, dtype):
    row, reference = (CALLS, convolved) if name == "conv" else (TRANSPOSED, transposed)
    function, arrays, options = canonical_operands(row["2d-groups"], dtype)
    y = function(*map(library.asarray, arrays), **options)
    expected = oracle.wrapped(reference(*arrays, **options), dtype)
    np.testing.assert_array_equal(library.numpy(y), expected, strict=True)


@pytest.mark.parametrize("name", ["conv", "conv_transpose"])
def test_complex_operands_are_not_conjugated(library, name):
    row, reference = (CALLS, convolved) if name == "conv" else (TRANSPOSED, transposed)
    function, arrays, options = canonical_operands(row["2d-groups"], "complex128")
    y = library.numpy(function(*map(library.asarray, arrays), **options))
    close(y, reference(*arrays, **options))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_boundaries_of_any_width(boundary):
    x, w = host(1, (1, 2, 3, 4)), host(2, (2, 2, 3, 3))
    y = nn.conv2d(x, w, padding=(7, 5), boundary=boundary)  # wider than the data
    close(y, convolved(x, w, padding=(7, 5), boundary=boundary))


def test_the_fill_may_be_another_constant():
    x, w = host(1, (1, 2, 4), "int64"), host(2, (1, 2, 3), "int64")
    y = nn.conv1d(x, w, padding=2, fill_value=7)
    np.testing.assert_array_equal(y, oracle.wrapped(convolved(x, w, padding=2, fill=7), "int64"))


@pytest.mark.parametrize(("sizes", "kernel", "stride", "dilation"), [
    ((7, 8), (3, 2), (2, 3), (1, 1)),
    ((5, 6), (4, 4), (1, 2), (2, 1)),
    ((9, 4), (2, 1), (4, 3), (1, 1)),  # fewer taps than the stride: nothing is padded
])  # fmt: skip
def test_same_is_that_of_xla_with_any_stride(sizes, kernel, stride, dilation):
    x, w = host(1, (2, 3, *sizes)), host(2, (2, 3, *kernel))
    expected = jax.lax.conv_general_dilated(x, w, stride, "SAME", rhs_dilation=dilation)
    y = nn.conv2d(x, w, stride=stride, dilation=dilation, padding="same")
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)
    lower = jax.lax.conv_general_dilated(x, w, stride, "SAME_LOWER", rhs_dilation=dilation)
    np.testing.assert_allclose(
        nn.conv2d(x, w, stride=stride, dilation=dilation, padding="same_lower"), lower, rtol=0, atol=1e-12
    )


def test_padding_may_be_written_in_several_ways():
    x, w = host(1, (1, 2, 6, 7)), host(2, (3, 2, 3, 2))
    for equal in (((2, 2), (2, 2)), (2, 2), [2, 2], (2,), np.int64(2), ((2, 2),)):
        np.testing.assert_array_equal(nn.conv2d(x, w, padding=equal), nn.conv2d(x, w, padding=2))
    np.testing.assert_array_equal(nn.conv2d(x, w, padding="full"), nn.conv2d(x, w, padding=(2, 1)))
    np.testing.assert_array_equal(nn.conv2d(x, w, padding=("same", 0)), nn.conv2d(x, w, padding=(1, 0)))
    np.testing.assert_array_equal(nn.conv2d(x, w, padding="valid"), nn.conv2d(x, w))


@pytest.mark.parametrize(("row", "reference"), ROWS, ids=IDS)
def test_an_unbatched_input_gives_an_unbatched_output(row, reference):
    function, (x, w, bias), options = canonical_operands(row[1], "float64")
    np.testing.assert_allclose(function(x[0], w, bias, **options), function(x, w, bias, **options)[0], atol=1e-12)


def test_lists_are_numpy_arrays():
    y = nn.conv1d([[1, 2, 3]], [[[1, 10]], [[0, 1]]], [100, 200])
    np.testing.assert_array_equal(y, np.array([[121, 132], [202, 203]]), strict=True)
    y = nn.conv2d(torch.ones((1, 2, 2), dtype=torch.float32), [[[[1, 2]]]], [0.5])
    assert y.dtype == torch.float32
    assert y.tolist() == [[[3.5], [3.5]]]
    back = nn.grad.conv1d_input((1, 3), [[[1, 10]]], [[1, 2]])
    np.testing.assert_array_equal(back, [[1, 12, 20]])


@pytest.mark.parametrize("method", ALGORITHMS)
def test_methods_agree(method):
    x, w, bias = host(1, (2, 4, 12, 9)), host(2, (6, 2, 3, 4)), host(3, (6,))
    close(nn.conv2d(x, w, bias, groups=2, padding=1, method=method), convolved(x, w, bias, groups=2, padding=1))


def test_a_cap_on_workspace_holds_or_the_call_is_refused():
    x, w = host(1, (2, 4, 16, 16)), host(2, (6, 4, 3, 3))
    close(nn.conv2d(x, w, max_workspace=20_000), convolved(x, w))
    with pytest.raises(ValueError, match=r"^conv2d: `max_workspace` is too small for any piece. Got 10 bytes."):
        nn.conv2d(x, w, max_workspace=10)
    with config.using(max_workspace=10), pytest.raises(ValueError, match=r"^conv2d_input: `max_workspace`"):
        nn.grad.conv2d_input(x.shape, w, np.ones((2, 6, 14, 14)))


# ------------------------------------------------------------------------------------------------------ empty operands


def test_an_empty_batch_gives_an_empty_batch(library):
    x, w, bias = (library.asarray(host(1, shape)) for shape in ((0, 2, 5), (3, 2, 2), (3,)))
    assert nn.conv1d(x, w, bias).shape == (0, 3, 4)
    assert nn.conv_transpose1d(x, library.asarray(host(1, (2, 3, 2))), bias).shape == (0, 3, 6)
    assert nn.unfold(x, (2,)).shape == (0, 4, 4)
    assert nn.fold(library.asarray(host(1, (0, 4, 4))), (5,), (2,)).shape == (0, 2, 5)
    y = library.asarray(host(1, (0, 3, 4)))
    assert nn.grad.conv1d_input((0, 2, 5), w, y).shape == (0, 2, 5)
    np.testing.assert_array_equal(library.numpy(nn.grad.conv1d_weight(x, (3, 2, 2), y)), np.zeros((3, 2, 2)))


@pytest.mark.parametrize("method", ["auto", *ALGORITHMS])
def test_no_channels_sum_to_zero(method):
    y = nn.conv1d(np.ones((2, 0, 5)), np.ones((3, 0, 2)), np.arange(3.0), method=method)
    np.testing.assert_array_equal(y, np.broadcast_to(np.arange(3.0)[:, None], (2, 3, 4)))
    y = nn.conv_transpose1d(np.ones((2, 0, 5)), np.ones((0, 3, 2)), method=method)
    np.testing.assert_array_equal(y, np.zeros((2, 3, 6)))


def test_an_empty_axis_is_all_padding():
    np.testing.assert_array_equal(nn.conv1d(np.ones((1, 2, 0)), np.ones((3, 2, 2)), padding=2), np.zeros((1, 3, 3)))
    y = nn.conv1d(np.ones((1, 2, 0)), np.ones((3, 2, 2)), padding=2, fill_value=1)
    np.testing.assert_array_equal(y, np.full((1, 3, 3), 4.0))
    with pytest.raises(ValueError, match=r"^conv1d: boundary 'wrap' extends the data, but the axis has 0 samples"):
        nn.conv1d(np.ones((1, 2, 0)), np.ones((3, 2, 2)), padding=2, boundary="wrap")


# -------------------------------------------------------------------------------------------------------------- dtypes


@pytest.mark.jax_rows(result=["float64", "complex64"])
@pytest.mark.parametrize(("x", "w", "bias", "requested", "result"), [
    ("float32", "float64", None, None, "float64"),
    ("int8", "float32", None, None, "float32"),
    ("float32", "int64", "int64", None, "float32"),
    ("int8", "int16", "uint8", None, "int16"),
    ("float16", "float16", "float16", None, "float16"),
    ("float32", "complex64", "float32", None, "complex64"),
    ("int8", "int8", "int32", "int64", "int64"),
    ("uint8", "uint8", "float32", "float64", "float64"),
])  # fmt: skip
def test_dtype_of_the_result(library, x, w, bias, requested, result):
    if not hasattr(library.xp, "float16") and result == "float16":
        pytest.skip(f"{library.name} has no float16")
    arrays = [np.ones(shape, dtype) for shape, dtype in (((1, 1, 3), x), ((2, 1, 2), w), ((2,), bias)) if dtype]
    y = nn.conv1d(*map(library.asarray, arrays), dtype=requested)
    expected = np.full((1, 2, 2), 3 if bias else 2, result)
    np.testing.assert_array_equal(library.numpy(y), expected, strict=True)


@pytest.mark.parametrize(("result", "bias"), [
    ("float32", "float64"), ("int32", "int64"), ("int64", "float32"), ("uint64", "int8"), ("uint8", "int8"),
    ("float64", "complex64"), ("complex64", "float64"), ("float16", "float32"),
])  # fmt: skip
def test_a_bias_that_would_widen_the_result_is_refused(result, bias):
    text = f"conv1d: `bias` must not widen the result. Got bias {bias} for a result of {result}. "
    with pytest.raises(TypeError, match=f"^{re.escape(text)}"):
        nn.conv1d(np.ones((1, 1, 3), result), np.ones((2, 1, 2), result), np.ones(2, bias))


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("name", "n"), [("float16", 2048), ("bfloat16", 256)])
def test_half_precision_with_a_bias_is_rounded_once_and_differentiable(name, n, transposed):
    """n + 1 + 1 is representable; n + 1 is not, and rounds to n."""
    dtype, function = getattr(torch, name), nn.conv_transpose1d if transposed else nn.conv1d
    arrays = [torch.tensor(values, dtype=dtype) for values in ([[[n, 1]]], [[[1, 1]]], [1])]
    index = 1 if transposed else 0
    y, pullback = arrayconv.vjp(function, arrays[0], arrays[1], bias=arrays[2])
    requiring = [array.requires_grad_() for array in arrays]
    recorded = function(*requiring)
    recorded.sum().backward()
    for result in (y, recorded.detach()):
        assert (result.dtype, result[0, 0, index]) == (dtype, n + 2)
    for gradient, array in zip(pullback(torch.ones_like(y)), requiring, strict=True):
        assert gradient.dtype == array.grad.dtype == dtype
        torch.testing.assert_close(gradient, array.grad, rtol=0, atol=0)


def test_float16_overflows_without_a_warning_where_a_bias_is_added():
    x, bias = np.full((1, 1, 2), 60000, "float16"), np.full(1, 60000, "float16")
    with np.errstate(all="raise"):
        y = nn.conv1d(x, np.ones((1, 1, 1), "float16"), bias)
    np.testing.assert_array_equal(y, np.full((1, 1, 2), np.inf, "float16"), strict=True)
    less = nn.conv1d(np.concatenate([x, x], -1), np.ones((1, 1, 2), "float16"), -bias)
    np.testing.assert_array_equal(less, np.full((1, 1, 3), 60000, "float16"), strict=True)  # 120000 - 60000


BIASES = {  # layout of a bias of six numbers
    "contiguous": lambda b: b,
    "every second": lambda b: np.repeat(b, 2)[::2],
    "backwards": lambda b: b[::-1].copy()[::-1],
    "narrower": lambda b: b.astype("float32"),
}


@pytest.mark.parametrize("of_tensors", [False, True], ids=["arrays", "tensors"])
@pytest.mark.parametrize("batched", [True, False], ids=["batched", "unbatched"])
@pytest.mark.parametrize("layout", BIASES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "complex64"])
def test_a_bias_of_any_layout_is_added_to_the_result(dtype, layout, batched, of_tensors):
    x, w, b = host(1, (2, 4, 5, 7), dtype), host(2, (6, 4, 3, 3), dtype), host(3, (6,), dtype)
    x, b = x if batched else x[0], BIASES[layout](b) if dtype.startswith("float") or layout != "narrower" else b
    y = nn.conv2d(x, w)
    expected = np.add(y, b.reshape(-1, 1, 1), dtype=dtype)
    for _ in range(2):  # the second call is a remembered one
        if of_tensors:
            layout_kept = torch.from_numpy(b.copy()) if b.strides[0] < 0 else torch.from_numpy(b)
            result = nn.conv2d(torch.from_numpy(x), torch.from_numpy(w), layout_kept).numpy()
        else:
            result = nn.conv2d(x, w, b)
        np.testing.assert_array_equal(result, expected, strict=True)


def test_a_listed_bias_takes_the_dtype_of_the_result():
    x, w = np.ones((1, 1, 3), "float32"), np.ones((2, 1, 2), "float32")
    assert nn.conv1d(x, w, [0.5, 1]).dtype == np.float32
    with pytest.raises(TypeError, match=r"^conv1d: `bias` must not widen the result. Got bias float64 .* of int64"):
        nn.conv1d(x.astype(int), w.astype(int), [0.5, 1])


# ------------------------------------------------------------------------------------------------------ unfold and fold

WINDOWS = [
    ((2, 3, 6, 7), (3, 2), {}),
    ((2, 3, 6, 7), 3, {"stride": 2, "padding": 1}),
    ((1, 2, 7, 6), (2, 3), {"dilation": (3, 1), "padding": (0, 2), "stride": (1, 3)}),  # a remainder is left over
    ((3, 5, 4), (2, 2), {}),  # unbatched
    ((2, 2, 9), (3,), {"stride": 2}),
    ((1, 2, 4, 3, 5), (2, 1, 3), {"padding": (1, 0, 1), "stride": 2}),
    ((2, 2, 3, 2, 3), (1, 2, 2, 2), {}),  # four axes, unbatched
]


def spatial(shape, kernel):
    return shape[-(len(kernel) if isinstance(kernel, tuple) else 2) :]


@pytest.mark.jax_rows(shape=[(2, 2, 9)])
@pytest.mark.parametrize(("shape", "kernel", "options"), WINDOWS)
def test_fold_is_the_adjoint_of_unfold(library, shape, kernel, options):
    x = host(1, shape)
    columns = library.numpy(nn.unfold(library.asarray(x), kernel, **options))
    y = host(2, columns.shape)
    back = library.numpy(nn.fold(library.asarray(y), spatial(shape, kernel), kernel, **options))
    assert back.shape == x.shape
    assert np.vdot(columns, y) == pytest.approx(np.vdot(x, back), rel=1e-12)


@pytest.mark.parametrize(("shape", "kernel", "options"), WINDOWS)
def test_fold_of_unfold_counts_windows(shape, kernel, options):
    x, ones, sizes = host(1, shape, "int64"), np.ones(shape, dtype="int64"), spatial(shape, kernel)
    there, counts = (nn.fold(nn.unfold(a, kernel, **options), sizes, kernel, **options) for a in (x, ones))
    np.testing.assert_array_equal(there, x * counts)


@pytest.mark.jax_rows(dtype=["uint16", "complex64"])
@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "complex64"])
def test_windows_keep_the_dtype(library, dtype):
    x = library.asarray(host(1, (2, 5, 5), dtype))
    columns = nn.unfold(x, 2, padding=1)
    ones = nn.fold(columns, 5, 2, padding=1)
    assert columns.dtype == ones.dtype == x.dtype
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(library.numpy(ones), (4 * library.numpy(x)).astype(dtype), rtol=1e-6)


HOST_LAYOUTS = {
    "contiguous": lambda x: x,
    "by-columns": np.asfortranarray,
    "reversed": lambda x: x[..., ::-1],
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "other-byte-order": lambda x: x.astype(x.dtype.newbyteorder()),
}


@pytest.mark.parametrize("layout", HOST_LAYOUTS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16", "complex64"])
@pytest.mark.parametrize(("shape", "kernel", "options"), WINDOWS)
def test_windows_in_memory_are_those_of_the_standard_only_code(shape, kernel, options, dtype, layout):
    """Bit by bit, and tensors over the same memory have them too."""
    x, sizes = HOST_LAYOUTS[layout](host(3, shape, dtype)), spatial(shape, kernel)
    with config.using(accelerators=set()):
        columns = nn.unfold(x, kernel, **options)
        y = nn.fold(columns, sizes, kernel, **options)
    before = x.copy()
    for _ in range(2):  # also by the cached function
        for own, expected in (
            (nn.unfold(x, kernel, **options), columns),
            (nn.fold(columns, sizes, kernel, **options), y),
        ):
            assert own.dtype == expected.dtype
            assert own.dtype.isnative
            np.testing.assert_array_equal(own, expected)
            assert not np.shares_memory(own, x)
    np.testing.assert_array_equal(x, before)
    tensor = torch.from_numpy(np.array(x, x.dtype.newbyteorder("="), order="C"))
    np.testing.assert_array_equal(nn.unfold(tensor, kernel, **options).numpy(), columns)
    if dtype in ("float32", "float64"):
        folded = nn.fold(torch.from_numpy(columns), sizes, kernel, **options)
        np.testing.assert_array_equal(folded.numpy(), y)


def test_columns_of_tensors_are_added_in_memory():
    columns = torch.asarray(host(1, (2, 36, 4096), "float32"))
    expected = torch.nn.functional.fold(columns, (64, 64), 3, padding=1)
    torch.testing.assert_close(nn.fold(columns, (64, 64), 3, padding=1), expected)
    torch.testing.assert_close(torch.vmap(lambda c: nn.fold(c, (64, 64), 3, padding=1))(columns), expected)
    lazy = torch.complex(columns, columns).conj()
    torch.testing.assert_close(nn.fold(lazy, (64, 64), 3, padding=1), torch.complex(expected, -expected))


def test_a_convolution_is_a_product_with_columns():
    x, w = host(1, (2, 3, 6, 5), "int64"), host(2, (4, 3, 2, 3), "int64")
    columns = nn.unfold(x, (2, 3), padding=1, stride=2)
    y = nn.conv2d(x, w, padding=1, stride=2)
    np.testing.assert_array_equal((w.reshape(4, -1) @ columns).reshape(y.shape), y)


# ------------------------------------------------------------------------------------------ gradients, maps, compilers


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_torch_differentiates_operands_and_bias(name):
    row = CALLS if name == "conv2d" else TRANSPOSED
    function, arrays, options = canonical_operands(row["2d-groups"], "float64")
    arrays = tuple(torch.asarray(np.array(array)).requires_grad_() for array in arrays)
    assert torch.autograd.gradcheck(lambda *a: function(*a, **options), arrays, fast_mode=True)


def test_torch_differentiates_windows_and_gradients():
    x = torch.rand((2, 3, 5, 4), dtype=torch.float64, requires_grad=True)
    w = torch.rand((2, 3, 2, 2), dtype=torch.float64, requires_grad=True)
    y = torch.rand((2, 2, 4, 3), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: nn.unfold(x, 2, padding=1), (x,), fast_mode=True)
    assert torch.autograd.gradcheck(lambda x: nn.fold(nn.unfold(x, 2), (5, 4), 2), (x,), fast_mode=True)
    assert torch.autograd.gradcheck(lambda w, y: nn.grad.conv2d_input(x.shape, w, y), (w, y), fast_mode=True)
    assert torch.autograd.gradcheck(lambda x, y: nn.grad.conv2d_weight(x, w.shape, y), (x, y), fast_mode=True)


@pytest.mark.parametrize(("shape", "kernel", "options"), WINDOWS[:4])
def test_columns_are_differentiated_in_memory_as_by_torch(shape, kernel, options):
    x, sizes = torch.rand(shape, dtype=torch.float64, requires_grad=True), spatial(shape, kernel)

    def both_ways(x):
        return nn.fold(nn.unfold(x, kernel, **options), sizes, kernel, **options)

    expected = torch.nn.functional.unfold(x, kernel, **options)
    columns = nn.unfold(x, kernel, **options)
    dy = torch.rand(columns.shape, dtype=columns.dtype)
    assert torch.equal(torch.autograd.grad(columns, x, dy)[0], torch.autograd.grad(expected, x, dy)[0])
    checks = {"check_batched_grad": True, "check_forward_ad": True, "fast_mode": False}
    assert torch.autograd.gradcheck(both_ways, (x,), **checks)
    assert torch.autograd.gradgradcheck(both_ways, (x,))


TRACED = {
    "conv2d": lambda x, w, b: nn.conv2d(x, w, b, padding="same"),
    "conv_transpose2d": lambda x, w, b: nn.conv_transpose2d(x, w[:3], None, stride=2),
    "fold": lambda x, w, b: nn.fold(nn.unfold(x, 2, padding=1), (5, 4), 2, padding=1),
    "conv2d_weight": lambda x, w, b: nn.grad.conv2d_weight(x, (3, 3, 2, 2), nn.conv2d(x, w)),
}


@pytest.mark.parametrize("name", TRACED)
def test_torch_compiles_and_maps(name):
    x, w, b = (torch.asarray(host(n, shape)) for n, shape in enumerate([(2, 3, 5, 4), (3, 3, 2, 2), (3,)]))
    function, expected = TRACED[name], TRACED[name](x, w, b)
    torch.compiler.reset()
    compiled = torch.compile(function, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x, w, b), expected)
    mapped = torch.func.vmap(function, in_dims=(0, None, 0))(x[:, None], w, torch.stack([b, b]))
    torch.testing.assert_close(mapped.reshape(2, *mapped.shape[1:])[0], function(x[:1], w, b))


@pytest.mark.parametrize("name", ["conv2d", "fold"])
def test_jax_compiles_and_differentiates(name):
    arrays = [host(n, shape) for n, shape in enumerate([(2, 3, 5, 4), (3, 3, 2, 2), (3,)])]
    value, gradient = jax.jit(jax.value_and_grad(lambda *a: (TRACED[name](*a) ** 2).sum()))(*map(jnp.asarray, arrays))
    x, *others = (torch.asarray(array).requires_grad_() for array in arrays)
    expected = (TRACED[name](x, *others) ** 2).sum()
    expected.backward()
    assert float(value) == pytest.approx(expected.item())
    np.testing.assert_allclose(gradient, x.grad, rtol=1e-12)


RECORDED = {
    "conv2d": lambda x, w, b, g: arrayconv.vjp(nn.conv2d, x, w, b, padding=1, groups=2),
    "conv_transpose2d": lambda x, w, b, g: arrayconv.vjp(nn.conv_transpose2d, x, w[:4], bias=b[:2], stride=2),
    "unbatched": lambda x, w, b, g: arrayconv.vjp(nn.conv2d, x[0], w, b, 2, groups=2),
    "conv2d_input": lambda x, w, b, g: arrayconv.vjp(nn.grad.conv2d_input, x.shape, w, g, groups=2),
    "conv2d_weight": lambda x, w, b, g: arrayconv.vjp(nn.grad.conv2d_weight, x, w.shape, g, groups=2),
}


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", RECORDED)
def test_gradients_without_autograd_are_torch_s(name, dtype):
    arrays = [host(n, shape, dtype) for n, shape in enumerate([(1, 4, 5, 4), (6, 2, 2, 2), (6,), (1, 6, 4, 3)])]
    y, pullback = RECORDED[name](*arrays)
    dy = host(9, y.shape, dtype)
    tensors = [torch.asarray(array).requires_grad_() for array in arrays]
    expected, torch_pullback = RECORDED[name](*tensors)
    theirs = torch.autograd.grad(expected, torch_pullback.arguments, torch.asarray(dy))
    for gradient, other in zip(pullback(dy), theirs, strict=True):
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, other, rtol=0, atol=1e-12)


# ----------------------------------------------------------------------------------------------------------- refusals

X, W, T = np.ones((1, 4, 7, 8)), np.ones((6, 2, 3, 3)), np.ones((4, 3, 3, 3))
LINE, TAPS = np.ones((1, 1, 7)), np.ones((1, 1, 3))
PADDING = "'valid', 'full', 'same', 'same_lower', an int or a (before, after) pair"

REFUSED = {
    "channels": (
        lambda: nn.conv2d(np.ones((1, 4, 32, 32)), np.ones((8, 3, 5, 5)), groups=2),
        ValueError,
        "conv2d: `weight.shape[1] * groups` must equal the input channels. "
        "Got weight (8, 3, 5, 5), groups=2, input (1, 4, 32, 32): 3 * 2 != 4.",
    ),
    "channels-grad": (
        lambda: nn.grad.conv2d_weight(X, (6, 3, 3, 3), np.ones((1, 6, 5, 6))),
        ValueError,
        "conv2d_weight: `weight.shape[1] * groups` must equal the input channels. "
        "Got weight (6, 3, 3, 3), groups=1, input (1, 4, 7, 8): 3 * 1 != 4.",
    ),
    "filters-and-groups": (
        lambda: nn.conv2d(X, np.ones((6, 1, 3, 3)), groups=4),
        ValueError,
        "conv2d: `weight.shape[0]`, the output channels, must be a multiple of `groups`. "
        "Got weight (6, 1, 3, 3), groups=4: 6 % 4 = 2.",
    ),
    "channels-transposed": (
        lambda: nn.conv_transpose2d(X, T[:2]),
        ValueError,
        "conv_transpose2d: `weight.shape[0]` must equal the input channels. "
        "Got weight (2, 3, 3, 3), input (1, 4, 7, 8): 2 != 4.",
    ),
    "groups-transposed": (
        lambda: nn.conv_transpose2d(X, T, groups=3),
        ValueError,
        "conv_transpose2d: `weight.shape[0]`, the input channels, must be a multiple of `groups`. "
        "Got weight (4, 3, 3, 3), groups=3: 4 % 3 = 1.",
    ),
    "groups-zero": (lambda: nn.conv2d(X, W, groups=0), ValueError, "conv2d: `groups` must be at least 1. Got 0."),
    "groups-float": (lambda: nn.conv2d(X, W, groups=2.0), TypeError, "conv2d: `groups` must be an integer. Got 2.0."),
    "weight-axes": (
        lambda: nn.conv2d(X, W[0]),
        ValueError,
        "conv2d: `weight` must have 4 axes: (out_channels, in_channels / groups, *kernel_size). Got shape (2, 3, 3).",
    ),
    "weight-axes-any": (
        lambda: nn.conv(X, W[0, 0, 0]),
        ValueError,
        "conv: `weight` must have at least 2 axes: (out_channels, in_channels / groups, *kernel_size). Got shape (3,).",
    ),
    "weight-axes-transposed": (
        lambda: nn.conv_transpose3d(X, T),
        ValueError,
        "conv_transpose3d: `weight` must have 5 axes: (in_channels, out_channels / groups, *kernel_size). "
        "Got shape (4, 3, 3, 3).",
    ),
    "weight-empty": (
        lambda: nn.conv2d(X, np.ones((6, 4, 0, 3))),
        ValueError,
        "conv2d: `weight` must have at least one filter and one tap on every axis. Got shape (6, 4, 0, 3).",
    ),
    "input-axes": (
        lambda: nn.conv2d(X[0, 0], W),
        ValueError,
        "conv2d: `input` must have 4 axes (batch, channels, *size), or 3 without the batch. Got shape (7, 8).",
    ),
    "input-axes-transposed": (
        lambda: nn.conv_transpose1d(X, np.ones((4, 1, 3))),
        ValueError,
        "conv_transpose1d: `input` must have 3 axes (batch, channels, *size), or 2 without the batch. "
        "Got shape (1, 4, 7, 8).",
    ),
    "bias-shape": (
        lambda: nn.conv2d(X, W, np.ones(1), groups=2),
        ValueError,
        "conv2d: `bias` must have one element per output channel, shape (6,). Got shape (1,).",
    ),
    "bias-shape-transposed": (
        lambda: nn.conv_transpose2d(X, T, np.ones(3), groups=2),
        ValueError,
        "conv_transpose2d: `bias` must have one element per output channel, shape (6,). Got shape (3,).",
    ),
    "bias-library": (
        lambda: nn.conv1d(LINE, TAPS, torch.ones(1)),
        TypeError,
        "conv1d: `input` and `bias` must come from one array library. Got numpy and torch. "
        "Convert one of them first; nothing is moved behind your back.",
    ),
    "bias-bool": (
        lambda: nn.conv1d(LINE, TAPS, [True]),
        TypeError,
        "conv1d: `bias` has dtype bool, which has no convolution here. Cast it to an integer dtype first.",
    ),
    "libraries": (
        lambda: nn.conv_transpose1d(LINE, torch.ones((1, 1, 3))),
        TypeError,
        "conv_transpose1d: `input` and `weight` must come from one array library. Got numpy and torch. "
        "Convert one of them first; nothing is moved behind your back.",
    ),
    "libraries-grad": (
        lambda: nn.grad.conv1d_input((1, 1, 7), torch.ones((1, 1, 3)), np.ones((1, 1, 5))),
        TypeError,
        "conv1d_input: `grad_output` and `weight` must come from one array library. Got numpy and torch. "
        "Convert one of them first; nothing is moved behind your back.",
    ),
    "padding-name": (
        lambda: nn.conv1d(LINE, TAPS, padding="sam"),
        ValueError,
        f"conv1d: `padding` must be one of {PADDING}. Got 'sam'. Did you mean 'same'?",
    ),
    "padding-float": (
        lambda: nn.conv1d(LINE, TAPS, padding=1.0),
        TypeError,
        f"conv1d: `padding` must be one of {PADDING} per axis. Got 1.0.",
    ),
    "padding-negative": (
        lambda: nn.conv2d(X, W, padding=(1, -2), groups=2),
        ValueError,
        "conv2d: `padding` must be at least 0 on every side. Got (1, -2). Slice the input.",
    ),
    "padding-count": (
        lambda: nn.conv2d(X, W, padding=(1, 2, 3)),
        ValueError,
        "conv2d: `padding` must be one value or one per convolved axis. Got 3 values (1, 2, 3) for 2 axes.",
    ),
    "padding-flat-pair": (
        lambda: nn.conv1d(LINE, TAPS, padding=(1, 2)),
        ValueError,
        "conv1d: `padding` must be one value or one per convolved axis. Got 2 values (1, 2) for 1 axes.",
    ),
    "padding-name-transposed": (
        lambda: nn.conv_transpose1d(LINE, TAPS, padding="same"),
        TypeError,
        "conv_transpose1d: `padding` must be an integer. Got 'same'.",
    ),
    "padding-negative-transposed": (
        lambda: nn.conv_transpose1d(LINE, TAPS, padding=-1),
        ValueError,
        "conv_transpose1d: `padding` must be at least 0 on every axis. Got -1.",
    ),
    "stride": (
        lambda: nn.conv2d(X, W, stride=(1, 0)),
        ValueError,
        "conv2d: `stride` must be at least 1 on every axis. Got (1, 0).",
    ),
    "stride-count": (
        lambda: nn.conv3d(X[None], W[None], stride=(1, 2)),
        ValueError,
        "conv3d: `stride` must be one value or one per convolved axis. Got 2 values (1, 2) for 3 axes.",
    ),
    "dilation": (
        lambda: nn.conv_transpose2d(X, T, dilation=0),
        ValueError,
        "conv_transpose2d: `dilation` must be at least 1 on every axis. Got 0.",
    ),
    "output-padding": (
        lambda: nn.conv_transpose2d(X, T, stride=(2, 3), output_padding=2),
        ValueError,
        "conv_transpose2d: `output_padding` must be smaller than `stride` or `dilation` on every axis. "
        "Got output_padding=(2, 2), stride=(2, 3), dilation=(1, 1).",
    ),
    "too-short": (
        lambda: nn.conv1d(LINE, np.ones((1, 1, 4)), padding=((0, 1),), dilation=3),
        ValueError,
        "conv1d: the padded axis must hold the kernel. Got 7 samples, upsample 1, padding (0, 1): 8 samples for 4 taps "
        "with dilation 3 (reach 10). Pad more or use a shorter kernel.",
    ),
    "no-output-transposed": (
        lambda: nn.conv_transpose2d(X[:, :, :1, :1], T, padding=(1, 2)),
        ValueError,
        "conv_transpose2d: the output must have at least one sample on every axis. Got (1, -1) = (n - 1) * stride "
        "- 2 * padding + dilation * (k - 1) + output_padding + 1 for n=(1, 1), k=(3, 3), stride=(1, 1), "
        "padding=(1, 2), output_padding=(0, 0), dilation=(1, 1). Pad less.",
    ),
    "boundary": (
        lambda: nn.conv1d(LINE, TAPS, boundary="replicate"),
        ValueError,
        "conv1d: `boundary` must be one of 'constant', 'edge', 'symmetric', 'reflect', 'wrap'. Got 'replicate'. "
        "It is called 'edge' here.",
    ),
    "fill": (
        lambda: nn.conv1d(LINE, TAPS, padding=1, fill_value=1j),
        TypeError,
        "conv1d: `fill_value` must fit the result's dtype float64. Got 1j. Pass a wider dtype=, or a fill of its kind.",
    ),
    "method": (
        lambda: nn.conv_transpose1d(LINE, TAPS, method="gemm"),
        ValueError,
        f"conv_transpose1d: `method` must be one of {str(list(METHODS))[1:-1]}. Got 'gemm'.",
    ),
    "unfold-axes": (
        lambda: nn.unfold(LINE[0], 3),
        ValueError,
        "unfold: `input` must have 4 axes (batch, channels, *size), or 3 without the batch. Got shape (1, 7).",
    ),
    "unfold-too-short": (
        lambda: nn.unfold(X, 9, padding=(1, 0)),
        ValueError,
        "unfold: the padded axis must hold a window, `kernel_size`. Got 8 samples, upsample 1, padding (0, 0): "
        "8 samples for 9 taps with dilation 1 (reach 9). Pad more or use a shorter kernel.",
    ),
    "unfold-bool": (
        lambda: nn.unfold(X > 0, 3),
        TypeError,
        "unfold: `input` has dtype bool, which has no convolution here. Cast it to an integer dtype first.",
    ),
    "unfold-padding": (
        lambda: nn.unfold(X, 3, padding=-1),
        ValueError,
        "unfold: `padding` must be at least 0 on every axis. Got -1.",
    ),
    "fold-axes": (
        lambda: nn.fold(X, 3, 3),
        ValueError,
        "fold: `input` must have 3 axes (batch, channels * taps, windows), or 2 without the batch. "
        "Got shape (1, 4, 7, 8).",
    ),
    "fold-windows": (
        lambda: nn.fold(np.ones((9, 24)), 7, 3),
        ValueError,
        "fold: `input.shape[-1]` must be the number of windows. Got input (9, 24), but output_size=(7, 7), "
        "kernel_size=(3, 3), dilation=(1, 1), padding=(0, 0), stride=(1, 1) have 5 * 5 = 25.",
    ),
    "fold-channels": (
        lambda: nn.fold(np.ones((8, 25)), 7, 3),
        ValueError,
        "fold: `input.shape[-2]` must be a multiple of the taps. Got input (8, 25), kernel_size=(3, 3): 8 % 9 = 8.",
    ),
    "fold-count": (
        lambda: nn.fold(np.ones((8, 25)), (7, 7), (3, 3, 3)),
        ValueError,
        "fold: `output_size` must be one value or one per convolved axis. Got 2 values (7, 7) for 3 axes.",
    ),
    "grad-output": (
        lambda: nn.grad.conv2d_input((1, 4, 9, 9), W, np.ones((1, 6, 4, 4)), 2, 1, 1, 2),
        ValueError,
        "conv2d_input: `grad_output` must have the shape of the convolution's output. Got (1, 6, 4, 4), but input "
        "(1, 4, 9, 9) and weight (6, 2, 3, 3) with stride=(2, 2), padding=((1, 1), (1, 1)), dilation=(1, 1), groups=2 "
        "give (1, 6, 5, 5).",
    ),
    "grad-size": (
        lambda: nn.grad.conv1d_input(5, TAPS, LINE),
        TypeError,
        "conv1d_input: `input_size` must be a tuple of integers: a shape. Got 5.",
    ),
    "grad-negative-size": (
        lambda: nn.grad.conv1d_weight(LINE, (1, 1, -3), LINE),
        ValueError,
        "conv1d_weight: `weight_size` must have sizes of at least 0. Got (1, 1, -3).",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_before_anything_is_computed(name, monkeypatch):
    def computed(*_, **__):
        raise AssertionError("something was computed before the refusal")

    call, kind, text = REFUSED[name]
    monkeypatch.setattr(_autodiff, "run", computed)
    monkeypatch.setattr(patches, "windows", computed)
    with pytest.raises(kind) as refusal:
        call()
    assert str(refusal.value) == text


def test_refusal_is_the_same_after_an_equal_call():
    nn.conv1d(LINE, TAPS, stride=2, padding=1)
    for option in ({"stride": 2.0}, {"dilation": 1.0}, {"groups": 1.0}, {"padding": ((1.0, 1),)}):
        with pytest.raises(TypeError, match=r"^conv1d: `\w+` must be"):
            nn.conv1d(LINE, TAPS, **option)


@pytest.mark.parametrize("count", [1, 2, 3, None])
@pytest.mark.parametrize("name", ["conv", "conv_transpose"])
def test_names_are_those_the_user_called(name, count):
    name, ones = f"{name}{count}d" if count else name, np.ones((1,) * (2 + (count or 4)))
    with pytest.raises(TypeError, match=rf"^{name}: `groups` must be an integer. Got '2'\.$"):
        getattr(nn, name)(ones, ones, groups="2")
    for what in ("input", "weight") if count and name == f"conv{count}d" else ():
        with pytest.raises(TypeError, match=rf"^{name}_{what}: `groups` must be an integer"):
            getattr(nn.grad, f"{name}_{what}")(
                *((ones.shape, ones) if what == "input" else (ones, ones.shape)), ones, groups="2"
            )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_fold_adds_half_precision_in_float32(dtype):
    torch = pytest.importorskip("torch")
    x = torch.rand(1, 1, 30, 30, generator=torch.Generator().manual_seed(0)).to(getattr(torch, dtype))
    columns = nn.unfold(x, (7, 7))
    exact = nn.fold(columns.double(), (30, 30), (7, 7))
    assert torch.all((nn.fold(columns, (30, 30), (7, 7)).double() - exact).abs() <= torch.finfo(x.dtype).eps * exact)
