"""Faults planted in the kernels' sources: the comparisons with NumPy's results find every one."""

import pytest

from arrayconv import config
from arrayconv._accel.cuda import launch, sources
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
    "imaginary part of the product": ("job", "a.re * b.im + a.im * b.re", "a.re * b.im - a.im * b.re", "cuda_loops"),
    "group of the kernel lost": ("job", "group * job.group_w", "0 * job.group_w", "cuda_loops"),
    "last column lost": ("rows", "first + l < column.outputs", "first + l + 1 < column.outputs", "cuda_rows"),
    "a row early": ("rows", "row.outputs) + KH - 1;", "row.outputs) + KH - 2;", "cuda_rows"),
    "inside one column too far": (
        "rows",
        "left + SAMPLES <= column.size",
        "left + SAMPLES - 1 <= column.size",
        "cuda_rows",
    ),
    "taps upside down": ("rows", "taps[KH - 1 - i][j]", "taps[i][j]", "cuda_rows"),
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
    "odd taps lost": ("tiles", "columns - c == 2", "columns - c == 5", "cuda_tiles"),
}


def compare(method):
    """Compare a kernel with NumPy's sums on every boundary, several widths modulo 4, channels and groups."""
    for boundary, fill in (("constant", 3), ("edge", 0), ("symmetric", 0), ("reflect", 0), ("wrap", 0)):
        for width in (37, 38, 39, 600):
            x, kernel = numbers((9, width), "float32", 1), numbers((3, 6), "float32", 2)
            check(method, x, kernel, {"mode": "full", "boundary": boundary, "fill_value": fill})
    x, kernel = numbers((70, 150), "float32", 1), numbers((7, 7), "float32", 2)
    check(method, x, kernel, {"mode": "same"})
    if method == "cuda_loops":
        check(method, numbers((9, 12), "complex64", 1), numbers((2, 3), "complex64", 2), {"mode": "full"})
    if method != "cuda_rows":
        compare_images(method)


def compare_images(method):
    """Compare images of two groups and two channels."""
    import cupy
    import numpy as np

    from arrayconv import nn

    x, kernel = numbers((2, 4, 20, 33), "float32", 1), numbers((4, 2, 3, 5), "float32", 2)
    y = nn.conv2d(cupy.asarray(x), cupy.asarray(kernel), padding=2, groups=2, method=method)
    np.testing.assert_allclose(y.values, nn.conv2d(x, kernel, padding=2, groups=2, method="direct"), atol=1e-5)


@pytest.fixture
def sources_with(monkeypatch):
    """Return a function that replaces text of a source, for this test alone."""
    read = sources._read

    def plant(file, text, replacement):
        assert text in read(file), "the fault's place is gone"
        monkeypatch.setattr(
            sources, "_read", lambda name: read(name).replace(text, replacement) if name == file else read(name)
        )
        launch.compiled.cache_clear()
        config.cache_clear()  # bound calls keep their kernels

    yield plant
    launch.compiled.cache_clear()
    config.cache_clear()  # bound calls keep their kernels


@pytest.mark.parametrize("method", ["cuda_loops", "cuda_rows", "cuda_tiles"])
def test_kernels_without_a_fault_pass(method):
    compare(method)


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_caught(fault, sources_with):
    file, text, replacement, method = FAULTS[fault]
    sources_with(file, text, replacement)
    with pytest.raises((AssertionError, RuntimeError)):
        compare(method)
