"""Faults planted in the kernels' sources: the comparisons with NumPy's results find every one."""

from functools import partial

import cupy
import numpy as np
import pytest

from arrayconv import nn
from tests.cuda import test_filters, test_spectra
from tests.cuda.test_kernels import check, numbers

FAULTS = {  # name -> file, text, what replaces it, method
    "reflection off by one": ("job", "2 * n - 2 - r;", "2 * n - 1 - r;", "cuda_loops"),
    "symmetric period too short": ("job", "modulo(position, 2 * n);", "modulo(position, 2 * n - 1);", "cuda_loops"),
    "edge of the wrong end": ("job", "position < 0 ? 0 : n - 1;", "position < 0 ? n - 1 : 0;", "cuda_loops"),
    "negative remainder": ("job", "return r < 0 ? r + n : r;", "return r < 0 ? -r : r;", "cuda_loops"),
    "fill lost": ("loops", "s < 0 ? fill : (SUM)x[s * axis.x]", "s < 0 ? SUM() : (SUM)x[s * axis.x]", "cuda_loops"),
    "last lane lost": (
        "loops",
        "(last.outputs + LANES - 1) / LANES;",
        "last.outputs / LANES + !last.outputs;",
        "cuda_loops",
    ),
    "imaginary part of the product": ("types", "a.re * b.im + a.im * b.re", "a.re * b.im - a.im * b.re", "cuda_loops"),
    "group of the kernel lost": ("job", "group * job.group_w", "0 * job.group_w", "cuda_loops"),
    "last column lost": ("rows", "first + l < column.outputs", "first + l + 1 < column.outputs", "cuda_rows"),
    "a row early": ("rows", "row.outputs) + KH - 1;", "row.outputs) + KH - 2;", "cuda_rows"),
    "inside one column too far": (
        "rows",
        "left + SAMPLES <= column.size",
        "left + SAMPLES - 1 <= column.size",
        "cuda_rows",
    ),
    "taps upside down": ("rows", "taps[q][KH - 1 - i][j]", "taps[q][i][j]", "cuda_rows"),
    "barrier before the tile lost": (
        "tiles",
        "            __syncthreads();\n            const SUM",
        "            const SUM",
        "cuda_tiles",
    ),
    "barrier after the tile lost": ("tiles", "__syncthreads(); /*", "; /*", "cuda_tiles"),
    "tile one column short": ("tiles", "TILE_X + column.taps - 1,", "TILE_X + column.taps - 2,", "cuda_tiles"),
    "rows of the tile lost": (
        "tiles",
        "height = TILE_Y + row.taps - 1;",
        "height = TILE_Y + row.taps - 2;",
        "cuda_tiles",
    ),
    "taps of the leading axes reversed": (
        "planes",
        "w += k * axis.w;",
        "w += (axis.taps - 1 - k) * axis.w;",
        "cuda_rows",
    ),
    "plane outside not filled": ("planes", "is_outside |= s < 0;", "is_outside |= false;", "cuda_tiles"),
    "threads beside share a plane": ("rows", "blockDim.z + threadIdx.z;", "blockDim.z;", "cuda_rows"),
    "last rows of a block lost": ("rows", "gridDim.y - 1) / gridDim.y", "gridDim.y - 2) / gridDim.y", "cuda_rows"),
    "chunk one tap short": ("line", "least(CHUNK, axis.taps - k)", "least(CHUNK - 1, axis.taps - k)", "cuda_line"),
    "samples of a chunk lost": ("line", "PLACE + count - 1;", "PLACE + count - 2;", "cuda_line"),
    "barrier before the chunk lost": (
        "line",
        "                __syncthreads();\n                add_chunk",
        "                add_chunk",
        "cuda_line",
    ),
    "barrier after the chunk lost": ("line", "__syncthreads(); /*", "; /*", "cuda_line"),
    "last segment of taps lost": ("dots", "(segments + gridDim.x - 1)", "segments", "cuda_dots"),
    "parts in one place": ("dots", "y_at = blockIdx.x * outputs", "y_at = 0", "cuda_dots"),
    "a sum lost": ("dots", "half > 0", "half > 1", "cuda_dots"),
    "barrier between sums lost": (
        "dots",
        "            __syncthreads();\n            if (thread >= half)",
        "            if (thread >= half)",
        "cuda_dots",
    ),
    "odd taps lost": ("tiles", "columns - c == 2", "columns - c == 5", "cuda_tiles"),
    "barrier before a plane's tile lost": (
        "filter_planes",
        "            __syncthreads();\n            filter_tile",
        "            filter_tile",
        "gaussian",
    ),
    "barrier after a plane's tile lost": ("filter_planes", "__syncthreads(); /*", "; /*", "magnitude"),
    "plane's tile one column short": (
        "filter_planes",
        "width = TILE_X + column.taps - 1;",
        "width = TILE_X + column.taps - 2;",
        "gaussian",
    ),
    "plane's tile one row short": (
        "filter_planes",
        "height = TILE_Y + row.taps - 1;",
        "height = TILE_Y + row.taps - 2;",
        "sobel 1",
    ),
    "column of a tile not skewed": ("filter_planes", "skewed(c)] = stored", "c] = stored", "gaussian"),
    "fill between passes lost": ("filter_planes", "fills && (unsigned)(left", "0 && (unsigned)(left", "sobel 0"),
    "last lane of a window lost": ("filter_planes", "r < taps + LANES - 1;", "r < taps + LANES - 2;", "gaussian"),
    "mean not divided": ("filters", "? sum * pass.factor :", "? sum :", "uniform"),
    "products fused": ("filters", "__dadd_rn(sum, __dmul_rn(tap, sample))", "fma(tap, sample, sum)", "convolve"),
    "integers saturated": ("filters", "(int)value : -2147483647 - 1", "(int)value : 2147483647", "cut"),
    "chains before lost": ("filters", "if (!is_first) value", "if (false) value", "magnitude"),
    "root of every chain": ("filters", "if (is_last) value", "if (true) value", "magnitude"),
    "zeros of a cross multiplied": ("filter_windows", "job.skips_zeros &&", "false &&", "cross"),
    "fill of a window lost": ("filter_windows", "s < 0 ? fill :", "s < 0 ? SUM() :", "convolve"),
    "padding off by one": (
        "spectra_pad",
        "sample_at(extent.first + i, task.job.axes[LAST])",
        "sample_at(extent.first + i + 1, task.job.axes[LAST])",
        "cuda_fft",
    ),
    "kernel not scaled": ("spectra_pad", "SCANS ? scaled(value, scale) : value", "value", "cuda_fft"),
    "NaN of x not noticed": ("spectra_pad", "if (is_first && joined[1]) to[images + image] = 1;", "", "cuda_fft"),
    "barrier before the summary is read lost": (
        "spectra_pad",
        "__syncthreads(); /* until all have joined */\n            if (is_first",
        "if (is_first",
        "cuda_fft",
    ),
    "NaN not zeroed": ("spectra", "        return SUM();", "        return value;", "cuda_fft"),
    "x not scaled": ("spectra_contain", "if (exponent) scale_samples", "if (0) scale_samples", "cuda_fft"),
    "mark of the last tap lost": ("spectra_contain", "k < axis.taps", "k + 1 < axis.taps", "cuda_fft"),
    "marks of other channels lost": ("spectra_contain", "(s < 0 ? 1 : job.channels)", "1", "cuda_fft"),
    "not divided by the points": ("spectra_product", "scaled(sum, factor)", "sum", "cuda_fft"),
    "one channel only": ("spectra_product", "channel < job.channels", "channel < 1", "cuda_fft"),
    "filters of another group": ("spectra_product", "image % job.groups * job.filters + ", "", "cuda_fft"),
    "circle cut open": ("spectra_restore", "index : index - extent.length", "index : 0", "cuda_fft"),
    "second scale lost": ("spectra_restore", "scaled(value, scales.second)", "value", "cuda_fft"),
    "scales not joined": ("spectra_restore", "is_joined ?", "0 ?", "cuda_fft"),
    "dilation of marks lost": (
        "spectra_restore",
        "axis.dilation * (number % axis.taps)",
        "number % axis.taps",
        "cuda_fft",
    ),
    "NaN tap lost": ("spectra_restore", "is_lost = w[filters + filter]", "is_lost = false", "cuda_fft"),
}


FILTERS = {
    **{
        name: lambda name=name: test_filters.compare("float32", name)
        for name in ("gaussian", "sobel 0", "sobel 1", "magnitude")
    },
    "uniform": lambda: test_filters.compare("float32", "uniform"),
    "convolve": lambda: test_filters.compare("uint8", "convolve"),
    "cut": test_filters.test_float_is_cut_to_an_integer_as_scipy_cuts_it,
    "cross": test_filters.test_nonfinite_samples_do_not_contaminate_what_a_cross_does_not_contain,
}


def compare(method):
    """Compare a method, or a filter, with NumPy's results."""
    {**FILTERS, "cuda_fft": compare_spectra, "cuda_dots": compare_dots}.get(method, partial(compare_sums, method))()


def compare_spectra():
    """Compare transforms of an extended and of a circular axis, of numbers to contain, and of channels and groups."""
    x, kernel = numbers((21, 30), "float32", 1), numbers((4, 6), "float32", 2)
    test_spectra.check(x, kernel, {"mode": "full", "boundary": "reflect"})
    test_spectra.check(numbers((24, 32), "float32", 1), kernel, {"mode": "same", "boundary": "wrap"})
    test_spectra.check_images(2, 2, 2)
    x[9, 14] = np.nan
    for first, second in ((1, 1), (2.0**60, 2.0**60), (2.0**126, 2.0**-90), (2.0**-90, 2.0**90)):
        test_spectra.check(x * np.float32(first), kernel * np.float32(second), {"mode": "full", "dilation": (2, 1)})


def compare_sums(method):
    """Compare a kernel with NumPy's sums on every boundary, several widths modulo 4, channels and groups."""
    for boundary, fill in (("constant", 3), ("edge", 0), ("symmetric", 0), ("reflect", 0), ("wrap", 0)):
        for width in (37, 38, 39, 600):
            options = {"mode": "full", "boundary": boundary, "fill_value": fill}
            if method == "cuda_line":
                check(method, numbers((width,), "float32", 1), numbers((263,), "float32", 2), options)
            else:
                check(method, numbers((9, width), "float32", 1), numbers((3, 6), "float32", 2), options)
    if method == "cuda_line":
        compare_signals()
        return
    check(method, numbers((70, 150), "float32", 1), numbers((7, 7), "float32", 2), {"mode": "same"})
    check(method, numbers((5, 9, 37), "float32", 1), numbers((3, 3, 6), "float32", 2), {"mode": "same"})
    if method == "cuda_loops":
        check(method, numbers((9, 12), "complex64", 1), numbers((2, 3), "complex64", 2), {"mode": "full"})
    compare_images(method)


def compare_images(method):
    """Compare images of two groups and two channels."""
    x, kernel = numbers((2, 4, 20, 33), "float32", 1), numbers((4, 2, 3, 5), "float32", 2)
    y = nn.conv2d(cupy.asarray(x), cupy.asarray(kernel), padding=2, groups=2, method=method)
    np.testing.assert_allclose(y.values, nn.conv2d(x, kernel, padding=2, groups=2, method="direct"), atol=1e-5)


def compare_dots():
    """Compare few sums of many products, in parts and in segments."""
    for boundary in ("constant", "wrap"):
        options = {"mode": "full", "stride": (20, 30), "boundary": boundary}
        check("cuda_dots", numbers((30, 40), "float32", 1), numbers((35, 45), "float32", 2), options)
    check("cuda_dots", numbers((5003,), "float32", 1), numbers((4998,), "float32", 2), {"mode": "valid"})


def compare_signals():
    """Compare signals of two groups and two channels, of more than one chunk of taps."""
    x, kernel = numbers((2, 4, 700), "float32", 1), numbers((4, 2, 270), "float32", 2)
    y = nn.conv1d(cupy.asarray(x), cupy.asarray(kernel), padding=2, groups=2, method="cuda_line")
    np.testing.assert_allclose(y.values, nn.conv1d(x, kernel, padding=2, groups=2, method="direct"), atol=1e-3)


@pytest.mark.parametrize("method", ["cuda_loops", "cuda_rows", "cuda_tiles", "cuda_line", "cuda_dots", "cuda_fft"])
def test_kernels_without_a_fault_pass(method):
    compare(method)


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_caught(fault, sources_with):
    file, text, replacement, method = FAULTS[fault]
    sources_with(file, text, replacement)
    with pytest.raises((AssertionError, RuntimeError)):
        compare(method)
