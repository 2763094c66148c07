"""How long calls take: the shortest of several rounds, every call in turn.

Taking turns spreads whatever disturbs the machine over all of them, and the minimum leaves most of it out. A first call
of each, which may import, compile or fill caches, is not counted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from time import perf_counter_ns
from typing import Any

import numpy as np

from arrayconv._arrays.namespace import is_namespace
from arrayconv._arrays.xp import (
    Array,
    Namespace,
    Operands,
    Traits,
    compat_namespace,
    device_of,
    library,
    namespace_of,
    operands,
)
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
    """Return an array once it is computed: libraries may still be at it when a call returns."""
    if hasattr(array, "block_until_ready"):
        return array.block_until_ready()
    name = library(type(array))
    if name == "cupy":
        sys.modules["cupy"].cuda.get_current_stream().synchronize()
    elif name == "torch" and array.device.type == "cuda":
        sys.modules["torch"].cuda.synchronize(array.device)
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
    found: Operands, problem: Problem, chosen: Options, candidates: Sequence[Candidate]
) -> tuple[Candidate, ...]:
    """Run every method that is not refused on the operands, and return the candidates with the time each took.

    A method predicted to take longer than `TOO_LONG_NS`, and those left when the total is reached, are not run.

    Raises
    ------
    ValueError
        If the arrays have no values: they are being traced, or are on torch's meta device.
    """
    _check_values(found.traits)
    calls: dict[str, Callable[[], Any]] = {}
    start = perf_counter_ns()
    for row in candidates:
        if row.refusal is None and row.cost_ns <= TOO_LONG_NS and perf_counter_ns() - start <= _TOTAL_NS:
            plan = prepare.plan("explain", problem, found.traits, chosen._replace(method=row.name))
            calls[row.name] = _runner(found, problem, plan, chosen.fill_value)
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


def _runner(found: Operands, problem: Problem, plan: Plan, fill: complex) -> Callable[[], Any]:
    """Return a call of the plan on the operands; unlike a door's call, nothing that watches calls is told."""
    return partial(run_unrecorded, found, problem, plan, fill)


def subjects(x: Any, kernel: Any, shapes: tuple[Any, Any], traits: Traits, dtype: Any, like: Any) -> Operands:
    """Return the operands to measure: the arrays given, and seeded numbers of the same kind for shapes."""
    _check_values(traits)
    model = next((value for value in (x, kernel) if not _is_shape(value)), None) if like is None else like
    xp, device = _home(model)

    def subject(value: Any, shape: tuple[int, ...]) -> Any:
        return _numbers(shape, traits.output, xp, device) if _is_shape(value) else value

    return operands("explain", subject(x, shapes[0]), subject(kernel, shapes[1]), dtype)


def _is_shape(value: Any) -> bool:
    return isinstance(value, (int, np.integer, tuple))


def _home(model: Any) -> tuple[Namespace, Any]:
    """Return the namespace and device of an array or list, or a namespace's default ones."""
    name = "" if model is None or is_namespace(model) else library(type(model))
    if name:
        return namespace_of(name, model), device_of(model)
    xp = compat_namespace(model if is_namespace(model) else None)
    return xp, device_of(xp.zeros(1))


def _numbers(shape: tuple[int, ...], dtype: str, xp: Namespace, device: Any) -> Array:
    """Return small whole numbers of either sign, the same at every call."""
    random = np.random.default_rng(0)
    low = 0 if dtype.startswith("u") else -8
    values = random.integers(low, 9, shape).astype("float32" if "float" in dtype else dtype)
    if dtype.startswith("complex"):
        values += 1j * random.integers(low, 9, shape)
    return xp.astype(xp.asarray(values, device=device), getattr(xp, dtype), copy=False)
