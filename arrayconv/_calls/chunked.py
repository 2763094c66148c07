"""Calls on Dask arrays: a bound call that builds a graph, whose tasks are bound calls on chunks.

A call on the chunks' own type, with the options of the whole, computes each chunk; `_chunked` says what it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from arrayconv import config
from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import chunk_like
from arrayconv._arrays.identify import device_of, library
from arrayconv._arrays.namespace import namespace_of
from arrayconv._arrays.operands import Operands
from arrayconv._arrays.traits import Traits
from arrayconv._autodiff.compiled import Postprocess
from arrayconv._calls import dry_run, prepare, tape
from arrayconv._calls.dry_run import PlannedCall
from arrayconv._calls.prepare import Options
from arrayconv._plan.plan import Plan
from arrayconv._problem.problem import Problem
from arrayconv._run.operands import wrap_fill

_GRAPH = "arrayconv._chunked.graph"  # imports Dask
_TASKS = "arrayconv._chunked.tasks"
_MOST_PLANNED = 32  # blocks of different shapes that are planned before a graph is returned
_MANY_READS = 2  # samples read per sample: from here on larger chunks pay


Compute = Callable[[Any, Problem, Any, Any], Any]  # (settings, problem, x, kernel) -> a chunk of the result


class Settings(NamedTuple):
    """What all chunks of a call share: plain data, part of every task."""

    function: str
    traits: Traits  # of the chunks
    options: Options


class ChunkedCall:
    """A call on Dask operands of given shapes and dtypes: it returns a graph, and computes nothing.

    `compute` of `settings` computes the chunks of a door that has its own way: it reads no kernel, and its x is
    extended along all axes and gathered along none.
    """

    def __init__(
        self,
        function: str,
        operands: Operands,
        problem: Problem,
        options: Options,
        postprocess: Postprocess | None = None,
        *,
        compute: Compute | None = None,
        settings: Any = None,
    ) -> None:
        self.function, self.problem, self.options, self.postprocess = function, problem, options, postprocess
        self._compute, self.settings = compute, settings
        self._operands = operands._replace(x=None, kernel=None)  # pyright: ignore[reportArgumentType]

    def __call__(self, x: Any, kernel: Any, bias: Any = None, out: Any = None, constants: Any = None) -> Any:
        """Return the postprocessed result as a Dask array."""
        self._check(out)
        traits, graph = self._operands.traits.of_chunk, import_module(_GRAPH)
        like = chunk_like(x) if chunk_like(x) is not x else chunk_like(kernel)
        dtype = getattr(namespace_of(traits.backend, like), traits.output)
        spec = self.problem.spec
        if not spec.outputs or not spec.terms:
            y = graph.zeros(self.problem.shape, dtype, like)
        else:
            cut = graph.blocks(self.problem, x, kernel, traits.accumulator, whole_kernel=self._compute is not None)
            plans = self._plans(cut)
            y = self._noted(cut, plans, dtype, like) if dry_run.is_active() else self._graph(cut, dtype, like)
        if self.postprocess is None:
            return y
        bias = None if bias is None else graph.lazy(bias)
        return self.postprocess(y, bias, self._operands._replace(x=x, kernel=kernel))

    def plan(self, *, in_place: bool = True) -> Plan:
        """Return the plan of the whole problem on one array like the chunks."""
        return prepare.plan(self.function, self.problem, self._operands.traits, self.options)

    def writes_in_place(self, out: Any, x: Any, kernel: Any) -> bool:
        """Raise TypeError: a graph is written nowhere."""
        self._check(out)
        return False

    def _check(self, out: Any) -> None:
        if out is not None:
            raise TypeError(
                f"{self.function}: `out` must be left out with Dask arrays, whose result is computed later. Got "
                f"{type(out).__name__}. Write the result by dask.array.store(y, out)."
            )
        if tape.is_recording():
            raise TypeError(
                f"vjp: {self.function} of Dask arrays is computed later, and no gradient is recorded. Compute the "
                f"operands first, or call vjp in a function of chunks."
            )

    def _graph(self, cut: Any, dtype: Any, like: Any) -> Any:
        tasks, traits = import_module(_TASKS), self._operands.traits.of_chunk
        settings: Any = Settings(self.function, traits, self.options._replace(fill_value=0))
        computed_by = compute if self._compute is None else self._compute
        settings = settings if self._compute is None else self.settings
        fill = wrap_fill(self.options.fill_value, traits)
        job = tasks.Job(
            self.function, computed_by, settings, traits.accumulator, fill, config.current()._replace(dry_run=False)
        )
        return import_module(_GRAPH).array(cut, job, dtype, like)

    def _plans(self, cut: Any) -> dict[Problem, Plan]:
        """Return the plans of the largest blocks of different shapes, so that what is refused is refused now."""
        problems = sorted(cut.problems(), key=lambda problem: -problem.spec.macs)
        traits, options = self._operands.traits.of_chunk, self.options._replace(fill_value=0)
        most = 1 if self.options.method == "auto" else _MOST_PLANNED
        return {one: prepare.plan(self.function, one, traits, options) for one in problems[:most]}

    def _noted(self, cut: Any, plans: dict[Problem, Plan], dtype: Any, like: Any) -> Any:
        """Note the plan of the largest block, and what its task reads."""
        problem, plan = next(iter(plans.items()))
        dry_run.note_call(PlannedCall(problem, plan, 0, (problem.layout.x.split, problem.layout.kernel.split)))
        for text in remarks(cut, self.problem, problem):
            dry_run.remark(text)
        return import_module(_GRAPH).stand_in(cut, dtype, like)


def planned(
    function: str, arrays: tuple[Any, Any], shape: tuple[int, ...], traits: Traits, problem: Problem, options: Options
) -> tuple[PlannedCall, tuple[str, ...]]:
    """Return the planned call of the largest chunk of a Dask array, and remarks; the kernel may be a shape."""
    x, kernel = arrays
    if not hasattr(kernel, "dtype"):
        kernel = import_module(_GRAPH).zeros(shape, x.dtype, chunk_like(x))
    operands = Operands(x, kernel, namespace_of("dask", x), device_of(x), traits)
    with dry_run.recording() as record:
        ChunkedCall(function, operands, problem, options)(x, kernel)
    if not record.calls:  # a result without elements, or sums of none
        plan = prepare.plan(function, problem, traits, options)
        record.calls.append(PlannedCall(problem, plan, options.fill_value, (shape, shape)))
    return record.calls[0], tuple(record.remarks)


def remarks(cut: Any, whole: Problem, block: Problem) -> tuple[str, ...]:
    """Return what a graph's tasks read, and whether larger chunks would pay."""
    count, chunks = cut.num_blocks, cut.num_chunks_of_x
    read = cut.num_samples_read / max(cut.x.array.size, 1)
    texts = [
        f"Dask: {count} tasks, one per chunk of the result; the plan is that of the largest one, which reads "
        f"{' x '.join(map(str, block.layout.x.split))} samples with its halo and the whole kernel of its filters",
        *_of_strips(cut.num_strips),
        f"all {count} tasks together read x {read:.2f} times, from {chunks} chunks",
    ]
    if read > _MANY_READS:
        sizes = [max(4 * (axis.reach - 1) // axis.upsample, 1) for axis in whole.spec.axes]
        texts.append(
            f"larger chunks would pay: x.rechunk to {' x '.join(map(str, sizes))} samples or more along the convolved "
            f"axes, four times what their windows reach"
        )
    return tuple(texts)


def _of_strips(count: int) -> tuple[str, ...]:
    return (f"{count} more tasks cut strips from large chunks, which the tasks around them read",) if count else ()


def compute(settings: Settings, problem: Problem, x: Array, kernel: Array) -> Any:
    """Return a chunk of the result: a call on arrays, cached like any other."""
    binding = import_module("arrayconv._calls.binding")
    backend = library(type(x))
    operands = Operands(x, kernel, namespace_of(backend, x), device_of(x), settings.traits)
    return binding.cached_call(settings.function, operands, problem, settings.options)(x, kernel)
