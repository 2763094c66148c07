"""Both sums and their quotient in one compiled loop, on NumPy arrays of floats along their last one or two axes.

A kernel that is a sum of products is summed by its factors where that takes fewer multiplications and keeps the error
bound. Support is counted where a weight does not exceed the bound on its error, so it is that of every other way.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv import config
from arrayconv._accel.native import gaps, loader
from arrayconv._accel.native.gaps import Gaps, Rules
from arrayconv._arrays import dtypes
from arrayconv._arrays.dtypes import itemsize
from arrayconv._arrays.operands import Operands
from arrayconv._calls import prepare, tape
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, method_cost
from arrayconv._costs.parallel import Threads
from arrayconv._kernels import separable
from arrayconv._missing.options import Problems, Request
from arrayconv._missing.support import Taps, weight_error
from arrayconv._plan.rank import Candidate
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import planning

_MIN_SIZE = 1 << 14  # samples below which the table takes longer than the masks
NAME = "native_gaps"
_DIRECT = ("native_loops", "native_tiles")
_LINE_MACS = 4  # multiplications that writing the sums of a line takes as long as, for each product of factors


class Layout(NamedTuple):
    """The axes of rows and columns, and the order of the kernel's axes."""

    axes: tuple[Axis, Axis]
    order: tuple[int, ...]


class Kernel(NamedTuple):
    """A kernel as the loop reads it, and the error of the weights."""

    taps: gaps.Taps
    error: float


class Way(NamedTuple):
    """How the loop computes a call."""

    layout: Layout
    kernel: Kernel
    threads: Threads
    cost_ns: int


def quotient(
    request: Request, call: Operands, where: Any, planned: Problems, taps: Taps | None, name: str
) -> tuple[Any, Any] | None:
    """Return the quotients of a call and the weights where they are needed, None where it must run otherwise."""
    if taps is None or tape.is_recording():
        return None
    way = _way(request, call, planned, taps, name)
    if way is None:
        return None
    shape, dtype = planned.one.shape, np.dtype(name)
    y = np.empty(shape, dtype)
    weight = np.empty(shape, dtype) if request.return_weight or request.min_weight else None
    x = np.asarray(call.x)
    flags = None if where is None else np.broadcast_to(where, x.shape).view(np.uint8)
    fill = request.choice.fill_value.real if planned.reads_fill else 0.0
    rules = Rules(request.policy == "omit", fill, planned.reads_fill, way.kernel.error)
    gaps.run(Gaps(x, flags, y, weight), way.layout.axes, way.kernel.taps, rules, way.threads)
    return y, weight


def candidate(request: Request, call: Operands, planned: Problems, taps: Taps | None, name: str) -> Candidate | None:
    """Return the loop as `explain` describes it, None where it does not compute the call.

    A kernel without values is taken as one that is no sum of products.
    """
    way = _way(request, call, planned, taps, name)
    if way is None:
        return None
    workspace = way.threads.most * gaps.workspace(way.layout.axes, way.kernel.taps, itemsize(name))
    return Candidate(NAME, way.cost_ns, (), workspace, None)


def _way(request: Request, call: Operands, planned: Problems, taps: Taps | None, name: str) -> Way | None:
    """Return how the loop computes a call, None where it does not or takes longer than the plan of both sums."""
    if call.traits.backend != "numpy" or request.choice.method != "auto" or request.choice.max_workspace is not None:
        return None
    x, own = np.asarray(call.x), np.asarray(call.kernel)
    layout = layout_of(x.shape, own.shape, planned)
    if layout is None or not gaps.supports(x, name):
        return None
    kernel = _kernel(own, layout, planned, taps, request, name)
    most = parallel.most_threads(config.current().threads, is_compiled=True)
    work = 2 * prod(planned.one.shape) * kernel.taps.number * itemsize(name)
    threads = parallel.threads("filters", work, most)
    plan = prepare.plan(request.function, planned.both, call.traits, request.choice)
    cost = cost_ns(kernel, planned, name, threads.most)
    if plan.method in _DIRECT:  # which computes as many products, and writes both sums
        cost = min(cost, plan.candidate.cost_ns)
    if cost > plan.candidate.cost_ns or not loader.runs(plan.traits):
        return None
    return Way(layout, kernel, threads, cost)


@planning()
def layout_of(x_shape: tuple[int, ...], kernel_shape: tuple[int, ...], planned: Problems) -> Layout | None:
    """Return the axes of a call as the loop runs along them, None where it does not."""
    spec, space, ndim = planned.one.spec, planned.space, len(x_shape)
    others = [label for label in range(ndim) if label not in space]
    if not space or min(space) < ndim - 2 or prod(x_shape) < _MIN_SIZE or not prod(planned.one.shape):
        return None
    if prod(kernel_shape) != spec.taps or any(planned.one.shape[label] != x_shape[label] for label in others):
        return None
    by_label = dict(zip(space, spec.axes, strict=True))
    rows, columns = (
        by_label.get(label, Axis(n, 1, n)) for label, n in ((ndim - 2, (1, *x_shape)[-2]), (ndim - 1, x_shape[-1]))
    )
    aligned = len(kernel_shape) == ndim
    order = tuple(range(ndim)) if aligned else tuple(sorted(range(len(space)), key=space.__getitem__))
    return Layout((rows, columns), order) if gaps.fits((rows, columns), separable.MAX_TERMS, 8) else None


def _kernel(own: Any, layout: Layout, planned: Problems, taps: Taps | None, request: Request, name: str) -> Kernel:
    """Return a kernel in the order of the loop, by its factors where that takes fewer multiplications."""
    rows, columns = layout.axes
    values = own.transpose(layout.order).reshape(rows.taps, columns.taps).astype(name)
    if planned.one.spec.flip:
        values = values[::-1, ::-1]
    factors = None if taps is None else _factors(values, request, name)
    if factors is not None:
        return factors
    none, error = np.empty((0, 1), name), 0.0
    if taps is not None:
        error = weight_error(planned.one.spec, taps, "direct", name)
    return Kernel(gaps.Taps(values, none, none), error)


def _factors(values: Any, request: Request, name: str) -> Kernel | None:
    """Return a kernel as a sum of products of factors, None where it is none or takes more multiplications."""
    rows, columns = values.shape
    most = min((values.size - 1) // (rows + columns + _LINE_MACS), separable.MAX_TERMS)
    if most < 1 or not gaps.is_product(values):
        return None
    eps = dtypes.eps(name)
    separation = separable.separated(values, eps, most)
    if not 0 < len(separation.terms) <= most:
        return None
    if separable.misfit(separation, values.shape, name, request.choice.accuracy):
        return None
    terms = [separable.balanced(term, (0, 1), name) for term in separation.terms]
    if any(term is None for term in terms):
        return None
    down, along = (np.asarray([term[axis] for term in terms if term is not None], name) for axis in (0, 1))
    wide = down.astype(np.float64), along.astype(np.float64)
    difference = float(np.sum(np.abs(np.einsum("ti,tj->ij", *wide) - values)))
    size = float(np.sum(np.sum(np.abs(wide[0]), axis=1) * np.sum(np.abs(wide[1]), axis=1)))
    return Kernel(gaps.Taps(values, down, along), difference + eps * (rows + columns + len(terms) + 4) * size)


def cost_ns(kernel: Kernel, planned: Problems, name: str, threads: int) -> int:
    """Return the predicted nanoseconds of both sums; masks and quotients take as long by every method."""
    outputs, lines = prod(planned.one.shape), len(kernel.taps.down) * _LINE_MACS
    measured = method_cost("native_tiles")
    line_mac = measured.cache_line_mac * itemsize(name) // LINE
    return 2 * outputs * ((kernel.taps.number + lines) * line_mac + measured.output) // threads // 1000
