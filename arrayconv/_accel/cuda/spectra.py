"""The kernels around a transform, `src/spectra_*.cuh`: the struct that they take, and where a transform's samples are.

The lengths of transforms, the position of x in them and the index of the first output are those of the method `fft`.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel.cuda import job
from arrayconv._accel.cuda.arrays import ARRAYS
from arrayconv._accel.cuda.kernels import MAX_BLOCKS
from arrayconv._accel.cuda.launch import launch
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._algorithms import ALGORITHMS
from arrayconv._algorithms.fft import first_output, lengths_of
from arrayconv._arrays.dtypes import component
from arrayconv._problem.spec import Axis, Spec
from arrayconv._problem.split import extended, handles_wrap, shift_to_data
from arrayconv._runtime.tracing import planning

MAX_AXES = 3  # of one plan of cuFFT
_CHUNK, _WARPS = 512, 8  # of src/spectra.cuh
_THREADS = 32 * _WARPS
_MAX_COLUMNS = 2048  # of blocks per image: more work is done by the same threads
_EXTENT = np.dtype([(name, "i4") for name in ("length", "first", "count", "read")])
TRANSFORM = np.dtype(
    [("job", job.JOB)]
    + [(name, "u8") for name in ("samples", "spectrum", "kernel", "product", "x_summary", "w_summary", "marks")]
    + [("frequencies", "i8"), ("factor", "f8"), ("extents", _EXTENT, (MAX_AXES,))],
    align=True,
)
_PARTS = {"float32": "float", "float64": "double"}


class Layout(NamedTuple):
    """A problem as the method `fft` computes it, and where its samples are in the transform."""

    spec: Spec  # of what `fft` reads: x extended, except where the transform itself does that
    lengths: tuple[int, ...]
    extents: tuple[tuple[int, int, int, int], ...]  # per axis: length, first, count, read of src/spectra.cuh

    @property
    def points(self) -> int:
        """Samples of one transform."""
        return prod(self.lengths)


@planning()
def layout(spec: Spec, zero_fill: bool) -> Layout:
    """Return the layout of a piece, given whether 'constant' means zeros."""
    extends = ALGORITHMS["fft"].cuts.extending(zero_fill)
    axes = tuple(map(shift_to_data, spec.axes))
    inner = tuple(axis if handles_wrap(axis, extends) else extended(axis, extends)[0] for axis in axes)
    own = spec._replace(axes=inner)
    lengths = lengths_of(own)
    return Layout(own, lengths, tuple(map(_extent, axes, inner, lengths)))


def _extent(axis: Axis, inner: Axis, length: int) -> tuple[int, int, int, int]:
    return length, inner.before - axis.before, inner.size, first_output(inner) % length


@planning()
def kernel_layout(spec: Spec, lengths: tuple[int, ...]) -> Layout:
    """Return the layout of the kernel, reversed and with zeros between dilated taps: an image per filter."""
    axes = tuple(Axis(size=axis.reach, taps=1, outputs=axis.reach) for axis in spec.axes)
    own = Spec(spec.groups, spec.filters, spec.channels, 1, axes)
    return Layout(own, lengths, tuple((length, 0, axis.size, 0) for length, axis in zip(lengths, axes, strict=True)))


@planning()
def kernel(name: str, dtype: str, axes: int, scans: bool) -> Kernel:
    """Return a kernel of `src/spectra_*.cuh`; `scans` is for that which pads."""
    part = _PARTS[component(dtype)]
    macros = {"NAXES": axes, "PART": part, "SCANS": int(scans), "TRANSFORM_BYTES": TRANSFORM.itemsize}
    return Kernel(f"spectra_{name}", job.options(job.Types.alike(dtype), **macros))


def task_of(spec: Spec, of: Layout, dtype: str, fill: complex, x: Any, y: Any = None) -> np.ndarray[Any, Any]:
    """Return the struct of a problem, with the addresses of x and y alone."""
    none = (0,) * x.ndim
    task = np.zeros(1, TRANSFORM)
    steps_of = ARRAYS["cupy"].steps
    task["job"] = job.job(spec, dtype, fill, steps_of(x), none, none if y is None else steps_of(y))
    task["job"]["x"], task["job"]["y"] = x.data.ptr, 0 if y is None else y.data.ptr
    task["extents"][0, : len(of.extents)] = np.array(list(of.extents), _EXTENT)
    task["factor"] = 1 / of.points
    return task


def pad(task: Any, of: Layout, dtype: str, device: Any, *, scans: bool) -> None:
    """Write the samples of a transform and their summary; with `scans` scaled, after each block read its image."""
    spec, last = of.spec, of.lengths[-1]
    units = of.points // last * -(-last // _CHUNK)
    columns = min(-(-units // _WARPS), _MAX_COLUMNS)
    if scans:  # so that reading all taps in each block does not take longer than writing
        columns = min(columns, max(4, 8 * of.points // (spec.channels * prod(spec.input_size))))
    rows = min(spec.batch * spec.groups * spec.channels, MAX_BLOCKS)
    _launch("pad", task, Grid((columns, rows, 1), (32, _WARPS, 1)), len(of.lengths), dtype, device, scans=scans)


def contain(task: Any, of: Layout, dtype: str, device: Any) -> None:
    """Scale padded samples and mark contaminated windows, where the summary says that there is a reason."""
    columns = min(-(-of.points * of.spec.channels // (8 * _THREADS)), _MAX_COLUMNS // 4)  # few: most return at once
    rows = min(of.spec.batch * of.spec.groups, MAX_BLOCKS)
    _launch("contain", task, Grid((columns, rows, 1), (_THREADS, 1, 1)), len(of.lengths), dtype, device)


def multiply(task: Any, of: Layout, dtype: str, device: Any) -> None:
    """Write the product of spectra."""
    columns = min(-(-int(task["frequencies"][0]) // (4 * _THREADS)), _MAX_COLUMNS)
    grid = Grid((columns, _rows(of.spec), 1), (_THREADS, 1, 1))
    _launch("product", task, grid, len(of.lengths), dtype, device)


def restore(task: Any, of: Layout, dtype: str, device: Any) -> None:
    """Write the result from the inverse transform."""
    *lead, last = of.spec.output_size
    columns = min(-(-prod(lead) * -(-last // _CHUNK) // _WARPS), _MAX_COLUMNS)
    grid = Grid((columns, _rows(of.spec), 1), (32, _WARPS, 1))
    _launch("restore", task, grid, len(of.lengths), dtype, device)


def _rows(spec: Spec) -> int:
    return min(spec.batch * spec.groups * spec.filters, MAX_BLOCKS)


def _launch(name: str, task: Any, grid: Grid, axes: int, dtype: str, device: Any, *, scans: bool = False) -> None:
    launch(kernel(name, dtype, axes, scans), grid, task, device)


def marks_bytes(spec: Spec) -> int:
    """Count the marks of contaminated windows: one per window along the last axis at each position of the others."""
    *lead, last = spec.axes
    reached = prod(axis.stride * (axis.outputs - 1) + axis.reach for axis in lead)
    return spec.batch * spec.groups * reached * last.outputs
