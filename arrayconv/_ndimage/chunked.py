"""A filter on Dask arrays: all passes of a chunk in one task, where that computes what one pass after another does.

x is extended along all filtered axes before the first pass. Each pass runs along axes of its own, so it treats copied
lines as it treats the lines that they copy: a boundary that copies samples is the same before and between passes. So is
a constant of 0, of which every pass makes 0. Any other constant is not, and those filters run pass by pass.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import contiguous
from arrayconv._arrays.chunks import is_lazy
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.identify import device_of, identify, library
from arrayconv._arrays.namespace import namespace_of
from arrayconv._arrays.operands import operands
from arrayconv._calls import cache, prepare
from arrayconv._calls.chunked import ChunkedCall
from arrayconv._ndimage.validation import Call, Source
from arrayconv._ndimage.window import Pass, windows_along
from arrayconv._ops.pad import along
from arrayconv._problem.boundary import Boundary, reads_samples
from arrayconv._problem.chunking import block_shape
from arrayconv._problem.problem import Problem, paired
from arrayconv._runtime.tracing import shape_of

_PASSES = "arrayconv._ndimage.passes"


class Chain(NamedTuple):
    """The passes of all chunks: plain data and the weights."""

    function: str
    result: str  # dtype name
    passes: tuple[Pass, ...]
    axes: tuple[int, ...]  # that the passes filter
    before: tuple[int, ...]  # along each

    @property
    def numbers(self) -> tuple[Any, ...] | None:
        """What the passes of two equal chains have in common, as a part of a cache key; None for unknown weights."""
        if not all(one.values for one in self.passes):
            return None
        return tuple((one.axes, one.before, one.flip, one.divisor, one.values) for one in self.passes)


def run(call: Call, x: Any, passes: tuple[Pass, ...]) -> Any:
    """Return x after all passes as a Dask array in the working dtype; None where they must run one by one."""
    if not _commutes(call, passes):
        return None
    function = call.source.function
    axes = tuple(axis for one in passes for axis in one.axes)
    before = tuple(first for one in passes for first in one.before)
    validated = operands(function, x, passes[0].weights, names=("input", "weights"))
    validated = validated._replace(traits=validated.traits._replace(output=call.working))
    problem = _problem(function, shape_of(x), passes, axes, before)
    passes = tuple(one._replace(boundaries=("constant",) * len(one.axes)) for one in passes)
    chain = Chain(function, call.working, passes, axes, before)
    options = prepare.options(function, "auto", "componentwise", None, call.fill)
    chunks = ChunkedCall(function, validated, problem, options, compute=compute, settings=chain)
    return chunks(validated.x, validated.kernel)


def remark(call: Call, passes: tuple[Pass, ...]) -> str:
    """Return what an explanation says of the passes of a chunk."""
    if _commutes(call, passes):
        return "all passes of a chunk run in one task, on x extended along all axes first"
    return "passes run one after the other, each in tasks of its own, since its boundary is not that of the next"


def _commutes(call: Call, passes: tuple[Pass, ...]) -> bool:
    """Whether x may be extended along all axes first; weights that are computed later are passed to their own tasks."""
    axes = [axis for one in passes for axis in one.axes]
    if not axes or len(set(axes)) < len(axes):
        return False
    if any(is_lazy(identify(call.source.function, "weights", one.weights)) for one in passes):
        return False
    copies = all(reads_samples(boundary) for one in passes for boundary in one.boundaries)
    return copies or call.fill == 0 or len(passes) == 1


def _problem(
    function: str, shape: tuple[int, ...], passes: tuple[Pass, ...], axes: tuple[int, ...], before: tuple[int, ...]
) -> Problem:
    """Return the windows of all passes as those of one kernel."""
    taps = tuple(size for one in passes for size in shape_of(one.weights))
    boundaries: tuple[Boundary, ...] = tuple(boundary for one in passes for boundary in one.boundaries)
    windows = windows_along(shape, axes, taps, before, boundaries)
    return paired(function, shape, taps, axes, dict(zip(axes, windows, strict=True)))


def compute(settings: Chain, problem: Problem, x: Any, _kernel: Array) -> Any:
    """Return a chunk of the result: what the passes compute from its extended samples, without the halo."""
    backend = library(type(x))
    xp, device = namespace_of(backend, x), device_of(x)
    x = xp.reshape(x, block_shape(problem, settings.axes))
    numbers = settings.numbers
    cache_key = None if numbers is None else cache.key(_PASSES, (x,), (settings.function, settings.result, *numbers))
    y = cache.lookup(cache_key)
    if y is None:
        source = Source(settings.function, x, backend, xp, device, dtype_name(x.dtype))
        y = import_module(_PASSES).run(Call(source, settings.result, None, 0.0), settings.passes, cache_key)
    else:
        y = y(x)
    for axis, first, one in zip(settings.axes, settings.before, problem.spec.axes, strict=True):
        y = y[along(axis, slice(first, first + one.outputs))]
    return contiguous(y)
