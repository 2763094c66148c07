"""The calls that are checked: shapes, options and dtypes. Every row is run by 'auto' and by each method."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.backends import numbers
from conformance.cases.shapes import BOUNDARIES

DTYPES = ("float16", "float32", "float64", "complex64", "complex128")
DTYPES += tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
FEW = ("float32", "complex64", "int64")


@dataclass(frozen=True)
class Case:
    """A call: shapes and options, and the dtypes it is made in."""

    name: str
    x: tuple[int, ...]
    kernel: tuple[int, ...]
    options: dict[str, Any]
    function: str = "convolve"
    dtypes: tuple[str, ...] = FEW

    def operands(self, dtype, scale=1.0):
        """Return x and the kernel on the host: the whole range of an integer dtype, so that sums wrap."""
        x, kernel = numbers(1, self.x, dtype, scale), numbers(2, self.kernel, dtype)
        return np.asarray(x, dtype), np.asarray(kernel, dtype)


def table():
    """Return the cases."""
    return [*_modes(), *_boundaries(), *_dtypes(), *_geometries()]


def _modes():
    for function, mode in itertools.product(("convolve", "correlate"), ("full", "same", "valid")):
        for shape, kernel in [((50,), (7,)), ((50,), (6,)), ((17, 23), (4, 3))]:
            name = f"{function} {mode} {'x'.join(map(str, shape))} by {kernel[0]}"
            yield Case(name, shape, kernel, {"mode": mode}, function)


def _boundaries():
    for boundary in BOUNDARIES:
        fill = {"fill_value": 3} if boundary == "constant" else {}
        yield Case(f"{boundary} 33 by 5", (33,), (5,), {"mode": "same", "boundary": boundary, **fill})
        # a kernel that is wider than the data: the extension repeats
        yield Case(f"{boundary} 4 by 15", (4,), (15,), {"mode": "full", "boundary": boundary, **fill})
        yield Case(f"{boundary} 2-d", (19, 14), (5, 3), {"mode": "same", "boundary": boundary})
    yield Case("boundary per axis", (12, 15), (5, 5), {"mode": "same", "boundary": ("reflect", "wrap")})


def _dtypes():
    yield Case("every dtype 1-d", (301,), (9,), {"mode": "same"}, dtypes=DTYPES)
    yield Case("every dtype 2-d", (40, 31), (5, 4), {"mode": "full", "boundary": "reflect"}, dtypes=DTYPES)
    yield Case("every dtype long", (3000,), (129,), {"mode": "same"}, dtypes=DTYPES)
    yield Case("stride 2", (41,), (5,), {"stride": 2}, dtypes=DTYPES)
    large = {"mode": "same", "boundary": "symmetric"}
    yield Case("large 2-d", (257, 301), (31, 29), large, dtypes=("float32", "float64"))


def _geometries():
    far = {"mode": "same", "stride": 2, "dilation": (2, 3), "boundary": "edge"}
    yield Case("stride 3 2-d", (20, 25), (3, 5), {"mode": "valid", "stride": (3, 2)})
    yield Case("dilation 3", (60,), (4,), {"mode": "same", "dilation": 3})
    yield Case("stride and dilation", (33, 29), (3, 4), far)
    yield Case("lags pair", (50,), (9,), {"lags": (-3, 20)}, "correlate")
    yield Case("lags radius 2-d", (14, 18), (5, 6), {"lags": (2, (0, 7)), "boundary": "wrap"}, "correlate")
    yield Case("batch", (3, 2, 64), (5,), {"axes": -1, "mode": "same"})
    yield Case("first axis", (64, 5), (7,), {"axes": 0, "mode": "same", "boundary": "symmetric"})
    yield Case("kernel per row", (4, 50), (4, 6), {"axes": 1})
    yield Case("filters", (1, 50), (4, 6), {"axes": 1})
    yield Case("channels last", (20, 21, 3), (5, 5), {"axes": (0, 1), "mode": "same", "boundary": "reflect"})
    yield Case("3-d", (9, 10, 11), (3, 2, 3), {"mode": "same", "boundary": "wrap"})
    yield Case("4-d", (5, 6, 4, 7), (2, 3, 2, 3), {"mode": "full"})
