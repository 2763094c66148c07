"""Examples that two published introductions work out by hand, on every array library: the printed figures, exactly.

The sources are named in ``data/worked_examples.json``. The figures are small integers, so integer and floating results
are compared with ``==``. int32 and float32 are the widest dtypes that every library has by default.
"""

import importlib.util
import json
from pathlib import Path

import array_api_compat
import numpy as np
import pytest

import arrayconv
from arrayconv import kernels
from arrayconv._algorithms import ALGORITHMS

CASES = {case["id"]: case for case in json.loads((Path(__file__).parent / "data/worked_examples.json").read_text())}
FILTERED = [name for name, case in CASES.items() if "expected" in case and "x" in case]
PATCHED = [name for name, case in CASES.items() if "patches" in case]

MODULES = {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy", "array_api_strict": "array_api_strict"}
CUPY = importlib.util.find_spec("cupy") is not None and importlib.import_module("cupy").is_available()
BACKENDS = [*MODULES, *[pytest.param("cupy", marks=pytest.mark.gpu)] * CUPY]

# A bank with one filter per tap picks the taps out: its outputs are the rows of the im2col matrix, or its columns.
PATCH_PATTERNS = {
    "correlation_1d_one_feature": "w, w tap -> w tap | w",
    "correlation_1d_channels": "w c, w c tap -> w tap | w",
    "correlation_2d_one_feature": "h w, h w tap -> (h w) tap | h w",
    "correlation_2d_channels": "h w c, h w c tap -> (h w) tap | h w",
}


@pytest.fixture(params=BACKENDS)
def xp(request):
    return importlib.import_module(MODULES.get(request.param, "cupy"))


@pytest.fixture(params=["int32", "float32"])
def dtype(request):
    return request.param


def array(values, xp, dtype):
    return xp.asarray(values, dtype=getattr(xp, dtype))


def operands(case, xp, dtype):
    return array(case["x"], xp, dtype), array(case["kernel"], xp, dtype)


def impulse(shape, xp, dtype):
    """Return a single 1 at the centre of a square of zeros."""
    delta = np.zeros(shape, dtype=int)
    delta[tuple(n // 2 for n in shape)] = 1
    return array(delta.tolist(), xp, dtype)


def run_case(case, x, kernel, **options):
    """Call what the case's operation says: a pattern of labels, or a function and a mode."""
    operation = case["operation"]
    if "->" in operation:
        return arrayconv.einconv(operation.removesuffix("(valid)").rstrip(), x, kernel, **options)
    function, mode = operation.split(",")[:2]
    stride = case.get("stride", 1)
    return getattr(arrayconv, function)(x, kernel, mode.split()[-1], stride=stride, **options)


def on_host(y):
    return y.get() if hasattr(y, "get") else np.from_dlpack(y)


def assert_figures(y, figures, like):
    """Compare library, device, dtype, shape and every number."""
    __tracebackhide__ = True
    assert array_api_compat.array_namespace(y) is array_api_compat.array_namespace(like)
    assert type(y) is type(like)
    assert array_api_compat.device(y) == array_api_compat.device(like)
    assert y.dtype == like.dtype
    assert tuple(y.shape) == np.shape(figures)
    assert on_host(y).tolist() == figures


def test_every_case_is_used():
    alone = {"kernel_rotated_180", "sobel_kernel", "same_padding_odd"}
    assert {*FILTERED, *alone} == set(CASES)
    assert set(PATCHED) == set(PATCH_PATTERNS)


@pytest.mark.parametrize("name", FILTERED)
def test_filtered_figures(name, xp, dtype):
    x, kernel = operands(CASES[name], xp, dtype)
    assert_figures(run_case(CASES[name], x, kernel), CASES[name]["expected"], x)


@pytest.mark.parametrize("method", list(ALGORITHMS))
@pytest.mark.parametrize("name", FILTERED)
def test_every_method_gives_the_integers(name, method, xp):
    x, kernel = operands(CASES[name], xp, "int32")
    try:
        y = run_case(CASES[name], x, kernel, method=method)
    except NotImplementedError as refusal:
        if "need float64" not in str(refusal) and "no integer matrix product" not in str(refusal):
            raise
        pytest.skip(str(refusal))
    assert_figures(y, CASES[name]["expected"], x)


@pytest.mark.parametrize("name", PATCHED)
def test_one_hot_filters_lay_out_the_patches(name, xp, dtype):
    case = CASES[name]
    x, kernel = operands(case, xp, dtype)
    taps = np.size(case["kernel"])
    bank = array(np.eye(taps, dtype=int).reshape(*kernel.shape, taps).tolist(), xp, dtype)
    assert_figures(arrayconv.einconv(PATCH_PATTERNS[name], x, bank), case["patches"], x)


@pytest.mark.parametrize("name", PATCHED)
def test_patches_times_the_kernel_are_the_result(name, xp, dtype):
    case = CASES[name]
    patches, kernel = array(case["patches"], xp, dtype), array(case["kernel"], xp, dtype)
    weights = xp.reshape(kernel, (-1, 1))
    assert on_host(patches @ weights).ravel().tolist() == np.ravel(case["expected"]).tolist()


@pytest.mark.parametrize("name", PATCHED)
def test_one_hot_kernels_pick_one_column_of_the_patches(name, xp, dtype):
    case = CASES[name]
    x, kernel = operands(case, xp, dtype)
    for tap in range(np.size(case["kernel"])):
        one_hot = np.zeros(np.size(case["kernel"]), dtype=int)
        one_hot[tap] = 1
        y = run_case(case, x, array(one_hot.reshape(kernel.shape).tolist(), xp, dtype))
        assert on_host(y).ravel().tolist() == [row[tap] for row in case["patches"]]


class TestKernelRotated180:
    """Reversing every axis makes a correlation a convolution; the source transposes as well, which is wrong."""

    case = CASES["kernel_rotated_180"]

    def test_correlating_an_impulse_rotates_the_kernel(self, xp, dtype):
        delta, kernel = impulse((3, 3), xp, dtype), array(self.case["kernel"], xp, dtype)
        assert_figures(arrayconv.correlate(delta, kernel, "same"), self.case["expected"], kernel)
        assert_figures(arrayconv.convolve(delta, kernel, "same"), self.case["kernel"], kernel)

    def test_convolving_is_correlating_with_the_rotated_kernel(self, xp, dtype):
        x = array(CASES["strided_2"]["x"], xp, dtype)
        kernel, rotated = (array(self.case[name], xp, dtype) for name in ("kernel", "expected"))
        assert_figures(arrayconv.convolve(x, kernel), on_host(arrayconv.correlate(x, rotated)).tolist(), x)
        flipped = arrayconv.einconv("h w, h w -> h w | h w", x, kernel, padding="full", flip=True)
        assert_figures(flipped, on_host(arrayconv.convolve(x, kernel)).tolist(), x)

    def test_the_transpose_that_the_source_prints_does_not_convolve(self, xp, dtype):
        x = array(CASES["strided_2"]["x"], xp, dtype)
        transposed = [list(column) for column in zip(*self.case["expected"], strict=True)]
        assert transposed == [[7, 2, 5], [9, 0, 4], [-1, 1, 3]]
        wrong = arrayconv.correlate(x, array(transposed, xp, dtype))
        right = arrayconv.convolve(x, array(self.case["kernel"], xp, dtype))
        assert on_host(wrong).tolist() != on_host(right).tolist()


class TestSobelKernel:
    case = CASES["sobel_kernel"]

    def test_taps(self, xp, dtype):
        kernel = kernels.sobel(xp=xp, dtype=dtype)
        assert_figures(kernel, self.case["kernel"], array(0, xp, dtype))

    def test_impulse_response(self, xp, dtype):
        kernel = kernels.sobel(xp=xp, dtype=dtype)
        y = arrayconv.convolve(impulse((5, 5), xp, dtype), kernel, "same")
        assert on_host(y)[1:4, 1:4].tolist() == self.case["kernel"]


class TestSamePaddingOdd:
    """Padding that keeps the size adds k - 1 samples; an odd number of them needs a stated side."""

    case = CASES["same_padding_odd"]
    rows = tuple(zip(case["kernel_size"], case["total_padding"], strict=True))

    @staticmethod
    def outside(y, taps):
        """Count the samples beyond the ends that the first and last outputs read, from sums of ones."""
        sums = [int(value) for value in on_host(y)]
        assert len(sums) == 8
        return taps - sums[0], taps - sums[-1]

    @pytest.mark.parametrize(("taps", "total"), rows)
    @pytest.mark.parametrize("function", ["convolve", "correlate"])
    def test_mode_same_puts_the_odd_sample_before(self, function, taps, total, xp, dtype):
        x, kernel = array([1] * 8, xp, dtype), array([1] * taps, xp, dtype)
        split = self.outside(getattr(arrayconv, function)(x, kernel, "same"), taps)
        assert split == {3: (1, 1), 4: (2, 1)}[taps]
        assert sum(split) == total

    @pytest.mark.parametrize(("taps", "total"), rows)
    @pytest.mark.parametrize(("padding", "even"), [("same", (1, 2)), ("same_lower", (2, 1))])
    def test_einconv_names_the_side(self, padding, even, taps, total, xp, dtype):
        x, kernel = array([1] * 8, xp, dtype), array([1] * taps, xp, dtype)
        split = self.outside(arrayconv.einconv("w, w -> w | w", x, kernel, padding=padding), taps)
        assert split == {3: (1, 1), 4: even}[taps]
        assert sum(split) == total

    @pytest.mark.parametrize(("taps", "total"), rows)
    def test_lags_tell_the_split(self, taps, total):
        lags = arrayconv.lags(8, taps, "same")
        before, after = -int(lags[0]), int(lags[-1]) + taps - 8
        assert (before, after) == {3: (1, 1), 4: (2, 1)}[taps]
        assert before + after == total
