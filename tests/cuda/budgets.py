"""Launches and bytes on the stand-in for CuPy: `python -m tests.cuda.budgets` prints the table of docs/gpu.md."""

from typing import NamedTuple

import numpy as np

import arrayconv
from arrayconv import config
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
)


def operands(row):
    """Return an image and a kernel on the device."""
    import cupy

    random = np.random.default_rng(0)
    shapes = (SIDE, SIDE), (row.taps, row.taps)
    return [cupy.asarray((10 * random.standard_normal(shape)).astype(row.dtype)) for shape in shapes]


def measured(row, *, kernels):
    """Return the launches of a second call, and its bytes as multiples of those of the image."""
    x, taps = operands(row)
    accelerators = frozenset(config.ACCELERATORS) if kernels else frozenset()
    with config.using(accelerators=accelerators):
        arrayconv.convolve(x, taps, "same", boundary=row.boundary)
        LEDGER.reset()
        arrayconv.convolve(x, taps, "same", boundary=row.boundary)
    return LEDGER.num_launches, LEDGER.images(x.nbytes)


def convolver_launches():
    """Return the launches of a second call of a Convolver that keeps a spectrum."""
    x, taps = operands(Row("", 31))
    with allowed():
        convolver = arrayconv.Convolver(taps, "same", separable=False, method="fft")
    convolver(x)
    LEDGER.reset()
    convolver(x)
    return LEDGER.num_launches


def table():
    """Return the rows of the page's table."""
    lines = []
    for row in ROWS:
        standard, own = measured(row, kernels=False), measured(row, kernels=True)
        lines.append(f"| {row.name} | {standard[0]}, {standard[1]:.0f} | {own[0]}, {own[1]:.1f} |")
    return lines


if __name__ == "__main__":
    from tests.cuda.standin import install

    install()
    print("\n".join(table()))
