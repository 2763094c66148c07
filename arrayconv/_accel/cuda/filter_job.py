"""The struct of filters' kernels, passed by value, and the compiler's options that give its types names.

`src/filters.cuh` has the same struct in C++; the size is compared there. CUDA passes up to 4 KiB by value, so the taps
of all usual filters are in the struct: no upload, nothing to cache per stream, and a tap that all threads read at once
comes from the cache of constants. More taps are an array on the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.job import BOUNDARIES, Steps
from arrayconv._accel.native import filters
from arrayconv._arrays import dtypes
from arrayconv._problem.chain import Chains, Window
from arrayconv._problem.spec import Axis

MAX_PASSES, MAX_VALUES = 12, 384  # of the struct
_INT_BITS = 32
_PASS = np.dtype(
    [("divisor", "f8"), ("factor", "f8"), ("first", "i8"), ("step", "i8"), ("divides", "i4"), ("multiplies", "i4")],
    align=True,
)
_FLAGS = "chains", "is_one_kernel", "skips_zeros", "is_first", "is_last", "unused"
FILTER_JOB = np.dtype(
    [(name, "u8") for name in ("x", "w", "y")]
    + [("fill_real", "f8"), ("fill_imag", "f8")]
    + [(name, "i4") for name in _FLAGS]
    + [("axes", job.AXIS, (job.MAX_AXES,)), ("passes", _PASS, (MAX_PASSES,)), ("taps", "f8", (MAX_VALUES,))],
    align=True,
)
_COMBINATIONS = {"": "ALONE", "sum": "ADDED", "length": "LENGTH"}


class Taps(NamedTuple):
    """Where the taps of a pass are: elements from the first one, and steps along the axes of its window."""

    first: int
    steps: Steps


class Stage(NamedTuple):
    """What one launch computes: of each chain one pass, or two along two axes."""

    windows: tuple[tuple[Window, ...], ...]
    taps: tuple[tuple[Taps, ...], ...]
    shape: tuple[int, ...]  # of what it reads
    output_shape: tuple[int, ...]
    chain: int = 0  # the first
    reads_x: bool = True  # else what an earlier launch wrote
    writes_y: bool = True


class Kind(NamedTuple):
    """What is compiled besides the passes."""

    is_whole: bool  # sums are formed in int, which contains them
    in_struct: bool  # taps are in the struct
    is_bool: bool  # bytes of the result are 0 or 1


def options(chains: Chains, stage: Stage, kind: Kind, **macros: Any) -> tuple[str, ...]:
    """Return a compiler's options: types of arrays, taps and sums, how sums are rounded, and further macros."""
    is_whole, in_struct, is_bool = kind
    sums = "int" if is_whole else "complex128" if chains.x.startswith("complex") else "double"
    taps = "((const double *)job.w)" if not in_struct else "job.whole_taps" if is_whole else "job.taps"
    own = {
        "X": job.TYPES[chains.x if stage.reads_x else chains.y],
        "Y": job.TYPES[chains.y],
        "W": "int" if is_whole else "double",
        "SUM": sums,
        "TAPS": taps,
        "IS_ORDERED": int(dtypes.kind(chains.y) == "integer" and not chains.is_one_kernel),
        "ROUNDING": _rounding(chains),
        "COMBINE": _COMBINATIONS[chains.combine] if stage.writes_y else "ALONE",
        "IS_BOOL": int(is_bool and stage.writes_y),
        "JOB_BYTES": job.JOB.itemsize,
        "FILTER_BYTES": FILTER_JOB.itemsize,
    }
    return tuple(f"-D{macro}={value}" for macro, value in {**own, **macros}.items())


def _rounding(chains: Chains) -> str:
    """Return how sums become numbers of y: one kernel's integers wrap, a filter's are cut to an int32 first."""
    name = chains.y
    if dtypes.kind(name) != "integer":
        return "AS_FLOAT"
    if name == "uint64":
        return "UNSIGNED"
    is_narrow = dtypes.DTYPES[name].bits < _INT_BITS or name == "int32"
    return "NARROW" if is_narrow and not chains.is_one_kernel else "WIDE"


def pack(chains: Chains, stage: Stage, order: Sequence[int], x: Steps, y: Steps, fill: complex) -> Any:
    """Return the struct of a stage without addresses and taps.

    Parameters
    ----------
    chains : Chains
        The filter.
    stage : Stage
        What the launch computes.
    order : sequence of int
        The axes of x as the kernel counts them.
    x, y : sequences of int
        Steps in elements between neighbours along each axis of x and y.
    fill : complex
        The value outside, where an axis is extended by a constant.
    """
    packed = np.zeros(1, FILTER_JOB)
    packed["fill_real"], packed["fill_imag"] = complex(fill).real, complex(fill).imag
    packed["chains"], packed["is_one_kernel"] = len(stage.windows), chains.is_one_kernel
    packed["is_first"] = stage.chain == 0
    packed["is_last"] = stage.chain + len(stage.windows) == len(chains.chains)
    packed["skips_zeros"] = any(window.sparse for row in stage.windows for window in row)
    along = {axis: own for window in stage.windows[0] for axis, own in zip(window.axes, window.windows, strict=True)}
    taps = dict(zip(stage.windows[0][0].axes, stage.taps[0][0].steps, strict=True))
    for number, axis in enumerate(order):
        own = along.get(axis, Axis(stage.shape[axis], 1, stage.shape[axis], boundary="edge"))
        packed["axes"][0, number] = (
            x[axis], y[axis], taps.get(axis, 0), own.size, own.outputs, own.taps, own.stride, own.dilation, own.before,
            BOUNDARIES[own.boundary], 0,
        )  # fmt: skip
    windows = [window for row in stage.windows for window in row]
    for number, (window, place) in enumerate(zip(windows, (one for row in stage.taps for one in row), strict=True)):
        mean = filters.mean(chains, window)
        packed["passes"][0, number] = (
            mean.divisor, mean.factor, place.first, place.steps[0], mean.divides, mean.multiplies,
        )  # fmt: skip
    return packed
