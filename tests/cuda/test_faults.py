"""Faults planted in the kernels' sources: the comparisons with NumPy's results find every one."""

import cupy
import numpy as np
import pytest

from arrayconv import nn
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
}


def compare(method):
    """Compare a kernel with NumPy's sums on every boundary, several widths modulo 4, channels and groups."""
    if method == "cuda_dots":
        compare_sums()
        return
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


def compare_sums():
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


@pytest.mark.parametrize("method", ["cuda_loops", "cuda_rows", "cuda_tiles", "cuda_line", "cuda_dots"])
def test_kernels_without_a_fault_pass(method):
    compare(method)


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_caught(fault, sources_with):
    file, text, replacement, method = FAULTS[fault]
    sources_with(file, text, replacement)
    with pytest.raises((AssertionError, RuntimeError)):
        compare(method)
