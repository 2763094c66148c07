"""The CUDA kernels, compiled by g++ and run on the CPU, against NumPy's results. Nothing runs on a GPU."""

import cupy
import numpy as np
import pytest

import arrayconv
from arrayconv._accel.cuda.cuda_rows import _MAX_TAPS as MAX_ROW_TAPS
from arrayconv._accel.cuda.cuda_rows import _MAX_TERMS as MAX_TERMS
from arrayconv._accel.cuda.cuda_tiles import _MAX_TAPS as MAX_TILE_TAPS
from arrayconv._problem.boundary import BOUNDARIES
from tests.cuda.standin import LEDGER

REALS = ("float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
SOME = ("float32", "float64", "int8", "uint16", "int64")  # each is compiled for every number of taps
CALLS = [  # shape of x, of the kernel, options
    ((37,), (5,), {"mode": "full"}),
    ((3, 40), (7,), {"axes": (1,), "stride": 3, "dilation": 2}),
    ((19, 23), (4, 6), {"mode": "same"}),
    ((9, 597), (3, 3), {"mode": "full"}),
    ((9, 598), (3, 2), {"mode": "valid"}),
    ((9, 599), (2, 3), {"mode": "same"}),
    ((70, 130), (5, 5), {"mode": "full"}),
    ((40, 41), (15, 9), {"mode": "same"}),
    ((33, 21), (1, 9), {"mode": "same"}),
    ((20, 31), (17, 32), {"mode": "full"}),
    ((5, 6, 7), (2, 3, 3), {"mode": "full"}),
    ((2, 3, 2, 3, 4, 3), (2, 2, 1, 2, 2, 2), {"mode": "full"}),
    ((21, 30), (3, 4), {"mode": "full", "stride": (2, 1), "dilation": (1, 3)}),
]
MORE_CALLS = [  # for few dtypes
    ((4, 9, 40), (3, 2, 3), {"mode": "full"}),
    ((5, 9, 37), (2, 3, 3), {"mode": "same", "stride": (2, 1, 1), "dilation": (2, 1, 1)}),
    ((2, 3, 9, 18), (2, 2, 3, 2), {"mode": "same"}),
    ((530,), (300,), {"mode": "same"}),
    ((2, 1100), (7,), {"axes": (1,), "mode": "valid"}),
    ((30, 40), (35, 45), {"mode": "full", "stride": (20, 30)}),
    ((40, 4, 30), (38, 3, 14), {"mode": "valid", "dilation": (1, 1, 2)}),
    ((5003,), (4998,), {"mode": "valid"}),
]
FEW = ("float32", "complex64", "int8")
DTYPES = {
    "cuda_loops": (*REALS, "complex64", "complex128", "float16"),
    "cuda_rows": SOME,
    "cuda_tiles": SOME,
    "cuda_line": SOME,
    "cuda_dots": FEW,
}
MAX_TAPS = {"cuda_rows": MAX_ROW_TAPS, "cuda_tiles": MAX_TILE_TAPS}
DENSE_AXES = {"cuda_rows": 2, "cuda_tiles": 2, "cuda_line": 1}  # the last ones, without stride and dilation


def supports(method, taps, options, dtype):
    """Whether a kernel runs a call: `cuda_loops` all, `cuda_dots` many taps, the others few axes and few taps."""
    if method == "cuda_loops":
        return True
    if method == "cuda_dots":
        return np.prod(taps) >= 1024
    dense, width = DENSE_AXES[method], max(4, np.dtype(dtype).itemsize)
    steps = [np.broadcast_to(options.get(name, 1), len(taps))[-dense:] for name in ("stride", "dilation")]
    if np.max(steps) > 1:
        return False
    if method == "cuda_line":
        return len(taps) == 1
    most = MAX_TERMS[width] if method == "cuda_rows" else np.inf
    return len(taps) >= 2 and max(taps[-2:]) <= MAX_TAPS[method][width] and np.prod(taps) <= most


def dtypes_of(method, call):
    """Return the dtypes to test: all on two axes, few where that would compile many kernels."""
    if call in MORE_CALLS:
        return [dtype for dtype in FEW if dtype in DTYPES[method]]
    return DTYPES[method] if len(call[1]) == 2 else [*SOME, *({"complex64"} & set(DTYPES[method]))]


SUPPORTED = {
    f"{method}-{number}": (
        method,
        *call,
        [dtype for dtype in dtypes_of(method, call) if supports(method, *call[1:], dtype)],
    )
    for method in DTYPES
    for number, call in enumerate(CALLS + MORE_CALLS)
}
ROWS = [pytest.param(*row, id=name) for name, row in SUPPORTED.items() if row[-1]]  # fmt: skip
PLANAR = ("cuda_loops", "cuda_rows", "cuda_tiles")


def numbers(shape, dtype, seed):
    """Return random numbers; integers of the whole range."""
    random = np.random.default_rng(seed)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    values = random.standard_normal(shape)
    is_complex = np.issubdtype(dtype, np.complexfloating)
    return (values + 1j * random.standard_normal(shape) if is_complex else values).astype(dtype)


def check(method, x, kernel, options):
    """Compare a kernel on the stand-in with NumPy's sums: integers exactly, others within the bound of a sum."""
    LEDGER.reset()
    y = arrayconv.convolve(cupy.asarray(x), cupy.asarray(kernel), method=method, **options)
    assert LEDGER.launches[method.removeprefix("cuda_")]
    expected = arrayconv.convolve(x, kernel, method="direct", **options)
    assert (y.dtype, y.shape) == (expected.dtype, expected.shape)
    if np.issubdtype(x.dtype, np.integer):
        np.testing.assert_array_equal(y.values, expected)
    else:
        sizes = arrayconv.convolve(np.abs(x), np.abs(kernel), method="direct", **options)
        assert (np.abs(y.values - expected) <= 2 * (2 + kernel.size) * np.finfo(y.dtype).eps * sizes).all()


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("method", "shape", "taps", "options", "dtypes"), ROWS)
def test_kernel_equals_the_sums(method, shape, taps, options, dtypes, boundary):
    extended = {**options, "boundary": boundary, "fill_value": 3 if boundary == "constant" else 0}
    for dtype in dtypes:
        check(method, numbers(shape, dtype, 1), numbers(taps, dtype, 2), extended)


@pytest.mark.parametrize("method", PLANAR)
def test_layout_of_memory_is_read_as_it_is(method):
    whole = numbers((2, 60, 70, 3), "float32", 1)
    for x in (
        whole[:, ::-2, 5:, 1],
        np.moveaxis(whole, 2, 1)[1, :, :, 0],
        np.broadcast_to(whole[0, :1, :, 0], (40, 70)),
    ):
        check(method, x, numbers((5, 3), "float32", 2)[::-1, ::-1], {"axes": (-2, -1), "boundary": "reflect"})


@pytest.mark.parametrize("method", PLANAR)
def test_images_groups_filters_and_channels(method):
    channels = 3
    x, kernel = numbers((3, 2 * channels, 20, 33), "float32", 1), numbers((4, channels, 3, 5), "float32", 2)
    y = arrayconv.nn.conv2d(cupy.asarray(x), cupy.asarray(kernel), padding=2, groups=2, method=method)
    expected = arrayconv.nn.conv2d(x, kernel, padding=2, groups=2, method="direct")
    np.testing.assert_allclose(y.values, expected, atol=1e-5)


@pytest.mark.parametrize("method", PLANAR)
def test_nonfinite_samples_contaminate_the_windows_that_contain_them(method):
    x, kernel = numbers((30, 40), "float32", 1), numbers((3, 5), "float32", 2)
    x[7, 9], x[20, 0], kernel[1, 1] = np.nan, np.inf, 0
    y = arrayconv.convolve(cupy.asarray(x), cupy.asarray(kernel), "same", method=method)
    np.testing.assert_array_equal(np.isnan(y.values), np.isnan(arrayconv.convolve(x, kernel, "same", method="direct")))


def test_fill_above_53_bits_is_exact():
    x, fill = numbers((5, 6), "int64", 1), 2**62 + 1
    y = arrayconv.convolve(
        cupy.asarray(x), cupy.asarray(np.ones((1, 2), "int64")), method="cuda_loops", fill_value=fill
    )
    np.testing.assert_array_equal(y.values, arrayconv.convolve(x, np.ones((1, 2), "int64"), fill_value=fill))


def test_float64_image_takes_one_launch_and_one_pass_over_memory():
    x, kernel = cupy.asarray(numbers((256, 256), "float64", 1)), cupy.asarray(numbers((5, 5), "float64", 2))
    LEDGER.reset()
    arrayconv.convolve(x, kernel, "same", boundary="wrap")
    assert LEDGER.num_launches == 1
    assert LEDGER.images(x.nbytes) <= 2.2
