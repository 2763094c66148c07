"""Launches and bytes on the stand-in for CuPy: `python -m tests.cuda.budgets` prints the tables of docs/gpu.md."""

from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

import arrayconv
from arrayconv import config, ndimage, nn
from tests.cuda.standin import LEDGER, allowed

SIDE = 1024  # samples of an image along each axis


class Row(NamedTuple):
    """A call, and what it may cost with the kernels and without."""

    name: str
    taps: int
    dtype: str = "float32"
    boundary: str = "constant"
    most: tuple[int, float] = (1, 2.2)  # launches, images
    most_standard: tuple[int, float] = (106, 58.0)


ROWS = (
    Row("3 x 3", 3, most_standard=(16, 30.1)),
    Row("7 x 7", 7, most_standard=(53, 28.5)),
    Row("15 x 15", 15, most_standard=(71, 50.5)),
    Row("31 x 31, reflected", 31, boundary="reflect"),
    Row("15 x 15 int32", 15, "int32", most_standard=(43, 36.5)),
    Row("3 x 3 float16", 3, "float16", most_standard=(20, 66.5)),
    Row("15 x 15 float16", 15, "float16", most_standard=(74, 107.0)),
    Row("63 x 63", 63, most=(12, 28.0), most_standard=(110, 58.0)),
    Row("63 x 63 float64, reflected", 63, "float64", "reflect", most=(12, 28.0), most_standard=(154, 58.0)),
)


class FilterRow(NamedTuple):
    """A filter's call, and what it may cost with the kernels and without."""

    name: str
    function: str
    options: tuple[tuple[str, float], ...]
    dtype: str = "float32"
    most: tuple[int, float] = (1, 2.2)
    most_standard: tuple[int, float] = (0, 0.0)


FILTERS = (
    FilterRow("gaussian_filter(2)", "gaussian_filter", (("sigma", 2),), most_standard=(62, 230.0)),
    FilterRow("gaussian_filter(2) uint8", "gaussian_filter", (("sigma", 2),), "uint8", most_standard=(94, 1510.0)),
    FilterRow("sobel", "sobel", (("axis", 0),), most_standard=(21, 69.0)),
    FilterRow("uniform_filter(5)", "uniform_filter", (("size", 5),), most_standard=(31, 117.0)),
)


def operands(row):
    """Return an image and a kernel on the device."""
    import cupy

    random = np.random.default_rng(0)
    shapes = (SIDE, SIDE), (row.taps, row.taps)
    return [cupy.asarray((10 * random.standard_normal(shape)).astype(row.dtype)) for shape in shapes]


@cache
def measured(row, *, kernels):
    """Return the launches of a second call, and its bytes as multiples of those of the image."""
    if isinstance(row, FilterRow):
        return measured_filter(row, kernels)
    x, taps = operands(row)
    accelerators = frozenset(config.ACCELERATORS) if kernels else frozenset()
    with config.using(accelerators=accelerators):
        arrayconv.convolve(x, taps, "same", boundary=row.boundary)
        LEDGER.reset()
        arrayconv.convolve(x, taps, "same", boundary=row.boundary)
    return LEDGER.num_launches, LEDGER.images(x.nbytes)


def measured_filter(row, kernels):
    """Return the launches of a second call of a filter, and its bytes as multiples of those of the image."""
    import cupy

    random = np.random.default_rng(0)
    x = cupy.asarray((10 * random.standard_normal((SIDE, SIDE))).astype(row.dtype))
    function = getattr(ndimage, row.function)
    with config.using(accelerators=frozenset(config.ACCELERATORS) if kernels else frozenset()):
        function(x, **dict(row.options))
        LEDGER.reset()
        function(x, **dict(row.options))
    return LEDGER.num_launches, LEDGER.images(x.nbytes)


class Call(NamedTuple):
    """A call in float32 that the kernels run, or its gradients, and what it may cost."""

    function: Any
    shape: tuple[int, ...]
    taps: tuple[int, ...]
    most: tuple[int, float]  # launches, images
    of_gradients: bool = False


SAME = partial(arrayconv.convolve, mode="same")
CALLS = {
    "64 x 64 x 64 by 3 x 3 x 3": Call(SAME, (64, 64, 64), (3, 3, 3), (1, 2.1)),
    "32 x 64 x 64 by 5 x 5 x 5": Call(SAME, (32, 64, 64), (5, 5, 5), (1, 2.1)),
    "100000 by 300": Call(SAME, (100_000,), (300,), (1, 2.1)),
    "8 images of 256 channels, a 3 x 3 for each": Call(
        partial(nn.conv2d, padding=1, groups=256), (8, 256, 14, 14), (256, 1, 3, 3), (1, 2.1)
    ),
    "2 images of 4 channels, 3 x 3, stride 2": Call(
        partial(nn.conv2d, padding=1, stride=2), (2, 4, 64, 64), (4, 4, 3, 3), (1, 1.3)
    ),
    "2 images of 4 channels, transposed 3 x 3, stride 2": Call(
        partial(nn.conv_transpose2d, padding=1, stride=2), (2, 4, 64, 64), (4, 4, 3, 3), (4, 8.0)
    ),
    "gradients: 512 x 512 by 3 x 3": Call(SAME, (512, 512), (3, 3), (3, 4.1), of_gradients=True),
    "gradients: 2 images of 4 channels, 3 x 3": Call(
        partial(nn.conv2d, padding=1), (2, 4, 64, 64), (4, 4, 3, 3), (3, 4.4), of_gradients=True
    ),
}


@cache
def costs(call):
    """Return the launches of a second run of a call, and its bytes as multiples of those of x."""
    import cupy

    random = np.random.default_rng(0)
    x, taps = (cupy.asarray(random.standard_normal(shape).astype("float32")) for shape in (call.shape, call.taps))
    run = partial(call.function, x, taps)
    if call.of_gradients:
        y, pullback = arrayconv.vjp(call.function, x, taps)
        run = partial(pullback, y)
    run()
    LEDGER.reset()
    run()
    return LEDGER.num_launches, LEDGER.images(x.nbytes)


def table_of_calls():
    """Return the rows of the page's second table."""
    return [
        f"| {name} | {launches}, {images:.1f} |" for name, call in CALLS.items() for launches, images in [costs(call)]
    ]


def of_convolver(method):
    """Return the launches of a second call of a Convolver that keeps a spectrum, and its bytes in images."""
    x, taps = operands(Row("", 63))
    with allowed():
        convolver = arrayconv.Convolver(taps, "same", separable=False, method=method)
    convolver(x)
    LEDGER.reset()
    convolver(x)
    return LEDGER.num_launches, LEDGER.images(x.nbytes)


def table():
    """Return the rows of the page's table."""
    lines = []
    for row in (*ROWS, *FILTERS):
        lines.append(_line(row.name, measured(row, kernels=False), measured(row, kernels=True)))
    return [*lines, _line("63 x 63, `Convolver`", of_convolver("fft"), of_convolver("cuda_fft"))]


def _line(name, standard, own):
    return f"| {name} | {standard[0]}, {standard[1]:.0f} | {own[0]}, {own[1]:.1f} |"


if __name__ == "__main__":
    from tests.cuda.standin import install

    install()
    print("\n".join(table() + table_of_calls()))
