"""Dry runs: calls that are validated, translated and planned, and not computed. `arrayconv.explain` reads their plans.

In a dry run every front door takes the path of a first call: the cache of calls contains none of a dry run's settings.
Where a plan would run, `binding.run_plan` notes it and returns a stand-in for its result: an array of that shape, dtype
and device without memory of its own, on which the door goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from arrayconv import config
from arrayconv._arrays.chunks import chunk_library, is_graph, of_one_chunk
from arrayconv._arrays.namespace import Namespace, on_device
from arrayconv._arrays.operands import Operands
from arrayconv._calls.around import Arrays
from arrayconv._plan.plan import Plan
from arrayconv._plan.rank import Candidate
from arrayconv._problem.problem import Problem
from arrayconv._runtime.programs import LIBRARY
from arrayconv._runtime.tracing import is_compiling, shape_of

Shape = tuple[int, ...]


class PlannedCall(NamedTuple):
    """One convolution of a call: its problem and plan, without arrays."""

    problem: Problem
    plan: Plan
    fill: complex
    shapes: tuple[Shape, Shape]  # of x and the kernel
    arrays: Arrays = Arrays()  # of a pass that runs one by one, and of its gradient, beside the convolutions
    axes: Shape | None = None  # of x, along which a pass runs; None for a call of one convolution
    fused: Candidate | None = None  # the method that runs it with others in one call, instead of the plan's


class Record:
    """What a dry run notes: the convolutions in the order in which they would run, and remarks of the doors."""

    def __init__(self) -> None:
        self.calls: list[PlannedCall] = []
        self.remarks: list[str] = []
        self.stand_ins: list[Any] = []
        self.arrays = Arrays()  # operations of the doors' own


_record: ContextVar[Record | None] = ContextVar("arrayconv.dry_run", default=None)


def is_active() -> bool:
    """Whether calls of this context are planned and not computed."""
    return not is_compiling() and config.current().dry_run


@contextmanager
def recording() -> Generator[Record]:
    """Plan the calls inside a ``with`` block, and compute none."""
    settings = config._settings  # pyright: ignore[reportPrivateUsage]
    record = Record()
    token, own = settings.set(config.current()._replace(dry_run=True)), _record.set(record)
    try:
        yield record
    finally:
        _record.reset(own)
        settings.reset(token)


def note(operands: Operands, problem: Problem, plan: Plan, fill: complex) -> Any:
    """Note a planned call; return a stand-in for its result."""
    record = _record.get()
    if record is not None:
        shapes = shape_of(operands.x), shape_of(operands.kernel)
        record.calls.append(PlannedCall(problem, plan, fill, shapes))
    return stand_in(problem.shape, operands.traits.output, xp=operands.xp, device=operands.device)


def note_call(call: PlannedCall) -> None:
    """Note a planned call whose stand-in is the caller's own."""
    record = _record.get()
    if record is not None:
        record.calls.append(call)


def note_axes(axes: Shape) -> None:
    """Say along which axes of x the convolution runs that was noted last."""
    record = _record.get()
    if record is not None:
        record.calls[-1] = record.calls[-1]._replace(axes=axes)


def note_pass(number: int, nbytes: int) -> None:
    """Note array operations that the pass noted last does, and its gradient, where passes run one by one."""
    record = _record.get()
    if record is not None:
        record.calls[-1] = record.calls[-1]._replace(arrays=Arrays(number, nbytes))


def noted() -> int:
    """Return how many convolutions are noted."""
    record = _record.get()
    return 0 if record is None else len(record.calls)


def note_fused(candidate: Candidate, first: int = 0) -> None:
    """Say that the convolutions from number `first` on run in one call of a method, at its cost, in its workspace."""
    record = _record.get()
    if record is not None:
        share = candidate._replace(cost_ns=candidate.cost_ns // (len(record.calls) - first))
        record.calls[first:] = [one._replace(fused=share) for one in record.calls[first:]]


def note_arrays(number: int, nbytes: int) -> None:
    """Note array operations that a call does beside its convolutions, and the bytes of their results."""
    record = None if is_compiling() else _record.get()
    if record is not None:
        record.arrays = Arrays(record.arrays.number + number, record.arrays.nbytes + nbytes)


def remark(text: str) -> None:
    """Note why a door planned what it did; nothing outside of a dry run."""
    record = None if is_compiling() else _record.get()
    if record is not None and text not in record.remarks:
        record.remarks.append(text)


def stand_in(shape: Shape, dtype: str, *, xp: Namespace, device: Any, like: Any = None) -> Any:
    """Return an array without values: one zero, broadcast; beside a lazy array one chunk like those of `like`."""
    if like is not None and is_graph(like):
        _, xp, device = chunk_library("stand_in", "like", like)
    with on_device(xp, device):
        array = xp.broadcast_to(xp.zeros((), dtype=getattr(xp, dtype), device=device), shape)
    array = array if like is None else of_one_chunk(like, array)
    record = _record.get()
    if record is not None:
        record.stand_ins.append(array)
    return array


def is_stand_in(array: Any) -> bool:
    """Whether a dry run has no values of an array: it stands for a shape, or for a result."""
    record = None if is_compiling() else _record.get()
    return record is not None and any(array is each for each in record.stand_ins)


def elementwise(function: Callable[..., Any], *arrays: Any, xp: Namespace) -> Any:
    """Return a function of the elements of arrays of one shape; in a dry run of the first elements alone."""
    if not is_active():
        return function(*arrays)
    shape = shape_of(arrays[0])
    y = function(*[array[tuple([slice(0, 1)] * len(shape))] for array in arrays])
    y = xp.broadcast_to(y, shape)
    record = _record.get()
    if record is not None:
        record.stand_ins.append(y)
    return y


def without_computing(library: str, function: Callable[[], Any]) -> None:
    """Call a function; JAX, whose arrays have no views, computes nothing of what it does to them."""
    if library != LIBRARY:
        function()
        return

    def staged() -> None:
        function()

    sys.modules[LIBRARY].eval_shape(staged)
