"""Axes are brought into order piece by piece under a cap: the bits of calls that copy x whole, in any `out`."""

import numpy as np
import pytest
import torch

import arrayconv
from arrayconv import nn, signal
from arrayconv._plan.rank import TABLE
from arrayconv._problem import positional
from arrayconv._problem.layout import Permutation
from arrayconv._run.pieces import Pieces, has_views, joins_in_view
from arrayconv.testing import error_bound

RANDOM = np.random.default_rng(0)
SHAPE = (6, 30, 40)
AXES = {"0": 0, "1": 1, "2": 2, "0, 1": (0, 1), "0, 2": (0, 2)}
METHODS = [name for name, row in TABLE.items() if not name.startswith("xla_") and row.accuracy == "componentwise"]
LAYOUTS = {
    "C": lambda x: x,
    "F": np.asfortranarray,
    "moved": lambda x: np.moveaxis(np.moveaxis(x, 1, 2).copy(), 2, 1),
    "strided": lambda x: np.repeat(x, 2, axis=2)[:, :, ::2],
    "swapped": lambda x: x.astype(x.dtype.newbyteorder()),
}


def numbers(shape, dtype):
    return (8 * RANDOM.standard_normal(shape)).astype(dtype)


def outs(shape, dtype):
    """Return arrays that no view, or no loop, can write on canonical axes."""
    yield np.empty(shape, dtype)
    yield np.empty(shape, dtype, "F")
    yield np.empty((*shape[:-1], 2 * shape[-1]), dtype)[..., ::2]
    yield np.empty(shape, np.dtype(dtype).newbyteorder())
    size = np.prod(shape) * np.dtype(dtype).itemsize
    yield np.empty(size + 1, "u1")[1:].view(dtype).reshape(shape)


def smallest(x, kernel, options):
    """Return the bytes of a method's smallest piece."""
    with pytest.raises(ValueError, match="too small for any piece") as refusal:
        arrayconv.explain(x, kernel, "same", max_workspace=1, **options)
    return int(str(refusal.value).partition(" needs ")[2].split()[0])


def check_bits(y, expected, method):
    """Compare bits; torch sums in an order that depends on the number of images."""
    if method == "torch_conv":
        np.testing.assert_allclose(y, expected, rtol=0, atol=8 * np.finfo(y.dtype).eps * np.abs(expected).max())
    else:
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("dtype", ["float32", "uint16", "complex64"])
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("method", METHODS)
def test_pieces_give_the_bits_of_a_whole_copy(method, axes, dtype):
    x, kernel = numbers(SHAPE, dtype), numbers((3,) * np.size(AXES[axes]), dtype)
    options = {"axes": AXES[axes], "boundary": "reflect"}
    row = next(row for row in arrayconv.explain(x, kernel, "same", **options).candidates if row.name == method)
    if row.refusal is not None:
        pytest.skip(row.refusal)
    options = {**options, "method": method}
    expected = arrayconv.convolve(x, kernel, "same", max_workspace=1 << 30, **options)
    cap = max(2 * smallest(x, kernel, options), x.nbytes // 2)
    if cap >= 2 * x.nbytes and axes in ("1", "0, 2"):  # their axes are joined in a copy
        pytest.skip("the smallest piece is of the size of x")
    for layout in LAYOUTS.values():
        y = arrayconv.convolve(layout(x), kernel, "same", max_workspace=cap, **options)
        check_bits(y, expected, method)
    for out in outs(y.shape, dtype):
        assert arrayconv.convolve(x, kernel, "same", max_workspace=cap, out=out, **options) is out
        check_bits(out, expected, method)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("method", ["fft", "overlap_save"])
def test_transforms_of_pieces_stay_within_the_bound(method, axis):
    x, kernel = numbers(SHAPE, "float32"), numbers(3, "float32")
    y = arrayconv.convolve(x, kernel, axes=axis, method=method, max_workspace=20_000)
    exact = arrayconv.convolve(x.astype("float64"), kernel.astype("float64"), axes=axis, method="direct")
    assert np.all(np.abs(y - exact) <= error_bound("convolve", x, kernel, axes=axis))


@pytest.mark.parametrize("axis", [0, 1])
def test_groups_are_cut_too(axis):
    x, kernel = numbers(SHAPE, "float32"), numbers((1, 1, SHAPE[2]), "float32")
    kernel = np.concatenate([kernel] * 3, axis=axis)  # a kernel for every sample of the last axis
    expected = arrayconv.convolve(x, kernel, axes=axis, method="direct")
    y = arrayconv.convolve(x, kernel, axes=axis, method="direct", max_workspace=10_000)
    np.testing.assert_array_equal(y, expected)


def test_an_out_that_overlaps_x_is_computed_aside():
    x, kernel = numbers(SHAPE, "float32"), numbers(3, "float32")
    expected = arrayconv.convolve(x, kernel, "same", axes=1)
    with pytest.raises(ValueError, match="a copy for `out`"):
        arrayconv.convolve(x, kernel, "same", axes=1, out=x, max_workspace=10_000)
    arrayconv.convolve(x, kernel, "same", axes=1, out=x, max_workspace=100_000)
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
def test_a_bias_is_added_in_the_dtype_of_the_sums(dtype):
    x, weight, bias = numbers((2, 3, 9), dtype), numbers((4, 3, 3), dtype), numbers(4, dtype)
    sums = "int32" if dtype == "uint8" else "float32"
    total = nn.conv1d(x.astype(sums), weight.astype(sums)) + bias.astype(sums)[:, None]  # rounded once
    np.testing.assert_array_equal(nn.conv1d(x, weight, bias), total.astype(dtype))


@pytest.mark.parametrize("mode", ["smooth", "line", "antisymmetric", "antireflect"])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_upfirdn_extends_block_by_block(mode, axis, dtype):
    x, h = numbers(SHAPE, dtype), numbers(5, "float32")
    expected = signal.upfirdn(h, x, 2, 3, axis, mode)
    with arrayconv.config.using(max_workspace=12_000):
        for _ in range(2):
            y = signal.upfirdn(h, x, 2, 3, axis, mode)
            assert y.dtype == expected.dtype
            np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-4)


def test_upfirdn_names_the_bytes_of_a_line_that_exceeds_the_cap():
    x = np.ones(1000, "float32")
    with (
        arrayconv.config.using(max_workspace=5000),
        pytest.raises(ValueError, match=r"one line along axis 0 takes \d+ bytes. Got max_workspace=5000. Allow more"),
    ):
        signal.upfirdn([1.0, 1.0], x, mode="line")


def test_tensors_are_refused_as_before():
    x, kernel = torch.ones(SHAPE), torch.ones(3)
    with pytest.raises(ValueError, match="reordering the axes"):
        arrayconv.convolve(x, kernel, axes=1, max_workspace=10_000)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0)])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 3, 1, 5), (2, 1, 1, 1)])
def test_every_range_of_joined_axes_is_read_and_written(shape, order):
    x = np.arange(np.prod(shape)).reshape(shape)
    transposed = [shape[axis] for axis in order]
    joined = (int(np.prod(transposed[:3])), 1, transposed[3])
    whole, permutation = x.transpose(order).reshape(joined), Permutation(shape, order, joined)
    assert joins_in_view(x, permutation) == np.shares_memory(whole, x)
    for first in range(joined[0]):
        for stop in range(first + 1, joined[0] + 1):
            index = slice(first, stop), slice(0, 1), slice(None, None, 2)
            np.testing.assert_array_equal(Pieces(x, permutation, "float32")[index], whole[index])
            written = np.zeros(shape)
            Pieces(written, permutation, "float64")[index] = whole[index]
            expected = np.zeros(joined)
            expected[index] = whole[index]
            np.testing.assert_array_equal(written.transpose(order).reshape(joined), expected)


def test_an_ellipsis_writes_one_number_or_all():
    array = np.zeros((3, 4, 5))
    pieces = Pieces(array, Permutation((3, 4, 5), (2, 0, 1), (5, 12)), array.dtype)
    pieces[...] = 7
    np.testing.assert_array_equal(array, 7)
    values = np.arange(60.0).reshape(5, 12)
    pieces[...] = values
    np.testing.assert_array_equal(array.transpose(2, 0, 1).reshape(5, 12), values)


@pytest.mark.parametrize(
    ("x_shape", "kernel_shape", "views"),
    [((1, 9), (1, 3), True), ((2, 9), (1, 3), True), ((1, 9), (2, 3), True), ((2, 2, 9), (1, 1, 3), False)],
)
def test_a_result_is_a_view_where_no_axes_longer_than_1_are_joined(x_shape, kernel_shape, views):
    geometry = positional.geometry("f", "valid", len(x_shape) - 1, "constant", 1, 1)
    assert has_views(positional.problem("f", x_shape, kernel_shape, geometry)) is views
