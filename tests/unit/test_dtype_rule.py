"""The one dtype rule on every library: the dtype of the result, of the sums, and exact integers."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import arrayconv
from arrayconv._algorithms import ALGORITHMS
from arrayconv._arrays import dtypes
from arrayconv.testing import reference
from tests import oracle

METHODS = list(ALGORITHMS)
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]

# result of a pair, in either order; the rest follows from the rule for equal kinds
PAIRS = [
    ("int8", "int16", "int16"),  # like kinds: the wider
    ("int32", "int64", "int64"),
    ("uint8", "uint32", "uint32"),
    ("uint8", "int8", "int16"),  # a signed type that holds both
    ("uint16", "int8", "int32"),
    ("uint32", "int32", "int64"),
    ("uint8", "int64", "int64"),
    ("float32", "float64", "float64"),
    ("complex64", "complex128", "complex128"),
    ("float32", "complex64", "complex64"),
    ("float64", "complex64", "complex128"),  # neither operand's: both are held
    ("int64", "float32", "float32"),  # an integer takes the float operand's dtype on every library
    ("uint8", "float64", "float64"),
    ("int8", "complex64", "complex64"),
    ("uint64", "float32", "float32"),
    *((name, name, name) for name in (*INTEGERS, "float32", "float64", "complex64", "complex128")),
]
HALVES = [  # not in the standard: NumPy, torch and JAX have float16, torch and JAX bfloat16
    ("float16", "float16", "float16"),
    ("float16", "float32", "float32"),
    ("int32", "float16", "float16"),
    ("float16", "complex64", "complex64"),
    ("bfloat16", "bfloat16", "bfloat16"),
    ("bfloat16", "float16", "float32"),  # neither holds the other
    ("bfloat16", "float64", "float64"),
    ("uint8", "bfloat16", "bfloat16"),
]


def name_of(array):
    return str(getattr(array.dtype, "name", None) or str(array.dtype).rsplit(".", 1)[-1])


def ones(library, n, dtype):
    return library.xp.ones(n, dtype=getattr(library.xp, dtype), device=library.device)


def result(library, x, kernel):
    """Return the result's dtype for 3 samples of one dtype and 2 taps of another; JAX only traces the call."""
    operands = ones(library, 3, x), ones(library, 2, kernel)
    if library.name == "jax":
        return name_of(jax.eval_shape(arrayconv.convolve, *operands))
    y = arrayconv.convolve(*operands)
    if "float16" not in name_of(y):
        assert library.numpy(y).tolist() == [1, 2, 2, 1]
    return name_of(y)


def test_every_pair_on_every_library(library):
    for first, second, expected in PAIRS:
        for x, kernel in {(first, second), (second, first)}:
            assert result(library, x, kernel) == expected, (x, kernel)


def test_every_pair_of_halves(library):
    for first, second, expected in HALVES:
        if all(hasattr(library.xp, name) for name in (first, second, expected)):
            for x, kernel in {(first, second), (second, first)}:
                assert result(library, x, kernel) == expected, (x, kernel)


def test_rule_is_symmetric_and_closed():
    for first, second in itertools.product(dtypes.DTYPES, repeat=2):
        assert dtypes.promote(first, second) == dtypes.promote(second, first)
        assert dtypes.promote(first, second) in (*dtypes.DTYPES, None)


@pytest.mark.parametrize("signed", ["int8", "int16", "int32", "int64"])
def test_uint64_beside_a_signed_integer_is_refused(signed, library):
    for x, kernel in (("uint64", signed), (signed, "uint64")):
        with pytest.raises(TypeError) as refusal:
            arrayconv.convolve(ones(library, 3, x), ones(library, 2, kernel))
        assert str(refusal.value) == (
            f"convolve: {x} and {kernel} have no common dtype. Got `x` {x}, `kernel` {kernel}. "
            f"Cast one of them; with dtype= both are cast."
        )


def test_dtype_casts_both_where_they_have_no_common_one(library):
    y = arrayconv.convolve(ones(library, 3, "uint64"), ones(library, 2, "int8"), dtype="float64")
    assert (name_of(y), library.numpy(y).tolist()) == ("float64", [1, 2, 2, 1])


# ---- dtype= ----


def test_dtype_widens_sums_and_result(library):
    host = np.random.default_rng(0).integers(0, 256, (9, 11), dtype=np.uint8)
    box = np.ones((5, 5), dtype=np.uint8)
    expected = arrayconv.convolve(host.astype(np.int64), box.astype(np.int64), "same")
    assert expected.max() > 255
    image, kernel = library.asarray(host), library.asarray(box)
    for dtype in ("int32", library.xp.int32):
        y = arrayconv.convolve(image, kernel, "same", dtype=dtype)
        assert name_of(y) == "int32"
        assert np.array_equal(library.numpy(y), expected)


@pytest.mark.parametrize("method", METHODS)
def test_dtype_widens_in_every_method(method):
    x = np.full(20, 255, dtype=np.uint8)
    y = arrayconv.convolve(x, np.full(9, 255, dtype=np.uint8), "valid", dtype=np.uint32, method=method)
    assert (y.dtype, set(y.tolist())) == (np.dtype("uint32"), {255 * 255 * 9})


@pytest.mark.parametrize(
    ("x", "kernel", "dtype"),
    [
        ("uint8", "uint8", "float32"),
        ("uint8", "int8", "float64"),
        ("float32", "float32", "float64"),
        ("float32", "float32", "complex64"),
        ("float64", "int8", "complex128"),
        ("int32", "int32", "int32"),
        ("int8", "int8", "int64"),
    ],
)
def test_dtype_may_be_any_wider_one(x, kernel, dtype, library):
    y = arrayconv.convolve(ones(library, 3, x), ones(library, 2, kernel), dtype=dtype)
    assert (name_of(y), library.numpy(y).tolist()) == (dtype, [1, 2, 2, 1])


@pytest.mark.parametrize(
    ("x", "kernel", "dtype"),
    [
        ("float64", "float64", "float32"),
        ("int16", "int8", "int8"),
        ("complex64", "float32", "float32"),
        ("float32", "float32", "int64"),
        ("uint8", "uint8", "int8"),
        ("int8", "int8", "uint16"),
        ("float64", "float64", "complex64"),
        ("uint64", "int8", "int64"),
    ],
)
def test_dtype_never_narrows(x, kernel, dtype):
    with pytest.raises(TypeError) as refusal:
        arrayconv.correlate(np.ones(3, dtype=x), np.ones(2, dtype=kernel), dtype=dtype)
    assert str(refusal.value) == (
        f"correlate: `dtype` widens the accumulator and the result, it never narrows. Got dtype={dtype} for "
        f"x {x} and kernel {kernel}. Cast the operands first if that is meant."
    )


# ---- half precision ----


@pytest.mark.parametrize("method", METHODS)
def test_float16_sums_are_formed_in_float32(method):
    x, kernel = np.ones(4000, dtype=np.float16), np.ones(4000, dtype=np.float16)
    y = arrayconv.convolve(x, kernel, "valid", method=method)  # a float16 counter sticks at 2048
    assert (y.dtype, y.tolist()) == (np.dtype("float16"), [4000.0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dtype", "expected"), [(torch.float16, 4000.0), (torch.bfloat16, 4000.0)])
def test_torch_half_sums_are_formed_in_float32(method, dtype, expected):
    x = torch.ones(4000, dtype=dtype)
    y = arrayconv.convolve(x, x, "valid", method=method)  # a bfloat16 counter sticks at 256
    assert y.dtype == dtype
    assert y.tolist() == [expected]


def test_jax_half_sums_are_formed_in_float32():
    x = jnp.ones((600, 1), dtype=jnp.bfloat16)  # more than 256, from which sums of ones in bfloat16 stay where they are
    for method in ("im2col", "fft"):
        y = arrayconv.einconv("c n, c n -> n | n", x, x, method=method)
        assert (y.dtype, float(y[0])) == (jnp.bfloat16, 600.0)


def test_float16_overflows_in_the_result_alone():
    x, kernel = np.array([300, 300], dtype=np.float16), np.array([300, -300], dtype=np.float16)
    with np.errstate(over="ignore"):
        y = arrayconv.convolve(x, kernel)  # 90000, 90000 - 90000, -90000; float16 ends at 65504
    assert y.tolist() == [np.inf, 0, -np.inf]


# ---- integers ----


def test_integers_wrap_exactly(library):
    y = arrayconv.convolve(library.asarray(np.full(3, 200, np.uint8)), library.asarray(np.ones(2, np.uint8)))
    assert name_of(y) == "uint8"
    assert library.numpy(y).tolist() == [200, 144, 144, 200]


def wrapped(x, kernel, dtype):
    """Return the full convolution modulo the width of the dtype."""
    return oracle.wrapped(reference("convolve", np.array(x, dtype), np.array(kernel, dtype)), dtype).tolist()


def extremes(dtype):
    info = np.iinfo(dtype)
    top, bottom = int(info.max), int(info.min)
    x = [top, bottom, top, 1, bottom, top - 1, 0, bottom + 1, top // 3]
    return x, [bottom, top, top // 7, 1, bottom // 5 + 1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_extremes_are_exact_modulo_the_width(method, dtype):
    x, kernel = extremes(dtype)
    y = arrayconv.convolve(np.array(x, dtype=dtype), np.array(kernel, dtype=dtype), method=method)
    assert y.dtype == dtype
    assert y.tolist() == wrapped(x, kernel, dtype)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64", "int64"])
def test_extremes_on_torch(method, dtype):
    x, kernel = extremes(dtype)
    host_x, host_kernel = np.array(x, dtype=dtype), np.array(kernel, dtype=dtype)
    y = arrayconv.convolve(torch.from_numpy(host_x), torch.from_numpy(host_kernel), method=method)
    assert y.dtype == getattr(torch, dtype)
    assert y.tolist() == wrapped(x, kernel, dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint64", "int64"])
def test_extremes_by_fft_on_every_library(dtype, library):
    x, kernel = extremes(dtype)
    x_array, kernel_array = (library.asarray(np.array(values, dtype=dtype)) for values in (x, kernel))
    y = arrayconv.convolve(x_array, kernel_array, method="fft")
    assert name_of(y) == dtype
    assert library.numpy(y).tolist() == wrapped(x, kernel, dtype)


@pytest.mark.parametrize("boundary", ["edge", "reflect", "wrap", "constant"])
def test_torch_unsigned_has_every_boundary(boundary):
    x = np.array([65535, 1, 40000, 7], dtype=np.uint16)
    kernel = np.array([3, 65535, 2], dtype=np.uint16)
    fill = 65535 if boundary == "constant" else 0
    expected = arrayconv.convolve(x, kernel, "same", boundary=boundary, fill_value=fill)
    y = arrayconv.convolve(torch.from_numpy(x), torch.from_numpy(kernel), "same", boundary=boundary, fill_value=fill)
    assert (y.dtype, y.tolist()) == (torch.uint16, expected.tolist())


@pytest.mark.parametrize("method", METHODS)
def test_long_int64_sums_are_exact(method):
    rng = np.random.default_rng(2)
    x, kernel = (rng.integers(-(2**63), 2**63 - 1, n, endpoint=True) for n in (400, 60))
    y = arrayconv.convolve(x, kernel, method=method)
    assert y.tolist() == wrapped(x, kernel, "int64")


# ---- forms of a dtype ----


@pytest.mark.parametrize("dtype", [">f8", ">i4", ">u2", ">c8"])
def test_big_endian_data_gives_native_results(dtype):
    x, kernel = np.arange(1, 6).astype(dtype), np.array([1, 10]).astype(dtype)
    for method in ("auto", *METHODS):
        y = arrayconv.convolve(x, kernel, method=method)
        assert y.dtype == np.dtype(dtype).newbyteorder("=")
        assert y.dtype.isnative
        assert np.allclose(y, [1, 12, 23, 34, 45, 50], rtol=0, atol=0 if y.dtype.kind in "iu" else 1e-4)
    mixed = arrayconv.convolve(x, kernel.astype(kernel.dtype.newbyteorder("=")))
    assert mixed.tolist() == [1, 12, 23, 34, 45, 50]


def test_big_endian_out_is_written_in_its_order():
    x, out = np.arange(1.0, 6.0), np.zeros(6, dtype=">f8")
    arrayconv.convolve(x, np.array([1.0, 10.0]), out=out)
    assert (out.dtype, out.tolist()) == (np.dtype(">f8"), [1, 12, 23, 34, 45, 50])


@pytest.mark.parametrize(
    "dtype", ["int32", np.int32, np.dtype("int32"), array_api_strict.int32, torch.int32, jnp.int32]
)
def test_dtype_is_named_in_any_form(dtype):
    y = arrayconv.convolve(np.ones(3, dtype=np.int8), np.ones(2, dtype=np.int8), dtype=dtype)
    assert y.dtype == np.int32


@pytest.mark.parametrize(("dtype", "name"), [(int, "int64"), (float, "float64"), (complex, "complex128")])
def test_dtype_may_be_a_python_type(dtype, name):
    assert arrayconv.convolve(np.ones(3, dtype=np.int8), np.ones(2, dtype=np.int8), dtype=dtype).dtype == name


# ---- devices without wide dtypes ----


@pytest.mark.parametrize("device", ["no_float64", "no_x64"])
@pytest.mark.parametrize(("dtype", "method"), [("float32", method) for method in METHODS] + [
    ("complex64", "fft"), ("int32", "direct"), ("uint8", "im2col"), ("complex64", "auto"), ("int8", "auto"),
])  # fmt: skip
def test_strict_devices_without_wide_dtypes(device, dtype, method):
    place = array_api_strict.Device(device)
    x = array_api_strict.asarray(np.arange(1, 6).astype(dtype), device=place)
    kernel = array_api_strict.asarray(np.array([1, 10]).astype(dtype), device=place)
    y = arrayconv.correlate(x, kernel, "same", method=method)
    assert (y.device, name_of(y)) == (place, dtype)
    host = np.asarray(y.to_device(array_api_strict.Device("CPU_DEVICE")))
    assert np.allclose(host, [10, 21, 32, 43, 54], rtol=0, atol=0 if "int" in dtype else 1e-5)


@pytest.mark.parametrize("method", ["fft", "overlap_save"])
def test_integers_by_fft_need_float64(method):
    place = array_api_strict.Device("no_float64")
    x = array_api_strict.ones(4, dtype=array_api_strict.int32, device=place)
    with pytest.raises(NotImplementedError, match="exact integers by FFT need float64"):
        arrayconv.convolve(x, x, method=method)
    assert arrayconv.explain(x, x).method in ("direct", "im2col")


def test_result_dtype_that_the_device_lacks_is_refused():
    place = array_api_strict.Device("no_x64")
    x = array_api_strict.ones(4, dtype=array_api_strict.int32, device=place)
    kernel = array_api_strict.ones(2, dtype=array_api_strict.uint32, device=place)
    with pytest.raises(TypeError) as refusal:
        arrayconv.convolve(x, kernel)
    assert str(refusal.value) == (
        "convolve: the result's dtype int64 does not exist on array_api_strict device "
        "array_api_strict.Device('no_x64'). Got x int32, kernel uint32, dtype=None. "
        "Cast the operands to a common narrower dtype."
    )


@pytest.mark.parametrize("wide", ["float64", "int64"])
def test_dtype_that_the_device_lacks_is_refused(wide):
    place = array_api_strict.Device("no_x64")
    x = array_api_strict.ones(4, dtype=array_api_strict.float32 if wide == "float64" else array_api_strict.int32,
                              device=place)  # fmt: skip
    with pytest.raises(TypeError, match=rf"^convolve: the result's dtype {wide} does not exist on array_api_strict"):
        arrayconv.convolve(x, x, dtype=wide)


def test_lists_beside_a_narrow_device_take_its_widest_dtype():
    place = array_api_strict.Device("no_x64")
    x = array_api_strict.ones(4, dtype=array_api_strict.int32, device=place)
    y = arrayconv.convolve(x, [0.5, 0.5])
    assert (name_of(y), y.device) == ("float32", place)
    assert name_of(arrayconv.convolve(x, [0.5j])) == "complex64"
    assert name_of(arrayconv.convolve(x, [1, 2])) == "int32"


JAX_DEFAULT = """
import jax.numpy as jnp, numpy as np, arrayconv
from arrayconv._algorithms import ALGORITHMS
from arrayconv.testing import reference
from tests import oracle
x, k = jnp.arange(1.0, 6.0), jnp.asarray([1.0, 10.0])
for method in ("auto", *ALGORITHMS):
    y = arrayconv.convolve(x, k, "same", method=method)
    assert y.dtype == jnp.float32, y.dtype
    assert abs(np.asarray(y) - [1, 12, 23, 34, 45]).max() < 1e-4, y
i, w = jnp.arange(1, 6), jnp.asarray([1, 10])
for method in ("auto", "direct", "im2col"):
    y = arrayconv.convolve(i, w, "same", method=method)
    assert y.dtype == jnp.int32, y.dtype
    assert y.tolist() == [1, 12, 23, 34, 45], y
try:
    arrayconv.convolve(i, w, method="fft")
except NotImplementedError as refusal:
    assert "need float64" in str(refusal), refusal
else:
    raise AssertionError("int32 by FFT without float64")
assert arrayconv.convolve(i, [0.5, 0.5]).dtype == jnp.float32
assert arrayconv.convolve(x, [1, 10]).dtype == jnp.float32
assert arrayconv.convolve(x, k, boundary="wrap", fill_value=0).dtype == jnp.float32
try:
    arrayconv.convolve(x, k, dtype="float64")
except TypeError as refusal:
    assert "float64 does not exist on jax" in str(refusal), refusal
else:
    raise AssertionError("float64 without x64")
assert arrayconv.explain((64, 64), (3, 3), like="jax").dtype == "float32"
assert arrayconv.kernels.gaussian(1.0, xp="jax").dtype == jnp.float32
"""


def test_jax_by_default_has_32_bits_and_no_warning():
    root = str(Path(__file__).parent.parent.parent)
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths, "JAX_ENABLE_X64": "0"}
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", JAX_DEFAULT],
        env=environment, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
