"""Launches and bytes on the stand-in for CuPy: `python -m tests.cuda.budgets` prints the table of docs/gpu.md."""

from functools import cache
from typing import NamedTuple

import numpy as np

import arrayconv
from arrayconv import config, ndimage
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
    Row("7 x 7", 7),
    Row("15 x 15", 15),
    Row("31 x 31, reflected", 31, boundary="reflect"),
    Row("15 x 15 int32", 15, "int32", most_standard=(80, 210.0)),
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
    FilterRow("uniform_filter(5)", "uniform_filter", (("size", 5),), most_standard=(37, 93.0)),
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
    print("\n".join(table()))
