"""A row: one public function, its operands, its other arguments, and whether its gradients are timed too.

Operands are seeded, so that a row is the same in every run. They are passed by name, which is the same in our function
and in the one it imitates.
"""

from math import inf, prod
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]

LIBRARIES = ("numpy", "torch", "jax")
MODULES = {  # door -> (our module, the module that it imitates)
    "core": ("arrayconv", "scipy.signal"),
    "ndimage": ("arrayconv.ndimage", "scipy.ndimage"),
    "signal": ("arrayconv.signal", "scipy.signal"),
    "nn": ("arrayconv.nn", "torch.nn.functional"),
    "nn.grad": ("arrayconv.nn.grad", "torch.nn.grad"),
    "nn.modules": ("arrayconv.nn.modules", "torch.nn"),
    "astronomy": ("arrayconv.astronomy", "astropy.convolution"),
}
NOT_TIMED = {  # public names of our modules without a row, and why
    "core": {
        "config": "settings",
        "explain": "plans and computes nothing",
        "kernels": "creates small arrays, once",
        "lags": "returns a few integers, as signal.correlation_lags does, which is a row",
    },
    "signal": {"savgol_coeffs": "creates small arrays, once"},
}


class Function(NamedTuple):
    """An argument that is a function of the row's own module: ours in our call, SciPy's in SciPy's."""

    name: str


class Row(NamedTuple):
    """One function, its operands and its other arguments."""

    door: str
    function: str
    operands: dict[str, Shape]
    options: dict[str, Any] = {}  # noqa: RUF012, never written to
    dtype: str = "float32"
    gradients: int = 0  # operands, from the first, whose gradients are computed after the result
    libraries: tuple[str, ...] = LIBRARIES
    tags: frozenset[str] = frozenset()
    note: str = ""  # a variant of the call

    @property
    def label(self):
        """The function, what it is called with, and the dtype: unique in the table."""
        sizes = " x ".join(_size(shape) for shape in self.operands.values())
        note = f", {self.note}" if self.note else ""
        gradient = ", with gradients" if self.gradients else ""
        door = "" if self.door == "core" else f"{self.door}."
        return f"{door}{self.function} {sizes} {self.dtype}{note}{gradient}".replace("  ", " ")

    @property
    def shape(self):
        """Shape of the first operand."""
        return next(iter(self.operands.values()), ())


def _size(shape):
    if len(shape) > 1 and len(set(shape)) == 1:
        return f"{shape[0]}^{len(shape)}"
    return "(" + ", ".join(map(str, shape)) + ")" if len(shape) > 1 else _power(shape[0])


def _power(size):
    exponent = len(str(size)) - 1
    return f"10^{exponent}" if size == 10**exponent and exponent > 2 else str(size)


def draw(row, most=None):
    """Return {name: NumPy array} of a row's operands; zeros where there are more than `most` values."""
    random = np.random.default_rng(0)
    limit = inf if most is None else most
    return {
        name: _operand(random, row, name, shape) if prod(shape) <= limit else np.zeros(shape, row.dtype)
        for name, shape in row.operands.items()
    }


def _operand(random, row, name, shape):
    has_gaps = row.function == "normalized_convolve" or row.door == "astronomy"
    if has_gaps and name in ("x", "array"):  # a sample of twenty is missing
        return np.where(random.random(shape) < 1 / 20, np.nan, random.standard_normal(shape)).astype(row.dtype)
    # Weights of a filter, as users have them: floats that sum to 1.
    if name == "weights" or has_gaps:
        dtype = row.dtype if np.dtype(row.dtype).kind in "fc" else "float64"
        values = random.random(shape) + 0.5
        return (values / values.sum()).astype(dtype)
    if name == "kernel" and row.note == "separable":
        return np.multiply.outer(*(random.standard_normal(size) for size in shape)).astype(row.dtype)
    if row.dtype == "uint8":  # no sum of 255 products of bits wraps in the functions that sum in uint8
        return random.integers(0, 256 if row.door == "ndimage" else 2, shape).astype(row.dtype)
    if row.dtype.startswith("int"):
        return random.integers(-9, 10, shape).astype(row.dtype)
    values = random.standard_normal(shape)
    if row.dtype.startswith("complex"):
        values = values + 1j * random.standard_normal(shape)
    return values.astype(row.dtype)
