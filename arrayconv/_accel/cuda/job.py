"""The struct that every CUDA kernel takes by value, and the compiler's options that give its types names.

`src/job.cuh` has the same struct in C++; the size is compared there. Nothing here names an array library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import dtypes
from arrayconv._problem.spec import Spec

MAX_AXES = 6
BOUNDARIES = {"constant": 0, "edge": 1, "symmetric": 2, "reflect": 3, "wrap": 4}
AXIS = np.dtype(
    [(name, "i8") for name in ("x", "y", "w")]
    + [(name, "i4") for name in ("size", "outputs", "taps", "stride", "dilation", "before", "boundary", "unused")],
    align=True,
)
JOB = np.dtype(
    [(name, "u8") for name in ("x", "w", "y")]
    + [
        (name, "i8")
        for name in (
            "batch_x", "batch_y", "group_x", "group_y", "group_w", "filter_y", "filter_w", "channel_x", "channel_w"
        )
    ]
    + [("fill_real", "f8"), ("fill_imag", "f8"), ("fill_integer", "i8")]
    + [(name, "i4") for name in ("batch", "groups", "filters", "channels")]
    + [("axes", AXIS, (MAX_AXES,))],
    align=True,
)  # fmt: skip
ADDRESSES = np.dtype("u8")  # the struct begins with those of x, w and y
TYPES = {  # dtype -> the name of `src/types.cuh`
    "float16": "float16", "bfloat16": "bfloat16", "float32": "float", "float64": "double",
    "complex64": "complex64", "complex128": "complex128",
    "int8": "signed8", "int16": "short", "int32": "int", "int64": "word",
    "uint8": "unsigned8", "uint16": "unsigned16", "uint32": "unsigned", "uint64": "unsigned64",
}  # fmt: skip
_SUMS = {  # accumulator -> the type of sums: those of integers wrap, which signed ones may not in C++
    "float32": "float", "float64": "double", "complex64": "complex64", "complex128": "complex128",
    "int8": "unsigned", "int16": "unsigned", "int32": "unsigned", "int64": "unsigned64",
}  # fmt: skip
ACCUMULATORS = frozenset(_SUMS)

Steps = Sequence[int]  # elements between neighbours along each axis


class Types(NamedTuple):
    """The dtypes of one launch, by name."""

    x: str
    w: str
    sums: str  # an accumulator
    y: str

    @classmethod
    def alike(cls, accumulator: str) -> Types:
        """Return the types of arrays in the accumulator's dtype."""
        return cls(accumulator, accumulator, accumulator, accumulator)


def options(types: Types, **macros: Any) -> tuple[str, ...]:
    """Return a compiler's options: the types of arrays and of their sums, and further macros."""
    names = {"X": TYPES[types.x], "W": TYPES[types.w], "Y": TYPES[types.y], "SUM": _SUMS[types.sums]}
    return tuple(f"-D{macro}={value}" for macro, value in {**names, "JOB_BYTES": JOB.itemsize, **macros}.items())


def job(spec: Spec, dtype: str, fill: complex, x: Steps, w: Steps, y: Steps) -> np.ndarray[Any, Any]:
    """Return the struct of a problem without addresses.

    Parameters
    ----------
    spec : Spec
        The problem, of at most `MAX_AXES` axes.
    dtype : str
        Name of the dtype of sums, in which `fill` is.
    fill : number
        The value outside, where an axis is extended by a constant.
    x, w, y : sequences of int
        Steps in elements of x (batch, groups, channels, *n), of the kernel (groups, filters, channels, *k) and of the
        result (batch, groups, filters, *out).
    """
    packed = np.zeros(1, JOB)
    packed["batch_x"], packed["group_x"], packed["channel_x"] = x[:3]
    packed["group_w"], packed["filter_w"], packed["channel_w"] = w[:3]
    packed["batch_y"], packed["group_y"], packed["filter_y"] = y[:3]
    packed["batch"], packed["groups"] = spec.batch, spec.groups
    packed["filters"], packed["channels"] = spec.filters, spec.channels
    if dtypes.kind(dtype) == "integer":
        packed["fill_integer"] = fill
    else:
        packed["fill_real"], packed["fill_imag"] = complex(fill).real, complex(fill).imag
    for number, axis in enumerate(spec.axes):
        packed["axes"][0, number] = (
            x[3 + number], y[3 + number], w[3 + number], axis.size, axis.outputs, axis.taps, axis.stride,
            axis.dilation, axis.before, BOUNDARIES[axis.boundary], 0,
        )  # fmt: skip
    return packed
