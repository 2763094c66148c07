"""Operands of two dtypes without a cast: a kernel reads them as they are and rounds once. Nothing runs on a GPU."""

import warnings

import cupy
import numpy as np
import pytest

import arrayconv
from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.launch import launch
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._problem.spec import Axis, Spec
from tests.cuda.standin import LEDGER, Device
from tests.cuda.test_kernels import numbers

PAIRS = [  # dtypes of x and of the kernel
    ("float16", "float16"),
    ("float16", "float32"),
    ("uint8", "float32"),
    ("float32", "uint64"),
    ("uint8", "int8"),
    ("int16", "uint32"),
    ("uint16", "uint16"),
    ("int64", "float64"),
]
COMPLEX = [("float16", "complex64"), ("complex64", "float64"), ("int32", "complex64")]
ROWS = [("cuda_loops", *pair) for pair in (*PAIRS, *COMPLEX)]
ROWS += [(method, *pair) for method in ("cuda_rows", "cuda_tiles") for pair in (PAIRS[0], PAIRS[4])]


@pytest.mark.parametrize(("method", "of_x", "of_kernel"), ROWS)
def test_operands_are_read_in_their_dtypes_by_one_launch(method, of_x, of_kernel):
    x, kernel = numbers((9, 38), of_x, 1), numbers((3, 3), of_kernel, 2)
    on_device = cupy.asarray(x), cupy.asarray(kernel)
    LEDGER.reset()
    y = arrayconv.convolve(*on_device, "same", method=method, boundary="reflect")
    assert LEDGER.num_launches == 1
    expected = arrayconv.convolve(x, kernel, "same", method="direct", boundary="reflect")
    assert y.dtype == expected.dtype
    tolerance = 0 if y.dtype.kind in "iu" else 20 * np.finfo(y.dtype).eps * np.abs(expected).max()
    np.testing.assert_allclose(y.values, expected, rtol=0, atol=tolerance)


def converted(values, dtype):
    """Return a kernel's product of values and 1, written as another dtype; values and result are any NumPy dtypes."""
    y = np.empty(values.size, dtype)
    spec = Spec(1, 1, 1, 1, (Axis(values.size, 1, values.size),))
    types = job.Types(values.dtype.name, "float32", "float32", y.dtype.name)
    packed = job.job(spec, "float32", 0, (0, 0, 0, 1), (0, 0, 0, 1), (0, 0, 0, 1))
    one = np.ones(1, "float32")
    packed["x"], packed["w"], packed["y"] = values.ctypes.data, one.ctypes.data, y.ctypes.data
    launch(Kernel("loops", job.options(types, NAXES=1)), Grid((8, 1, 1), (256, 1, 1)), packed, Device())
    return y


def narrow(name):
    """Return a dtype of 16 bits."""
    return np.dtype(
        name if name == "float16" else pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed").bfloat16
    )


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_narrow_float_is_read_exactly(name):
    every = np.arange(1 << 16, dtype=np.uint16).view(narrow(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NaNs
        np.testing.assert_array_equal(converted(every, np.float32), every.astype(np.float32))


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_sum_is_rounded_to_nearest_with_ties_to_even(name):
    dtype = narrow(name)
    every = np.arange(0x7F80 if name == "bfloat16" else 0x7C00, dtype=np.uint16).view(dtype).astype(np.float32)
    middles = (every[1:].astype(np.float64) + every[:-1]) / 2  # float32 represents them
    around = [middles, np.nextafter(middles, np.inf), np.nextafter(middles, -np.inf)]
    random = np.random.default_rng(0).integers(0, 1 << 32, 1 << 16, dtype=np.uint32).view(np.float32)
    samples = np.concatenate([each.astype(np.float32) for each in (*around, random, -random)])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(converted(samples, dtype).astype(float), samples.astype(dtype).astype(float))


def test_result_is_written_to_a_view_of_out():
    x, kernel = numbers((20, 31), "float16", 1), numbers((3, 3), "float16", 2)
    memory = cupy.zeros((31, 40), dtype="float16")
    out, on_device = memory.T[::2], (cupy.asarray(x), cupy.asarray(kernel))
    for _ in range(2):
        LEDGER.reset()
        y = arrayconv.convolve(*on_device, "same", out=out)
    assert (y is out, LEDGER.num_launches) == (True, 1)
    np.testing.assert_array_equal(memory.values.T[::2], arrayconv.convolve(*on_device, "same").values)
    assert not memory.values.T[1::2].any()
