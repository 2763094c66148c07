"""How long calls take: the shortest of several rounds, every call in turn.

Taking turns spreads disturbances of the machine over all calls, and the minimum excludes most of them. A first call of
each, which may import, compile or fill caches, is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from time import perf_counter_ns
from typing import Any

import numpy as np

from arrayconv._arrays.array import Array
from arrayconv._arrays.dtypes import DTYPES, kind
from arrayconv._arrays.host import from_numpy
from arrayconv._arrays.identify import device_of, library
from arrayconv._arrays.libraries import library_row
from arrayconv._arrays.namespace import Namespace, compat_namespace, is_namespace, namespace_of
from arrayconv._arrays.operands import Operands, operands
from arrayconv._arrays.traits import Traits
from arrayconv._calls import prepare
from arrayconv._calls.binding import run_unrecorded
from arrayconv._calls.prepare import Options
from arrayconv._plan.plan import Plan
from arrayconv._plan.rank import Candidate
from arrayconv._problem.problem import Problem

TOO_LONG_NS = 3 * 10**9  # predicted: such a method is not run to be measured
_TOTAL_NS = 15 * 10**9  # after which no further method is started
_ROUNDS, _ROUNDS_NS = 25, 10**9

Calls = Sequence[Callable[[], Any]]


def wait(array: Any) -> Any:
    """Return an array once it is computed: a library may still be computing it when a call returns."""
    library_row(library(type(array))).wait(array)
    return array


def once(call: Callable[[], Any]) -> int:
    """Return the nanoseconds of a call."""
    start = perf_counter_ns()
    wait(call())
    return perf_counter_ns() - start


def shortest(calls: Calls, rounds: int, most_ns: int) -> list[int]:
    """Return the shortest nanoseconds of each call: at least one round, at most `rounds` or about `most_ns`."""
    best, start = [inf] * len(calls), perf_counter_ns()
    for number in range(rounds):
        if number and perf_counter_ns() - start > most_ns:
            break
        for place, call in enumerate(calls):
            best[place] = min(best[place], once(call))
    return [int(time) for time in best]


def methods(
    operands: Operands, problem: Problem, options: Options, candidates: Sequence[Candidate]
) -> tuple[Candidate, ...]:
    """Run every method that is not refused on the operands, and return the candidates with the time each took.

    A method predicted to take longer than `TOO_LONG_NS`, and those left when the total is reached, are not run.

    Raises
    ------
    ValueError
        If the arrays have no values: they are being traced, or are on torch's meta device.
    """
    _check_values(operands.traits)
    calls: dict[str, Callable[[], Any]] = {}
    start = perf_counter_ns()
    for row in candidates:
        if row.refusal is None and row.cost_ns <= TOO_LONG_NS and perf_counter_ns() - start <= _TOTAL_NS:
            plan = prepare.plan("explain", problem, operands.traits, options._replace(method=row.name))
            calls[row.name] = _runner(operands, problem, plan, options.fill_value)
            once(calls[row.name])
    times = dict(zip(calls, shortest(list(calls.values()), _ROUNDS, _ROUNDS_NS), strict=True))
    return tuple(row._replace(measured_ns=times.get(row.name)) for row in candidates)


def _check_values(traits: Traits) -> None:
    if traits.traced or traits.device == "meta":
        where = f"are traced by {traits.backend}" if traits.traced else "are on the meta device"
        raise ValueError(
            f"explain: `measure` needs operands that have values. Got arrays that {where}. "
            f"Pass their shapes and `like`, outside of what is traced, or measure=False."
        )


def _runner(operands: Operands, problem: Problem, plan: Plan, fill: complex) -> Callable[[], Any]:
    """Return a call of the plan on the operands, which autograd does not record."""
    return partial(run_unrecorded, operands, problem, plan, fill)


def subjects(x: Any, kernel: Any, shapes: tuple[Any, Any], traits: Traits, dtype: Any, like: Any) -> Operands:
    """Return the operands to measure: the caller's arrays, and seeded numbers of the same kind for shapes."""
    _check_values(traits)
    model = next((value for value in (x, kernel) if not _is_shape(value)), None) if like is None else like
    xp, device = _namespace_and_device(model)

    def subject(value: Any, shape: tuple[int, ...]) -> Any:
        return _numbers(shape, traits.output, xp, device) if _is_shape(value) else value

    return operands("explain", subject(x, shapes[0]), subject(kernel, shapes[1]), dtype)


def _is_shape(value: Any) -> bool:
    return isinstance(value, (int, np.integer, tuple))


def _namespace_and_device(model: Any) -> tuple[Namespace, Any]:
    """Return the namespace and device of an array or list, or a namespace's default ones."""
    name = "" if model is None or is_namespace(model) else library(type(model))
    if name:
        return namespace_of(name, model), device_of(model)
    xp = compat_namespace(model if is_namespace(model) else None)
    return xp, device_of(xp.zeros(1))


def _numbers(shape: tuple[int, ...], dtype: str, xp: Namespace, device: Any) -> Array:
    """Return small whole numbers of either sign, the same at every call."""
    random = np.random.default_rng(0)
    low = -8 if DTYPES[dtype].signed else 0
    values = random.integers(low, 9, shape).astype("float32" if kind(dtype) == "real" else dtype)
    if kind(dtype) == "complex":
        values += 1j * random.integers(low, 9, shape)
    return xp.astype(from_numpy(values, values.dtype.name, xp, device), getattr(xp, dtype), copy=False)
