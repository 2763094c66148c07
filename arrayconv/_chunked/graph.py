"""A call as a Dask array: a layer of one task per chunk of the result, and one of strips where chunks are large.

A task takes the chunks of x and of the kernel that it reads as arguments, whole or as strips. All sums of an output are
formed in one task, over all channels and all taps: so integers are exact, and floats are rounded as in a call on the
whole array.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, product
from math import prod
from typing import Any

import dask.array as da
from dask._task_spec import Task, TaskRef
from dask.array.utils import meta_from_array
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

from arrayconv._chunked.elementwise import one_chunk
from arrayconv._chunked.operand import Operand, Parts, lengths
from arrayconv._chunked.tasks import Block, Job, run
from arrayconv._problem.boundary import Source
from arrayconv._problem.chunking import Window, block_problem, output_chunks, ranges, result_roles, roles, window
from arrayconv._problem.layout import Shape
from arrayconv._problem.problem import Problem, Sum
from arrayconv._problem.split import Range

_MOST_PROBLEMS = 512  # of blocks that are compared


def lazy(array: Any) -> Any:
    """Return an operand as a Dask array: one that is not is one chunk."""
    return array if isinstance(array, da.Array) else one_chunk(array)


class Blocks:
    """A problem cut into blocks: one for each chunk of the result."""

    def __init__(self, problem: Problem, x: Any, kernel: Any, *, whole_kernel: bool) -> None:
        layout, axes = problem.layout, problem.spec.axes
        self.problem, count = problem, len(axes)
        self.whole_kernel = whole_kernel
        self.x, self.kernel = Operand(x, layout.x.split), Operand(kernel, layout.kernel.split)
        self._x, self._kernel = roles(layout.x, count), roles(layout.kernel, count)
        self._y = result_roles(layout, count)
        self._chunks = self._output_chunks()
        self._ranges = [ranges(chunks) for chunks in self._chunks]
        self._windows = [
            [window(axis, *block, gathers=not whole_kernel) for block in self._ranges[number]]
            for axis, number in zip(axes, self._y.space, strict=True)
        ]
        each = zip(self._x.space, self._windows, strict=True)
        self.x.cut_strips({axis: [one.parts for one in along] for axis, along in each})
        self._numbers, self.shape = _result_axes(problem)
        self._cached: dict[Any, Any] = {}

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...]:
        """The chunks of the result."""
        return tuple((1,) if number is None else self._chunks[number] for number in self._numbers)

    def _output_chunks(self) -> list[tuple[int, ...]]:
        """Return the chunks of the result's axes, in canonical order: those of x, or of the kernel for its filters."""
        chunks: list[tuple[int, ...]] = [(1,)] * len(self.problem.layout.y.split)
        for y, x in zip(self._y.first, self._x.first, strict=True):
            chunks[y] = self.x.chunks(x)
        for y, x, kernel in zip(self._y.second, self._x.second, self._kernel.first, strict=True):
            own = (self.x.split[x],) if self.whole_kernel else self.x.chunks(x)
            chunks[y] = own if len(own) > 1 else self.kernel.chunks(kernel)
        for y, kernel in zip(self._y.third, self._kernel.second, strict=True):
            chunks[y] = self.kernel.chunks(kernel)
        for y, x, axis in zip(self._y.space, self._x.space, self.problem.spec.axes, strict=True):
            chunks[y] = output_chunks(axis, self.x.chunks(x))
        return chunks

    @property
    def num_blocks(self) -> int:
        """The number of chunks of the result."""
        return prod(map(len, self._chunks))

    @property
    def num_chunks_of_x(self) -> int:
        """The number of chunks of x."""
        return self.x.array.npartitions

    @property
    def num_strips(self) -> int:
        """The number of tasks that cut strips."""
        return 0 if self.x.strips is None else len(self.x.strips)

    @property
    def num_samples_read(self) -> int:
        """The samples of x that all blocks read, those that several read counted as often."""
        along = [sum(stop - first for one in each for first, stop in one.parts) for each in self._windows]
        others = prod(len(self._chunks[y]) for y in self._y.third)
        groups = prod(self.x.split[axis] for axis in (*self._x.first, *self._x.second, *self._x.third))
        return prod(along) * others * groups

    def problems(self) -> set[Problem]:
        """Return the problems of all blocks, equal ones once: of every combination of different ones along the axes."""
        each = [_distinct(chunks) for chunks in self._chunks]
        for axis, windows in zip(self._y.space, self._windows, strict=True):
            each[axis] = _distinct([(one.axis, one.runs) for one in windows])
        index = [[0] if number is None else each[number] for number in self._numbers]
        return {self.at(numbers)[0].geometry for numbers in islice(product(*index), _MOST_PROBLEMS)}

    def indices(self) -> Iterator[tuple[int, ...]]:
        """Yield the index of each chunk of the result."""
        return product(*(range(len(chunks)) for chunks in self.chunks))

    def at(self, index: tuple[int, ...]) -> tuple[Block, list[TaskRef]]:
        """Return a block by the index of its chunk, and the chunks and strips that it reads."""
        places = [0] * len(self._chunks)
        for number, at in zip(self._numbers, index, strict=True):
            if number is not None:
                places[number] = at
        outputs = [along[at] for along, at in zip(self._ranges, places, strict=True)]
        windows = [along[places[axis]] for along, axis in zip(self._windows, self._y.space, strict=True)]
        x, x_chunks = self.x.reads(*self._x_parts(outputs, windows))
        kernel_parts = self._kernel_parts(outputs)
        kernel, kernel_chunks = (None, []) if self.whole_kernel else self.kernel.reads(kernel_parts, ())
        y = tuple([stop - first for first, stop in outputs])
        shape = tuple([1 if number is None else y[number] for number in self._numbers])
        block = Block(
            x, kernel, self._geometry(x.split, lengths(kernel_parts), y, tuple([one.axis for one in windows]), shape)
        )
        return self._shared(block), x_chunks + kernel_chunks

    def _x_parts(
        self, outputs: Sequence[Range], windows: Sequence[Window]
    ) -> tuple[list[Parts], tuple[tuple[int, Source], ...]]:
        parts: list[Parts] = [((0, size),) for size in self.x.split]
        for role, y in zip((*self._x.first, *self._x.second), (*self._y.first, *self._y.second), strict=True):
            parts[role] = (outputs[y],)
        for axis, one in zip(self._x.space, windows, strict=True):
            parts[axis] = one.parts
        return parts, tuple([(axis, one.runs) for axis, one in zip(self._x.space, windows, strict=True) if one.runs])

    def _kernel_parts(self, outputs: Sequence[Range]) -> list[Parts]:
        parts: list[Parts] = [((0, size),) for size in self.kernel.split]
        for role, y in zip((*self._kernel.first, *self._kernel.second), (*self._y.second, *self._y.third), strict=True):
            parts[role] = (outputs[y],)
        return parts

    def _geometry(self, x: Shape, kernel: Shape, y: Shape, axes: tuple[Any, ...], shape: Shape) -> Problem:
        cache_key = x, kernel, y, axes
        cached = self._cached.get(cache_key)
        if cached is None:
            extended = list(x)
            for number, axis in zip(self._x.space, axes, strict=True):
                extended[number] = axis.size
            cached = block_problem(self.problem, (tuple(extended), kernel, y), axes, shape)
            self._cached[cache_key] = cached
        return cached

    def _shared(self, block: Block) -> Block:
        """Return a block that equals an earlier one as that one, so that a graph of many chunks contains few."""
        return self._cached.setdefault(block, block)


def _distinct(values: Sequence[Any]) -> list[int]:
    """Return the places of values that differ from all before."""
    return list({value: number for number, value in reversed(list(enumerate(values)))}.values())


def _result_axes(problem: Problem) -> tuple[tuple[int | None, ...], Shape]:
    """Return the canonical number of each axis of the graph's array, None for one of length 1, and its shape.

    The shape is the problem's, unless several axes of the result are joined to one of the problem's.
    """
    y = problem.layout.y
    in_order = [number for number in y.order if y.split[number] != 1]
    if [y.split[number] for number in in_order] != [size for size in problem.shape if size != 1]:
        return y.order, tuple(y.split[number] for number in y.order)
    numbers = iter(in_order)
    return tuple(None if size == 1 else next(numbers) for size in problem.shape), problem.shape


def summed(array: Any, part: Sum | None, dtype: Any) -> Any:
    """Return an operand with the axes of a `Sum` summed out, chunk by chunk."""
    if part is None or not part.axes:
        return array
    return da.sum(da.reshape(array, part.split).astype(dtype), axis=part.axes, dtype=dtype)


def blocks(problem: Problem, x: Any, kernel: Any, accumulator: str, *, whole_kernel: bool) -> Blocks:
    """Return a problem cut at the chunks of its operands, either of which may be one array.

    With a `whole_kernel` no block reads it, and filters and groups are not cut.
    """
    if whole_kernel:
        kernel = da.zeros(problem.layout.kernel.split, dtype=accumulator, chunks=-1)  # pyright: ignore[reportCallIssue]
    of_x, of_kernel = problem.sums or (None, None)
    x, kernel = summed(lazy(x), of_x, accumulator), summed(lazy(kernel), of_kernel, accumulator)
    return Blocks(problem, x, kernel, whole_kernel=whole_kernel)


def array(cut: Blocks, job: Job, dtype: Any, like: Any) -> Any:
    """Return the result as a Dask array of a dtype, of chunks like `like`."""
    operands = (cut.x.array,) if cut.whole_kernel else (cut.x.array, cut.kernel.array)
    name = f"{job.name}-{tokenize(cut.problem, job, *[operand.name for operand in operands], str(dtype))}"
    tasks: dict[Any, Any] = {}
    for index in cut.indices():
        block, chunks = cut.at(index)
        key = (name, *index)
        tasks[key] = Task(key, run, job, block, *chunks)
    graph = _with_strips(HighLevelGraph.from_collections(name, tasks, dependencies=list(operands)), name, cut.x)
    meta = meta_from_array(like, len(cut.shape), dtype=dtype)
    y = da.Array(graph, name, cut.chunks, meta=meta)  # pyright: ignore[reportCallIssue]
    return y if cut.shape == cut.problem.shape else da.reshape(y, cut.problem.shape)


def _with_strips(graph: HighLevelGraph, name: str, x: Operand) -> HighLevelGraph:
    """Return a graph with the layer of x's strips, on which its layer `name` depends.

    The layer has the strips' name, so calls that read the same strips of the same array share its tasks.
    """
    if x.strips is None:
        return graph
    layers = {**graph.layers, x.strips.name: MaterializedLayer(x.strips.tasks())}
    of_strips = {x.strips.name: set(x.array.__dask_layers__()), name: {*graph.dependencies[name], x.strips.name}}
    return HighLevelGraph(layers, {**graph.dependencies, **of_strips})


def zeros(shape: Shape, dtype: Any, like: Any) -> Any:
    """Return zeros as a Dask array of chunks like `like`."""
    return da.zeros_like(like, shape=shape, dtype=dtype, chunks="auto")


def stand_in(cut: Blocks, dtype: Any, like: Any) -> Any:
    """Return an array of the result's shape, chunks and dtype without its tasks."""
    y = da.zeros_like(like, shape=cut.shape, dtype=dtype, chunks=cut.chunks)
    return y if cut.shape == cut.problem.shape else da.reshape(y, cut.problem.shape)
