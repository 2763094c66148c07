"""Zero-padded data: every function that writes it gives what `numpy.pad` gives, with zeros behind it on request."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from arrayconv._arrays import buffers, zero_padding
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import compat_namespace
from arrayconv._arrays.zero_padding import PaddedLayout, zero_padded, zero_padded_parts, zero_regions

LIBRARIES = {"numpy": np.asarray, "torch": torch.as_tensor, "jax": jnp.asarray}
SHAPES = [((3,), (2,), (4,)), ((4, 5), (0, 3), (1, 0)), ((2, 180, 200), (0, 7, 5), (0, 0, 9))]  # before, after


class Unwritable:
    """An array of the standard's functions alone: y[...] = v is an error."""

    def __init__(self, data):
        self.data = data
        self.shape, self.dtype = data.shape, data.dtype

    def __array_namespace__(self):
        return UnwritableNamespace

    def __array__(self, dtype=None, copy=None):
        return self.data


class Exact(Unwritable):
    """An array whose assignment takes values of the exact shape; one of another shape is lost without an error."""

    def __getitem__(self, index):
        return Exact(self.data[index])

    def __setitem__(self, index, value):
        self.data[index] = value.data if value.shape == self.data[index].shape else np.nan


class UnwritableNamespace:
    reshape = staticmethod(lambda x, shape: Unwritable(x.data.reshape(shape)))
    broadcast_to = staticmethod(lambda x, shape: Unwritable(np.broadcast_to(x.data, shape)))
    concat = staticmethod(lambda parts: Unwritable(np.concatenate([part.data for part in parts])))
    take = staticmethod(lambda x, at, axis: Unwritable(x.data.take(at.data, axis)))
    asarray = staticmethod(lambda x, dtype=None: Unwritable(np.asarray(x, dtype)))


def problem(size, before, after):
    x = np.arange(1.0, 1 + np.prod(size)).reshape(size)
    place = tuple(slice(b, b + n) for b, n in zip(before, size, strict=True))
    return x, place, np.pad(x, list(zip(before, after, strict=True)))


@pytest.mark.parametrize("row", SHAPES)
@pytest.mark.parametrize(
    ("library", "zeros_first"), [("numpy", False), ("numpy", True), ("torch", False), ("torch", True), ("jax", True)]
)
def test_data_is_zero_padded(library, zeros_first, row):
    x, place, expected = problem(*row)
    data = LIBRARIES[library](x.astype("float32"))
    options = {"xp": compat_namespace(library), "device": device_of(data), "zeros_first": zeros_first}
    np.testing.assert_array_equal(np.asarray(zero_padded(data, expected.shape, place, **options)), expected)


@pytest.mark.parametrize("few", [0, 1 << 15])
@pytest.mark.parametrize("row", SHAPES)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_memory_is_the_array_and_zeros_behind_it(library, row, few, monkeypatch):
    monkeypatch.setattr(zero_padding, "_SMALL", few)
    x, place, expected = problem(*row)
    frame = PaddedLayout(expected.shape, zero_regions(expected.shape, place), 6)
    options = {"xp": compat_namespace(library), "device": "cpu", "zeros_first": False}
    data = LIBRARIES[library](x)
    y, whole = zero_padded_parts(data, frame, ((place, data),), **options)
    np.testing.assert_array_equal(np.asarray(y), expected)
    np.testing.assert_array_equal(np.asarray(whole), [*expected.ravel(), *[0] * 6])


@pytest.mark.parametrize("index", [..., (slice(1, 3), ...), (..., slice(0, 4, 2)), (2, slice(None)), slice(0, 0)])
@pytest.mark.parametrize("value", [7, np.array(5.0), np.arange(4.0)])
def test_a_library_without_assignment_gets_a_new_array(index, value):
    y = np.arange(10.0, 26).reshape(4, 4)
    value = value if isinstance(value, int) or value.ndim == 0 else value[: y[index].shape[-1]]
    expected = y.copy()
    expected[index] = value
    result = buffers.set_at(Unwritable(y), index, value if isinstance(value, int) else Unwritable(value))
    np.testing.assert_array_equal(np.asarray(result), expected)


@pytest.mark.parametrize("shape", [(9,), (1, 9), (4, 1), (4, 9), ()])
def test_an_unknown_library_is_assigned_arrays_of_the_exact_shape(shape):
    y, value = np.zeros((4, 12)), np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape)
    expected = y.copy()
    expected[:, :9] = value
    result = buffers.set_at(Exact(y), (..., slice(9)), Unwritable(value))
    np.testing.assert_array_equal(np.asarray(result), expected)
