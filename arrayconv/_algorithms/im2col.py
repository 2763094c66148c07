"""im2col: every window copied to a column, then one matrix product per group.

    y[b, g] = W[g] @ columns[b, g],   W (filters, channels * taps),  columns (channels * taps, outputs)

Wins      several filters that share their windows, integers and floats alike.
Cost      a copy of `taps` times the outputs, none of one tap at stride 1; then macs = outputs * channels * taps at
          matrix-product speed.
Memory    the columns: taps * channels values per output position. The plan cuts pieces to fit a budget.
Source    Chellapilla, Puri, Simard, High performance convolutional neural networks for document processing, 2006.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from arrayconv._algorithms._base import OBJECT_BYTES, Algorithm, Bound, Context, Cuts, Preparation, per_call, product_ps
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import contiguous, copied_view, is_numpy, reshape
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import primitive_costs
from arrayconv._costs.gpu import BATCHED_LAUNCHES, Work, joining_launches
from arrayconv._ops import windows
from arrayconv._problem.spec import Spec
from arrayconv._runtime.tracing import planning

_ROWS = 3  # times longer that columns take where they are the windows of few outputs
_STRIDED = 3  # times longer that strided samples take to copy
_RUN_PS = 7000  # of each run of adjacent samples that NumPy copies, in addition to its bytes
_FILTERS = 128  # fewer rows of a product are multiplied at two thirds of the speed of a large one
_VIEW = 8  # calls that take as long as the view of all windows of a NumPy array, without copying and multiplying


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if traits.exact and not traits.integer_matmul:
        return f"{traits.backend} on {traits.device} has no integer matrix product"
    return None


def _columns(spec: Spec) -> int:
    """Count the elements of all columns."""
    return prod((spec.batch, spec.groups, spec.terms, *spec.output_size))


def _is_view(spec: Spec) -> bool:
    """Whether the columns are x itself: one tap, and every sample is an output's."""
    return all(axis.taps == axis.stride == 1 and axis.outputs == axis.size for axis in spec.axes)


def _copied(spec: Spec) -> int:
    """Count the elements of all columns that are copied."""
    return 0 if _is_view(spec) else _columns(spec)


def _cost(spec: Spec, traits: Traits) -> int:
    rate = primitive_costs(traits.row)
    mac = product_ps(traits)
    mac += mac // 2 if spec.filters < _FILTERS else 0
    if spec.filters == 1 and traits.backend == "numpy":
        mac = rate.integer_mac  # NumPy's fast path does not include products with one row
    # A product with few rows runs at the speed of reading the columns, not of multiplying.
    work = max(spec.macs * mac, _columns(spec) * traits.itemsize * rate.pass_byte)
    copied = _copied(spec) * traits.itemsize * rate.copy_byte
    if traits.backend == "numpy":
        copied += _copied(spec) // max(1, spec.output_size[-1] if spec.axes else 1) * _RUN_PS
    if any(axis.stride > 1 for axis in spec.axes):
        copied *= _STRIDED
    if prod(spec.output_size) < spec.taps:  # rows of long windows, copied in short runs
        work, copied = _ROWS * work, _ROWS * copied
    return rate.call_ns * _calls(spec, traits) + (work + copied) // 1000


def _work(spec: Spec, traits: Traits) -> Work:
    views, columns = 0 if _is_view(spec) else _views(spec), _columns(spec) * traits.itemsize
    launches = 2 + joining_launches(views, columns) + BATCHED_LAUNCHES * (spec.batch * spec.groups > 1)
    copied = 2 * _copied(spec) * traits.itemsize
    return Work(launches, copied + columns + traits.itemsize * spec.outputs, spec.macs)


def _calls(spec: Spec, traits: Traits) -> int:
    """Count the calls of array functions: one per tap or output, but on real NumPy arrays one view of all windows."""
    calls = _views(spec) + 4
    if traits.backend == "numpy" and not traits.accumulator.startswith("complex"):
        return min(_VIEW, calls)
    return calls


def _views(spec: Spec) -> int:
    """Count the views that the columns are stacked from: for every tap, or for every output where these are fewer."""
    return min(spec.taps, prod(spec.output_size))


def _workspace(spec: Spec, traits: Traits) -> int:
    return traits.itemsize * (_copied(spec) + spec.outputs + prod(spec.kernel_shape)) + 2 * OBJECT_BYTES * _views(spec)


def _prepare(kernel: Array, spec: Spec, context: Context) -> Array:
    return contiguous(reshape(kernel, (spec.groups, spec.filters, spec.terms), xp=context.xp))


class Steps(NamedTuple):
    """The indices and shapes that make columns of x."""

    parts: tuple[tuple[Any, ...], ...]  # of x, one per tap, or one per output
    axis: int  # along which they are stacked
    matrices: tuple[int, ...]  # their shape as matrices of columns, or of rows
    of_outputs: bool  # whether there is one part per output, so that the matrices consist of rows
    outputs: tuple[int, ...]
    windows: tuple[int, ...]  # the shape of the stacked parts
    steps: tuple[tuple[int, int], ...]  # for each of its axes, an axis of x and the step along it in samples


@planning()
def _steps(spec: Spec) -> Steps:
    """Return the steps, with parts per tap or per output, whichever are fewer."""
    outputs, lead, axes = prod(spec.output_size), (spec.batch, spec.groups), list(enumerate(spec.axes, windows.LEADING))
    taps, places = [(n, axis.dilation) for n, axis in axes], [(n, axis.stride) for n, axis in axes]
    if outputs < spec.taps:
        shape = (*lead, *spec.output_size, spec.channels, *spec.kernel_size)
        steps = ((0, 1), (1, 1), *places, (2, 1), *taps)
        parts, axis, matrices = windows.fields(spec.axes), windows.LEADING - 1, (*lead, outputs, spec.terms)
        return Steps(parts, axis, matrices, True, spec.output_shape, shape, steps)
    shape = (*lead, spec.channels, *spec.kernel_size, *spec.output_size)
    steps = ((0, 1), (1, 1), (2, 1), *taps, *places)
    parts, axis, matrices = windows.windows(spec.axes), windows.LEADING, (*lead, spec.terms, outputs)
    return Steps(parts, axis, matrices, False, spec.output_shape, shape, steps)


def _bind(spec: Spec, context: Context) -> Bound:
    xp, steps, is_view = context.xp, _steps(spec), _is_view(spec)

    def run(x: Any, weights: Array, out: Array | None) -> Array:
        if is_view:
            columns = x
        elif is_numpy(x):
            columns = copied_view(x, steps.windows, tuple([x.strides[axis] * step for axis, step in steps.steps]))
        else:
            columns = xp.stack([x[part] for part in steps.parts], axis=steps.axis)
        columns = reshape(columns, steps.matrices, xp=xp)
        if steps.of_outputs:
            columns = xp.matrix_transpose(columns)
        return reshape(xp.matmul(weights, columns), steps.outputs, xp=xp)

    return Bound(run)


im2col = Algorithm(
    "im2col",
    _why_not,
    _cost,
    _workspace,
    Preparation(per_call(_prepare)),
    _bind,
    accuracy="componentwise",
    cuts=Cuts(slabs=True, tile_bytes=1 << 23),
    work=_work,
)
